/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libmicrohttpd's callbacks.  A struct http_call begins with the request line
 * and ends when libmicrohttpd says that the request is completed; a kept call
 * may outlive that.
 */
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include "base/log.h"
#include "base/must.h"
#include "base/scope.h"
#include "base/str.h"
#include "http/server_internal.h"

enum {
    POOL_STEP_BYTES = 8 * 1024,
    /* A body that is too large is read and dropped up to this many times the limit, so that the
     * client gets to read the answer; after that the connection is cut. */
    OVERSIZE_FACTOR = 8,
    QUERY_PAIRS_MAX = HTTP_HEADERS_MAX,
};

/* ---- life of a call ---- */

static struct http_call *call_new(struct conn *c, struct MHD_Connection *link, const char *uri)
{
    struct http_call *call = must_calloc(1, sizeof(*call));

    call->refs = 1;
    call->gate = gate_ref(c->thread->gate);
    call->conn = c;
    call->link = link;
    call->plain_fd = c->state == CONN_PLAIN ? c->fd : -1;
    call->pid = c->pid;
    call->uid = c->uid;
    if (c->tls)
        call->peer = *tls_conn_peer(c->tls);
    call->body = BUF_INIT(c->thread->server->options.body_max_bytes);
    call->target = must_strdup(uri);
    char *query = strchr(call->target, '?');
    if (query)
        *query++ = '\0';
    call->query_string = query ? query : "";
    return call;
}

static void headers_free(struct http_headers *h, bool has_copies)
{
    if (has_copies)
        http_headers_done(h);
    else
        free(h->item);
}

void call_unref(struct http_call *c)
{
    if (!c || atomic_fetch_sub(&c->refs, 1) > 1)
        return;
    if (c->response)
        MHD_destroy_response(c->response);
    pieces_free(c->pieces);
    headers_free(&c->headers, c->has_copies);
    http_headers_done(&c->query);
    http_headers_done(&c->extra);
    buf_done(&c->body);
    gate_unref(c->gate);
    free(c->target);
    free(c);
}

void call_wake(struct http_call *c)
{
    if (!c->is_suspended || !c->link)
        return;
    c->is_suspended = false;
    MHD_resume_connection(c->link);
}

/* ---- reading a request ---- */

static void *on_request_line(void *arg, const char *uri, struct MHD_Connection *link)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(link, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    struct conn *c = info->socket_context;

    c->call = call_new(c, link, uri);
    if (!c->request_since_ms)
        c->request_since_ms = server_now_ms();
    server_call_begins(c->thread->server);
    return c->call;
}

static enum MHD_Result on_header(void *arg, enum MHD_ValueKind kind, const char *name,
                                 const char *value)
{
    struct http_headers *h = arg;

    if (h->len == HTTP_HEADERS_MAX)
        return MHD_NO;
    if (h->len == h->cap) {
        h->cap = h->cap ? h->cap * 2 : 16;
        h->item = must_realloc(h->item, h->cap * sizeof(*h->item));
    }
    h->item[h->len++] = (struct http_header){ (char *)name, (char *)(value ? value : "") };
    return MHD_YES;
}

/* An answer of the server's own, without the handler. */
static enum MHD_Result refuse(struct http_call *c, int status, const struct error *e)
{
    json_auto_t *body = error_status(e, NULL);

    must_set(body, "code", json_integer(status));
    c->state = CALL_HANDLING;
    http_reply_json(c, status, body);
    return call_queue(c);
}

static enum MHD_Result begin(struct http_call *c, const char *method)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(c->link, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
    size_t limit = c->body.max;
    struct error e;
    int m = http_method_parse(method);

    c->head_bytes = info ? info->header_size : 0;

    int seen = MHD_get_connection_values(c->link, MHD_HEADER_KIND, on_header, &c->headers);
    if (seen > HTTP_HEADERS_MAX ||
        MHD_get_connection_values(c->link, MHD_HEADER_KIND, NULL, NULL) > HTTP_HEADERS_MAX) {
        (void)error_set(&e, ERR_TOO_LARGE, "more than %d headers", HTTP_HEADERS_MAX);
        return refuse(c, 431, &e);
    }
    if (m < 0) {
        (void)error_set(&e, ERR_METHOD_NOT_ALLOWED, "the method is not one that this server knows");
        return refuse(c, 405, &e);
    }
    c->method = (enum http_method)m;

    const char *length = http_headers_get(&c->headers, "Content-Length");
    unsigned long long declared = length ? strtoull(length, NULL, 10) : 0;
    bool waits = http_headers_has_token(&c->headers, "Expect", "100-continue");
    if (declared > limit && (waits || declared > limit * OVERSIZE_FACTOR)) {
        (void)error_set(&e, ERR_TOO_LARGE, "the body is larger than %zu bytes", limit);
        return refuse(c, 413, &e);
    }
    return MHD_YES;
}

static enum MHD_Result add_body(struct http_call *c, const char *data, size_t len)
{
    c->seen_bytes += len;
    if (c->is_too_large)
        return c->seen_bytes > c->body.max * OVERSIZE_FACTOR ? MHD_NO : MHD_YES;
    if (!buf_add(&c->body, data, len)) {
        c->is_too_large = true;
        size_t limit = c->body.max;
        buf_done(&c->body);
        c->body = BUF_INIT(limit);
    }
    return MHD_YES;
}

/* ---- answering ---- */

enum MHD_Result call_queue(struct http_call *c)
{
    c->state = CALL_QUEUED;
    if (atomic_load(&c->conn->thread->server->is_retiring) && c->status != 101)
        (void)MHD_add_response_header(c->response, "Connection", "close");
    if (MHD_queue_response(c->link, (unsigned)c->status, c->response) == MHD_YES)
        return MHD_YES;
    log_debug("answer refused by the engine", "path", c->target, "status", log_i(c->status));
    return MHD_NO;
}

static enum MHD_Result handle(struct http_call *c)
{
    struct http_server *s = c->conn->thread->server;
    struct error e;

    c->conn->request_since_ms = 0;
    if (c->is_too_large) {
        (void)error_set(&e, ERR_TOO_LARGE, "the body is larger than %zu bytes", c->body.max);
        return refuse(c, 413, &e);
    }
    c->state = CALL_HANDLING;
    s->options.handler(c, s->options.ctx);
    switch (c->state) {
    case CALL_ANSWERED:
        return call_queue(c);
    case CALL_KEPT:
        c->is_suspended = true;
        MHD_suspend_connection(c->link);
        return MHD_YES;
    case CALL_READING:
    case CALL_HANDLING:
    case CALL_QUEUED:
        break;
    }
    (void)error_set(&e, ERR_INTERNAL, "the request was not answered");
    return refuse(c, 500, &e);
}

static enum MHD_Result on_access(void *arg, struct MHD_Connection *link, const char *url,
                                 const char *method, const char *version, const char *data,
                                 size_t *data_len, void **ctx)
{
    struct http_call *c = *ctx;

    if (c->is_dropped)
        return MHD_NO;
    if (!c->has_begun) {
        c->has_begun = true;
        return begin(c, method);
    }
    if (*data_len > 0) {
        enum MHD_Result r = add_body(c, data, *data_len);
        *data_len = 0;
        return r;
    }
    return c->state == CALL_ANSWERED ? call_queue(c) : handle(c);
}

static void on_completed(void *arg, struct MHD_Connection *link, void **ctx,
                         enum MHD_RequestTerminationCode why)
{
    struct http_call *c = *ctx;
    if (!c)
        return;
    struct conn *conn = c->conn;

    *ctx = NULL;
    conn->call = NULL;
    conn->request_since_ms = 0;
    conn->moved_ms = server_now_ms();
    conn->is_aligned = conn->given_bytes == c->head_bytes + c->seen_bytes;
    server_call_ends(conn->thread->server);
    c->conn = NULL;
    c->link = NULL;
    call_connection_over(c);
    call_unref(c);
}

static void on_connection(void *arg, struct MHD_Connection *link, void **ctx,
                          enum MHD_ConnectionNotificationCode what)
{
    struct server_thread *t = arg;

    if (what == MHD_CONNECTION_NOTIFY_STARTED) {
        *ctx = t->adding;
        t->adding->link = link;
    } else if (*ctx) {
        conn_engine_closed(*ctx);
        *ctx = NULL;
    }
}

/* Paths stay as they were sent. */
static size_t no_unescape(void *arg, struct MHD_Connection *link, char *s)
{
    return strlen(s);
}

struct MHD_Daemon *call_start_daemon(struct server_thread *t, size_t pool_bytes)
{
    const struct http_server_options *o = &t->server->options;
    unsigned idle_s = (unsigned)((o->idle_timeout_ms + 999) / 1000);

    return MHD_start_daemon(
        MHD_USE_EPOLL | MHD_USE_NO_LISTEN_SOCKET | MHD_ALLOW_UPGRADE | MHD_ALLOW_SUSPEND_RESUME, 0,
        NULL, NULL, on_access, t, MHD_OPTION_NOTIFY_CONNECTION, on_connection, t,
        MHD_OPTION_NOTIFY_COMPLETED, on_completed, t, MHD_OPTION_URI_LOG_CALLBACK, on_request_line,
        t, MHD_OPTION_UNESCAPE_CALLBACK, no_unescape, NULL, MHD_OPTION_CONNECTION_LIMIT,
        (unsigned)o->connections_max, MHD_OPTION_CONNECTION_TIMEOUT, idle_s,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, pool_bytes, MHD_OPTION_CONNECTION_MEMORY_INCREMENT,
        (size_t)POOL_STEP_BYTES, MHD_OPTION_END);
}

/* ---- what the handler sees ---- */

enum http_method http_call_method(const struct http_call *c)
{
    return c->method;
}

const char *http_call_path(const struct http_call *c)
{
    return c->target;
}

const char *http_call_query_string(const struct http_call *c)
{
    return c->query_string;
}

static char *decode_query(const char *s, size_t len)
{
    scoped(free) char *raw = must_strndup(s, len);

    for (char *p = raw; *p; p++)
        if (*p == '+')
            *p = ' ';
    return str_percent_decode(raw);
}

static void parse_query(struct http_call *c)
{
    const char *p = c->query_string;

    c->is_query_parsed = true;
    while (*p && c->query.len < QUERY_PAIRS_MAX) {
        size_t len = strcspn(p, "&");
        size_t key = strcspn(p, "&=");
        if (c->query.len == c->query.cap) {
            c->query.cap = c->query.cap ? c->query.cap * 2 : 4;
            c->query.item = must_realloc(c->query.item, c->query.cap * sizeof(*c->query.item));
        }
        size_t value = key < len ? key + 1 : len;
        c->query.item[c->query.len++] =
            (struct http_header){ decode_query(p, key), decode_query(p + value, len - value) };
        p += len + (p[len] == '&' ? 1 : 0);
    }
}

const char *http_call_query(const struct http_call *c, const char *key)
{
    if (!c->is_query_parsed)
        parse_query((struct http_call *)c);
    for (size_t i = 0; i < c->query.len; i++)
        if (streq(c->query.item[i].name, key))
            return c->query.item[i].value;
    return NULL;
}

const struct http_headers *http_call_headers(const struct http_call *c)
{
    return &c->headers;
}

const char *http_call_header(const struct http_call *c, const char *name)
{
    return http_headers_get(&c->headers, name);
}

const void *http_call_body(const struct http_call *c, size_t *ret_len)
{
    *ret_len = c->body.len;
    return c->body.data ? c->body.data : "";
}

const struct tls_identity *http_call_peer(const struct http_call *c)
{
    return &c->peer;
}

pid_t http_call_peer_pid(const struct http_call *c)
{
    return c->pid;
}

uid_t http_call_peer_uid(const struct http_call *c)
{
    return c->uid;
}

struct loop *http_call_loop(const struct http_call *c)
{
    return c->gate->loop;
}

bool http_call_is_gone(const struct http_call *c)
{
    bool is_gone = atomic_load(&c->is_gone);

    if (is_gone || c->plain_fd < 0)
        return is_gone;
    /* The descriptor stays open as long as the call is suspended and the gate open. */
    (void)pthread_mutex_lock(&c->gate->lock);
    struct pollfd p = { .fd = c->plain_fd, .events = POLLRDHUP };
    is_gone =
        c->gate->is_closed || (poll(&p, 1, 0) > 0 && (p.revents & (POLLRDHUP | POLLHUP | POLLERR)));
    (void)pthread_mutex_unlock(&c->gate->lock);
    return is_gone;
}
