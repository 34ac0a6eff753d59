/* SPDX-License-Identifier: Apache-2.0 */
/* What each kind's validator adds to the rules of its spec: "Cause field" pairs, "" when allowed.
 */
#include "base/buf.h"
#include "base/jpath.h"
#include "rows.h"
#include "webhooks/mutators.h"
#include "webhooks/validators.h"

struct validator_case {
    const char *name;
    review_fn *validate;
    const struct kind *kind;
    const char *user;         /* NULL: a user without rights of the installation */
    const char *object, *old; /* old NULL: created */
    const char *want;
};

#define VM(more)                                                                                                                    \
    "{'metadata':{'name':'m','namespace':'ns'},'spec':{'template':{'spec':{'domain':{'devices':{},'memory':{'guest':'1Gi'}}}}" more \
    "}}"
#define RS(more)                                                                                                        \
    "{'metadata':{'name':'m'},'spec':{'selector':{'matchLabels':{'a':'b'}},'template':{'metadata':{'labels':{'a':" more \
    "}},'spec':{'domain':{'devices':{}}}}}}"
#define PRESET(domain) "{'metadata':{'name':'p'},'spec':{'selector':{}" domain "}}"
#define MIGRATION(spec) \
    "{'metadata':{'name':'g','labels':{'kubevirt.io/vmi-name':'m'}},'spec':{" spec "}}"

#define ON_VM validate_vm, &kind_vm
// clang-format off
static const struct validator_case cases[] = {
    { "a machine that may run", ON_VM, NULL, VM(",'runStrategy':'Always'"), NULL, "" },
    { "no template", ON_VM, NULL, "{'metadata':{'name':'m'},'spec':{'runStrategy':'Always'}}", NULL, "FieldValueRequired spec.template" },
    { "neither running nor runStrategy", ON_VM, NULL, VM(""), NULL, "FieldValueInvalid spec.running" },
    { "running and runStrategy", ON_VM, NULL, VM(",'running':true,'runStrategy':'Always'"), NULL, "FieldValueInvalid spec.running" },
    { "running alone", ON_VM, NULL, VM(",'running':false"), NULL, "" },
    { "unknown run strategy", ON_VM, NULL, VM(",'runStrategy':'Sometimes'"), NULL, "FieldValueInvalid spec.runStrategy" },
    { "a deleted machine may go whatever it holds", ON_VM, NULL,
      "{'metadata':{'name':'m','deletionTimestamp':'2025-01-01T00:00:00Z'},'spec':{}}", NULL, "" },
    { "memory that cannot grow", ON_VM, NULL,
      "{'metadata':{'name':'m'},'spec':{'runStrategy':'Halted','template':{'spec':{'domain':{'devices':{},'memory':{'guest':'1Gi','maxGuest':'512Mi'}}}}}}", NULL,
      "FieldValueInvalid spec.template.spec.domain.memory.guest" },
    { "a binding that is no more", ON_VM, NULL,
      "{'metadata':{'name':'m'},'spec':{'runStrategy':'Halted','template':{'spec':{'networks':[{'name':'n','pod':{}}],'domain':{'devices':{'interfaces':[{'name':'n','masquerade':{},'slirp':{}}]}}}}}}", NULL,
      "FieldValueInvalid spec.template.spec.domain.devices.interfaces[0].slirp" },
    { "data volume without name", ON_VM, NULL, VM(",'runStrategy':'Always','dataVolumeTemplates':[{'spec':{'pvc':{},'source':{'blank':{}}}}]"), NULL,
      "FieldValueRequired spec.dataVolumeTemplates[0].name" },
    { "data volume that nothing uses", ON_VM, NULL, VM(",'runStrategy':'Always','dataVolumeTemplates':[{'metadata':{'name':'d'},'spec':{'pvc':{},'source':{'blank':{}}}}]"), NULL,
      "FieldValueRequired spec.dataVolumeTemplates[0]" },
    { "run strategy while restored", ON_VM, NULL, VM(",'runStrategy':'Always'"),
      "{'metadata':{'name':'m'},'spec':{'runStrategy':'Halted'},'status':{'restoreInProgress':'r'}}", "FieldValueNotSupported spec" },

    { "a replica set", validate_vmirs, &kind_vmirs, NULL, RS("'b'"), NULL, "" },
    { "labels that its selector misses", validate_vmirs, &kind_vmirs, NULL, RS("'c'"), NULL, "FieldValueInvalid spec.selector" },

    { "a preset", validate_preset, &kind_preset, NULL, PRESET(",'domain':{'devices':{}}"), NULL, "" },
    { "a preset of nothing", validate_preset, &kind_preset, NULL, PRESET(""), NULL, "FieldValueRequired spec.domain" },
    { "a preset with a bad disk", validate_preset, &kind_preset, NULL, PRESET(",'domain':{'devices':{'disks':[{'name':'d','disk':{'bus':'ide'}}]}}"), NULL,
      "FieldValueInvalid spec.domain.devices.disks[0].disk.bus" },

    { "a migration", validate_migration, &kind_migration, NULL, MIGRATION("'vmiName':'m'"), NULL, "" },
    { "a migration of nothing", validate_migration, &kind_migration, NULL, MIGRATION("'vmiName':''"), NULL, "FieldValueRequired spec.vmiName" },
    { "a migration that changes its mind", validate_migration, &kind_migration, NULL, MIGRATION("'vmiName':'o'"), MIGRATION("'vmiName':'m'"), "FieldValueNotSupported " },
};

/* What mutators refuse. */
static const struct validator_case mutator_cases[] = {
    { "instance type without name", mutate_vm, &kind_vm, NULL, VM(",'runStrategy':'Always','instancetype':{}"), NULL, "FieldValueNotFound spec.instancetype" },
    { "preference by name and volume", mutate_vm, &kind_vm, NULL, VM(",'runStrategy':'Always','preference':{'name':'p','inferFromVolume':'v'}"), NULL,
      "FieldValueNotSupported spec.preference.name" },
    { "unknown failure policy", mutate_vm, &kind_vm, NULL, VM(",'runStrategy':'Always','preference':{'inferFromVolume':'v','inferFromVolumeFailurePolicy':'Cry'}"), NULL,
      "FieldValueInvalid spec.preference.inferFromVolumeFailurePolicy" },
    { "revision of another name", mutate_vm, &kind_vm, NULL, VM(",'runStrategy':'Always','instancetype':{'name':'b','revisionName':'r'}"),
      VM(",'runStrategy':'Always','instancetype':{'name':'a','revisionName':'r'}"), "FieldValueInvalid spec.instancetype.revisionName" },
    { "annotations of a template that are text", mutate_vm, &kind_vm, NULL,
      "{'metadata':{'name':'m'},'spec':{'runStrategy':'Always','template':{'metadata':{'annotations':'x'},'spec':{'domain':{'devices':{}}}}}}", NULL,
      "FieldValueTypeInvalid spec.template.metadata.annotations" },
    { "labels that are numbers", mutate_migration, &kind_migration, NULL,
      "{'metadata':{'name':'g','labels':{'a':1}},'spec':{'vmiName':'m'}}", NULL, "FieldValueTypeInvalid metadata.labels[a]" },
    { "finalizers that are text", mutate_migration, &kind_migration, NULL,
      "{'metadata':{'name':'g','finalizers':'x'},'spec':{'vmiName':'m'}}", NULL, "FieldValueTypeInvalid metadata.finalizers" },
    { "a finalizer that is a list", mutate_migration, &kind_migration, NULL,
      "{'metadata':{'name':'g','finalizers':[[]]},'spec':{'vmiName':'m'}}", NULL, "FieldValueTypeInvalid metadata.finalizers[0]" },
    { "a name that is an object", mutate_migration, &kind_migration, NULL,
      "{'metadata':{'name':{}},'spec':{'vmiName':'m'}}", NULL, "FieldValueTypeInvalid metadata.name" },
    { "a generation that is text", mutate_migration, &kind_migration, NULL,
      "{'metadata':{'name':'g','generation':'x'},'spec':{'vmiName':'m'}}", NULL, "FieldValueTypeInvalid metadata.generation" },
    { "owners that are text", mutate_migration, &kind_migration, NULL,
      "{'metadata':{'name':'g','ownerReferences':['x']},'spec':{'vmiName':'m'}}", NULL, "FieldValueTypeInvalid metadata.ownerReferences[0]" },
};
// clang-format on

static void decides(void **state)
{
    const struct validator_case *c = *state;
    json_auto_t *object = json_q(c->object);
    json_auto_t *old = json_q(c->old);
    json_auto_t *body = must_pack(
        "{s:s, s:{s:s, s:s, s:s, s:{s:s}, s:{s:s, s:s}, s:O, s:O?}}", "kind", "AdmissionReview",
        "request", "uid", "u", "operation", old ? "UPDATE" : "CREATE", "namespace", "ns",
        "userInfo", "username", c->user ? c->user : "someone", "resource", "group", c->kind->group,
        "resource", c->kind->plural, "object", object, "oldObject", old);
    struct review rv = { .installation = "kubevirt" };
    struct cluster_config *config = NULL;
    scoped_buf got = BUF_INIT(0);
    struct error e;

    assert_int_equal(cluster_config_new(&config, NULL, &e), 0);
    rv.config = config;
    findings_init(&rv.findings);
    assert_int_equal(review_read(&rv, body, c->kind, &e), 0);
    c->validate(&rv);
    for (size_t i = 0; i < rv.findings.len; i++)
        (void)buf_addf(&got, "%s%s %s", i ? " " : "", cause_text(rv.findings.item[i].cause),
                       rv.findings.item[i].field);
    assert_string_equal(got.data ? got.data : "", c->want);
    assert_int_equal(rv.denied.code, ERR_NONE);
    review_done(&rv);
    cluster_config_unref(config);
}

int main(void)
{
    return RUN_ROWS("validators", cases, decides) +
           RUN_ROWS("mutators refuse", mutator_cases, decides);
}
