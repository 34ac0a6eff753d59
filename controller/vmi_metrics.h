/* SPDX-License-Identifier: Apache-2.0 */
/* Metrics of this program: phase transitions, syncs, leadership, and gauges read from the stores at
 * each scrape. */
#ifndef CONTROLLER_VMI_METRICS_H
#define CONTROLLER_VMI_METRICS_H

#include <jansson.h>
#include <stdbool.h>

#include "controller/context.h"

void vmi_metrics_synced(const json_t *vmi);
void vmi_metrics_forget(const char *key); /* "ns/name" of an instance that is gone */
/* From an informer's event: observes the time of each phase that is new. */
void vmi_metrics_on_vmi(const json_t *old, const json_t *obj);

void controller_metrics_ready(bool is_ready);
void controller_metrics_leading(bool is_leading);
/* kubevirt_vmi_info, kubevirt_vm_info and the like; `ctx` outlives the process's last scrape. */
void controller_metrics_register(const struct context *ctx);

#endif
