/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of the kinds, and finding one. */
#include "openapi/kinds.h"

#include "base/scope.h"
#include "base/str.h"
#include "openapi/types.h"

#define GROUP "kubevirt.io"
#define INSTANCETYPE_GROUP "instancetype.kubevirt.io"

#define OLD_VERSION " is now deprecated and will be removed in a future release."
#define IN_V2 " VirtualMachineInstancePreset is now deprecated and will be removed in v2."

// clang-format off
static const struct kind_version v1_and_alpha3[] = {
    { "v1",       .is_served = true, .is_storage = true },
    { "v1alpha3", .is_served = true, .deprecation = "kubevirt.io/v1alpha3" OLD_VERSION },
    { .name = NULL },
};

static const struct kind_version preset_versions[] = {
    { "v1",       .is_served = true, .deprecation = "kubevirt.io/v1" IN_V2 },
    { "v1alpha3", .is_served = true, .is_storage = true, .deprecation = "kubevirt.io/v1alpha3" IN_V2 },
    { .name = NULL },
};

static const struct kind_version v1beta1[] = {
    { "v1beta1", .is_served = true, .is_storage = true },
    { .name = NULL },
};

#define COLUMN(n, t, p, ...)   { .name = n, .type = t, .path = p, ##__VA_ARGS__ }
#define AGE                    COLUMN("Age", "date", ".metadata.creationTimestamp")
#define CONDITION(n, c, ...)   COLUMN(n, "string", ".status.conditions[?(@.type=='" c "')].status", ##__VA_ARGS__)

static const struct kind_column vmi_columns[] = {
    AGE,
    COLUMN("Phase", "string", ".status.phase"),
    COLUMN("IP", "string", ".status.interfaces[0].ipAddress"),
    COLUMN("NodeName", "string", ".status.nodeName"),
    CONDITION("Ready", "Ready"),
    CONDITION("Live-Migratable", "LiveMigratable", .priority = 1),
    CONDITION("Paused", "Paused", .priority = 1),
    { .name = NULL },
};

static const struct kind_column vm_columns[] = {
    AGE,
    COLUMN("Status", "string", ".status.printableStatus", .doc = "How the machine is, in one word."),
    CONDITION("Ready", "Ready"),
    { .name = NULL },
};

static const struct kind_column vmirs_columns[] = {
    COLUMN("Desired", "integer", ".spec.replicas", .doc = "Instances wanted."),
    COLUMN("Current", "integer", ".status.replicas", .doc = "Instances that exist."),
    COLUMN("Ready", "integer", ".status.readyReplicas", .doc = "Instances that are ready."),
    AGE,
    { .name = NULL },
};

static const struct kind_column migration_columns[] = {
    COLUMN("Phase", "string", ".status.phase", .doc = "How far the migration is."),
    COLUMN("VMI", "string", ".spec.vmiName", .doc = "The instance that moves."),
    { .name = NULL },
};

static const struct kind_column kubevirt_columns[] = {
    AGE,
    COLUMN("Phase", "string", ".status.phase"),
    { .name = NULL },
};
// clang-format on

const struct kind kind_vmi = {
    .group = GROUP,
    .kind = "VirtualMachineInstance",
    .plural = "virtualmachineinstances",
    .singular = "virtualmachineinstance",
    .short_names = { "vmi", "vmis" },
    .in_category_all = true,
    .versions = v1_and_alpha3,
    .columns = vmi_columns,
    .schema = &vmi_type,
};

const struct kind kind_vm = {
    .group = GROUP,
    .kind = "VirtualMachine",
    .plural = "virtualmachines",
    .singular = "virtualmachine",
    .short_names = { "vm", "vms" },
    .in_category_all = true,
    .has_status = true,
    .versions = v1_and_alpha3,
    .columns = vm_columns,
    .schema = &vm_type,
};

const struct kind kind_vmirs = {
    .group = GROUP,
    .kind = "VirtualMachineInstanceReplicaSet",
    .plural = "virtualmachineinstancereplicasets",
    .singular = "virtualmachineinstancereplicaset",
    .short_names = { "vmirs", "vmirss" },
    .in_category_all = true,
    .has_status = true,
    .has_scale = true,
    .versions = v1_and_alpha3,
    .columns = vmirs_columns,
    .schema = &vmirs_type,
};

const struct kind kind_preset = {
    .group = GROUP,
    .kind = "VirtualMachineInstancePreset",
    .plural = "virtualmachineinstancepresets",
    .singular = "virtualmachineinstancepreset",
    .short_names = { "vmipreset", "vmipresets" },
    .in_category_all = true,
    .versions = preset_versions,
    .schema = &preset_type,
};

const struct kind kind_migration = {
    .group = GROUP,
    .kind = "VirtualMachineInstanceMigration",
    .plural = "virtualmachineinstancemigrations",
    .singular = "virtualmachineinstancemigration",
    .short_names = { "vmim", "vmims" },
    .in_category_all = true,
    .has_status = true,
    .versions = v1_and_alpha3,
    .columns = migration_columns,
    .schema = &migration_type,
};

const struct kind kind_kubevirt = {
    .group = GROUP,
    .kind = "KubeVirt",
    .plural = "kubevirts",
    .singular = "kubevirt",
    .short_names = { "kv", "kvs" },
    .in_category_all = true,
    .has_status = true,
    .versions = v1_and_alpha3,
    .columns = kubevirt_columns,
    .schema = &kubevirt_type,
};

const struct kind kind_instancetype = {
    .group = INSTANCETYPE_GROUP,
    .kind = "VirtualMachineInstancetype",
    .plural = "virtualmachineinstancetypes",
    .singular = "virtualmachineinstancetype",
    .short_names = { "vminstancetype", "vminstancetypes", "vmf", "vmfs" },
    .in_category_all = true,
    .versions = v1beta1,
    .schema = &instancetype_type,
};

const struct kind kind_cluster_instancetype = {
    .group = INSTANCETYPE_GROUP,
    .kind = "VirtualMachineClusterInstancetype",
    .plural = "virtualmachineclusterinstancetypes",
    .singular = "virtualmachineclusterinstancetype",
    .short_names = { "vmclusterinstancetype", "vmclusterinstancetypes", "vmcf", "vmcfs" },
    .is_cluster_scoped = true,
    .versions = v1beta1,
    .schema = &cluster_instancetype_type,
};

const struct kind kind_preference = {
    .group = INSTANCETYPE_GROUP,
    .kind = "VirtualMachinePreference",
    .plural = "virtualmachinepreferences",
    .singular = "virtualmachinepreference",
    .short_names = { "vmpref", "vmprefs", "vmp", "vmps" },
    .in_category_all = true,
    .versions = v1beta1,
    .schema = &preference_type,
};

const struct kind kind_cluster_preference = {
    .group = INSTANCETYPE_GROUP,
    .kind = "VirtualMachineClusterPreference",
    .plural = "virtualmachineclusterpreferences",
    .singular = "virtualmachineclusterpreference",
    .short_names = { "vmcp", "vmcps" },
    .is_cluster_scoped = true,
    .versions = v1beta1,
    .schema = &cluster_preference_type,
};

const struct kind *const all_kinds[] = {
    &kind_vmi,          &kind_vm,
    &kind_vmirs,        &kind_preset,
    &kind_migration,    &kind_kubevirt,
    &kind_instancetype, &kind_cluster_instancetype,
    &kind_preference,   &kind_cluster_preference,
};
const size_t all_kinds_len = countof(all_kinds);

const struct kind *kind_find(const char *group, const char *kind)
{
    for (size_t i = 0; i < countof(all_kinds); i++) {
        if (streq(all_kinds[i]->group, group) && streq(all_kinds[i]->kind, kind))
            return all_kinds[i];
    }
    return NULL;
}

const struct kind *kind_find_plural(const char *group, const char *plural)
{
    for (size_t i = 0; i < countof(all_kinds); i++) {
        if (streq(all_kinds[i]->group, group) && streq(all_kinds[i]->plural, plural))
            return all_kinds[i];
    }
    return NULL;
}
