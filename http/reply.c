/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Answers.  On the loop inside the handler an answer is queued as soon as the
 * handler returns; from anywhere else it is posted to the call's loop, which
 * resumes the suspended connection.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include "base/must.h"
#include "base/scope.h"
#include "base/str.h"
#include "http/server_internal.h"

enum {
    PIECES_HELD_MAX = 1024 * 1024,
    PIECE_BYTES = 16 * 1024,
    EARLY_CHUNK_BYTES = 4096,
};

struct pieces {
    pthread_mutex_t lock;
    /* guarded by lock */
    struct buf held;
    bool is_ended;
    bool is_broken;
    bool is_wake_posted;
    /* loop's thread */
    bool is_parked; /* the engine waits for more */
};

/* ---- giving the answer ---- */

/* On the loop: the answer of a kept call is here. */
static void go_on(void *arg)
{
    struct http_call *c = arg;

    if (c->link) {
        struct conn *conn = c->conn;
        c->state = CALL_ANSWERED;
        call_wake(c);
        engine_run(conn->engine);
        if (c->conn) /* else completed: its connection may be gone */
            conn_pump_out(conn);
    } else {
        call_connection_over(c);
    }
    call_unref(c);
}

static void answer(struct http_call *c, int status, struct MHD_Response *response)
{
    must(response);
    c->status = status;
    c->response = response;
    if (!c->is_kept) {
        c->state = CALL_ANSWERED; /* inside the handler */
        return;
    }
    if (!gate_post(c->gate, go_on, c)) {
        call_connection_over(c);
        call_unref(c);
    }
}

static void add_header(struct MHD_Response *r, const char *name, const char *value)
{
    (void)MHD_add_response_header(r, name, value); /* refused: not sendable, and not sent */
}

static void add_headers(struct http_call *c, struct MHD_Response *r, const char *content_type)
{
    add_header(r, "X-Content-Type-Options", "nosniff");
    if (content_type)
        add_header(r, "Content-Type", content_type);
    for (size_t i = 0; i < c->extra.len; i++)
        add_header(r, c->extra.item[i].name, c->extra.item[i].value);
}

static void reply_with(struct http_call *c, int status, const char *content_type, const void *data,
                       size_t len, enum MHD_ResponseMemoryMode mode)
{
    struct MHD_Response *r = MHD_create_response_from_buffer(len, (void *)data, mode);

    must(r);
    add_headers(c, r, content_type);
    answer(c, status, r);
}

void http_call_set_header(struct http_call *c, const char *name, const char *value)
{
    (void)http_headers_add(&c->extra, name, value);
}

void http_reply(struct http_call *c, int status, const char *content_type, const void *data,
                size_t len)
{
    reply_with(c, status, content_type, data ? data : "", len, MHD_RESPMEM_MUST_COPY);
}

void http_reply_taken(struct http_call *c, int status, const char *content_type, char *data,
                      size_t len)
{
    reply_with(c, status, content_type, data, len, MHD_RESPMEM_MUST_FREE);
}

void http_reply_static(struct http_call *c, int status, const char *content_type, const void *data,
                       size_t len)
{
    reply_with(c, status, content_type, data, len, MHD_RESPMEM_PERSISTENT);
}

void http_reply_json(struct http_call *c, int status, const json_t *v)
{
    char *text = must_dumps(v, JSON_COMPACT);

    reply_with(c, status, "application/json", text, strlen(text), MHD_RESPMEM_MUST_FREE);
}

void http_reply_error(struct http_call *c, const struct error *err, const json_t *details)
{
    json_auto_t *status = error_status(err, details);

    http_reply_json(c, error_http(err->code), status);
}

/* ---- later ---- */

void http_after_reply(struct http_call *c, void (*fn)(void *arg), void *arg)
{
    must(!c->is_kept);
    thread_do_later(c->conn->thread, fn, arg);
}

/* libmicrohttpd's strings go with the connection, which a kept call may outlive. */
static void copy_headers(struct http_call *c)
{
    if (c->has_copies)
        return;
    for (size_t i = 0; i < c->headers.len; i++) {
        struct http_header *h = &c->headers.item[i];
        *h = (struct http_header){ must_strdup(h->name), must_strdup(h->value) };
    }
    c->has_copies = true;
}

void http_keep(struct http_call *c)
{
    copy_headers(c);
    atomic_fetch_add(&c->refs, 1);
    c->is_kept = true;
    c->state = CALL_KEPT;
}

void call_connection_over(struct http_call *c)
{
    http_taken_fn *taken = TAKE(c->taken);

    atomic_store(&c->is_gone, true);
    if (c->pieces) {
        (void)pthread_mutex_lock(&c->pieces->lock);
        c->pieces->is_broken = true;
        (void)pthread_mutex_unlock(&c->pieces->lock);
    }
    if (taken)
        taken(NULL, c->taken_arg);
}

/* ---- upgrade ---- */

static void on_upgraded(void *arg, struct MHD_Connection *link, void *ctx, const char *extra,
                        size_t extra_len, MHD_socket fd, struct MHD_UpgradeResponseHandle *handle)
{
    struct http_call *c = arg;
    struct conn *conn = c->conn;
    char chunk[EARLY_CHUNK_BYTES];
    ssize_t n = 0;

    conn->is_upgraded = true;
    conn->taken = TAKE(c->taken);
    conn->taken_arg = c->taken_arg;
    (void)buf_add(&conn->early, extra, extra_len);
    if (conn->state == CONN_PLAIN) {
        int mine = fcntl(fd, F_DUPFD_CLOEXEC, 0);
        conn_upgraded_plain(conn, mine);
    } else {
        /* The socketpair is dropped: what the client sent early is still in it. */
        while ((n = recv(fd, chunk, sizeof(chunk), MSG_DONTWAIT)) > 0)
            (void)buf_add(&conn->early, chunk, (size_t)n);
    }
    (void)MHD_upgrade_action(handle, MHD_UPGRADE_ACTION_CLOSE);
    conn->engine->is_wanted = true; /* to forget it */
}

/* Of the answer's headers, those that libmicrohttpd or the connection decide. */
static bool is_hop_header(const char *name)
{
    static const char *const names[] = { "Connection", "Transfer-Encoding", "Content-Length",
                                         "Date" };

    for (size_t i = 0; i < countof(names); i++)
        if (strcasecmp(names[i], name) == 0)
            return true;
    return false;
}

void http_upgrade(struct http_call *c, const struct http_headers *headers, http_taken_fn *taken,
                  void *arg)
{
    const struct http_headers none = { 0 };
    const struct http_headers *h = headers ? headers : &none;
    struct MHD_Response *r = MHD_create_response_for_upgrade(on_upgraded, c);

    must(r);
    for (size_t i = 0; i < h->len; i++)
        if (!is_hop_header(h->item[i].name))
            add_header(r, h->item[i].name, h->item[i].value);
    if (!http_headers_get(h, "Upgrade")) {
        const char *asked = http_call_header(c, "Upgrade");
        add_header(r, "Upgrade", asked ? asked : "websocket");
    }
    c->taken = taken;
    c->taken_arg = arg;
    answer(c, 101, r);
}

/* ---- pieces ---- */

void pieces_free(struct pieces *p)
{
    if (!p)
        return;
    buf_done(&p->held);
    (void)pthread_mutex_destroy(&p->lock);
    free(p);
}

/* The engine asks for more of the body. */
static ssize_t on_more(void *arg, uint64_t pos, char *data, size_t max)
{
    struct http_call *c = arg;
    struct pieces *p = c->pieces;
    ssize_t n = 0;

    if (c->is_dropped)
        return MHD_CONTENT_READER_END_WITH_ERROR;
    (void)pthread_mutex_lock(&p->lock);
    if (p->held.len > 0) {
        n = (ssize_t)(p->held.len < max ? p->held.len : max);
        memcpy(data, p->held.data, (size_t)n);
        buf_consume(&p->held, (size_t)n);
    } else if (p->is_ended) {
        n = MHD_CONTENT_READER_END_OF_STREAM;
    } else {
        p->is_parked = true;
    }
    (void)pthread_mutex_unlock(&p->lock);
    if (n == 0) {
        c->is_suspended = true;
        MHD_suspend_connection(c->link);
    }
    return n;
}

void http_stream_begin(struct http_call *c, int status, const char *content_type)
{
    struct pieces *p = must_calloc(1, sizeof(*p));

    must(pthread_mutex_init(&p->lock, NULL) == 0);
    p->held = BUF_INIT(PIECES_HELD_MAX);
    c->pieces = p;
    copy_headers(c);
    atomic_fetch_add(&c->refs, 1); /* until http_stream_end */
    struct MHD_Response *r =
        MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, PIECE_BYTES, on_more, c, NULL);
    must(r);
    add_headers(c, r, content_type);
    answer(c, status, r);
}

/* On the loop: there is something to send. */
static void on_wake(void *arg)
{
    struct http_call *c = arg;
    struct pieces *p = c->pieces;

    (void)pthread_mutex_lock(&p->lock);
    p->is_wake_posted = false;
    bool was_parked = p->is_parked;
    p->is_parked = false;
    (void)pthread_mutex_unlock(&p->lock);
    if (was_parked && c->link) {
        struct conn *conn = c->conn;
        call_wake(c);
        engine_run(conn->engine);
        if (c->conn)
            conn_pump_out(conn);
    }
    call_unref(c);
}

/* With the lock held. */
static void post_wake(struct http_call *c)
{
    struct pieces *p = c->pieces;

    if (p->is_wake_posted)
        return;
    atomic_fetch_add(&c->refs, 1);
    p->is_wake_posted = gate_post(c->gate, on_wake, c);
    if (!p->is_wake_posted)
        atomic_fetch_sub(&c->refs, 1); /* the caller has one too */
}

bool http_stream_write(struct http_call *c, const void *data, size_t len)
{
    struct pieces *p = c->pieces;

    if (http_call_is_gone(c))
        return false;
    (void)pthread_mutex_lock(&p->lock);
    if (!p->is_broken && !buf_add(&p->held, data, len))
        p->is_broken = true;
    bool is_fine = !p->is_broken;
    if (is_fine)
        post_wake(c);
    (void)pthread_mutex_unlock(&p->lock);
    return is_fine;
}

void http_stream_end(struct http_call *c)
{
    struct pieces *p = c->pieces;

    (void)pthread_mutex_lock(&p->lock);
    p->is_ended = true;
    post_wake(c);
    (void)pthread_mutex_unlock(&p->lock);
    call_unref(c);
}
