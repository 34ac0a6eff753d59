/* SPDX-License-Identifier: Apache-2.0 */
/*
 * All controllers of the process and the informers that feed them, as one
 * thing: made warm by every replica, set to work in the one that leads.
 */
#ifndef CONTROLLER_CONTROLLERS_H
#define CONTROLLER_CONTROLLERS_H

#include <stdbool.h>

#include "controller/context.h"

struct controllers;

/* Starts the informers.  ctx->{settings,namespace,clock,kube} are set; the rest is filled in. */
struct controllers *controllers_new(struct context *ctx);
bool controllers_are_synced(const struct controllers *c);
/* This process leads: workers begin.  Once, on the thread that will stop them. */
void controllers_start(struct controllers *c);
/* Workers end, each after the key it has in hand; before the lease is given up.  NULL is fine. */
void controllers_stop_working(struct controllers *c);
/* Then informers and recorders.  NULL is fine. */
void controllers_free(struct controllers *c);

#endif
