/* SPDX-License-Identifier: Apache-2.0 */
/* Defaults of tables, and pruning. */
#include "openapi/defaults.h"

#include "rows.h"

#include "openapi/kinds.h"
#include "openapi/prune.h"

static const struct change_case {
    const char *name;
    const struct kind *kind;
    const char *before, *after;
} defaults[] = {
    { "a default of a row, below a list", &kind_vmi,
      "{'spec':{'volumes':[{'name':'a','containerPath':{'path':'/b'}}]}}",
      "{'spec':{'volumes':[{'name':'a','containerPath':{'path':'/b','readOnly':true}}]}}" },
    { "what is set stays", &kind_vmi,
      "{'spec':{'volumes':[{'name':'a','containerPath':{'path':'/b','readOnly':false}}]}}",
      "{'spec':{'volumes':[{'name':'a','containerPath':{'path':'/b','readOnly':false}}]}}" },
    { "objects are not made for their defaults", &kind_vm, "{'spec':{}}", "{'spec':{}}" },
    { "nor for a status that is not there", &kind_vm, "{}", "{}" },
    { "a status has its default", &kind_vm, "{'status':{}}", "{'status':{'printableStatus':'Stopped'}}" },
    { "null counts as absent", &kind_vm, "{'status':{'printableStatus':null}}",
      "{'status':{'printableStatus':'Stopped'}}" },
    { "a required text becomes empty", &kind_vmi, "{'spec':{'domain':{'devices':{'inputs':[{}]}}}}",
      "{'spec':{'domain':{'devices':{'inputs':[{'name':'','type':''}]}}}}" },
    { "a required choice does not", &kind_vmi, "{'spec':{'topologySpreadConstraints':[{}]}}",
      "{'spec':{'topologySpreadConstraints':[{'maxSkew':0,'topologyKey':''}]}}" },
    { "in a map of objects", &kind_kubevirt,
      "{'spec':{'configuration':{'supportContainerResources':[{}]}}}",
      "{'spec':{'configuration':{'supportContainerResources':[{'type':''}]}}}" },
    { "wrong types are left alone", &kind_vmi, "{'spec':{'volumes':7}}", "{'spec':{'volumes':7}}" },
}, prunes[] = {
    { "unknown members go", &kind_vmi, "{'x':1,'spec':{'y':2,'hostname':'h'}}", "{'spec':{'hostname':'h'}}" },
    { "in lists too", &kind_vmi, "{'spec':{'volumes':[{'name':'a','x':1},{'name':'b'}]}}",
      "{'spec':{'volumes':[{'name':'a'},{'name':'b'}]}}" },
    { "in maps too", &kind_kubevirt,
      "{'spec':{'configuration':{'network':{'binding':{'b':{'x':1,'sidecarImage':'i'}}}}}}",
      "{'spec':{'configuration':{'network':{'binding':{'b':{'sidecarImage':'i'}}}}}}" },
    { "maps of values are kept whole", &kind_vmi, "{'spec':{'nodeSelector':{'any':'thing'}}}",
      "{'spec':{'nodeSelector':{'any':'thing'}}}" },
    { "what is opaque is kept whole", &kind_vm, "{'metadata':{'x':{'y':1}}}", "{'metadata':{'x':{'y':1}}}" },
    { "what is open keeps its unknown members", &kind_vmi,
      "{'spec':{'domain':{'clock':{'new':1,'utc':{'x':1}}}}}",
      "{'spec':{'domain':{'clock':{'new':1,'utc':{}}}}}" },
};

static void fills_in(void **state)
{
    const struct change_case *c = *state;
    json_auto_t *v = json_q(c->before);
    json_auto_t *want = json_q(c->after);

    schema_default(c->kind->schema, v);
    assert_json(v, want);
    schema_default(c->kind->schema, v); /* nothing more to do */
    assert_json(v, want);
}

static void drops(void **state)
{
    const struct change_case *c = *state;
    json_auto_t *v = json_q(c->before);
    json_auto_t *want = json_q(c->after);

    const size_t gone = schema_prune(c->kind->schema, v);
    assert_json(v, want);
    assert_int_equal(gone > 0, strcmp(c->before, c->after) != 0);
    assert_int_equal(schema_prune(c->kind->schema, v), 0);
}

int main(void)
{
    return RUN_ROWS("defaults", defaults, fills_in) + RUN_ROWS("prune", prunes, drops);
}
