/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The event loop on libuv.  Closing a libuv handle is asynchronous: the struct
 * around it is freed by the close callback, one turn of the loop later.
 */
#include "base/loop.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include <uv.h>

#include "base/must.h"
#include "base/thread.h"

struct post {
    struct post *next;
    loop_fn *fn;
    void *arg;
};

struct loop {
    uv_loop_t uv;
    uv_async_t wake;
    char *name;
    pthread_t thread; /* when is_started */
    bool is_started;
    atomic_bool is_stopping;

    pthread_mutex_t lock;
    /* guarded by lock */
    struct post *first;
    struct post **last;
};

struct loop_io {
    uv_poll_t poll; /* first: the handle is the struct */
    int events;
    loop_io_fn *fn;
    void *arg;
};

struct loop_timer {
    uv_timer_t timer; /* first */
    loop_fn *fn;
    void *arg;
};

/* The loop that runs on this thread. */
static _Thread_local const struct loop *running;

/* ---- posts ---- */

static struct post *take_posts(struct loop *l)
{
    pthread_mutex_lock(&l->lock);
    struct post *first = l->first;
    l->first = NULL;
    l->last = &l->first;
    pthread_mutex_unlock(&l->lock);
    return first;
}

/* Were there any? */
static bool run_posts(struct loop *l)
{
    struct post *post = take_posts(l);
    const bool ran = post != NULL;

    while (post) {
        struct post *next = post->next;
        post->fn(post->arg);
        free(post);
        post = next;
    }
    return ran;
}

static void on_wake(uv_async_t *wake)
{
    struct loop *l = wake->data;

    /* Read first: what was posted before loop_stop is then in the queue. */
    const bool is_stopping = atomic_load(&l->is_stopping);
    (void)run_posts(l);
    if (is_stopping)
        uv_stop(&l->uv);
}

void loop_post(struct loop *l, loop_fn *fn, void *arg)
{
    struct post *post = must_malloc(sizeof(*post));

    *post = (struct post){ .fn = fn, .arg = arg };
    pthread_mutex_lock(&l->lock);
    *l->last = post;
    l->last = &post->next;
    pthread_mutex_unlock(&l->lock);
    must(uv_async_send(&l->wake) == 0);
}

bool loop_is_here(const struct loop *l)
{
    return running == l;
}

/* ---- life ---- */

struct loop *loop_new(const char *name)
{
    struct loop *l = must_calloc(1, sizeof(*l));

    l->name = must_strdup(name);
    l->last = &l->first;
    must(pthread_mutex_init(&l->lock, NULL) == 0);
    must(uv_loop_init(&l->uv) == 0);
    must(uv_async_init(&l->uv, &l->wake, on_wake) == 0);
    l->wake.data = l;
    return l;
}

void loop_run(struct loop *l)
{
    const struct loop *outer = running;

    running = l;
    (void)uv_run(&l->uv, UV_RUN_DEFAULT);
    running = outer;
    atomic_store(&l->is_stopping, false);
}

static void *thread_main(void *arg)
{
    loop_run(arg);
    return NULL;
}

void loop_start(struct loop *l)
{
    must(!l->is_started);
    l->is_started = true;
    thread_start(&l->thread, l->name, thread_main, l);
}

void loop_stop(struct loop *l)
{
    atomic_store(&l->is_stopping, true);
    must(uv_async_send(&l->wake) == 0);
}

static void free_handle(uv_handle_t *handle)
{
    free(handle);
}

static void close_left(uv_handle_t *handle, void *arg)
{
    struct loop *l = arg;

    if (uv_is_closing(handle))
        return;
    uv_close(handle, handle == (uv_handle_t *)&l->wake ? NULL : free_handle);
}

void loop_free(struct loop *l)
{
    if (!l)
        return;
    must(!loop_is_here(l));
    if (l->is_started) {
        loop_stop(l);
        must(pthread_join(l->thread, NULL) == 0);
    }

    const struct loop *outer = running;
    running = l;
    while (run_posts(l))
        ;
    uv_walk(&l->uv, close_left, l);
    (void)uv_run(&l->uv, UV_RUN_DEFAULT);
    running = outer;

    must(uv_loop_close(&l->uv) == 0);
    (void)pthread_mutex_destroy(&l->lock);
    free(l->name);
    free(l);
}

/* ---- descriptors ---- */

static const struct {
    int ours, uvs;
} event_bits[] = {
    { LOOP_READ, UV_READABLE },
    { LOOP_WRITE, UV_WRITABLE },
    { LOOP_HANGUP, UV_DISCONNECT },
};

static int to_uv(int ours)
{
    int uvs = 0;
    for (size_t i = 0; i < sizeof(event_bits) / sizeof(event_bits[0]); i++)
        if (ours & event_bits[i].ours)
            uvs |= event_bits[i].uvs;
    return uvs;
}

static int from_uv(int uvs)
{
    int ours = 0;
    for (size_t i = 0; i < sizeof(event_bits) / sizeof(event_bits[0]); i++)
        if (uvs & event_bits[i].uvs)
            ours |= event_bits[i].ours;
    return ours;
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
    struct loop_io *io = (struct loop_io *)poll;
    int ours = from_uv(events);

    if (status < 0) {
        /* libuv stops watching on EPOLLERR, but there may be bytes left to read, and a write
         * tells the reason: go on, level-triggered, until the owner frees or pauses it. */
        ours = LOOP_READ | (io->events & LOOP_WRITE);
        loop_io_set(io, io->events);
    }
    if (ours)
        io->fn(io, ours, io->arg);
}

struct loop_io *loop_io_new(struct loop *l, int fd, int events, loop_io_fn *fn, void *arg)
{
    struct loop_io *io = must_calloc(1, sizeof(*io));

    io->fn = fn;
    io->arg = arg;
    must(uv_poll_init(&l->uv, &io->poll, fd) == 0);
    loop_io_set(io, events);
    return io;
}

void loop_io_set(struct loop_io *io, int events)
{
    io->events = events;
    if (events)
        must(uv_poll_start(&io->poll, to_uv(events), on_poll) == 0);
    else
        must(uv_poll_stop(&io->poll) == 0);
}

void loop_io_free(struct loop_io *io)
{
    if (!io)
        return;
    uv_close((uv_handle_t *)&io->poll, free_handle);
}

/* ---- timers ---- */

static void on_timer(uv_timer_t *timer)
{
    struct loop_timer *t = (struct loop_timer *)timer;
    t->fn(t->arg);
}

struct loop_timer *loop_timer_new(struct loop *l, int64_t ms, loop_fn *fn, void *arg)
{
    struct loop_timer *t = must_calloc(1, sizeof(*t));

    t->fn = fn;
    t->arg = arg;
    must(uv_timer_init(&l->uv, &t->timer) == 0);
    loop_timer_set(t, ms);
    return t;
}

void loop_timer_set(struct loop_timer *t, int64_t ms)
{
    if (ms < 0) {
        (void)uv_timer_stop(&t->timer);
        return;
    }
    /* libuv counts from its last look at the clock, which a long callback leaves behind. */
    uv_update_time(t->timer.loop);
    must(uv_timer_start(&t->timer, on_timer, (uint64_t)ms, 0) == 0);
}

void loop_timer_free(struct loop_timer *t)
{
    if (!t)
        return;
    uv_close((uv_handle_t *)&t->timer, free_handle);
}
