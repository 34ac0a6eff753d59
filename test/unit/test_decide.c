/* SPDX-License-Identifier: Apache-2.0 */
/* What virt-handler decides about one machine: spec 04, 1.4, 1.5 and 1.7 as rows. */
#include "handler/decide.h"

#include "base/clock.h"
#include "test/unit/rows.h"

#define NOW "2026-01-01T01:00:00Z"
#define ON_NODE "'metadata':{'uid':'u','labels':{'kubevirt.io/nodeName':'n1'}}"
#define VMI(phase) "{" ON_NODE ",'status':{'nodeName':'n1','phase':'" phase "'}}"
#define ACPI(phase) \
    "{" ON_NODE ",'spec':{'domain':{'features':{'acpi':{}}}},'status':{'phase':'" phase "'}}"
#define DELETING(grace)                                                                        \
    "{'metadata':{'uid':'u','deletionTimestamp':'" NOW                                         \
    "','labels':{'kubevirt.io/nodeName':'n1'}},'spec':{'terminationGracePeriodSeconds':" grace \
    "},'status':{'phase':'Running'}}"
#define DOMAIN(state, reason) "{'state':'" state "','reason':'" reason "'}"
#define ASKED(when) "{'state':'Running','gracePeriod':{'deletionTimestamp':'" when "'}}"

static const struct decide_case {
    const char *name, *vmi, *domain;
    enum domain_knowledge knowledge;
    enum launcher_state launcher;
    bool is_synced;
    enum handler_action action;
    const char *phase;
    int64_t again_ms;
} cases[] = {
    // clang-format off
    { "no phase of ours yet: hands off", VMI("Scheduling"), NULL, DOMAIN_NONE, LAUNCHER_READY, false,
      HANDLER_NOTHING, "Scheduling", 0 },
    { "another node's: hands off", "{'metadata':{},'status':{'phase':'Running','nodeName':'n2'}}", NULL,
      DOMAIN_NONE, LAUNCHER_GONE, false, HANDLER_NOTHING, "Running", 0 },
    { "launcher not up yet: wait", VMI("Scheduled"), NULL, DOMAIN_UNKNOWN, LAUNCHER_ABSENT, false,
      HANDLER_WAIT, "Scheduled", 1000 },
    { "launcher never came up: failed", VMI("Scheduled"), NULL, DOMAIN_UNKNOWN, LAUNCHER_UNRESPONSIVE, false,
      HANDLER_NOTHING, "Failed", 0 },
    { "scheduled, launcher ready, no domain: make it", VMI("Scheduled"), NULL, DOMAIN_NONE, LAUNCHER_READY, false,
      HANDLER_SYNC, "Scheduled", 10000 },
    { "domain runs: phase first", VMI("Scheduled"), DOMAIN("Running", "Unknown"), DOMAIN_KNOWN, LAUNCHER_READY, true,
      HANDLER_NOTHING, "Running", 0 },
    { "running as told: nothing", VMI("Running"), DOMAIN("Running", "Unknown"), DOMAIN_KNOWN, LAUNCHER_READY, true,
      HANDLER_NOTHING, "Running", 0 },
    { "running, spec changed: sync", VMI("Running"), DOMAIN("Running", "Unknown"), DOMAIN_KNOWN, LAUNCHER_READY, false,
      HANDLER_SYNC, "Running", 0 },
    { "paused is running", VMI("Running"), DOMAIN("Paused", "User"), DOMAIN_KNOWN, LAUNCHER_READY, true,
      HANDLER_NOTHING, "Running", 0 },
    { "silent launcher is not a dead one", VMI("Running"), DOMAIN("Running", "Unknown"), DOMAIN_KNOWN, LAUNCHER_SILENT, true,
      HANDLER_WAIT, "Running", 1000 },
    { "launcher gone: failed", VMI("Running"), DOMAIN("Running", "Unknown"), DOMAIN_KNOWN, LAUNCHER_GONE, true,
      HANDLER_NOTHING, "Failed", 0 },
    { "gone after a clean stop: succeeded", VMI("Running"), DOMAIN("Shutoff", "Shutdown"), DOMAIN_KNOWN, LAUNCHER_GONE, true,
      HANDLER_NOTHING, "Succeeded", 0 },
    { "guest shut itself down", VMI("Running"), DOMAIN("Shutoff", "Shutdown"), DOMAIN_KNOWN, LAUNCHER_READY, true,
      HANDLER_NOTHING, "Succeeded", 0 },
    { "crashed", VMI("Running"), DOMAIN("Shutoff", "Crashed"), DOMAIN_KNOWN, LAUNCHER_READY, true,
      HANDLER_NOTHING, "Failed", 0 },
    { "panicked", VMI("Running"), DOMAIN("Crashed", "Panicked"), DOMAIN_KNOWN, LAUNCHER_READY, true,
      HANDLER_NOTHING, "Failed", 0 },
    { "pulled out with ACPI: failed", ACPI("Running"), DOMAIN("Shutoff", "Destroyed"), DOMAIN_KNOWN, LAUNCHER_READY, true,
      HANDLER_NOTHING, "Failed", 0 },
    { "pulled out without ACPI: succeeded", VMI("Running"), DOMAIN("Shutoff", "Destroyed"), DOMAIN_KNOWN, LAUNCHER_READY, true,
      HANDLER_NOTHING, "Succeeded", 0 },
    { "off but not started yet: go on", VMI("Scheduled"), DOMAIN("Shutoff", "Unknown"), DOMAIN_KNOWN, LAUNCHER_READY, false,
      HANDLER_SYNC, "Scheduled", 5000 },
    { "off for no known reason, running before: delete it", VMI("Running"), DOMAIN("Shutoff", "Migrated"), DOMAIN_KNOWN,
      LAUNCHER_READY, true, HANDLER_DELETE, "Running", 5000 },
    { "final and dead: undefine", VMI("Succeeded"), DOMAIN("Shutoff", "Shutdown"), DOMAIN_KNOWN, LAUNCHER_READY, true,
      HANDLER_DELETE, "Succeeded", 5000 },
    { "final and alive: pull out", VMI("Failed"), DOMAIN("Running", ""), DOMAIN_KNOWN, LAUNCHER_READY, true,
      HANDLER_KILL, "Failed", 5000 },
    { "final and launcher gone: forget", VMI("Succeeded"), NULL, DOMAIN_UNKNOWN, LAUNCHER_GONE, false,
      HANDLER_CLEANUP, "Succeeded", 0 },
    { "post-copy failed: pull out and fail", VMI("Running"), DOMAIN("Paused", "PostcopyFailed"), DOMAIN_KNOWN, LAUNCHER_READY,
      true, HANDLER_KILL, "Failed", 5000 },
    { "deleted: ask the guest first", DELETING("30"), DOMAIN("Running", ""), DOMAIN_KNOWN, LAUNCHER_READY, true,
      HANDLER_SHUTDOWN, "Running", 1000 },
    { "asked and within grace: ask again later", DELETING("30"), ASKED("2026-01-01T00:59:50Z"), DOMAIN_KNOWN, LAUNCHER_READY,
      true, HANDLER_SHUTDOWN, "Running", 5000 },
    { "just before the end of grace: look at its end", DELETING("30"), ASKED("2026-01-01T00:59:32Z"), DOMAIN_KNOWN,
      LAUNCHER_READY, true, HANDLER_SHUTDOWN, "Running", 2001 },
    { "grace is over: pull out", DELETING("30"), ASKED("2026-01-01T00:59:30Z"), DOMAIN_KNOWN, LAUNCHER_READY, true,
      HANDLER_KILL, "Running", 5000 },
    { "no grace: pull out at once", DELETING("0"), DOMAIN("Running", ""), DOMAIN_KNOWN, LAUNCHER_READY, true,
      HANDLER_KILL, "Running", 5000 },
    { "deleted before a domain was made: let the launcher end", DELETING("30"), NULL, DOMAIN_NONE, LAUNCHER_READY, false,
      HANDLER_DELETE, "Running", 5000 },
    { "deleted, launcher silent: wait", DELETING("30"), NULL, DOMAIN_UNKNOWN, LAUNCHER_SILENT, false,
      HANDLER_WAIT, "Running", 1000 },
    { "launcher's own SIGTERM: shut down", VMI("Running"),
      "{'state':'Running','gracePeriod':{'markedForGracefulShutdown':true}}", DOMAIN_KNOWN, LAUNCHER_READY, true,
      HANDLER_SHUTDOWN, "Running", 1000 },
    { "object gone, machine alive: ask", NULL, DOMAIN("Running", ""), DOMAIN_KNOWN, LAUNCHER_READY, false,
      HANDLER_SHUTDOWN, NULL, 1000 },
    { "object gone, machine dead: undefine", NULL, DOMAIN("Shutoff", "Shutdown"), DOMAIN_KNOWN, LAUNCHER_READY, false,
      HANDLER_DELETE, NULL, 5000 },
    { "object gone, launcher gone: forget", NULL, NULL, DOMAIN_UNKNOWN, LAUNCHER_GONE, false,
      HANDLER_CLEANUP, NULL, 0 },
    { "a state that nobody knows is not death", VMI("Running"), DOMAIN("Levitating", ""), DOMAIN_KNOWN, LAUNCHER_READY, true,
      HANDLER_NOTHING, "Running", 0 },
    // clang-format on
};

static void decides(void **state)
{
    const struct decide_case *c = *state;
    json_auto_t *vmi = json_q(c->vmi);
    json_auto_t *domain = json_q(c->domain);
    struct handler_view v = {
        .node = "n1",
        .vmi = vmi,
        .domain = domain,
        .knowledge = c->knowledge,
        .launcher = c->launcher,
        .spec_is_synced = c->is_synced,
    };

    assert_int_equal(rfc3339_parse(NOW, &v.now_ms), 0);
    const struct handler_decision d = handler_decide(&v);
    assert_string_equal(handler_action_names[d.action], handler_action_names[c->action]);
    if (c->phase)
        assert_string_equal(d.phase, c->phase);
    else
        assert_null(d.phase);
    assert_int_equal(d.again_ms, c->again_ms);
}

int main(void)
{
    ROW_TESTS(tests, cases, decides);

    return cmocka_run_group_tests_name("decide", tests, NULL, NULL);
}
