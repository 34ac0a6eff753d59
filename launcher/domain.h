/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From a VirtualMachineInstance to libvirt's domain XML (spec 05, section 3.5).
 * Pure: everything that is known of the pod comes in as struct domain_facts, so
 * that the same VMI and facts always give the same text.  Any thread.
 *
 * One file pair a subject: domain_cpu, domain_disk, domain_net, domain_devices,
 * domain_features, domain_os; domain.c holds the table that calls them in order.
 */
#ifndef LAUNCHER_DOMAIN_H
#define LAUNCHER_DOMAIN_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "launcher/layout.h"

enum { DOMAIN_CPUS_MAX = 512, DOMAIN_DISKS_MAX = 256 };

/* What was found out about the file behind one volume before the start. */
struct domain_image {
    const char *volume;
    const char *backing;        /* below an overlay; NULL when there is none */
    const char *backing_format; /* "raw" or "qcow2" */
    const char *cache;          /* "none" or "writethrough"; NULL is QEMU's own choice */
};

/* What virt-handler prepared for one interface (network.json). */
struct domain_nic {
    const char *name; /* of spec.domain.devices.interfaces */
    const char *tap;
    const char *mac;
    int mtu; /* 0: not said */
};

/* Firmware files that exist; NULL for those that do not. */
struct domain_firmware {
    const char *code, *vars;               /* UEFI without secure boot */
    const char *secure_code, *secure_vars; /* with it */
};

struct domain_facts {
    bool is_kvm_usable;
    bool is_emulation_allowed;
    struct layout layout;
    struct domain_firmware firmware;
    const struct domain_image *images;
    size_t images_len;
    const struct domain_nic *nics;
    size_t nics_len;
    const char *kernel, *initrd; /* of kernelBoot, resolved; NULL without */
    const int *cpus;             /* that this pod may run on, for pinning */
    size_t cpus_len;
};

/*
 * The domain of `vmi` with the options of a sync call (may be NULL).  New
 * string.  -ERR_INVALID names the field that cannot be honoured.
 */
int domain_xml(char **ret_xml, const json_t *vmi, const json_t *options,
               const struct domain_facts *facts, struct error *e);

/* "ns_name", libvirt's name of the machine.  New string. */
char *domain_name(const json_t *vmi);

/* New array of {"name","target"}: the disk of each volume as the guest's bus names it. */
json_t *domain_disk_targets(const json_t *vmi);

/* The guest file of a volume that is a plain path (spec 05, section 3.4); NULL for an unknown kind.
 * New. */
char *domain_volume_path(const json_t *volume, const json_t *vmi, const struct layout *layout);

#endif
