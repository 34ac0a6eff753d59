/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of what is filled in where, and functions for what is no plain copy. */
#include "openapi/preference_apply.h"

#include "base/jpath.h"
#include "base/must.h"
#include "base/scope.h"
#include "base/str.h"
#include "openapi/instancetype_apply.h"

#define DISKS "domain.devices.disks"
#define INTERFACES "domain.devices.interfaces"
#define INPUTS "domain.devices.inputs"
#define PANIC "domain.devices.panicDevices"
#define GPUS "domain.devices.gpus"

/* A field of a preference, and where it goes in the template's spec. */
struct fill {
    const char *list; /* in each item of this list; NULL: in the spec itself */
    const char *from, *to;
    const char *beside; /* only where this is, or NULL */
    const char *is;     /* and says this, or NULL */
    bool overwrites;
};

#define FILL(p, f, t, ...)                           \
    {                                                \
        .list = p, .from = f, .to = t, ##__VA_ARGS__ \
    }

// clang-format off
static const struct fill autoattach[] = {
    FILL(NULL, "devices.preferredAutoattachGraphicsDevice", "domain.devices.autoattachGraphicsDevice"),
    FILL(NULL, "devices.preferredAutoattachInputDevice",    "domain.devices.autoattachInputDevice"),
    FILL(NULL, "devices.preferredAutoattachMemBalloon",     "domain.devices.autoattachMemBalloon"),
    FILL(NULL, "devices.preferredAutoattachPodInterface",   "domain.devices.autoattachPodInterface"),
    FILL(NULL, "devices.preferredAutoattachSerialConsole",  "domain.devices.autoattachSerialConsole"),
};

static const struct fill fills[] = {
    FILL(NULL, "preferredArchitecture",                      "architecture"),
    FILL(NULL, "preferredSubdomain",                         "subdomain"),
    FILL(NULL, "preferredTerminationGracePeriodSeconds",     "terminationGracePeriodSeconds"),
    FILL(NULL, "preferredLaunchSecurity",                    "domain.launchSecurity"),
    FILL(NULL, "machine.preferredMachineType",               "domain.machine.type"),
    FILL(NULL, "clock.preferredTimer",                       "domain.clock.timer"),

    FILL(NULL, "features.preferredAcpi",                     "domain.features.acpi", .overwrites = true),
    FILL(NULL, "features.preferredApic",                     "domain.features.apic"),
    FILL(NULL, "features.preferredKvm",                      "domain.features.kvm"),
    FILL(NULL, "features.preferredPvspinlock",               "domain.features.pvspinlock"),
    FILL(NULL, "features.preferredSmm",                      "domain.features.smm"),

    FILL(NULL, "devices.preferredDisableHotplug",            "domain.devices.disableHotplug", .overwrites = true),
    FILL(NULL, "devices.preferredBlockMultiQueue",           "domain.devices.blockMultiQueue"),
    FILL(NULL, "devices.preferredNetworkInterfaceMultiQueue", "domain.devices.networkInterfaceMultiqueue"),
    FILL(NULL, "devices.preferredUseVirtioTransitional",     "domain.devices.useVirtioTransitional"),
    FILL(NULL, "devices.preferredRng",                       "domain.devices.rng"),
    FILL(NULL, "devices.preferredTPM",                       "domain.devices.tpm"),
    FILL(NULL, "devices.preferredSoundModel",                "domain.devices.sound.model", .beside = "domain.devices.sound"),

    FILL(DISKS, "devices.preferredDiskBus",                  "disk.bus",  .beside = "disk"),
    FILL(DISKS, "devices.preferredCdromBus",                 "cdrom.bus", .beside = "cdrom"),
    FILL(DISKS, "devices.preferredLunBus",                   "lun.bus",   .beside = "lun"),
    FILL(DISKS, "devices.preferredDiskBlockSize",            "blockSize"),
    FILL(DISKS, "devices.preferredDiskCache",                "cache"),
    FILL(DISKS, "devices.preferredDiskIO",                   "io"),
    FILL(DISKS, "devices.preferredDiskDedicatedIoThread",    "dedicatedIOThread", .beside = "disk.bus", .is = "virtio"),

    FILL(INTERFACES, "devices.preferredInterfaceModel",      "model"),
    FILL(INPUTS, "devices.preferredInputBus",                "bus"),
    FILL(INPUTS, "devices.preferredInputType",               "type"),
    FILL(PANIC, "devices.preferredPanicDeviceModel",         "model"),
    FILL(GPUS, "devices.preferredVirtualGPUOptions",         "virtualGPUOptions"),
};

/* Of features.preferredHyperv and domain.features.hyperv alike. */
static const char *const enlightenments[] = {
    "evmcs", "frequencies", "ipi", "reenlightenment", "relaxed", "reset", "runtime", "spinlocks", "synic",
    "synictimer", "tlbflush", "vapic", "vendorid", "vpindex",
};

/* Ways to connect an interface. */
static const char *const bindings[] = {
    "binding", "bridge", "macvtap", "masquerade", "passt", "passtBinding", "slirp", "sriov",
};
// clang-format on

/* An empty text says nothing; false and {} do. */
static bool is_open(const json_t *v)
{
    return !v || json_is_null(v) || (json_is_string(v) && !*json_string_value(v));
}

static void fill_in(const struct fill *f, const json_t *value, json_t *in)
{
    if (!json_is_object(in) || (f->beside && !jpath_has(in, f->beside)))
        return;
    if (f->is && !streq(jpath_str(in, f->beside, NULL), f->is))
        return;
    if (f->overwrites || is_open(jpath(in, f->to)))
        jpath_set(in, f->to, must_copy(value));
}

static void fill_rows(const struct fill *rows, size_t n, const json_t *preference, json_t *spec)
{
    for (size_t r = 0; r < n; r++) {
        const json_t *value = jpath(preference, rows[r].from);
        size_t i;
        json_t *item;

        if (is_open(value))
            continue;
        if (!rows[r].list)
            fill_in(&rows[r], value, spec);
        json_array_foreach(rows[r].list ? jpath_arr(spec, rows[r].list) : NULL, i, item)
            fill_in(&rows[r], value, item);
    }
}

/* A volume that is shown in no way yet is shown as a disk. */
static void fill_targets(const json_t *preference, json_t *spec)
{
    size_t i;
    json_t *disk;

    if (!jpath_obj(preference, "devices"))
        return;
    json_array_foreach(jpath_arr(spec, DISKS), i, disk)
        if (!jpath_has(disk, "disk") && !jpath_has(disk, "cdrom") && !jpath_has(disk, "lun"))
            must_set(disk, "disk", json_object());
}

static void fill_masquerade(const json_t *preference, json_t *spec)
{
    const json_t *masquerade = jpath_obj(preference, "devices.preferredInterfaceMasquerade");
    size_t i;
    json_t *interface;

    json_array_foreach(masquerade ? jpath_arr(spec, INTERFACES) : NULL, i, interface) {
        const json_t *network =
            jarr_find(jpath_arr(spec, "networks"), "name", jpath_str(interface, "name", ""));
        bool is_bound = !jpath_has(network, "pod");

        for (size_t b = 0; b < countof(bindings); b++)
            is_bound |= jpath_has(interface, bindings[b]);
        if (!is_bound)
            must_set(interface, "masquerade", must_copy(masquerade));
    }
}

static void fill_video(const json_t *preference, json_t *spec)
{
    static const struct fill video = { .to = "domain.devices.video.type" };
    const json_t *type = jpath(preference, "devices.preferredVideoType");

    if (!is_open(type) && jpath_bool(spec, "domain.devices.autoattachGraphicsDevice", true))
        fill_in(&video, type, spec);
}

static void fill_cpu_features(const json_t *preference, json_t *spec)
{
    size_t i;
    json_t *feature;

    json_array_foreach(jpath_arr(preference, "cpu.preferredCPUFeatures"), i, feature) {
        json_t *features = jpath_make_arr(spec, "domain.cpu.features");

        if (!jarr_find(features, "name", jpath_str(feature, "name", "")))
            must_append(features, must_copy(feature));
    }
}

/* One by one; not beside hypervPassthrough, which excludes them. */
static void fill_hyperv(const json_t *preference, json_t *spec)
{
    const json_t *preferred = jpath_obj(preference, "features.preferredHyperv");

    if (!preferred || jpath_has(spec, "domain.features.hypervPassthrough"))
        return;

    json_t *hyperv = jpath_make_obj(spec, "domain.features.hyperv");
    for (size_t i = 0; i < countof(enlightenments); i++) {
        const json_t *value = json_object_get(preferred, enlightenments[i]);

        if (!is_open(value) && !jpath_has(hyperv, enlightenments[i]))
            must_set(hyperv, enlightenments[i], must_copy(value));
    }
}

/* A clock shows UTC or a time zone. */
static void fill_clock(const json_t *preference, json_t *spec)
{
    const json_t *offset = jpath_obj(preference, "clock.preferredClockOffset");

    if (json_object_size(offset) == 0 || jpath_has(spec, "domain.clock.utc") ||
        *jpath_str(spec, "domain.clock.timezone", ""))
        return;

    json_auto_t *mine = must_copy(offset);
    must(json_object_update(jpath_make_obj(spec, "domain.clock"), mine) == 0);
}

/* A machine boots by BIOS or by EFI: one that says either keeps it, and may get its details. */
static void fill_firmware(const json_t *preference, json_t *spec)
{
    static const char bios[] = "domain.firmware.bootloader.bios";
    static const char efi[] = "domain.firmware.bootloader.efi";
    const json_t *preferred = jpath_obj(preference, "firmware");
    const json_t *serial = jpath(preferred, "preferredUseBiosSerial");
    const json_t *secure = jpath(preferred, "preferredUseSecureBoot");
    bool is_chosen = jpath_has(spec, bios) || jpath_has(spec, efi);

    if (!is_chosen && jpath_bool(preferred, "preferredUseBios", false))
        (void)jpath_make_obj(spec, bios);
    else if (!is_chosen && jpath_obj(preferred, "preferredEfi"))
        jpath_set(spec, efi, must_copy(jpath_obj(preferred, "preferredEfi")));
    else if (!is_chosen && jpath_bool(preferred, "preferredUseEfi", false))
        (void)jpath_make_obj(spec, efi);

    if (json_is_boolean(serial) && jpath_has(spec, bios) &&
        !jpath_has(jpath_obj(spec, bios), "useSerial"))
        must_set(jpath_obj(spec, bios), "useSerial", must_copy(serial));
    if (json_is_boolean(secure) && !jpath_has(preferred, "preferredEfi") && jpath_has(spec, efi) &&
        !jpath_has(jpath_obj(spec, efi), "secureBoot"))
        must_set(jpath_obj(spec, efi), "secureBoot", must_copy(secure));
}

void preference_apply_autoattach(const json_t *preference, json_t *template)
{
    fill_rows(autoattach, countof(autoattach), preference, jpath_make_obj(template, "spec"));
}

void preference_apply(const json_t *preference, json_t *template)
{
    json_t *spec = jpath_make_obj(template, "spec");

    preference_apply_autoattach(preference, template);
    fill_targets(preference, spec);
    fill_rows(fills, countof(fills), preference, spec);
    fill_masquerade(preference, spec);
    fill_video(preference, spec);
    fill_cpu_features(preference, spec);
    fill_hyperv(preference, spec);
    fill_clock(preference, spec);
    fill_firmware(preference, spec);
    template_annotate(template, jpath_obj(preference, "annotations"));
}
