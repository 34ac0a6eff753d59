/* SPDX-License-Identifier: Apache-2.0 */
/* From an HTTP call to a websocket session. */
#include "handler/handshake.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/loop.h"
#include "base/must.h"
#include "base/scope.h"
#include "base/str.h"
#include "handler/ws.h"
#include "http/server.h"

static const char protocol[] = "plain.kubevirt.io";

enum { HEAD_MAX = 2048, KEY_LEN = 24, HANDSHAKE_MS = 10 * 1000 };

struct handshakes {
    pthread_mutex_t lock;
    pthread_cond_t none_left;
    size_t live; /* guarded by lock */
};

struct handshake {
    struct handshakes *all;
    struct http_call *call;
    int fd; /* our end of the pair; -1 once handed over */
    struct loop_io *io;
    struct loop_timer *timer;
    struct http_headers headers;
};

struct handshakes *handshakes_new(void)
{
    struct handshakes *hs = must_calloc(1, sizeof(*hs));
    pthread_condattr_t attr;

    must(pthread_mutex_init(&hs->lock, NULL) == 0);
    must(pthread_condattr_init(&attr) == 0);
    must(pthread_condattr_setclock(&attr, CLOCK_MONOTONIC) == 0);
    must(pthread_cond_init(&hs->none_left, &attr) == 0);
    (void)pthread_condattr_destroy(&attr);
    return hs;
}

static void count(struct handshakes *hs, int by)
{
    pthread_mutex_lock(&hs->lock);
    hs->live += (size_t)by;
    if (hs->live == 0)
        pthread_cond_signal(&hs->none_left);
    pthread_mutex_unlock(&hs->lock);
}

void handshakes_wait(struct handshakes *hs, int64_t ms)
{
    struct timespec until;

    must(clock_gettime(CLOCK_MONOTONIC, &until) == 0);
    until.tv_sec += ms / 1000 + 1;
    pthread_mutex_lock(&hs->lock);
    while (hs->live > 0 && pthread_cond_timedwait(&hs->none_left, &hs->lock, &until) == 0) {
    }
    pthread_mutex_unlock(&hs->lock);
}

void handshakes_free(struct handshakes *hs)
{
    if (!hs)
        return;
    pthread_cond_destroy(&hs->none_left);
    pthread_mutex_destroy(&hs->lock);
    free(hs);
}

char *handshake_request(const char *key, bool wants_protocol)
{
    return must_asprintf(
        "GET / HTTP/1.1\r\nHost: qemu\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: %s\r\n%s%s%s\r\n",
        key, wants_protocol ? "Sec-WebSocket-Protocol: " : "", wants_protocol ? protocol : "",
        wants_protocol ? "\r\n" : "");
}

static bool key_is_valid(const char *key)
{
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=";

    return key && strlen(key) == KEY_LEN && strspn(key, alphabet) == KEY_LEN;
}

bool handshake_is_wanted(const struct http_call *c)
{
    const struct http_headers *h = http_call_headers(c);

    return http_headers_has_token(h, "Connection", "upgrade") &&
           http_headers_has_token(h, "Upgrade", "websocket") &&
           streq(http_headers_get(h, "Sec-WebSocket-Version"), "13") &&
           key_is_valid(http_headers_get(h, "Sec-WebSocket-Key"));
}

static void handshake_free(struct handshake *h)
{
    loop_io_free(h->io);
    loop_timer_free(h->timer);
    if (h->fd >= 0)
        (void)close(h->fd);
    http_headers_done(&h->headers);
    free(h);
}

static void on_relay_done(void *arg)
{
    count(arg, -1);
}

static void fail(struct handshake *h, const char *why)
{
    struct error e;

    error_set(&e, ERR_INTERNAL, "websocket handshake: %s", why);
    http_reply(h->call, 500, "text/plain", e.msg, strlen(e.msg));
    count(h->all, -1);
    handshake_free(h);
}

static void on_timeout(void *arg)
{
    fail(arg, "no answer in time");
}

/* The client's connection is ours now: join it to the websocket thread's. */
static void on_taken(struct stream *client, void *arg)
{
    struct handshake *h = arg;

    if (client) {
        struct stream *inner = stream_from_fd(stream_loop(client), TAKE_FD(h->fd));

        (void)relay_start(client, inner, on_relay_done, h->all);
    } else {
        count(h->all, -1); /* it left first; closing our end tells the websocket thread */
    }
    handshake_free(h);
}

static bool read_head(struct handshake *h, char *head)
{
    char *line_state = NULL;
    const char *status = strtok_r(head, "\r\n", &line_state);

    if (!status || strncmp(status, "HTTP/1.1 101 ", 13) != 0)
        return false;
    for (char *line = strtok_r(NULL, "\r\n", &line_state); line;
         line = strtok_r(NULL, "\r\n", &line_state)) {
        char *colon = strchr(line, ':');

        if (!colon || strncasecmp(line, "Sec-WebSocket-", 14) != 0)
            continue;
        *colon = '\0';
        (void)http_headers_add(&h->headers, line, colon + 1 + strspn(colon + 1, " "));
    }
    return http_headers_get(&h->headers, "Sec-WebSocket-Accept") != NULL;
}

static void on_readable(struct loop_io *io, int events, void *arg)
{
    struct handshake *h = arg;
    char head[HEAD_MAX + 1];
    /* Looked at first: what follows the head belongs to the stream and stays in the socket. */
    ssize_t n = recv(h->fd, head, HEAD_MAX, MSG_PEEK);

    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    const char *end = n > 0 ? memmem(head, (size_t)n, "\r\n\r\n", 4) : NULL;
    if (!end && n > 0 && n < HEAD_MAX)
        return;
    if (!end) {
        fail(h, "refused");
        return;
    }
    n = recv(h->fd, head, (size_t)(end + 4 - head), 0);
    head[n < 0 ? 0 : n] = '\0';
    if (!read_head(h, head)) {
        fail(h, "refused");
        return;
    }
    loop_io_free(TAKE(h->io));
    loop_timer_free(TAKE(h->timer));
    http_upgrade(h->call, &h->headers, on_taken, h);
}

void handshake_start(struct handshakes *hs, struct http_call *c, struct ws_session *session,
                     int guest_fd)
{
    const struct http_headers *headers = http_call_headers(c);
    bool wants_protocol = http_headers_has_token(headers, "Sec-WebSocket-Protocol", protocol);
    scoped(free) char *request =
        handshake_request(http_headers_get(headers, "Sec-WebSocket-Key"), wants_protocol);
    struct handshake *h = must_calloc(1, sizeof(*h));
    int pair[2];

    h->all = hs;
    h->call = c;
    count(hs, 1);
    h->fd = -1;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) < 0) {
        if (guest_fd >= 0)
            (void)close(guest_fd);
        ws_session_drop(session);
        fail(h, strerror(errno));
        return;
    }
    h->fd = pair[0];
    /* A fresh socket's buffer takes a request of this size whole. */
    bool is_sent = send(h->fd, request, strlen(request), MSG_NOSIGNAL) == (ssize_t)strlen(request);
    ws_session_begin(session, pair[1], guest_fd);
    if (!is_sent) {
        fail(h, "not sent");
        return;
    }
    h->timer = loop_timer_new(http_call_loop(c), HANDSHAKE_MS, on_timeout, h);
    h->io = loop_io_new(http_call_loop(c), h->fd, LOOP_READ, on_readable, h);
}
