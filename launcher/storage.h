/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What has to lie on the pod's disk before a machine can start (spec 05, section 3.3):
 * overlays above containerDisks and claims, empty disks, ISO images, the
 * kernel of kernelBoot.  Blocks; on the job thread.
 */
#ifndef LAUNCHER_STORAGE_H
#define LAUNCHER_STORAGE_H

#include <jansson.h>
#include <stdbool.h>

#include "base/error.h"
#include "launcher/domain.h"
#include "launcher/reaper.h"

struct storage {
    struct reaper *reaper; /* borrowed */
    struct layout layout;
    bool has_image_volumes;      /* else containerDisks are files in layout.container_disk_dir */
    long long tool_memory_bytes; /* qemu-img's address space; 0: not limited */
};

/* Facts about the volumes for the domain writer.  Owns its strings.  Zero-initialise. */
struct storage_facts {
    struct domain_image images[DOMAIN_DISKS_MAX];
    size_t images_len;
    char *kernel, *initrd;
};

void storage_facts_free(struct storage_facts *f);
DEFINE_SCOPE(struct storage_facts, storage_facts_free)

/*
 * Prepare every volume that a disk of `vmi` uses.  Safe to repeat until the
 * machine has started.  *f is filled; on failure it may be partly so.
 */
int storage_prepare(const struct storage *s, const json_t *vmi, struct storage_facts *f,
                    struct error *e);

#endif
