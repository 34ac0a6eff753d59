/* SPDX-License-Identifier: Apache-2.0 */
/* Phases, hand-over, finalizers and conditions of instances; what their pods are told. */
#include "controller/vmi_decide.h"

#include "base/jpath.h"
#include "base/str.h"
#include "rows.h"

#define NOW_MS 1767225600000LL
#define VMI(p) "{'metadata':{'uid':'1'},'spec':{},'status':{'phase':'" p "'}}"
#define GOING(p)                                                                                   \
    "{'metadata':{'uid':'1','deletionTimestamp':'x','finalizers':['kubevirt.io/foreground"         \
    "DeleteVirtualMachine','kubevirt.io/virtualMachineControllerFinalize']},'status':{'phase':'" p \
    "'}}"
#define POD(phase, state)                                                        \
    "{'metadata':{'uid':'p'},'spec':{'nodeName':'n1'},'status':{'phase':'" phase \
    "','containerStatuses':[{'name':'compute'," state "}]}}"
#define RUNNING POD("Running", "'state':{'running':{}}")
#define ENDED POD("Running", "'state':{'terminated':{}}")
#define CREATING POD("Pending", "'state':{'waiting':{'reason':'ContainerCreating'}}")

/* ---- pods ---- */

static const struct pod_case {
    const char *name, *pod;
    bool ready, down, alive;
} pod_cases[] = {
    { "running", RUNNING, .ready = true, .alive = true },
    { "compute need not be ready", POD("Running", "'ready':false,'state':{'running':{}}"),
      .ready = true, .alive = true },
    { "creating", CREATING, .alive = true },
    { "compute has ended", ENDED, .down = true },
    { "failed", POD("Failed", "'state':{'running':{}}"), .down = true },
    { "succeeded", POD("Succeeded", "'state':{'terminated':{}}"), .down = true },
    { "no container yet", "{'status':{'phase':'Pending'}}", .alive = true },
    { "going away",
      "{'metadata':{'deletionTimestamp':'x'},'status':{'phase':'Running','containerStatuses':[{'name':"
      "'compute','state':{'running':{}}}]}}",
      .down = true, .alive = true },
    { "another container must be ready",
      "{'status':{'phase':'Running','containerStatuses':[{'name':'compute','state':{'running':{}}},"
      "{'name':'hook','ready':false,'state':{'running':{}}}]}}",
      .alive = true },
    { "another container is ready",
      "{'status':{'phase':'Running','containerStatuses':[{'name':'compute','state':{'running':{}}},"
      "{'name':'hook','ready':true,'state':{'running':{}}}]}}",
      .ready = true, .alive = true },
};

static void judges_pod(void **state)
{
    const struct pod_case *c = *state;
    json_auto_t *pod = json_q(c->pod);
    assert_int_equal(pod_is_ready_to_hand_over(pod), c->ready);
    assert_int_equal(pod_is_down(pod), c->down);
    assert_int_equal(pod_is_alive(pod), c->alive);
}

static const struct current_case {
    const char *name, *vmi, *pods, *want;
} current_cases[] = {
    { "none", VMI(""), "[]", NULL },
    { "the newest", VMI("Scheduling"),
      "[{'metadata':{'uid':'a','creationTimestamp':'2026-01-01T00:00:00Z'}},"
      "{'metadata':{'uid':'b','creationTimestamp':'2026-01-02T00:00:00Z'}}]",
      "b" },
    { "the one on the instance's node", "{'status':{'phase':'Running','nodeName':'n1'}}",
      "[{'metadata':{'uid':'a','creationTimestamp':'2026-01-01T00:00:00Z'},'spec':{'nodeName':'n1'}},"
      "{'metadata':{'uid':'b','creationTimestamp':'2026-01-02T00:00:00Z'},'spec':{'nodeName':'n2'}}]",
      "a" },
};

static void finds_current(void **state)
{
    const struct current_case *c = *state;
    json_auto_t *vmi = json_q(c->vmi);
    json_auto_t *pods = json_q(c->pods);
    const json_t *pod = vmi_current_pod(vmi, pods);
    if (!c->want)
        assert_null(pod);
    else
        assert_string_equal(meta_uid(pod), c->want);
}

/* ---- action ---- */

static const struct action_case {
    const char *name, *vmi, *pods;
    enum vmi_action want;
} action_cases[] = {
    { "new: make the pod", "{'metadata':{}}", "[]", VMI_CREATE_POD },
    { "waits to receive a guest: no pod yet",
      "{'metadata':{'annotations':{'kubevirt.io/create-migration-target':'true'}}}", "[]",
      VMI_KEEP },
    { "receives a guest on a chosen node: make the pod",
      "{'metadata':{'annotations':{'kubevirt.io/create-migration-target':'true'},"
      "'labels':{'kubevirt.io/migrationTargetNodeName':'one'}}}",
      "[]", VMI_CREATE_POD },
    { "pending: make the pod", VMI("Pending"), "[]", VMI_CREATE_POD },
    { "pending with its pod: keep", VMI("Pending"), "[{}]", VMI_KEEP },
    { "scheduling without its pod: never a second one", VMI("Scheduling"), "[]", VMI_KEEP },
    { "running without its pod: never a second one", VMI("Running"), "[]", VMI_KEEP },
    { "deleting: delete pods", GOING("Running"), "[{}]", VMI_DELETE_PODS },
    { "deleting before there was one: keep", GOING(""), "[]", VMI_KEEP },
    { "ended: its pod is left to end by itself", VMI("Failed"), "[{}]", VMI_KEEP },
};

static void acts(void **state)
{
    const struct action_case *c = *state;
    json_auto_t *vmi = json_q(c->vmi);
    json_auto_t *pods = json_q(c->pods);
    assert_int_equal(vmi_decide(vmi, pods), c->want);
}

/* ---- phase ---- */

static const struct phase_case {
    const char *name, *vmi, *pod;
    const char *want;  /* phase */
    const char *ready; /* reason of condition Ready; NULL: not looked at */
    bool ends_for_want_of_pod;
} phase_cases[] = {
    { "new, no pod: Pending", "{'metadata':{}}", NULL, .want = "Pending", .ready = "PodNotExists" },
    { "new with its pod: Scheduling", "{'metadata':{}}", CREATING, .want = "Scheduling",
      .ready = "GuestNotRunning" },
    { "pending with its pod: Scheduling", VMI("Pending"), CREATING, .want = "Scheduling" },
    { "pending, deleted: Failed", GOING("Pending"), NULL, .want = "Failed" },
    { "scheduling, pod on its way: stays", VMI("Scheduling"), CREATING, .want = "Scheduling" },
    { "scheduling, pod runs: handed over", VMI("Scheduling"), RUNNING, .want = "Scheduled" },
    { "scheduling, deleted: not handed over", GOING("Scheduling"), RUNNING, .want = "Scheduling" },
    { "scheduling, pod is down: Failed", VMI("Scheduling"), ENDED, .want = "Failed",
      .ready = "PodTerminating" },
    { "scheduling, pod is gone: Failed", VMI("Scheduling"), NULL, .want = "Failed",
      .ready = "PodNotExists", .ends_for_want_of_pod = true },
    { "scheduling, dedicated CPUs without guarantee: stays",
      "{'spec':{'domain':{'cpu':{'dedicatedCpuPlacement':true}}},'status':{'phase':'Scheduling'}}",
      RUNNING, .want = "Scheduling" },
    { "scheduled, pod is there: the node's", VMI("Scheduled"), RUNNING, .want = "Scheduled" },
    { "scheduled, pod has ended: the node's to judge", VMI("Scheduled"), ENDED,
      .want = "Scheduled" },
    { "scheduled, pod is gone: Failed", VMI("Scheduled"), NULL, .want = "Failed",
      .ends_for_want_of_pod = true },
    { "running, pod is there: the node's", VMI("Running"), RUNNING, .want = "Running",
      .ready = "PodConditionMissing" },
    { "running, pod is gone: Failed", VMI("Running"), NULL, .want = "Failed",
      .ends_for_want_of_pod = true },
    { "succeeded stays", VMI("Succeeded"), NULL, .want = "Succeeded" },
    { "failed stays", VMI("Failed"), RUNNING, .want = "Failed" },
    { "a phase of somebody else's stays", VMI("Unknown"), RUNNING, .want = "Unknown" },
};

static json_t *next_of(const json_t *vmi, const json_t *pod, const char *fault)
{
    struct vmi_view v = { .vmi = vmi,
                          .pod = pod,
                          .has_pods = pod != NULL,
                          .fault_reason = fault,
                          .fault_message = "why" };
    return vmi_next(&v, NOW_MS);
}

static void moves(void **state)
{
    const struct phase_case *c = *state;
    json_auto_t *vmi = json_q(c->vmi);
    json_auto_t *before = must_copy(vmi);
    json_auto_t *pod = json_q(c->pod);
    json_auto_t *next = next_of(vmi, pod, NULL);

    assert_json(vmi, before);
    assert_string_equal(jpath_str(next, "status.phase", ""), c->want);
    assert_int_equal(vmi_ends_for_want_of_pod(vmi, next, pod), c->ends_for_want_of_pod);
    if (c->ready)
        assert_string_equal(jpath_str(condition_find(next, "Ready"), "reason", ""), c->ready);
    if (streq(c->want, jpath_str(vmi, "status.phase", ""))) {
        json_auto_t *again = next_of(next, pod, NULL);
        assert_json(again, next); /* what is written settles */
    }
}

static void hand_over_names_the_node(void **state)
{
    json_auto_t *vmi = json_q("{'metadata':{'uid':'1'},'spec':{'volumes':[{'name':'root'}]},"
                              "'status':{'phase':'Scheduling'}}");
    json_auto_t *pod = json_q(RUNNING);
    json_auto_t *next = next_of(vmi, pod, NULL);
    json_auto_t *volumes = json_q("[{'name':'root','target':''}]");
    json_auto_t *active = json_q("{'p':'n1'}");

    assert_string_equal(meta_label(next, "kubevirt.io/nodeName"), "n1");
    assert_string_equal(jpath_str(next, "status.nodeName", ""), "n1");
    assert_string_equal(jpath_str(next, "status.migrationTransport", ""), "Unix");
    assert_json(jpath(next, "status.volumeStatus"), volumes);
    assert_json(jpath(next, "status.activePods"), active);
}

static void a_vsock_address_is_written_before_the_hand_over(void **state)
{
    json_auto_t *vmi = json_q("{'metadata':{'uid':'1'},'status':{'phase':'Scheduling'}}");
    json_auto_t *pod = json_q(RUNNING);
    struct vmi_view v = { .vmi = vmi, .pod = pod, .has_pods = true, .vsock_cid = UINT32_MAX - 1 };
    json_auto_t *next = vmi_next(&v, NOW_MS);

    assert_string_equal(jpath_str(next, "status.phase", ""), "Scheduled");
    assert_int_equal(jpath_int(next, "status.VSOCKCID", 0), 4294967294);
    v = (struct vmi_view){ .vmi = next, .pod = pod, .has_pods = true };
    json_auto_t *again = vmi_next(&v, NOW_MS);
    assert_json(again, next); /* and kept */
}

static void a_pod_on_its_way_costs_no_write(void **state)
{
    json_auto_t *vmi = json_q("{'metadata':{'uid':'1'}}");
    json_auto_t *made = json_q("{'metadata':{'uid':'p'},'status':{'phase':'Pending'}}");
    json_auto_t *placed = json_q(CREATING);
    json_auto_t *first = next_of(vmi, made, NULL);
    json_auto_t *second = next_of(first, placed, NULL);
    assert_json(second, first);
}

/* ---- conditions ---- */

static const struct condition_case {
    const char *name, *vmi, *pod, *fault, *type;
    const char *reason; /* NULL: absent */
} condition_cases[] = {
    { "unschedulable is shown", VMI("Scheduling"),
      "{'status':{'phase':'Pending','conditions':[{'type':'PodScheduled','status':'False',"
      "'reason':'Unschedulable','observedGeneration':1,'lastProbeTime':null}]}}",
      NULL, "PodScheduled", "Unschedulable" },
    { "a node without the device: waits and says so", VMI("Scheduling"),
      "{'status':{'phase':'Pending','conditions':[{'type':'PodScheduled','status':'False','reason':"
      "'Unschedulable','message':'0/1 nodes: 1 Insufficient devices.kubevirt.io/vhost-vsock'}]}}",
      NULL, "PodScheduled", "Unschedulable" },
    { "scheduled is not",
      "{'status':{'phase':'Scheduling','conditions':[{'type':'PodScheduled','status':'False'}]}}",
      "{'status':{'phase':'Pending','conditions':[{'type':'PodScheduled','status':'True'}]}}", NULL,
      "PodScheduled", NULL },
    { "an image that cannot be had", VMI("Scheduling"),
      POD("Pending", "'state':{'waiting':{'reason':'ErrImagePull','message':'m'}}"), NULL,
      "Synchronized", "ErrImagePull" },
    { "an image that comes",
      "{'status':{'phase':'Scheduling','conditions':[{'type':'Synchronized','status':'False'}]}}",
      CREATING, NULL, "Synchronized", NULL },
    { "the node's own condition is left alone",
      "{'status':{'phase':'Running','conditions':[{'type':'Synchronized','status':'False','reason':'x'}]}}",
      RUNNING, NULL, "Synchronized", "x" },
    { "a fault of this round", VMI("Pending"), NULL, "FailedCreate", "Synchronized",
      "FailedCreate" },
    { "running: the pod's readiness", VMI("Running"),
      "{'status':{'phase':'Running','conditions':[{'type':'Ready','status':'False','reason':"
      "'ContainersNotReady','lastProbeTime':null}]}}",
      NULL, "Ready", "ContainersNotReady" },
};

static void shows(void **state)
{
    const struct condition_case *c = *state;
    json_auto_t *vmi = json_q(c->vmi);
    json_auto_t *pod = json_q(c->pod);
    json_auto_t *next = next_of(vmi, pod, c->fault);
    const json_t *condition = condition_find(next, c->type);

    if (!c->reason) {
        assert_null(condition);
        return;
    }
    assert_non_null(condition);
    assert_string_equal(jpath_str(condition, "reason", ""), c->reason);
    assert_null(json_object_get(condition, "observedGeneration"));
    assert_null(json_object_get(condition, "lastProbeTime"));
}

/* ---- finalizers ---- */

static const struct final_case {
    const char *name, *vmi;
    bool has_pods, owner_is_gone;
    const char *want; /* finalizers */
} final_cases[] = {
    { "pods are left: both stay", GOING("Failed"), true, false,
      "['kubevirt.io/foregroundDeleteVirtualMachine','kubevirt.io/virtualMachineControllerFinalize']" },
    { "pods are gone: the machine's stays", GOING("Succeeded"), false, false,
      "['kubevirt.io/virtualMachineControllerFinalize']" },
    { "pods and machine are gone", GOING("Failed"), false, true, NULL },
    { "ends and is released in one write", GOING("Running"), false, false,
      "['kubevirt.io/virtualMachineControllerFinalize']" },
};

static void releases(void **state)
{
    const struct final_case *c = *state;
    json_auto_t *vmi = json_q(c->vmi);
    json_auto_t *want = json_q(c->want);
    struct vmi_view v = { .vmi = vmi, .has_pods = c->has_pods, .owner_is_gone = c->owner_is_gone };
    json_auto_t *next = vmi_next(&v, NOW_MS);
    assert_json(jpath(next, "metadata.finalizers"), want);
}

/* ---- what the pod is told ---- */

#define TOLD                                                                                                               \
    "{'metadata':{'uid':'p','labels':{'kubevirt.io/nodeName':'n1'}},'spec':{'nodeName':'n1'},'status':{'phase':'Running'," \
    "'conditions':[{'type':'kubevirt.io/virtual-machine-unpaused','status':'True'}]}}"
#define ON_NODE(p) \
    "{'metadata':{'labels':{'kubevirt.io/nodeName':'n1'}},'status':{'phase':'" p "'}}"

static const struct told_case {
    const char *name, *vmi, *pod;
    const char *gate;  /* status that is written; NULL: none */
    const char *label; /* node label that is written; NULL: none */
} told_cases[] = {
    { "handed over: gate opens, node is named", ON_NODE("Scheduled"),
      "{'metadata':{'uid':'p'},'spec':{'nodeName':'n1'},'status':{'phase':'Running'}}", "True",
      "n1" },
    { "told already", ON_NODE("Running"), TOLD, NULL, NULL },
    { "paused: gate closes",
      "{'metadata':{'labels':{'kubevirt.io/nodeName':'n1'}},'status':{'phase':'Running','conditions':["
      "{'type':'Paused','status':'True'}]}}",
      TOLD, "False", NULL },
    { "placed: told before its container starts", VMI("Scheduling"), CREATING, "True", "n1" },
    { "not placed yet: nothing", VMI("Scheduling"),
      "{'metadata':{'uid':'p'},'status':{'phase':'Pending'}}", NULL, NULL },
    { "the instance has ended: nothing", ON_NODE("Failed"), RUNNING, NULL, NULL },
    { "a pod that ends: nothing", ON_NODE("Running"), ENDED, NULL, NULL },
};

static void tells(void **state)
{
    const struct told_case *c = *state;
    json_auto_t *vmi = json_q(c->vmi);
    json_auto_t *pod = json_q(c->pod);
    json_auto_t *patch = pod_patch_for(vmi, pod, NOW_MS);

    if (!c->gate && !c->label) {
        assert_null(patch);
        return;
    }
    assert_string_equal(jpath_str(patch, "metadata.uid", ""), "p");
    assert_true(streq(jpath_str(patch, "status.conditions[0].status", NULL), c->gate));
    assert_true(streq(meta_label(patch, "kubevirt.io/nodeName"), c->label));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hand_over_names_the_node),
        cmocka_unit_test(a_vsock_address_is_written_before_the_hand_over),
        cmocka_unit_test(a_pod_on_its_way_costs_no_write),
    };
    int failed = cmocka_run_group_tests_name("vmi_decide", tests, NULL, NULL);
    failed += RUN_ROWS("vmi_decide pods", pod_cases, judges_pod);
    failed += RUN_ROWS("vmi_decide current", current_cases, finds_current);
    failed += RUN_ROWS("vmi_decide actions", action_cases, acts);
    failed += RUN_ROWS("vmi_decide phases", phase_cases, moves);
    failed += RUN_ROWS("vmi_decide conditions", condition_cases, shows);
    failed += RUN_ROWS("vmi_decide finalizers", final_cases, releases);
    failed += RUN_ROWS("vmi_decide told", told_cases, tells);
    return failed;
}
