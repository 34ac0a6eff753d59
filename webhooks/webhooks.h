/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The admission webhooks (spec 02).  Reviews are decided inline from memory: the object itself,
 * the cluster's configuration, presets, instance types and preferences.  Only the few rare ones
 * whose answer stands in other objects (a migration begins, a pod is evicted, a KubeVirt object
 * comes or goes, a machine is made as its volume or a revision says) ask the API server, on a
 * worker.
 */
#ifndef WEBHOOKS_WEBHOOKS_H
#define WEBHOOKS_WEBHOOKS_H

#include <stdbool.h>

#include "base/error.h"
#include "http/server.h"

struct webhooks;
struct cluster_config_store;
struct kube;
struct http_watcher;
struct pool;

/*
 * `namespace` is the installation's: where the KubeVirt object and the privileged accounts are.
 * `workers` (borrowed) decide what asks the API server; freed before the server that calls in.
 */
struct webhooks *webhooks_start(struct kube *k, struct http_watcher *w, struct pool *workers,
                                const char *namespace);
void webhooks_stop(struct webhooks *h);

/* Have the stores been filled once?  Before that, a review is answered from defaults. */
bool webhooks_is_synced(const struct webhooks *h);

/* What the KubeVirt object says, as it changes.  Borrowed. */
struct cluster_config_store *webhooks_peek_config(struct webhooks *h);

/* True when the path is a webhook's; the call has been answered then.  Any loop thread. */
bool webhooks_serve(struct webhooks *h, struct http_call *c);

#endif
