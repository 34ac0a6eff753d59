/* SPDX-License-Identifier: Apache-2.0 */
/* The threads that take keys from a work queue and reconcile them (kube/workqueue.h). */
#include <pthread.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/must.h"
#include "base/scope.h"
#include "kube/workqueue.h"

struct workers {
    struct workqueue *queue;
    reconcile_fn *fn;
    void *ctx;
    size_t len;
    pthread_t thread[];
};

static void reconcile_one(struct workers *w, const char *key)
{
    struct error e = { 0 };
    int64_t again_ms = 0;

    if (w->fn(w->ctx, key, &again_ms, &e) >= 0) {
        workqueue_forget(w->queue, key);
        if (again_ms > 0)
            workqueue_add_after(w->queue, key, again_ms);
        return;
    }
    /* Somebody else wrote first: everyday life, not worth a reader's attention. */
    if (e.code == ERR_CONFLICT)
        log_debug("object changed meanwhile, reconciling again", "key", key, "error", e.msg);
    else
        log_warn("reconcile went wrong, retrying", "key", key, "error", e.msg, "retries",
                 log_i(workqueue_retries(w->queue, key)));
    workqueue_add_limited(w->queue, key);
}

static void *worker_run(void *arg)
{
    struct workers *w = arg;

    for (;;) {
        scoped(free) char *key = workqueue_get(w->queue);
        if (!key)
            return NULL;
        reconcile_one(w, key);
        workqueue_done(w->queue, key);
    }
}

struct workers *workers_start(struct workqueue *q, size_t n, reconcile_fn *fn, void *ctx)
{
    struct workers *w = must_calloc(1, sizeof(*w) + n * sizeof(w->thread[0]));

    *w = (struct workers){ .queue = q, .fn = fn, .ctx = ctx, .len = n };
    for (size_t i = 0; i < n; i++)
        must(pthread_create(&w->thread[i], NULL, worker_run, w) == 0);
    return w;
}

void workers_stop(struct workers *w)
{
    if (!w)
        return;
    workqueue_stop(w->queue);
    for (size_t i = 0; i < w->len; i++)
        (void)pthread_join(w->thread[i], NULL);
    free(w);
}
