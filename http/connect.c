/* SPDX-License-Identifier: Apache-2.0 */
#include "http/connect.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/must.h"
#include "base/scope.h"
#include "http/stream_internal.h"

enum { TIMEOUT_MS = 10 * 1000 };

struct connecting {
    struct loop *loop;
    int fd;
    struct loop_io *io;
    struct loop_timer *timer;
    bool is_begun; /* false: the timer tells of a failure at once */
    struct error why;
    connected_fn *done;
    void *arg;
};

void connect_cancel(struct connecting *c)
{
    if (!c)
        return;
    loop_io_free(c->io);
    loop_timer_free(c->timer);
    if (c->fd >= 0)
        (void)close(c->fd);
    free(c);
}

static void finish(struct connecting *c, int problem)
{
    loop_io_free(c->io);
    c->io = NULL;
    if (problem) {
        error_set(&c->why, problem == ETIMEDOUT ? ERR_TIMEOUT : ERR_UNAVAILABLE, "%s",
                  strerror(problem));
        c->done(NULL, &c->why, c->arg);
    } else {
        c->done(stream_from_fd(c->loop, TAKE_FD(c->fd)), NULL, c->arg);
    }
    connect_cancel(c);
}

static void on_timer(void *arg)
{
    struct connecting *c = arg;

    if (c->is_begun)
        error_set(&c->why, ERR_TIMEOUT, "nobody answers");
    c->done(NULL, &c->why, c->arg);
    connect_cancel(c);
}

static void on_io(struct loop_io *io, int events, void *arg)
{
    struct connecting *c = arg;
    int problem = 0;
    socklen_t len = sizeof(problem);

    if (getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &problem, &len) < 0)
        problem = errno;
    finish(c, problem);
}

socklen_t socket_address(struct sockaddr_storage *a, const char *host, int port)
{
    struct sockaddr_in *v4 = (struct sockaddr_in *)a;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)a;

    memset(a, 0, sizeof(*a));
    if (inet_pton(AF_INET, host, &v4->sin_addr) == 1) {
        v4->sin_family = AF_INET;
        v4->sin_port = htons((uint16_t)port);
        return sizeof(*v4);
    }
    if (inet_pton(AF_INET6, host, &v6->sin6_addr) == 1) {
        v6->sin6_family = AF_INET6;
        v6->sin6_port = htons((uint16_t)port);
        return sizeof(*v6);
    }
    return 0;
}

static int begin(struct connecting *c, const struct connect_to *to)
{
    struct sockaddr_storage a;
    socklen_t len = socket_address(&a, to->host, to->port);
    int type = to->is_udp ? SOCK_DGRAM : SOCK_STREAM;

    if (len == 0)
        return error_set(&c->why, ERR_UNAVAILABLE, "\"%s\" is not an address", to->host);
    c->fd = socket(a.ss_family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (c->fd < 0)
        return error_set(&c->why, ERR_UNAVAILABLE, "socket: %s", strerror(errno));
    if (connect(c->fd, (struct sockaddr *)&a, len) < 0 && errno != EINPROGRESS)
        return error_set(&c->why, ERR_UNAVAILABLE, "%s", strerror(errno));
    c->io = loop_io_new(c->loop, c->fd, LOOP_WRITE, on_io, c);
    return 0;
}

struct connecting *connect_start(struct loop *l, const struct connect_to *to, connected_fn *done,
                                 void *arg)
{
    struct connecting *c = must_calloc(1, sizeof(*c));
    int64_t timeout_ms = to->timeout_ms > 0 ? to->timeout_ms : TIMEOUT_MS;

    *c = (struct connecting){ .loop = l, .fd = -1, .done = done, .arg = arg };
    c->is_begun = begin(c, to) == 0;
    c->timer = loop_timer_new(l, c->is_begun ? timeout_ms : 0, on_timer, c);
    return c;
}
