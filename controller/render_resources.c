/* SPDX-License-Identifier: Apache-2.0 */
/* What the compute container asks for: CPU, memory with its overhead, devices. */
#include <stdbool.h>

#include "base/jpath.h"
#include "base/must.h"
#include "base/quantity.h"
#include "base/scope.h"
#include "base/str.h"
#include "controller/render_parts.h"

enum { MIB = 1024 * 1024 };

/* Fixed costs of a machine, in MiB: what runs in the pod beside the guest. */
enum {
    OVERHEAD_MONITOR = 25,
    OVERHEAD_LAUNCHER = 100,
    OVERHEAD_LOG_DAEMON = 25,
    OVERHEAD_LIBVIRT_DAEMON = 40,
    OVERHEAD_QEMU = 50,
    OVERHEAD_VCPU = 8,
    OVERHEAD_IO_THREAD = 8,
    OVERHEAD_GRAPHICS = 32,
    OVERHEAD_ARM64 = 128,
    OVERHEAD_VFIO = 1024,
    OVERHEAD_DOWNWARD_METRICS = 1,
    OVERHEAD_EXEC_PROBE = 10,
    OVERHEAD_EXEC_PROBES = 100,
    OVERHEAD_SEV = 256,
    OVERHEAD_TPM = 53,
    OVERHEAD_GUARANTEED = 100,
    OVERHEAD_PASST = 250,
    PAGE_TABLE_DIVISOR = 512,
};

const char *vmi_arch(const json_t *vmi)
{
    const char *arch = jpath_str(vmi, "spec.architecture", "");
    return arch[0] ? arch : "amd64";
}

bool vmi_is_emulated(const struct pod_request *q)
{
    return q->config->use_emulation;
}

static json_int_t at_least_one(json_int_t n)
{
    return n > 0 ? n : 1;
}

int vmi_vcpus(const json_t *vmi)
{
    const json_t *cpu = jpath_obj(vmi, "spec.domain.cpu");
    json_int_t n = at_least_one(jpath_int(cpu, "sockets", 1)) *
                   at_least_one(jpath_int(cpu, "cores", 1)) *
                   at_least_one(jpath_int(cpu, "threads", 1));
    if (jpath_has(cpu, "sockets") || jpath_has(cpu, "cores") || jpath_has(cpu, "threads"))
        return (int)(n < 100000 ? n : 100000);

    /* Without a topology the guest gets as many sockets as CPUs are asked for. */
    struct quantity q;
    static const char *const from[] = { "spec.domain.resources.requests.cpu",
                                        "spec.domain.resources.limits.cpu" };
    for (size_t i = 0; i < countof(from); i++)
        if (quantity_from_json(jpath(vmi, from[i]), &q) == 0)
            return (int)at_least_one(quantity_value(q));
    return 1;
}

static bool has_memory_limit_of_request(const json_t *vmi, const char *resource)
{
    struct quantity request, limit;
    return quantity_from_json(jpathf(vmi, "spec.domain.resources.requests.%s", resource),
                              &request) == 0 &&
           quantity_from_json(jpathf(vmi, "spec.domain.resources.limits.%s", resource), &limit) ==
               0 &&
           quantity_cmp(request, limit) == 0;
}

static bool is_dedicated(const json_t *vmi)
{
    return jpath_bool(vmi, "spec.domain.cpu.dedicatedCpuPlacement", false);
}

static bool wants_guaranteed(const json_t *vmi)
{
    return has_memory_limit_of_request(vmi, "memory") && has_memory_limit_of_request(vmi, "cpu");
}

static bool has_interface_of(const json_t *vmi, const char *binding)
{
    size_t i;
    json_t *nic;
    json_array_foreach(jpath_arr(vmi, "spec.domain.devices.interfaces"), i, nic) {
        if (jpath_has(nic, binding))
            return true;
    }
    return false;
}

static bool has_vfio(const json_t *vmi)
{
    return json_array_size(jpath_arr(vmi, "spec.domain.devices.gpus")) > 0 ||
           json_array_size(jpath_arr(vmi, "spec.domain.devices.hostDevices")) > 0 ||
           has_interface_of(vmi, "sriov");
}

static bool has_volume_of(const json_t *vmi, const char *source)
{
    size_t i;
    json_t *volume;
    json_array_foreach(jpath_arr(vmi, "spec.volumes"), i, volume) {
        if (jpath_has(volume, source))
            return true;
    }
    return false;
}

static int exec_probes(const json_t *vmi)
{
    return jpath_has(vmi, "spec.livenessProbe.exec") + jpath_has(vmi, "spec.readinessProbe.exec");
}

static int64_t optional_overhead_mib(const json_t *vmi)
{
    int probes = exec_probes(vmi);
    const struct {
        bool when;
        int64_t mib;
    } rows[] = {
        { jpath_bool(vmi, "spec.domain.devices.autoattachGraphicsDevice", true),
          OVERHEAD_GRAPHICS },
        { streq(vmi_arch(vmi), "arm64"), OVERHEAD_ARM64 },
        { has_vfio(vmi), OVERHEAD_VFIO },
        { has_volume_of(vmi, "downwardMetrics"), OVERHEAD_DOWNWARD_METRICS },
        { probes > 0, OVERHEAD_EXEC_PROBES + (int64_t)probes * OVERHEAD_EXEC_PROBE },
        { jpath_has(vmi, "spec.domain.launchSecurity.sev") ||
              jpath_has(vmi, "spec.domain.launchSecurity.snp"),
          OVERHEAD_SEV },
        { jpath_has(vmi, "spec.domain.devices.tpm"), OVERHEAD_TPM },
        { is_dedicated(vmi) || wants_guaranteed(vmi), OVERHEAD_GUARANTEED },
        { has_interface_of(vmi, "passtBinding"), OVERHEAD_PASST },
    };
    int64_t mib = 0;
    for (size_t i = 0; i < countof(rows); i++)
        mib += rows[i].when ? rows[i].mib : 0;
    return mib;
}

/* First of the paths that holds a quantity. */
static bool first_quantity(const json_t *vmi, const char *const *paths, size_t n,
                           struct quantity *ret)
{
    for (size_t i = 0; i < n; i++)
        if (quantity_from_json(jpath(vmi, paths[i]), ret) == 0)
            return true;
    return false;
}

static const char request_path[] = "spec.domain.resources.requests.memory";
static const char limit_path[] = "spec.domain.resources.limits.memory";
static const char guest_path[] = "spec.domain.memory.guest";
static const char page_path[] = "spec.domain.memory.hugepages.pageSize";

/* What the guest's memory makes the pod ask for, before overhead. */
static bool guest_request(const struct pod_request *q, struct quantity *ret)
{
    static const char *const said[] = { request_path, limit_path };
    if (first_quantity(q->vmi, said, countof(said), ret))
        return true;
    static const char *const meant[] = { guest_path, page_path };
    if (!first_quantity(q->vmi, meant, countof(meant), ret))
        return false;
    int64_t bytes = quantity_value(*ret);
    *ret = quantity_from_bytes((int64_t)((__int128)bytes * 100 / q->config->memory_overcommit));
    return true;
}

int64_t memory_overhead_bytes(const struct pod_request *q)
{
    const json_t *vmi = q->vmi;
    struct quantity request = { 0 };
    (void)guest_request(q, &request); /* without one there are no page tables to count */

    int64_t mib = OVERHEAD_MONITOR + OVERHEAD_LAUNCHER + OVERHEAD_LOG_DAEMON +
                  OVERHEAD_LIBVIRT_DAEMON + OVERHEAD_QEMU + OVERHEAD_IO_THREAD;
    mib += (int64_t)OVERHEAD_VCPU * vmi_vcpus(vmi) + optional_overhead_mib(vmi);

    int64_t bytes = mib * MIB + quantity_value(request) / PAGE_TABLE_DIVISOR;
    struct quantity added;
    if (quantity_from_json(jpath(vmi, "spec.domain.memory.reservedOverhead.addedOverhead"),
                           &added) == 0)
        bytes += quantity_value(added);
    if (q->config->overhead_ratio > 1 || q->config->overhead_ratio < 1)
        bytes = (int64_t)((double)bytes * q->config->overhead_ratio);
    return bytes;
}

/* ---- writing quantities ---- */

static void put(json_t *into, const char *resource, struct quantity amount)
{
    char text[QUANTITY_TEXT_MAX];
    must_set(into, resource, json_string(quantity_format(amount, text)));
}

static void put_device(json_t *requests, json_t *limits, const char *resource, int count)
{
    put(requests, resource, quantity_from_milli(1000LL * count));
    put(limits, resource, quantity_from_milli(1000LL * count));
}

static struct quantity get(const json_t *from, const char *resource)
{
    struct quantity q = { 0 };
    (void)quantity_from_json(json_object_get(from, resource), &q);
    return q;
}

static int check_quantities(const json_t *map, const char *path, struct error *e)
{
    const char *name;
    json_t *v;
    json_object_foreach((json_t *)map, name, v) {
        struct quantity ignored;
        if (quantity_from_json(v, &ignored) < 0)
            return error_set(e, ERR_INVALID, "%s.%s: not a quantity", path, name);
    }
    return 0;
}

/* ---- the three kinds ---- */

static int io_threads(const json_t *vmi)
{
    if (!streq(jpath_str(vmi, "spec.domain.ioThreadsPolicy", ""), "supplementalPool"))
        return 0;
    json_int_t n = jpath_int(vmi, "spec.domain.ioThreads.supplementalPoolThreadCount", 0);
    return n > 0 && n < 10000 ? (int)n : 0;
}

static int emulator_cpus(const struct pod_request *q, int cpus)
{
    if (!jpath_bool(q->vmi, "spec.domain.cpu.isolateEmulatorThread", false))
        return 0;
    bool to_even =
        meta_annotation(q->vmi, "alpha.kubevirt.io/EmulatorThreadCompleteToEvenParity") != NULL;
    return to_even && cpus % 2 == 0 ? 2 : 1;
}

static void add_cpu(json_t *requests, json_t *limits, const struct pod_request *q)
{
    int cpus = vmi_vcpus(q->vmi) + io_threads(q->vmi);

    if (is_dedicated(q->vmi)) {
        struct quantity all = quantity_from_milli(1000LL * (cpus + emulator_cpus(q, cpus)));
        put(requests, "cpu", all);
        put(limits, "cpu", all);
        return;
    }
    if (json_object_get(requests, "cpu"))
        return;
    if (json_object_get(limits, "cpu")) {
        put(requests, "cpu", get(limits, "cpu"));
        return;
    }
    put(requests, "cpu", quantity_from_milli(1000LL * cpus / q->config->cpu_allocation_ratio));
}

/* Huge pages carry the guest; ordinary memory is left with the overhead and what was asked beyond
 * the guest. */
static struct quantity move_to_hugepages(json_t *requests, json_t *limits, const json_t *vmi,
                                         struct quantity request, struct quantity overhead)
{
    struct quantity guest;
    struct quantity pages = request;
    struct quantity left = overhead;

    if (quantity_from_json(jpath(vmi, guest_path), &guest) == 0 &&
        quantity_cmp(guest, request) < 0) {
        pages = guest;
        left = quantity_add(left, quantity_sub(request, guest));
    }
    scoped(free) char *resource = must_asprintf("hugepages-%s", jpath_str(vmi, page_path, ""));
    put(requests, resource, pages);
    put(limits, resource, pages);
    return left;
}

static void add_memory(json_t *requests, json_t *limits, const struct pod_request *q)
{
    const json_t *vmi = q->vmi;
    struct quantity overhead = quantity_from_bytes(memory_overhead_bytes(q));
    struct quantity request;

    if (jpath_bool(vmi, "spec.domain.resources.overcommitGuestOverhead", false))
        overhead = (struct quantity){ .is_binary = true };
    if (!guest_request(q, &request))
        return;

    bool has_limit = json_object_get(limits, "memory") != NULL;
    if (has_limit)
        put(limits, "memory", quantity_add(get(limits, "memory"), overhead));

    if (jpath_has(vmi, page_path))
        request = move_to_hugepages(requests, limits, vmi, request, overhead);
    else
        request = quantity_add(request, overhead);
    put(requests, "memory", request);

    if (is_dedicated(vmi) || (has_limit && jpath_has(vmi, page_path)))
        put(limits, "memory", request);
}

static bool has_virtio_nic(const json_t *vmi)
{
    size_t i;
    json_t *nic;
    const json_t *nics = jpath_arr(vmi, "spec.domain.devices.interfaces");
    json_array_foreach(nics, i, nic) {
        const char *model = jpath_str(nic, "model", "");
        if (!model[0] || streq(model, "virtio"))
            return true;
    }
    return false;
}

static void add_named_devices(json_t *requests, json_t *limits, const json_t *list)
{
    size_t i;
    json_t *device;
    json_array_foreach(list, i, device) {
        const char *name = jpath_str(device, "deviceName", "");
        if (!name[0])
            continue;
        int already = (int)quantity_value(get(requests, name));
        put_device(requests, limits, name, already + 1);
    }
}

static void add_devices(json_t *requests, json_t *limits, const struct pod_request *q)
{
    const json_t *vmi = q->vmi;
    bool emulated = vmi_is_emulated(q);
    bool has_nic = json_array_size(jpath_arr(vmi, "spec.domain.devices.interfaces")) > 0 ||
                   jpath_bool(vmi, "spec.domain.devices.autoattachPodInterface", true);
    const struct {
        bool when;
        const char *resource;
    } rows[] = {
        { !emulated, "devices.kubevirt.io/kvm" },
        { has_nic, "devices.kubevirt.io/tun" },
        { has_virtio_nic(vmi) && !emulated, "devices.kubevirt.io/vhost-net" },
        { jpath_bool(vmi, "spec.domain.devices.autoattachVSOCK", false),
          "devices.kubevirt.io/vhost-vsock" },
        { jpath_has(vmi, "spec.domain.launchSecurity.sev") ||
              jpath_has(vmi, "spec.domain.launchSecurity.snp"),
          "devices.kubevirt.io/sev" },
        { jpath_has(vmi, "spec.domain.launchSecurity.tdx"), "devices.kubevirt.io/tdx" },
    };
    for (size_t i = 0; i < countof(rows); i++)
        if (rows[i].when)
            put_device(requests, limits, rows[i].resource, 1);

    add_named_devices(requests, limits, jpath_arr(vmi, "spec.domain.devices.gpus"));
    add_named_devices(requests, limits, jpath_arr(vmi, "spec.domain.devices.hostDevices"));
}

/* The pod writes logs and small overlays: 50M beyond what the user counted on. */
static void add_ephemeral_storage(json_t *requests, json_t *limits)
{
    static const char resource[] = "ephemeral-storage";
    struct quantity own;
    must(quantity_parse("50M", &own) == 0);

    put(requests, resource, quantity_add(own, get(requests, resource)));
    if (json_object_get(limits, resource))
        put(limits, resource, quantity_add(get(limits, resource), own));
}

static json_t *copy_of(const json_t *map)
{
    return map ? must_copy(map) : json_object();
}

int render_resources(json_t **ret, const struct pod_request *q, struct error *e)
{
    const json_t *user = jpath_obj(q->vmi, "spec.domain.resources");
    const json_t *user_requests = jpath_obj(user, "requests");
    const json_t *user_limits = jpath_obj(user, "limits");

    int r = check_quantities(user_requests, "spec.domain.resources.requests", e);
    if (r == 0)
        r = check_quantities(user_limits, "spec.domain.resources.limits", e);
    if (r < 0)
        return r;

    json_t *requests = copy_of(user_requests);
    json_t *limits = copy_of(user_limits);
    add_cpu(requests, limits, q);
    add_memory(requests, limits, q);
    add_devices(requests, limits, q);
    add_ephemeral_storage(requests, limits);
    *ret = must_pack("{s:o, s:o}", "requests", requests, "limits", limits);
    return 0;
}
