/* SPDX-License-Identifier: Apache-2.0 */
/* Makes, watches and removes the pods of instances, and hands instances to their node.  Queue
 * virt-controller-vmi. */
#ifndef CONTROLLER_VMI_CONTROLLER_H
#define CONTROLLER_VMI_CONTROLLER_H

#include "controller/context.h"

struct vmi_controller;

struct vmi_controller *vmi_controller_new(const struct context *ctx, struct event_recorder *events);
void vmi_controller_start(struct vmi_controller *c, size_t workers);
void vmi_controller_stop(struct vmi_controller *c);
void vmi_controller_free(struct vmi_controller *c); /* after the informers have stopped */

/* Informer events, on the watcher's thread: only enqueue. */
void vmi_controller_on_vmi(struct vmi_controller *c, const json_t *old, const json_t *obj);
void vmi_controller_on_pod(struct vmi_controller *c, const json_t *old, const json_t *obj);
/* A VirtualMachine went: its instance may have waited for that. */
void vmi_controller_on_vm(struct vmi_controller *c, const json_t *old, const json_t *obj);

#endif
