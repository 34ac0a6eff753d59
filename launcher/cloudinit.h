/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cloud-init data for the guest (spec 05, section 3.4): NoCloud and config
 * drive.  The meta-data is a pure function of the VMI; reading Secrets and
 * making the ISO image block.
 */
#ifndef LAUNCHER_CLOUDINIT_H
#define LAUNCHER_CLOUDINIT_H

#include <jansson.h>

#include "base/error.h"
#include "launcher/layout.h"
#include "launcher/reaper.h"

enum { CLOUDINIT_DATA_MAX = 1024 * 1024 };

enum cloudinit_kind { CLOUDINIT_NO_CLOUD, CLOUDINIT_CONFIG_DRIVE };

/* The volume's kind, or -1 when it is not cloud-init. */
int cloudinit_kind(const json_t *volume);

/* Meta-data as the guest reads it; `keys` is an array of SSH public keys or NULL.  New. */
json_t *cloudinit_metadata(enum cloudinit_kind kind, const json_t *vmi, const json_t *keys);

/* Make the ISO image of `volume` at domain_volume_path(). */
int cloudinit_write(struct reaper *r, const json_t *volume, const json_t *vmi,
                    const struct layout *layout, struct error *e);

/* A whole file as a string, at most max bytes (-ERR_TOO_LARGE); -ERR_NOT_FOUND.  New. */
int read_text(char **ret, const char *path, size_t max, struct error *e);

#endif
