/* SPDX-License-Identifier: Apache-2.0 */
/* One row a webhook.  Data only. */
#include "webhooks/hooks.h"

#include "base/scope.h"
#include "base/str.h"
#include "webhooks/mutators.h"
#include "webhooks/rules_vm.h"
#include "webhooks/validators.h"
#include "webhooks/vm_types.h"

/* Not one of ours, so it is only named here. */
static const struct kind kind_pod = { .group = "", .kind = "Pod", .plural = "pods" };

#define V1 "v1alpha3 v1"
#define BETA "v1beta1"
#define BOTH "CREATE UPDATE"

// clang-format off
#define HOOK(n, p, k, v, r, o, fn, ...)                                                                     \
    { .name = n, .path = p, .kind = k, .versions = v, .resources = r, .operations = o, .decide = fn, ##__VA_ARGS__ }

const struct webhook webhook_rows[] = {
    HOOK("virtualmachines-mutator.kubevirt.io", "/virtualmachines-mutate", &kind_vm, V1, "virtualmachines", BOTH, mutate_vm, .flags = HOOK_MUTATES,
         .asks = vm_mutator_asks),
    HOOK("virtualmachineinstances-mutator.kubevirt.io", "/virtualmachineinstances-mutate",
         &kind_vmi, V1, "virtualmachineinstances", BOTH, mutate_vmi, .flags = HOOK_MUTATES),
    HOOK("migrations-mutator.kubevirt.io", "/migration-mutate-create",
         &kind_migration, V1, "virtualmachineinstancemigrations", "CREATE", mutate_migration, .flags = HOOK_MUTATES),

    HOOK("virt-launcher-eviction-interceptor.kubevirt.io", "/pod-eviction-validate",
         &kind_pod, "v1", "pods/eviction", "*", validate_eviction, .flags = HOOK_ASKS | HOOK_WRITES,
         .condition = "only-vms", .expression = "object.metadata.name.startsWith(\"virt-launcher\")"),
    HOOK("hotplug-pod-eviction-interceptor.kubevirt.io", "/pod-eviction-validate",
         &kind_pod, "v1", "pods/eviction", "*", validate_eviction, .flags = HOOK_ASKS | HOOK_WRITES,
         .condition = "only-hotplug-pods", .expression = "object.metadata.name.startsWith(\"hp-volume-\")"),
    HOOK("virtualmachineinstances-create-validator.kubevirt.io", "/virtualmachineinstances-validate-create",
         &kind_vmi, V1, "virtualmachineinstances", "CREATE", validate_vmi_create),
    HOOK("virtualmachineinstances-update-validator.kubevirt.io", "/virtualmachineinstances-validate-update",
         &kind_vmi, V1, "virtualmachineinstances", "UPDATE", validate_vmi_update),
    HOOK("virtualmachine-validator.kubevirt.io", "/virtualmachines-validate", &kind_vm, V1, "virtualmachines", BOTH, validate_vm,
         .asks = vm_validator_asks),
    HOOK("virtualmachinereplicaset-validator.kubevirt.io", "/virtualmachinereplicaset-validate",
         &kind_vmirs, V1, "virtualmachineinstancereplicasets", BOTH, validate_vmirs),
    HOOK("virtualmachinepreset-validator.kubevirt.io", "/vmipreset-validate",
         &kind_preset, V1, "virtualmachineinstancepresets", BOTH, validate_preset),
    HOOK("migration-create-validator.kubevirt.io", "/migration-validate-create",
         &kind_migration, V1, "virtualmachineinstancemigrations", "CREATE", validate_migration_create, .flags = HOOK_ASKS),
    HOOK("migration-update-validator.kubevirt.io", "/migration-validate-update",
         &kind_migration, V1, "virtualmachineinstancemigrations", "UPDATE", validate_migration),
    HOOK("virtualmachineinstancetype-validator.instancetype.kubevirt.io", "/virtualmachineinstancetypes-validate",
         &kind_instancetype, BETA, "virtualmachineinstancetypes", BOTH, validate_instancetype),
    HOOK("virtualmachineclusterinstancetype-validator.instancetype.kubevirt.io", "/virtualmachineclusterinstancetypes-validate",
         &kind_cluster_instancetype, BETA, "virtualmachineclusterinstancetypes", BOTH, validate_instancetype),
    HOOK("virtualmachinepreference-validator.instancetype.kubevirt.io", "/virtualmachinepreferences-validate",
         &kind_preference, BETA, "virtualmachinepreferences", BOTH, validate_preference),
    HOOK("virtualmachineclusterpreference-validator.instancetype.kubevirt.io", "/virtualmachineclusterpreferences-validate",
         &kind_cluster_preference, BETA, "virtualmachineclusterpreferences", BOTH, validate_preference),
    HOOK("kubevirt-crd-status-validator.kubevirt.io", "/status-validate", NULL, V1,
         "virtualmachines/status virtualmachineinstancereplicasets/status virtualmachineinstancemigrations/status", BOTH, validate_status,
         .asks = vm_volume_requests_ask),

    HOOK("kubevirt-validator.kubevirt.io", "/kubevirt-validate-delete", &kind_kubevirt, V1, "kubevirts", "DELETE", validate_kubevirt_delete, .flags = HOOK_ASKS),
    HOOK("kubevirt-update-validator.kubevirt.io", "/kubevirt-validate-update", &kind_kubevirt, V1, "kubevirts", "UPDATE", validate_kubevirt_update),
    HOOK("kubevirt-create-validator.kubevirt.io", "/kubevirt-validate-create", &kind_kubevirt, V1, "kubevirts", "CREATE", validate_kubevirt_create, .flags = HOOK_ASKS),
};
// clang-format on
const size_t webhook_rows_len = countof(webhook_rows);

const struct webhook *webhook_find(const char *path)
{
    for (size_t i = 0; i < webhook_rows_len; i++)
        if (streq(webhook_rows[i].path, path))
            return &webhook_rows[i];
    return NULL;
}

bool webhook_asks(const struct webhook *hook, const json_t *body)
{
    return hook->flags & HOOK_ASKS || (hook->asks && hook->asks(body));
}
