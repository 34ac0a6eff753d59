/* SPDX-License-Identifier: Apache-2.0 */
/* Keeps a replica set's instances at their number, many at a time.  Queue
 * virt-controller-replicaset. */
#ifndef CONTROLLER_VMIRS_CONTROLLER_H
#define CONTROLLER_VMIRS_CONTROLLER_H

#include "controller/context.h"

struct vmirs_controller;

struct vmirs_controller *vmirs_controller_new(const struct context *ctx,
                                              struct event_recorder *events);
void vmirs_controller_start(struct vmirs_controller *c, size_t workers);
void vmirs_controller_stop(struct vmirs_controller *c);
void vmirs_controller_free(struct vmirs_controller *c); /* after the informers have stopped */

/* Informer events, on the watcher's thread: only enqueue. */
void vmirs_controller_on_vmirs(struct vmirs_controller *c, const json_t *old, const json_t *obj);
void vmirs_controller_on_vmi(struct vmirs_controller *c, const json_t *old, const json_t *obj);

#endif
