/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Frames are not looked at: the browser masked them and checks the answer's key itself.  The
 * browser's side is a stream on the server's loop, joined to this thread by a socket pair.
 */
#include "cli/browser_stream.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>

#include "base/buf.h"
#include "base/must.h"
#include "base/scope.h"
#include "base/str.h"
#include "http/server.h"
#include "http/tunnel.h"
#include "kube/client.h"
#include "kube/config.h"

enum { CHUNK = 64 * 1024 };

struct way {
    char data[CHUNK];
    size_t len, at; /* read, and handed on */
};

struct pump {
    struct http_tunnel *tunnel;
    int fd;
    struct way up, down; /* to the server, to the browser */
    bool is_over;
};

static void note(struct pump *p, struct way *w, ssize_t n, bool is_write)
{
    if (n == TUNNEL_AGAIN)
        return;
    if (n <= 0)
        p->is_over = true;
    else if (is_write)
        w->at += (size_t)n;
    else
        w->len = (size_t)n;
    if (w->at == w->len)
        w->at = w->len = 0;
    else if (!is_write && n > 0)
        w->at = 0;
}

static ssize_t of_socket(ssize_t n)
{
    return n < 0 ? errno == EAGAIN || errno == EINTR ? TUNNEL_AGAIN : TUNNEL_FAILED : n;
}

/* Whatever can move now, moves once.  True when something did. */
static bool turn(struct pump *p)
{
    size_t before = p->up.len + p->up.at + p->down.len + p->down.at;

    if (p->up.len == 0)
        note(p, &p->up, of_socket(recv(p->fd, p->up.data, CHUNK, MSG_DONTWAIT)), false);
    if (p->up.len > 0)
        note(p, &p->up, http_tunnel_write(p->tunnel, p->up.data + p->up.at, p->up.len - p->up.at),
             true);
    bool moved = before != p->up.len + p->up.at + p->down.len + p->down.at;
    if (p->down.len == 0) {
        note(p, &p->down, http_tunnel_read(p->tunnel, p->down.data, CHUNK), false);
        moved |= p->down.len > 0;
    }
    if (p->down.len > 0) {
        ssize_t n = of_socket(send(p->fd, p->down.data + p->down.at, p->down.len - p->down.at,
                                   MSG_DONTWAIT | MSG_NOSIGNAL));
        note(p, &p->down, n, true);
        moved |= n > 0;
    }
    return moved;
}

static void pump(struct http_tunnel *tunnel, int fd)
{
    struct pump *p = must_calloc(1, sizeof(*p));

    p->tunnel = tunnel;
    p->fd = fd;
    while (!p->is_over) {
        if (turn(p))
            continue;
        struct pollfd both[] = {
            { .fd = fd, .events = (short)(p->up.len == 0 ? POLLIN : 0) },
            { .fd = http_tunnel_fd(tunnel), .events = (short)(p->down.len == 0 ? POLLIN : 0) },
        };

        both[0].events |= (short)(p->down.len > 0 ? POLLOUT : 0);
        both[1].events |= (short)(p->up.len > 0 ? POLLOUT : 0);
        (void)poll(both, countof(both), -1);
    }
    free(p);
}

static void relay_ended(void *arg)
{
}

/* The server's side has the other end of the pair: closing both ends this stream's thread too. */
static void taken(struct stream *s, void *arg)
{
    int fd = (int)(intptr_t)arg;

    if (!s) {
        (void)close(fd);
        return;
    }
    struct stream *ours = stream_from_fd(stream_loop(s), fd);
    (void)relay_start(s, ours, relay_ended, NULL);
}

static void copy_headers(struct http_headers *to, const struct http_headers *from,
                         const char *const names[], size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const char *value = http_headers_get(from, names[i]);

        if (value)
            (void)http_headers_add(to, names[i], value);
    }
}

static int open_tunnel(struct http_tunnel **ret, struct cli *c, const struct http_call *call,
                       const char *path, struct http_response *answer, struct error *e)
{
    static const char *const passed[] = { "Sec-WebSocket-Key", "Sec-WebSocket-Version",
                                          "Sec-WebSocket-Protocol" };
    scoped(http_tunnel_close) struct http_tunnel *t = NULL;
    struct http_headers headers = { 0 };
    int r = http_tunnel_open(&t, kube_peek_http(c->kube), e);

    (void)http_headers_add(&headers, "Connection", "Upgrade");
    (void)http_headers_add(&headers, "Upgrade", "websocket");
    copy_headers(&headers, http_call_headers(call), passed, countof(passed));
    if (r == 0)
        r = http_tunnel_ask(t, path, &headers, answer, e);
    http_headers_done(&headers);
    if (r == 0)
        *ret = TAKE(t);
    return r;
}

/* 101 to the browser, then bytes until one side ends. */
static void join(struct http_call *call, struct http_tunnel *t, const struct http_response *answer)
{
    static const char *const passed[] = { "Sec-WebSocket-Accept", "Sec-WebSocket-Protocol" };
    struct http_headers headers = { 0 };
    int pair[2];

    must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) == 0);
    copy_headers(&headers, &answer->headers, passed, countof(passed));
    http_upgrade(call, &headers, taken, (void *)(intptr_t)pair[1]);
    http_headers_done(&headers);
    pump(t, pair[0]);
    (void)close(pair[0]);
}

void browser_stream(struct cli *c, struct http_call *call, const char *path)
{
    scoped(http_tunnel_close) struct http_tunnel *t = NULL;
    struct http_response answer = { 0 };
    struct error e;
    int r = open_tunnel(&t, c, call, path, &answer, &e);

    if (r == 0 && answer.status == 401 && kube_config_distrust(c->config)) {
        http_response_done(&answer);
        http_tunnel_close(TAKE(t));
        r = open_tunnel(&t, c, call, path, &answer, &e);
    }
    if (r < 0)
        http_reply_error(call, &e, NULL);
    else if (answer.status == 101)
        join(call, t, &answer);
    else
        http_reply(call, answer.status, http_headers_get(&answer.headers, "Content-Type"),
                   answer.body.data, answer.body.len);
    http_response_done(&answer);
}
