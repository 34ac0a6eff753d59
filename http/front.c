/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One connection of the server.  A plain one belongs to libmicrohttpd from the
 * start and is only timed here.  A TLS one is ours: what it says is decrypted
 * into a socketpair whose other end libmicrohttpd serves, and back; the work of
 * one request is done in one turn of the loop.
 */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/log.h"
#include "base/must.h"
#include "base/scope.h"
#include "http/server_internal.h"
#include "http/stream_internal.h"

enum {
    LINGER_MS = 2000, /* for the client to read the last bytes before its socket is closed */
    READS_AT_ONCE = 8,
    SMALL_READ_BYTES = 4096,
    SMALL_HEAD_MAX = 6 * 1024, /* what the small engine takes */
    SMALL_HEAD_LINES_MAX = 64,
};

static void on_client(struct loop_io *io, int events, void *arg);
static void on_pair(struct loop_io *io, int events, void *arg);

/* ---- life ---- */

static struct conn *conn_new(struct server_thread *t, int fd)
{
    struct conn *c = must_calloc(1, sizeof(*c));

    *c = (struct conn){ .thread = t, .fd = fd, .pair = -1, .pid = -1, .uid = (uid_t)-1 };
    c->moved_ms = server_now_ms();
    c->next = t->conns;
    if (c->next)
        c->next->prev = c;
    t->conns = c;
    return c;
}

static void conn_free(struct conn *c)
{
    struct server_thread *t = c->thread;

    if (c->prev)
        c->prev->next = c->next;
    else
        t->conns = c->next;
    if (c->next)
        c->next->prev = c->prev;
    atomic_fetch_sub(&t->load, 1);
    atomic_fetch_sub(&t->server->connections, 1);
    buf_done(&c->early);
    free(c->in);
    free(c);
}

static void drop_pair(struct conn *c)
{
    loop_io_free(c->pair_io);
    c->pair_io = NULL;
    if (c->pair >= 0)
        (void)close(c->pair);
    c->pair = -1;
    free(c->in);
    c->in = NULL;
}

/* Our side is over; the struct stays until the engine has forgotten its end. */
static void conn_finish(struct conn *c)
{
    loop_io_free(c->io);
    c->io = NULL;
    tls_conn_free(c->tls);
    c->tls = NULL;
    drop_pair(c);
    c->state = CONN_DONE;
    if (c->call)
        atomic_store(&c->call->is_gone, true);
    http_taken_fn *taken = TAKE(c->taken);
    void *arg = c->taken_arg;
    if (!c->link)
        conn_free(c);
    else
        engine_run(c->engine);
    if (taken)
        taken(NULL, arg);
}

void conn_engine_closed(struct conn *c)
{
    c->link = NULL;
    if (c->state == CONN_PLAIN || c->state == CONN_DONE)
        conn_free(c);
}

static void watch_client(struct conn *c)
{
    int events = 0;

    if (!c->client_ended && !c->in && !c->is_upgraded)
        events |= LOOP_READ;
    if (tls_conn_has_unsent(c->tls))
        events |= LOOP_WRITE;
    if (events != c->io_events)
        loop_io_set(c->io, events);
    c->io_events = events;
}

static void watch_pair(struct conn *c)
{
    int events = 0;

    if (c->pair < 0)
        return;
    if (!tls_conn_has_unsent(c->tls))
        events |= LOOP_READ;
    if (c->in)
        events |= LOOP_WRITE;
    if (events != c->pair_events)
        loop_io_set(c->pair_io, events);
    c->pair_events = events;
}

/* ---- the end of a connection ---- */

/* Everything is sent: say so, and wait a little for the client to have read it. */
static void start_lingering(struct conn *c)
{
    drop_pair(c);
    tls_conn_shutdown(c->tls);
    if (c->client_ended) {
        conn_finish(c);
        return;
    }
    c->state = CONN_LINGERING;
    c->moved_ms = server_now_ms();
    watch_client(c);
    if (c->link)
        engine_run(c->engine);
}

static void linger(struct conn *c)
{
    ssize_t n = 1;

    for (int i = 0; i < READS_AT_ONCE && n > 0; i++)
        n = tls_conn_read(c->tls, c->thread->scratch, sizeof(c->thread->scratch));
    if (n == STREAM_EOF || n == STREAM_FAILED)
        conn_finish(c);
}

/* The client has ended its half: the engine sees the same. */
static void client_ended(struct conn *c)
{
    c->client_ended = true;
    if (c->call)
        atomic_store(&c->call->is_gone, true);
    if (c->pair >= 0 && !c->in)
        (void)shutdown(c->pair, SHUT_WR);
}

/* ---- handing a finished upgrade over ---- */

static void take_over_tls(struct conn *c)
{
    if (tls_conn_has_unsent(c->tls))
        return; /* the 101 first: LOOP_WRITE brings us back */
    if (c->in)
        (void)buf_add(&c->early, c->in + c->in_off, c->in_len - c->in_off);

    struct tls_conn *tls = TAKE(c->tls);
    loop_io_free(c->io);
    c->io = NULL;
    drop_pair(c);
    struct stream *s = stream_from_tls(c->thread->loop, tls, c->early.data, c->early.len);
    http_taken_fn *taken = TAKE(c->taken);
    void *arg = c->taken_arg;
    c->state = CONN_DONE;
    if (!c->link)
        conn_free(c);
    taken(s, arg);
}

struct plain_takeover {
    struct server_thread *thread;
    int fd;
    struct buf early;
    http_taken_fn *taken;
    void *arg;
};

static void take_over_plain(void *arg)
{
    struct plain_takeover *p = arg;
    struct stream *s = NULL;

    if (p->thread->is_stopping)
        (void)close(p->fd);
    else
        s = stream_from_fd_early(p->thread->loop, p->fd, p->early.data, p->early.len);
    p->taken(s, p->arg);
    buf_done(&p->early);
    free(p);
}

void conn_upgraded_plain(struct conn *c, int fd)
{
    struct plain_takeover *p = must_calloc(1, sizeof(*p));

    *p = (struct plain_takeover){ .thread = c->thread,
                                  .fd = fd,
                                  .early = c->early,
                                  .taken = TAKE(c->taken),
                                  .arg = c->taken_arg };
    c->early = (struct buf){ 0 };
    /* Later: this is inside MHD_run, where user code should not be. */
    loop_post(c->thread->loop, take_over_plain, p);
}

/* ---- engine to client ---- */

/* Send one piece on.  Its length; 0: nothing now; -1: the engine or the client is gone. */
static ssize_t pump_piece(struct conn *c)
{
    struct server_thread *t = c->thread;
    ssize_t n = recv(c->pair, t->scratch, sizeof(t->scratch), 0);

    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return 0;
    if (n <= 0)
        return -1;
    c->moved_ms = server_now_ms();
    for (ssize_t done = 0; done < n;) {
        ssize_t sent = tls_conn_write(c->tls, t->scratch + done, (size_t)(n - done));
        if (sent <= 0)
            return -1;
        done += sent;
    }
    return n;
}

void conn_pump_out(struct conn *c)
{
    ssize_t n = c->pair >= 0 ? 1 : 0;

    if (c->state != CONN_OPEN)
        return;
    while (n > 0 && !tls_conn_has_unsent(c->tls)) {
        n = pump_piece(c);
        if (n > 0 && c->call && !c->is_upgraded)
            engine_run(c->engine); /* the answer is not whole, and there is room again */
        else if (n > 0 && n < SCRATCH_BYTES)
            break; /* it was all */
    }
    if (c->is_upgraded) {
        watch_client(c);
        take_over_tls(c);
        return;
    }
    if (n < 0 || (c->pair < 0 && c->client_ended)) {
        start_lingering(c);
        return;
    }
    watch_client(c);
    watch_pair(c);
}

/* ---- client to engine ---- */

static void give(struct conn *c, const char *data, size_t len)
{
    ssize_t n = send(c->pair, data, len, MSG_NOSIGNAL);

    if (n < 0 && errno != EAGAIN)
        return; /* the engine closed; its last words are still to be sent */
    size_t done = n > 0 ? (size_t)n : 0;
    if (done < len) {
        c->in = must_malloc(len - done);
        memcpy(c->in, data + done, len - done);
        c->in_len = len - done;
        c->in_off = 0;
    }
}

/* What waited for room. */
static void give_rest(struct conn *c)
{
    ssize_t n = send(c->pair, c->in + c->in_off, c->in_len - c->in_off, MSG_NOSIGNAL);

    if (n < 0 && errno == EAGAIN)
        return;
    if (n > 0)
        c->in_off += (size_t)n;
    if (n > 0 && c->in_off < c->in_len)
        return;
    free(c->in);
    c->in = NULL;
    if (c->client_ended)
        (void)shutdown(c->pair, SHUT_WR);
}

static bool join(struct conn *c, enum engine_size size)
{
    static const struct sockaddr_un nobody = { .sun_family = AF_UNIX };
    struct server_thread *t = c->thread;
    int pair[2];

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) < 0)
        return false;
    c->pair = pair[0];
    c->engine = engine_of(t, size);
    c->is_aligned = true;
    t->adding = c;
    enum MHD_Result r = MHD_add_connection(
        c->engine->mhd, pair[1], (const struct sockaddr *)&nobody, sizeof(nobody.sun_family));
    t->adding = NULL;
    if (r != MHD_YES)
        return false;
    c->pair_events = LOOP_READ;
    c->pair_io = loop_io_new(t->loop, c->pair, LOOP_READ, on_pair, c);
    return true;
}

/* Is the whole head here, and short? */
static bool has_small_head(const char *data, size_t len)
{
    size_t bound = len < SMALL_HEAD_MAX ? len : SMALL_HEAD_MAX;
    const char *end = memmem(data, bound, "\r\n\r\n", 4);
    int lines = 0;

    if (!end)
        return false;
    for (const char *p = data; lines <= SMALL_HEAD_LINES_MAX; lines++) {
        p = memchr(p, '\n', (size_t)(end - p));
        if (!p++)
            return true;
    }
    return false;
}

/*
 * A request begins: does its head fit the small engine?  A connection joins an
 * engine with its first request, and moves to the large one, where it stays,
 * with the first that needs it; not while the small one holds the start of it.
 */
static bool choose_engine(struct conn *c, const char *data, size_t len)
{
    bool is_small = has_small_head(data, len);

    c->given_bytes = 0;
    if (!c->engine)
        return join(c, is_small ? ENGINE_SMALL : ENGINE_LARGE);
    bool may_move = c->link && c->is_aligned && c->engine == &c->thread->engine[ENGINE_SMALL];
    if (is_small || !may_move)
        return true;
    drop_pair(c);
    engine_run(c->engine);
    return !c->link && join(c, ENGINE_LARGE);
}

/* The client sent something; false when it cannot be served. */
static bool take_in(struct conn *c, const char *data, size_t len)
{
    c->moved_ms = server_now_ms();
    if (c->request_since_ms == 0 && (!c->call || c->call->state == CALL_READING)) {
        c->request_since_ms = c->moved_ms;
        if (!c->call && !choose_engine(c, data, len))
            return false;
    }
    c->given_bytes += len;
    give(c, data, len);
    return true;
}

static void pump_in(struct conn *c)
{
    struct server_thread *t = c->thread;
    bool moved = false;

    /* No event tells of what was read ahead: that must go, at least until the pair is full. */
    for (int i = 0; i < READS_AT_ONCE || tls_conn_has_read_ahead(c->tls); i++) {
        if (c->in || c->client_ended)
            break;
        ssize_t n = tls_conn_read(c->tls, t->scratch, sizeof(t->scratch));
        if (n == STREAM_AGAIN)
            break;
        moved = true;
        if (n == STREAM_FAILED) {
            conn_abort(c);
            return;
        }
        if (n == STREAM_EOF) {
            client_ended(c);
            break;
        }
        if (!take_in(c, t->scratch, (size_t)n)) {
            conn_abort(c);
            return;
        }
        /* A short read has emptied the socket: spare the call that would say so. */
        if (n < SMALL_READ_BYTES && !tls_conn_has_read_ahead(c->tls))
            break;
    }
    if (moved && c->engine)
        engine_run(c->engine);
    if (c->state == CONN_OPEN)
        conn_pump_out(c);
}

static void serve_pair(struct conn *c, int events)
{
    if ((events & LOOP_WRITE) && c->in) {
        give_rest(c);
        engine_run(c->engine);
        if (c->state == CONN_OPEN && !c->in && tls_conn_has_read_ahead(c->tls)) {
            pump_in(c);
            return;
        }
    }
    if (c->state == CONN_OPEN)
        conn_pump_out(c);
}

static void on_pair(struct loop_io *io, int events, void *arg)
{
    struct conn *c = arg;
    struct server_thread *t = c->thread;

    serve_pair(c, events);
    thread_do_it_now(t);
}

/* ---- handshake ---- */

static void shake_hands(struct conn *c)
{
    struct error e;
    int r = tls_conn_handshake(c->tls, &e);

    if (r == 0) {
        int events = tls_conn_wants(c->tls);
        if (events != c->io_events)
            loop_io_set(c->io, events);
        c->io_events = events;
        return;
    }
    if (r < 0) {
        log_debug("handshake refused", "server", c->thread->server->name, "why", e.msg);
        conn_finish(c);
        return;
    }
    c->state = CONN_OPEN;
    c->moved_ms = server_now_ms();
    watch_client(c);
    if (tls_conn_has_read_ahead(c->tls))
        pump_in(c);
}

static void serve_client(struct conn *c, int events)
{
    if (c->state == CONN_HANDSHAKE) {
        shake_hands(c);
        return;
    }
    if ((events & LOOP_WRITE) && tls_conn_has_unsent(c->tls)) {
        int r = tls_conn_flush(c->tls);
        if (r == STREAM_FAILED) {
            conn_abort(c);
            return;
        }
        c->moved_ms = server_now_ms();
    }
    if (c->state == CONN_LINGERING)
        linger(c);
    else if ((events & LOOP_READ) && !c->is_upgraded)
        pump_in(c);
    else
        conn_pump_out(c);
}

static void on_client(struct loop_io *io, int events, void *arg)
{
    struct conn *c = arg;
    struct server_thread *t = c->thread;

    serve_client(c, events);
    thread_do_it_now(t);
}

/* ---- arrival, time, end ---- */

static void arrive_plain(struct conn *c, const struct sockaddr *a, socklen_t len)
{
    struct server_thread *t = c->thread;

    c->state = CONN_PLAIN;
    c->engine = engine_of(t, ENGINE_LARGE);
    t->adding = c;
    enum MHD_Result r = MHD_add_connection(c->engine->mhd, c->fd, a, len);
    t->adding = NULL;
    if (r != MHD_YES)
        conn_free(c); /* the engine has closed fd */
}

void conn_arrive(struct server_thread *t, int fd)
{
    const struct http_server_options *o = &t->server->options;
    struct conn *c = conn_new(t, fd);
    struct sockaddr_storage a = { .ss_family = AF_UNIX };
    socklen_t len = sizeof(a);
    int on = 1;

    (void)getpeername(fd, (struct sockaddr *)&a, &len);
    if (a.ss_family == AF_UNIX) {
        struct ucred cred;
        socklen_t cred_len = sizeof(cred);
        if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &cred_len) == 0) {
            c->pid = cred.pid;
            c->uid = cred.uid;
        }
    } else {
        (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    }
    if (!o->keys) {
        arrive_plain(c, (struct sockaddr *)&a, len);
        return;
    }
    c->state = CONN_HANDSHAKE;
    c->tls = tls_conn_new(fd, TLS_SERVER, o->keys, &o->policy);
    c->io_events = LOOP_READ;
    c->io = loop_io_new(t->loop, fd, LOOP_READ, on_client, c);
}

static void abort_plain(struct conn *c)
{
    /* The engine notices; it owns the descriptor. */
    (void)shutdown(c->fd, SHUT_RDWR);
}

void conn_abort(struct conn *c)
{
    bool is_stopping = c->thread->is_stopping;

    if (is_stopping && c->call) {
        c->call->is_dropped = true;
        call_wake(c->call);
    }
    if (c->state == CONN_PLAIN)
        abort_plain(c);
    else if (c->state != CONN_DONE)
        conn_finish(c);
}

void conn_drain(struct conn *c)
{
    if (c->call || c->request_since_ms)
        return; /* its answer says Connection: close */
    if (c->state == CONN_PLAIN)
        (void)shutdown(c->fd, SHUT_RD);
    else if (c->state == CONN_OPEN && c->pair < 0)
        start_lingering(c);
    else if (c->state == CONN_OPEN && !c->is_upgraded)
        (void)shutdown(c->pair, SHUT_WR);
}

static bool is_late(const struct conn *c, const struct http_server_options *o, int64_t now)
{
    if (c->request_since_ms && now - c->request_since_ms > o->head_timeout_ms)
        return true;
    switch (c->state) {
    case CONN_HANDSHAKE:
        return now - c->moved_ms > o->head_timeout_ms;
    case CONN_LINGERING:
        return now - c->moved_ms > LINGER_MS;
    case CONN_PLAIN: /* a client that drips into the gap between two requests, too */
        return !c->call && now - c->moved_ms > o->idle_timeout_ms;
    case CONN_OPEN:
        return (!c->call || tls_conn_has_unsent(c->tls)) && now - c->moved_ms > o->idle_timeout_ms;
    case CONN_DONE:
        return false;
    }
    return false;
}

void conn_check_time(struct conn *c)
{
    if (is_late(c, &c->thread->server->options, server_now_ms()))
        conn_abort(c);
}
