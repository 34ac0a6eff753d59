/* SPDX-License-Identifier: Apache-2.0 */
/* Disks and file systems with the volumes they show, and the boot order (spec 02, 4.1). */
#include "base/jpath.h"
#include "base/str.h"
#include "webhooks/rules.h"

/* ---- one disk: `here` ---- */

static void has_volume(const struct rule *r, const struct subject *s, const json_t *v,
                       struct findings *out)
{
    bool may_be_empty =
        jpath_has(s->here, "cdrom") && cluster_config_gate(s->config, "DeclarativeHotplugVolumes");

    if (!volume_named(s->spec, v ? json_string_value(v) : "") && !may_be_empty)
        rule_report(r, s, out);
}

static void lun_on_claim(const struct rule *r, const struct subject *s, const json_t *v,
                         struct findings *out)
{
    const json_t *volume = volume_named(s->spec, jpath_str(s->here, "name", ""));

    if (volume && !jpath_has(volume, "persistentVolumeClaim") && !jpath_has(volume, "dataVolume"))
        rule_report(r, s, out);
}

static void metrics_disk(const struct rule *r, const struct subject *s, const json_t *v,
                         struct findings *out)
{
    const json_t *volume = volume_named(s->spec, jpath_str(v, "name", ""));
    const char *bus = jpath_str(v, "disk.bus", "");

    if (!jpath_has(volume, "downwardMetrics"))
        return;
    if (!jpath_has(v, "disk"))
        rule_say(s, out, CAUSE_REQUIRED, "disk", "downward metrics are shown by a disk");
    else if (*bus && !streq(bus, "virtio"))
        rule_say(s, out, CAUSE_INVALID, "disk.bus", "downward metrics need the bus virtio");
}

/* The KubeVirt object says so, or the gate of the same name is listed. */
static bool allows_reservation(const struct cluster_config *config)
{
    static const char path[] = "persistentReservationConfiguration.enabled";
    const json_t *gates = jpath_arr(config->configuration, "developerConfiguration.featureGates");
    size_t i;
    json_t *gate;

    if (jpath_has(config->configuration, path))
        return jpath_bool(config->configuration, path, false);
    json_array_foreach(gates, i, gate)
        if (streq(json_string_value(gate), "PersistentReservation"))
            return true;
    return false;
}

static void reservation(const struct rule *r, const struct subject *s, const json_t *v,
                        struct findings *out)
{
    if (json_is_true(v) && !allows_reservation(s->config))
        rule_report(r, s, out);
}

/* ---- boot order, over disks and interfaces: `here` is spec.domain.devices ---- */

struct boot_orders {
    json_int_t seen[512]; /* both lists hold at most 256 */
    size_t len;
};

static bool is_first(struct boot_orders *orders, json_int_t order)
{
    for (size_t i = 0; i < orders->len; i++)
        if (orders->seen[i] == order)
            return false;
    if (orders->len < sizeof(orders->seen) / sizeof(orders->seen[0]))
        orders->seen[orders->len++] = order;
    return true;
}

static void boot_orders(const struct rule *r, const struct subject *s, const json_t *v,
                        struct findings *out)
{
    static const char *const lists[] = { "disks", "interfaces" };
    struct boot_orders orders = { .len = 0 };

    for (size_t l = 0; l < 2; l++) {
        size_t i;
        json_t *item;

        json_array_foreach(json_object_get(v, lists[l]), i, item) {
            const json_t *order = json_object_get(item, "bootOrder");

            if (!json_is_integer(order))
                continue;
            if (!is_first(&orders, json_integer_value(order)))
                rule_report_at(r, s, out, "%s[%zu].bootOrder", lists[l], i);
        }
    }
}

static void boot_order(const struct rule *r, const struct subject *s, const json_t *v,
                       struct findings *out)
{
    if (json_integer_value(v) < 1)
        rule_report(r, s, out);
}

static void filesystem(const struct rule *r, const struct subject *s, const json_t *v,
                       struct findings *out)
{
    const json_t *volume = volume_named(s->spec, jpath_str(v, "name", ""));

    if ((jpath_has(volume, "persistentVolumeClaim") || jpath_has(volume, "dataVolume")) &&
        !cluster_config_gate(s->config, "EnableVirtioFsStorageVolumes"))
        rule_report(r, s, out);
}

// clang-format off
static const struct rule disk_with_volume_rules[] = {
    RULE("name", has_volume, INVALID, "is the name of no volume in spec.volumes: add one of that name",
         .also_absent = true),
    RULE("lun", lun_on_claim, INVALID, "needs a volume that is a persistentVolumeClaim or a dataVolume"),
    RULE("", metrics_disk, INVALID, NULL),
    RULE("lun.reservation", reservation, INVALID,
         "is off in this cluster: enable persistentReservationConfiguration of the KubeVirt object"),
    RULES_END,
};

static const struct rule interface_boot_rules[] = {
    RULE("bootOrder", boot_order, INVALID, "must be at least 1"),
    RULES_END,
};

static const struct rule filesystem_rules[] = {
    RULE("", filesystem, INVALID, "sharing a claim needs the feature gate EnableVirtioFsStorageVolumes"),
    RULES_END,
};

static const struct rule devices_rules[] = {
    EACH("disks", disk_with_volume_rules),
    EACH("interfaces", interface_boot_rules),
    RULE("", boot_orders, INVALID, "is the boot order of another device: give each its own"),
    EACH("filesystems", filesystem_rules),
    RULES_END,
};

const struct rule storage_rules[] = {
    BELOW("domain.devices", devices_rules),
    RULES_END,
};
// clang-format on
