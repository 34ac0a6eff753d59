/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/spare.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <time.h>

#include "base/must.h"
#include "base/thread.h"
#include "http/tunnel.h"

struct spare {
    struct http_client *client;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    /* guarded by lock */
    struct http_tunnel *tunnel;
    bool is_wanted, is_stopping;
};

/* With the lock held.  False when SPARE_AGE_MS went by. */
static bool wait_while_young(struct spare *s)
{
    struct timespec until;

    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += SPARE_AGE_MS / 1000;
    while (s->tunnel && !s->is_stopping)
        if (pthread_cond_clockwait(&s->changed, &s->lock, CLOCK_MONOTONIC, &until) == ETIMEDOUT)
            return false;
    return true;
}

static void make_one(struct spare *s)
{
    struct http_tunnel *tunnel = NULL;
    struct error ignored; /* the stream that needs it will say */

    s->is_wanted = false;
    pthread_mutex_unlock(&s->lock);
    (void)http_tunnel_open(&tunnel, s->client, &ignored);
    pthread_mutex_lock(&s->lock);
    s->tunnel = tunnel;
}

static void *keep(void *arg)
{
    struct spare *s = arg;

    pthread_mutex_lock(&s->lock);
    while (!s->is_stopping) {
        if (s->is_wanted && !s->tunnel) {
            make_one(s);
        } else if (s->tunnel && !wait_while_young(s)) {
            http_tunnel_close(s->tunnel);
            s->tunnel = NULL;
        } else if (!s->tunnel && !s->is_wanted && !s->is_stopping) {
            pthread_cond_wait(&s->changed, &s->lock);
        }
    }
    pthread_mutex_unlock(&s->lock);
    return NULL;
}

struct spare *spare_start(struct http_client *client)
{
    struct spare *s = must_calloc(1, sizeof(*s));

    s->client = client;
    s->is_wanted = true;
    must(pthread_mutex_init(&s->lock, NULL) == 0);
    must(pthread_cond_init(&s->changed, NULL) == 0);
    thread_start(&s->thread, "spare", keep, s);
    return s;
}

void spare_stop(struct spare *s)
{
    if (!s)
        return;
    pthread_mutex_lock(&s->lock);
    s->is_stopping = true;
    pthread_cond_broadcast(&s->changed);
    pthread_mutex_unlock(&s->lock);
    (void)pthread_join(s->thread, NULL);
    http_tunnel_close(s->tunnel);
    pthread_cond_destroy(&s->changed);
    pthread_mutex_destroy(&s->lock);
    free(s);
}

struct http_tunnel *spare_take(struct spare *s)
{
    pthread_mutex_lock(&s->lock);
    struct http_tunnel *tunnel = TAKE(s->tunnel);
    s->is_wanted = true;
    pthread_cond_broadcast(&s->changed);
    pthread_mutex_unlock(&s->lock);
    return tunnel;
}
