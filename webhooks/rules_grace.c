/* SPDX-License-Identifier: Apache-2.0 */
#include "webhooks/rules_grace.h"

#include <strings.h>

#include "base/jpath.h"
#include "base/scope.h"
#include "base/str.h"

/* ---- which device is meant ---- */

enum grace { NOT_GRACE, GRACE, ANY_OF_NVIDIA };

static const char nvidia[] = "10de";
static const char *const grace_gpus[] = { "2342", "2348", "2941" };

/* "0x10DE" and "10de" are one ID. */
static bool is_id(const char *text, size_t len, const char *id)
{
    if (len > 2 && strncasecmp(text, "0x", 2) == 0) {
        text += 2;
        len -= 2;
    }
    return len == strlen(id) && strncasecmp(text, id, len) == 0;
}

/* `selector` is "VENDOR:DEVICE", or "VENDOR:*". */
static enum grace selector_grace(const char *selector)
{
    const char *colon = strchr(selector, ':');

    if (!colon || !is_id(selector, (size_t)(colon - selector), nvidia))
        return NOT_GRACE;
    if (streq(colon + 1, "*"))
        return ANY_OF_NVIDIA;
    for (size_t i = 0; i < countof(grace_gpus); i++)
        if (is_id(colon + 1, strlen(colon + 1), grace_gpus[i]))
            return GRACE;
    return NOT_GRACE;
}

static const json_t *permitted(const struct cluster_config *config)
{
    return jpath_arr(config->configuration, "permittedHostDevices.pciHostDevices");
}

static enum grace device_grace(const json_t *permitted, const json_t *device)
{
    const char *name = jpath_str(device, "deviceName", "");
    const json_t *row = *name ? jarr_find(permitted, "resourceName", name) : NULL;

    return row ? selector_grace(jpath_str(row, "pciVendorSelector", "")) : NOT_GRACE;
}

/* ---- what the machine must be ---- */

static void check_machine(const struct subject *s, struct findings *out)
{
    const char *arch = *s->arch ? s->arch : cluster_config_default_arch(s->config);
    const char *machine = jpath_str(s->spec, "domain.machine.type", "");
    const struct {
        bool is_met;
        enum cause cause;
        const char *path, *message;
    } needs[] = {
        { streq(arch, "arm64"), CAUSE_INVALID, "architecture", "Grace GPUs need arm64" },
        { str_has_prefix(*machine ? machine : cluster_config_machine_type(s->config, arch), "virt"),
          CAUSE_INVALID, "domain.machine.type", "Grace GPUs need the machine type virt" },
        { jpath_bool(s->spec, "domain.cpu.dedicatedCpuPlacement", false), CAUSE_REQUIRED,
          "domain.cpu.dedicatedCpuPlacement", "must be true for Grace GPUs" },
        { cluster_config_gate(s->config, "PCINUMAAwareTopology"), CAUSE_INVALID, "domain.devices",
          "Grace GPUs need the feature gate PCINUMAAwareTopology" },
        { cluster_config_gate(s->config, "IOMMUFD"), CAUSE_INVALID, "domain.devices",
          "Grace GPUs need the feature gate IOMMUFD" },
    };

    for (size_t i = 0; i < countof(needs); i++)
        if (!needs[i].is_met)
            rule_say(s, out, needs[i].cause, needs[i].path, "%s", needs[i].message);
}

void rule_grace(const struct rule *r, const struct subject *s, const json_t *v,
                struct findings *out)
{
    const json_t *known = permitted(s->config);
    const bool is_on = known && cluster_config_gate(s->config, "GraceIOVirtualization");
    struct subject top = *s;
    struct rule found = *r;
    bool has_grace = false;
    size_t i;
    json_t *device;

    if (!known)
        return;
    json_array_foreach(v, i, device) {
        const enum grace grace = device_grace(known, device);

        has_grace |= grace == GRACE;
        found.message = grace == GRACE && !is_on
                            ? "is a GPU of a Grace machine: needs the feature gate "
                              "GraceIOVirtualization"
                        : grace == ANY_OF_NVIDIA && is_on
                            ? "may be any device of NVIDIA: give it an exact pciVendorSelector in "
                              "permittedHostDevices of the KubeVirt object"
                            : NULL;
        if (found.message)
            rule_report_at(&found, s, out, "%s[%zu].deviceName", r->path, i);
    }
    top.at = s->at->up; /* the spec is above its devices */
    if (has_grace && is_on)
        check_machine(&top, out);
}

/* ---- annotations ---- */

static bool has_grace_gpu(const json_t *spec, const json_t *known)
{
    static const char *const lists[] = { "domain.devices.gpus", "domain.devices.hostDevices" };
    size_t i;
    json_t *device;

    for (size_t l = 0; l < countof(lists); l++)
        json_array_foreach(jpath_arr(spec, lists[l]), i, device)
            if (device_grace(known, device) == GRACE)
                return true;
    return false;
}

void check_grace_annotations(struct review *rv, const struct at *at, const json_t *metadata,
                             const json_t *spec)
{
    static const struct {
        const char *key, *message;
    } rows[] = {
        { "kubevirt.io/placePCIDevicesOnRootComplex",
          "Grace GPUs are not placed on the root complex: leave it out" },
        { "kubevirt.io/disablePCIHole64", "Grace GPUs need the 64-bit PCI hole: leave it out" },
    };
    const json_t *annotations = json_object_get(metadata, "annotations");
    const json_t *known = annotations ? permitted(rv->config) : NULL;
    const struct at at_annotations = AT_NAME(at, "annotations");

    if (!known || !has_grace_gpu(spec, known))
        return;
    for (size_t i = 0; i < countof(rows); i++)
        if (streq(json_string_value(json_object_get(annotations, rows[i].key)), "true"))
            findings_add_at(&rv->findings, CAUSE_INVALID, &AT_KEY(&at_annotations, rows[i].key),
                            "%s", rows[i].message);
}
