/* SPDX-License-Identifier: Apache-2.0 */
/* The server's end of a websocket between a client and a plain connection. */
#include "http/wsock.h"

#include "test/unit/two_ends.h"

#include "base/str.h"

#include "test/unit/rows.h"

enum { BINARY = 0x82, CLOSE = 0x88, SOON_MS = 100 };

static struct wsock_options options;

static void start(void *arg)
{
    struct ends *e = arg;

    e->between = wsock_start(stream_from_fd(e->loop, e->inner[0]),
                             stream_from_fd(e->loop, e->inner[1]), &options, ends_done, e);
    atomic_store(&e->is_posted, true);
}

static void say_goodbye(void *arg)
{
    struct ends *e = arg;

    wsock_say_goodbye(e->between, 1001, "the server ends");
    atomic_store(&e->is_posted, true);
}

static void begin(struct ends *e, int type, int64_t ping_ms)
{
    options = (struct wsock_options){ .is_datagrams = type == SOCK_DGRAM, .ping_ms = ping_ms };
    ends_open(e, type, start);
}

static void expect(struct ends *e, int opcode, const char *payload)
{
    static struct ws_got got;

    ws_recv(&e->client, &got);
    assert_int_equal(got.opcode, opcode);
    if (payload)
        assert_string_equal(got.payload, payload);
}

static void expect_close(struct ends *e, int code, const char *reason)
{
    static struct ws_got got;

    do
        ws_recv(&e->client, &got);
    while (got.opcode == 2);
    assert_int_equal(ws_close_code(&got), code);
    assert_string_equal(got.payload + 2, reason);
    ws_recv(&e->client, &got);
    assert_int_equal(got.opcode, -1);
}

static void an_idle_client_is_pinged(void **state)
{
    struct ends e;

    begin(&e, SOCK_STREAM, SOON_MS);
    for (int i = 0; i < 3; i++)
        expect(&e, 9, "");
    ends_close(&e);
}

static void a_busy_client_is_not(void **state)
{
    struct ends e;

    begin(&e, SOCK_STREAM, 2000);
    for (int i = 0; i < 30; i++) {
        assert_true(raw_say(&e.server, "x"));
        expect(&e, 2, "x");
        usleep(SOON_MS * 1000);
    }
    ends_close(&e);
}

static void goodbye(void **state)
{
    struct ends e;

    begin(&e, SOCK_STREAM, 0);
    assert_true(raw_say(&e.server, "x"));
    expect(&e, 2, "x");
    ends_run(&e, say_goodbye);
    expect_close(&e, 1001, "the server ends");
    ends_close(&e);
}

/* Until nobody takes any more for a moment; how much it was. */
static size_t fill(struct raw *r, const void *data, size_t len)
{
    const struct timeval moment = { .tv_usec = 300 * 1000 }, patience = { .tv_sec = 20 };
    size_t sent = 0;
    ssize_t n;

    must(setsockopt(r->fd, SOL_SOCKET, SO_SNDTIMEO, &moment, sizeof(moment)) == 0);
    while ((n = send(r->fd, (const char *)data + sent % len, len - sent % len, MSG_NOSIGNAL)) > 0)
        sent += (size_t)n;
    must(setsockopt(r->fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)) == 0);
    return sent;
}

/* Neither side's silence is paid in memory, and nothing of it is lost. */
static void a_client_that_does_not_read_holds_back_the_plain_side(void **state)
{
    static char piece[50000], got[4 * 1024 * 1024];
    struct ends e;

    memset(piece, 'x', sizeof(piece));
    begin(&e, SOCK_STREAM, 0);
    size_t sent = fill(&e.server, piece, sizeof(piece));
    assert_in_range(sent, 1, sizeof(got));
    assert_int_equal(ws_recv_bytes(&e.client, got, sent), sent);
    ends_close(&e);
}

static void a_plain_side_that_does_not_read_holds_back_the_client(void **state)
{
    static uint8_t frame[200000 + 14];
    static char payload[200000], got[4 * 1024 * 1024];
    struct ends e;

    memset(payload, 'x', sizeof(payload));
    size_t len = ws_frame(frame, BINARY, payload, sizeof(payload));
    begin(&e, SOCK_STREAM, 0);
    size_t sent = fill(&e.client, frame, len);
    assert_in_range(sent, 1, sizeof(got));
    size_t frames = sent / len, rest = sent % len;
    size_t want = frames * sizeof(payload) + (rest > 14 ? rest - 14 : 0);
    assert_int_equal(raw_recv_all(&e.server, got, want), want);
    for (size_t i = 0; i < want; i++)
        assert_int_equal(got[i], 'x');
    /* The rest of that frame, and a close: the plain side's end comes behind them. */
    if (rest > 0)
        assert_true(raw_send(&e.client, frame + rest, len - rest));
    assert_true(ws_send(&e.client, CLOSE, "\x03\xe8", 2));
    size_t more = raw_recv_all(&e.server, got, sizeof(got));
    assert_int_equal(want + more, (frames + (rest > 0)) * sizeof(payload));
    ends_drop_server(&e);
    expect_close(&e, 1000, "");
    ends_close(&e);
}

static void goodbye_to_a_client_that_does_not_read(void **state)
{
    static char piece[50000];
    struct ends e;

    begin(&e, SOCK_STREAM, 0);
    (void)fill(&e.server, piece, sizeof(piece));
    int64_t since = clock_mono_ms(&clock_real);
    ends_run(&e, say_goodbye);
    ends_wait(&e.is_done);
    assert_in_range(clock_mono_ms(&clock_real) - since, 0, 5000);
    ends_close(&e);
}

/* The client's last bytes are on their way when the plain side ends its half. */
static void the_plain_sides_half_close_leaves_the_other_half(void **state)
{
    struct ends e;
    char got[8] = "";

    begin(&e, SOCK_STREAM, 0);
    assert_true(raw_say(&e.server, "bye"));
    (void)shutdown(e.server.fd, SHUT_WR);
    expect(&e, 2, "bye");
    assert_true(ws_send(&e.client, BINARY, "late", 4));
    assert_int_equal(raw_recv_all(&e.server, got, 4), 4);
    assert_string_equal(got, "late");
    assert_true(ws_send(&e.client, CLOSE, "\x03\xe8", 2));
    assert_int_equal(raw_recv_all(&e.server, got, sizeof(got)), 0);
    expect_close(&e, 1000, "");
    ends_close(&e);
}

/* It is told of the end, and not listened to for ever. */
static void a_plain_side_that_never_ends_is_cut(void **state)
{
    static char piece[50000];
    struct ends e;
    size_t sent = 0;

    begin(&e, SOCK_STREAM, 0);
    assert_true(ws_send(&e.client, CLOSE, "\x03\xe8", 2));
    expect_close(&e, 1000, "");
    while (raw_send(&e.server, piece, sizeof(piece)))
        sent += sizeof(piece);
    assert_in_range(sent, 500 * 1000, 8 * 1000 * 1000);
    ends_close(&e);
}

static void datagrams_keep_their_bounds(void **state)
{
    struct ends e;
    char got[8] = "";

    begin(&e, SOCK_DGRAM, 0);
    assert_true(ws_send(&e.client, BINARY, "ab", 2));
    assert_true(ws_send(&e.client, 0x02, "c", 1));
    assert_true(ws_send(&e.client, 0x80, "de", 2));
    assert_int_equal(recv(e.server.fd, got, sizeof(got), 0), 2);
    assert_int_equal(recv(e.server.fd, got, sizeof(got), 0), 3);
    assert_memory_equal(got, "cde", 3);
    assert_int_equal(send(e.server.fd, "1", 1, 0), 1);
    assert_int_equal(send(e.server.fd, "23", 2, 0), 2);
    expect(&e, 2, "1");
    expect(&e, 2, "23");
    ends_close(&e);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_idle_client_is_pinged),
        cmocka_unit_test(a_busy_client_is_not),
        cmocka_unit_test(goodbye),
        cmocka_unit_test(a_client_that_does_not_read_holds_back_the_plain_side),
        cmocka_unit_test(a_plain_side_that_does_not_read_holds_back_the_client),
        cmocka_unit_test(goodbye_to_a_client_that_does_not_read),
        cmocka_unit_test(the_plain_sides_half_close_leaves_the_other_half),
        cmocka_unit_test(a_plain_side_that_never_ends_is_cut),
        cmocka_unit_test(datagrams_keep_their_bounds),
    };

    return cmocka_run_group_tests_name("wsock", tests, NULL, NULL);
}
