/* SPDX-License-Identifier: Apache-2.0 */
/* A bounded pool of threads for calls that block.  pool_run may be called from any thread. */
#ifndef BASE_POOL_H
#define BASE_POOL_H

#include <stdbool.h>
#include <stddef.h>

typedef void pool_fn(void *arg);

struct pool;

/* Threads are started as they are needed, up to `threads`; at most `queue_max` jobs wait. */
struct pool *pool_new(const char *name, size_t threads, size_t queue_max);

/*
 * Queue a job; false when all threads are busy and the queue is full, or the pool is stopping (the
 * caller answers 429 or 503).  A job may queue another.
 */
bool pool_run(struct pool *p, pool_fn *fn, void *arg);

/* Jobs already queued are run, then the threads are joined.  Not from a job. */
void pool_free(struct pool *p);

#endif
