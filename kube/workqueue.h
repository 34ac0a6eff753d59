/* SPDX-License-Identifier: Apache-2.0 */
/*
 * client-go's work queue: the three sets queue, dirty and processing.  The same
 * key is never in two workers; adds during work cause exactly one more run.
 * Any thread.  Metrics kubevirt_workqueue_* under the queue's name (spec 07).
 */
#ifndef KUBE_WORKQUEUE_H
#define KUBE_WORKQUEUE_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct workqueue;

struct workqueue *workqueue_new(const char *name);
void workqueue_add(struct workqueue *q, const char *key);
void workqueue_add_after(struct workqueue *q, const char *key, int64_t ms);
/* Back-off per key: 5 ms doubling to 1000 s, and a token bucket (10/s, burst 100). */
void workqueue_add_limited(struct workqueue *q, const char *key);
void workqueue_forget(struct workqueue *q, const char *key);
/* Blocks; new string, or NULL when stopped (what is still queued is not handed out any more). */
char *workqueue_get(struct workqueue *q);
void workqueue_done(struct workqueue *q, const char *key);
void workqueue_stop(struct workqueue *q);  /* wakes everyone in get */
void workqueue_free(struct workqueue *q);  /* nobody is inside any call; NULL is allowed */
size_t workqueue_len(struct workqueue *q); /* keys ready to be taken */
/* How often the key was retried since it was last forgotten. */
unsigned workqueue_retries(struct workqueue *q, const char *key);

/*
 * The one reconcile skeleton: n workers that take keys and call fn.  r < 0: logged
 * and retried with back-off; *again_ms > 0 on success: done again after that long.
 */
typedef int reconcile_fn(void *ctx, const char *key, int64_t *again_ms, struct error *e);
struct workers;
struct workers *workers_start(struct workqueue *q, size_t n, reconcile_fn *fn, void *ctx);
void workers_stop(
    struct workers *w); /* stops the queue, joins, frees the workers (not the queue) */

#endif
