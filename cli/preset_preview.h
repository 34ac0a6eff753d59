/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a namespace's presets would make of an instance: the decision behind
 * `kubectl virt preset preview`, by the code that admission merges with.  Pure.
 */
#ifndef CLI_PRESET_PREVIEW_H
#define CLI_PRESET_PREVIEW_H

#include <jansson.h>

#include "base/error.h"

struct buf;

/*
 * Append to `out` what each preset that selects the instance gives, which of its fields are
 * overridden and by what, and the change it makes as a unified diff; also why nothing is merged.
 * `*ret` is the instance with all of them, new, as it would reach the cluster's defaults.
 * -ERR_INVALID when admission would refuse the instance for its shape or for presets that
 * conflict (each conflict is in `out`).
 */
int preset_preview(const json_t *vmi, const json_t *presets, json_t **ret, struct buf *out,
                   struct error *e);

#endif
