/* SPDX-License-Identifier: Apache-2.0 */
/* There is one KubeVirt object, and it may hold on to its workloads. */
#include "reviews.h"
#include "test/fake/kube.h"

#define CREATE "/kubevirt-validate-create"
#define DELETE "/kubevirt-validate-delete"

#define KV(spec) "{'metadata':{'name':'kubevirt','namespace':'kubevirt'},'spec':{" spec "}}"
#define BLOCK KV("'uninstallStrategy':'BlockUninstallIfWorkloadsExist'")
#define THING(n) "{'metadata':{'name':'" n "','namespace':'ns'},'spec':{}}"

#define STILL(what) "400 Rejecting the uninstall request, since " what " is still there..."

// clang-format off
static const struct kubevirt_case {
    const char *name;
    struct question ask;
    const struct kube_kind *kind; /* of the object that there is, "ns/x" */
    const char *fails; /* requests with this in their line */
    const char *want;
} cases[] = {
    { "the first", { CREATE, .object = KV("") }, NULL, NULL, "" },
    { "the first, with a fault", { CREATE, .object = KV("'image':'x'") }, NULL, NULL, "FieldValueForbidden spec.image" },
    { "the second", { CREATE, .object = KV("") }, &KIND_KUBEVIRT, NULL, "400 KubeVirt ns/x is already created..." },
    { "perhaps the second", { CREATE, .object = KV("") }, NULL, "kubevirts", "500 look for kubevirts: ..." },

    { "gone with its machines", { DELETE, .old = KV("") }, &KIND_VMI, NULL, "" },
    { "gone with its machines, as it says", { DELETE, .old = KV("'uninstallStrategy':'RemoveWorkloads'") }, &KIND_VM, NULL, "" },
    { "blocked by nothing", { DELETE, .old = BLOCK }, NULL, NULL, "" },
    { "blocked by an instance", { DELETE, .old = BLOCK }, &KIND_VMI, NULL, STILL("VirtualMachineInstance ns/x") },
    { "blocked by a machine", { DELETE, .old = BLOCK }, &KIND_VM, NULL, STILL("VirtualMachine ns/x") },
    { "blocked by a replica set", { DELETE, .old = BLOCK }, &KIND_VMIRS, NULL, STILL("VirtualMachineInstanceReplicaSet ns/x") },
    { "perhaps blocked", { DELETE, .old = BLOCK }, NULL, "virtualmachines?", "500 look for virtualmachines: ..." },
};
// clang-format on

static void decides(void **state)
{
    const struct kubevirt_case *c = *state;
    struct fake_kube *fake = fake_kube_start();

    if (c->kind)
        (void)fake_kube_put(fake, c->kind, json_q(THING("x")));
    if (c->fails)
        fake_kube_fail(fake, c->fails, 500, -1, -1);
    scoped(free) char *got = decision_of(&c->ask, fake_kube_client(fake));
    assert_decision(got, c->want);
    fake_kube_free(fake);
}

int main(void)
{
    return RUN_ROWS("kubevirt", cases, decides);
}
