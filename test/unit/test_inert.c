/* SPDX-License-Identifier: Apache-2.0 */
/* Who uses a field that nothing acts on yet is told so, once, and nobody else is. */
#include "openapi/inert.h"

#include "openapi/emit.h"
#include "reviews.h"
#include "webhooks/mutators.h"
#include "webhooks/validators.h"

#define NOT_YET ": accepted and stored, but cvirt does not act on it yet"

#define VMI_WITH(spec, devices, more)                                                       \
    "{'metadata':{'name':'m'},'spec':{'architecture':'amd64','domain':{'devices':{" devices \
    "},'memory':{'guest':'1Gi'}" more "}" spec "}}"
#define VMI(devices) VMI_WITH("", devices, "")
#define VM_WITH(spec, devices)                                                  \
    "{'metadata':{'name':'m'},'spec':{'runStrategy':'Halted'" spec              \
    ",'template':{'spec':{'architecture':'amd64','domain':{'devices':{" devices \
    "},'memory':{'guest':'1Gi'}}}}}}"
#define VM(devices) VM_WITH("", devices)

#define ON_VMI "/virtualmachineinstances-validate-create"
#define ON_VM "/virtualmachines-validate"
#define STATUS "{'subResource':'status'}"

#define DISK(name, more) "{'name':'" name "','disk':{'bus':'virtio'}" more "}"
#define TAG(name) DISK(name, ",'tag':'t'")
#define SCREEN "'autoattachGraphicsDevice':true"
#define TPM "'tpm':{'persistent':true}"

// clang-format off
static const struct inert_case {
    const char *name;
    struct question q;
    const char *want;
} cases[] = {
    { "nothing of the kind", { ON_VMI, .object = VMI(SCREEN) }, "" },
    { "a field of an instance", { ON_VMI, .object = VMI(TPM) }, " ! spec.domain.devices.tpm.persistent" NOT_YET },
    { "a field of a template, at the template's path", { ON_VM, .object = VM(TPM) },
      " ! spec.template.spec.domain.devices.tpm.persistent" NOT_YET },
    { "a field of a machine", { ON_VM, .object = VM_WITH(",'updateVolumesStrategy':'Migration'", "") },
      " ! spec.updateVolumesStrategy" NOT_YET },
    { "a field of a list's item", { ON_VM, .object = VM("'disks':[" DISK("a", "") "," TAG("b") "]"), .old = VM("'disks':[" DISK("a", "") "," DISK("b", "") "]") },
      "FieldValueInvalid spec.template.spec.domain.devices.disks[0].name FieldValueInvalid spec.template.spec.domain.devices.disks[1].name"
      " ! spec.template.spec.domain.devices.disks[1].tag" NOT_YET },
    { "a field of a replica set", { "/virtualmachinereplicaset-validate", .object =
      "{'metadata':{'name':'m'},'spec':{'selector':{'matchLabels':{'a':'b'}},'template':{'metadata':{'labels':{'a':'b'}},'spec':{'domain':{'memory':{'guest':'1Gi'},'devices':{" TPM "}}}}}}" },
      " ! spec.template.spec.domain.devices.tpm.persistent" NOT_YET },
    { "a field of a preset", { "/vmipreset-validate", .object = "{'metadata':{'name':'p'},'spec':{'selector':{},'domain':{'devices':{" TPM "}}}}" },
      " ! spec.domain.devices.tpm.persistent" NOT_YET },
    { "one warning, not more below it", { "/kubevirt-validate-update",
      .object = "{'metadata':{'name':'k'},'spec':{'configuration':{'migrations':{'allowPostCopy':true,'network':'n'}}}}", .old = "{'spec':{}}" },
      " ! spec.configuration.migrations" NOT_YET },

    { "false asks for nothing", { ON_VMI, .object = VMI("'tpm':{'persistent':false}") }, "" },
    { "an empty list neither", { ON_VMI, .object = VMI("'gpus':[],'hostDevices':[]") }, "" },
    { "nor what is switched off", { "/kubevirt-validate-update",
      .object = "{'metadata':{'name':'k'},'spec':{'configuration':{'commonInstancetypesDeployment':{'enabled':false}}}}", .old = "{'spec':{}}" }, "" },

    { "an update that leaves it", { ON_VM, .object = VM(TPM "," SCREEN), .old = VM(TPM) }, "" },
    { "an update that moves it in its list", { "/vmipreset-validate",
      .object = "{'metadata':{'name':'p'},'spec':{'selector':{},'domain':{'devices':{'disks':[{'name':'new'}," TAG("b") "]}}}}",
      .old = "{'metadata':{'name':'p'},'spec':{'selector':{},'domain':{'devices':{'disks':[" TAG("b") "]}}}}" }, "" },
    { "an update that brings another one", { "/vmipreset-validate",
      .object = "{'metadata':{'name':'p'},'spec':{'selector':{},'domain':{'devices':{'disks':[" TAG("a") "," TAG("b") "]}}}}",
      .old = "{'metadata':{'name':'p'},'spec':{'selector':{},'domain':{'devices':{'disks':[" TAG("b") "]}}}}" },
      " ! spec.domain.devices.disks[0].tag" NOT_YET },
    { "an update that brings it", { ON_VM, .object = VM(TPM), .old = VM(SCREEN) },
      " ! spec.template.spec.domain.devices.tpm.persistent" NOT_YET },
    { "an update that changes it", { ON_VM, .object = VM_WITH(",'updateVolumesStrategy':'Migration'", ""),
      .old = VM_WITH(",'updateVolumesStrategy':'Replacement'", "") }, " ! spec.updateVolumesStrategy" NOT_YET },
    { "an update that takes it away", { ON_VM, .object = VM(""), .old = VM(TPM) }, "" },

    { "the installation's own accounts", { ON_VMI, .user = SA("controller"), .object = VMI(TPM) }, "" },
    { "a status", { "/status-validate", .object = VM(TPM), .old = VM(""), .request = STATUS }, "" },
    { "what stands in a status", { "/migration-validate-update",
      .object = "{'metadata':{'name':'g'},'spec':{'vmiName':'m'},'status':{'migrationState':{'migrationConfiguration':{'allowPostCopy':true}}}}",
      .old = "{'metadata':{'name':'g'},'spec':{'vmiName':'m'}}" }, "" },
    { "mutators leave it to validators", { "/virtualmachines-mutate", .object = VM(TPM) }, "" },
};
// clang-format on

static void is_told(void **state)
{
    const struct inert_case *c = *state;
    scoped(free) char *got = decision_with(&c->q, NULL, true);

    assert_string_equal(got, c->want);
}

/* A preset's disks need no volumes, so that it may use as many as the test likes. */
static char *said_of_disks(size_t n)
{
    scoped_buf object = BUF_INIT(0);
    struct question q = { .path = "/vmipreset-validate" };

    (void)buf_adds(&object,
                   "{'metadata':{'name':'p'},'spec':{'selector':{},'domain':{'devices':{'disks':[");
    for (size_t i = 0; i < n; i++)
        (void)buf_addf(&object, "%s{'name':'d%zu','tag':'t'}", i ? "," : "", i);
    (void)buf_adds(&object, "]}}}}");
    q.object = object.data;
    return decision_with(&q, NULL, true);
}

static size_t count_of(const char *text, const char *part)
{
    size_t n = 0;

    for (const char *at = strstr(text, part); at; at = strstr(at + 1, part))
        n++;
    return n;
}

static void ten_are_told_one_by_one(void **state)
{
    scoped(free) char *got = said_of_disks(10);

    assert_int_equal(count_of(got, " ! "), 10);
    assert_int_equal(count_of(got, NOT_YET), 10);
}

static void more_are_counted(void **state)
{
    scoped(free) char *got = said_of_disks(40);

    assert_int_equal(count_of(got, " ! "), 10);
    assert_non_null(
        strstr(got, " ! 31 more fields are stored, but cvirt does not act on them yet"));
}

/* What admission fills in is not its user's wish. */
static void defaults_are_not_told(void **state)
{
    json_auto_t *vmi = json_q(VMI(""));
    json_auto_t *kubevirt =
        json_q("{'spec':{'configuration':{'network':{'defaultNetworkInterface':'masquerade'}}}}");
    struct cluster_config *config = NULL;
    struct error e;

    assert_int_equal(cluster_config_new(&config, kubevirt, &e), 0);
    struct review made = { .is_create = true, .object = vmi, .kind = &kind_vmi, .config = config };
    mutate_vmi_with(&made, NULL);
    assert_non_null(made.changed);
    struct review judged = {
        .is_create = true, .object = made.changed, .kind = &kind_vmi, .config = config
    };
    validate_vmi_create(&judged);

    assert_false(review_is_refused(&judged));
    assert_int_equal(json_array_size(judged.warnings), 0);
    review_done(&judged);
    review_done(&made);
    cluster_config_unref(config);
}

static void the_page_tells_of_each_path(void **state)
{
    scoped_buf page = BUF_INIT(0);

    not_acted_on_write(&page);
    assert_non_null(strstr(page.data, "| `spec.domain.devices.tpm.persistent` | "));
    assert_non_null(strstr(page.data, "| `spec.domain.devices.disks[].tag` | "));
    assert_non_null(strstr(page.data, "\n## KubeVirt\n"));
    assert_null(strstr(page.data, "migrations.allowPostCopy"));
    assert_null(strstr(page.data, "autoattachGraphicsDevice"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ten_are_told_one_by_one),
        cmocka_unit_test(more_are_counted),
        cmocka_unit_test(defaults_are_not_told),
        cmocka_unit_test(the_page_tells_of_each_path),
    };
    int failed = RUN_ROWS("inert", cases, is_told);

    return failed + cmocka_run_group_tests_name("inert: bounds", tests, NULL, NULL);
}
