/* SPDX-License-Identifier: Apache-2.0 */
/* The stored instance types and preferences, of namespaces and of the cluster. */
#ifndef WEBHOOKS_INSTANCETYPES_H
#define WEBHOOKS_INSTANCETYPES_H

#include <stdbool.h>

#include "webhooks/review.h"

struct instancetypes;
struct kube;
struct http_watcher;

struct instancetypes *instancetypes_start(struct kube *k, struct http_watcher *w);
void instancetypes_stop(struct instancetypes *t);
bool instancetypes_is_synced(const struct instancetypes *t);

/* For review.stored: `ctx` is the struct instancetypes. */
stored_fn instancetypes_find;

#endif
