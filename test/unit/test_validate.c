/* SPDX-License-Identifier: Apache-2.0 */
/* Objects against their tables: rows, and decisions of upstream's webhooks on whole objects. */
#include "openapi/validate.h"

#include <stdio.h>

#include "rows.h"

#include "base/str.h"
#include "openapi/kinds.h"

#define VMI(spec) \
    "{'apiVersion':'kubevirt.io/v1','kind':'VirtualMachineInstance','spec':{" spec "}}"
#define DOMAIN(more) VMI("'domain':{'devices':{}," more "}")
#define DEVICES(d) VMI("'domain':{'devices':{" d "}}")

/* `want`: every finding as "cause field", in the order found; "" for none. */
// clang-format off
static const struct validate_case {
    const char *name;
    const struct kind *kind;
    const char *object;
    const char *want;
} cases[] = {
    { "the least instance", &kind_vmi, DEVICES(""), "" },
    { "a number is no object", &kind_vmi, "7", "FieldValueTypeInvalid " },
    { "unknown field at the top", &kind_vmi,
      "{'spec':{'domain':{'devices':{}}},'specs':{}}", "FieldValueForbidden specs" },
    { "unknown field deep down", &kind_vmi, DEVICES("'disks':[{'name':'a','disk':{'buss':'x'}}]"),
      "FieldValueForbidden spec.domain.devices.disks[0].disk.buss" },
    { "unknown field in a status is let through", &kind_vmi,
      "{'spec':{'domain':{'devices':{}}},'status':{'news':1,'memory':{'more':2}}}", "" },
    { "a wrong type in a status is not", &kind_vmi,
      "{'spec':{'domain':{'devices':{}}},'status':{'phase':7}}", "FieldValueTypeInvalid status.phase" },
    { "metadata is anyone's", &kind_vmi,
      "{'metadata':{'x':{'y':1}},'spec':{'domain':{'devices':{}}}}", "" },
    { "unknown members of a clock are kept", &kind_vmi, DOMAIN("'clock':{'new':1}"), "" },
    { "unknown members of affinity are kept", &kind_vmi,
      VMI("'domain':{'devices':{}},'affinity':{'podAffinity':{'new':1}}"), "" },
    { "but its operators are known", &kind_vmi,
      VMI("'domain':{'devices':{}},'affinity':{'nodeAffinity':{"
          "'requiredDuringSchedulingIgnoredDuringExecution':{'nodeSelectorTerms':[{'matchExpressions':["
          "{'key':'k','operator':'Is'}]}]}}}"),
      "FieldValueNotSupported spec.affinity.nodeAffinity."
      "requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[0].matchExpressions[0].operator" },
    { "text where a number belongs", &kind_vmi, DOMAIN("'cpu':{'cores':'2'}"),
      "FieldValueTypeInvalid spec.domain.cpu.cores" },
    { "a fraction where a whole number belongs", &kind_vmi, DOMAIN("'cpu':{'cores':1.5}"),
      "FieldValueTypeInvalid spec.domain.cpu.cores" },
    { "more than 32 bits", &kind_vmi, DOMAIN("'cpu':{'cores':2147483648}"),
      "FieldValueInvalid spec.domain.cpu.cores" },
    { "the most of 32 bits", &kind_vmi, DOMAIN("'cpu':{'cores':2147483647}"), "" },
    { "below the least", &kind_kubevirt,
      "{'spec':{'configuration':{'developerConfiguration':{'memoryOvercommit':9}}}}",
      "FieldValueInvalid spec.configuration.developerConfiguration.memoryOvercommit" },
    { "above the most", &kind_kubevirt,
      "{'spec':{'configuration':{'migrations':{'maxDowntimeMs':2000001}}}}",
      "FieldValueInvalid spec.configuration.migrations.maxDowntimeMs" },
    { "0 is a bound too", &kind_instancetype,
      "{'spec':{'cpu':{'guest':1},'memory':{'guest':'1Gi','overcommitPercent':-1}}}",
      "FieldValueInvalid spec.memory.overcommitPercent" },
    { "a negative count", &kind_vmi, DOMAIN("'cpu':{'cores':-1},'features':{'hyperv':{'spinlocks':{'spinlocks':-1}}}"),
      "FieldValueInvalid spec.domain.cpu.cores FieldValueInvalid spec.domain.features.hyperv.spinlocks.spinlocks" },
    { "a negative block size", &kind_vmi,
      DEVICES("'disks':[{'name':'a','blockSize':{'custom':{'logical':512,'physical':512,'discardGranularity':-512}}}]"),
      "FieldValueInvalid spec.domain.devices.disks[0].blockSize.custom.discardGranularity" },
    { "a negative offset is a good one", &kind_vmi, DOMAIN("'clock':{'utc':{'offsetSeconds':-3600}}"), "" },
    { "a mode that claims do not have", &kind_vm,
      "{'spec':{'dataVolumeTemplates':[{'spec':{'storage':{'accessModes':['ReadWriteOnce','Often'],'volumeMode':'Tape'}}}],"
      "'template':{'spec':{'domain':{'devices':{}}}}}}",
      "FieldValueNotSupported spec.dataVolumeTemplates[0].spec.storage.accessModes[1] "
      "FieldValueNotSupported spec.dataVolumeTemplates[0].spec.storage.volumeMode" },
    { "an object where a list belongs", &kind_vmi, DEVICES("'disks':{}"),
      "FieldValueTypeInvalid spec.domain.devices.disks" },
    { "null where nothing may be missing", &kind_vmi, VMI("'domain':null"),
      "FieldValueTypeInvalid spec.domain" },
    { "null where it may be", &kind_vm,
      "{'spec':{'dataVolumeTemplates':null,'template':{'metadata':null,'spec':{'domain':{'devices':{}}}}}}",
      "" },
    { "a required object", &kind_vmi, VMI("'domain':{}"), "FieldValueRequired spec.domain.devices" },
    { "a required quantity", &kind_vmi,
      VMI("'domain':{'devices':{}},'volumes':[{'name':'a','emptyDisk':{}}]"),
      "FieldValueRequired spec.volumes[0].emptyDisk.capacity" },
    { "a required text counts as empty", &kind_vmi, DEVICES("'disks':[{}]"), "" },
    { "a required choice does not", &kind_vmi,
      VMI("'domain':{'devices':{}},'topologySpreadConstraints':[{'maxSkew':1,'topologyKey':'a'}]"),
      "FieldValueRequired spec.topologySpreadConstraints[0].whenUnsatisfiable" },
    { "no choice of ours", &kind_vmi, DOMAIN("'rebootPolicy':'Never'"),
      "FieldValueNotSupported spec.domain.rebootPolicy" },
    { "a quantity", &kind_vmi, DOMAIN("'memory':{'guest':'512Mi'}"), "" },
    { "a quantity as a number", &kind_vmi, DOMAIN("'memory':{'guest':536870912}"), "" },
    { "no quantity", &kind_vmi, DOMAIN("'memory':{'guest':'512Mx'}"),
      "FieldValueInvalid spec.domain.memory.guest" },
    { "no quantity in a map", &kind_vmi, DOMAIN("'resources':{'requests':{'cpu':'x','memory':'1Gi'}}"),
      "FieldValueInvalid spec.domain.resources.requests[cpu]" },
    { "true for a quantity", &kind_vmi, DOMAIN("'memory':{'guest':true}"),
      "FieldValueTypeInvalid spec.domain.memory.guest" },
    { "a port by name or number", &kind_vmi,
      VMI("'domain':{'devices':{}},'readinessProbe':{'tcpSocket':{'port':'ssh'}},"
          "'livenessProbe':{'tcpSocket':{'port':22}}"),
      "" },
    { "a set with an item twice", &kind_vmi,
      VMI("'domain':{'devices':{}},'accessCredentials':[{'sshPublicKey':{'source':{},"
          "'propagationMethod':{'qemuGuestAgent':{'users':['a','b','a']}}}}]"),
      "FieldValueDuplicate spec.accessCredentials[0].sshPublicKey.propagationMethod."
      "qemuGuestAgent.users[2]" },
    { "a keyed list with a key twice", &kind_vmi,
      VMI("'domain':{'devices':{}},'resourceClaims':[{'name':'a'},{'name':'a'}]"),
      "FieldValueDuplicate spec.resourceClaims[1].name" },
    { "too many items", &kind_kubevirt,
      "{'spec':{'configuration':{'hypervisors':[{'name':'kvm'},{'name':'kvm'}]}}}",
      "FieldValueTooMany spec.configuration.hypervisors" },
    { "rules of a path", &kind_vmi,
      VMI("'domain':{'devices':{}},'volumes':[{'name':'a','containerPath':{'path':'a/../b','readOnly':false}}]"),
      "FieldValueInvalid spec.volumes[0].containerPath.path "
      "FieldValueInvalid spec.volumes[0].containerPath.path "
      "FieldValueInvalid spec.volumes[0].containerPath.readOnly" },
    { "too short", &kind_kubevirt,
      "{'spec':{'customizeComponents':{'patches':[{'patch':'','type':'json','resourceName':'',"
      "'resourceType':'a'}]}}}",
      "FieldValueInvalid spec.customizeComponents.patches[0].resourceName" },
    { "no time", &kind_vmi,
      "{'spec':{'domain':{'devices':{}}},'status':{'conditions':[{'type':'a','status':'True',"
      "'lastProbeTime':null,'lastTransitionTime':'yesterday'}]}}",
      "FieldValueInvalid status.conditions[0].lastTransitionTime" },
    { "several faults at once", &kind_vmirs,
      "{'spec':{'replicas':'3','template':{'spec':{'domain':{'devices':{},'x':1}}}}}",
      "FieldValueTypeInvalid spec.replicas FieldValueForbidden spec.template.spec.domain.x "
      "FieldValueRequired spec.selector" },
};
// clang-format on

static void validates(void **state)
{
    const struct validate_case *c = *state;
    json_auto_t *object = json_q(c->object);
    char got[4096] = "";
    scoped_findings f;

    findings_init(&f);
    schema_validate(c->kind, object, &f);
    for (size_t i = 0; i < f.len; i++) {
        const size_t len = strlen(got);
        snprintf(got + len, sizeof(got) - len, "%s%s %s", i ? " " : "", cause_text(f.item[i].cause),
                 f.item[i].field);
        assert_true(strlen(f.item[i].message) > 5);
    }
    assert_string_equal(got, c->want);
}

static const struct hint_case {
    const char *name;
    const char *object;
    const char *want; /* message of the only finding */
} hints[] = {
    { "a letter too many", DOMAIN("'cpus':{}"), "unknown field; did you mean 'cpu'?" },
    { "another case", DEVICES("'autoAttachVSOCK':true"),
      "unknown field; did you mean 'autoattachVSOCK'?" },
    { "nothing like it", DEVICES("'quux':true"), "unknown field; remove it" },
    { "what is missing is explained", VMI("'domain':{}"),
      "must be set: Devices that the guest sees." },
    { "choices are listed", DOMAIN("'rebootPolicy':'x'"), "is 'x'; use one of Reboot, Terminate" },
    { "both types are named", DOMAIN("'cpu':{'cores':'2'}"), "must be a number, not a string" },
};

static void says_what_to_do(void **state)
{
    const struct hint_case *c = *state;
    json_auto_t *object = json_q(c->object);
    scoped_findings f;

    findings_init(&f);
    schema_validate(&kind_vmi, object, &f);
    assert_int_equal(f.len, 1);
    assert_string_equal(f.item[0].message, c->want);
}

/* An object full of faults costs no more than the list holds. */
static void stays_bounded(void **state)
{
    json_auto_t *object = json_q(DEVICES("'disks':[]"));
    json_t *disks = json_object_get(
        json_object_get(json_object_get(json_object_get(object, "spec"), "domain"), "devices"),
        "disks");
    scoped_findings f;

    for (int i = 0; i < 10000; i++)
        must_append(disks, json_integer(i));
    findings_init(&f);
    schema_validate(&kind_vmi, object, &f);
    assert_int_equal(f.len, FINDINGS_MAX);
    assert_int_equal(f.dropped, 10001 - FINDINGS_MAX); /* one for the length of the list */
}

/* A body of another folder, found somewhere else than at the top. */
static void checks_a_part(void **state)
{
    json_auto_t *part = json_q("{'domain':{'devices':{}},'hostnam':'x'}");
    const struct at at = AT_NAME(NULL, "spec.template.spec");
    scoped_findings f;

    findings_init(&f);
    schema_check(schema_find(kind_vmi.schema, "spec")->schema, part, &at, &f);
    assert_int_equal(f.len, 1);
    assert_string_equal(f.item[0].field, "spec.template.spec.hostnam");
}

/* Recorded decisions: an object that upstream admits has no fault, one that its schema refuses has.
 */
static void decides_as_recorded(void **state)
{
    FILE *file = fopen("test/golden/openapi/admission.jsonl", "re");
    char *line = NULL;
    size_t size = 0, n = 0;

    assert_non_null(file);
    while (getline(&line, &size, file) > 0) {
        json_auto_t *row = json_loads(line, 0, NULL);
        const json_t *object = json_object_get(row, "object");
        const struct kind *k =
            kind_find("kubevirt.io", json_string_value(json_object_get(object, "kind")));
        scoped_findings f;

        findings_init(&f);
        schema_validate(k, object, &f);
        scoped(free) char *message = findings_message(&f);
        if (findings_any(&f) == json_is_true(json_object_get(row, "clean")))
            fail_msg("%s: found '%s'", json_string_value(json_object_get(row, "id")), message);
        n++;
    }
    free(line);
    fclose(file);
    assert_true(n > 80);
}

int main(void)
{
    const struct CMUnitTest others[] = {
        cmocka_unit_test(stays_bounded),
        cmocka_unit_test(checks_a_part),
        cmocka_unit_test(decides_as_recorded),
    };
    return RUN_ROWS("validate", cases, validates) + RUN_ROWS("hints", hints, says_what_to_do) +
           cmocka_run_group_tests_name("whole", others, NULL, NULL);
}
