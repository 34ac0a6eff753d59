/* SPDX-License-Identifier: Apache-2.0 */
/* A VirtualMachineInstance before it is stored, in upstream's order (spec 02, 3.2). */
#include "base/clock.h"
#include "base/jpath.h"
#include "base/must.h"
#include "base/scope.h"
#include "base/str.h"
#include "openapi/canonical.h"
#include "openapi/defaults.h"
#include "openapi/machine.h"
#include "webhooks/defaults.h"
#include "webhooks/mutators.h"
#include "webhooks/presets.h"
#include "webhooks/rules_vmi.h"

static const char finalizer[] = "kubevirt.io/foregroundDeleteVirtualMachine";
static const char parity[] = "alpha.kubevirt.io/EmulatorThreadCompleteToEvenParity";
static const char qgs_path[] = "kubevirt.io/qgs-socket-path";

/* Only the installation writes status; a user's change of it is put back without a word, as
 * upstream does. */
static void keep_status(struct review *rv)
{
    const json_t *old = json_object_get(rv->old, "status");

    if (rv->is_own_account || json_equal(json_object_get(rv->object, "status"), old))
        return;
    rv->changed = must_branch(rv->object);
    if (old)
        must_set(rv->changed, "status", must_copy(old));
    else
        json_object_del(rv->changed, "status");
}

/* What the launcher and the handler start from. */
static void first_status(json_t *vmi)
{
    static const char *const amounts[] = { "guestAtBoot", "guestCurrent", "guestRequested" };
    static const char *const parts[] = { "sockets", "cores", "threads" };
    const json_t *domain = jpath_obj(vmi, "spec.domain");
    const json_t *cpu = jpath_obj(domain, "cpu");
    json_t *guest = jpath(domain, "memory.guest");
    json_t *status = jpath_make_obj(vmi, "status");
    char now[RFC3339_MAX];

    if (json_is_string(guest)) {
        json_t *memory = json_object();

        for (size_t i = 0; i < countof(amounts); i++)
            must_set(memory, amounts[i], json_incref(guest));
        must_set(status, "memory", memory);
    }

    json_t *topology = jpath_make_obj(status, "currentCPUTopology");
    for (size_t i = 0; i < countof(parts); i++) {
        json_t *n = json_object_get(cpu, parts[i]);

        if (n)
            must_set(topology, parts[i], json_incref(n));
    }

    must_set(status, "phase", json_string("Pending"));
    must_append(jpath_make_arr(status, "phaseTransitionTimestamps"),
                must_pack("{s:s, s:s}", "phase", "Pending", "phaseTransitionTimestamp",
                          rfc3339(clock_wall_ms(&clock_real), now)));
}

static void copy_annotations(json_t *vmi, const struct cluster_config *config)
{
    bool is_even = jpath_bool(vmi, "spec.domain.cpu.isolateEmulatorThread", false) &&
                   cluster_config_gate(config, "AlignCPUs") &&
                   meta_annotation(config->kubevirt, parity);

    if (is_even)
        must_set(jpath_make_obj(vmi, "metadata.annotations"), parity, json_string(""));
    if (jpath_has(vmi, "spec.domain.launchSecurity.tdx"))
        must_set(jpath_make_obj(vmi, "metadata.annotations"), qgs_path,
                 json_string(jpath_str(config->configuration,
                                       "confidentialCompute.tdx.attestation.qgsSocketPath",
                                       "/var/run/tdx-qgs/qgs.socket")));
}

static void warn_of_presets(struct review *rv)
{
    const char *key;
    json_t *value;

    json_object_foreach(jpath_obj(rv->changed, "metadata.annotations"), key, value) {
        if (strstr(key, "virtualmachinepreset")) {
            review_warn(rv,
                        "VirtualMachineInstancePresets are deprecated and will be removed in v2: "
                        "use an instance type and a preference");
            return;
        }
    }
}

void mutate_vmi_with(struct review *rv, const json_t *presets)
{
    if (rv->is_update) {
        keep_status(rv);
        return;
    }
    if (!check_shape(rv))
        return;

    json_t *vmi = must_branch(rv->object);

    rv->changed = vmi;
    schema_default(rv->kind->schema, vmi);
    canonical_make(rv->kind->schema, vmi);
    presets_merge(presets, vmi, presets_warn, rv, &rv->findings);
    if (findings_any(&rv->findings) ||
        vmi_spec_defaults(jpath_obj(vmi, "spec"), rv->config, &rv->denied) < 0)
        return;

    first_status(vmi);
    if (default_has_pcie(jpath_obj(vmi, "spec")))
        default_pci_topology(vmi);
    copy_annotations(vmi, rv->config);
    if (!cluster_config_gate(rv->config, "Root"))
        jpath_set_int(vmi, "status.runtimeUser", LAUNCHER_UID);
    if (!meta_has_finalizer(vmi, finalizer))
        must_append(jpath_make_arr(vmi, "metadata.finalizers"), json_string(finalizer));
    warn_of_presets(rv);
}

void mutate_vmi(struct review *rv)
{
    json_auto_t *presets = rv->is_create ? presets_of(rv->presets, rv->namespace) : NULL;

    mutate_vmi_with(rv, presets);
}
