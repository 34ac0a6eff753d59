/* SPDX-License-Identifier: Apache-2.0 */
/* Replica sets: how many to make or delete, claims, children, status. */
#include "controller/vmirs_decide.h"

#include "base/jpath.h"
#include "rows.h"

#define RS(n, more)                                                              \
    "{'metadata':{'name':'rs','namespace':'ns','uid':'r'},'spec':{'replicas':" n \
    ",'selector':{'matchLabels':{'a':'b'}},'template':{'metadata':{'labels':{'a':'b'}}}" more "}}"
#define UP \
    "{'metadata':{'name':'up'},'status':{'phase':'Running','conditions':[{'type':'Ready','status':'True'}]}}"
#define NEW "{'metadata':{'name':'new'},'status':{'phase':'Scheduling'}}"
#define DEAD "{'metadata':{'name':'dead'},'status':{'phase':'Failed'}}"
#define GOING "{'metadata':{'name':'going','deletionTimestamp':'x'},'status':{'phase':'Running'}}"
#define LOSING                                                                                 \
    "{'metadata':{'name':'losing'},'status':{'phase':'Running','conditions':[{'type':'Ready'," \
    "'status':'False','reason':'PodTerminating'}]}}"

static const struct plan_case {
    const char *name, *rs, *vmis;
    size_t create, delete, clear, active, ready;
    bool is_paused, is_invalid;
} plan_cases[] = {
    { "none there: make all", RS("3", ""), "[]", .create = 3 },
    { "replicas default to one",
      "{'spec':{'selector':{'matchLabels':{'a':'b'}},'template':{'metadata':{'labels':{'a':'b'}}}}}",
      "[]", .create = 1 },
    { "as many as wanted: keep", RS("2", ""), "[" UP "," NEW "]", .active = 2, .ready = 1 },
    { "too many: delete the first", RS("1", ""), "[" UP "," NEW "," UP "]", .delete = 2,
      .active = 3, .ready = 2 },
    { "finished: replaced and cleared", RS("1", ""), "[" DEAD "]", .create = 1, .clear = 1 },
    { "going: replaced, left alone", RS("1", ""), "[" GOING "]", .create = 1 },
    { "losing its pod: replaced and cleared", RS("1", ""), "[" LOSING "]", .create = 1,
      .clear = 1 },
    { "zero: delete all", RS("0", ""), "[" UP "]", .delete = 1, .active = 1, .ready = 1 },
    { "paused: nothing", RS("5", ",'paused':true"), "[" UP "," DEAD "]", .active = 1, .ready = 1,
      .is_paused = true },
    { "a burst is bounded", RS("1000", ""), "[]", .create = 250 },
    { "the template must be selected",
      "{'spec':{'replicas':1,'selector':{'matchLabels':{'a':'b'}},'template':{'metadata':{}}}}",
      "[]", .is_invalid = true },
    { "deleting: nothing more is made",
      "{'metadata':{'deletionTimestamp':'x'},'spec':{'replicas':1,'selector':{'matchLabels':{'a':'b'}},"
      "'template':{'metadata':{'labels':{'a':'b'}}}}}",
      "[]", .create = 0 },
};

static void plans(void **state)
{
    const struct plan_case *c = *state;
    json_auto_t *rs = json_q(c->rs);
    json_auto_t *vmis = json_q(c->vmis);
    struct vmirs_plan p = vmirs_decide(rs, vmis);

    assert_int_equal(p.create, c->create);
    assert_int_equal(json_array_size(p.delete), c->delete);
    assert_int_equal(json_array_size(p.clear), c->clear);
    assert_int_equal(p.active, c->active);
    assert_int_equal(p.ready, c->ready);
    assert_int_equal(p.is_paused, c->is_paused);
    assert_int_equal(p.is_valid, !c->is_invalid);
    vmirs_plan_done(&p);
}

static const struct claim_case {
    const char *name, *vmi;
    enum vmirs_claim want;
} claim_cases[] = {
    { "nobody's and matching: adopt", "{'metadata':{'labels':{'a':'b'}}}", CLAIM_ADOPT },
    { "nobody's and other: keep", "{'metadata':{'labels':{'a':'c'}}}", CLAIM_KEEP },
    { "nobody's, going: keep", "{'metadata':{'labels':{'a':'b'},'deletionTimestamp':'x'}}",
      CLAIM_KEEP },
    { "own and matching: keep",
      "{'metadata':{'labels':{'a':'b'},'ownerReferences':[{'uid':'r','controller':true}]}}",
      CLAIM_KEEP },
    { "own and no longer matching: release",
      "{'metadata':{'labels':{},'ownerReferences':[{'uid':'r','controller':true}]}}",
      CLAIM_RELEASE },
    { "somebody else's: keep",
      "{'metadata':{'labels':{'a':'b'},'ownerReferences':[{'uid':'x','controller':true}]}}",
      CLAIM_KEEP },
};

static void claims(void **state)
{
    const struct claim_case *c = *state;
    json_auto_t *rs = json_q(RS("1", ""));
    json_auto_t *vmi = json_q(c->vmi);
    assert_int_equal(vmirs_claims(rs, vmi), c->want);
}

static const struct name_case {
    const char *name, *metadata, *want;
} name_cases[] = {
    { "the set's own name", "{'labels':{'a':'b'}}", "rsxyz" },
    { "the template's generateName", "{'generateName':'gen-'}", "gen-xyz" },
    { "the template's name first", "{'name':'web','generateName':'gen-'}", "webxyz" },
};

static void names_children(void **state)
{
    const struct name_case *c = *state;
    json_auto_t *rs = json_q(RS("1", ""));
    jpath_set(rs, "spec.template.metadata", json_q(c->metadata));
    json_auto_t *vmi = vmi_from_vmirs(rs, "xyz");

    assert_string_equal(meta_name(vmi), c->want);
    assert_string_equal(jpath_str(meta_controller(vmi), "uid", ""), "r");
    assert_string_equal(meta_namespace(vmi), "ns");
}

static const struct status_case {
    const char *name, *rs, *vmis;
    struct vmirs_outcome outcome;
    const char *want;
} status_cases[] = {
    { "none", RS("0", ""), "[]", { 0 }, "{'labelSelector':'a=b'}" },
    { "counts",
      RS("2", ""),
      "[" UP "," NEW "]",
      { 0 },
      "{'labelSelector':'a=b','replicas':2,'readyReplicas':1}" },
    { "fault",
      RS("1", ""),
      "[]",
      { "FailedCreate", "no" },
      "{'labelSelector':'a=b','conditions':[{'type':'ReplicaFailure','status':'True','reason':'FailedCreate',"
      "'message':'no','lastTransitionTime':'2026-01-01T00:00:00Z'}]}" },
    { "paused",
      RS("1", ",'paused':true"),
      "[]",
      { 0 },
      "{'labelSelector':'a=b','conditions':[{'type':'ReplicaPaused','status':'True','reason':'Paused',"
      "'message':'the controller is paused','lastTransitionTime':'2026-01-01T00:00:00Z'}]}" },
};

static void makes_status(void **state)
{
    const struct status_case *c = *state;
    json_auto_t *rs = json_q(c->rs);
    json_auto_t *vmis = json_q(c->vmis);
    json_auto_t *want = json_q(c->want);
    struct vmirs_plan p = vmirs_decide(rs, vmis);
    json_auto_t *status = vmirs_next_status(rs, &p, &c->outcome, 1767225600000LL);
    vmirs_plan_done(&p);
    assert_json(status, want);
}

int main(void)
{
    int failed = RUN_ROWS("vmirs_decide", plan_cases, plans);
    failed += RUN_ROWS("vmirs_decide claims", claim_cases, claims);
    failed += RUN_ROWS("vmirs_decide children", name_cases, names_children);
    failed += RUN_ROWS("vmirs_decide status", status_cases, makes_status);
    return failed;
}
