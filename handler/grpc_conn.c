/* SPDX-License-Identifier: Apache-2.0 */
/* Moving an HTTP/2 session's bytes. */
#include "handler/grpc_conn.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/must.h"

enum { READ_BYTES = 16 * 1024, READS_A_TURN = 8 };

struct grpc_conn {
    struct loop_io *io;
    int fd;
    nghttp2_session *session;
    struct buf rest; /* what the socket did not take */
    bool is_busy;    /* inside pump: flush would re-enter the session */
    bool is_ended;
    grpc_conn_ended_fn *ended;
    void *ctx;
};

void grpc_frame_add(struct buf *out, const void *message, size_t len)
{
    const unsigned char prefix[GRPC_PREFIX_LEN] = {
        0,
        (unsigned char)(len >> 24),
        (unsigned char)(len >> 16),
        (unsigned char)(len >> 8),
        (unsigned char)len,
    };

    buf_add(out, prefix, sizeof(prefix));
    buf_add(out, message, len);
}

int grpc_frame_read(const struct buf *in, const void **ret_message, size_t *ret_len)
{
    const unsigned char *p = (const unsigned char *)in->data;

    if (in->len < GRPC_PREFIX_LEN)
        return 0;
    size_t len = (size_t)p[1] << 24 | (size_t)p[2] << 16 | (size_t)p[3] << 8 | p[4];
    if (p[0] != 0 || len > GRPC_MESSAGE_MAX)
        return -1;
    if (in->len - GRPC_PREFIX_LEN < len)
        return 0;
    *ret_message = p + GRPC_PREFIX_LEN;
    *ret_len = len;
    return 1;
}

nghttp2_nv grpc_header(const char *name, const char *value)
{
    return (nghttp2_nv){ .name = (uint8_t *)name,
                         .value = (uint8_t *)value,
                         .namelen = strlen(name),
                         .valuelen = strlen(value) };
}

size_t grpc_take(struct buf *out, uint8_t *into, size_t len)
{
    size_t n = out->len < len ? out->len : len;

    memcpy(into, out->data, n);
    buf_consume(out, n);
    return n;
}

/* true while the socket took everything */
static bool send_bytes(struct grpc_conn *c, const uint8_t *data, size_t len)
{
    ssize_t n = send(c->fd, data, len, MSG_NOSIGNAL);

    if (n < 0 && errno != EAGAIN && errno != EINTR) {
        c->is_ended = true;
        return false;
    }
    size_t sent = n < 0 ? 0 : (size_t)n;
    if (sent < len)
        buf_add(&c->rest, data + sent, len - sent);
    return sent == len;
}

static bool send_rest(struct grpc_conn *c)
{
    if (c->rest.len == 0)
        return true;
    ssize_t n = send(c->fd, c->rest.data, c->rest.len, MSG_NOSIGNAL);
    if (n < 0 && errno != EAGAIN && errno != EINTR)
        c->is_ended = true;
    if (n > 0)
        buf_consume(&c->rest, (size_t)n);
    return c->rest.len == 0;
}

static void send_all(struct grpc_conn *c)
{
    bool goes_on = send_rest(c);

    while (goes_on && !c->is_ended) {
        const uint8_t *data = NULL;
        ssize_t n = nghttp2_session_mem_send(c->session, &data);

        if (n < 0)
            c->is_ended = true;
        if (n <= 0)
            break;
        goes_on = send_bytes(c, data, (size_t)n);
    }
}

static void receive(struct grpc_conn *c)
{
    uint8_t data[READ_BYTES];

    for (int i = 0; i < READS_A_TURN && !c->is_ended; i++) {
        ssize_t n = recv(c->fd, data, sizeof(data), 0);

        if (n < 0 && (errno == EAGAIN || errno == EINTR))
            return;
        if (n <= 0 || nghttp2_session_mem_recv(c->session, data, (size_t)n) < 0)
            c->is_ended = true;
    }
}

static void after_turn(struct grpc_conn *c)
{
    if (!nghttp2_session_want_read(c->session) && !nghttp2_session_want_write(c->session) &&
        c->rest.len == 0)
        c->is_ended = true;
    if (!c->is_ended) {
        loop_io_set(c->io, LOOP_READ | (c->rest.len > 0 ? LOOP_WRITE : 0));
        return;
    }
    loop_io_set(c->io, 0);
    c->ended(c->ctx); /* may free c */
}

static void pump(struct loop_io *io, int events, void *arg)
{
    struct grpc_conn *c = arg;

    (void)io;
    c->is_busy = true;
    if (events & (LOOP_READ | LOOP_HANGUP))
        receive(c);
    send_all(c);
    c->is_busy = false;
    after_turn(c);
}

void grpc_conn_flush(struct grpc_conn *c)
{
    if (c->is_busy || c->is_ended)
        return;
    c->is_busy = true;
    send_all(c);
    c->is_busy = false;
    /* An end that is found here is reported by the loop: the caller still holds the connection. */
    loop_io_set(c->io, LOOP_READ | (c->rest.len > 0 || c->is_ended ? LOOP_WRITE : 0));
}

struct grpc_conn *grpc_conn_new(struct loop *l, int fd, nghttp2_session *session,
                                grpc_conn_ended_fn *ended, void *ctx)
{
    struct grpc_conn *c = must_calloc(1, sizeof(*c));

    c->fd = fd;
    c->session = session;
    c->ended = ended;
    c->ctx = ctx;
    c->rest = BUF_INIT(0); /* at most one frame of the session's own making */
    c->io = loop_io_new(l, fd, LOOP_READ | LOOP_WRITE, pump, c);
    return c;
}

void grpc_conn_free(struct grpc_conn *c)
{
    if (!c)
        return;
    loop_io_free(c->io);
    nghttp2_session_del(c->session);
    (void)close(c->fd);
    buf_done(&c->rest);
    free(c);
}
