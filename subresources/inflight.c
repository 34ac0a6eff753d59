/* SPDX-License-Identifier: Apache-2.0 */
#include "subresources/inflight.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "base/loop.h"
#include "base/must.h"

struct inflight {
    pthread_mutex_t lock;
    pthread_cond_t emptied;
    struct inflight_item *first; /* guarded by lock, as are the items' links */
};

/* Posted to the loop of each item; the first one that runs there cuts all of that loop. */
struct cutter {
    struct inflight *list;
    struct loop *loop;
};

struct inflight *inflight_new(void)
{
    struct inflight *f = must_calloc(1, sizeof(*f));
    pthread_condattr_t monotonic;

    must(pthread_mutex_init(&f->lock, NULL) == 0);
    must(pthread_condattr_init(&monotonic) == 0);
    must(pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC) == 0);
    must(pthread_cond_init(&f->emptied, &monotonic) == 0);
    (void)pthread_condattr_destroy(&monotonic);
    return f;
}

void inflight_free(struct inflight *f)
{
    if (!f)
        return;
    (void)pthread_cond_destroy(&f->emptied);
    (void)pthread_mutex_destroy(&f->lock);
    free(f);
}

void inflight_add(struct inflight *f, struct inflight_item *item)
{
    (void)pthread_mutex_lock(&f->lock);
    item->prev = NULL;
    item->next = f->first;
    if (f->first)
        f->first->prev = item;
    f->first = item;
    (void)pthread_mutex_unlock(&f->lock);
}

void inflight_remove(struct inflight *f, struct inflight_item *item)
{
    (void)pthread_mutex_lock(&f->lock);
    if (item->prev)
        item->prev->next = item->next;
    else
        f->first = item->next;
    if (item->next)
        item->next->prev = item->prev;
    if (!f->first)
        (void)pthread_cond_broadcast(&f->emptied);
    (void)pthread_mutex_unlock(&f->lock);
}

/* An item of this loop that is not cut yet; it stays, since only this loop removes it. */
static struct inflight_item *next_to_cut(struct inflight *f, const struct loop *l)
{
    (void)pthread_mutex_lock(&f->lock);
    struct inflight_item *item = f->first;
    while (item && (item->loop != l || item->is_cut))
        item = item->next;
    (void)pthread_mutex_unlock(&f->lock);
    return item;
}

static void cut_on_loop(void *arg)
{
    struct cutter *c = arg;
    struct inflight_item *item;

    while ((item = next_to_cut(c->list, c->loop))) {
        item->is_cut = true;
        item->cut(item);
    }
    free(c);
}

bool inflight_cut(struct inflight *f, int64_t timeout_ms)
{
    struct timespec until;
    int r = 0;

    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += (time_t)(timeout_ms / 1000);

    (void)pthread_mutex_lock(&f->lock);
    for (const struct inflight_item *item = f->first; item; item = item->next) {
        struct cutter *c = must_malloc(sizeof(*c));

        *c = (struct cutter){ .list = f, .loop = item->loop };
        loop_post(item->loop, cut_on_loop, c);
    }
    while (f->first && r == 0)
        r = pthread_cond_timedwait(&f->emptied, &f->lock, &until);
    bool is_empty = !f->first;
    (void)pthread_mutex_unlock(&f->lock);
    return is_empty;
}
