/* SPDX-License-Identifier: Apache-2.0 */
/* gRPC over HTTP/2 on a unix socket, the serving side. */
#include "handler/grpc_server.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/must.h"
#include "base/scope.h"
#include "base/str.h"
#include "handler/grpc_conn.h"

enum { CONNECTIONS_MAX = 16, BACKLOG = 16, PATH_MAX_LEN = 256 };

struct connection;

struct grpc_stream {
    struct connection *connection;
    int32_t id;
    char path[PATH_MAX_LEN];
    struct buf in, out;
    const struct grpc_method *method;
    enum grpc_status status;
    bool is_answered; /* response headers are submitted */
    bool is_last;     /* nothing follows what is in out: trailers */
    struct grpc_stream *next;
};

struct connection {
    struct grpc_server *server;
    struct grpc_conn *conn;
    nghttp2_session *session;
    struct grpc_stream *streams;
    struct connection *next;
};

struct grpc_server {
    struct loop *loop;
    int fd;
    struct loop_io *io;
    char *path;
    const struct grpc_method *methods;
    size_t method_count;
    void *ctx;
    struct connection *connections;
    size_t connection_count;
};

/* ---- answers ---- */

static ssize_t read_out(nghttp2_session *session, int32_t id, uint8_t *into, size_t len,
                        uint32_t *flags, nghttp2_data_source *source, void *user)
{
    struct grpc_stream *s = source->ptr;
    char status[12];

    (void)user;
    if (s->out.len > 0)
        return (ssize_t)grpc_take(&s->out, into, len);
    if (!s->is_last)
        return NGHTTP2_ERR_DEFERRED;
    (void)snprintf(status, sizeof(status), "%d", (int)s->status);
    const nghttp2_nv trailers[] = { grpc_header("grpc-status", status) };
    *flags |= NGHTTP2_DATA_FLAG_EOF | NGHTTP2_DATA_FLAG_NO_END_STREAM;
    return nghttp2_submit_trailer(session, id, trailers, countof(trailers)) == 0
               ? 0
               : NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
}

static void begin_answer(struct grpc_stream *s)
{
    const nghttp2_nv headers[] = {
        grpc_header(":status", "200"),
        grpc_header("content-type", "application/grpc"),
    };
    const nghttp2_data_provider body = { .source.ptr = s, .read_callback = read_out };

    s->is_answered = true;
    (void)nghttp2_submit_response(s->connection->session, s->id, headers, countof(headers), &body);
}

/* An answer that is only a status. */
static void refuse(struct grpc_stream *s, enum grpc_status status)
{
    char text[12];

    (void)snprintf(text, sizeof(text), "%d", (int)status);
    const nghttp2_nv headers[] = {
        grpc_header(":status", "200"),
        grpc_header("content-type", "application/grpc"),
        grpc_header("grpc-status", text),
    };
    s->is_answered = true;
    (void)nghttp2_submit_response(s->connection->session, s->id, headers, countof(headers), NULL);
}

void grpc_stream_send(struct grpc_stream *s, const void *message, size_t len)
{
    grpc_frame_add(&s->out, message, len);
    (void)nghttp2_session_resume_data(s->connection->session, s->id);
    grpc_conn_flush(s->connection->conn);
}

static void answer(struct grpc_stream *s)
{
    struct grpc_server *server = s->connection->server;
    const void *message = NULL;
    size_t len = 0;

    if (!s->method) {
        refuse(s, GRPC_UNIMPLEMENTED);
        return;
    }
    if (grpc_frame_read(&s->in, &message, &len) != 1) {
        refuse(s, GRPC_INVALID_ARGUMENT);
        return;
    }
    if (s->method->opened) {
        begin_answer(s);
        s->method->opened(s, server->ctx);
        return;
    }
    scoped_buf reply = BUF_INIT(GRPC_MESSAGE_MAX);
    enum grpc_status status = s->method->unary(message, len, &reply, server->ctx);
    if (status != GRPC_OK || reply.truncated) {
        refuse(s, status != GRPC_OK ? status : GRPC_RESOURCE_EXHAUSTED);
        return;
    }
    grpc_frame_add(&s->out, reply.data ? reply.data : "", reply.len);
    s->is_last = true;
    begin_answer(s);
}

/* ---- the session's callbacks ---- */

static struct grpc_stream *stream_of(nghttp2_session *session, int32_t id)
{
    return nghttp2_session_get_stream_user_data(session, id);
}

static int on_begin_headers(nghttp2_session *session, const nghttp2_frame *frame, void *user)
{
    struct connection *c = user;

    if (frame->hd.type != NGHTTP2_HEADERS || frame->headers.cat != NGHTTP2_HCAT_REQUEST)
        return 0;
    struct grpc_stream *s = must_calloc(1, sizeof(*s));
    s->connection = c;
    s->id = frame->hd.stream_id;
    s->in = BUF_INIT(GRPC_MESSAGE_MAX + GRPC_PREFIX_LEN);
    s->out = BUF_INIT(0);
    s->next = c->streams;
    c->streams = s;
    (void)nghttp2_session_set_stream_user_data(session, s->id, s);
    return 0;
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
                     size_t name_len, const uint8_t *value, size_t value_len, uint8_t flags,
                     void *user)
{
    struct grpc_stream *s = stream_of(session, frame->hd.stream_id);
    struct connection *c = user;

    if (!s || name_len != 5 || memcmp(name, ":path", 5) != 0 || value_len >= sizeof(s->path))
        return 0;
    memcpy(s->path, value, value_len);
    s->path[value_len] = '\0';
    for (size_t i = 0; i < c->server->method_count; i++) {
        if (streq(s->path, c->server->methods[i].path))
            s->method = &c->server->methods[i];
    }
    return 0;
}

static int on_data(nghttp2_session *session, uint8_t flags, int32_t id, const uint8_t *data,
                   size_t len, void *user)
{
    struct grpc_stream *s = stream_of(session, id);

    if (s && !buf_add(&s->in, data, len)) {
        (void)nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, id, NGHTTP2_CANCEL);
        buf_clear(&s->in);
    }
    return 0;
}

static int on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *user)
{
    bool may_end = frame->hd.type == NGHTTP2_DATA || frame->hd.type == NGHTTP2_HEADERS;
    struct grpc_stream *s = may_end ? stream_of(session, frame->hd.stream_id) : NULL;

    if (s && (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) && !s->is_answered)
        answer(s);
    return 0;
}

static void stream_free(struct grpc_stream *s)
{
    for (struct grpc_stream **p = &s->connection->streams; *p; p = &(*p)->next) {
        if (*p == s) {
            *p = s->next;
            break;
        }
    }
    buf_done(&s->in);
    buf_done(&s->out);
    free(s);
}

static int on_close(nghttp2_session *session, int32_t id, uint32_t code, void *user)
{
    struct grpc_stream *s = stream_of(session, id);

    if (s)
        stream_free(s);
    return 0;
}

static nghttp2_session *session_new(struct connection *c)
{
    static const nghttp2_settings_entry settings[] = {
        { NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, GRPC_STREAMS_MAX },
        { NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, 16 * 1024 },
    };
    nghttp2_session_callbacks *calls = NULL;
    nghttp2_session *session = NULL;

    must(nghttp2_session_callbacks_new(&calls) == 0);
    nghttp2_session_callbacks_set_on_begin_headers_callback(calls, on_begin_headers);
    nghttp2_session_callbacks_set_on_header_callback(calls, on_header);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(calls, on_data);
    nghttp2_session_callbacks_set_on_frame_recv_callback(calls, on_frame);
    nghttp2_session_callbacks_set_on_stream_close_callback(calls, on_close);
    must(nghttp2_session_server_new(&session, calls, c) == 0);
    nghttp2_session_callbacks_del(calls);
    must(nghttp2_submit_settings(session, NGHTTP2_FLAG_NONE, settings, countof(settings)) == 0);
    return session;
}

/* ---- connections ---- */

static void connection_free(struct connection *c)
{
    struct grpc_server *server = c->server;

    for (struct connection **p = &server->connections; *p; p = &(*p)->next) {
        if (*p == c) {
            *p = c->next;
            break;
        }
    }
    server->connection_count--;
    while (c->streams)
        stream_free(c->streams);
    grpc_conn_free(c->conn);
    free(c);
}

static void on_ended(void *ctx)
{
    connection_free(ctx);
}

static void on_accept(struct loop_io *io, int events, void *arg)
{
    struct grpc_server *server = arg;
    int fd = accept4(server->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

    if (fd < 0)
        return;
    if (server->connection_count >= CONNECTIONS_MAX) {
        (void)close(fd);
        return;
    }
    struct connection *c = must_calloc(1, sizeof(*c));
    c->server = server;
    c->session = session_new(c);
    c->conn = grpc_conn_new(server->loop, fd, c->session, on_ended, c);
    c->next = server->connections;
    server->connections = c;
    server->connection_count++;
}

static int listen_at(const char *path, struct error *e)
{
    struct sockaddr_un at = { .sun_family = AF_UNIX };
    scoped_fd int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (strlen(path) >= sizeof(at.sun_path))
        return error_set(e, ERR_INVALID, "socket path '%s' is too long", path);
    memcpy(at.sun_path, path, strlen(path) + 1);
    (void)unlink(path); /* of a process before this one */
    if (fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof(at)) < 0 || listen(fd, BACKLOG) < 0)
        return error_set(e, ERR_INTERNAL, "listen on '%s': %s", path, strerror(errno));
    return TAKE_FD(fd);
}

int grpc_server_start(struct grpc_server **ret, struct loop *l, const char *socket_path,
                      const struct grpc_method *methods, size_t count, void *ctx, struct error *e)
{
    int fd = listen_at(socket_path, e);

    if (fd < 0)
        return fd;
    struct grpc_server *s = must_calloc(1, sizeof(*s));
    s->loop = l;
    s->fd = fd;
    s->path = must_strdup(socket_path);
    s->methods = methods;
    s->method_count = count;
    s->ctx = ctx;
    s->io = loop_io_new(l, fd, LOOP_READ, on_accept, s);
    *ret = s;
    return 0;
}

void grpc_server_stop(struct grpc_server *s)
{
    if (!s)
        return;
    while (s->connections)
        connection_free(s->connections);
    loop_io_free(s->io);
    (void)close(s->fd);
    (void)unlink(s->path);
    free(s->path);
    free(s);
}

void grpc_server_broadcast(struct grpc_server *s, const void *message, size_t len)
{
    for (struct connection *c = s->connections; c; c = c->next) {
        for (struct grpc_stream *st = c->streams; st; st = st->next) {
            if (st->method && st->method->opened && st->is_answered)
                grpc_stream_send(st, message, len);
        }
    }
}

size_t grpc_server_streams(const struct grpc_server *s)
{
    size_t n = 0;

    for (const struct connection *c = s->connections; c; c = c->next) {
        for (const struct grpc_stream *st = c->streams; st; st = st->next)
            n += st->method && st->method->opened && st->is_answered;
    }
    return n;
}
