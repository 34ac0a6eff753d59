/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An API server whose streams lead to small guests, for tests of clients.  What a stream does is
 * told by the last words of its path; each has a thread that plays the guest.
 */
#ifndef TEST_UNIT_STREAM_API_H
#define TEST_UNIT_STREAM_API_H

#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/loop.h"
#include "base/must.h"
#include "base/scope.h"
#include "base/str.h"
#include "http/mux.h"
#include "http/server.h"
#include "http/wsock.h"

enum { GUESTS_MAX = 256, FLOOD_BYTES = 64 * 1024 * 1024 };

typedef void guest_fn(int fd);

static inline void guest_echo(int fd)
{
    char data[65536];
    ssize_t n;

    while ((n = read(fd, data, sizeof(data))) > 0)
        if (write(fd, data, (size_t)n) != n)
            break;
}

/* Answers late, when the client has long ended its own side. */
static inline void guest_late(int fd)
{
    char data[256];
    ssize_t n = read(fd, data, sizeof(data));

    (void)usleep(500 * 1000);
    if (n > 0)
        must(dprintf(fd, "late %.*s", (int)n, data) > 0);
}

static inline unsigned char flood_byte(size_t i)
{
    return (unsigned char)(i * 131 + (i >> 11));
}

static inline void guest_flood(int fd)
{
    static unsigned char data[64 * 1024];

    for (size_t at = 0; at < FLOOD_BYTES; at += sizeof(data)) {
        for (size_t i = 0; i < sizeof(data); i++)
            data[i] = flood_byte(at + i);
        for (size_t done = 0; done < sizeof(data);) {
            ssize_t n = write(fd, data + done, sizeof(data) - done);

            if (n <= 0)
                return;
            done += (size_t)n;
        }
    }
}

static const struct guest_kind {
    const char *in_path; /* part of it */
    guest_fn *fn;        /* NULL: the server says good-bye at once */
    bool is_datagrams;
    bool is_mux; /* a channel's guest is fn; each third one is refused */
} guest_kinds[] = {
    { "/portforward/7/tcp", .fn = guest_echo },
    { "/portforward/7/udp", .fn = guest_echo, .is_datagrams = true },
    { "/portforward/8/tcp", .fn = guest_late },
    { "/echo/console", .fn = guest_echo },
    { "/flood/console", .fn = guest_flood },
    { "/leaving/console", .fn = NULL },
    { "/echo/vnc", .fn = guest_echo },
    { "/portforward/6/tcp", .fn = guest_echo, .is_mux = true },
    { "/taken/console", .fn = NULL },
};

struct guest {
    struct stream_api *api;
    const struct guest_kind *kind;
    int fd, inner;
    pthread_t thread;
    struct wsock *wsock;
    struct loop *loop;
    int channels; /* that were asked for */
};

struct stream_api {
    struct http_server *server;
    char url[64];
    char last[1024];      /* request line of the last stream, with its Authorization */
    pthread_mutex_t lock; /* over last */
    atomic_int asked, streams_open;
    atomic_bool wants_token; /* 401 but for "Bearer good" */
    struct guest guests[GUESTS_MAX];
    atomic_size_t guests_len;
};

static inline void *guest_run(void *arg)
{
    struct guest *g = arg;

    if (g->kind->fn)
        g->kind->fn(g->fd);
    (void)shutdown(g->fd, SHUT_RDWR);
    return NULL;
}

static inline void guest_ended(void *arg)
{
    struct stream_api *a = arg;

    a->streams_open--;
}

static inline void *channel_run(void *arg)
{
    int fd = (int)(intptr_t)arg;

    guest_echo(fd);
    (void)close(fd);
    return NULL;
}

static inline void channel_asked(struct mux_channel *c, void *arg)
{
    struct guest *g = arg;
    pthread_t thread;
    int pair[2];

    if (++g->channels % 3 == 0) {
        mux_refuse(c, "nothing listens there");
        return;
    }
    must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0);
    must(fcntl(pair[1], F_SETFL, O_NONBLOCK) == 0);
    must(pthread_create(&thread, NULL, channel_run, (void *)(intptr_t)pair[0]) == 0);
    must(pthread_detach(thread) == 0);
    mux_accept(c, stream_from_fd(g->loop, pair[1]), false);
}

static inline void channel_closed(struct mux_channel *c, const char *why, void *arg)
{
}

static inline void mux_is_over(struct mux *m, const char *why, void *arg)
{
    mux_free(m);
}

static inline int guest_channels(struct guest *g)
{
    static const struct mux_handlers handlers = { channel_asked, channel_closed, mux_is_over };
    int pair[2];

    must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) == 0);
    (void)mux_start(stream_from_fd(g->loop, pair[0]), &handlers, g);
    return pair[1];
}

static inline void guest_taken(struct stream *s, void *arg)
{
    struct guest *g = arg;
    struct stream_api *a = g->api;
    struct wsock_options o = { .is_datagrams = g->kind->is_datagrams };

    must(s);
    a->streams_open++;
    g->loop = stream_loop(s);
    int inner = g->kind->is_mux ? guest_channels(g) : g->inner;
    if (g->kind->is_mux)
        (void)close(g->inner);
    g->wsock = wsock_start(s, stream_from_fd(g->loop, inner), &o, guest_ended, a);
    if (strstr(g->kind->in_path, "taken"))
        wsock_say_goodbye(g->wsock, 1000, "taken over by a new session");
    else if (!g->kind->fn)
        wsock_say_goodbye(g->wsock, 1001, "the node is going away");
}

static inline void api_upgrade(struct stream_api *a, struct http_call *c,
                               const struct guest_kind *kind)
{
    struct http_headers headers = { 0 };
    char accept[WS_ACCEPT_MAX];
    struct error e;
    int pair[2];

    must(a->guests_len < GUESTS_MAX && wsock_accept(http_call_headers(c), accept, &e));
    must(socketpair(AF_UNIX, (kind->is_datagrams ? SOCK_DGRAM : SOCK_STREAM) | SOCK_CLOEXEC, 0,
                    pair) == 0);
    must(fcntl(pair[1], F_SETFL, O_NONBLOCK) == 0);
    struct guest *g = &a->guests[a->guests_len++];
    *g = (struct guest){ .api = a, .kind = kind, .fd = pair[0], .inner = pair[1] };
    must(pthread_create(&g->thread, NULL, guest_run, g) == 0);
    (void)http_headers_add(&headers, "Sec-WebSocket-Accept", accept);
    must(!kind->is_mux ||
         http_headers_has_token(http_call_headers(c), "Sec-WebSocket-Protocol", MUX_PROTOCOL));
    (void)http_headers_add(&headers, "Sec-WebSocket-Protocol",
                           kind->is_mux ? MUX_PROTOCOL : "plain.kubevirt.io");
    http_upgrade(c, &headers, guest_taken, g);
    http_headers_done(&headers);
}

static inline void api_refuse(struct http_call *c, enum error_code code, const char *words)
{
    struct error e;

    (void)error_set(&e, code, "%s", words);
    http_reply_error(c, &e, NULL);
}

static inline void api_serve(struct http_call *c, void *ctx)
{
    struct stream_api *a = ctx;
    const char *authorization = http_call_header(c, "Authorization");
    const char *as = http_call_header(c, "Impersonate-User");
    bool is_upgrade = http_headers_has_token(http_call_headers(c), "Connection", "upgrade");

    a->asked++;
    pthread_mutex_lock(&a->lock);
    if (is_upgrade || a->last[0] == '\0')
        (void)snprintf(a->last, sizeof(a->last), "%s?%s authorization=%s as=%s", http_call_path(c),
                       http_call_query_string(c), authorization ? authorization : "", as ? as : "");
    pthread_mutex_unlock(&a->lock);
    if (a->wants_token && !streq(authorization, "Bearer good")) {
        api_refuse(c, ERR_UNAUTHORIZED, "Unauthorized");
        return;
    }
    for (size_t i = 0; i < countof(guest_kinds) && is_upgrade; i++)
        if (strstr(http_call_path(c), guest_kinds[i].in_path)) {
            api_upgrade(a, c, &guest_kinds[i]);
            return;
        }
    if (is_upgrade) {
        api_refuse(c, ERR_NOT_FOUND, "nothing listens there");
    } else {
        scoped(free) char *seen =
            must_asprintf("{\"path\":\"%s\",\"authorization\":\"%s\"}", http_call_path(c),
                          authorization ? authorization : "");
        http_reply(c, 200, "application/json", seen, strlen(seen));
    }
}

static inline void stream_api_start(struct stream_api *a)
{
    struct http_server_options o = { .name = "api", .address = "127.0.0.1", .handler = api_serve };
    struct error e = { 0 };

    o.ctx = a;
    must(pthread_mutex_init(&a->lock, NULL) == 0);
    must(http_server_start(&a->server, &o, &e) == 0);
    (void)snprintf(a->url, sizeof(a->url), "http://127.0.0.1:%d", http_server_port(a->server));
}

static inline bool stream_api_is_idle(void *ctx)
{
    return ((struct stream_api *)ctx)->streams_open == 0;
}

/* All clients have gone. */
static inline void stream_api_stop(struct stream_api *a)
{
    for (int i = 0; i < 3000 && !stream_api_is_idle(a); i++)
        (void)usleep(10 * 1000);
    must(stream_api_is_idle(a));
    for (size_t i = 0; i < a->guests_len; i++) {
        (void)shutdown(a->guests[i].fd, SHUT_RDWR);
        (void)pthread_join(a->guests[i].thread, NULL);
        (void)close(a->guests[i].fd);
    }
    http_server_free(a->server);
}

/* What the last stream was asked with; copied. */
static inline void stream_api_last(struct stream_api *a, char out[1024])
{
    pthread_mutex_lock(&a->lock);
    memcpy(out, a->last, sizeof(a->last));
    a->last[0] = '\0';
    pthread_mutex_unlock(&a->lock);
}

#endif
