// SPDX-License-Identifier: Apache-2.0
/* Memory and vCPUs of a domain (spec 05, section 3.5). */
#include "launcher/domain_parts.h"

#include "base/jpath.h"
#include "base/str.h"

/* virtiofs and passt talk to QEMU over memory that both have mapped. */
static bool has_shared_memory(const struct domain_plan *p)
{
    size_t i;
    json_t *interface;

    if (json_array_size(jpath_arr(p->devices, "filesystems")) > 0)
        return true;
    json_array_foreach(jpath_arr(p->devices, "interfaces"), i, interface)
        if (jpath_has(interface, "passtBinding"))
            return true;
    return false;
}

static bool has_memory_backing(const struct domain_plan *p)
{
    return jpath_has(p->domain, "memory.hugepages") || has_shared_memory(p);
}

int domain_memory(struct xml *x, const struct domain_plan *p, struct error *e)
{
    xml_open(x, "memory");
    xml_attr(x, "unit", "b");
    char bytes[32];
    (void)snprintf(bytes, sizeof(bytes), "%lld", p->memory_bytes);
    xml_text(x, bytes);
    xml_close(x);

    if (!has_memory_backing(p))
        return 0;
    xml_open(x, "memoryBacking");
    if (jpath_has(p->domain, "memory.hugepages"))
        xml_empty(x, "hugepages");
    if (!streq(meta_annotation(p->vmi, "kubevirt.io/memfd"), "false"))
        xml_with(x, "source", "type", "memfd");
    if (has_shared_memory(p))
        xml_with(x, "access", "mode", "shared");
    xml_close(x);
    return 0;
}

static void write_vcpus(struct xml *x, const struct domain_plan *p)
{
    int max = domain_max_vcpus(p);

    xml_open(x, "vcpu");
    xml_attr(x, "placement", "static");
    char count[16];
    (void)snprintf(count, sizeof(count), "%d", max);
    xml_text(x, count);
    xml_close(x);
    if (jpath_int(p->domain, "cpu.maxSockets", 0) <= 0 || !p->arch->has_cpu_hotplug)
        return;

    /* QEMU plugs whole sockets; the first one is there from the start. */
    xml_open(x, "vcpus");
    for (int i = 0; i < max; i++) {
        xml_open(x, "vcpu");
        xml_attrf(x, "id", "%d", i);
        xml_attr(x, "enabled", i < domain_vcpus(p) ? "yes" : "no");
        xml_attr(x, "hotpluggable", i < p->cores * p->threads ? "no" : "yes");
        xml_close(x);
    }
    xml_close(x);
}

static int write_pinning(struct xml *x, const struct domain_plan *p, struct error *e)
{
    if (!jpath_bool(p->domain, "cpu.dedicatedCpuPlacement", false))
        return 0;
    if (p->facts->cpus_len < (size_t)domain_vcpus(p))
        return error_set(e, ERR_INVALID,
                         "spec.domain.cpu.dedicatedCpuPlacement: the pod has %zu CPUs for %d vCPUs",
                         p->facts->cpus_len, domain_vcpus(p));
    xml_open(x, "cputune");
    for (int i = 0; i < domain_vcpus(p); i++) {
        xml_open(x, "vcpupin");
        xml_attrf(x, "vcpu", "%d", i);
        xml_attrf(x, "cpuset", "%d", p->facts->cpus[i]);
        xml_close(x);
    }
    xml_close(x);
    return 0;
}

/* The mode attribute, and the model when it is a named one. */
static const char *cpu_mode(const struct domain_plan *p, const char **ret_model)
{
    const char *model = jpath_str(p->domain, "cpu.model", "");

    *ret_model = NULL;
    if (streq(p->arch->name, "arm64") && (!*model || streq(model, "host-model")))
        model = "host-passthrough";
    if (!*model || streq(model, "host-model"))
        return "host-model";
    if (streq(model, "host-passthrough"))
        /* The emulator has no host CPU to pass through; "maximum" is all that it can do. */
        return p->is_kvm ? "host-passthrough" : "maximum";
    *ret_model = model;
    return "custom";
}

static void write_features(struct xml *x, const struct domain_plan *p, bool is_custom)
{
    size_t i;
    json_t *feature;
    bool has_mpx = false;

    json_array_foreach(jpath_arr(p->domain, "cpu.features"), i, feature) {
        const char *name = jpath_str(feature, "name", "");
        has_mpx = has_mpx || streq(name, "mpx");
        xml_open(x, "feature");
        xml_attr(x, "name", name);
        xml_attr(x, "policy", jpath_str(feature, "policy", "require"));
        xml_close(x);
    }
    /* Named Intel models carry mpx, which neither new CPUs nor new kernels have. */
    if (is_custom && !has_mpx && streq(p->arch->name, "amd64")) {
        xml_open(x, "feature");
        xml_attr(x, "name", "mpx");
        xml_attr(x, "policy", "disable");
        xml_close(x);
    }
}

/* Memory that is backed by a file descriptor needs a NUMA cell to hang on. */
static void write_numa(struct xml *x, const struct domain_plan *p)
{
    xml_open(x, "numa");
    xml_open(x, "cell");
    xml_attr(x, "id", "0");
    xml_attrf(x, "cpus", "0-%d", domain_max_vcpus(p) - 1);
    xml_attrf(x, "memory", "%lld", p->memory_bytes / 1024);
    xml_attr(x, "unit", "KiB");
    xml_close(x);
    xml_close(x);
}

int domain_cpu(struct xml *x, const struct domain_plan *p, struct error *e)
{
    const char *model;
    const char *mode = cpu_mode(p, &model);

    write_vcpus(x, p);
    int r = write_pinning(x, p, e);
    if (r < 0)
        return r;
    xml_open(x, "cpu");
    xml_attr(x, "mode", mode);
    if (model)
        xml_leaf(x, "model", model);
    xml_open(x, "topology");
    xml_attrf(x, "sockets", "%d", p->max_sockets);
    xml_attrf(x, "cores", "%d", p->cores);
    xml_attrf(x, "threads", "%d", p->threads);
    xml_close(x);
    write_features(x, p, model != NULL);
    if (has_memory_backing(p))
        write_numa(x, p);
    xml_close(x);
    return 0;
}
