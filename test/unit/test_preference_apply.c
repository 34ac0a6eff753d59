/* SPDX-License-Identifier: Apache-2.0 */
/* What a preference fills in, what it leaves alone, and what it requires. */
#include "base/buf.h"
#include "base/jpath.h"
#include "openapi/preference_apply.h"
#include "rows.h"

#define DEV(members) "{'domain':{'devices':{" members "}}}"

// clang-format off
static const struct fill_case {
    const char *name;
    const char *preference, *spec;
    const char *path, *want; /* in the template's spec */
} fill_cases[] = {
    { "an open switch", "{'devices':{'preferredAutoattachGraphicsDevice':false}}", "{}", "domain.devices.autoattachGraphicsDevice", "false" },
    { "a switch that is off stays off", "{'devices':{'preferredAutoattachMemBalloon':true}}", DEV("'autoattachMemBalloon':false"),
      "domain.devices.autoattachMemBalloon", "false" },
    { "queues of interfaces", "{'devices':{'preferredNetworkInterfaceMultiQueue':true}}", "{}", "domain.devices.networkInterfaceMultiqueue", "true" },
    { "queues of disks", "{'devices':{'preferredBlockMultiQueue':true}}", "{}", "domain.devices.blockMultiQueue", "true" },
    { "hotplug is overwritten", "{'devices':{'preferredDisableHotplug':true}}", DEV("'disableHotplug':false"), "domain.devices.disableHotplug", "true" },
    { "ACPI is overwritten", "{'features':{'preferredAcpi':{'enabled':false}}}", "{'domain':{'features':{'acpi':{'enabled':true}}}}",
      "domain.features.acpi", "{'enabled':false}" },
    { "other features are not", "{'features':{'preferredApic':{'enabled':true}}}", "{'domain':{'features':{'apic':{'enabled':false}}}}",
      "domain.features.apic", "{'enabled':false}" },
    { "random numbers", "{'devices':{'preferredRng':{}}}", "{}", "domain.devices.rng", "{}" },
    { "a TPM", "{'devices':{'preferredTPM':{'persistent':true}}}", "{}", "domain.devices.tpm", "{'persistent':true}" },
    { "a TPM that is refused", "{'devices':{'preferredTPM':{}}}", DEV("'tpm':{'enabled':false}"), "domain.devices.tpm", "{'enabled':false}" },
    { "the model of a sound card", "{'devices':{'preferredSoundModel':'ac97'}}", DEV("'sound':{'name':'s'}"), "domain.devices.sound",
      "{'name':'s','model':'ac97'}" },
    { "no sound card for its model", "{'devices':{'preferredSoundModel':'ac97'}}", "{}", "domain.devices.sound", NULL },
    { "a graphics card", "{'devices':{'preferredVideoType':'virtio'}}", "{}", "domain.devices.video", "{'type':'virtio'}" },
    { "no graphics card without a screen", "{'devices':{'preferredVideoType':'virtio'}}", DEV("'autoattachGraphicsDevice':false"),
      "domain.devices.video", NULL },
    { "no graphics card without the preferred screen",
      "{'devices':{'preferredVideoType':'virtio','preferredAutoattachGraphicsDevice':false}}", "{}", "domain.devices.video", NULL },

    { "buses by the kind of disk", "{'devices':{'preferredDiskBus':'virtio','preferredCdromBus':'scsi','preferredLunBus':'sata'}}",
      DEV("'disks':[{'name':'a'},{'name':'b','disk':{}},{'name':'c','cdrom':{}},{'name':'d','lun':{}},{'name':'e','disk':{'bus':'usb'}}]"),
      "domain.devices.disks",
      "[{'name':'a','disk':{'bus':'virtio'}},{'name':'b','disk':{'bus':'virtio'}},{'name':'c','cdrom':{'bus':'scsi'}},"
      "{'name':'d','lun':{'bus':'sata'}},{'name':'e','disk':{'bus':'usb'}}]" },
    { "cache, I/O and block sizes", "{'devices':{'preferredDiskCache':'none','preferredDiskIO':'native','preferredDiskBlockSize':{'matchVolume':{}}}}",
      DEV("'disks':[{'name':'a','disk':{},'cache':'writeback'}]"), "domain.devices.disks",
      "[{'name':'a','disk':{},'cache':'writeback','io':'native','blockSize':{'matchVolume':{}}}]" },
    { "threads for virtio disks only", "{'devices':{'preferredDiskDedicatedIoThread':true}}",
      DEV("'disks':[{'name':'a','disk':{'bus':'virtio'}},{'name':'b','disk':{'bus':'sata'}}]"), "domain.devices.disks",
      "[{'name':'a','disk':{'bus':'virtio'},'dedicatedIOThread':true},{'name':'b','disk':{'bus':'sata'}}]" },
    { "threads for the disks that the preference makes virtio", "{'devices':{'preferredDiskBus':'virtio','preferredDiskDedicatedIoThread':true}}",
      DEV("'disks':[{'name':'a'}]"), "domain.devices.disks[0].dedicatedIOThread", "true" },

    { "models of interfaces", "{'devices':{'preferredInterfaceModel':'e1000'}}", DEV("'interfaces':[{'name':'a'},{'name':'b','model':'virtio'}]"),
      "domain.devices.interfaces", "[{'name':'a','model':'e1000'},{'name':'b','model':'virtio'}]" },
    { "masquerade on the pod's network, where nothing connects yet", "{'devices':{'preferredInterfaceMasquerade':{}}}",
      "{'networks':[{'name':'a','pod':{}},{'name':'b','pod':{}},{'name':'c','multus':{'networkName':'n'}}],"
      "'domain':{'devices':{'interfaces':[{'name':'a'},{'name':'b','bridge':{}},{'name':'c'}]}}}",
      "domain.devices.interfaces", "[{'name':'a','masquerade':{}},{'name':'b','bridge':{}},{'name':'c'}]" },
    { "bus and type of inputs", "{'devices':{'preferredInputBus':'virtio','preferredInputType':'tablet'}}", DEV("'inputs':[{'name':'i','bus':'usb'}]"),
      "domain.devices.inputs", "[{'name':'i','bus':'usb','type':'tablet'}]" },
    { "the model of panic devices", "{'devices':{'preferredPanicDeviceModel':'isa'}}", DEV("'panicDevices':[{}]"), "domain.devices.panicDevices",
      "[{'model':'isa'}]" },
    { "settings of virtual GPUs", "{'devices':{'preferredVirtualGPUOptions':{'display':{}}}}", DEV("'gpus':[{'name':'g'}]"), "domain.devices.gpus",
      "[{'name':'g','virtualGPUOptions':{'display':{}}}]" },

    { "processor features that are not named", "{'cpu':{'preferredCPUFeatures':[{'name':'a','policy':'require'},{'name':'b'}]}}",
      "{'domain':{'cpu':{'features':[{'name':'a','policy':'forbid'}]}}}", "domain.cpu.features", "[{'name':'a','policy':'forbid'},{'name':'b'}]" },
    { "enlightenments one by one", "{'features':{'preferredHyperv':{'relaxed':{},'vapic':{}}}}",
      "{'domain':{'features':{'hyperv':{'vapic':{'enabled':false}}}}}", "domain.features.hyperv", "{'vapic':{'enabled':false},'relaxed':{}}" },
    { "no enlightenments beside all of the node's", "{'features':{'preferredHyperv':{'relaxed':{}}}}",
      "{'domain':{'features':{'hypervPassthrough':{}}}}", "domain.features.hyperv", NULL },
    { "what the clock shows", "{'clock':{'preferredClockOffset':{'timezone':'Europe/Berlin'}}}", "{}", "domain.clock", "{'timezone':'Europe/Berlin'}" },
    { "a clock that shows UTC keeps to it", "{'clock':{'preferredClockOffset':{'timezone':'Europe/Berlin'}}}", "{'domain':{'clock':{'utc':{}}}}",
      "domain.clock", "{'utc':{}}" },
    { "timers as a whole", "{'clock':{'preferredTimer':{'hpet':{'present':false}}}}", "{'domain':{'clock':{'utc':{}}}}", "domain.clock",
      "{'utc':{},'timer':{'hpet':{'present':false}}}" },

    { "UEFI", "{'firmware':{'preferredEfi':{'secureBoot':false}}}", "{}", "domain.firmware.bootloader", "{'efi':{'secureBoot':false}}" },
    { "UEFI by the old switches", "{'firmware':{'preferredUseEfi':true,'preferredUseSecureBoot':true}}", "{}", "domain.firmware.bootloader",
      "{'efi':{'secureBoot':true}}" },
    { "BIOS on the serial console", "{'firmware':{'preferredUseBios':true,'preferredUseBiosSerial':true}}", "{}", "domain.firmware.bootloader",
      "{'bios':{'useSerial':true}}" },
    { "a machine that boots by BIOS keeps to it", "{'firmware':{'preferredEfi':{}}}", "{'domain':{'firmware':{'bootloader':{'bios':{}}}}}",
      "domain.firmware.bootloader", "{'bios':{}}" },
    { "no firmware for nothing", "{'firmware':{'preferredUseBios':false}}", "{}", "domain.firmware", NULL },

    { "the machine type", "{'machine':{'preferredMachineType':'q35'}}", "{}", "domain.machine", "{'type':'q35'}" },
    { "an empty text is open", "{'preferredSubdomain':'s'}", "{'subdomain':''}", "subdomain", "'s'" },
    { "the user's subdomain", "{'preferredSubdomain':'s'}", "{'subdomain':'t'}", "subdomain", "'t'" },
    { "seconds to shut down", "{'preferredTerminationGracePeriodSeconds':0}", "{}", "terminationGracePeriodSeconds", "0" },
    { "the user's seconds, if none", "{'preferredTerminationGracePeriodSeconds':9}", "{'terminationGracePeriodSeconds':0}",
      "terminationGracePeriodSeconds", "0" },
    { "the architecture", "{'preferredArchitecture':'arm64'}", "{}", "architecture", "'arm64'" },
    { "launch security", "{'preferredLaunchSecurity':{'sev':{}}}", "{}", "domain.launchSecurity", "{'sev':{}}" },
};

// clang-format on

static void fills(void **state)
{
    const struct fill_case *c = *state;
    json_auto_t *preference = json_q(c->preference);
    json_auto_t *template = must_pack("{s:o}", "spec", json_q(c->spec));
    json_auto_t *want = json_q(c->want);

    preference_apply(preference, template);
    assert_json(jpath(jpath_obj(template, "spec"), c->path), want);
}

static void annotations(void **state)
{
    json_auto_t *preference = json_q("{'annotations':{'a':'1','b':'2'}}");
    json_auto_t *template = json_q("{'metadata':{'annotations':{'a':'0'}},'spec':{}}");
    json_auto_t *want = json_q("{'a':'0','b':'2'}");

    preference_apply(preference, template);
    assert_json(jpath(template, "metadata.annotations"), want);
}

/* ---- requirements ---- */

#define NEEDS_CPU(topology) "{'requirements':{'cpu':{'guest':4}},'cpu':{" topology "}}"
#define CPU(n, m, o) "{'domain':{'cpu':{'sockets':" n ",'cores':" m ",'threads':" o "}}}"
#define AT "spec.template.spec.domain."

// clang-format off
static const struct require_case {
    const char *name;
    const char *preference, *type, *spec;
    const char *want; /* "field|field" */
} require_cases[] = {
    { "none", "{}", NULL, "{}", "" },
    { "a type with enough", NEEDS_CPU(""), "{'cpu':{'guest':4}}", "{}", "" },
    { "a type with less", NEEDS_CPU(""), "{'cpu':{'guest':3}}", "{}", "spec.instancetype" },
    { "a machine without processors", NEEDS_CPU(""), NULL, "{}", AT "cpu" },
    { "too few sockets, whatever cores", NEEDS_CPU(""), NULL, CPU("2", "8", "1"), AT "cpu.sockets" },
    { "enough sockets", NEEDS_CPU("'preferredCPUTopology':'sockets'"), NULL, CPU("4", "1", "1"), "" },
    { "too few cores", NEEDS_CPU("'preferredCPUTopology':'cores'"), NULL, CPU("4", "1", "1"), AT "cpu.cores" },
    { "too few threads", NEEDS_CPU("'preferredCPUTopology':'preferThreads'"), NULL, CPU("4", "1", "1"), AT "cpu.threads" },
    { "any level counts", NEEDS_CPU("'preferredCPUTopology':'any'"), NULL, CPU("1", "2", "2"), "" },
    { "too few of any", NEEDS_CPU("'preferredCPUTopology':'any'"), NULL, CPU("1", "2", "1"),
      AT "cpu.sockets, " AT "cpu.cores, " AT "cpu.threads" },
    { "spread: sockets and cores", NEEDS_CPU("'preferredCPUTopology':'spread'"), NULL, CPU("2", "1", "4"), AT "cpu.sockets, " AT "cpu.cores" },
    { "spread: cores and threads", NEEDS_CPU("'preferredCPUTopology':'spread','spreadOptions':{'across':'CoresThreads'}"), NULL,
      CPU("1", "2", "2"), "" },
    { "levels that overflow suffice", NEEDS_CPU("'preferredCPUTopology':'any'"), NULL,
      CPU("9223372036854775807", "9223372036854775807", "2"), "" },
    { "memory of the type", "{'requirements':{'memory':{'guest':'1Gi'}}}", "{'memory':{'guest':'512Mi'}}", "{}", "spec.instancetype" },
    { "memory of the type in other words", "{'requirements':{'memory':{'guest':'1Gi'}}}", "{'memory':{'guest':'1024Mi'}}", "{}", "" },
    { "memory of the machine", "{'requirements':{'memory':{'guest':'1Gi'}}}", NULL, "{'domain':{'memory':{'guest':'1023Mi'}}}", AT "memory.guest" },
    { "no memory", "{'requirements':{'memory':{'guest':'1Gi'}}}", NULL, "{'domain':{}}", AT "memory" },
    { "another architecture", "{'requirements':{'architecture':'arm64'}}", NULL, "{'architecture':'amd64'}", "spec.template.spec.architecture" },
    { "the architecture", "{'requirements':{'architecture':'arm64'}}", NULL, "{'architecture':'arm64'}", "" },
    { "each that fails", "{'requirements':{'cpu':{'guest':2},'memory':{'guest':'1Gi'},'architecture':'arm64'}}",
      "{'cpu':{'guest':1},'memory':{'guest':'2Gi'}}", "{}", "spec.instancetype|spec.template.spec.architecture" },
};

// clang-format on

static void requires(void **state)
{
    const struct require_case *c = *state;
    json_auto_t *preference = json_q(c->preference);
    json_auto_t *type = json_q(c->type);
    json_auto_t *spec = json_q(c->spec);
    scoped_findings f;
    scoped_buf got = BUF_INIT(0);

    findings_init(&f);
    preference_check(preference, type, spec, &f);
    for (size_t i = 0; i < f.len; i++) {
        assert_int_equal(f.item[i].cause, CAUSE_NOT_FOUND);
        (void)buf_addf(&got, "%s%s", i ? "|" : "", f.item[i].field);
    }
    assert_string_equal(got.data ? got.data : "", c->want);
}

int main(void)
{
    static const struct CMUnitTest rest[] = { cmocka_unit_test(annotations) };
    int failed = RUN_ROWS("preference_apply", fill_cases, fills);

    failed += cmocka_run_group_tests_name("preference_apply, annotations", rest, NULL, NULL);
    return failed + RUN_ROWS("preference_check", require_cases, requires);
}
