/* SPDX-License-Identifier: Apache-2.0 */
/* Waiting for launchers' sockets with inotify. */
#include "handler/arrivals.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "base/log.h"
#include "base/loop.h"
#include "base/must.h"
#include "base/scope.h"
#include "handler/podfs.h"

struct awaited {
    int wd;
    char *key;
    struct awaited *next;
};

struct arrivals {
    arrivals_fn *fn;
    void *ctx;
    int fd;
    struct loop *loop;
    pthread_mutex_t lock;
    struct awaited *first; /* guarded by lock */
};

/* The key of a watch, which is over: new string or NULL. */
static char *take_key(struct arrivals *a, int wd)
{
    char *key = NULL;

    pthread_mutex_lock(&a->lock);
    for (struct awaited **p = &a->first; *p; p = &(*p)->next) {
        if ((*p)->wd == wd) {
            struct awaited *found = *p;

            *p = found->next;
            key = found->key;
            free(found);
            break;
        }
    }
    pthread_mutex_unlock(&a->lock);
    return key;
}

static void on_inotify(struct loop_io *io, int events, void *arg)
{
    struct arrivals *a = arg;
    char data[4096] __attribute__((aligned(__alignof__(struct inotify_event))));
    ssize_t n = read(a->fd, data, sizeof(data));

    for (ssize_t at = 0; at < n;) {
        const struct inotify_event *event = (const struct inotify_event *)(data + at);
        scoped(free) char *key = take_key(a, event->wd);

        if (key)
            a->fn(key, a->ctx);
        at += (ssize_t)sizeof(*event) + event->len;
    }
}

struct arrivals *arrivals_start(arrivals_fn *fn, void *ctx)
{
    struct arrivals *a = must_calloc(1, sizeof(*a));

    a->fn = fn;
    a->ctx = ctx;
    must(pthread_mutex_init(&a->lock, NULL) == 0);
    a->loop = loop_new("arrivals");
    a->fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (a->fd < 0)
        log_warn("launchers' sockets are looked for every second", "why", strerror(errno));
    else
        (void)loop_io_new(a->loop, a->fd, LOOP_READ, on_inotify, a); /* closed with the loop */
    loop_start(a->loop);
    return a;
}

void arrivals_stop(struct arrivals *a)
{
    if (!a)
        return;
    loop_free(a->loop);
    if (a->fd >= 0)
        (void)close(a->fd);
    while (a->first) {
        struct awaited *next = a->first->next;

        free(a->first->key);
        free(a->first);
        a->first = next;
    }
    pthread_mutex_destroy(&a->lock);
    free(a);
}

void arrivals_watch(struct arrivals *a, int dir_fd, const char *key)
{
    char path[PODFS_SOCKET_PATH_MAX];

    if (a->fd < 0)
        return;
    pthread_mutex_lock(&a->lock);
    /* One shot: nothing is left behind when the machine never comes back to this. */
    int wd = inotify_add_watch(a->fd, podfs_socket_path(dir_fd, path), IN_MOVED_TO | IN_ONESHOT);
    struct awaited *w = a->first;
    while (w && w->wd != wd)
        w = w->next;
    if (wd >= 0 && !w) {
        w = must_calloc(1, sizeof(*w));
        w->wd = wd;
        w->key = must_strdup(key);
        w->next = a->first;
        a->first = w;
    }
    pthread_mutex_unlock(&a->lock);
}
