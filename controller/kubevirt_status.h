/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What virt-controller's leader says on the KubeVirt object.  A configuration that cannot be used
 * is told there, since every program goes on with the last good one (kube/cluster_config.h): the
 * condition Degraded, and a Warning event InvalidConfiguration.  What clients of upstream look for
 * (phase, Available, the generation in effect, the architecture) is filled in unless an operator
 * keeps that status.
 */
#ifndef CONTROLLER_KUBEVIRT_STATUS_H
#define CONTROLLER_KUBEVIRT_STATUS_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "controller/context.h"

/*
 * The object with the status that it should have: new, equal to `kubevirt` when nothing is to be
 * written.  `fault` says why the configuration cannot be used, NULL when it can; `arch` is the
 * architecture of the nodes ("amd64").  Pure.
 */
json_t *kubevirt_status_next(const json_t *kubevirt, const char *fault, const char *arch,
                             int64_t now_ms);

/* What `next` tells of a fault that `before` did not tell: its message (borrowed), or NULL. */
const char *kubevirt_news(const json_t *before, const json_t *next);

/* Look at the object of that key ("ns/name") in the store, and write.  Blocks; any worker. */
int kubevirt_status_reconcile(const struct context *ctx, struct event_recorder *events,
                              const char *key, struct error *e);

#endif
