/* SPDX-License-Identifier: Apache-2.0 */
/* Many connections in one stream: two ends joined by a socket pair, real sockets on both sides. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/loop.h"
#include "base/must.h"
#include "base/scope.h"
#include "base/str.h"
#include "http/mux.h"

enum { PATIENCE_S = 60, BULK_BYTES = 8 * 1024 * 1024 };

/* One side: its loop, its mux, and what it was told. */
struct side {
    struct loop *loop;
    struct mux *mux;
    int carrier;
    sem_t opened, closed, ended, done;
    char why[MUX_REASON_MAX + 1];    /* of the last channel */
    char reason[MUX_REASON_MAX + 1]; /* of the end */
    const char *refusal;             /* server: refuse with it */
    bool is_silent;                  /* server: never answer */
    int locals[8];                   /* server: far ends of accepted channels, in order */
    size_t locals_len;
    /* for calls on the loop */
    int fd;
    bool is_datagrams;
    struct mux_channel *channel;
};

struct world {
    struct side client, server;
};

static void wait_for(sem_t *s)
{
    struct timespec until;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += PATIENCE_S;
    while (sem_timedwait(s, &until) < 0)
        assert_int_equal(errno, EINTR);
}

static void pair(int type, int ret[2])
{
    assert_int_equal(socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, ret), 0);
}

static void on_open(struct mux_channel *c, void *arg)
{
    struct side *s = arg;
    int fd[2];

    if (s->is_silent)
        return;
    if (s->refusal) {
        mux_refuse(c, s->refusal);
        return;
    }
    pair(s->is_datagrams ? SOCK_SEQPACKET : SOCK_STREAM, fd);
    must(s->locals_len < countof(s->locals));
    s->locals[s->locals_len++] = fd[1];
    (void)fcntl(fd[0], F_SETFL, O_NONBLOCK);
    mux_accept(c, stream_from_fd(s->loop, fd[0]), s->is_datagrams);
    sem_post(&s->opened);
}

static void on_closed(struct mux_channel *c, const char *why, void *arg)
{
    struct side *s = arg;

    (void)snprintf(s->why, sizeof(s->why), "%s", why);
    sem_post(&s->closed);
}

static void on_ended(struct mux *m, const char *why, void *arg)
{
    struct side *s = arg;

    (void)snprintf(s->reason, sizeof(s->reason), "%s", why);
    mux_free(m);
    s->mux = NULL;
    sem_post(&s->ended);
}

static void begin(struct side *s, const char *name, int carrier, bool is_server)
{
    struct mux_handlers h = { is_server ? on_open : NULL, on_closed, on_ended };

    *s = (struct side){ .carrier = carrier };
    must(sem_init(&s->opened, 0, 0) == 0 && sem_init(&s->closed, 0, 0) == 0 &&
         sem_init(&s->ended, 0, 0) == 0 && sem_init(&s->done, 0, 0) == 0);
    (void)fcntl(carrier, F_SETFL, O_NONBLOCK);
    s->loop = loop_new(name);
    s->mux = mux_start(stream_from_fd(s->loop, carrier), &h, s);
    loop_start(s->loop);
}

static void post_free(void *arg)
{
    struct side *s = arg;

    mux_free(s->mux);
    s->mux = NULL;
    sem_post(&s->done);
}

static void finish(struct side *s)
{
    loop_post(s->loop, post_free, s);
    wait_for(&s->done);
    loop_free(s->loop);
    for (size_t i = 0; i < s->locals_len; i++)
        (void)close(s->locals[i]);
}

static int setup(void **state)
{
    struct world *w = must_calloc(1, sizeof(*w));
    int fd[2];

    pair(SOCK_STREAM, fd);
    begin(&w->client, "client", fd[0], false);
    begin(&w->server, "server", fd[1], true);
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;

    finish(&w->client);
    finish(&w->server);
    free(w);
    return 0;
}

static void post_open(void *arg)
{
    struct side *s = arg;

    s->channel = mux_open(s->mux, stream_from_fd(s->loop, s->fd), s->is_datagrams, NULL);
    sem_post(&s->done);
}

/* The near end of a new channel; a blocking socket. */
static int dial(struct world *w)
{
    struct side *s = &w->client;
    int fd[2];

    pair(s->is_datagrams ? SOCK_SEQPACKET : SOCK_STREAM, fd);
    (void)fcntl(fd[0], F_SETFL, O_NONBLOCK);
    s->fd = fd[0];
    loop_post(s->loop, post_open, s);
    wait_for(&s->done);
    return fd[1];
}

/* The same, and the server's end of it. */
static int dial_to(struct world *w, int *ret_far)
{
    int near = dial(w);

    wait_for(&w->server.opened);
    *ret_far = w->server.locals[w->server.locals_len - 1];
    return near;
}

static void expect_text(int fd, const char *text)
{
    char got[64];
    size_t len = strlen(text), have = 0;

    while (have < len) {
        ssize_t n = read(fd, got + have, len - have);
        assert_true(n > 0);
        have += (size_t)n;
    }
    assert_memory_equal(got, text, len);
}

static void expect_end(int fd)
{
    char byte;

    assert_int_equal(read(fd, &byte, 1), 0);
}

static void send_text(int fd, const char *text)
{
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
}

/* ---- cases ---- */

static void test_half_close(void **state)
{
    struct world *w = *state;
    int far, near = dial_to(w, &far);

    send_text(near, "question");
    assert_int_equal(shutdown(near, SHUT_WR), 0);
    expect_text(far, "question");
    expect_end(far);
    send_text(far, "answer");
    assert_int_equal(shutdown(far, SHUT_WR), 0);
    expect_text(near, "answer");
    expect_end(near);
    wait_for(&w->client.closed);
    wait_for(&w->server.closed);
    assert_string_equal(w->client.why, "");
    assert_string_equal(w->server.why, "");
    (void)close(near);
}

static void test_refused(void **state)
{
    struct world *w = *state;

    w->server.refusal = "connection refused";
    int near = dial(w);
    wait_for(&w->client.closed);
    assert_string_equal(w->client.why, "connection refused");
    expect_end(near);
    (void)close(near);

    /* Another one works all the same. */
    w->server.refusal = NULL;
    int far;
    near = dial_to(w, &far);
    send_text(near, "hello");
    expect_text(far, "hello");
    (void)close(near);
}

struct bulk {
    int fd;
    pthread_t thread;
};

static void *send_bulk(void *arg)
{
    struct bulk *b = arg;
    unsigned char data[5000];

    for (size_t sent = 0; sent < BULK_BYTES;) {
        size_t n = sizeof(data) < BULK_BYTES - sent ? sizeof(data) : BULK_BYTES - sent;

        for (size_t i = 0; i < n; i++)
            data[i] = (unsigned char)((sent + i) * 31 >> 3);
        for (size_t off = 0; off < n;) {
            ssize_t k = write(b->fd, data + off, n - off);
            must(k > 0);
            off += (size_t)k;
        }
        sent += n;
    }
    must(shutdown(b->fd, SHUT_WR) == 0);
    return NULL;
}

static void receive_bulk(int fd)
{
    unsigned char data[7000];
    size_t have = 0;
    ssize_t n;

    while ((n = read(fd, data, sizeof(data))) > 0) {
        for (size_t i = 0; i < (size_t)n; i++)
            if (data[i] != (unsigned char)((have + i) * 31 >> 3))
                fail_msg("byte %zu differs", have + i);
        have += (size_t)n;
    }
    assert_int_equal(have, BULK_BYTES);
}

static void test_bulk_beside_a_stuck_one(void **state)
{
    struct world *w = *state;
    int far, stuck_far, stuck = dial_to(w, &stuck_far), near = dial_to(w, &far);
    char junk[4096] = { 0 };
    size_t filled = 0;

    /* Nobody reads stuck_far: its window fills, then its sender stops. */
    (void)fcntl(stuck, F_SETFL, O_NONBLOCK);
    for (struct pollfd p = { stuck, POLLOUT, 0 }; poll(&p, 1, 300) > 0;) {
        ssize_t n = write(stuck, junk, sizeof(junk));
        if (n > 0)
            filled += (size_t)n;
    }
    assert_true(filled > MUX_WINDOW_BYTES && filled < 4 * 1024 * 1024);

    struct bulk there = { near, 0 }, back = { far, 0 };
    must(pthread_create(&there.thread, NULL, send_bulk, &there) == 0);
    must(pthread_create(&back.thread, NULL, send_bulk, &back) == 0);
    receive_bulk(far);
    receive_bulk(near);
    must(pthread_join(there.thread, NULL) == 0 && pthread_join(back.thread, NULL) == 0);

    /* It goes on once somebody reads, and nothing of it was lost. */
    assert_int_equal(shutdown(stuck, SHUT_WR), 0);
    size_t have = 0;
    ssize_t n;
    while ((n = read(stuck_far, junk, sizeof(junk))) > 0)
        have += (size_t)n;
    assert_int_equal(have, filled);
    (void)close(near);
    (void)close(stuck);
}

static void test_datagrams_keep_their_boundaries(void **state)
{
    struct world *w = *state;
    int far, near;
    char got[64];

    w->client.is_datagrams = w->server.is_datagrams = true;
    near = dial_to(w, &far);
    send_text(near, "one");
    send_text(near, "two two");
    assert_int_equal(read(far, got, sizeof(got)), 3);
    assert_int_equal(read(far, got, sizeof(got)), 7);
    send_text(far, "back");
    assert_int_equal(read(near, got, sizeof(got)), 4);
    (void)close(near);
}

static void test_one_too_many(void **state)
{
    struct world *w = *state;
    int near[MUX_CHANNELS_MAX];

    w->server.is_silent = true;
    for (size_t i = 0; i < countof(near); i++) {
        near[i] = dial(w);
        assert_non_null(w->client.channel);
    }
    int late = dial(w);
    assert_null(w->client.channel);
    expect_end(late);
    (void)close(late);
    for (size_t i = 0; i < countof(near); i++)
        (void)close(near[i]);
}

static void test_the_carrier_is_lost(void **state)
{
    struct world *w = *state;
    int far, near = dial_to(w, &far);

    assert_int_equal(shutdown(w->server.carrier, SHUT_RDWR), 0);
    wait_for(&w->client.closed);
    wait_for(&w->client.ended);
    assert_string_equal(w->client.why, "the connection was closed");
    wait_for(&w->server.ended);
    expect_end(near);
    expect_end(far);
    (void)close(near);
}

/* ---- what a hostile peer says ---- */

static const struct wrong {
    const char *name;
    const char *bytes;
    size_t len;
    const char *why;
} wrongs[] = {
#define SAYS(text) text, sizeof(text) - 1
    { "an unknown type", SAYS("\x07\0\0\0\0\0\0\1"), "an unknown message" },
    { "type 0", SAYS("\0\0\0\0\0\0\0\1"), "an unknown message" },
    { "channel 0", SAYS("\1\0\0\0\0\0\0\0"), "a channel that cannot be opened" },
    { "a channel again", SAYS("\1\0\0\0\0\0\0\5\1\0\0\0\0\0\0\5"),
      "a channel that cannot be opened" },
    { "data without a channel", SAYS("\3\0\0\1\0\0\0\1x"), "a channel that was never opened" },
    { "OPENED towards the server", SAYS("\1\0\0\0\0\0\0\1\2\0\0\0\0\0\0\1"),
      "an answer that was not asked for" },
    { "data after the end", SAYS("\1\0\0\0\0\0\0\1\4\0\0\0\0\0\0\1\3\0\0\1\0\0\0\1x"),
      "data on a channel that is not open" },
    { "two ends", SAYS("\1\0\0\0\0\0\0\1\4\0\0\0\0\0\0\1\4\0\0\0\0\0\0\1"),
      "the end of a channel that is not open" },
    { "too much credit", SAYS("\1\0\0\0\0\0\0\1\6\0\0\4\0\0\0\1\0\4\0\1"),
      "a credit larger than the window" },
    { "a short credit", SAYS("\1\0\0\0\0\0\0\1\6\0\0\2\0\0\0\1\0\1"),
      "a credit of a wrong length" },
    { "half a message and the end", SAYS("\1\0\0\0\0"), "the connection was closed" },
};

static void test_wrong(void **state)
{
    for (size_t i = 0; i < countof(wrongs); i++) {
        struct side server;
        int fd[2];

        pair(SOCK_STREAM, fd);
        begin(&server, "server", fd[1], true);
        for (size_t k = 0; k < wrongs[i].len; k++) /* split everywhere */
            assert_int_equal(send(fd[0], wrongs[i].bytes + k, 1, MSG_NOSIGNAL), 1);
        (void)shutdown(fd[0], SHUT_WR);
        wait_for(&server.ended);
        if (!streq(server.reason, wrongs[i].why))
            fail_msg("%s: \"%s\" instead of \"%s\"", wrongs[i].name, server.reason, wrongs[i].why);
        finish(&server);
        (void)close(fd[0]);
    }
}

static void test_more_than_the_window(void **state)
{
    struct side server;
    int fd[2];
    static unsigned char data[8 + 65535] = { 3, 0, 0xff, 0xff, 0, 0, 0, 1 };

    pair(SOCK_STREAM, fd);
    begin(&server, "server", fd[1], true);
    assert_int_equal(send(fd[0], "\1\0\0\0\0\0\0\1", 8, 0), 8);
    for (int i = 0; i < 40; i++) {
        ssize_t n = send(fd[0], data, sizeof(data), MSG_NOSIGNAL);
        if (n < (ssize_t)sizeof(data))
            break;
    }
    wait_for(&server.ended);
    assert_string_equal(server.reason, "more data than the window has room for");
    finish(&server);
    (void)close(fd[0]);
}

static void test_channels_are_bounded(void **state)
{
    static const char full[] = "too many connections at once";
    struct side server;
    int fd[2];
    unsigned char answer[8];
    char why[sizeof(full)] = "";

    pair(SOCK_STREAM, fd);
    begin(&server, "server", fd[1], true);
    server.is_silent = true;
    for (uint32_t i = 1; i <= MUX_CHANNELS_MAX + 1; i++) {
        unsigned char open[8] = { 1 };
        uint32_t id = htonl(i);

        memcpy(open + 4, &id, 4);
        assert_int_equal(send(fd[0], open, sizeof(open), 0), 8);
    }
    assert_int_equal(recv(fd[0], answer, sizeof(answer), MSG_WAITALL), 8);
    assert_memory_equal(answer, "\5\0\0\x1c\0\0\1\1", 8);
    assert_int_equal(recv(fd[0], why, sizeof(full) - 1, MSG_WAITALL), sizeof(full) - 1);
    assert_string_equal(why, full);
    finish(&server);
    (void)close(fd[0]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_half_close, setup, teardown),
        cmocka_unit_test_setup_teardown(test_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(test_bulk_beside_a_stuck_one, setup, teardown),
        cmocka_unit_test_setup_teardown(test_datagrams_keep_their_boundaries, setup, teardown),
        cmocka_unit_test_setup_teardown(test_one_too_many, setup, teardown),
        cmocka_unit_test_setup_teardown(test_the_carrier_is_lost, setup, teardown),
        cmocka_unit_test(test_wrong),
        cmocka_unit_test(test_more_than_the_window),
        cmocka_unit_test(test_channels_are_bounded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
