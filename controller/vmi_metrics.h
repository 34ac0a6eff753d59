/* SPDX-License-Identifier: Apache-2.0 */
/* Metrics of this program: phase transitions, syncs, leadership.  Any thread. */
#ifndef CONTROLLER_VMI_METRICS_H
#define CONTROLLER_VMI_METRICS_H

#include <jansson.h>
#include <stdbool.h>

void vmi_metrics_synced(const json_t *vmi);
void vmi_metrics_forget(const char *key); /* "ns/name" of an instance that is gone */
/* From an informer's event: observes the time of each phase that is new. */
void vmi_metrics_on_vmi(const json_t *old, const json_t *obj);

void controller_metrics_ready(bool is_ready);
void controller_metrics_leading(bool is_leading);
/* Make every row show before its first change. */
void controller_metrics_register(void);

#endif
