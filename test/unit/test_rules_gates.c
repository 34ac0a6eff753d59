/* SPDX-License-Identifier: Apache-2.0 */
/* Gates of features that are no more matter to those who still use the feature. */
#include "reviews.h"

#define SPEC(binding)                                                                         \
    "{'architecture':'amd64','networks':[{'name':'n','pod':{}}],'domain':{'memory':{'guest':" \
    "'1Gi'},'devices':{'interfaces':[{'name':'n','masquerade':{}" binding "}]}}}"
#define VMI(binding) "{'metadata':{'name':'m'},'spec':" SPEC(binding) "}"
#define VM(binding)                                                                     \
    "{'metadata':{'name':'m'},'spec':{'runStrategy':'Halted','template':{'spec':" SPEC( \
        binding) "}}}"
#define RS(binding)                                                                                  \
    "{'metadata':{'name':'m'},'spec':{'selector':{'matchLabels':{'a':'b'}},'template':{'metadata':{" \
    "'labels':{'a':'b'}},'spec':" SPEC(binding) "}}}"
#define GATE(name) "{'developerConfiguration':{'featureGates':['HostDisk','" name "']}}"

// clang-format off
static const struct gate_case {
    const char *name;
    struct question ask;
    const char *where; /* of the finding, NULL: none */
} cases[] = {
    { "Passt used", { "/virtualmachineinstances-validate-create", .object = VMI(",'passt':{}"), .config = GATE("Passt") },
      "FieldValueNotSupported spec.domain.devices.interfaces[0].passt" },
    { "Passt listed only", { "/virtualmachineinstances-validate-create", .object = VMI(""), .config = GATE("Passt") }, NULL },
    { "Passt not listed", { "/virtualmachineinstances-validate-create", .object = VMI(",'passt':{}") }, NULL },
    { "Macvtap used", { "/virtualmachineinstances-validate-create", .object = VMI(",'macvtap':{}"), .config = GATE("Macvtap") },
      "FieldValueNotSupported spec.domain.devices.interfaces[0].macvtap" },
    { "Passt used, Macvtap listed", { "/virtualmachineinstances-validate-create", .object = VMI(",'passt':{}"), .config = GATE("Macvtap") }, NULL },
    { "in a machine", { "/virtualmachines-validate", .object = VM(",'passt':{}"), .config = GATE("Passt") },
      "FieldValueNotSupported spec.template.spec.domain.devices.interfaces[0].passt" },
    { "in a machine that exists", { "/virtualmachines-validate", .object = VM(",'passt':{}"), .old = VM(",'passt':{}"), .config = GATE("Passt") }, NULL },
    { "in a replica set", { "/virtualmachinereplicaset-validate", .object = RS(",'macvtap':{}"), .config = GATE("Macvtap") },
      "FieldValueNotSupported spec.template.spec.domain.devices.interfaces[0].macvtap" },
};
// clang-format on

static void is_found(void **state)
{
    const struct gate_case *c = *state;
    scoped(free) char *got = decision_of(&c->ask, NULL);

    if (c->where)
        assert_non_null(strstr(got, c->where));
    else
        assert_null(strstr(got, "FieldValueNotSupported"));
}

int main(void)
{
    return RUN_ROWS("gates", cases, is_found);
}
