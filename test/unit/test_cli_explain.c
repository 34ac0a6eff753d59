/* SPDX-License-Identifier: Apache-2.0 */
/* Advice beside failures, what --wait decides, and what the credentials commands find. */
#include "base/buf.h"
#include "base/str.h"
#include "cli/credentials.h"
#include "cli/explain.h"
#include "cli/wait.h"
#include "test/unit/rows.h"

static const struct row {
    const char *name;
    enum error_code code;
    const char *message, *want; /* NULL: no advice */
} rows[] = {
    { "a rule is missing", ERR_FORBIDDEN,
      "Error starting VirtualMachine virtualmachines.subresources.kubevirt.io \"a\" is forbidden: "
      "User \"u\" cannot update resource \"virtualmachines/start\" in API group "
      "\"subresources.kubevirt.io\" in the namespace \"n\"",
      "{apiGroups: [\"subresources.kubevirt.io\"], resources: [virtualmachines/start], verbs: "
      "[update]}" },
    { "forbidden in other words", ERR_FORBIDDEN, "denied", NULL },
    { "expired credentials", ERR_UNAUTHORIZED, "Unauthorized", "log in again" },
    { "not in this namespace", ERR_NOT_FOUND, "virtualmachine.kubevirt.io \"a\" not found",
      "Looked in namespace \"here\"" },
    { "a subresource that is not served", ERR_NOT_FOUND,
      "the server could not find the requested resource", "does not have it" },
    { "no API at all", ERR_UNAVAILABLE, "server answered 404: 404 page not found",
      "does not have it" },
    { "a conflict speaks for itself", ERR_CONFLICT, "VM is not running", NULL },
};

static void explains(void **state)
{
    const struct row *c = *state;
    scoped_buf out = BUF_INIT(0);
    struct error e;

    (void)error_set(&e, c->code, "%s", c->message);
    explain_failure(&e, "kubectl virt", "here", &out);
    if (c->want && !(out.data && strstr(out.data, c->want)))
        fail_msg("\"%s\" without \"%s\"", out.data ? out.data : "", c->want);
    if (!c->want)
        assert_int_equal(out.len, 0);
}

static const struct wait_row {
    const char *name;
    enum wait_kind kind;
    const char *before, *vm, *vmi;
    enum wait_state want;
} waits[] = {
    { "no instance yet", WAIT_RUNNING, "", "{}", NULL, WAIT_GOES_ON },
    { "scheduling", WAIT_RUNNING, "", "{}", "{'status':{'phase':'Scheduling'}}", WAIT_GOES_ON },
    { "running", WAIT_RUNNING, "", "{}", "{'status':{'phase':'Running'}}", WAIT_REACHED },
    { "failed", WAIT_RUNNING, "", "{}", "{'status':{'phase':'Failed'}}", WAIT_FAILED },
    { "still there", WAIT_STOPPED, "", "{}", "{'status':{'phase':'Running'}}", WAIT_GOES_ON },
    { "gone", WAIT_STOPPED, "", "{}", NULL, WAIT_REACHED },
    { "the same instance", WAIT_RESTARTED, "u", "{}",
      "{'metadata':{'uid':'u'},'status':{'phase':'Running'}}", WAIT_GOES_ON },
    { "the same instance, ended", WAIT_RESTARTED, "u", "{}",
      "{'metadata':{'uid':'u'},'status':{'phase':'Failed'}}", WAIT_GOES_ON },
    { "another instance", WAIT_RESTARTED, "u", "{}",
      "{'metadata':{'uid':'w'},'status':{'phase':'Running'}}", WAIT_REACHED },
    { "paused", WAIT_PAUSED, "", "{}",
      "{'status':{'conditions':[{'type':'Paused','status':'True'}]}}", WAIT_REACHED },
    { "still paused", WAIT_UNPAUSED, "", "{}",
      "{'status':{'conditions':[{'type':'Paused','status':'True'}]}}", WAIT_GOES_ON },
    { "the migration before", WAIT_MIGRATED, "m", "{}",
      "{'status':{'migrationState':{'migrationUid':'m','completed':true}}}", WAIT_GOES_ON },
    { "a migration that is done", WAIT_MIGRATED, "m", "{}",
      "{'status':{'migrationState':{'migrationUid':'n','completed':true}}}", WAIT_REACHED },
    { "a migration that failed", WAIT_MIGRATED, "m", "{}",
      "{'status':{'migrationState':{'migrationUid':'n','completed':true,'failed':true}}}",
      WAIT_FAILED },
};

static void decides(void **state)
{
    const struct wait_row *c = *state;
    json_auto_t *vm = json_q(c->vm);
    json_auto_t *vmi = json_q(c->vmi);
    struct wait w = { .kind = c->kind };
    const char *text = NULL;

    (void)snprintf(w.before, sizeof(w.before), "%s", c->before);
    assert_int_equal(wait_decide(&w, vm, vmi, &text), c->want);
    assert_non_null(text);
}

static const struct key_row {
    const char *name, *text, *want;
    bool is_found;
} keys[] = {
    { "the only line", "ssh-rsa A", "", true },
    { "one of several, with a comment", "x\n  ssh-rsa A me\ny\n", "x\ny\n", true },
    { "not there", "x\ny", "x\ny", false },
};

static void removes(void **state)
{
    const struct key_row *c = *state;
    bool is_found = !c->is_found;
    scoped(free) char *kept = credentials_without_key(c->text, "ssh-rsa A", &is_found);

    assert_string_equal(kept, c->want);
    assert_int_equal(is_found, c->is_found);
}

static void finds_secrets(void **state)
{
    json_auto_t *vm = json_q(
        "{'spec':{'template':{'spec':{'accessCredentials':["
        "{'sshPublicKey':{'source':{'secret':{'secretName':'a'}},"
        "'propagationMethod':{'qemuGuestAgent':{'users':['u']}}}},"
        "{'sshPublicKey':{'source':{'secret':{'secretName':'b'}},'propagationMethod':{'noCloud':{}}}},"
        "{'userPassword':{'source':{'secret':{'secretName':'c'}},"
        "'propagationMethod':{'qemuGuestAgent':{}}}}]}}}}");
    json_auto_t *of_u = credentials_secrets(vm, CREDENTIAL_SSH_KEY, "u");
    json_auto_t *of_w = credentials_secrets(vm, CREDENTIAL_SSH_KEY, "w");
    json_auto_t *passwords = credentials_secrets(vm, CREDENTIAL_PASSWORD, "w");
    json_auto_t *want_keys = json_q("['a']");
    json_auto_t *want_passwords = json_q("['c']");

    assert_json(of_u, want_keys);
    assert_int_equal(json_array_size(of_w), 0);
    assert_json(passwords, want_passwords);
}

int main(void)
{
    const struct CMUnitTest others[] = { cmocka_unit_test(finds_secrets) };

    return RUN_ROWS("advice", rows, explains) + RUN_ROWS("wait", waits, decides) +
           RUN_ROWS("keys", keys, removes) +
           cmocka_run_group_tests_name("secrets", others, NULL, NULL);
}
