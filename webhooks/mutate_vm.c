/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A VirtualMachine before it is stored (spec 02, 3.1).  Defaults of CPU, memory
 * and disks are not written here: they come with each instance, so that a
 * machine follows the cluster's configuration from start to start.
 */
#include "base/jpath.h"
#include "base/must.h"
#include "base/str.h"
#include "openapi/canonical.h"
#include "openapi/defaults.h"
#include "webhooks/defaults.h"
#include "webhooks/mutators.h"
#include "webhooks/rules_vm.h"
#include "webhooks/rules_vmi.h"
#include "webhooks/vm_infer.h"
#include "webhooks/vm_types.h"

static void set_firmware_identity(json_t *template)
{
    char uuid[37];

    if (!*jpath_str(template, "spec.domain.firmware.uuid", "")) {
        uuid_v4(uuid);
        jpath_set_str(template, "spec.domain.firmware.uuid", uuid);
    }
    if (!*jpath_str(template, "spec.domain.firmware.serial", "")) {
        uuid_v4(uuid);
        jpath_set_str(template, "spec.domain.firmware.serial", uuid);
    }
}

void mutate_vm(struct review *rv)
{
    if (meta_is_deleting(rv->object))
        return;
    if (!check_shape(rv))
        return;
    vm_matchers_check(rv);
    if (findings_any(&rv->findings))
        return;

    json_t *vm = must_branch(rv->object);

    rv->changed = vm;
    schema_default(rv->kind->schema, vm);
    canonical_make(rv->kind->schema, vm);

    json_t *template = jpath_obj(vm, "spec.template");
    if (!template)
        return; /* the validator says so */

    json_t *spec = jpath_make_obj(template, "spec");
    (void)jpath_make_obj(spec, "domain.devices");
    if (!vm_infer_types(rv, vm))
        return;
    vm_preference_fill(rv, vm);
    if (rv->is_create)
        set_firmware_identity(template);
    vm_infer_architecture(rv, vm);
    default_architecture(spec, rv->config);
    default_machine(spec, rv->config);
    if (rv->is_create && default_has_pcie(spec))
        default_pci_topology(template);
    if (jpath_has(spec, "domain.features"))
        (void)jpath_make_obj(spec, "domain.features.acpi");
}
