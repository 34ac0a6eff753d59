/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What kind of disk image a file from a container is.  Such a file is the work
 * of a stranger: only its first bytes are looked at, and what could make QEMU
 * open further files is refused.  Pure parts take bytes.
 */
#ifndef LAUNCHER_IMAGE_H
#define LAUNCHER_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

enum { IMAGE_HEAD_BYTES = 512 };

struct image_info {
    const char *format;     /* static: "raw" or "qcow2" */
    uint64_t virtual_bytes; /* what the guest will see */
};

/*
 * From the first bytes of the file (up to IMAGE_HEAD_BYTES) and its size.
 * -ERR_INVALID for formats other than raw and qcow2, for a qcow2 that names a
 * backing file or an external data file, and for a broken header.
 */
int image_probe(struct image_info *ret, const void *head, size_t len, uint64_t file_bytes,
                struct error *e);

/* The same for an open file. */
int image_probe_fd(struct image_info *ret, int fd, struct error *e);

/* Whether the file can be opened past the page cache (O_DIRECT). */
bool image_can_be_direct(const char *path);

#endif
