/* SPDX-License-Identifier: Apache-2.0 */
/* Run strategies by instance's state, requests, deletion, and the start-failure back-off. */
#include "controller/vm_decide.h"

#include "base/clock.h"
#include "base/jpath.h"
#include "rows.h"

/* 2026-01-01T00:00:00Z */
#define NOW_MS 1767225600000LL

#define SPEC(s) "'metadata':{'uid':'m'},'spec':{'runStrategy':'" s "'}"
#define VM(s) "{" SPEC(s) "}"
#define SEEN(s) "{" SPEC(s) ",'status':{'runStrategy':'" s "'}}"
#define ASKED(s, r) "{" SPEC(s) ",'status':{'runStrategy':'" s "','stateChangeRequests':[" r "]}}"
#define START "{'action':'Start'}"
#define STOP_1 "{'action':'Stop','uid':'1'}"
#define STOP_2 "{'action':'Stop','uid':'2'}"
#define PAUSED "{'action':'Start','data':{'paused':'true'}}"
#define VMI(p) "{'metadata':{'uid':'1'},'status':{'phase':'" p "'}}"
#define GOING "{'metadata':{'uid':'1','deletionTimestamp':'2026-01-01T00:00:00Z'}}"
#define FAILING(s, at)                                                                           \
    "{" SPEC(s) ",'status':{'startFailure':{'consecutiveFailCount':1,'retryAfterTimestamp':'" at \
                "'}}}"
#define SOON "2026-01-01T00:00:07Z"
#define PAST "2025-12-31T23:59:59Z"
#define FAR "2026-02-01T00:00:00Z"

static const struct decide_case {
    const char *name, *vm, *vmi;
    enum vm_action want;
    int64_t wait_ms;
    bool queues_start;
    bool paused;
} cases[] = {
    { "always, absent: start", VM("Always"), NULL, .want = VM_START },
    { "always, pending: keep", VM("Always"), VMI("Pending"), .want = VM_KEEP },
    { "always, running: keep", VM("Always"), VMI("Running"), .want = VM_KEEP },
    { "always, succeeded: stop, to start again", VM("Always"), VMI("Succeeded"), .want = VM_STOP },
    { "always, failed: stop, to start again", VM("Always"), VMI("Failed"), .want = VM_STOP },
    { "always, asked to stop this one: stop", ASKED("Always", STOP_1), VMI("Running"),
      .want = VM_STOP },
    { "always, asked to stop another: keep", ASKED("Always", STOP_2), VMI("Running"),
      .want = VM_KEEP },
    { "always, only the first request counts", ASKED("Always", START "," STOP_1), VMI("Running"),
      .want = VM_KEEP },
    { "always, old one going away: wait for its event", VM("Always"), GOING, .want = VM_WAIT },
    { "always, starts fail: wait", FAILING("Always", SOON), NULL, .want = VM_WAIT,
      .wait_ms = 7000 },
    { "always, back-off is over: start", FAILING("Always", PAST), NULL, .want = VM_START },
    { "always, a clock that jumped parks nothing", FAILING("Always", FAR), NULL, .want = VM_WAIT,
      .wait_ms = 300000 },
    { "running true is Always", "{'spec':{'running':true}}", NULL, .want = VM_START },

    { "halted, absent: keep", VM("Halted"), NULL, .want = VM_KEEP },
    { "halted, running: stop", VM("Halted"), VMI("Running"), .want = VM_STOP },
    { "halted, failed: stop", VM("Halted"), VMI("Failed"), .want = VM_STOP },
    { "halted, asked to start: becomes Always", ASKED("Halted", PAUSED), NULL,
      .want = VM_SET_ALWAYS },
    { "halted, going away: wait", VM("Halted"), GOING, .want = VM_WAIT },
    { "running false is Halted", "{'spec':{'running':false}}", VMI("Running"), .want = VM_STOP },
    { "neither is Halted", "{'spec':{}}", NULL, .want = VM_KEEP },

    { "manual, absent: keep", SEEN("Manual"), NULL, .want = VM_KEEP },
    { "manual, asked to start: start", ASKED("Manual", START), NULL, .want = VM_START },
    { "manual, asked to start paused", ASKED("Manual", PAUSED), NULL, .want = VM_START,
      .paused = true },
    { "manual, no back-off",
      "{" SPEC("Manual") ",'status':{'stateChangeRequests':[" START
                         "],'startFailure':{'retryAfterTimestamp':'" SOON "'}}}",
      NULL, .want = VM_START },
    { "manual, running: keep", SEEN("Manual"), VMI("Running"), .want = VM_KEEP },
    { "manual, failed: keep", SEEN("Manual"), VMI("Failed"), .want = VM_KEEP },
    { "manual, asked to stop: stop", ASKED("Manual", STOP_1), VMI("Running"), .want = VM_STOP },
    { "manual, asked to stop another: keep", ASKED("Manual", STOP_2), VMI("Running"),
      .want = VM_KEEP },

    { "rerun, just switched to: start", VM("RerunOnFailure"), NULL, .want = VM_START },
    { "rerun, absent: keep", SEEN("RerunOnFailure"), NULL, .want = VM_KEEP },
    { "rerun, asked to start: start", ASKED("RerunOnFailure", START), NULL, .want = VM_START },
    { "rerun, running: keep", SEEN("RerunOnFailure"), VMI("Running"), .want = VM_KEEP },
    { "rerun, failed: stop and start again", SEEN("RerunOnFailure"), VMI("Failed"), .want = VM_STOP,
      .queues_start = true },
    { "rerun, succeeded: stop for good", SEEN("RerunOnFailure"), VMI("Succeeded"),
      .want = VM_STOP },
    { "rerun, asked to stop: stop for good", ASKED("RerunOnFailure", STOP_1), VMI("Running"),
      .want = VM_STOP },
    { "rerun, starts fail: wait", FAILING("RerunOnFailure", SOON), NULL, .want = VM_WAIT,
      .wait_ms = 7000 },

    { "once, never started: start", VM("Once"), NULL, .want = VM_START },
    { "once, switched from another: start", "{" SPEC("Once") ",'status':{'runStrategy':'Halted'}}",
      NULL, .want = VM_START },
    { "once, started before: keep", SEEN("Once"), NULL, .want = VM_KEEP },
    { "once, running: keep", SEEN("Once"), VMI("Running"), .want = VM_KEEP },
    { "once, failed: keep", SEEN("Once"), VMI("Failed"), .want = VM_KEEP },
    { "once, starts fail: wait", FAILING("Once", SOON), NULL, .want = VM_WAIT, .wait_ms = 7000 },

    { "receiver, absent: start", VM("WaitAsReceiver"), NULL, .want = VM_START },
    { "receiver, there: keep", VM("WaitAsReceiver"), VMI("Scheduling"), .want = VM_KEEP },

    { "an unknown strategy neither starts nor stops", VM("Sometimes"), VMI("Running"),
      .want = VM_KEEP },
    { "manual recovery: no start",
      "{" SPEC(
          "Always") ",'status':{'conditions':[{'type':'ManualRecoveryRequired','status':'True'}]}}",
      NULL, .want = VM_KEEP },

    { "deleting, running: stop",
      "{'metadata':{'deletionTimestamp':'x'},'spec':{'runStrategy':'Always'}}", VMI("Running"),
      .want = VM_STOP },
    { "deleting, going away: wait",
      "{'metadata':{'deletionTimestamp':'x'},'spec':{'runStrategy':'Always'}}", GOING,
      .want = VM_WAIT },
    { "deleting, absent: release",
      "{'metadata':{'deletionTimestamp':'x'},'spec':{'runStrategy':'Always'}}", NULL,
      .want = VM_RELEASE },
    { "deleting, dependents orphaned: release at once",
      "{'metadata':{'deletionTimestamp':'x','finalizers':['orphan']},'spec':{'runStrategy':'Always'}}",
      VMI("Running"), .want = VM_RELEASE },
};

static void decides(void **state)
{
    const struct decide_case *c = *state;
    json_auto_t *vm = json_q(c->vm);
    json_auto_t *vmi = json_q(c->vmi);
    struct vm_decision d = vm_decide(vm, vmi, NOW_MS);

    assert_int_equal(d.action, c->want);
    assert_int_equal(d.wait_ms, c->wait_ms);
    assert_int_equal(d.wants_start_after, c->queues_start);
    assert_int_equal(d.starts_paused, c->paused);
}

/* ---- requests that are done ---- */

static const struct done_case {
    const char *name, *requests, *vmi, *want;
} done_cases[] = {
    { "stop: its instance is there", "[" STOP_1 "]", VMI("Running"), "[" STOP_1 "]" },
    { "stop: its instance is gone", "[" STOP_1 "," START "]", NULL, "[" START "]" },
    { "stop: another instance is there", "[" STOP_2 "]", VMI("Running"), NULL },
    { "stop without a uid", "[{'action':'Stop'}]", VMI("Running"), NULL },
    { "start: nothing is there", "[" START "]", NULL, "[" START "]" },
    { "start: there is one", "[" START "]", VMI("Pending"), NULL },
    { "start: the one there has ended", "[" START "]", VMI("Failed"), "[" START "]" },
    { "start: the one there is going", "[" START "]", GOING, "[" START "]" },
    { "only the first is looked at", "[" STOP_1 "," START "]", VMI("Running"),
      "[" STOP_1 "," START "]" },
};

static void drops_done(void **state)
{
    const struct done_case *c = *state;
    json_auto_t *status = json_object();
    must_set(status, "stateChangeRequests", json_q(c->requests));
    json_auto_t *vmi = json_q(c->vmi);
    json_auto_t *want = json_q(c->want);

    vm_drop_done_requests(status, vmi);
    assert_json(json_object_get(status, "stateChangeRequests"), want);
}

/* ---- back-off ---- */

static const struct backoff_case {
    const char *name, *vm, *vmi, *status;
    double jitter;
    const char *want; /* startFailure */
} backoff_cases[] = {
    { "first failure: 10 s", VM("Always"), VMI("Failed"), "{}", 0,
      "{'consecutiveFailCount':1,'lastFailedVMIUID':'1','retryAfterTimestamp':'2026-01-01T00:00:10Z'}" },
    { "up to half of it at random", VM("Always"), VMI("Failed"), "{}", 1,
      "{'consecutiveFailCount':1,'lastFailedVMIUID':'1','retryAfterTimestamp':'2026-01-01T00:00:15Z'}" },
    { "grows with the square", VM("Once"), VMI("Failed"),
      "{'startFailure':{'consecutiveFailCount':3,'lastFailedVMIUID':'0'}}", 0,
      "{'consecutiveFailCount':4,'lastFailedVMIUID':'1','retryAfterTimestamp':'2026-01-01T00:02:40Z'}" },
    { "at most 300 s", VM("RerunOnFailure"), VMI("Succeeded"),
      "{'startFailure':{'consecutiveFailCount':9,'lastFailedVMIUID':'0'}}", 1,
      "{'consecutiveFailCount':10,'lastFailedVMIUID':'1','retryAfterTimestamp':'2026-01-01T00:05:00Z'}" },
    { "an instance counts once", VM("Always"), VMI("Failed"),
      "{'startFailure':{'consecutiveFailCount':1,'lastFailedVMIUID':'1'}}", 0,
      "{'consecutiveFailCount':1,'lastFailedVMIUID':'1'}" },
    { "stays while the next one starts", VM("Always"), VMI("Scheduling"),
      "{'startFailure':{'consecutiveFailCount':1,'lastFailedVMIUID':'0'}}", 0,
      "{'consecutiveFailCount':1,'lastFailedVMIUID':'0'}" },
    { "running clears it", VM("Always"), VMI("Running"),
      "{'startFailure':{'consecutiveFailCount':1,'lastFailedVMIUID':'0'}}", 0, NULL },
    { "one that ran before it failed clears it", VM("Always"),
      "{'metadata':{'uid':'1'},'status':{'phase':'Failed','phaseTransitionTimestamps':[{'phase':'Running'}]}}",
      "{'startFailure':{'consecutiveFailCount':1,'lastFailedVMIUID':'0'}}", 0, NULL },
    { "manual never counts", VM("Manual"), VMI("Failed"),
      "{'startFailure':{'consecutiveFailCount':1,'lastFailedVMIUID':'0'}}", 0, NULL },
};

static void counts(void **state)
{
    const struct backoff_case *c = *state;
    json_auto_t *vm = json_q(c->vm);
    json_auto_t *vmi = json_q(c->vmi);
    json_auto_t *status = json_q(c->status);
    json_auto_t *want = json_q(c->want);

    vm_count_start_failure(status, vm, vmi, NOW_MS, c->jitter);
    assert_json(json_object_get(status, "startFailure"), want);
}

int main(void)
{
    int failed = RUN_ROWS("vm_decide", cases, decides);
    failed += RUN_ROWS("vm_decide requests", done_cases, drops_done);
    failed += RUN_ROWS("vm_decide back-off", backoff_cases, counts);
    return failed;
}
