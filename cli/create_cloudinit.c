/* SPDX-License-Identifier: Apache-2.0 */
/* create vm: access credentials and the cloud-init volume. */
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/jpath.h"
#include "base/must.h"
#include "base/scope.h"
#include "base/str.h"
#include "cli/create_vm.h"
#include "cli/params.h"

static const char access_flag[] = "access-cred";

/* How a key reaches the guest: {} for cloud-init's ways, which must be the machine's own. */
static int ssh_method(struct vm_draft *d, const json_t *params, json_t **ret, struct error *e)
{
    const char *method = jpath_str(params, "method", "");
    const char *user = jpath_str(params, "user", "");
    const bool is_nocloud = strcasecmp(method, "nocloud") == 0;

    if (!*method || strcasecmp(method, "ga") == 0) {
        if (!*user)
            user = d->f->user;
        if (!*user)
            return params_error(e, access_flag,
                                "user must be specified with access credential ssh method ga "
                                "(\"--user\" flag or param \"user\")");
        if (!d->f->manages_ssh)
            d->manages_ssh = true;
        *ret = must_pack("{s:{s:[s]}}", "qemuGuestAgent", "users", user);
        return 0;
    }
    if (!is_nocloud && strcasecmp(method, "configdrive") != 0)
        return params_error(e, access_flag,
                            "invalid access credentials ssh method \"%s\", supported values are: "
                            "ga, nocloud, configdrive",
                            method);
    if (*user)
        return params_error(e, access_flag, "user cannot be specified with method %s", method);
    if (!d->has_cloud_init) {
        d->cloud_init = is_nocloud ? "nocloud" : "configdrive";
        d->has_cloud_init = true;
    }
    if (strcasecmp(d->cloud_init, method) != 0)
        return params_error(e, access_flag, "method %s needs --cloud-init %s, it is %s", method,
                            method, d->cloud_init);
    *ret = must_pack("{s:{}}", is_nocloud ? "noCloud" : "configDrive");
    return 0;
}

static int password_method(const json_t *params, json_t **ret, struct error *e)
{
    const char *method = jpath_str(params, "method", "ga");

    if (strcasecmp(method, "ga") != 0)
        return params_error(e, access_flag,
                            "invalid access credentials password method \"%s\", supported values "
                            "are: ga",
                            method);
    if (*jpath_str(params, "user", ""))
        return params_error(e, access_flag, "user cannot be specified with type password");
    *ret = must_pack("{s:{}}", "qemuGuestAgent");
    return 0;
}

static int add_one_access(struct vm_draft *d, const char *text, struct error *e)
{
    static const struct param rows[] = { { "type", PARAM_TEXT },
                                         { "src", PARAM_TEXT },
                                         { "method", PARAM_TEXT },
                                         { "user", PARAM_TEXT },
                                         { 0 } };
    scoped(free) char *prefix = NULL;
    scoped(free) char *name = NULL;
    json_auto_t *params = NULL;
    json_t *method = NULL;

    if (params_parse(access_flag, text, rows, NULL, &params, e) < 0)
        return -(int)e->code;
    const char *src = jpath_str(params, "src", "");
    const char *type = jpath_str(params, "type", "ssh");
    const bool is_password = strcasecmp(type, "password") == 0;
    if (!*src)
        return params_error(e, access_flag, "src must be specified");
    if (params_split_name(access_flag, src, &prefix, &name, e) < 0)
        return -(int)e->code;
    if (*prefix)
        return params_error(e, access_flag, "not allowed to specify namespace of secret \"%s\"",
                            name);
    if (!is_password && *type && strcasecmp(type, "ssh") != 0)
        return params_error(e, access_flag,
                            "invalid access credential type \"%s\", supported values are: ssh, "
                            "password",
                            type);
    if ((is_password ? password_method(params, &method, e) : ssh_method(d, params, &method, e)) < 0)
        return -(int)e->code;
    must_append(jpath_make_arr(d->pod_spec, "accessCredentials"),
                must_pack("{s:{s:{s:{s:s}}, s:o}}", is_password ? "userPassword" : "sshPublicKey",
                          "source", "secret", "secretName", name, "propagationMethod", method));
    return 0;
}

int draft_add_access(struct vm_draft *d, struct error *e)
{
    for (size_t i = 0; i < d->f->access_credentials.len; i++)
        if (add_one_access(d, d->f->access_credentials.item[i], e) < 0)
            return -(int)e->code;
    return 0;
}

/* The keys of --ssh-key, which are lists too. */
static void add_keys(struct buf *out, const struct option_list *keys)
{
    if (keys->len > 0)
        (void)buf_adds(out, "\nssh_authorized_keys:");
    for (size_t i = 0; i < keys->len; i++)
        for (const char *at = keys->item[i]; *at;) {
            const size_t len = strcspn(at, ",");

            (void)buf_addf(out, "\n  - %.*s", (int)len, at);
            at += len + (at[len] == ',');
        }
}

/* "#cloud-config" and what the flags add; *ret_is_empty when that is nothing. */
static char *user_data(const struct vm_draft *d, bool *ret_is_empty)
{
    static const char header[] = "#cloud-config";
    struct buf out = BUF_INIT(0);

    (void)buf_adds(&out, header);
    if (*d->f->user)
        (void)buf_addf(&out, "\nuser: %s", d->f->user);
    if (d->password && *d->password)
        (void)buf_addf(&out, "\npassword: %s\nchpasswd: { expire: False }", d->password);
    add_keys(&out, &d->f->ssh_keys);
    if (d->manages_ssh)
        (void)buf_adds(&out, "\nruncmd:\n  - [ setsebool, -P, 'virt_qemu_ga_manage_ssh', 'on' ]");
    *ret_is_empty = streq(out.data, header);
    return buf_take(&out);
}

static bool is_base64(const char *text)
{
    size_t len;
    scoped(free) void *data = str_unbase64(text, &len);

    return data != NULL;
}

static int check(const struct create_vm_flags *f, struct error *e)
{
    const bool has_parts = *f->user || *f->password_file || f->ssh_keys.len > 0 || f->manages_ssh;

    if (*f->user_data && has_parts)
        return error_set(e, ERR_BAD_REQUEST,
                         "--cloud-init-user-data excludes --user, --password-file, --ssh-key and "
                         "--ga-manage-ssh");
    if (!is_base64(f->user_data))
        return params_error(e, "cloud-init-user-data", "it is not base64");
    if (!is_base64(f->network_data))
        return params_error(e, "cloud-init-network-data", "it is not base64");
    return 0;
}

static void warn(struct vm_draft *d, bool has_data)
{
    if (*d->f->password_file)
        (void)buf_adds(d->notices, "WARNING: --password-file: The password is stored in cleartext "
                                   "in the VM definition!\n");
    if (has_data && strcasecmp(d->cloud_init, "none") == 0)
        (void)buf_adds(d->notices,
                       "WARNING: --cloud-init: was set to none, not creating a data source "
                       "although other cloud-init options were set\n");
}

int draft_add_cloud_init(struct vm_draft *d, struct error *e)
{
    const struct create_vm_flags *f = d->f;
    json_auto_t *source = json_object();
    bool is_empty = false;

    if (check(f, e) < 0)
        return -(int)e->code;
    scoped(free) char *data = user_data(d, &is_empty);
    const bool has_data = !is_empty || *f->user_data || *f->network_data;
    warn(d, has_data);
    if (strcasecmp(d->cloud_init, "none") == 0)
        return 0;
    const bool is_drive = strcasecmp(d->cloud_init, "configdrive") == 0;
    if (!is_drive && strcasecmp(d->cloud_init, "nocloud") != 0)
        return params_error(e, "cloud-init",
                            "invalid cloud-init data source type \"%s\", supported values are: "
                            "nocloud, configdrive, none",
                            d->cloud_init);
    if (!has_data && !d->has_cloud_init)
        return 0;
    if (*f->network_data)
        must_set(source, "networkDataBase64", must_pack("s", f->network_data));
    must_set(source, *f->user_data ? "userDataBase64" : "userData",
             must_pack("s", *f->user_data ? f->user_data : data));
    return draft_add_volume(
        d, "cloud-init", "cloudinitdisk",
        must_pack("{s:O}", is_drive ? "cloudInitConfigDrive" : "cloudInitNoCloud", source), e);
}
