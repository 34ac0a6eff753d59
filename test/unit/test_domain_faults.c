// SPDX-License-Identifier: Apache-2.0
/* Machines that the domain writer refuses, and the field that it names. */
#include "launcher/domain.h"

#include "test/unit/rows.h"

#define VMI(domain) \
    "{'metadata':{'name':'vm','namespace':'ns','uid':'u'},'spec':{'domain':" domain "}}"
#define MEMORY "'memory':{'guest':'64Mi'}"

static const struct fault_case {
    const char *name, *vmi;
    bool has_kvm, may_emulate;
    enum error_code code; /* ERR_NONE: accepted */
    const char *why;
} cases[] = {
    { "smallest machine", VMI("{" MEMORY "}"), true, false, ERR_NONE, NULL },
    { "no KVM, emulation allowed", VMI("{" MEMORY "}"), false, true, ERR_NONE, NULL },
    { "no KVM, emulation not allowed", VMI("{" MEMORY "}"), false, false, ERR_UNAVAILABLE,
      "/dev/kvm" },
    { "no domain", "{'metadata':{'name':'vm','namespace':'ns','uid':'u'},'spec':{}}", true, false,
      ERR_INVALID, "spec.domain" },
    { "no memory", VMI("{}"), true, false, ERR_INVALID, "memory.guest" },
    { "memory that is none", VMI("{'memory':{'guest':'much'}}"), true, false, ERR_INVALID,
      "memory.guest" },
    { "memory by the request", VMI("{'resources':{'requests':{'memory':'64Mi'}}}"), true, false,
      ERR_NONE, NULL },
    { "too many vCPUs", VMI("{" MEMORY ",'cpu':{'cores':512,'sockets':2}}"), true, false,
      ERR_INVALID, "vCPUs" },
    { "vCPUs whose product overflows",
      VMI("{" MEMORY ",'cpu':{'cores':9000000000,'sockets':9000000000}}"), true, false, ERR_INVALID,
      "vCPUs" },
    { "unknown architecture",
      "{'metadata':{'name':'vm','namespace':'ns'},'spec':{'architecture':'vax','domain':{" MEMORY
      "}}}",
      true, false, ERR_INVALID, "architecture" },
    { "a GPU", VMI("{" MEMORY ",'devices':{'gpus':[{'name':'g'}]}}"), true, false, ERR_INVALID,
      "devices.gpus" },
    { "no GPU after all", VMI("{" MEMORY ",'devices':{'gpus':[]}}"), true, false, ERR_NONE, NULL },
    { "SEV", VMI("{" MEMORY ",'launchSecurity':{'sev':{}}}"), true, false, ERR_INVALID,
      "launchSecurity" },
    { "SR-IOV", VMI("{" MEMORY ",'devices':{'interfaces':[{'name':'a','sriov':{}}]}}"), true, false,
      ERR_INVALID, "sriov" },
    { "a disk without a volume",
      VMI("{" MEMORY ",'devices':{'disks':[{'name':'root','disk':{}}]}}"), true, false, ERR_INVALID,
      "\"root\"" },
    { "a volume's name that climbs",
      "{'metadata':{'name':'vm','namespace':'ns'},'spec':{'domain':{" MEMORY
      "},'volumes':[{'name':'../x','emptyDisk':{}}]}}",
      true, false, ERR_INVALID, "volumes[0]" },
    { "an ACPI table's name that climbs",
      VMI("{" MEMORY ",'firmware':{'acpi':{'slicNameRef':'../../etc'}}}"), true, false, ERR_INVALID,
      "slicNameRef" },
    { "a PCI address that is none",
      "{'metadata':{'name':'vm','namespace':'ns'},'spec':{'domain':{" MEMORY ",'devices':{'disks':["
      "{'name':'a','disk':{'bus':'virtio','pciAddress':'7'}}]}},'volumes':[{'name':'a','emptyDisk':{}}]}}",
      true, false, ERR_INVALID, "pciAddress" },
    { "pinning without enough CPUs",
      VMI("{" MEMORY ",'cpu':{'cores':2,'dedicatedCpuPlacement':true}}"), true, false, ERR_INVALID,
      "dedicatedCpuPlacement" },
    { "UEFI without firmware", VMI("{" MEMORY ",'firmware':{'bootloader':{'efi':{}}}}"), true,
      false, ERR_INVALID, "UEFI" },
    { "an input that is no tablet", VMI("{" MEMORY ",'devices':{'inputs':[{'type':'mouse'}]}}"),
      true, false, ERR_INVALID, "inputs[0]" },
    { "a VSOCK device before it has an address",
      VMI("{" MEMORY ",'devices':{'autoattachVSOCK':true}}"), true, false, ERR_INVALID,
      "status.VSOCKCID" },
    { "a VSOCK device with the node's address",
      "{'metadata':{'name':'vm','namespace':'ns','uid':'u'},'spec':{'domain':{" MEMORY
      ",'devices':{'autoattachVSOCK':true}}},'status':{'VSOCKCID':2}}",
      true, false, ERR_INVALID, "status.VSOCKCID" },
};

static void faults(void **state)
{
    const struct fault_case *c = *state;
    json_auto_t *vmi = json_q(c->vmi);
    const struct domain_facts facts = {
        .is_kvm_usable = c->has_kvm,
        .is_emulation_allowed = c->may_emulate,
        .layout = LAYOUT_DEFAULT,
    };
    struct error e = { 0 };
    scoped(free) char *xml = NULL;

    int r = domain_xml(&xml, vmi, NULL, &facts, &e);
    assert_int_equal(r, -(int)c->code);
    if (c->why)
        assert_non_null(strstr(e.msg, c->why));
    if (!c->code)
        assert_non_null(strstr(xml, c->has_kvm ? "type=\"kvm\"" : "type=\"qemu\""));
}

static void a_vsock_device_has_the_address_that_status_says(void **state)
{
    json_auto_t *vmi = json_q("{'metadata':{'name':'vm','namespace':'ns','uid':'u'},'spec':{"
                              "'domain':{" MEMORY ",'devices':{'autoattachVSOCK':true}}},"
                              "'status':{'VSOCKCID':4294967294}}");
    const struct domain_facts facts = { .is_kvm_usable = true, .layout = LAYOUT_DEFAULT };
    struct error e = { 0 };
    scoped(free) char *xml = NULL;

    assert_int_equal(domain_xml(&xml, vmi, NULL, &facts, &e), 0);
    assert_non_null(strstr(xml, "<vsock model=\"virtio-non-transitional\">"));
    assert_non_null(strstr(xml, "<cid auto=\"no\" address=\"4294967294\"/>"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_vsock_device_has_the_address_that_status_says),
    };
    int failed = cmocka_run_group_tests_name("domain vsock", tests, NULL, NULL);

    return failed + RUN_ROWS("domain faults", cases, faults);
}
