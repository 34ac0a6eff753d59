/* SPDX-License-Identifier: Apache-2.0 */
/* credentials: SSH keys and passwords that the guest agent puts into a running guest, by way of the
 * secrets that the machine names (spec 06, section 3.9). */
#include "cli/credentials.h"

#include <stdio.h>
#include <string.h>

#include "base/jpatch.h"
#include "base/jpath.h"
#include "base/must.h"
#include "base/scope.h"
#include "base/str.h"
#include "cli/commands.h"
#include "kube/client.h"
#include "kube/kubeconfig.h"

enum { KEY_FILE_MAX = 256 * 1024, SUFFIX = 6, CONFLICTS_MAX = 5 };

// clang-format off
#define USER_FLAG \
    { "user", 'u', OPTION_STRING, FLAG(credentials.user), .dflt = "", .arg = "NAME", \
      .help = "User of the guest." }
#define SECRET_FLAG \
    { "secret", 0, OPTION_STRING, FLAG(credentials.secret), .dflt = "", .arg = "NAME", \
      .help = "The secret, when the machine names several." }
#define FORCE_FLAG(text) \
    { "force", 0, OPTION_BOOL, FLAG(credentials.is_forced), .dflt = "false", .help = text }
#define KEY_FLAGS \
    { "file", 'f', OPTION_STRING, FLAG(credentials.file), .dflt = "", .arg = "FILE", \
      .help = "File with the public key." }, \
    { "value", 0, OPTION_STRING, FLAG(credentials.value), .dflt = "", .arg = "KEY", \
      .help = "The public key itself." }

const struct option add_ssh_key_flags[] = {
    USER_FLAG, KEY_FLAGS, SECRET_FLAG,
    { "create-secret", 0, OPTION_BOOL, FLAG(credentials.creates_secret), .dflt = "false",
      .help = "Put the key into a new secret." },
    { "update-secret", 0, OPTION_BOOL, FLAG(credentials.updates_secret), .dflt = "false",
      .help = "Put the key into a secret that the machine names already." },
    FORCE_FLAG("Also when the machine runs (a new secret counts from its next start), and when "
               "the secret is not the machine's own."),
    { 0 },
};

const struct option remove_ssh_key_flags[] = {
    USER_FLAG, KEY_FLAGS, SECRET_FLAG,
    FORCE_FLAG("Also when the secret is not the machine's own."),
    { 0 },
};

const struct option set_password_flags[] = {
    USER_FLAG,
    { "password", 'p', OPTION_STRING, FLAG(credentials.password), .dflt = "", .arg = "WORD",
      .help = "The new password." },
    SECRET_FLAG,
    FORCE_FLAG("Also when the secret is not the machine's own."),
    { 0 },
};
// clang-format on

/* ---- pure ---- */

bool credentials_line_has_key(const char *line, size_t len, const char *key)
{
    while (len > 0 && strchr(" \t\r", *line)) {
        line++;
        len--;
    }
    return len >= strlen(key) && strncmp(line, key, strlen(key)) == 0;
}

/* The text without the lines that hold the key.  New; *ret_found says whether there were any. */
char *credentials_without_key(const char *text, const char *key, bool *ret_found)
{
    char *kept = must_malloc(strlen(text) + 1);
    char *end = kept;

    *ret_found = false;
    while (*text) {
        const size_t len = strcspn(text, "\n");
        const size_t whole = len + (text[len] == '\n');

        if (credentials_line_has_key(text, len, key)) {
            *ret_found = true;
        } else {
            memcpy(end, text, whole);
            end += whole;
        }
        text += whole;
    }
    *end = '\0';
    return kept;
}

static bool has_user(const json_t *users, const char *user)
{
    size_t i;
    json_t *u;

    json_array_foreach(users, i, u)
        if (json_is_string(u) && streq(json_string_value(u), user))
            return true;
    return false;
}

json_t *credentials_secrets(const json_t *vm, enum credential_kind kind, const char *user)
{
    json_t *names = json_array();
    size_t i;
    json_t *row;

    json_array_foreach(jpath_arr(vm, "spec.template.spec.accessCredentials"), i, row) {
        const bool is_wanted =
            kind == CREDENTIAL_PASSWORD
                ? jpath_obj(row, "userPassword.propagationMethod.qemuGuestAgent") != NULL
                : has_user(jpath_arr(row, "sshPublicKey.propagationMethod.qemuGuestAgent.users"),
                           user);
        const char *name =
            jpath_str(row,
                      kind == CREDENTIAL_PASSWORD ? "userPassword.source.secret.secretName"
                                                  : "sshPublicKey.source.secret.secretName",
                      NULL);

        if (is_wanted && name)
            must_append(names, must_pack("s", name));
    }
    return names;
}

/* ---- against the cluster ---- */

static bool is_owned_by(const json_t *vm, const json_t *secret)
{
    size_t i;
    json_t *owner;

    json_array_foreach(jpath_arr(secret, "metadata.ownerReferences"), i, owner)
        if (streq(jpath_str(owner, "uid", ""), meta_uid(vm)))
            return true;
    return false;
}

static char *random_key(const char *prefix)
{
    char suffix[SUFFIX + 1];

    random_suffix(suffix, SUFFIX);
    return must_asprintf("%s%s", prefix, suffix);
}

/* The key as one line, without the blanks around it. */
static int read_key(const struct credential_flags *f, char **ret, struct error *e)
{
    scoped(free) char *text = NULL;
    size_t len;

    if (!*f->user)
        return error_set(e, ERR_BAD_REQUEST, "required flag(s) \"user\" not set");
    if (!*f->file == !*f->value)
        return error_set(e, ERR_BAD_REQUEST, "exactly one of --file and --value is expected");
    if (!*f->file)
        text = must_strdup(f->value);
    else if (kube_read_file(f->file, KEY_FILE_MAX, &text, &len, e) < 0)
        return error_wrap(e, "error getting ssh key");

    const char *begin = text + strspn(text, " \t\r\n");
    size_t end = strlen(begin);
    while (end > 0 && strchr(" \t\r\n", begin[end - 1]))
        end--;
    if (end == 0)
        return error_set(e, ERR_BAD_REQUEST, "error getting ssh key: it is empty");
    *ret = must_strndup(begin, end);
    return 0;
}

static int get_vm(struct cli *c, const char *name, json_t **ret, struct error *e)
{
    if (kube_get(c->kube, &KIND_VM, c->namespace, name, ret, e) < 0)
        return error_wrap(e, "error getting virtual machine");
    return 0;
}

/* The secret that is meant, of those that the machine names. */
static int pick_secret(const json_t *names, const char *wanted, const char **ret, struct error *e)
{
    size_t i;
    json_t *name;

    if (!*wanted && json_array_size(names) > 1)
        return error_set(e, ERR_BAD_REQUEST,
                         "the machine names several secrets: say which one with --secret");
    json_array_foreach(names, i, name) {
        *ret = json_string_value(name);
        if (!*wanted || streq(*ret, wanted))
            return 0;
    }
    return error_set(e, ERR_NOT_FOUND, "the machine does not name a secret \"%s\" for this",
                     wanted);
}

static int refuse_foreign(const struct cli *c, const json_t *vm, const json_t *secret,
                          struct error *e)
{
    if (c->flags.credentials.is_forced || is_owned_by(vm, secret))
        return 0;
    return error_set(e, ERR_FORBIDDEN,
                     "secret %s does not have an owner reference pointing to VM %s; --force "
                     "changes it all the same",
                     meta_name(secret), meta_name(vm));
}

/* Add /data/KEY; a secret without data gets some first. */
static int patch_data(struct cli *c, const json_t *secret, const char *key, const char *value,
                      struct error *e)
{
    json_auto_t *patch = json_array();
    scoped(free) char *path = must_asprintf("/data/%s", key);
    scoped(free) char *base64 = str_base64(value, strlen(value));

    if (!jpath_obj(secret, "data")) {
        jpatch_test(patch, "/data", NULL);
        jpatch_add(patch, "/data", json_object());
    }
    jpatch_add(patch, path, must_pack("s", base64));
    if (kube_patch(c->kube, &KIND_SECRET, c->namespace, meta_name(secret), NULL, KUBE_PATCH_JSON,
                   patch, NULL, NULL, e) < 0)
        return error_wrap(e, "error patching secret \"%s\"", meta_name(secret));
    return 0;
}

/* Does any entry of the secret hold the key? */
static bool secret_has_key(const json_t *secret, const char *key)
{
    json_t *data = jpath_obj(secret, "data");
    const char *name;
    json_t *value;

    json_object_foreach(data, name, value) {
        size_t len;
        scoped(free) char *text =
            str_unbase64(json_is_string(value) ? json_string_value(value) : "", &len);
        bool is_there = false;

        if (text)
            free(credentials_without_key(text, key, &is_there));
        if (is_there)
            return true;
    }
    return false;
}

static int update_secret(struct cli *c, const json_t *vm, const json_t *names, const char *key,
                         struct error *e)
{
    json_auto_t *secret = NULL;
    const char *name = NULL;

    if (json_array_size(names) == 0)
        return error_set(e, ERR_NOT_FOUND, "no secrets specified for user: %s",
                         c->flags.credentials.user);
    if (pick_secret(names, c->flags.credentials.secret, &name, e) < 0)
        return -(int)e->code;
    if (kube_get(c->kube, &KIND_SECRET, c->namespace, name, &secret, e) < 0)
        return error_wrap(e, "error getting secret \"%s\"", name);
    if (secret_has_key(secret, key)) {
        (void)printf("Secret \"%s\" already contains this SSH key.\n", name);
        return 0;
    }
    scoped(free) char *entry = random_key("ssh-key-");
    if (refuse_foreign(c, vm, secret, e) < 0 || patch_data(c, secret, entry, key, e) < 0)
        return -(int)e->code;
    (void)printf("Successfully added the key to secret \"%s\"\n", name);
    return 0;
}

static int refuse_running(struct cli *c, const json_t *vm, struct error *e)
{
    if (c->flags.credentials.is_forced)
        return 0;

    int r = kube_get(c->kube, &KIND_VMI, c->namespace, meta_name(vm), NULL, e);
    if (r == -ERR_NOT_FOUND)
        return 0;
    if (r < 0)
        return error_wrap(e, "error when getting virtual machine instance");
    return error_set(e, ERR_CONFLICT,
                     "virtual machine %s is running. Use --force flag to update a running VM, it "
                     "will take effect after restart",
                     meta_name(vm));
}

static int name_secret(struct cli *c, const json_t *vm, const char *secret, struct error *e)
{
    static const char list[] = "/spec/template/spec/accessCredentials";
    json_auto_t *patch = json_array();
    json_t *row = must_pack("{s:{s:{s:{s:s}}, s:{s:{s:[s]}}}}", "sshPublicKey", "source", "secret",
                            "secretName", secret, "propagationMethod", "qemuGuestAgent", "users",
                            c->flags.credentials.user);

    if (!jpath_arr(vm, "spec.template.spec.accessCredentials")) {
        jpatch_test(patch, list, NULL);
        jpatch_add(patch, list, json_array());
    }
    jpatch_add(patch, "/spec/template/spec/accessCredentials/-", row);
    if (kube_patch(c->kube, &KIND_VM, c->namespace, meta_name(vm), NULL, KUBE_PATCH_JSON, patch,
                   NULL, NULL, e) < 0)
        return error_wrap(e, "error patching virtual machine");
    return 0;
}

static int create_secret(struct cli *c, const json_t *vm, const char *key, struct error *e)
{
    scoped(free) char *generate = must_asprintf("%s-ssh-key-", meta_name(vm));
    scoped(free) char *entry = random_key("ssh-key-");
    scoped(free) char *base64 = str_base64(key, strlen(key));
    json_auto_t *created = NULL;
    json_auto_t *secret = must_pack(
        "{s:s, s:s, s:{s:s, s:s, s:[{s:s, s:s, s:s, s:s, s:b}]}, s:{s:s}}", "apiVersion", "v1",
        "kind", "Secret", "metadata", "generateName", generate, "namespace", c->namespace,
        "ownerReferences", "apiVersion", "kubevirt.io/v1", "kind", KIND_VM.kind, "name",
        meta_name(vm), "uid", meta_uid(vm), "controller", 1, "data", entry, base64);

    if (refuse_running(c, vm, e) < 0)
        return -(int)e->code;
    if (kube_create(c->kube, &KIND_SECRET, secret, &created, e) < 0)
        return error_wrap(e, "error creating secret");
    return name_secret(c, vm, meta_name(created), e);
}

int run_add_ssh_key(struct cli *c, const struct option_list *args, struct error *e)
{
    const struct credential_flags *f = &c->flags.credentials;
    scoped(free) char *key = NULL;
    json_auto_t *vm = NULL;

    if (f->creates_secret && f->updates_secret)
        return error_set(e, ERR_BAD_REQUEST,
                         "--create-secret and --update-secret exclude each other");
    if (read_key(f, &key, e) < 0 || get_vm(c, args->item[0], &vm, e) < 0)
        return -(int)e->code;

    json_auto_t *names = credentials_secrets(vm, CREDENTIAL_SSH_KEY, f->user);
    if (f->creates_secret || (!f->updates_secret && json_array_size(names) == 0))
        return create_secret(c, vm, key, e);
    return update_secret(c, vm, names, key, e);
}

/* Entries without the key; those that become empty go.  False when nothing changes. */
static bool take_key_out(json_t *secret, const char *key)
{
    json_t *data = jpath_obj(secret, "data");
    bool has_changed = false;
    const char *name;
    json_t *value;
    void *next;

    json_object_foreach_safe(data, next, name, value) {
        size_t len;
        bool is_there = false;
        scoped(free) char *text =
            str_unbase64(json_is_string(value) ? json_string_value(value) : "", &len);
        scoped(free) char *kept = text ? credentials_without_key(text, key, &is_there) : NULL;

        if (!is_there)
            continue;
        has_changed = true;
        if (kept[strspn(kept, " \t\r\n")] == '\0') {
            (void)json_object_del(data, name);
        } else {
            scoped(free) char *base64 = str_base64(kept, strlen(kept));
            (void)json_object_set_new(data, name, must_pack("s", base64));
        }
    }
    return has_changed;
}

static int remove_from(struct cli *c, const json_t *vm, const char *name, const char *key,
                       struct error *e)
{
    int r = 0;

    for (int i = 0; i < CONFLICTS_MAX; i++) {
        json_auto_t *secret = NULL;

        r = kube_get(c->kube, &KIND_SECRET, c->namespace, name, &secret, e);
        if (r == -ERR_NOT_FOUND)
            return 0;
        if (r < 0)
            return error_wrap(e, "error getting secret \"%s\"", name);
        if (!take_key_out(secret, key))
            return 0;
        if (refuse_foreign(c, vm, secret, e) < 0)
            return -(int)e->code;
        r = kube_update(c->kube, &KIND_SECRET, NULL, secret, NULL, e);
        if (r == 0)
            (void)printf("Successfully removed the key from secret \"%s\"\n", name);
        if (r != -ERR_CONFLICT)
            break;
    }
    return r < 0 ? error_wrap(e, "error updating secret \"%s\"", name) : 0;
}

int run_remove_ssh_key(struct cli *c, const struct option_list *args, struct error *e)
{
    const struct credential_flags *f = &c->flags.credentials;
    scoped(free) char *key = NULL;
    json_auto_t *vm = NULL;
    size_t i;
    json_t *name;

    if (read_key(f, &key, e) < 0 || get_vm(c, args->item[0], &vm, e) < 0)
        return -(int)e->code;

    json_auto_t *names = credentials_secrets(vm, CREDENTIAL_SSH_KEY, f->user);
    if (json_array_size(names) == 0)
        return error_set(e, ERR_NOT_FOUND, "no secrets specified for user: %s", f->user);
    json_array_foreach(names, i, name) {
        const char *text = json_string_value(name);

        if ((!*f->secret || streq(f->secret, text)) && remove_from(c, vm, text, key, e) < 0)
            return -(int)e->code;
    }
    return 0;
}

static const char secret_key_chars[] =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";

int run_set_password(struct cli *c, const struct option_list *args, struct error *e)
{
    const struct credential_flags *f = &c->flags.credentials;
    json_auto_t *vm = NULL;
    json_auto_t *secret = NULL;
    const char *name = NULL;

    if (!*f->user || !*f->password)
        return error_set(e, ERR_BAD_REQUEST, "required flag(s) \"%s\" not set",
                         *f->user ? "password" : "user");
    if (strspn(f->user, secret_key_chars) != strlen(f->user))
        return error_set(e, ERR_BAD_REQUEST, "--user: \"%s\" cannot be a key of a secret", f->user);
    if (get_vm(c, args->item[0], &vm, e) < 0)
        return -(int)e->code;

    json_auto_t *names = credentials_secrets(vm, CREDENTIAL_PASSWORD, f->user);
    if (json_array_size(names) == 0)
        return error_set(e, ERR_NOT_FOUND,
                         "no access credentials to set a password with: VM %s names no secret with "
                         "userPassword",
                         meta_name(vm));
    if (pick_secret(names, f->secret, &name, e) < 0)
        return -(int)e->code;
    if (kube_get(c->kube, &KIND_SECRET, c->namespace, name, &secret, e) < 0)
        return error_wrap(e, "error getting secret \"%s\"", name);
    if (refuse_foreign(c, vm, secret, e) < 0 || patch_data(c, secret, f->user, f->password, e) < 0)
        return -(int)e->code;
    (void)printf("Successfully set the password of user \"%s\" in secret \"%s\"\n", f->user, name);
    return 0;
}
