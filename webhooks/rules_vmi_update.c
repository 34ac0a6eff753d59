/* SPDX-License-Identifier: Apache-2.0 */
/* What the installation's own accounts may change of a running instance: hotplug (spec 02, section
 * 5). */
#include "base/jpath.h"
#include "base/quantity.h"
#include "base/str.h"
#include "openapi/canonical.h"
#include "openapi/types.h"
#include "webhooks/rules_vmi.h"

static void fault(struct review *rv, const char *message, const char *name)
{
    findings_add(&rv->findings, CAUSE_INVALID, "", "volume \"%s\" %s", name, message);
}

/* ---- limits of CPU and memory ---- */

static void check_limits(struct review *rv)
{
    static const char sockets[] = "spec.domain.cpu.maxSockets";
    static const char guest[] = "spec.domain.memory.maxGuest";
    struct quantity now, before;

    if (jpath_int(rv->object, sockets, 0) != jpath_int(rv->old, sockets, 0))
        findings_add(&rv->findings, CAUSE_INVALID, sockets,
                     "is fixed while the machine runs: change its VirtualMachine and restart it");
    if (quantity_from_json(jpath(rv->object, guest), &now) == 0 &&
        quantity_from_json(jpath(rv->old, guest), &before) == 0 && quantity_cmp(now, before) != 0)
        findings_add(&rv->findings, CAUSE_INVALID, guest,
                     "is fixed while the machine runs: change its VirtualMachine and restart it");
}

/* ---- each volume has its disk or file system ---- */

static size_t count_volumes(const json_t *spec)
{
    size_t n = 0, i;
    json_t *volume;

    json_array_foreach(jpath_arr(spec, "volumes"), i, volume)
        n += !jpath_has(volume, "memoryDump");
    return n;
}

static size_t count_shown(const struct review *rv, const json_t *spec)
{
    bool may_be_empty = cluster_config_gate(rv->config, "DeclarativeHotplugVolumes");
    size_t n = json_array_size(jpath_arr(spec, "domain.devices.filesystems")), i;
    json_t *disk;

    json_array_foreach(jpath_arr(spec, "domain.devices.disks"), i, disk)
        n += !(may_be_empty && jpath_has(disk, "cdrom") &&
               !volume_named(spec, jpath_str(disk, "name", "")));
    return n;
}

/* ---- volumes that were there ---- */

static bool is_permanent(const json_t *vmi, const char *name)
{
    const json_t *status = jarr_find(jpath_arr(vmi, "status.volumeStatus"), "name", name);

    return status && !jpath_has(status, "hotplugVolume");
}

static bool is_moving(const json_t *vmi, const char *name)
{
    return jarr_find(jpath_arr(vmi, "status.migratedVolumes"), "volumeName", name) != NULL;
}

static const json_t *disk_named(const json_t *spec, const char *name)
{
    return jarr_find(jpath_arr(spec, "domain.devices.disks"), "name", name);
}

static void check_old_volume(struct review *rv, const json_t *volume)
{
    const char *name = jpath_str(volume, "name", "");
    const json_t *spec = jpath_obj(rv->object, "spec");
    const json_t *now = volume_named(spec, name);
    const json_t *disk = disk_named(jpath_obj(rv->old, "spec"), name);
    const json_t *disk_now = disk_named(spec, name);
    bool is_fixed = is_permanent(rv->old, name);

    if (is_moving(rv->object, name) || is_moving(rv->old, name))
        return;
    if (!now) {
        if (is_fixed)
            fault(rv, "cannot be taken from a running machine: stop it first", name);
        return;
    }
    if (!canonical_equal(&volume_type, now, volume))
        fault(rv, "cannot change while the machine runs: stop it first", name);
    if (disk_now && !canonical_equal(&disk_type, disk_now, disk))
        fault(rv, "has a disk that cannot change while the machine runs: stop it first", name);
}

/* ---- volumes that are new ---- */

static void check_new_disk(struct review *rv, const json_t *disk, const char *name)
{
    const char *bus = jpath_str(disk, "disk.bus", "");
    bool is_pluggable =
        streq(jpath_str(disk, "lun.bus", ""), "scsi") || streq(bus, "scsi") || streq(bus, "virtio");

    if (!is_pluggable)
        fault(rv, "must be added as a disk on the bus scsi or virtio, or as a lun on scsi", name);
    if (jpath_bool(disk, "dedicatedIOThread", false) && !streq(bus, "virtio"))
        fault(rv, "must be on the bus virtio for dedicatedIOThread", name);
    if (jpath_int(disk, "bootOrder", 1) < 1)
        fault(rv, "needs a bootOrder of at least 1, or none", name);
}

static void check_new_volume(struct review *rv, const json_t *volume)
{
    const char *name = jpath_str(volume, "name", "");
    const json_t *disk = disk_named(jpath_obj(rv->object, "spec"), name);
    const bool is_new_disk = !disk_named(jpath_obj(rv->old, "spec"), name); /* or a filled drive */

    if (jpath_has(volume, "memoryDump"))
        return;
    if (!jpath_has(volume, "persistentVolumeClaim") && !jpath_has(volume, "dataVolume"))
        fault(rv,
              "must be a persistentVolumeClaim or a dataVolume to be added to a running machine",
              name);
    if (!disk)
        fault(rv, "has no disk of its name: add one", name);
    else if (is_new_disk)
        check_new_disk(rv, disk, name);
}

/* ---- utility volumes: never part of the machine, and added only ---- */

static void not_a_volume(const struct rule *r, const struct subject *s, const json_t *v,
                         struct findings *out)
{
    if (volume_named(s->spec, json_string_value(v)))
        rule_report(r, s, out);
}

// clang-format off
static const struct rule utility_rules[] = {
    RULE("name", rule_not_empty, REQUIRED, "must be set"),
    RULE("name", not_a_volume, DUPLICATE, "is the name of one of spec.volumes: give it its own"),
    RULE("claimName", rule_not_empty, REQUIRED, "name the claim"),
    RULES_END,
};
// clang-format on

static void check_utility_volume(struct review *rv, const struct at *at, const json_t *volume)
{
    const char *name = jpath_str(volume, "name", "");
    const json_t *before = jarr_find(jpath_arr(rv->old, "spec.utilityVolumes"), "name", name);

    if (before && !canonical_equal(&utility_volume_type, volume, before))
        findings_add_at(&rv->findings, CAUSE_INVALID, at,
                        "cannot change while it is there: take it away and add another");
    if (is_permanent(rv->old, name))
        findings_add_at(&rv->findings, CAUSE_INVALID, at,
                        "has the name of a volume that the machine started with: give it another");
}

static void check_utility_volumes(struct review *rv)
{
    static const char path[] = "spec.utilityVolumes";
    const json_t *volumes = jpath_arr(rv->object, path);
    const struct at at = AT_NAME(NULL, path);
    const struct at spec = AT_NAME(NULL, "spec");
    const struct rule each = EACH("utilityVolumes", utility_rules);
    const struct subject s = subject_of(jpath_obj(rv->object, "spec"), &spec, rv->config, false);
    size_t i;
    json_t *volume;

    if (json_array_size(volumes) == 0)
        return;
    if (!cluster_config_gate(rv->config, "UtilityVolumes")) {
        findings_add(&rv->findings, CAUSE_INVALID, path, "needs the feature gate UtilityVolumes");
        return;
    }
    rule_each(&each, &s, volumes, &rv->findings);
    json_array_foreach(volumes, i, volume)
        check_utility_volume(rv, &AT_INDEX(&at, i), volume);
}

void check_own_spec_change(struct review *rv)
{
    const json_t *spec = jpath_obj(rv->object, "spec");
    const json_t *before = jpath_obj(rv->old, "spec");
    size_t i;
    json_t *volume;

    check_limits(rv);
    check_utility_volumes(rv);
    if (count_volumes(spec) != count_shown(rv, spec))
        findings_add(
            &rv->findings, CAUSE_INVALID, "",
            "each volume of a running machine needs one disk or file system of its name: add or take both");
    json_array_foreach(jpath_arr(before, "volumes"), i, volume)
        check_old_volume(rv, volume);
    json_array_foreach(jpath_arr(spec, "volumes"), i, volume)
        if (!volume_named(before, jpath_str(volume, "name", "")))
            check_new_volume(rv, volume);
}
