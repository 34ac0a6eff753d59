/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where our answers differ from the recorded ones on purpose, as rows; docs/COMPATIBILITY.md says
 * the same in words.  Fields are without their prefix (spec, spec.template.spec) and with every
 * index as [].  A row with a setting holds only where a configuration is named that was not in
 * force when upstream decided.
 */
#ifndef TEST_UNIT_EXPLAINED_H
#define TEST_UNIT_EXPLAINED_H

#include "base/jpath.h"
#include "base/str.h"
#include "kube/cluster_config.h"
#include "openapi/findings.h"
#include "rows.h"

/* ---- the same fault at a better place ---- */

static const struct {
    const char *theirs, *ours;
} better_paths[] = {
    { "domain.devices.disks.domain.devices.disks.disk[].pciAddress",
      "domain.devices.disks[].disk.pciAddress" },
    { "domain.devices.disks.domain.devices.disks[].name", "domain.devices.disks[].name" },
    { "domain.devices.disks.domain.devices.disks[].io", "domain.devices.disks[].io" },
    { "domain.devices.disks.domain.devices.disks[]", "domain.devices.disks[]" },
    { "domain.devices.disks.luns.reservation", "domain.devices.disks[].lun.reservation" },
    { "domain.devices.filesystems", "domain.devices.filesystems[]" },
    { "domain.volumes[]", "volumes[]" },
    { "domain.ioThreads.count", "domain.ioThreads.supplementalPoolThreadCount" },
    { "HostDevices", "domain.devices.hostDevices" },
    { "GPUs", "domain.devices.gpus" },
    { "Sound", "domain.devices.sound" },
    { "video", "domain.devices.video" },
    { "launchSecurity", "domain.launchSecurity" },
    { "acpi", "domain.firmware.acpi" },
    { "acpi.slicNameRef", "domain.firmware.acpi.slicNameRef" },
    { "acpi.msdmNameRef", "domain.firmware.acpi.msdmNameRef" },
    { "interfaces", "networks" },
    { "domain.devices.interfaces[].name", "domain.devices.interfaces[].portRanges" },
    { "nameservers", "dnsConfig.nameservers[]" },
    { "nameservers", "dnsConfig.nameservers" },
    { "searchDomains", "dnsConfig.searches[]" },
    { "options", "dnsConfig.options[].name" },
    { "", "domain" },
    { "", "domain.cpu.maxSockets" },
    { "", "domain.devices.interfaces[].dhcpOptions.privateOptions" },
    { "", "domain.devices.interfaces[].dhcpOptions.privateOptions[].option" },
    { "nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms",
      "affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms" },
    { "topologySpreadConstraints.labelSelector.matchExpressions[].operator",
      "topologySpreadConstraints[].labelSelector" },
    { "topologySpreadConstraints.labelSelector.matchLabels",
      "topologySpreadConstraints[].labelSelector" },
    { "dataVolumeTemplate[].name", "dataVolumeTemplates[].name" },
};

/* ---- causes that only one side has ---- */

struct one_sided {
    const char *why;
    const char *theirs, *ours; /* the field that needs no counterpart; "*" is any */
    const char *beside;        /* only when this field is named too, by either side */
    const char *setting;       /* only where it is in force here and was not there */
    const char *having;        /* only when the object has this member at the field */
};

// clang-format off
#define THEIRS(reason, field, ...) { .why = (reason), .theirs = (field), ##__VA_ARGS__ }
#define OURS(reason, field, ...)   { .why = (reason), .ours = (field), ##__VA_ARGS__ }

static const struct one_sided one_sided[] = {
    OURS("all faults are told, not only the first discontinued binding", "*",
         .beside = "domain.devices.interfaces[].passt"),
    OURS("all faults are told, not only the first discontinued binding", "*",
         .beside = "domain.devices.interfaces[].macvtap"),
    OURS("all faults are told, not only that GPUs are mixed", "domain.devices.gpus[].claimName"),
    OURS("rules of the CRD are the webhook's too", "volumes[].containerPath.path"),
    OURS("rules of the CRD are the webhook's too", "volumes[].containerPath.readOnly"),
    OURS("every source of a volume is looked at", "volumes[].cloudInitConfigDrive"),
    OURS("both block sizes are looked at", "domain.devices.disks[].blockSize.custom.physical"),

    /* what the named configuration would have changed */
    THEIRS("gate not in force", "domain.devices.downwardMetrics", .setting = "DownwardMetrics"),
    THEIRS("gate not in force", "volumes[]", .setting = "DownwardMetrics", .having = "downwardMetrics"),
    THEIRS("gate not in force", "volumes[]", .setting = "HostDisk", .having = "hostDisk"),
    THEIRS("gate not in force", "HostDevices", .setting = "HostDevices"),
    THEIRS("gate not in force", "domain.devices.autoattachVSOCK", .setting = "VSOCK"),
    THEIRS("gate not in force", "domain.devices.filesystems", .setting = "EnableVirtioFsStorageVolumes"),
    THEIRS("gate not in force", "domain.memory.reservedOverhead", .setting = "ReservedOverheadMemlock"),
    THEIRS("gate not in force", "launchSecurity", .setting = "WorkloadEncryptionTDX"),
    THEIRS("gate not in force", "networks", .setting = "NetworkDevicesWithDRA"),
    OURS("checked where the gate is on", "networks[].resourceClaim.claimName", .setting = "NetworkDevicesWithDRA"),
    OURS("checked where the gate is on", "networks[].resourceClaim.requestName", .setting = "NetworkDevicesWithDRA"),
    OURS("checked where the gate is on", "domain.devices.interfaces", .setting = "NetworkDevicesWithDRA"),
    OURS("gate switched off", "domain.devices.interfaces[].name", .setting = "PasstBinding", .having = "passtBinding"),
    OURS("gate switched off", "domain.devices.disks[].name", .setting = "DeclarativeHotplugVolumes", .having = "cdrom"),
    OURS("gate switched off", "domain.rebootPolicy", .setting = "RebootPolicy"),
    OURS("bridge is not permitted on the pod network", "domain.devices.interfaces[].name",
         .setting = "network.permitBridgeInterfaceOnPodNetwork", .having = "bridge"),
};
// clang-format on

/* ---- members of the mutated object that differ ---- */

struct member_change {
    const char *why;
    const char *path;          /* as the fields above */
    const char *theirs, *ours; /* JSON texts; NULL is absent, "*" any */
    const char *setting;       /* as above */
};

// clang-format off
#define MEMBER(reason, where, there, here, ...) \
    { .why = (reason), .path = (where), .theirs = (there), .ours = (here), ##__VA_ARGS__ }

static const struct member_change member_changes[] = {
    MEMBER("Go's encoder adds the value of absence", "volumes[].hostDisk.capacity", "\"0\"", NULL),
    MEMBER("Go's encoder adds the value of absence", "volumes[].downwardAPI.fields[].resourceFieldRef.divisor", "\"0\"", NULL),
    MEMBER("defaults of the CRD are the webhook's too", "volumes[].containerPath.readOnly", NULL, "true"),
    MEMBER("a value that was given stays", "dataVolumeTemplates[].status", NULL, "{}"),
    MEMBER("counts do not wrap round", "domain.cpu.sockets", "3221225472", NULL),
    MEMBER("counts do not wrap round", "domain.cpu.maxSockets", NULL, "1073741824"),
    MEMBER("counts do not wrap round", "domain.cpu.sockets", "2147483648", "2147483647"),
    MEMBER("counts do not wrap round", "domain.cpu.maxSockets", NULL, "2147483647"),

    MEMBER("of the configuration", "domain.machine.type", "\"q35\"", "\"pc-q35-7.2\"", .setting = "machineType"),
    MEMBER("of the configuration", "domain.resources.requests.cpu", NULL, "\"200m\"", .setting = "cpuRequest"),
    MEMBER("of the configuration", "domain.cpu.model", "\"host-model\"", "\"Skylake-Server\"", .setting = "cpuModel"),
    MEMBER("of the configuration", "evictionStrategy", "\"None\"", "\"LiveMigrate\"", .setting = "evictionStrategy"),
    MEMBER("of the configuration", "domain.cpu.maxSockets", "*", "*", .setting = "liveUpdateConfiguration"),
};
// clang-format on

/* ---- asking the tables ---- */

/* How often each row was needed: one that never is, is stale. */
static size_t one_sided_used[countof(one_sided)];
static size_t member_changes_used[countof(member_changes)];

static inline const char *without_prefix(const char *field)
{
    static const char *const prefixes[] = { "spec.template.spec", "spec" };

    for (size_t i = 0; i < countof(prefixes); i++) {
        size_t n = strlen(prefixes[i]);

        if (strncmp(field, prefixes[i], n) == 0 && (field[n] == '.' || field[n] == '\0'))
            return field + n + (field[n] == '.');
    }
    return field;
}

/* "spec.template.spec.volumes[3].name" is "volumes[].name". */
static inline void without_place(const char *field, char out[FINDING_TEXT_MAX])
{
    size_t len = 0;

    for (field = without_prefix(field); *field && len < FINDING_TEXT_MAX - 1; field++) {
        out[len++] = *field;
        if (*field == '[')
            field += strcspn(field, "]") - 1;
    }
    out[len] = '\0';
}

static inline bool is_place(const char *field, const char *row)
{
    char place[FINDING_TEXT_MAX];

    without_place(field, place);
    return streq(place, row);
}

/* Is ours what we say where they say theirs? */
static inline bool is_same_field(const char *theirs, const char *ours)
{
    char a[FINDING_TEXT_MAX], b[FINDING_TEXT_MAX];

    if (streq(without_prefix(theirs), without_prefix(ours)))
        return true;
    without_place(theirs, a);
    without_place(ours, b);
    if (streq(a, b))
        return strstr(theirs, "ports[") != NULL; /* numbered by what is wrong */
    for (size_t i = 0; i < countof(better_paths); i++)
        if (streq(a, better_paths[i].theirs) && streq(b, better_paths[i].ours))
            return true;
    return false;
}

static inline bool is_gate_off(const struct cluster_config *named, const char *gate)
{
    size_t i;
    json_t *one;

    json_array_foreach(
        jpath_arr(named->configuration, "developerConfiguration.disabledFeatureGates"), i, one)
        if (streq(json_string_value(one), gate))
            return true;
    return false;
}

/* A gate that is switched on or off, or a member of spec.configuration that is set. */
static inline bool is_setting(const struct cluster_config *named, const char *setting)
{
    return !setting ||
           (named && (cluster_config_lists(named, setting) || is_gate_off(named, setting) ||
                      jpath_has(named->configuration, setting)));
}

/* The fields that two sides name for one object. */
struct two_sides {
    const json_t *object;
    const struct cluster_config *named; /* the configuration that was not in force, or NULL */
    json_t *theirs, *ours;              /* objects: field -> true */
};

static inline bool names_place(const json_t *fields, const char *place)
{
    const char *field;
    json_t *v;

    json_object_foreach((json_t *)fields, field, v)
        if (is_place(field, place))
            return true;
    return false;
}

/* The member of the object that `field` tells of, or its item: "spec.volumes[0]". */
static inline bool has_member(const json_t *object, const char *field, const char *member)
{
    char item[FINDING_TEXT_MAX];
    const char *end = strrchr(field, ']');

    (void)snprintf(item, sizeof(item), "%.*s", end ? (int)(end + 1 - field) : 0, field);
    return jpath_has(jpath(object, item), member);
}

/* The row that explains why only one side names this field, or NULL. */
static inline const struct one_sided *why_one_sided(const struct two_sides *s, const char *field,
                                                    bool is_theirs)
{
    for (size_t i = 0; i < countof(one_sided); i++) {
        const struct one_sided *row = &one_sided[i];
        const char *place = is_theirs ? row->theirs : row->ours;

        if (place && (streq(place, "*") || is_place(field, place)) &&
            is_setting(s->named, row->setting) &&
            (!row->beside || names_place(s->theirs, row->beside) ||
             names_place(s->ours, row->beside)) &&
            (!row->having || has_member(s->object, field, row->having))) {
            one_sided_used[i]++;
            return row;
        }
    }
    return NULL;
}

static inline bool is_text(const json_t *v, const char *text)
{
    if (!v || !text)
        return !v && !text;
    if (streq(text, "*"))
        return true;
    json_auto_t *want = json_loads(text, JSON_DECODE_ANY, NULL);
    return json_equal(v, want);
}

/* Does a row say that this member may be so there and so here? */
static inline bool is_member_explained(const struct cluster_config *named, const char *path,
                                       const json_t *theirs, const json_t *ours)
{
    for (size_t i = 0; i < countof(member_changes); i++) {
        const struct member_change *row = &member_changes[i];

        if (is_place(path, row->path) && is_setting(named, row->setting) &&
            (streq(row->theirs, "*") || is_text(theirs, row->theirs)) &&
            (streq(row->ours, "*") || is_text(ours, row->ours))) {
            member_changes_used[i]++;
            return true;
        }
    }
    return false;
}

#endif
