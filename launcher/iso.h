/* SPDX-License-Identifier: Apache-2.0 */
/* ISO 9660 images for the guest, made by xorrisofs.  Blocks; not on the main thread. */
#ifndef LAUNCHER_ISO_H
#define LAUNCHER_ISO_H

#include <stddef.h>

#include "base/error.h"
#include "launcher/reaper.h"

enum { ISO_FILES_MAX = 1024 };

struct iso_file {
    char *name; /* in the image; may hold directories */
    char *path; /* of the pod; links are followed */
};

/* Owned list.  Zero-initialise. */
struct iso_files {
    struct iso_file item[ISO_FILES_MAX];
    size_t len;
};

void iso_files_free(struct iso_files *f);
DEFINE_SCOPE(struct iso_files, iso_files_free)

/* Copies.  -ERR_INVALID past the limit or for a name that cannot be written. */
int iso_files_add(struct iso_files *f, const char *name, const char *path, struct error *e);

/* Every visible regular file (or link to one) right in `dir`. */
int iso_files_add_dir(struct iso_files *f, const char *dir, struct error *e);

/* Make `out` (its directory too): complete under another name, then renamed. */
int iso_make(struct reaper *r, const char *out, const char *label, const struct iso_files *files,
             struct error *e);

#endif
