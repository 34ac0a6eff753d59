/* SPDX-License-Identifier: Apache-2.0 */
/* The stored VirtualMachineInstancePresets.  How they are merged is openapi/presets_merge.h's. */
#ifndef WEBHOOKS_PRESETS_H
#define WEBHOOKS_PRESETS_H

#include <jansson.h>
#include <stdbool.h>

#include "openapi/presets_merge.h"

struct presets;
struct kube;
struct http_watcher;

struct presets *presets_start(struct kube *k, struct http_watcher *w);
void presets_stop(struct presets *p);
bool presets_is_synced(const struct presets *p);

/* The presets of a namespace, in the order of merging: a new array of shared, read-only objects. */
json_t *presets_of(struct presets *p, const char *namespace);

/* For presets_merge(), with the review as its context: a warning of what the preset gave, and one
 * of what the instance overrides. */
preset_step_fn presets_warn;

#endif
