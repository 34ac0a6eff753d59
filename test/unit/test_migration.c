/* SPDX-License-Identifier: Apache-2.0 */
/* What is asked of a migration: by the object alone, and by what else there is. */
#include "test/fake/kube.h"
#include "reviews.h"

#define CREATE "/migration-validate-create"
#define UPDATE "/migration-validate-update"

#define MIGRATION(spec) \
    "{'metadata':{'name':'g','labels':{'kubevirt.io/vmi-name':'m'}},'spec':{" spec "}}"
#define OLD(phase)                                                                           \
    "{'metadata':{'name':'g','labels':{'kubevirt.io/vmi-name':'m'}},'spec':{'vmiName':'m'}," \
    "'status':{'phase':'" phase "'}}"
#define UNLABELLED "{'metadata':{'name':'g'},'spec':{'vmiName':'m'}}"
#define VMI(status) "{'metadata':{'name':'m','namespace':'ns'},'status':{" status "}}"
#define CONDITION(status, reason)                                                \
    "'phase':'Running','conditions':[{'type':'LiveMigratable','status':'" status \
    "','reason':'" reason "','message':'so it is'}]"
#define OTHER(phase)                                                                             \
    "{'metadata':{'name':'o','namespace':'ns','labels':{'kubevirt.io/vmi-name':'m'}},'spec':{}," \
    "'status':{'phase':'" phase "'}}"
#define SEND "'sendTo':{'migrationID':'i','connectURL':'u'}"
#define NO_DECENTRALIZED \
    "{'developerConfiguration':{'disabledFeatureGates':['DecentralizedLiveMigration']}}"

// clang-format off
static const struct migration_case {
    const char *name;
    struct question ask;
    const char *vmi, *other; /* what there is */
    const char *want;
} cases[] = {
    { "of a running instance", { CREATE, .object = MIGRATION("'vmiName':'m'") }, VMI("'phase':'Running'"), NULL, "" },
    { "of nothing", { CREATE, .object = MIGRATION("'vmiName':''") }, NULL, NULL, "FieldValueRequired spec.vmiName" },
    { "unknown field", { CREATE, .object = MIGRATION("'vmiName':'m','vm':'m'") }, VMI(""), NULL, "FieldValueForbidden spec.vm" },
    { "priority by a user", { CREATE, .object = MIGRATION("'vmiName':'m','priority':'system-critical'") }, VMI(""), NULL,
      "FieldValueForbidden spec.migrationPriority" },
    { "priority by another account of ours", { CREATE, .user = SA("handler"), .object = MIGRATION("'vmiName':'m','priority':'system-critical'") }, VMI(""), NULL,
      "FieldValueForbidden spec.migrationPriority" },
    { "priority by virt-controller", { CREATE, .user = SA("controller"), .object = MIGRATION("'vmiName':'m','priority':'system-critical'") }, VMI(""), NULL, "" },
    { "the instance is missing", { CREATE, .object = MIGRATION("'vmiName':'m'") }, NULL, NULL, "400 the VMI \"m\" does not exist..." },
    { "a name that cannot be", { CREATE, .object = MIGRATION("'vmiName':'../x'") }, NULL, NULL, "400 the VMI \"../x\" does not exist..." },
    { "the instance has succeeded", { CREATE, .object = MIGRATION("'vmiName':'m'") }, VMI("'phase':'Succeeded'"), NULL,
      "400 cannot migrate VMI in finalized state" },
    { "the instance has failed", { CREATE, .object = MIGRATION("'vmiName':'m'") }, VMI("'phase':'Failed'"), NULL,
      "400 cannot migrate VMI in finalized state" },
    { "it can migrate", { CREATE, .object = MIGRATION("'vmiName':'m'") }, VMI(CONDITION("True", "")), NULL, "" },
    { "it cannot", { CREATE, .object = MIGRATION("'vmiName':'m'") }, VMI(CONDITION("False", "HostDeviceNotLiveMigratable")), NULL,
      "400 Cannot migrate VMI, Reason: HostDeviceNotLiveMigratable, Message: so it is" },
    { "its disks cannot", { CREATE, .object = MIGRATION("'vmiName':'m'") }, VMI(CONDITION("False", "DisksNotLiveMigratable")), NULL,
      "400 Cannot migrate VMI, Reason: DisksNotLiveMigratable..." },
    { "to another cluster disks go along", { CREATE, .object = MIGRATION("'vmiName':'m'," SEND) }, VMI(CONDITION("False", "DisksNotLiveMigratable")), NULL, "" },
    { "another one is on its way", { CREATE, .object = MIGRATION("'vmiName':'m'") }, VMI(""), OTHER("Running"), "400 in-flight migration detected: o..." },
    { "another one has just been made", { CREATE, .object = MIGRATION("'vmiName':'m'") }, VMI(""), OTHER(""), "400 in-flight migration detected: o..." },
    { "another one is over", { CREATE, .object = MIGRATION("'vmiName':'m'") }, VMI(""), OTHER("Failed"), "" },
    { "sendTo without the gate", { CREATE, .object = MIGRATION("'vmiName':'m'," SEND), .config = NO_DECENTRALIZED }, VMI(""), NULL,
      "FieldValueNotSupported spec.sendTo" },
    { "receive without the gate", { CREATE, .object = MIGRATION("'vmiName':'m','receive':{'migrationID':'i'}"), .config = NO_DECENTRALIZED }, VMI(""), NULL,
      "FieldValueNotSupported spec.receive" },
    { "both ends by one ID", { CREATE, .object = MIGRATION("'vmiName':'m'," SEND ",'receive':{'migrationID':'i'}") }, VMI(""), NULL, "" },
    { "both ends by two", { CREATE, .object = MIGRATION("'vmiName':'m'," SEND ",'receive':{'migrationID':'j'}") }, VMI(""), NULL,
      "FieldValueInvalid spec.receive.migrationID" },

    { "an update of nothing", { UPDATE, .object = MIGRATION("'vmiName':'m'"), .old = OLD("Running") }, NULL, NULL, "" },
    { "another instance", { UPDATE, .object = MIGRATION("'vmiName':'o'"), .old = OLD("Running") }, NULL, NULL, "FieldValueNotSupported " },
    { "no label while in flight", { UPDATE, .object = UNLABELLED, .old = OLD("Running") }, NULL, NULL, "FieldValueNotSupported metadata.labels" },
    { "no label afterwards", { UPDATE, .object = UNLABELLED, .old = OLD("Succeeded") }, NULL, NULL, "" },
    { "an unknown field later", { UPDATE, .object = MIGRATION("'vmiName':'m','vm':'m'"), .old = OLD("Running") }, NULL, NULL, "FieldValueForbidden spec.vm" },
};
// clang-format on

static void decides(void **state)
{
    const struct migration_case *c = *state;
    struct fake_kube *fake = fake_kube_start();

    if (c->vmi)
        (void)fake_kube_put(fake, &KIND_VMI, json_q(c->vmi));
    if (c->other)
        (void)fake_kube_put(fake, &KIND_MIGRATION, json_q(c->other));
    scoped(free) char *got = decision_of(&c->ask, fake_kube_client(fake));
    assert_decision(got, c->want);
    fake_kube_free(fake);
}

/* Not knowing is neither "there is none" nor "there is one". */
static void unreachable_is_said(void **state)
{
    struct fake_kube *fake = fake_kube_start();
    const struct question q = { CREATE, .object = MIGRATION("'vmiName':'m'") };

    (void)state;
    fake_kube_fail(fake, "virtualmachineinstances/m", 500, -1, -1);
    scoped(free) char *got = decision_of(&q, fake_kube_client(fake));
    assert_decision(got, "500 look for the instance: ...");

    fake_kube_heal(fake);
    (void)fake_kube_put(fake, &KIND_VMI, json_q(VMI("")));
    fake_kube_fail(fake, "virtualmachineinstancemigrations", 500, -1, -1);
    scoped(free) char *then = decision_of(&q, fake_kube_client(fake));
    assert_decision(then, "500 look for other migrations: ...");
    fake_kube_free(fake);
}

int main(void)
{
    const struct CMUnitTest others[] = { cmocka_unit_test(unreachable_is_said) };

    return RUN_ROWS("migration", cases, decides) +
           cmocka_run_group_tests_name("unreachable", others, NULL, NULL);
}
