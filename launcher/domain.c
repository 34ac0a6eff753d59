// SPDX-License-Identifier: Apache-2.0
/* The parts of a domain in order, and what is refused; see domain.h. */
#include "launcher/domain.h"

#include <stdlib.h>

#include "base/jpath.h"
#include "base/must.h"
#include "base/quantity.h"
#include "base/scope.h"
#include "base/str.h"
#include "launcher/domain_parts.h"

// clang-format off
static const struct domain_arch arches[] = {
    { "amd64", "x86_64", "q35", .has_smbios = true, .has_vmport = true,
      .has_cpu_hotplug = true, .has_rom = true },
    { "arm64", "aarch64", "virt", .has_smbios = true, .has_usb_always = true, .has_rom = true },
    { "s390x", "s390x", "s390-ccw-virtio", .has_cpu_hotplug = true },
};

/* Present in the VMI, but not honoured by this launcher: refused rather than left out in silence. */
static const struct refusal {
    const char *path; /* below spec */
    const char *why;
} refusals[] = {
    { "domain.devices.gpus",                  "GPUs cannot be passed through" },
    { "domain.devices.hostDevices",           "host devices cannot be passed through" },
    { "domain.launchSecurity",                "confidential computing is not available" },
    { "domain.cpu.realtime",                  "real-time scheduling is not available" },
    { "domain.cpu.numa.guestMappingPassthrough", "NUMA mapping is not available" },
    { "domain.cpu.isolateEmulatorThread",     "an emulator thread of its own is not available" },
};

static const struct part {
    const char *doc;
    domain_part_fn *write;
} parts[] = {
    { "size and kind of memory",               domain_memory },
    { "vCPUs, topology, model",                domain_cpu },
    { "machine type, firmware, boot files",    domain_os },
    { "SMBIOS strings",                        domain_sysinfo },
    { "ACPI, Hyper-V and other features",      domain_features },
    { "clock and timers",                      domain_clock },
    { "I/O threads",                           domain_iothreads },
    { "devices",                               domain_devices },
};
// clang-format on

char *domain_name(const json_t *vmi)
{
    return must_asprintf("%s_%s", meta_namespace(vmi), meta_name(vmi));
}

const char *domain_virtio_model(const struct domain_plan *p)
{
    if (streq(p->arch->name, "s390x"))
        return "virtio";
    return jpath_bool(p->devices, "useVirtioTransitional", false) ? "virtio-transitional"
                                                                  : "virtio-non-transitional";
}

bool domain_is_attached(const struct domain_plan *p, const char *autoattach)
{
    return jpath_bool(p->devices, autoattach, true);
}

static bool is_wanted(const json_t *v)
{
    if (json_is_array(v))
        return json_array_size(v) > 0;
    if (json_is_boolean(v))
        return json_is_true(v);
    return v && !json_is_null(v);
}

static int refuse_unknown(const struct domain_plan *p, struct error *e)
{
    for (size_t i = 0; i < countof(refusals); i++)
        if (is_wanted(jpath(p->spec, refusals[i].path)))
            return error_set(e, ERR_INVALID, "spec.%s: %s", refusals[i].path, refusals[i].why);
    return 0;
}

/* Names that become parts of paths, whoever let them in. */
static int check_names(const struct domain_plan *p, struct error *e)
{
    static const char *const lists[] = { "volumes", "domain.devices.disks",
                                         "domain.devices.filesystems" };
    static const char *const tables[] = { "slicNameRef", "msdmNameRef" };

    for (size_t i = 0; i < countof(lists); i++) {
        size_t n;
        json_t *item;
        json_array_foreach(jpath_arr(p->spec, lists[i]), n, item)
            if (!is_dns_label(jpath_str(item, "name", "")))
                return error_set(e, ERR_INVALID, "spec.%s[%zu].name \"%s\" is not a DNS label",
                                 lists[i], n, jpath_str(item, "name", ""));
    }
    for (size_t i = 0; i < countof(tables); i++) {
        const char *name = jpath_str(jpath_obj(p->domain, "firmware.acpi"), tables[i], NULL);
        if (name && !is_dns_label(name))
            return error_set(e, ERR_INVALID, "spec.domain.firmware.acpi.%s \"%s\" is no volume",
                             tables[i], name);
    }
    return 0;
}

static int plan_cpu(struct domain_plan *p, struct error *e)
{
    const json_t *cpu = jpath_obj(p->domain, "cpu");
    json_int_t sockets = jpath_int(cpu, "sockets", 0);
    json_int_t cores = jpath_int(cpu, "cores", 0);
    json_int_t threads = jpath_int(cpu, "threads", 0);

    if (sockets <= 0 && cores <= 0 && threads <= 0) {
        struct quantity q;
        const json_t *given = jpath(p->domain, "resources.limits.cpu");
        if (!given)
            given = jpath(p->domain, "resources.requests.cpu");
        if (quantity_from_json(given, &q) == 0)
            sockets = quantity_value(q);
    }
    sockets = sockets > 0 ? sockets : 1;
    cores = cores > 0 ? cores : 1;
    threads = threads > 0 ? threads : 1;
    json_int_t max_sockets = p->arch->has_cpu_hotplug ? jpath_int(cpu, "maxSockets", 0) : 0;
    if (max_sockets < sockets)
        max_sockets = sockets;
    if (max_sockets > DOMAIN_CPUS_MAX || cores > DOMAIN_CPUS_MAX || threads > DOMAIN_CPUS_MAX ||
        max_sockets * cores * threads > DOMAIN_CPUS_MAX)
        return error_set(e, ERR_INVALID, "spec.domain.cpu: more than %d vCPUs", DOMAIN_CPUS_MAX);
    p->sockets = (int)sockets;
    p->cores = (int)cores;
    p->threads = (int)threads;
    p->max_sockets = (int)max_sockets;
    return 0;
}

static int plan_memory(struct domain_plan *p, struct error *e)
{
    static const char *const places[] = { "memory.guest", "resources.requests.memory",
                                          "resources.limits.memory" };
    for (size_t i = 0; i < countof(places); i++) {
        struct quantity q;
        const json_t *given = jpath(p->domain, places[i]);
        if (!given)
            continue;
        if (quantity_from_json(given, &q) < 0 || quantity_value(q) <= 0)
            return error_set(e, ERR_INVALID, "spec.domain.%s is not an amount of memory",
                             places[i]);
        p->memory_bytes = quantity_value(q);
        return 0;
    }
    return error_set(e, ERR_INVALID, "spec.domain.memory.guest: no amount of memory is given");
}

static int plan(struct domain_plan *p, const json_t *vmi, const json_t *options,
                const struct domain_facts *facts, struct error *e)
{
    *p = (struct domain_plan){
        .vmi = vmi,
        .options = options,
        .facts = facts,
        .spec = jpath_obj(vmi, "spec"),
        .domain = jpath_obj(vmi, "spec.domain"),
        .devices = jpath_obj(vmi, "spec.domain.devices"),
        .uid = meta_uid(vmi),
        .is_kvm = facts->is_kvm_usable,
        .is_efi = jpath_obj(vmi, "spec.domain.firmware.bootloader.efi") != NULL,
    };
    const char *arch = jpath_str(p->spec, "architecture", "amd64");
    for (size_t i = 0; i < countof(arches); i++)
        if (streq(arch, arches[i].name))
            p->arch = &arches[i];

    if (!p->domain)
        return error_set(e, ERR_INVALID, "spec.domain is missing");
    if (!p->arch)
        return error_set(e, ERR_INVALID, "spec.architecture \"%s\" is not known", arch);
    if (!p->is_kvm && !facts->is_emulation_allowed && !jpath_bool(options, "useEmulation", false))
        return error_set(e, ERR_UNAVAILABLE,
                         "/dev/kvm is not usable in this pod and emulation is not allowed "
                         "(developerConfiguration.useEmulation)");
    int r = plan_cpu(p, e);
    if (r < 0)
        return r;
    r = plan_memory(p, e);
    if (r < 0)
        return r;
    r = check_names(p, e);
    return r < 0 ? r : refuse_unknown(p, e);
}

static const char *reboot_action(const struct domain_plan *p)
{
    const char *policy = jpath_str(p->domain, "rebootPolicy", NULL);
    if (!policy)
        return NULL;
    return streq(policy, "Terminate") ? "destroy" : "restart";
}

int domain_xml(char **ret_xml, const json_t *vmi, const json_t *options,
               const struct domain_facts *facts, struct error *e)
{
    struct domain_plan p;
    int r = plan(&p, vmi, options, facts, e);
    if (r < 0)
        return r;

    struct xml x;
    xml_init(&x);
    xml_open(&x, "domain");
    xml_attr(&x, "type", p.is_kvm ? "kvm" : "qemu");
    xml_attr(&x, "xmlns:qemu", "http://libvirt.org/schemas/domain/qemu/1.0");
    scoped(free) char *name = domain_name(vmi);
    xml_leaf(&x, "name", name);
    if (reboot_action(&p))
        xml_leaf(&x, "on_reboot", reboot_action(&p));
    for (size_t i = 0; i < countof(parts) && r >= 0; i++)
        r = parts[i].write(&x, &p, e);
    if (r >= 0) {
        xml_close(&x);
        *ret_xml = xml_take(&x);
        r = 0;
    }
    xml_done(&x);
    return r;
}
