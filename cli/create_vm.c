/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/create_vm.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/jpath.h"
#include "base/must.h"
#include "base/quantity.h"
#include "base/scope.h"
#include "base/str.h"
#include "cli/commands.h"
#include "cli/document.h"
#include "cli/params.h"
#include "kube/kubeconfig.h"

enum { SUFFIX = 5, PASSWORD_MAX = 64 * 1024 };

#define TEXT_FLAG(flag, member, word, text)                                                   \
    {                                                                                         \
        flag, 0, OPTION_STRING, FLAG(create_vm.member), .dflt = "", .arg = word, .help = text \
    }
#define LIST_FLAG(flag, member, word, text)                                        \
    {                                                                              \
        flag, 0, OPTION_STRINGS, FLAG(create_vm.member), .arg = word, .help = text \
    }

// clang-format off
const struct option create_vm_flags[] = {
    TEXT_FLAG("name", name, "NAME", "Name of the machine; a random one when not given."),
    TEXT_FLAG("run-strategy", run_strategy, "Always|Manual|Halted|Once|RerunOnFailure", "When the machine is to run; Always when not given."),
    { "termination-grace-period", 0, OPTION_INT, FLAG(create_vm.termination_grace_period_s), .dflt = "180", .arg = "SECONDS",
      .help = "Seconds that the guest has to shut down." },
    TEXT_FLAG("memory", memory, "QUANTITY", "Memory of the guest; 512Mi when not given."),
    TEXT_FLAG("instancetype", instancetype, "[KIND/]NAME", "Instance type of the machine."),
    { "infer-instancetype", 0, OPTION_OPTIONAL, FLAG(create_vm.infers_instancetype), .help = "Take the instance type from the volume that is booted." },
    TEXT_FLAG("infer-instancetype-from", infer_instancetype_from, "VOLUME", "Take the instance type from this volume."),
    TEXT_FLAG("preference", preference, "[KIND/]NAME", "Preference of the machine."),
    { "infer-preference", 0, OPTION_OPTIONAL, FLAG(create_vm.infers_preference), .help = "Take the preference from the volume that is booted." },
    TEXT_FLAG("infer-preference-from", infer_preference_from, "VOLUME", "Take the preference from this volume."),
    LIST_FLAG("volume-containerdisk", containerdisks, "PARAMS", "A container image as disk: src:IMAGE,name:NAME,bootorder:N."),
    LIST_FLAG("volume-pvc", pvcs, "PARAMS", "A PersistentVolumeClaim as disk: src:NAME,name:NAME,bootorder:N."),
    LIST_FLAG("volume-import", imports, "PARAMS", "A disk that is filled from elsewhere: type:T,size:QUANTITY,name:NAME,bootorder:N and by type: "
              "blank; gcs, http, s3 (url, secretref, ...); imageio (url, diskid); pvc, snapshot (src:NAMESPACE/NAME); registry (url or imagestream, pullmethod); "
              "vddk (url, uuid, thumbprint, secretref, backingfile); ds (src:[NAMESPACE/]NAME)."),
    TEXT_FLAG("volume-sysprep", sysprep, "PARAMS", "A sysprep volume: src:NAME,type:configmap|secret."),
    LIST_FLAG("volume-datasource", data_sources, "PARAMS", "Deprecated: --volume-import type:ds."),
    LIST_FLAG("volume-clone-pvc", clone_pvcs, "PARAMS", "Deprecated: --volume-import type:pvc."),
    LIST_FLAG("volume-blank", blanks, "PARAMS", "Deprecated: --volume-import type:blank."),
    LIST_FLAG("access-cred", access_credentials, "PARAMS", "A secret with keys or passwords: src:SECRET,type:ssh|password,method:ga|nocloud|configdrive,user:NAME."),
    TEXT_FLAG("user", user, "NAME", "User that cloud-init makes."),
    TEXT_FLAG("password-file", password_file, "FILE", "File with the user's password."),
    LIST_FLAG("ssh-key", ssh_keys, "KEY,...", "SSH keys that the user may log in with."),
    { "ga-manage-ssh", 0, OPTION_OPTIONAL, FLAG(create_vm.manages_ssh), .help = "Let the guest agent manage SSH keys." },
    { "cloud-init", 0, OPTION_STRING, FLAG(create_vm.cloud_init), .dflt = "", .arg = "nocloud|configdrive|none",
      .help = "How cloud-init gets its data; nocloud when not given." },
    TEXT_FLAG("cloud-init-user-data", user_data, "BASE64", "User data of cloud-init."),
    TEXT_FLAG("cloud-init-network-data", network_data, "BASE64", "Network data of cloud-init."),
    { 0 },
};
// clang-format on

static bool is_yes(const char *optional)
{
    return optional && strcasecmp(optional, "false") != 0 && !streq(optional, "0");
}

static int check_exclusive(const char *const flags[], const bool given[], size_t n, struct error *e)
{
    const char *first = NULL;

    for (size_t i = 0; i < n; i++) {
        if (given[i] && first)
            return error_set(e, ERR_BAD_REQUEST, "--%s and --%s exclude each other", first,
                             flags[i]);
        if (given[i])
            first = flags[i];
    }
    return 0;
}

static int check_flags(const struct create_vm_flags *f, struct error *e)
{
    static const char *const types[] = { "memory", "instancetype", "infer-instancetype",
                                         "infer-instancetype-from" };
    static const char *const preferences[] = { "preference", "infer-preference",
                                               "infer-preference-from" };
    const bool has_type[] = { *f->memory, *f->instancetype, f->infers_instancetype,
                              *f->infer_instancetype_from };
    const bool has_preference[] = { *f->preference, f->infers_preference,
                                    *f->infer_preference_from };

    if (check_exclusive(types, has_type, countof(types), e) < 0)
        return -(int)e->code;
    return check_exclusive(preferences, has_preference, countof(preferences), e);
}

static int run_strategy(const char *word, const char **ret, struct error *e)
{
    static const char *const words[] = { "Always", "Manual", "Halted", "Once", "RerunOnFailure" };

    *ret = words[0];
    for (size_t i = 0; i < countof(words) && *word; i++)
        if (strcasecmp(words[i], word) == 0) {
            *ret = words[i];
            return 0;
        }
    return !*word ? 0
                  : params_error(e, "run-strategy",
                                 "invalid run strategy \"%s\", supported values are: Always, "
                                 "Manual, Halted, Once, RerunOnFailure",
                                 word);
}

/* {"kind": ..., "name": ...}; without a kind the server takes the cluster's. */
static int make_matcher(const char *flag, const char *text, const char *what, json_t **ret,
                        struct error *e)
{
    scoped(free) char *kind = NULL;
    scoped(free) char *name = NULL;
    scoped(free) char *local = must_asprintf("virtualmachine%s", what);
    scoped(free) char *cluster = must_asprintf("virtualmachinecluster%s", what);

    if (params_split_name(flag, text, &kind, &name, e) < 0)
        return -(int)e->code;
    const bool is_local = strcasecmp(kind, local) == 0;
    if (*kind && !is_local && strcasecmp(kind, cluster) != 0)
        return params_error(e, flag, "invalid %s kind \"%s\", supported values are: %s, %s", what,
                            kind, local, cluster);
    *ret = must_pack("{s:s}", "name", name);
    if (*kind)
        must_set(*ret, "kind", must_pack("s", is_local ? local : cluster));
    return 0;
}

/* Can the server find a default in this volume? */
static bool can_infer_from(const struct vm_draft *d, const json_t *volume)
{
    const char *name = jpath_str(volume, "dataVolume.name", "");
    size_t i;
    json_t *template;

    if (jpath_obj(volume, "persistentVolumeClaim"))
        return true;
    json_array_foreach(jpath_arr(d->vm, "spec.dataVolumeTemplates"), i, template)
        if (*name && streq(meta_name(template), name))
            return jpath_obj(template, "spec.source.pvc") ||
                   jpath_obj(template, "spec.source.registry") ||
                   jpath_obj(template, "spec.source.snapshot") ||
                   streq(jpath_str(template, "spec.sourceRef.kind", ""), "DataSource");
    return false;
}

/* The volume with the lowest boot order, else the first; NULL when there is none. */
static const char *boot_volume(const struct vm_draft *d)
{
    const char *best = NULL;
    json_int_t lowest = 0;
    size_t i;
    json_t *disk;

    json_array_foreach(d->disks, i, disk) {
        const json_int_t order = jpath_int(disk, "bootOrder", 0);

        if (!best || order < lowest) {
            best = jpath_str(disk, "name", "");
            lowest = order;
        }
    }
    return best ? best : jpath_str(d->volumes, "[0].name", NULL);
}

/* spec.instancetype or spec.preference from a volume; a guess (not explicit) may come to nothing.
 */
static int infer(struct vm_draft *d, const char *key, const char *from, bool is_explicit,
                 struct error *e)
{
    const char *name = *from ? from : boot_volume(d);
    const json_t *volume = name ? jarr_find(d->volumes, "name", name) : NULL;

    if (!volume || !can_infer_from(d, volume)) {
        if (!is_explicit)
            return 0;
        if (!name)
            return error_set(e, ERR_BAD_REQUEST,
                             "at least one volume is needed to infer an instance type or "
                             "preference");
        return error_set(e, ERR_BAD_REQUEST,
                         volume ? "volume '%s' tells no instance type or preference: only claims, "
                                  "DataSources and what is imported from pvc, registry or snapshot "
                                  "do"
                                : "there is no volume with name '%s'",
                         name);
    }
    json_t *matcher = must_pack("{s:s}", "inferFromVolume", name);
    if (!is_explicit)
        must_set(matcher, "inferFromVolumeFailurePolicy", must_pack("s", "Ignore"));
    must_set(jpath_obj(d->vm, "spec"), key, matcher);
    return 0;
}

static int add_type(struct vm_draft *d, struct error *e)
{
    const struct create_vm_flags *f = d->f;
    const bool is_explicit = f->infers_instancetype || *f->infer_instancetype_from;
    json_t *matcher = NULL;
    int r = 0;

    if (*f->instancetype) {
        r = make_matcher("instancetype", f->instancetype, "instancetype", &matcher, e);
        if (r == 0)
            jpath_set(d->vm, "spec.instancetype", matcher);
    } else if (!*f->memory && (!f->infers_instancetype || is_yes(f->infers_instancetype))) {
        r = infer(d, "instancetype", f->infer_instancetype_from, is_explicit, e);
    }
    /* The type brings the memory; a guess may fail, and leaves what is there. */
    if (r == 0 && jpath_has(d->vm, "spec.instancetype") && (*f->instancetype || is_explicit))
        jpath_del(d->pod_spec, "domain.memory");
    return r;
}

static int add_preference(struct vm_draft *d, struct error *e)
{
    const struct create_vm_flags *f = d->f;
    const bool is_explicit = f->infers_preference || *f->infer_preference_from;
    json_t *matcher = NULL;

    if (*f->preference) {
        int r = make_matcher("preference", f->preference, "preference", &matcher, e);
        if (r == 0)
            jpath_set(d->vm, "spec.preference", matcher);
        return r;
    }
    if (f->infers_preference && !is_yes(f->infers_preference))
        return 0;
    return infer(d, "preference", f->infer_preference_from, is_explicit, e);
}

int create_vm(const struct create_vm_flags *f, const char *namespace, const char *password,
              json_t **ret, struct buf *notices, struct error *e)
{
    const char *memory_text = *f->memory ? f->memory : "512Mi";
    char name[3 + SUFFIX + 1] = "vm-";
    char canonical[QUANTITY_TEXT_MAX];
    const char *strategy = NULL;
    struct quantity memory;

    if (check_flags(f, e) < 0 || run_strategy(f->run_strategy, &strategy, e) < 0)
        return -(int)e->code;
    if (quantity_parse(memory_text, &memory) < 0)
        return params_error(e, "memory", "\"%s\" is not a quantity such as 512Mi", memory_text);
    random_suffix(name + strlen(name), SUFFIX);

    json_auto_t *vm = must_pack(
        "{s:s, s:s, s:{s:s}, s:{s:s, s:{s:{}, s:{s:I, s:{s:{}, s:{}, s:{s:s}}}}}, s:{}}",
        "apiVersion", "kubevirt.io/v1", "kind", "VirtualMachine", "metadata", "name",
        *f->name ? f->name : name, "spec", "runStrategy", strategy, "template", "metadata", "spec",
        "terminationGracePeriodSeconds", (json_int_t)f->termination_grace_period_s, "domain",
        "devices", "resources", "memory", "guest", quantity_format(memory, canonical), "status");
    struct vm_draft d = { .f = f,
                          .name = meta_name(vm),
                          .password = password,
                          .vm = vm,
                          .pod_spec = jpath_obj(vm, "spec.template.spec"),
                          .notices = notices,
                          .cloud_init = *f->cloud_init ? f->cloud_init : "nocloud",
                          .has_cloud_init = *f->cloud_init != '\0',
                          .manages_ssh =
                              f->manages_ssh && (!*f->manages_ssh || is_yes(f->manages_ssh)) };

    if (namespace)
        jpath_set_str(vm, "metadata.namespace", namespace);
    if (draft_add_volumes(&d, e) < 0 || draft_add_access(&d, e) < 0 ||
        draft_add_cloud_init(&d, e) < 0 || add_type(&d, e) < 0 || add_preference(&d, e) < 0)
        return -(int)e->code;
    *ret = json_incref(vm);
    return 0;
}

/* The file's text without the blanks around it. */
static int read_password(const char *file, char **ret, struct error *e)
{
    scoped(free) char *text = NULL;
    size_t len;

    if (!*file)
        return 0;
    if (kube_read_file(file, PASSWORD_MAX, &text, &len, e) < 0)
        return error_wrap(e, "failed to parse \"--password-file\" flag");

    const char *begin = text + strspn(text, " \t\r\n");
    size_t end = strlen(begin);
    while (end > 0 && strchr(" \t\r\n", begin[end - 1]))
        end--;
    *ret = must_strndup(begin, end);
    if (!str_is_utf8(*ret))
        return error_set(e, ERR_BAD_REQUEST, "%s: the password is not UTF-8", file);
    return 0;
}

int run_create_vm(struct cli *c, const struct option_list *args, struct error *e)
{
    scoped(free) char *password = NULL;
    scoped_buf notices = BUF_INIT(0);
    json_auto_t *vm = NULL;

    if (read_password(c->flags.create_vm.password_file, &password, e) < 0)
        return -(int)e->code;
    int r = create_vm(&c->flags.create_vm, cli_namespace_flag(c), password, &vm, &notices, e);
    if (notices.len > 0)
        (void)fputs(notices.data, stderr);
    return r < 0 ? r : document_print(vm, "yaml", 0, e);
}
