/* SPDX-License-Identifier: Apache-2.0 */
/* When a node counts as silent, and what the stores keep of pods and nodes. */
#include "controller/node_controller.h"

#include "controller/trim.h"
#include "rows.h"

#define NOW_MS 1767225600000LL /* 2026-01-01T00:00:00Z */
#define BEAT(at) "{'metadata':{'annotations':{'kubevirt.io/heartbeat':'" at "'}}}"

static const struct silent_case {
    const char *name, *node;
    int64_t want;
} silent_cases[] = {
    { "no heartbeat: never", "{'metadata':{}}", -1 },
    { "one that is no time: never", BEAT("soon"), -1 },
    { "just now", BEAT("2026-01-01T00:00:00Z"), 300000 },
    { "four minutes ago", BEAT("2025-12-31T23:56:00Z"), 60000 },
    { "five minutes ago", BEAT("2025-12-31T23:55:00Z"), 0 },
    { "long ago", BEAT("2020-01-01T00:00:00Z"), 0 },
};

static void is_silent(void **state)
{
    const struct silent_case *c = *state;
    json_auto_t *node = json_q(c->node);
    assert_int_equal(node_silent_in_ms(node, NOW_MS), c->want);
}

static const struct trim_case {
    const char *name;
    void (*trim)(json_t *obj);
    const char *before, *after;
} trim_cases[] = {
    { "our kinds lose kubectl's copy", trim_own,
      "{'metadata':{'annotations':{'kubectl.kubernetes.io/last-applied-configuration':'x','a':'b'}},'spec':{}}",
      "{'metadata':{'annotations':{'a':'b'}},'spec':{}}" },
    { "a pod keeps who, where and how", trim_pod,
      "{'kind':'Pod','metadata':{'name':'n','uid':'u','generateName':'g','labels':{'l':'1'},'annotations':"
      "{'kubevirt.io/memory-overhead-bytes':'1','x':'y'},'ownerReferences':[{}]},"
      "'spec':{'nodeName':'n1','volumes':[{}],'containers':[{'name':'compute','image':'i','args':['a']}]},"
      "'status':{'phase':'Running','podIP':'10.0.0.1','conditions':[],'containerStatuses':"
      "[{'name':'compute','ready':true,'restartCount':0,'state':{'running':{}}}]}}",
      "{'kind':'Pod','metadata':{'name':'n','uid':'u','labels':{'l':'1'},'annotations':"
      "{'kubevirt.io/memory-overhead-bytes':'1'},'ownerReferences':[{}]},"
      "'spec':{'nodeName':'n1','containers':[{'name':'compute','image':'i'}]},"
      "'status':{'phase':'Running','conditions':[],'containerStatuses':"
      "[{'name':'compute','ready':true,'state':{'running':{}}}]}}" },
    { "a pod without anything", trim_pod, "{}", "{}" },
    { "a node keeps its heartbeat", trim_node,
      "{'metadata':{'name':'n','labels':{'kubevirt.io/schedulable':'true','x':'y'},'annotations':"
      "{'kubevirt.io/heartbeat':'t','x':'y'}},'status':{'images':[]},'spec':{}}",
      "{'metadata':{'name':'n','labels':{'kubevirt.io/schedulable':'true'},'annotations':"
      "{'kubevirt.io/heartbeat':'t'}}}" },
};

static void trims(void **state)
{
    const struct trim_case *c = *state;
    json_auto_t *obj = json_q(c->before);
    json_auto_t *want = json_q(c->after);
    c->trim(obj);
    assert_json(obj, want);
}

static void indexes(void **state)
{
    json_auto_t *on_node =
        json_q("{'metadata':{'namespace':'ns','ownerReferences':[{'controller':true}]},"
               "'status':{'nodeName':'n1'}}");
    json_auto_t *orphan = json_q("{'metadata':{'namespace':'ns'}}");
    scoped(free) char *node = index_vmi_by_node(on_node);
    scoped(free) char *ns = index_orphan_by_namespace(orphan);
    assert_string_equal(node, "n1");
    assert_string_equal(ns, "ns");
    assert_null(index_vmi_by_node(orphan));
    assert_null(index_orphan_by_namespace(on_node));
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(indexes) };
    int failed = cmocka_run_group_tests_name("node_controller", tests, NULL, NULL);
    failed += RUN_ROWS("node_controller silence", silent_cases, is_silent);
    failed += RUN_ROWS("node_controller stores", trim_cases, trims);
    return failed;
}
