/* SPDX-License-Identifier: Apache-2.0 */
/*
 * VirtualMachineInstancePresets: the stored ones, and how they are merged into
 * an instance (spec 02, section 3.3).
 */
#ifndef WEBHOOKS_PRESETS_H
#define WEBHOOKS_PRESETS_H

#include <jansson.h>
#include <stdbool.h>

#include "openapi/findings.h"

struct presets;
struct kube;
struct http_watcher;

struct presets *presets_start(struct kube *k, struct http_watcher *w);
void presets_stop(struct presets *p);
bool presets_is_synced(const struct presets *p);

/* The presets of a namespace, ordered by name: a new array of shared, read-only objects. */
json_t *presets_of(struct presets *p, const char *namespace);

/*
 * Merge those of `candidates` whose selector matches the instance's labels into `vmi`, in
 * place, and mark it.  Conflicts between presets are findings; nothing is merged then.  The
 * instance's own fields always win.  Pure.
 */
void presets_apply(const json_t *candidates, json_t *vmi, struct findings *out);

#endif
