/* SPDX-License-Identifier: Apache-2.0 */
/* printableStatus, conditions and the rest of a VirtualMachine's status. */
#include "controller/vm_status.h"

#include "base/jpath.h"
#include "rows.h"

#define NOW_MS 1767225600000LL
#define VM(s) "{'metadata':{'generation':2},'spec':{'runStrategy':'" s "'}}"
#define VMI(p) "{'metadata':{'uid':'1'},'status':{'phase':'" p "'}}"
#define WITH(p, c) "{'metadata':{'uid':'1'},'status':{'phase':'" p "','conditions':[" c "]}}"
#define COND(t, s, r) "{'type':'" t "','status':'" s "','reason':'" r "'}"

static const struct printable_case {
    const char *want; /* first for the table's name */
    const char *vm, *vmi;
    struct vm_outcome outcome;
} printable_cases[] = {
    { .want = "Terminating",
      .vm = "{'metadata':{'deletionTimestamp':'x'}}",
      .vmi = VMI("Running") },
    { .want = "Stopping",
      .vm = VM("Halted"),
      .vmi = "{'metadata':{'deletionTimestamp':'x'},'status':{'phase':'Running'}}" },
    { .want = "Stopping",
      .vm = VM("Halted"),
      .vmi = VMI("Running"),
      .outcome = { .is_stopping = true } },
    { .want = "Migrating",
      .vm = VM("Always"),
      .vmi = "{'status':{'phase':'Running','migrationState':{'startTimestamp':'x'}}}" },
    { .want = "Running",
      .vm = VM("Always"),
      .vmi =
          "{'status':{'phase':'Running','migrationState':{'startTimestamp':'x','completed':true}}}" },
    { .want = "Paused",
      .vm = VM("Always"),
      .vmi = WITH("Running", COND("Paused", "True", "PausedByUser")) },
    { .want = "Running", .vm = VM("Always"), .vmi = VMI("Running") },
    { .want = "ErrorPvcNotFound",
      .vm = VM("Always"),
      .vmi = WITH("Pending", COND("Synchronized", "False", "FailedPvcNotFound")) },
    { .want = "ErrorUnschedulable",
      .vm = VM("Always"),
      .vmi = WITH("Scheduling", COND("PodScheduled", "False", "Unschedulable")) },
    { .want = "ErrImagePull",
      .vm = VM("Always"),
      .vmi = WITH("Scheduling", COND("Synchronized", "False", "ErrImagePull")) },
    { .want = "ImagePullBackOff",
      .vm = VM("Always"),
      .vmi = WITH("Scheduling", COND("Synchronized", "False", "ImagePullBackOff")) },
    { .want = "Starting", .vm = VM("Always"), .vmi = VMI("") },
    { .want = "Starting", .vm = VM("Always"), .vmi = VMI("Pending") },
    { .want = "Starting", .vm = VM("Always"), .vmi = VMI("Scheduled") },
    { .want = "CrashLoopBackOff",
      .vm =
          "{'spec':{'runStrategy':'Always'},'status':{'startFailure':{'consecutiveFailCount':1}}}",
      .vmi = NULL },
    { .want = "CrashLoopBackOff",
      .vm = "{'spec':{'runStrategy':'Once'},'status':{'startFailure':{'consecutiveFailCount':1}}}",
      .vmi = VMI("Failed") },
    { .want = "Stopped",
      .vm =
          "{'spec':{'runStrategy':'Manual'},'status':{'startFailure':{'consecutiveFailCount':1}}}",
      .vmi = NULL },
    { .want = "Stopped", .vm = VM("Halted"), .vmi = NULL },
    { .want = "Stopped", .vm = VM("Manual"), .vmi = VMI("Succeeded") },
    { .want = "Stopped",
      .vm = VM("Manual"),
      .vmi = "{'metadata':{'deletionTimestamp':'x'},'status':{'phase':'Failed'}}" },
    { .want = "WaitingForReceiver", .vm = VM("WaitAsReceiver"), .vmi = VMI("WaitingForSync") },
    { .want = "Unknown", .vm = VM("Always"), .vmi = VMI("Unknown") },
};

static void prints(void **state)
{
    const struct printable_case *c = *state;
    json_auto_t *vm = json_q(c->vm);
    json_auto_t *vmi = json_q(c->vmi);
    assert_string_equal(vm_printable_status(vm, vmi, &c->outcome), c->want);
}

#define READY_NONE "{'type':'Ready','status':'False','reason':'VMINotExists'}"

static const struct status_case {
    const char *name, *vm, *vmi;
    struct vm_outcome outcome;
    const char *want; /* times and messages of conditions are left out */
} status_cases[] = {
    { "nothing there",
      VM("Manual"),
      NULL,
      { 0 },
      "{'conditions':[" READY_NONE "],'printableStatus':'Stopped','runStrategy':'Manual'}" },
    { "a start that failed keeps the strategy open",
      VM("Once"),
      NULL,
      { .holds_strategy = true, .fault_reason = "FailedCreate", .fault_message = "no" },
      "{'conditions':[" READY_NONE
      ",{'type':'Failure','status':'True','reason':'FailedCreate'}],'printableStatus':'Stopped'}" },
    { "conditions of the instance are copied, its own kept back",
      VM("Always"),
      "{'metadata':{'uid':'1','annotations':{'kubevirt.io/vm-generation':'1'}},'status':{'phase':'Running',"
      "'conditions':[{'type':'Ready','status':'True'},{'type':'LiveMigratable','status':'False',"
      "'reason':'x'},{'type':'Failure','status':'True'}]}}",
      { 0 },
      "{'conditions':[{'type':'Ready','status':'True'},{'type':'LiveMigratable','status':'False',"
      "'reason':'x'}],'created':true,'ready':true,'observedGeneration':1,'desiredGeneration':2,"
      "'printableStatus':'Running','runStrategy':'Always'}" },
    { "conditions that the instance no longer has are dropped",
      "{'metadata':{},'spec':{'runStrategy':'Halted'},'status':{'created':true,'ready':true,"
      "'conditions':[{'type':'Paused','status':'True'},{'type':'RestartRequired','status':'True'}]}}",
      NULL,
      { 0 },
      "{'conditions':[{'type':'RestartRequired','status':'True'}," READY_NONE
      "],'printableStatus':'Stopped','runStrategy':'Halted'}" },
    { "a start clears RestartRequired and Failure",
      "{'metadata':{},'spec':{'runStrategy':'Always'},'status':{'conditions':["
      "{'type':'RestartRequired','status':'True'},{'type':'Failure','status':'True'}]}}",
      VMI(""),
      { .clears_restart = true },
      "{'conditions':[{'type':'Ready','status':'False','reason':'VMIConditionMissing'}],'created':true,"
      "'printableStatus':'Starting','runStrategy':'Always'}" },
    { "a start to come is queued behind what is there",
      "{'metadata':{},'spec':{'runStrategy':'RerunOnFailure'},'status':{'runStrategy':'RerunOnFailure',"
      "'stateChangeRequests':[{'action':'Stop','uid':'1'}]}}",
      "{'metadata':{'uid':'1'},'status':{'phase':'Failed','phaseTransitionTimestamps':[{'phase':'Running'}]}}",
      { .queues_start = true },
      "{'conditions':[{'type':'Ready','status':'False','reason':'VMIConditionMissing'}],'created':true,"
      "'stateChangeRequests':[{'action':'Stop','uid':'1'},{'action':'Start'}],"
      "'printableStatus':'Stopped','runStrategy':'RerunOnFailure'}" },
};

static void strip(json_t *status)
{
    size_t i;
    json_t *condition;
    json_array_foreach(jpath_arr(status, "conditions"), i, condition) {
        static const char *const keys[] = { "message", "lastTransitionTime", "lastProbeTime" };
        for (size_t k = 0; k < countof(keys); k++)
            json_object_del(condition, keys[k]);
    }
}

static void makes_status(void **state)
{
    const struct status_case *c = *state;
    json_auto_t *vm = json_q(c->vm);
    json_auto_t *vmi = json_q(c->vmi);
    json_auto_t *before = must_copy(vm);
    json_auto_t *want = json_q(c->want);

    json_auto_t *status = vm_next_status(vm, vmi, &c->outcome, NOW_MS, 0);
    assert_json(vm, before); /* shared objects are read-only */

    /* What is written must settle: the same again changes nothing. */
    json_auto_t *written = must_copy(vm);
    must_set(written, "status", must_copy(status));
    struct vm_outcome later = c->outcome;
    later.queues_start = false;
    json_auto_t *again = vm_next_status(written, vmi, &later, NOW_MS + 60000, 0);
    assert_json(again, status);

    strip(status);
    assert_json(status, want);
}

int main(void)
{
    struct CMUnitTest tests[countof(printable_cases)];
    for (size_t i = 0; i < countof(printable_cases); i++)
        tests[i] = (struct CMUnitTest){
            .name = printable_cases[i].want,
            .test_func = prints,
            .initial_state = (void *)&printable_cases[i],
        };
    int failed = cmocka_run_group_tests_name("vm_status printable", tests, NULL, NULL);
    failed += RUN_ROWS("vm_status", status_cases, makes_status);
    return failed;
}
