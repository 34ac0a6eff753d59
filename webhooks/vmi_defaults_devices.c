/* SPDX-License-Identifier: Apache-2.0 */
/* Defaults of features, clocks, disks, other devices and probes; per architecture where they
 * differ. */
#include "base/jpath.h"
#include "base/must.h"
#include "base/scope.h"
#include "base/str.h"
#include "webhooks/defaults.h"

enum { SPINLOCK_RETRIES = 4096 };

static bool is_arch(const json_t *spec, const char *arch)
{
    return streq(jpath_str(spec, "architecture", ""), arch);
}

static void default_true(json_t *object, const char *key)
{
    if (object && !jpath_has(object, key))
        must_set(object, key, json_true());
}

/* Hyper-V features that need another one; earlier rows first, since needs chain (spec 02, step 6).
 */
static const struct {
    const char *feature, *needs;
} hyperv_needs[] = {
    { "evmcs", "vapic" },      { "ipi", "vpindex" },   { "tlbflush", "vpindex" },
    { "synictimer", "synic" }, { "synic", "vpindex" },
};

static void default_hyperv(json_t *spec)
{
    json_t *hyperv = jpath_obj(spec, "domain.features.hyperv");
    const char *name;
    json_t *feature;

    json_object_foreach(hyperv, name, feature) {
        default_true(json_is_object(feature) ? feature : NULL, "enabled");
        if (streq(name, "spinlocks") && jpath_bool(feature, "enabled", false) &&
            !jpath_has(feature, "spinlocks"))
            must_set(feature, "spinlocks", json_integer(SPINLOCK_RETRIES));
        if (streq(name, "synictimer") && jpath_obj(feature, "direct"))
            default_true(jpath_obj(feature, "direct"), "enabled");
        if (streq(name, "tlbflush")) {
            default_true(jpath_obj(feature, "direct"), "enabled");
            default_true(jpath_obj(feature, "extended"), "enabled");
        }
    }
    for (size_t i = 0; i < countof(hyperv_needs); i++) {
        const json_t *needing = json_object_get(hyperv, hyperv_needs[i].feature);

        if (needing && jpath_bool(needing, "enabled", true) &&
            !jpath_has(json_object_get(hyperv, hyperv_needs[i].needs), "enabled"))
            must_set(hyperv, hyperv_needs[i].needs, must_pack("{s:b}", "enabled", 1));
    }
}

/* Nested Hyper-V runs on VMX. */
static void require_vmx(json_t *spec)
{
    json_t *features;
    json_t *vmx;

    if (!jpath_bool(spec, "domain.features.hyperv.evmcs.enabled", false))
        return;
    features = jpath_make_arr(spec, "domain.cpu.features");
    vmx = jarr_find(features, "name", "vmx");
    if (vmx)
        must_set(vmx, "policy", json_string("require"));
    else
        must_append(features, must_pack("{s:s, s:s}", "name", "vmx", "policy", "require"));
}

void default_features(json_t *spec)
{
    static const char *const switches[] = { "apic", "smm", "pvspinlock" };
    static const char *const timers[] = { "hpet", "kvm", "pit", "rtc", "hyperv" };
    json_t *features = jpath_make_obj(spec, "domain.features");
    json_t *acpi = jpath_make_obj(features, "acpi");
    const json_t *timer = jpath_obj(spec, "domain.clock.timer");

    if (!jpath_has(acpi, "enabled"))
        must_set(acpi, "enabled", json_boolean(!is_arch(spec, "s390x")));
    for (size_t i = 0; i < countof(switches); i++)
        default_true(jpath_obj(features, switches[i]), "enabled");
    for (size_t i = 0; i < countof(timers); i++)
        default_true(jpath_obj(timer, timers[i]), "present");
    if (jpath_has(features, "hyperv")) {
        default_hyperv(spec);
        require_vmx(spec);
    }

    json_t *firmware = jpath_make_obj(spec, "domain.firmware");
    char uuid[37];
    if (!*jpath_str(firmware, "uuid", "")) {
        uuid_v4(uuid);
        must_set(firmware, "uuid", json_string(uuid));
    }
}

static const char *default_bus(const json_t *spec)
{
    return is_arch(spec, "arm64") || is_arch(spec, "s390x") ? "virtio" : "sata";
}

static void default_disk(json_t *disk, const char *bus)
{
    static const char *const targets[] = { "disk", "cdrom", "lun" };

    if (!jpath_obj(disk, "disk") && !jpath_obj(disk, "cdrom") && !jpath_obj(disk, "lun"))
        (void)jpath_make_obj(disk, "disk");
    for (size_t i = 0; i < countof(targets); i++) {
        json_t *target = jpath_obj(disk, targets[i]);

        if (target && !*jpath_str(target, "bus", ""))
            must_set(target, "bus", json_string(bus));
    }

    json_t *cdrom = jpath_obj(disk, "cdrom");
    default_true(cdrom, "readonly");
    if (cdrom && !*jpath_str(cdrom, "tray", ""))
        must_set(cdrom, "tray", json_string("closed"));
    default_true(jpath_obj(disk, "blockSize.matchVolume"), "enabled");
}

void default_disks(json_t *spec)
{
    json_t *disks = jpath_arr(spec, "domain.devices.disks");
    const char *bus = default_bus(spec);
    size_t i;
    json_t *disk;

    json_array_foreach(disks, i, disk)
        default_disk(disk, bus);
}

static void default_watchdog(json_t *spec)
{
    json_t *watchdog = jpath_obj(spec, "domain.devices.watchdog");
    const char *model = is_arch(spec, "s390x") ? "diag288" : "i6300esb";

    if (!watchdog || is_arch(spec, "arm64"))
        return;

    json_t *device = jpath_make_obj(watchdog, model);
    if (!*jpath_str(device, "action", ""))
        must_set(device, "action", json_string("reset"));
}

static void default_arm64(json_t *spec)
{
    if (!*jpath_str(spec, "domain.cpu.model", ""))
        jpath_set_str(spec, "domain.cpu.model", "host-passthrough");
    if (!jpath_has(spec, "domain.firmware.bootloader"))
        (void)jpath_make_obj(spec, "domain.firmware.bootloader.efi");

    json_t *efi = jpath_obj(spec, "domain.firmware.bootloader.efi");
    if (efi && !jpath_has(efi, "secureBoot"))
        must_set(efi, "secureBoot", json_false());
}

void default_devices(json_t *spec)
{
    json_t *devices = jpath_obj(spec, "domain.devices");
    json_t *inputs = jpath_arr(devices, "inputs");
    json_t *gpus = jpath_arr(devices, "gpus");
    size_t i;
    json_t *item;

    json_array_foreach(inputs, i, item) {
        if (!*jpath_str(item, "bus", ""))
            must_set(item, "bus", json_string("usb"));
        if (!*jpath_str(item, "type", ""))
            must_set(item, "type", json_string("tablet"));
    }
    json_array_foreach(gpus, i, item)
        default_true(jpath_obj(item, "virtualGPUOptions.display.ramFB"), "enabled");
    default_watchdog(spec);
    if (is_arch(spec, "arm64"))
        default_arm64(spec);
}

void default_probes(json_t *spec)
{
    static const char *const probes[] = { "livenessProbe", "readinessProbe" };
    static const struct {
        const char *key;
        int value;
    } values[] = {
        { "timeoutSeconds", 1 },
        { "periodSeconds", 10 },
        { "successThreshold", 1 },
        { "failureThreshold", 3 },
    };

    for (size_t p = 0; p < countof(probes); p++) {
        json_t *probe = jpath_obj(spec, probes[p]);

        for (size_t i = 0; probe && i < countof(values); i++)
            if (jpath_int(probe, values[i].key, 0) < 1)
                must_set(probe, values[i].key, json_integer(values[i].value));
    }
}
