// SPDX-License-Identifier: Apache-2.0
/* Orders of probes and what the guest agent makes of them: bounds, exit codes, time. */
#include "launcher/guest_command.h"

#include "base/clock.h"
#include "base/jpath.h"
#include "base/str.h"
#include "test/unit/rows.h"

/* ---- orders ---- */

static const struct order_case {
    const char *name, *body;
    bool is_command;
    int want; /* 0 or -code */
    int timeout_ms;
} orders[] = {
    { "a ping", "{'domainName':'ns_vm','timeoutSeconds':3}", false, 0, 3000 },
    { "no time is a second", "{}", false, 0, 1000 },
    { "no body at all", NULL, false, 0, 1000 },
    { "the longest time", "{'timeoutSeconds':3600}", false, 0, 3600000 },
    { "more than the longest", "{'timeoutSeconds':3601}", false, -ERR_BAD_REQUEST, 0 },
    { "no time left", "{'timeoutSeconds':0}", false, -ERR_BAD_REQUEST, 0 },
    { "another machine", "{'domainName':'ns_other'}", false, -ERR_CONFLICT, 0 },
    { "a command", "{'command':'cat','args':['/etc/hostname']}", true, 0, 1000 },
    { "a command without arguments", "{'command':'true'}", true, 0, 1000 },
    { "no command", "{'args':['x']}", true, -ERR_BAD_REQUEST, 0 },
    { "an empty command", "{'command':''}", true, -ERR_BAD_REQUEST, 0 },
    { "arguments that are no list", "{'command':'cat','args':'x'}", true, -ERR_BAD_REQUEST, 0 },
    { "an argument that is no text", "{'command':'cat','args':[1]}", true, -ERR_BAD_REQUEST, 0 },
};

static void reads_order(void **state)
{
    const struct order_case *c = *state;
    json_auto_t *body = json_q(c->body);
    struct guest_order o;
    struct error e = { 0 };

    assert_int_equal(guest_order_read(&o, body, c->is_command, "ns_vm", &e), c->want);
    if (c->want == 0)
        assert_int_equal(o.timeout_ms, c->timeout_ms);
    else
        assert_true(*e.msg != '\0');
}

static int read_with_args(size_t n, size_t len)
{
    scoped(free) char *text = must_calloc(1, len + 1);
    json_auto_t *args = json_array();
    struct guest_order o;
    struct error e;

    memset(text, 'x', len);
    for (size_t i = 0; i < n; i++)
        must_append(args, json_string(text));
    json_auto_t *body = must_pack("{s:s,s:O}", "command", "cat", "args", args);
    return guest_order_read(&o, body, true, "ns_vm", &e);
}

static void commands_are_bounded(void **state)
{
    assert_int_equal(read_with_args(GUEST_ARGS_MAX, 10), 0);
    assert_int_equal(read_with_args(GUEST_ARGS_MAX + 1, 10), -ERR_BAD_REQUEST);
    assert_int_equal(read_with_args(1, GUEST_COMMAND_BYTES_MAX - 3), 0);
    assert_int_equal(read_with_args(1, GUEST_COMMAND_BYTES_MAX - 2), -ERR_BAD_REQUEST);
}

/* ---- the agent ---- */

/* An agent that gives these answers in turn, the last one again and again; NULL: it is silent. */
struct agent {
    const char *const *answers;
    size_t asked;
    json_t *first; /* request */
    int shortest_s;
};

static int ask(void *arg, const json_t *request, int timeout_seconds, json_t **ret, struct error *e)
{
    struct agent *a = arg;

    if (!a->first)
        a->first = must_copy(request);
    if (a->shortest_s == 0 || timeout_seconds < a->shortest_s)
        a->shortest_s = timeout_seconds;
    const char *answer = a->answers[a->asked];
    a->asked += a->answers[a->asked + 1] != NULL;
    if (!answer || streq(answer, "silent"))
        return error_set(e, ERR_UNAVAILABLE, "guest agent is not connected");
    *ret = json_q(answer);
    return 0;
}

static const struct run_case {
    const char *name;
    const char *answers[5];
    int want; /* 0 or -code */
    const char *result;
} runs[] = {
    { "ends well, output as text",
      { "{'pid':7}", "{'exited':true,'exitcode':0,'out-data':'aGkK','err-data':'bm8K'}" },
      0,
      "{'exitCode':0,'stdout':'hi\\n','stderr':'no\\n'}" },
    { "ends after a while",
      { "{'pid':7}", "{'exited':false}", "{'exited':false}", "{'exited':true,'exitcode':3}" },
      0,
      "{'exitCode':3,'stdout':'','stderr':''}" },
    { "ended by a signal",
      { "{'pid':7}", "{'exited':true,'signal':9}" },
      0,
      "{'exitCode':137,'stdout':'','stderr':''}" },
    { "output that is no text",
      { "{'pid':7}", "{'exited':true,'exitcode':0,'out-data':'/w==','err-data':'*'}" },
      0,
      "{'exitCode':0,'stdout':'?','stderr':''}" },
    { "members of wrong types are none",
      { "{'pid':7}", "{'exited':true,'exitcode':'x','out-data':5}" },
      0,
      "{'exitCode':0,'stdout':'','stderr':''}" },
    { "still running when the time is over",
      { "{'pid':7}", "{'exited':false}" },
      -ERR_TIMEOUT,
      NULL },
    { "an agent that says nothing of the end", { "{'pid':7}", "[]" }, -ERR_TIMEOUT, NULL },
    { "no process", { "{}" }, -ERR_INTERNAL, NULL },
    { "no agent", { "silent" }, -ERR_UNAVAILABLE, NULL },
    { "an agent that goes away", { "{'pid':7}", "silent" }, -ERR_UNAVAILABLE, NULL },
};

static void runs_command(void **state)
{
    const struct run_case *c = *state;
    json_auto_t *args = json_q("['-l','/']");
    json_auto_t *want = json_q(c->result);
    json_auto_t *got = NULL;
    struct agent a = { .answers = c->answers };
    const struct guest_order o = { .timeout_ms = c->want == -ERR_TIMEOUT ? 60 : 60000,
                                   .command = "ls",
                                   .args = args };
    struct error e = { 0 };

    int64_t begun = clock_mono_ms(&clock_real);
    assert_int_equal(guest_run(&o, ask, &a, &got, &e), c->want);
    assert_true(clock_mono_ms(&clock_real) - begun < 30000);
    assert_json(got, want);
    json_auto_t *request = json_q("{'execute':'guest-exec','arguments':{'path':'ls',"
                                  "'arg':['-l','/'],'capture-output':true}}");
    assert_json(a.first, request);
    json_decref(a.first);
}

static void output_is_bounded(void **state)
{
    scoped(free) char *much = must_calloc(1, 100000);
    memset(much, 'y', 99999);
    scoped(free) char *encoded = str_base64(much, 99999);
    json_auto_t *got = NULL;
    scoped(free) char *status =
        must_asprintf("{'exited':true,'exitcode':0,'out-data':'%s'}", encoded);
    const char *const answers[] = { "{'pid':7}", status, NULL };
    struct agent a = { .answers = answers };
    const struct guest_order o = { .timeout_ms = 60000, .command = "yes" };
    struct error e = { 0 };

    assert_int_equal(guest_run(&o, ask, &a, &got, &e), 0);
    assert_int_equal(strlen(jpath_str(got, "stdout", "")), GUEST_OUTPUT_MAX);
    json_decref(a.first);
}

static void pings(void **state)
{
    const char *const alive[] = { "{}", NULL }, *const dead[] = { "silent", NULL };
    struct agent a = { .answers = alive }, none = { .answers = dead };
    const struct guest_order o = { .timeout_ms = 2000 };
    struct error e = { 0 };

    assert_int_equal(guest_ping(&o, ask, &a, &e), 0);
    assert_string_equal(jpath_str(a.first, "execute", ""), "guest-ping");
    assert_int_equal(a.shortest_s, 2);
    assert_int_equal(guest_ping(&o, ask, &none, &e), -ERR_UNAVAILABLE);
    json_decref(a.first);
    json_decref(none.first);
}

static const struct held_case {
    const char *name, *state, *reason;
    bool want;
} held[] = {
    { "running", "Running", "Unknown", false },
    { "paused by its user", "Paused", "User", true },
    { "being moved", "Paused", "Migration", true },
    { "paused by a broken disk", "Paused", "IOError", false },
    { "paused after a crash", "Paused", "Crashed", false },
    { "off", "Shutoff", "Shutdown", false },
    { "shutting down by its user", "ShuttingDown", "User", false },
};

static void is_held(void **state)
{
    const struct held_case *c = *state;
    const struct hypervisor_state s = { .state = c->state, .reason = c->reason };

    assert_int_equal(guest_is_held(&s), c->want);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(commands_are_bounded),
        cmocka_unit_test(output_is_bounded),
        cmocka_unit_test(pings),
    };
    int bad = RUN_ROWS("orders", orders, reads_order);
    bad += RUN_ROWS("commands", runs, runs_command);
    bad += RUN_ROWS("held machines", held, is_held);
    return bad + cmocka_run_group_tests_name("guest commands", tests, NULL, NULL);
}
