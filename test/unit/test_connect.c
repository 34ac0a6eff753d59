/* SPDX-License-Identifier: Apache-2.0 */
/* Plain connections without blocking: made, refused, not answered, given up. */
#include "http/connect.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/str.h"
#include "test/unit/rows.h"

/* Where to: what is there is made by the test. */
enum place { LISTENING, CLOSED, FULL, NOWHERE };

static const struct row {
    const char *name;
    enum place place;
    bool is_udp, is_v6, is_given_up;
    enum error_code code; /* ERR_NONE: a stream */
    const char *why;
} rows[] = {
    { "somebody listens", .place = LISTENING },
    { "somebody listens, IPv6", LISTENING, .is_v6 = true },
    { "nobody listens", CLOSED, .code = ERR_UNAVAILABLE, .why = "Connection refused" },
    { "nobody answers", FULL, .code = ERR_TIMEOUT, .why = "nobody answers" },
    { "nobody answers, and nobody waits for it", FULL, .is_given_up = true },
    { "no address", NOWHERE, .code = ERR_UNAVAILABLE, .why = "\"localhost\" is not an address" },
    { "datagrams ask nobody", CLOSED, .is_udp = true },
};

struct attempt {
    const struct row *row;
    struct loop *loop;
    int port;
    struct connecting *connecting;
    atomic_bool is_told, has_stream;
    struct error why;
};

static void told(struct stream *s, const struct error *why, void *arg)
{
    struct attempt *a = arg;

    if (why)
        a->why = *why;
    atomic_store(&a->has_stream, s != NULL);
    stream_close(s);
    atomic_store(&a->is_told, true);
}

static void begin(void *arg)
{
    struct attempt *a = arg;
    const char *host = a->row->place == NOWHERE ? "localhost" : a->row->is_v6 ? "::1" : "127.0.0.1";
    const struct connect_to to = {
        .host = host, .port = a->port, .is_udp = a->row->is_udp, .timeout_ms = 300
    };

    a->connecting = connect_start(a->loop, &to, told, a);
    if (a->row->is_given_up)
        connect_cancel(a->connecting);
}

/* A bound socket that listens, with so long a queue. */
static int listener(bool is_v6, int backlog, int *ret_port)
{
    struct sockaddr_in6 v6 = { .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT };
    struct sockaddr_in v4 = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    struct sockaddr_storage a;
    socklen_t len = sizeof(a);
    int fd = socket(is_v6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0 || bind(fd, is_v6 ? (struct sockaddr *)&v6 : (struct sockaddr *)&v4,
                       is_v6 ? sizeof(v6) : sizeof(v4)) < 0)
        return -1;
    must(listen(fd, backlog) == 0);
    must(getsockname(fd, (struct sockaddr *)&a, &len) == 0);
    *ret_port = ntohs(is_v6 ? ((struct sockaddr_in6 *)&a)->sin6_port
                            : ((struct sockaddr_in *)&a)->sin_port);
    return fd;
}

enum { FILLERS = 4 };

/* Connections that nobody takes: the next is not answered. */
static void fill(int port, int fillers[FILLERS])
{
    struct sockaddr_in a = { .sin_family = AF_INET,
                             .sin_port = htons((uint16_t)port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };

    for (int i = 0; i < FILLERS; i++) {
        fillers[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        (void)connect(fillers[i], (struct sockaddr *)&a, sizeof(a));
    }
}

static void is_told(void **state)
{
    const struct row *c = *state;
    struct attempt a = { .row = c, .loop = loop_new("connect") };
    int fillers[FILLERS] = { -1, -1, -1, -1 };
    int fd = listener(c->is_v6, c->place == FULL ? 0 : 8, &a.port);

    if (fd < 0 && c->is_v6) {
        loop_free(a.loop);
        skip();
    }
    if (c->place == CLOSED)
        (void)close(fd);
    if (c->place == FULL)
        fill(a.port, fillers);
    loop_start(a.loop);
    loop_post(a.loop, begin, &a);
    for (int i = 0; i < (c->is_given_up ? 60 : 2000) && !a.is_told; i++)
        usleep(10 * 1000);
    assert_int_equal(a.is_told, !c->is_given_up);
    loop_free(a.loop);
    assert_int_equal(a.has_stream, c->code == ERR_NONE && !c->is_given_up);
    assert_int_equal(a.why.code, c->code);
    if (c->why)
        assert_string_equal(a.why.msg, c->why);
    for (int i = 0; i < FILLERS; i++)
        if (fillers[i] >= 0)
            (void)close(fillers[i]);
    if (c->place != CLOSED)
        (void)close(fd);
}

int main(void)
{
    return RUN_ROWS("connect", rows, is_told);
}
