/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the domain writer share among themselves; nobody else includes it. */
#ifndef LAUNCHER_DOMAIN_PARTS_H
#define LAUNCHER_DOMAIN_PARTS_H

#include "launcher/domain.h"
#include "launcher/xml.h"

/* How one guest architecture differs; a row of a table in domain.c. */
struct domain_arch {
    const char *name;    /* as the VMI says it: amd64 */
    const char *libvirt; /* x86_64 */
    const char *machine; /* default machine type */
    bool has_smbios, has_vmport, has_usb_always, has_cpu_hotplug, has_rom;
};

/* The VMI read once into what more than one part needs. */
struct domain_plan {
    const json_t *vmi, *spec, *domain, *devices, *options; /* borrowed; options may be NULL */
    const struct domain_facts *facts;
    const struct domain_arch *arch;
    const char *uid;
    bool is_kvm, is_efi;
    int sockets, cores, threads, max_sockets;
    long long memory_bytes;
};

static inline int domain_vcpus(const struct domain_plan *p)
{
    return p->sockets * p->cores * p->threads;
}

static inline int domain_max_vcpus(const struct domain_plan *p)
{
    return p->max_sockets * p->cores * p->threads;
}

/* Write one part of the document. */
typedef int domain_part_fn(struct xml *x, const struct domain_plan *p, struct error *e);

domain_part_fn domain_cpu, domain_memory;      /* domain_cpu.c */
domain_part_fn domain_os, domain_sysinfo;      /* domain_os.c */
domain_part_fn domain_features, domain_clock;  /* domain_features.c */
domain_part_fn domain_disks, domain_iothreads; /* domain_disk.c */
domain_part_fn domain_interfaces;              /* domain_net.c */
domain_part_fn domain_devices;                 /* domain_devices.c: all but disks and interfaces */

/* The virtio model of a device: non-transitional unless asked for or not known to the architecture.
 */
const char *domain_virtio_model(const struct domain_plan *p);
/* A user's choice that defaults to true. */
bool domain_is_attached(const struct domain_plan *p, const char *autoattach);

#endif
