/* SPDX-License-Identifier: Apache-2.0 */
/* What is filled into an instance: a spec, the configuration, and values expected at paths. */
#include "base/jpath.h"
#include "base/str.h"
#include "rows.h"
#include "webhooks/defaults.h"
#include "webhooks/mutators.h"

static const char tuned[] =
    "{'spec':{'configuration':{'cpuModel':'Skylake-Server','cpuRequest':'200m','evictionStrategy':"
    "'LiveMigrate','architectureConfiguration':{'amd64':{'machineType':'pc-q35-7.2'}},"
    "'liveUpdateConfiguration':{'maxHotplugRatio':2,'maxGuest':'8Gi'},"
    "'network':{'defaultNetworkInterface':'masquerade'}}}}";
static const char sockets8[] =
    "{'spec':{'configuration':{'liveUpdateConfiguration':{'maxCpuSockets':8}}}}";
static const char stage[] = "{'spec':{'configuration':{'vmRolloutStrategy':'Stage'}}}";

struct default_case {
    const char *name, *config, *spec, *path, *want; /* want is JSON; NULL: absent */
};

#define DOMAIN(members) "{'domain':{'devices':{}," members "}}"
#define BARE "{'domain':{'devices':{}}}"

// clang-format off
static const struct default_case cases[] = {
    { "architecture", NULL, BARE, "architecture", "'amd64'" },
    { "machine type", NULL, BARE, "domain.machine.type", "'q35'" },
    { "machine type of arm64", NULL, "{'architecture':'arm64','domain':{'devices':{}}}", "domain.machine.type", "'virt'" },
    { "configured machine type", tuned, BARE, "domain.machine.type", "'pc-q35-7.2'" },
    { "machine type that was given", tuned, DOMAIN("'machine':{'type':'q35'}"), "domain.machine.type", "'q35'" },
    { "eviction strategy", NULL, BARE, "evictionStrategy", "'None'" },
    { "configured eviction strategy", tuned, BARE, "evictionStrategy", "'LiveMigrate'" },

    { "CPU request from the limit", NULL, DOMAIN("'resources':{'limits':{'cpu':'2'}}"), "domain.resources.requests.cpu", "'2'" },
    { "configured CPU request", tuned, BARE, "domain.resources.requests.cpu", "'200m'" },
    { "no CPU request for pinned CPUs", tuned, DOMAIN("'cpu':{'dedicatedCpuPlacement':true}"), "domain.resources.requests.cpu", NULL },
    { "no CPU request of its own", NULL, BARE, "domain.resources.requests.cpu", NULL },
    { "memory from the request", NULL, DOMAIN("'resources':{'requests':{'memory':'128Mi'}}"), "domain.memory.guest", "'128Mi'" },
    { "memory from the limit", NULL, DOMAIN("'resources':{'limits':{'memory':'1.5Gi'}}"), "domain.memory.guest", "'1536Mi'" },
    { "memory from one huge page", NULL, DOMAIN("'memory':{'hugepages':{'pageSize':'2Mi'}}"), "domain.memory.guest", "'2Mi'" },
    { "memory request of zero", NULL, DOMAIN("'resources':{'requests':{'memory':'0'}}"), "domain.memory", "{}" },

    { "one socket", NULL, BARE, "domain.cpu.sockets", "1" },
    { "sockets from the limit, rounded up", NULL, DOMAIN("'resources':{'limits':{'cpu':'2500m'}}"), "domain.cpu.sockets", "3" },
    { "no more sockets than a count holds", NULL, DOMAIN("'resources':{'requests':{'cpu':'2Gi'}}"), "domain.cpu.sockets", "2147483647" },
    { "cores alone stay alone", NULL, DOMAIN("'cpu':{'cores':2}"), "domain.cpu.sockets", NULL },
    { "CPU model", NULL, BARE, "domain.cpu.model", "'host-model'" },
    { "configured CPU model", tuned, BARE, "domain.cpu.model", "'Skylake-Server'" },
    { "sockets to add", NULL, BARE, "domain.cpu.maxSockets", "4" },
    { "sockets to add by ratio", tuned, DOMAIN("'cpu':{'sockets':3}"), "domain.cpu.maxSockets", "6" },
    { "sockets to add as configured", sockets8, DOMAIN("'cpu':{'sockets':3}"), "domain.cpu.maxSockets", "8" },
    { "never fewer than there are", sockets8, DOMAIN("'cpu':{'sockets':9}"), "domain.cpu.maxSockets", "9" },
    { "512 vCPUs are the most", NULL, DOMAIN("'cpu':{'sockets':100,'cores':2}"), "domain.cpu.maxSockets", "256" },
    { "nothing to add when staged", stage, BARE, "domain.cpu.maxSockets", NULL },
    { "memory to add", NULL, DOMAIN("'memory':{'guest':'1Gi'}"), "domain.memory.maxGuest", "'4Gi'" },
    { "memory to add as configured", tuned, DOMAIN("'memory':{'guest':'1Gi'}"), "domain.memory.maxGuest", "'8Gi'" },
    { "small machines do not grow", NULL, DOMAIN("'memory':{'guest':'512Mi'}"), "domain.memory.maxGuest", NULL },
    { "odd sizes do not grow", NULL, DOMAIN("'memory':{'guest':'1025Mi'}"), "domain.memory.maxGuest", NULL },
    { "encrypted machines do not grow", NULL, DOMAIN("'memory':{'guest':'1Gi'},'launchSecurity':{'sev':{}}"), "domain.memory.maxGuest", NULL },
    { "the largest memory there is", NULL, DOMAIN("'memory':{'guest':'9E'}"), "domain.memory.maxGuest", NULL },

    { "pod network", NULL, BARE, "networks", "[{'name':'default','pod':{}}]" },
    { "its interface", NULL, BARE, "domain.devices.interfaces", "[{'name':'default','bridge':{}}]" },
    { "its interface as configured", tuned, BARE, "domain.devices.interfaces", "[{'name':'default','masquerade':{}}]" },
    { "no network was wanted", NULL, "{'domain':{'devices':{'autoattachPodInterface':false}}}", "networks", NULL },
    { "disk for a volume", NULL, "{'domain':{'devices':{}},'volumes':[{'name':'v','emptyDisk':{'capacity':'1'}}]}",
      "domain.devices.disks", "[{'name':'v','disk':{'bus':'sata'}}]" },
    { "disk for a volume without name", NULL, "{'domain':{'devices':{}},'volumes':[{'emptyDisk':{'capacity':'1'}}]}",
      "domain.devices.disks", "[{'name':'','disk':{'bus':'sata'}}]" },
    { "file system is enough", NULL, "{'domain':{'devices':{'filesystems':[{'name':'v','virtiofs':{}}]}},'volumes':[{'name':'v','configMap':{'name':'c'}}]}",
      "domain.devices.disks", NULL },
    { "disks of arm64", NULL, "{'architecture':'arm64','domain':{'devices':{'disks':[{'name':'v'}]}}}",
      "domain.devices.disks", "[{'name':'v','disk':{'bus':'virtio'}}]" },
    { "CD-ROM drive", NULL, "{'domain':{'devices':{'disks':[{'name':'v','cdrom':{}}]}}}",
      "domain.devices.disks", "[{'name':'v','cdrom':{'bus':'sata','readonly':true,'tray':'closed'}}]" },
    { "untagged image is pulled", NULL, "{'domain':{'devices':{}},'volumes':[{'name':'v','containerDisk':{'image':'os'}}]}",
      "volumes[0].containerDisk.imagePullPolicy", "'Always'" },
    { "tagged image is kept", NULL, "{'domain':{'devices':{}},'volumes':[{'name':'v','containerDisk':{'image':'os:1'}}]}",
      "volumes[0].containerDisk.imagePullPolicy", "'IfNotPresent'" },

    { "ACPI", NULL, BARE, "domain.features.acpi.enabled", "true" },
    { "no ACPI on s390x", NULL, "{'architecture':'s390x','domain':{'devices':{}}}", "domain.features.acpi.enabled", "false" },
    { "features that are named are on", NULL, DOMAIN("'features':{'smm':{}}"), "domain.features.smm.enabled", "true" },
    { "what a Hyper-V part needs", NULL, DOMAIN("'features':{'hyperv':{'synictimer':{}}}"), "domain.features.hyperv.vpindex.enabled", "true" },
    { "an explicit no stays", NULL, DOMAIN("'features':{'hyperv':{'synic':{},'vpindex':{'enabled':false}}}"), "domain.features.hyperv.vpindex.enabled", "false" },
    { "spinlock retries", NULL, DOMAIN("'features':{'hyperv':{'spinlocks':{}}}"), "domain.features.hyperv.spinlocks.spinlocks", "4096" },
    { "vmx for nested Hyper-V", NULL, DOMAIN("'features':{'hyperv':{'evmcs':{}}}"), "domain.cpu.features", "[{'name':'vmx','policy':'require'}]" },
    { "timers that are named are there", NULL, DOMAIN("'clock':{'timer':{'hpet':{}}}"), "domain.clock.timer.hpet.present", "true" },
    { "watchdog", NULL, "{'domain':{'devices':{'watchdog':{'name':'w'}}}}", "domain.devices.watchdog.i6300esb.action", "'reset'" },
    { "watchdog of s390x", NULL, "{'architecture':'s390x','domain':{'devices':{'watchdog':{'name':'w'}}}}", "domain.devices.watchdog.diag288.action", "'reset'" },
    { "input", NULL, "{'domain':{'devices':{'inputs':[{'name':'i'}]}}}", "domain.devices.inputs", "[{'name':'i','bus':'usb','type':'tablet'}]" },
    { "probe", NULL, "{'domain':{'devices':{}},'livenessProbe':{'exec':{},'periodSeconds':5}}", "livenessProbe",
      "{'exec':{},'timeoutSeconds':1,'periodSeconds':5,'successThreshold':1,'failureThreshold':3}" },
    { "EFI on arm64", NULL, "{'architecture':'arm64','domain':{'devices':{}}}", "domain.firmware.bootloader.efi.secureBoot", "false" },
    { "CPU model of arm64", tuned, "{'architecture':'arm64','domain':{'devices':{}}}", "domain.cpu.model", "'host-passthrough'" },
};
// clang-format on

static struct cluster_config *config_of(const char *text)
{
    json_auto_t *kubevirt = json_q(text);
    struct cluster_config *config = NULL;
    struct error e;

    assert_int_equal(cluster_config_new(&config, kubevirt, &e), 0);
    return config;
}

static void fills_in(void **state)
{
    const struct default_case *c = *state;
    struct cluster_config *config = config_of(c->config);
    json_auto_t *spec = json_q(c->spec);
    json_auto_t *want = json_q(c->want);
    struct error e = { 0 };

    assert_int_equal(vmi_spec_defaults(spec, config, &e), 0);
    assert_json(jpath(spec, c->path), want);
    cluster_config_unref(config);
}

/* What was filled in once is left alone the second time. */
static void settles(void **state)
{
    const struct default_case *c = *state;
    struct cluster_config *config = config_of(c->config);
    json_auto_t *spec = json_q(c->spec);
    struct error e = { 0 };

    assert_int_equal(vmi_spec_defaults(spec, config, &e), 0);
    json_auto_t *once = must_copy(spec);
    assert_int_equal(vmi_spec_defaults(spec, config, &e), 0);
    assert_json(spec, once);
    cluster_config_unref(config);
}

static void firmware_has_an_identity(void **state)
{
    struct cluster_config *config = config_of(NULL);
    json_auto_t *spec = json_q(BARE);
    struct error e = { 0 };

    assert_int_equal(vmi_spec_defaults(spec, config, &e), 0);
    assert_int_equal(strlen(jpath_str(spec, "domain.firmware.uuid", "")), 36);
    cluster_config_unref(config);
}

static void bridge_that_is_not_permitted(void **state)
{
    struct cluster_config *config = config_of(
        "{'spec':{'configuration':{'network':{'permitBridgeInterfaceOnPodNetwork':false}}}}");
    json_auto_t *spec = json_q(BARE);
    struct error e = { 0 };

    assert_int_equal(vmi_spec_defaults(spec, config, &e), -ERR_BAD_REQUEST);
    assert_non_null(strstr(e.msg, "spec.domain.devices.interfaces"));
    cluster_config_unref(config);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(firmware_has_an_identity),
        cmocka_unit_test(bridge_that_is_not_permitted),
    };
    int failed = RUN_ROWS("defaults of an instance", cases, fills_in);

    failed += RUN_ROWS("defaults settle", cases, settles);
    failed += cmocka_run_group_tests_name("defaults", tests, NULL, NULL);
    return failed;
}
