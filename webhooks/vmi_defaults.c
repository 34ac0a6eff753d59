/* SPDX-License-Identifier: Apache-2.0 */
/* The order of defaults, and those of machine, volumes, network. */
#include "base/jpath.h"
#include "base/must.h"
#include "base/scope.h"
#include "base/str.h"
#include "webhooks/defaults.h"
#include "webhooks/mutators.h"

void default_architecture(json_t *spec, const struct cluster_config *config)
{
    if (!*jpath_str(spec, "architecture", ""))
        jpath_set_str(spec, "architecture", cluster_config_default_arch(config));
}

void default_machine(json_t *spec, const struct cluster_config *config)
{
    if (!*jpath_str(spec, "domain.machine.type", ""))
        jpath_set_str(spec, "domain.machine.type",
                      cluster_config_machine_type(config, jpath_str(spec, "architecture", "")));
}

bool default_has_pcie(const json_t *spec)
{
    const char *arch = jpath_str(spec, "architecture", "");
    const char *machine = jpath_str(spec, "domain.machine.type", "");

    if (*arch && !streq(arch, "amd64") && !streq(arch, "arm64"))
        return false;
    return !jpath_has(spec, "domain.machine") || strstr(machine, "q35") ||
           str_has_prefix(machine, "virt");
}

void default_pci_topology(json_t *object)
{
    static const char key[] = "kubevirt.io/pci-topology-version";

    if (!meta_annotation(object, key))
        must_set(jpath_make_obj(object, "metadata.annotations"), key, json_string("v3"));
}

/* The kubelet's own rule for pods: :latest and untagged images are always pulled. */
static const char *pull_policy(const char *image)
{
    bool is_moving =
        str_has_suffix(image, ":latest") || (!strchr(image, ':') && !strchr(image, '@'));

    return is_moving ? "Always" : "IfNotPresent";
}

/* Among the first n of a list. */
static bool is_named(const json_t *list, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++)
        if (streq(jpath_str(json_array_get(list, i), "name", ""), name))
            return true;
    return false;
}

void default_volumes(json_t *spec)
{
    const json_t *disks = jpath_arr(spec, "domain.devices.disks");
    const size_t given = json_array_size(disks);
    const json_t *filesystems = jpath_arr(spec, "domain.devices.filesystems");
    json_t *volumes = jpath_arr(spec, "volumes");
    size_t i;
    json_t *volume;

    json_array_foreach(volumes, i, volume) {
        json_t *image = jpath_obj(volume, "containerDisk");
        const char *name = jpath_str(volume, "name", "");

        if (image && !*jpath_str(image, "imagePullPolicy", ""))
            jpath_set_str(image, "imagePullPolicy", pull_policy(jpath_str(image, "image", "")));
        if (!is_named(disks, given, name) && !jarr_find(filesystems, "name", name))
            must_append(jpath_make_arr(spec, "domain.devices.disks"),
                        must_pack("{s:s}", "name", name));
    }
}

int default_network(json_t *spec, const struct cluster_config *config, struct error *e)
{
    bool has_any = json_array_size(jpath_arr(spec, "networks")) > 0 ||
                   json_array_size(jpath_arr(spec, "domain.devices.interfaces")) > 0;
    const char *binding = config->default_network_interface;

    if (has_any || !jpath_bool(spec, "domain.devices.autoattachPodInterface", true))
        return 0;
    if (streq(binding, "bridge") && !config->permits_bridge_on_pod_network)
        return error_set(
            e, ERR_BAD_REQUEST,
            "the cluster's default network interface is bridge, which it does not permit "
            "on the pod network: name an interface in spec.domain.devices.interfaces");
    if (!streq(binding, "bridge") && !streq(binding, "masquerade"))
        return error_set(e, ERR_BAD_REQUEST,
                         "the cluster's default network interface \"%s\" is not supported: name an "
                         "interface in spec.domain.devices.interfaces",
                         binding);

    jpath_set(spec, "domain.devices.interfaces",
              must_pack("[{s:s, s:{}}]", "name", "default", binding));
    jpath_set(spec, "networks", must_pack("[{s:s, s:{}}]", "name", "default", "pod"));
    return 0;
}

int vmi_spec_basics(json_t *spec, const struct cluster_config *config, struct error *e)
{
    (void)jpath_make_obj(spec, "domain.devices");
    default_architecture(spec, config);
    default_machine(spec, config);
    default_resources(spec, config);
    default_memory(spec);
    default_cpu_topology(spec);
    if (!jpath_has(spec, "evictionStrategy"))
        jpath_set_str(spec, "evictionStrategy", config->eviction_strategy);

    int r = default_network(spec, config, e);
    if (r < 0)
        return r;
    default_volumes(spec);
    return 0;
}

int vmi_spec_defaults(json_t *spec, const struct cluster_config *config, struct error *e)
{
    int r = vmi_spec_basics(spec, config, e);
    if (r < 0)
        return r;
    default_features(spec);
    default_devices(spec);
    default_disks(spec);
    default_probes(spec);
    default_cpu_model(spec, config);
    default_hotplug_limits(spec, config);
    return 0;
}
