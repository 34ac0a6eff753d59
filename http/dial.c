/* SPDX-License-Identifier: Apache-2.0 */
/* One exchange as a state machine: connect, shake hands, send, read the answer. */
#include "http/dial.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/must.h"
#include "base/scope.h"
#include "http/response_parser.h"
#include "http/stream_internal.h"

enum {
    CONNECT_TIMEOUT_MS = 10 * 1000,
    ANSWER_TIMEOUT_MS = 10 * 1000,
    CHUNK_BYTES = 16 * 1024,
};
static const size_t response_max_default = 8UL * 1024 * 1024;

enum phase { FAILED_TO_START, CONNECTING, SHAKING_HANDS, SENDING, READING };

struct dial {
    struct loop *loop;
    enum phase phase;
    int fd; /* until it is a session's or stream's */
    struct loop_io *io;
    struct loop_timer *timer;
    int64_t answer_until_ms;
    struct tls_keys *keys;
    struct tls_policy policy;
    struct tls_conn *tls; /* until it is a stream's */
    struct stream *stream;
    struct buf out;
    size_t out_off;
    struct response_parser parser;
    struct error why;
    dial_done_fn *done;
    void *arg;
};

/* ---- the end ---- */

void dial_cancel(struct dial *d)
{
    if (!d)
        return;
    loop_io_free(d->io);
    loop_timer_free(d->timer);
    stream_close(d->stream);
    tls_conn_free(d->tls);
    if (d->fd >= 0)
        (void)close(d->fd);
    tls_keys_unref(d->keys);
    buf_done(&d->out);
    response_parser_done(&d->parser);
    free(d);
}

static void finish(struct dial *d, const struct dial_answer *a)
{
    d->done(a, d->arg);
    dial_cancel(d);
}

static void fail(struct dial *d)
{
    if (d->why.code != ERR_TIMEOUT)
        d->why.code = ERR_UNAVAILABLE;
    finish(d, &(struct dial_answer){ .why = &d->why });
}

static void fail_with(struct dial *d, enum error_code code, const char *what)
{
    (void)error_set(&d->why, code, "%s", what);
    fail(d);
}

static void on_timer(void *arg)
{
    static const char *const late[] = {
        [CONNECTING] = "connecting takes too long",
        [SHAKING_HANDS] = "the TLS handshake takes too long",
        [SENDING] = "the peer does not take the request",
        [READING] = "the peer does not answer",
    };
    struct dial *d = arg;

    if (d->phase == FAILED_TO_START)
        fail(d);
    else
        fail_with(d, ERR_TIMEOUT, late[d->phase]);
}

/* ---- reading ---- */

static void answered(struct dial *d, const char *rest, size_t rest_len)
{
    struct dial_answer a = {
        .status = d->parser.status,
        .headers = &d->parser.headers,
        .body = d->parser.body.data ? d->parser.body.data : "",
        .body_len = d->parser.body.len,
    };

    if (a.status == 101) {
        stream_want(d->stream, 0, NULL, NULL);
        stream_put_back(d->stream, rest, rest_len);
        a.upgraded = TAKE(d->stream);
    }
    finish(d, &a);
}

static void read_answer(struct dial *d)
{
    char chunk[CHUNK_BYTES];

    for (;;) {
        ssize_t n = stream_read(d->stream, chunk, sizeof(chunk));
        if (n == STREAM_AGAIN)
            return;
        if (n <= 0) {
            if (n == STREAM_FAILED)
                fail_with(d, ERR_UNAVAILABLE, "the connection broke before the answer was whole");
            else if (response_parser_end(&d->parser, &d->why) < 0)
                fail(d);
            else
                answered(d, NULL, 0);
            return;
        }
        ssize_t taken = response_parser_feed(&d->parser, chunk, (size_t)n, &d->why);
        if (taken < 0) {
            fail(d);
            return;
        }
        if (d->parser.state == RESPONSE_DONE) {
            answered(d, chunk + taken, (size_t)(n - taken));
            return;
        }
    }
}

/* ---- sending ---- */

static void on_stream(struct stream *s, int events, void *arg)
{
    struct dial *d = arg;

    while (d->phase == SENDING) {
        ssize_t n = stream_write(s, d->out.data + d->out_off, d->out.len - d->out_off);
        if (n == STREAM_AGAIN)
            break;
        if (n <= 0) {
            /* A peer that refuses early may have said why before it closed. */
            d->phase = READING;
            break;
        }
        d->out_off += (size_t)n;
        if (d->out_off == d->out.len)
            d->phase = READING;
    }
    stream_want(s, LOOP_READ | (d->phase == SENDING ? LOOP_WRITE : 0), on_stream, d);
    if (events & LOOP_READ || d->phase == READING)
        read_answer(d);
}

static void start_exchange(struct dial *d)
{
    loop_io_free(d->io);
    d->io = NULL;
    d->stream = d->tls ? stream_from_tls(d->loop, TAKE(d->tls), NULL, 0)
                       : stream_from_fd(d->loop, TAKE_FD(d->fd));
    d->phase = SENDING;
    int64_t left = d->answer_until_ms - clock_mono_ms(&clock_real);
    loop_timer_set(d->timer, left > 0 ? left : 0);
    on_stream(d->stream, 0, d);
}

/* ---- connecting ---- */

static void shake_hands(struct dial *d)
{
    int r = tls_conn_handshake(d->tls, &d->why);

    if (r < 0)
        fail(d);
    else if (r == 0)
        loop_io_set(d->io, tls_conn_wants(d->tls));
    else
        start_exchange(d);
}

static void connected(struct dial *d)
{
    int problem = 0;
    socklen_t len = sizeof(problem);

    if (getsockopt(d->fd, SOL_SOCKET, SO_ERROR, &problem, &len) < 0)
        problem = errno;
    if (problem) {
        fail_with(d, ERR_UNAVAILABLE, strerror(problem));
        return;
    }
    if (!d->keys) {
        start_exchange(d);
        return;
    }
    d->phase = SHAKING_HANDS;
    d->tls = tls_conn_new(TAKE_FD(d->fd), TLS_CLIENT, d->keys, &d->policy);
    shake_hands(d);
}

static void on_io(struct loop_io *io, int events, void *arg)
{
    struct dial *d = arg;

    if (d->phase == CONNECTING)
        connected(d);
    else
        shake_hands(d);
}

static socklen_t address_of(const struct dial_request *q, struct sockaddr_storage *a)
{
    struct sockaddr_un *un = (struct sockaddr_un *)a;

    if (!q->unix_path)
        return socket_address(a, q->host, q->port);
    memset(a, 0, sizeof(*a));
    if (strlen(q->unix_path) >= sizeof(un->sun_path))
        return 0;
    un->sun_family = AF_UNIX;
    memcpy(un->sun_path, q->unix_path, strlen(q->unix_path));
    return sizeof(*un);
}

/* Nothing that is passed on may start a line of its own. */
static bool is_sendable(const struct dial_request *q)
{
    for (const char *p = q->path; *p; p++)
        if ((unsigned char)*p <= ' ' || *p == 0x7f)
            return false;
    for (size_t i = 0; q->headers && i < q->headers->len; i++)
        if (strpbrk(q->headers->item[i].name, "\r\n: ") ||
            strpbrk(q->headers->item[i].value, "\r\n"))
            return false;
    return true;
}

static int begin(struct dial *d, const struct dial_request *q)
{
    struct sockaddr_storage a;
    socklen_t len = address_of(q, &a);
    int on = 1;

    if (!is_sendable(q))
        return error_set(&d->why, ERR_UNAVAILABLE,
                         "the path or a header has a character that cannot be sent");
    if (len == 0)
        return error_set(&d->why, ERR_UNAVAILABLE, "\"%s\" is not an address",
                         q->unix_path ? q->unix_path : q->host);
    d->fd = socket(a.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (d->fd < 0)
        return error_set(&d->why, ERR_UNAVAILABLE, "socket: %s", strerror(errno));
    if (a.ss_family != AF_UNIX)
        (void)setsockopt(d->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    if (connect(d->fd, (struct sockaddr *)&a, len) < 0 && errno != EINPROGRESS)
        return error_set(&d->why, ERR_UNAVAILABLE, "connect: %s", strerror(errno));
    d->phase = CONNECTING;
    d->io = loop_io_new(d->loop, d->fd, LOOP_WRITE, on_io, d);
    return 0;
}

/* ---- starting ---- */

static void write_request(struct buf *out, const struct dial_request *q)
{
    const struct http_headers none = { 0 };
    const struct http_headers *h = q->headers ? q->headers : &none;
    char authority[HTTP_AUTHORITY_MAX];

    (void)buf_addf(out, "%s %s HTTP/1.1\r\n", http_method_name(q->method), q->path);
    (void)buf_addf(out, "Host: %s\r\n",
                   q->host ? http_authority(authority, q->host, q->port) : "localhost");
    for (size_t i = 0; i < h->len; i++) {
        const char *name = h->item[i].name;
        if (strcasecmp(name, "Host") != 0 && strcasecmp(name, "Content-Length") != 0 &&
            strcasecmp(name, "Transfer-Encoding") != 0)
            (void)buf_addf(out, "%s: %s\r\n", name, h->item[i].value);
    }
    if (q->body_len > 0 || q->method == HTTP_POST || q->method == HTTP_PUT ||
        q->method == HTTP_PATCH)
        (void)buf_addf(out, "Content-Length: %zu\r\n", q->body_len);
    if (!http_headers_get(h, "Connection"))
        (void)buf_adds(out, "Connection: close\r\n");
    (void)buf_adds(out, "\r\n");
    if (q->body_len > 0)
        (void)buf_add(out, q->body, q->body_len);
}

struct dial *dial_start(struct loop *l, const struct dial_request *q, dial_done_fn *done, void *arg)
{
    struct dial *d = must_calloc(1, sizeof(*d));
    int64_t connect_ms = q->connect_timeout_ms > 0 ? q->connect_timeout_ms : CONNECT_TIMEOUT_MS;
    int64_t answer_ms = q->answer_timeout_ms > 0 ? q->answer_timeout_ms : ANSWER_TIMEOUT_MS;

    *d = (struct dial){ .loop = l, .fd = -1, .policy = q->policy, .done = done, .arg = arg };
    d->keys = q->keys ? tls_keys_ref(q->keys) : NULL;
    d->answer_until_ms = clock_mono_ms(&clock_real) + answer_ms;
    response_parser_init(&d->parser, q->method,
                         q->response_max_bytes ? q->response_max_bytes : response_max_default);
    write_request(&d->out, q);
    int64_t first_ms = connect_ms < answer_ms ? connect_ms : answer_ms;
    /* A failure at once is told by the loop too: the caller has no handle yet. */
    if (begin(d, q) < 0)
        first_ms = 0;
    d->timer = loop_timer_new(l, first_ms, on_timer, d);
    return d;
}
