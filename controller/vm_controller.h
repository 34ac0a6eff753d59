/* SPDX-License-Identifier: Apache-2.0 */
/* Carries out what vm_decide() says, and writes what vm_next_status() says.  Queue
 * virt-controller-vm. */
#ifndef CONTROLLER_VM_CONTROLLER_H
#define CONTROLLER_VM_CONTROLLER_H

#include "controller/context.h"

struct vm_controller;

struct vm_controller *vm_controller_new(const struct context *ctx, struct event_recorder *events);
/* Workers begin; the informers are synced. */
void vm_controller_start(struct vm_controller *c, size_t workers);
void vm_controller_stop(struct vm_controller *c); /* joins the workers */
void vm_controller_free(struct vm_controller *c); /* after the informers have stopped */

/* Informer events, on the watcher's thread: only enqueue. */
void vm_controller_on_vm(struct vm_controller *c, const json_t *old, const json_t *obj);
void vm_controller_on_vmi(struct vm_controller *c, const json_t *old, const json_t *obj);
/* An instance type or a preference: machines that wait for it are looked at when it appears. */
void vm_controller_on_type(struct vm_controller *c, const json_t *old, const json_t *obj);

#endif
