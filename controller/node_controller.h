/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Nodes whose virt-handler is silent: they take no more machines, and machines
 * on them that cannot run any more are ended.  Silence alone ends nothing: only
 * a machine whose pod is known to have ended, or is gone, does.  Queue
 * virt-controller-node.
 */
#ifndef CONTROLLER_NODE_CONTROLLER_H
#define CONTROLLER_NODE_CONTROLLER_H

#include <stdint.h>

#include "controller/context.h"

struct node_controller;

struct node_controller *node_controller_new(const struct context *ctx,
                                            struct event_recorder *events);
void node_controller_start(struct node_controller *c, size_t workers);
void node_controller_stop(struct node_controller *c);
void node_controller_free(struct node_controller *c); /* after the informers have stopped */

/* Informer event, on the watcher's thread: only enqueues. */
void node_controller_on_node(struct node_controller *c, const json_t *old, const json_t *obj);

enum { HEARTBEAT_MAX_MS = 5 * 60 * 1000 };

/* ms until the node counts as silent: 0 when it does, -1 when it never will (it sends no
 * heartbeat). Pure. */
int64_t node_silent_in_ms(const json_t *node, int64_t now_ms);

#endif
