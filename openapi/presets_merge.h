/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How VirtualMachineInstancePresets are merged into an instance (spec 02, section 3.3).
 * Admission and the preview of kubectl-virt both come here, so that they agree.  The instance
 * is canonical (openapi/defaults.h, openapi/canonical.h) before.  Pure; any thread.
 */
#ifndef OPENAPI_PRESETS_MERGE_H
#define OPENAPI_PRESETS_MERGE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "openapi/findings.h"

/* The annotation that keeps every preset away when it is "true", and what marks a merged one. */
#define PRESET_EXCLUDE "virtualmachineinstancepresets.admission.kubevirt.io/exclude"
#define PRESET_APPLIED "virtualmachinepreset.kubevirt.io/"

/* What became of a field that a preset gives. */
enum preset_outcome {
    PRESET_GAVE,   /* the instance had none: it has the preset's now */
    PRESET_AGREED, /* the instance says the same already */
    PRESET_LOST,   /* the instance says something else, and keeps it */
};

enum { PRESET_FIELDS = 8 };

/* One preset that selects the instance, after it was merged.  All borrowed for the call. */
struct preset_step {
    const json_t *preset;
    const json_t *vmi; /* as it is now */
    bool is_applied;   /* at least one field is now as the preset says: it is marked */
    struct {
        const char *path; /* below spec.domain; "clock" is its utc or timezone */
        enum preset_outcome outcome;
    } field[PRESET_FIELDS];
    size_t len;
};

typedef void preset_step_fn(void *ctx, const struct preset_step *step);

/* The order in which presets are merged: by name.  New array of the same objects. */
json_t *presets_in_order(const json_t *presets);

bool presets_are_excluded(const json_t *vmi);

/*
 * Merge those of `candidates` (in their order) whose selector matches the instance's labels into
 * `vmi`, in place, and mark it.  Conflicts between presets are findings; nothing is merged then.
 * The instance's own fields always win.  `tell` hears of each preset; may be NULL.
 */
void presets_merge(const json_t *candidates, json_t *vmi, preset_step_fn *tell, void *ctx,
                   struct findings *out);

/*
 * What a preset was to an instance that has been created since: PRESET_GAVE where the instance is
 * as the preset says, whatever defaults have added to it, and PRESET_LOST elsewhere.  False when
 * the preset does not select the instance (any more).  `vmi` and `preset` are not changed.
 */
bool preset_trace(const json_t *preset, const json_t *vmi, struct preset_step *step);

/* The value of a field as it is compared; `path` as in a step.  New reference, or NULL. */
json_t *preset_field(const json_t *obj, const char *path);

#endif
