/* SPDX-License-Identifier: Apache-2.0 */
/* The smallest patch between two objects, and what of an object is compared at all. */
#include "controller/changes.h"

#include "base/jpath.h"
#include "controller/conditions.h"
#include "rows.h"

static const struct patch_case {
    const char *name, *before, *after, *sub, *want;
} patch_cases[] = {
    { "equal: nothing", "{'metadata':{'resourceVersion':'1'},'status':{'a':1}}",
      "{'metadata':{'resourceVersion':'1'},'status':{'a':1}}", NULL, NULL },
    { "a status, locked", "{'metadata':{'resourceVersion':'1'},'status':{'a':1,'b':2}}",
      "{'metadata':{'resourceVersion':'1'},'status':{'b':3}}", NULL,
      "{'metadata':{'resourceVersion':'1'},'status':{'a':null,'b':3}}" },
    { "status only: the rest is not looked at",
      "{'metadata':{'resourceVersion':'1'},'spec':{'x':1},'status':{'a':1}}",
      "{'metadata':{'resourceVersion':'1','labels':{'l':'1'}},'spec':{'x':2},'status':{'a':2}}",
      "status", "{'metadata':{'resourceVersion':'1'},'status':{'a':2}}" },
    { "a first status", "{'metadata':{'resourceVersion':'1'}}",
      "{'metadata':{'resourceVersion':'1'},'status':{'a':1}}", "status",
      "{'metadata':{'resourceVersion':'1'},'status':{'a':1}}" },
    { "labels and finalizers with the spec", "{'metadata':{'resourceVersion':'1'},'spec':{}}",
      "{'metadata':{'resourceVersion':'1','labels':{'l':'1'},'finalizers':['f']},'spec':{'x':1}}",
      NULL,
      "{'metadata':{'resourceVersion':'1','labels':{'l':'1'},'finalizers':['f']},'spec':{'x':1}}" },
    { "the last finalizer", "{'metadata':{'resourceVersion':'1','finalizers':['f']}}",
      "{'metadata':{'resourceVersion':'1'}}", NULL,
      "{'metadata':{'resourceVersion':'1','finalizers':null}}" },
    { "what the server owns is not compared",
      "{'metadata':{'resourceVersion':'1','generation':1,'uid':'u'}}",
      "{'metadata':{'resourceVersion':'1','generation':2}}", NULL, NULL },
};

static void patches(void **state)
{
    const struct patch_case *c = *state;
    json_auto_t *before = json_q(c->before);
    json_auto_t *after = json_q(c->after);
    json_auto_t *want = json_q(c->want);
    json_auto_t *patch = changes_patch(before, after, c->sub);
    assert_json(patch, want);
}

static void finalizers_are_taken_off(void **state)
{
    json_auto_t *obj = json_q("{'metadata':{'finalizers':['a','b']}}");
    json_auto_t *one = json_q("{'metadata':{'finalizers':['b']}}");
    json_auto_t *none = json_q("{'metadata':{}}");
    assert_false(finalizer_remove(obj, "c"));
    assert_true(finalizer_remove(obj, "a"));
    assert_json(obj, one);
    assert_true(finalizer_remove(obj, "b"));
    assert_json(obj, none);
    assert_false(finalizer_remove(obj, "b"));
}

static void conditions_are_copied_without_what_is_dropped(void **state)
{
    json_auto_t *obj =
        json_q("{'status':{'conditions':[{'type':'Ready','status':'False'},{'type':'X'}]}}");
    json_auto_t *ready =
        json_q("{'type':'Ready','status':'True','lastProbeTime':null,'observedGeneration':3}");
    json_auto_t *new = json_q("{'type':'New','status':'True','reason':'r'}");
    json_auto_t *want =
        json_q("{'status':{'conditions':[{'type':'Ready','status':'True'},{'type':'X'},"
               "{'type':'New','status':'True','reason':'r'}]}}");
    condition_copy(obj, ready);
    condition_copy(obj, new);
    assert_json(obj, want);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finalizers_are_taken_off),
        cmocka_unit_test(conditions_are_copied_without_what_is_dropped),
    };
    int failed = cmocka_run_group_tests_name("changes", tests, NULL, NULL);
    failed += RUN_ROWS("changes patches", patch_cases, patches);
    return failed;
}
