/* SPDX-License-Identifier: Apache-2.0 */
/* Plain and TLS byte streams behind one face. */
#include "http/stream.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/must.h"
#include "base/scope.h"
#include "http/stream_internal.h"

enum {
    SILENT_S = 10, /* then the peer's host is asked whether it is there */
    ASK_AGAIN_S = 5,
    ASK_TIMES = 4,
    UNSENT_MAX = 128 * 1024,   /* bytes in the kernel beyond what is on its way */
    RECEIVED_MAX = 256 * 1024, /* and that have arrived */
};

struct stream {
    struct loop *loop;
    struct loop_io *io;
    struct loop_timer *kick; /* made when read-ahead bytes must be announced */
    int fd;
    struct tls_conn *tls; /* owns fd when set */
    char *early;          /* read before this was a stream */
    size_t early_len;
    size_t early_off;
    int wanted;  /* by the user */
    int watched; /* what io is set to */
    bool is_more_coming;
    stream_fn *fn;
    void *arg;
};

static void on_io(struct loop_io *io, int events, void *arg);

void stream_put_back(struct stream *s, const void *data, size_t len)
{
    if (len == 0)
        return;
    must(!s->early);
    s->early = must_malloc(len);
    memcpy(s->early, data, len);
    s->early_len = len;
    s->early_off = 0;
}

static struct stream *make(struct loop *l, int fd, struct tls_conn *t, const void *early,
                           size_t early_len)
{
    struct stream *s = must_calloc(1, sizeof(*s));

    *s = (struct stream){ .loop = l, .fd = fd, .tls = t };
    stream_put_back(s, early, early_len);
    return s;
}

struct stream *stream_from_tls(struct loop *l, struct tls_conn *t, const void *early,
                               size_t early_len)
{
    return make(l, tls_conn_fd(t), t, early, early_len);
}

struct stream *stream_from_fd_early(struct loop *l, int fd, const void *early, size_t early_len)
{
    return make(l, fd, NULL, early, early_len);
}

struct stream *stream_from_fd(struct loop *l, int fd)
{
    return make(l, fd, NULL, NULL, 0);
}

void stream_tune(struct stream *s)
{
    static const struct {
        int level, name, value;
    } options[] = {
        { IPPROTO_TCP, TCP_NODELAY, 1 },         { SOL_SOCKET, SO_KEEPALIVE, 1 },
        { IPPROTO_TCP, TCP_KEEPIDLE, SILENT_S }, { IPPROTO_TCP, TCP_KEEPINTVL, ASK_AGAIN_S },
        { IPPROTO_TCP, TCP_KEEPCNT, ASK_TIMES }, { IPPROTO_TCP, TCP_NOTSENT_LOWAT, UNSENT_MAX },
        { SOL_SOCKET, SO_RCVBUF, RECEIVED_MAX },
    };

    for (size_t i = 0; i < countof(options); i++)
        (void)setsockopt(s->fd, options[i].level, options[i].name, &options[i].value,
                         sizeof(options[i].value)); /* refused on what is not TCP */
}

/*
 * TCP_USER_TIMEOUT would also end a connection whose living peer does not read for that long: the
 * kernel counts a closed window as unanswered.  With a closed window nothing is on its way, though.
 */
int64_t stream_silent_ms(const struct stream *s)
{
    struct tcp_info info = { 0 };
    socklen_t len = sizeof(info);

    if (getsockopt(s->fd, IPPROTO_TCP, TCP_INFO, &info, &len) < 0 || info.tcpi_unacked == 0)
        return 0;
    return info.tcpi_last_ack_recv > 0 ? info.tcpi_last_ack_recv : 1;
}

struct loop *stream_loop(const struct stream *s)
{
    return s->loop;
}

/* ---- bytes ---- */

static ssize_t io_result(ssize_t n)
{
    if (n >= 0)
        return n;
    return errno == EAGAIN || errno == EWOULDBLOCK ? STREAM_AGAIN : STREAM_FAILED;
}

static ssize_t read_early(struct stream *s, void *data, size_t len)
{
    size_t left = s->early_len - s->early_off;
    size_t n = len < left ? len : left;

    memcpy(data, s->early + s->early_off, n);
    s->early_off += n;
    if (s->early_off == s->early_len) {
        free(s->early);
        s->early = NULL;
    }
    return (ssize_t)n;
}

ssize_t stream_read(struct stream *s, void *data, size_t len)
{
    ssize_t n;

    if (s->early)
        return read_early(s, data, len);
    if (s->tls)
        return tls_conn_read(s->tls, data, len);
    do
        n = recv(s->fd, data, len, 0);
    while (n < 0 && errno == EINTR);
    return io_result(n);
}

ssize_t stream_write(struct stream *s, const void *data, size_t len)
{
    ssize_t n;

    if (s->tls)
        return tls_conn_write(s->tls, data, len);
    do
        n = send(s->fd, data, len, MSG_NOSIGNAL | (s->is_more_coming ? MSG_MORE : 0));
    while (n < 0 && errno == EINTR);
    return io_result(n);
}

void stream_expect_more(struct stream *s, bool is_more_coming)
{
    s->is_more_coming = is_more_coming;
    if (s->tls)
        tls_conn_expect_more(s->tls, is_more_coming);
}

void stream_push(struct stream *s)
{
    const int on = 1;

    if (!s->is_more_coming)
        return;
    stream_expect_more(s, false);
    (void)setsockopt(s->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

int stream_flush(struct stream *s)
{
    return s->tls ? tls_conn_flush(s->tls) : 1;
}

bool stream_has_read_ahead(const struct stream *s)
{
    return s->early || (s->tls && tls_conn_has_read_ahead(s->tls));
}

/* ---- events ---- */

static bool has_unsent(const struct stream *s)
{
    return s->tls && tls_conn_has_unsent(s->tls);
}

static void watch(struct stream *s)
{
    int events = s->wanted | (has_unsent(s) ? LOOP_WRITE : 0);

    if (!s->io && events)
        s->io = loop_io_new(s->loop, s->fd, events, on_io, s);
    else if (s->io && events != s->watched)
        loop_io_set(s->io, events);
    s->watched = events;
}

static void on_kick(void *arg)
{
    struct stream *s = arg;

    if ((s->wanted & LOOP_READ) && stream_has_read_ahead(s))
        s->fn(s, LOOP_READ, s->arg);
}

static void on_io(struct loop_io *io, int events, void *arg)
{
    struct stream *s = arg;

    if ((events & LOOP_WRITE) && has_unsent(s)) {
        if (stream_flush(s) == STREAM_AGAIN)
            events &= ~LOOP_WRITE;
        watch(s);
    }
    if (events & s->wanted)
        s->fn(s, events & s->wanted, s->arg);
}

void stream_want(struct stream *s, int events, stream_fn *fn, void *arg)
{
    s->wanted = events;
    s->fn = fn;
    s->arg = arg;
    watch(s);
    if (!(events & LOOP_READ) || !stream_has_read_ahead(s))
        return;
    if (s->kick)
        loop_timer_set(s->kick, 0);
    else
        s->kick = loop_timer_new(s->loop, 0, on_kick, s);
}

static void forget_events(struct stream *s)
{
    loop_io_free(s->io);
    loop_timer_free(s->kick);
    s->io = NULL;
    s->kick = NULL;
    s->watched = 0;
}

void stream_move(struct stream *s, struct loop *to)
{
    forget_events(s);
    s->wanted = 0;
    if (s->tls)
        tls_conn_detach_thread(s->tls);
    s->loop = to;
}

void stream_shutdown(struct stream *s)
{
    if (s->tls)
        tls_conn_shutdown(s->tls);
    else
        (void)shutdown(s->fd, SHUT_WR);
}

void stream_close(struct stream *s)
{
    if (!s)
        return;
    forget_events(s);
    if (s->tls) {
        (void)tls_conn_flush(s->tls);
        tls_conn_shutdown(s->tls);
        tls_conn_free(s->tls);
    } else {
        (void)close(s->fd);
    }
    free(s->early);
    free(s);
}
