/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Listening and threads.  The first thread accepts and hands each connection to
 * the thread that has the fewest; from then on the connection stays there.
 */
#include "http/server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/must.h"
#include "base/scope.h"
#include "base/str.h"
#include "http/server_internal.h"

enum {
    BODY_MAX_BYTES = 3 * 1024 * 1024,
    CONNECTIONS_MAX = 4096,
    IDLE_TIMEOUT_MS = 120 * 1000,
    HEAD_TIMEOUT_MS = 20 * 1000,
    BACKLOG = 1024,
    ACCEPT_AT_ONCE = 32,
    ACCEPT_AGAIN_MS = 100,
    TICK_MS_MIN = 20,
    TICK_MS_MAX = 1000,
    NAME_MAX_LEN = 32,
};

int64_t server_now_ms(void)
{
    return clock_mono_ms(&clock_real);
}

/* ---- the gate ---- */

static struct gate *gate_new(struct loop *l)
{
    struct gate *g = must_calloc(1, sizeof(*g));

    g->refs = 1;
    g->loop = l;
    must(pthread_mutex_init(&g->lock, NULL) == 0);
    return g;
}

struct gate *gate_ref(struct gate *g)
{
    atomic_fetch_add(&g->refs, 1);
    return g;
}

void gate_unref(struct gate *g)
{
    if (!g || atomic_fetch_sub(&g->refs, 1) > 1)
        return;
    (void)pthread_mutex_destroy(&g->lock);
    free(g);
}

bool gate_post(struct gate *g, loop_fn *fn, void *arg)
{
    (void)pthread_mutex_lock(&g->lock);
    bool is_open = !g->is_closed;
    if (is_open)
        loop_post(g->loop, fn, arg);
    (void)pthread_mutex_unlock(&g->lock);
    return is_open;
}

/* ---- calls in hand ---- */

void server_call_begins(struct http_server *s)
{
    atomic_fetch_add(&s->calls, 1);
}

void server_call_ends(struct http_server *s)
{
    /* Who waits has set is_retiring first, then looks at the number. */
    if (atomic_fetch_sub(&s->calls, 1) > 1 || !atomic_load(&s->is_retiring))
        return;
    (void)pthread_mutex_lock(&s->lock);
    (void)pthread_cond_broadcast(&s->idle);
    (void)pthread_mutex_unlock(&s->lock);
}

/* ---- what clients need not wait for ---- */

void thread_do_later(struct server_thread *t, loop_fn *fn, void *arg)
{
    if (t->later_len == t->later_cap) {
        t->later_cap = t->later_cap ? t->later_cap * 2 : 8;
        t->later = must_realloc(t->later, t->later_cap * sizeof(*t->later));
    }
    t->later[t->later_len++] = (struct later){ fn, arg };
}

void thread_do_it_now(struct server_thread *t)
{
    for (size_t i = 0; i < t->later_len; i++)
        t->later[i].fn(t->later[i].arg);
    t->later_len = 0;
}

/* ---- one thread ---- */

static void run_engines(struct server_thread *t)
{
    for (int i = 0; i < ENGINE_SIZES; i++)
        engine_run(&t->engine[i]);
}

static void hold_engines(struct server_thread *t, bool held)
{
    for (int i = 0; i < ENGINE_SIZES; i++)
        t->engine[i].is_held = held;
}

static bool is_engine_wanted(const struct server_thread *t)
{
    return t->engine[ENGINE_SMALL].is_wanted || t->engine[ENGINE_LARGE].is_wanted;
}

static int64_t tick_ms(const struct http_server *s)
{
    int64_t least = s->options.head_timeout_ms < s->options.idle_timeout_ms
                        ? s->options.head_timeout_ms
                        : s->options.idle_timeout_ms;
    int64_t ms = least / 8;

    return ms < TICK_MS_MIN ? TICK_MS_MIN : ms > TICK_MS_MAX ? TICK_MS_MAX : ms;
}

/* With the engines held: its callbacks would free connections under the loop's feet. */
static void for_each_conn(struct server_thread *t, void (*fn)(struct conn *c))
{
    struct conn *next;

    hold_engines(t, true);
    for (struct conn *c = t->conns; c; c = next) {
        next = c->next;
        fn(c);
    }
    hold_engines(t, false);
}

static void on_tick(void *arg)
{
    struct server_thread *t = arg;

    for_each_conn(t, conn_check_time);
    run_engines(t);
    thread_do_it_now(t);
    /* Nothing to time: conn_arrive starts it again. */
    if (!is_engine_wanted(t))
        loop_timer_set(t->tick, t->conns ? tick_ms(t->server) : -1);
}

static void thread_init(struct server_thread *t, struct http_server *s, size_t index)
{
    char name[NAME_MAX_LEN];

    t->server = s;
    (void)snprintf(name, sizeof(name), s->thread_len > 1 ? "%.12s-%zu" : "%.15s", s->name, index);
    t->loop = loop_new(name);
    t->gate = gate_new(t->loop);
    t->tick = loop_timer_new(t->loop, -1, on_tick, t);
}

/* ---- accepting ---- */

struct arrival {
    struct server_thread *thread;
    int fd;
};

static void take_arrival(struct server_thread *t, int fd)
{
    if (t->is_stopping) {
        (void)close(fd);
        atomic_fetch_sub(&t->load, 1);
        atomic_fetch_sub(&t->server->connections, 1);
        return;
    }
    if (!t->conns)
        loop_timer_set(t->tick, tick_ms(t->server));
    conn_arrive(t, fd);
}

static void on_arrival(void *arg)
{
    struct arrival *a = arg;

    take_arrival(a->thread, a->fd);
    free(a);
}

static void distribute(struct http_server *s, int fd)
{
    struct server_thread *best = &s->thread[0];

    if (atomic_fetch_add(&s->connections, 1) >= s->options.connections_max) {
        atomic_fetch_sub(&s->connections, 1);
        (void)close(fd);
        return;
    }
    for (size_t i = 1; i < s->thread_len; i++)
        if (atomic_load(&s->thread[i].load) < atomic_load(&best->load))
            best = &s->thread[i];
    atomic_fetch_add(&best->load, 1);
    if (best == &s->thread[0]) {
        take_arrival(best, fd);
        return;
    }
    struct arrival *a = must_malloc(sizeof(*a));
    *a = (struct arrival){ .thread = best, .fd = fd };
    loop_post(best->loop, on_arrival, a);
}

static void on_listen(struct loop_io *io, int events, void *arg)
{
    struct http_server *s = arg;

    for (int i = 0; i < ACCEPT_AT_ONCE; i++) {
        int fd = accept4(s->listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0) {
            distribute(s, fd);
            continue;
        }
        /* Out of descriptors the socket stays readable: look again later, not at once. */
        if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
            loop_io_set(io, 0);
            loop_timer_set(s->listen_again, ACCEPT_AGAIN_MS);
        }
        return;
    }
}

static void on_listen_again(void *arg)
{
    struct http_server *s = arg;

    if (s->listen_io)
        loop_io_set(s->listen_io, LOOP_READ);
}

/* ---- listening ---- */

static int listen_unix(const char *path, struct error *e)
{
    struct sockaddr_un a = { .sun_family = AF_UNIX };

    if (strlen(path) >= sizeof(a.sun_path))
        return error_set(e, ERR_INVALID, "socket path \"%s\" is too long", path);
    (void)memcpy(a.sun_path, path, strlen(path));
    scoped_fd int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return error_set(e, ERR_INTERNAL, "socket: %s", strerror(errno));
    (void)unlink(path); /* of a process before this one */
    /* The mode is set before bind makes the file, so that it is never wider. */
    if (fchmod(fd, 0660) < 0 || bind(fd, (struct sockaddr *)&a, sizeof(a)) < 0 ||
        chmod(path, 0660) < 0 || listen(fd, BACKLOG) < 0)
        return error_set(e, ERR_INTERNAL, "listen on \"%s\": %s", path, strerror(errno));
    return TAKE_FD(fd);
}

static int listen_tcp(const char *address, int port, struct error *e)
{
    struct sockaddr_in v4 = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
    struct sockaddr_in6 v6 = { .sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port) };
    bool is_v6 = strchr(address, ':') != NULL;
    int on = 1, off = 0;

    if (inet_pton(is_v6 ? AF_INET6 : AF_INET, address,
                  is_v6 ? (void *)&v6.sin6_addr : (void *)&v4.sin_addr) != 1)
        return error_set(e, ERR_INVALID, "\"%s\" is not an IP address", address);
    scoped_fd int fd =
        socket(is_v6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return error_set(e, ERR_INTERNAL, "socket: %s", strerror(errno));
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (is_v6)
        (void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
    if (bind(fd, is_v6 ? (struct sockaddr *)&v6 : (struct sockaddr *)&v4,
             is_v6 ? sizeof(v6) : sizeof(v4)) < 0 ||
        listen(fd, BACKLOG) < 0)
        return error_set(e, ERR_INTERNAL, "listen on %s port %d: %s", address, port,
                         strerror(errno));
    return TAKE_FD(fd);
}

static ino_t inode_of(const char *path)
{
    struct stat st;

    return lstat(path, &st) == 0 ? st.st_ino : 0;
}

static int port_of(int fd)
{
    struct sockaddr_storage a;
    socklen_t len = sizeof(a);

    if (getsockname(fd, (struct sockaddr *)&a, &len) < 0)
        return 0;
    if (a.ss_family == AF_INET)
        return ntohs(((struct sockaddr_in *)&a)->sin_port);
    if (a.ss_family == AF_INET6)
        return ntohs(((struct sockaddr_in6 *)&a)->sin6_port);
    return 0;
}

static int listen_as(const struct http_server_options *o, struct error *e)
{
    if (o->listen_fd > 0) {
        int fd = o->listen_fd;
        int flags = fcntl(fd, F_GETFL);
        if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
            return error_set(e, ERR_INVALID, "listening descriptor %d: %s", fd, strerror(errno));
        return fd;
    }
    if (o->unix_path)
        return listen_unix(o->unix_path, e);
    return listen_tcp(o->address, o->port, e);
}

/* ---- the server ---- */

static void copy_options(struct http_server *s, const struct http_server_options *o)
{
    struct http_server_options *mine = &s->options;

    *mine = *o;
    s->name = must_strdup(o->name ? o->name : "http");
    s->unix_path = o->unix_path ? must_strdup(o->unix_path) : NULL;
    mine->name = s->name;
    mine->unix_path = s->unix_path;
    mine->address = NULL;
    mine->keys = o->keys ? tls_keys_ref(o->keys) : NULL;
    for (size_t i = 0; i < o->policy.cn_len; i++)
        mine->policy.cn[i] = must_strdup(o->policy.cn[i]);
    mine->threads = o->threads ? o->threads : 1;
    mine->body_max_bytes = o->body_max_bytes ? o->body_max_bytes : BODY_MAX_BYTES;
    mine->connections_max = o->connections_max ? o->connections_max : CONNECTIONS_MAX;
    mine->idle_timeout_ms = o->idle_timeout_ms > 0 ? o->idle_timeout_ms : IDLE_TIMEOUT_MS;
    mine->head_timeout_ms = o->head_timeout_ms > 0 ? o->head_timeout_ms : HEAD_TIMEOUT_MS;
}

int http_server_start(struct http_server **ret, const struct http_server_options *o,
                      struct error *e)
{
    int fd = listen_as(o, e);
    if (fd < 0)
        return fd;

    struct http_server *s = must_calloc(1, sizeof(*s));
    copy_options(s, o);
    s->listen_fd = fd;
    s->port = port_of(fd);
    s->unix_inode = s->unix_path ? inode_of(s->unix_path) : 0;
    must(pthread_mutex_init(&s->lock, NULL) == 0);
    pthread_condattr_t monotonic;
    must(pthread_condattr_init(&monotonic) == 0);
    must(pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC) == 0);
    must(pthread_cond_init(&s->idle, &monotonic) == 0);
    (void)pthread_condattr_destroy(&monotonic);

    s->thread_len = s->options.threads;
    s->thread = must_calloc(s->thread_len, sizeof(*s->thread));
    for (size_t i = 0; i < s->thread_len; i++)
        thread_init(&s->thread[i], s, i);
    s->listen_io = loop_io_new(s->thread[0].loop, fd, LOOP_READ, on_listen, s);
    s->listen_again = loop_timer_new(s->thread[0].loop, -1, on_listen_again, s);
    for (size_t i = 0; i < s->thread_len; i++)
        loop_start(s->thread[i].loop);
    *ret = s;
    return 0;
}

int http_server_port(const struct http_server *s)
{
    return s->port;
}

/* ---- the end ---- */

static void stop_listening(void *arg)
{
    struct http_server *s = arg;

    if (!s->listen_io)
        return;
    loop_io_free(s->listen_io);
    loop_timer_free(s->listen_again);
    s->listen_io = NULL;
    s->listen_again = NULL;
    (void)close(s->listen_fd);
    s->listen_fd = -1;
    if (s->unix_path && inode_of(s->unix_path) == s->unix_inode)
        (void)unlink(s->unix_path); /* unless a successor has put its own there */
}

static void drain_thread(void *arg)
{
    struct server_thread *t = arg;

    for_each_conn(t, conn_drain);
    run_engines(t);
}

void http_server_retire(struct http_server *s)
{
    atomic_store(&s->is_retiring, true);
}

void http_server_drain(struct http_server *s, int64_t grace_ms)
{
    struct timespec until;

    http_server_retire(s);
    loop_post(s->thread[0].loop, stop_listening, s);
    for (size_t i = 0; i < s->thread_len; i++)
        loop_post(s->thread[i].loop, drain_thread, &s->thread[i]);

    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += (time_t)(grace_ms / 1000);
    until.tv_nsec += (long)(grace_ms % 1000) * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    int r = 0;
    (void)pthread_mutex_lock(&s->lock);
    while (atomic_load(&s->calls) > 0 && r == 0)
        r = pthread_cond_timedwait(&s->idle, &s->lock, &until);
    (void)pthread_mutex_unlock(&s->lock);
}

/* On its loop: cut every connection; kept calls live on without one. */
static void stop_thread(void *arg)
{
    struct server_thread *t = arg;

    t->is_stopping = true;
    (void)pthread_mutex_lock(&t->gate->lock);
    t->gate->is_closed = true;
    (void)pthread_mutex_unlock(&t->gate->lock);
    for_each_conn(t, conn_pump_out);
    for_each_conn(t, conn_abort);
    run_engines(t);
    loop_timer_free(t->tick);
    for (int i = 0; i < ENGINE_SIZES; i++)
        engine_stop(&t->engine[i]);
    thread_do_it_now(t);
    free(t->later);
    t->later = NULL;
    t->later_cap = 0;
}

void http_server_free(struct http_server *s)
{
    if (!s)
        return;
    http_server_retire(s);
    loop_post(s->thread[0].loop, stop_listening, s);
    for (size_t i = 0; i < s->thread_len; i++) {
        loop_post(s->thread[i].loop, stop_thread, &s->thread[i]);
        loop_stop(s->thread[i].loop);
    }
    for (size_t i = 0; i < s->thread_len; i++) {
        loop_free(s->thread[i].loop);
        gate_unref(s->thread[i].gate);
    }
    free(s->thread);
    tls_keys_unref(s->options.keys);
    for (size_t i = 0; i < s->options.policy.cn_len; i++)
        free((char *)s->options.policy.cn[i]);
    (void)pthread_mutex_destroy(&s->lock);
    (void)pthread_cond_destroy(&s->idle);
    free(s->name);
    free(s->unix_path);
    free(s);
}
