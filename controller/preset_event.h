/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tells on a new instance which presets it was made with: one Normal event PresetApplied a preset,
 * when the instance's pod has been made (which happens once).  Presets are not watched for it:
 * those that the instance is marked with are read.
 */
#ifndef CONTROLLER_PRESET_EVENT_H
#define CONTROLLER_PRESET_EVENT_H

#include <jansson.h>

#include "kube/client.h"
#include "kube/event.h"

/* An instance that is marked with more gets events for the first of them. */
enum { PRESETS_TOLD_MAX = 8 };

/* Names of presets that the instance is marked with: a new array of strings, in order. */
json_t *presets_of_instance(const json_t *vmi);

/* What one preset gave and what the instance kept of its own; NULL when it gave nothing.  New. */
char *preset_event_text(const json_t *preset, const json_t *vmi);

/* Read the presets and record.  One that is gone, or cannot be read now, is passed over.  Blocks;
 * any worker. */
void preset_events_record(struct kube *k, struct event_recorder *events, const json_t *vmi);

#endif
