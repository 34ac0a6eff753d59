/* SPDX-License-Identifier: Apache-2.0 */
/* The one way to write an object. */
#include "openapi/canonical.h"
#include "openapi/types.h"
#include "rows.h"

static const struct canonical_case {
    const char *name, *given, *want;
} cases[] = {
    { "quantities have one text", "{'domain':{'memory':{'guest':'1.5Gi'},'devices':{}}}",
      "{'domain':{'memory':{'guest':'1536Mi'},'devices':{}}}" },
    { "a number is a quantity",
      "{'domain':{'resources':{'requests':{'memory':1000}},'devices':{}}}",
      "{'domain':{'resources':{'requests':{'memory':'1k'}},'devices':{}}}" },
    { "empty lists, maps and texts say nothing",
      "{'volumes':[],'nodeSelector':{},'hostname':'','domain':{'devices':{'disks':[]}}}",
      "{'domain':{'devices':{}}}" },
    { "null says nothing", "{'hostname':null,'domain':{'devices':{}}}",
      "{'domain':{'devices':{}}}" },
    { "some zeros say nothing",
      "{'domain':{'cpu':{'cores':0,'dedicatedCpuPlacement':false},'devices':{'disableHotplug':false}}}",
      "{'domain':{'cpu':{},'devices':{}}}" },
    { "some zeros say no", "{'domain':{'devices':{'autoattachPodInterface':false}}}",
      "{'domain':{'devices':{'autoattachPodInterface':false}}}" },
    { "some empty texts mean none",
      "{'dnsConfig':{'options':[{'name':'a','value':''}]},'domain':{'clock':{'timezone':''},'devices':{}}}",
      "{'dnsConfig':{'options':[{'name':'a','value':''}]},'domain':{'clock':{'timezone':''},'devices':{}}}" },
    { "presence is kept", "{'domain':{'devices':{'rng':{}}}}",
      "{'domain':{'devices':{'rng':{}}}}" },
    { "a strategy of no name is a fault to report",
      "{'evictionStrategy':'','domain':{'devices':{}}}",
      "{'evictionStrategy':'','domain':{'devices':{}}}" },
    { "unknown members stay", "{'later':[],'domain':{'devices':{}}}",
      "{'later':[],'domain':{'devices':{}}}" },
    { "wrong types stay", "{'volumes':7,'domain':{'memory':{'guest':'much'},'devices':[]}}",
      "{'volumes':7,'domain':{'memory':{'guest':'much'},'devices':[]}}" },
};

static void is_written_once(void **state)
{
    const struct canonical_case *c = *state;
    json_auto_t *given = json_q(c->given);
    json_auto_t *want = json_q(c->want);

    assert_true(canonical_equal(&vmi_spec_type, given, want));
    canonical_make(&vmi_spec_type, given);
    assert_json(given, want);
}

static void differences_are_seen(void **state)
{
    json_auto_t *a = json_q("{'domain':{'memory':{'guest':'1Gi'},'devices':{}}}");
    json_auto_t *b = json_q("{'domain':{'memory':{'guest':'1G'},'devices':{}}}");

    assert_false(canonical_equal(&vmi_spec_type, a, b));
    assert_false(canonical_equal(&vmi_spec_type, a, NULL));
    assert_true(canonical_equal(&vmi_spec_type, NULL, NULL));
}

int main(void)
{
    static const struct CMUnitTest tests[] = { cmocka_unit_test(differences_are_seen) };

    return RUN_ROWS("canonical", cases, is_written_once) +
           cmocka_run_group_tests_name("canonical_equal", tests, NULL, NULL);
}
