/* SPDX-License-Identifier: Apache-2.0 */
/* gRPC over HTTP/2 on a unix socket, the calling side. */
#include "handler/grpc_client.h"

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

enum { MESSAGE_TEXT_MAX = 300 };

struct grpc_call {
    struct loop *loop;
    struct grpc_conn *conn; /* NULL when it could not be made */
    struct loop_timer *timer;
    struct buf out;
    enum grpc_status status;
    bool has_status;
    char text[MESSAGE_TEXT_MAX];
    grpc_done_fn *done;
    void *arg;
};

void grpc_call_cancel(struct grpc_call *c)
{
    if (!c)
        return;
    loop_timer_free(c->timer);
    grpc_conn_free(c->conn);
    buf_done(&c->out);
    free(c);
}

static void finish(struct grpc_call *c, enum grpc_status status)
{
    grpc_done_fn *done = c->done;
    void *arg = c->arg;
    char text[MESSAGE_TEXT_MAX];

    (void)snprintf(text, sizeof(text), "%s", c->text);
    grpc_call_cancel(c);
    done(status, text, arg);
}

static void on_ended(void *ctx)
{
    struct grpc_call *c = ctx;

    finish(c, c->has_status ? c->status : GRPC_UNAVAILABLE);
}

/* The time is over, or the connection was refused at the start. */
static void on_timer(void *arg)
{
    struct grpc_call *c = arg;

    finish(c, c->conn ? GRPC_DEADLINE_EXCEEDED : GRPC_UNAVAILABLE);
}

static ssize_t read_out(nghttp2_session *session, int32_t id, uint8_t *into, size_t len,
                        uint32_t *flags, nghttp2_data_source *source, void *user)
{
    struct grpc_call *c = source->ptr;
    size_t n = grpc_take(&c->out, into, len);

    if (c->out.len == 0)
        *flags |= NGHTTP2_DATA_FLAG_EOF;
    return (ssize_t)n;
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
                     size_t name_len, const uint8_t *value, size_t value_len, uint8_t flags,
                     void *user)
{
    struct grpc_call *c = user;
    char text[MESSAGE_TEXT_MAX];
    long long code = 0;

    (void)snprintf(text, sizeof(text), "%.*s", (int)value_len, (const char *)value);
    if (name_len == 11 && memcmp(name, "grpc-status", 11) == 0) {
        c->has_status = true;
        c->status = str_to_int(text, 0, 100, &code) == 0 ? (enum grpc_status)code : GRPC_UNKNOWN;
    }
    if (name_len == 12 && memcmp(name, "grpc-message", 12) == 0)
        memcpy(c->text, text, sizeof(text));
    return 0;
}

static int on_close(nghttp2_session *session, int32_t id, uint32_t code, void *user)
{
    /* Nothing more is wanted of this connection: the session ends, and with it the call. */
    (void)nghttp2_session_terminate_session(session, NGHTTP2_NO_ERROR);
    return 0;
}

static nghttp2_session *session_new(struct grpc_call *c, const char *method)
{
    const nghttp2_nv headers[] = {
        grpc_header(":method", "POST"),
        grpc_header(":scheme", "http"),
        grpc_header(":path", method),
        grpc_header(":authority", "localhost"),
        grpc_header("content-type", "application/grpc"),
        grpc_header("te", "trailers"),
        grpc_header("user-agent", "virt-handler"),
    };
    const nghttp2_data_provider body = { .source.ptr = c, .read_callback = read_out };
    nghttp2_session_callbacks *calls = NULL;
    nghttp2_session *session = NULL;

    must(nghttp2_session_callbacks_new(&calls) == 0);
    nghttp2_session_callbacks_set_on_header_callback(calls, on_header);
    nghttp2_session_callbacks_set_on_stream_close_callback(calls, on_close);
    must(nghttp2_session_client_new(&session, calls, c) == 0);
    nghttp2_session_callbacks_del(calls);
    must(nghttp2_submit_settings(session, NGHTTP2_FLAG_NONE, NULL, 0) == 0);
    must(nghttp2_submit_request(session, NULL, headers, countof(headers), &body, NULL) > 0);
    return session;
}

static int connect_to(const char *path)
{
    struct sockaddr_un at = { .sun_family = AF_UNIX };
    scoped_fd int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0 || strlen(path) >= sizeof(at.sun_path))
        return -1;
    memcpy(at.sun_path, path, strlen(path) + 1);
    return connect(fd, (struct sockaddr *)&at, sizeof(at)) < 0 ? -1 : TAKE_FD(fd);
}

struct grpc_call *grpc_call_start(struct loop *l, const char *socket_path, const char *method,
                                  const void *request, size_t len, int64_t timeout_ms,
                                  grpc_done_fn *done, void *arg)
{
    struct grpc_call *c = must_calloc(1, sizeof(*c));
    int fd = connect_to(socket_path);

    c->loop = l;
    c->done = done;
    c->arg = arg;
    c->out = BUF_INIT(0);
    grpc_frame_add(&c->out, request, len);
    if (fd < 0)
        (void)snprintf(c->text, sizeof(c->text), "connect '%s': %s", socket_path, strerror(errno));
    else
        c->conn = grpc_conn_new(l, fd, session_new(c, method), on_ended, c);
    c->timer = loop_timer_new(l, fd < 0 ? 0 : timeout_ms, on_timer, c);
    return c;
}
