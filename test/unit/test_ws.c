/* SPDX-License-Identifier: Apache-2.0 */
/* One session: bytes, back-pressure, pings, ends. */
#include "handler/ws.h"

#include "test/unit/ws_ends.h"

static void bytes_go_both_ways(void **state)
{
    struct ends *e = *state;
    unsigned char data[200];
    size_t len = 0;

    open_session(e, "vm/console");
    send_frame(e->client, OPCODE_TEXT, "skipped", 7);
    send_frame(e->client, OPCODE_BINARY, "root\n", 5);
    read_exactly(e->qemu, data, 5);
    assert_memory_equal(data, "root\n", 5);

    assert_int_equal(send(e->qemu, "login: ", 7, 0), 7);
    assert_int_equal(read_frame(e->client, data, sizeof(data), &len), OPCODE_BINARY);
    assert_int_equal(len, 7);
    assert_memory_equal(data, "login: ", 7);
    close_ends(e);
}

static void names_do_not_disturb_each_other(void **state)
{
    struct ends *e = *state;
    struct ends other = { .ws = e->ws };
    unsigned char data[10];
    size_t len = 0;

    open_session(e, "vm/console");
    open_session(&other, "vm/vnc");
    assert_int_equal(send(e->qemu, "a", 1, 0), 1);
    assert_int_equal(read_frame(e->client, data, sizeof(data), &len), OPCODE_BINARY);
    close_ends(e);
    close_ends(&other);
}

static void the_end_of_qemu_arrives_after_its_last_bytes(void **state)
{
    struct ends *e = *state;
    unsigned char data[100];
    size_t len = 0;

    open_session(e, "vm/console");
    assert_int_equal(send(e->qemu, "bye", 3, 0), 3);
    assert_int_equal(shutdown(e->qemu, SHUT_RDWR), 0);
    assert_int_equal(read_frame(e->client, data, sizeof(data), &len), OPCODE_BINARY);
    assert_int_equal(len, 3);
    assert_int_equal(close_code_of(e->client), 1000);
    close_ends(e);
}

static void a_client_that_leaves_frees_qemu(void **state)
{
    struct ends *e = *state;
    char byte;

    open_session(e, "vm/console");
    (void)close(TAKE_FD(e->client));
    assert_int_equal(recv(e->qemu, &byte, 1, 0), 0);
    close_ends(e);
}

/* A reader that does not read stops the writer: what is held in between is bounded. */
static void a_slow_client_holds_qemu_back(void **state)
{
    struct ends *e = *state;
    static char block[16384];
    size_t written = 0, arrived = 0, len = 0;
    static unsigned char data[70000];

    open_session(e, "vm/console");
    for (;;) {
        struct pollfd p = { .fd = e->qemu, .events = POLLOUT };

        if (poll(&p, 1, 500) == 0)
            break;
        ssize_t n = send(e->qemu, block, sizeof(block), MSG_DONTWAIT);
        if (n > 0)
            written += (size_t)n;
        assert_true(written < 16u * 1024 * 1024);
    }
    while (arrived < written) {
        assert_int_equal(read_frame(e->client, data, sizeof(data), &len), OPCODE_BINARY);
        arrived += len;
    }
    assert_int_equal(arrived, written);
    close_ends(e);
}

static void what_is_not_an_upgrade_is_dropped(void **state)
{
    struct ends *e = *state;
    char head[1000] = "";
    struct ws_session *s = NULL;
    int client, qemu;

    make_pair(&e->client, &client);
    make_pair(&e->qemu, &qemu);
    assert_int_equal(ws_join(e->ws, "vm/console", HUB_CONSOLE, ASK_NOTHING, &s), HUB_JOINED);
    ws_session_begin(s, client, qemu);
    assert_false(upgrade(e->client, "GET / HTTP/1.1\r\nHost: x\r\n\r\n", head, sizeof(head)));
    close_ends(e);
}

static void a_frame_of_no_known_kind_ends_the_session(void **state)
{
    static const unsigned char frame[] = { 0x83, 0x81, 0, 0, 0, 0, 'x' };
    struct ends *e = *state;
    char byte;

    open_session(e, "vm/console");
    assert_int_equal(send(e->client, frame, sizeof(frame), 0), sizeof(frame));
    assert_int_equal(close_code_of(e->client), 1002);
    /* libwebsockets waits five seconds for the answer of a client that stays. */
    assert_int_equal(shutdown(e->client, SHUT_RDWR), 0);
    assert_int_equal(recv(e->qemu, &byte, 1, 0), 0);
    close_ends(e);
}

static void stopping_says_going_away(void **state)
{
    struct ends e = { .ws = start_ws() };

    open_session(&e, "vm/console");
    /* The client answers the close as a good one does, so that stop need not wait. */
    send_frame(e.client, OPCODE_CLOSE, "\x03\xe9", 2);
    stop_ws(e.ws);
    close_ends(&e);

    e.ws = start_ws();
    open_session(&e, "vm/console");
    stop_ws(e.ws);
    assert_int_equal(close_code_of(e.client), 1001);
    close_ends(&e);
}

/* Until it has been silent long enough, and again; also one that QEMU says nothing to. */
static void an_idle_session_is_pinged(void **state)
{
    struct ends *e = *state;
    unsigned char data[200];
    size_t len = 0;

    open_session(e, "vm/console");
    for (int i = 0; i < 3; i++) {
        assert_int_equal(read_any_frame(e->client, data, sizeof(data), &len), OPCODE_PING);
        assert_int_equal(len, 0);
    }
    close_ends(e);
}

/* What is sent to it keeps it awake: a session that is not idle is not pinged. */
static void a_busy_session_is_not_pinged(void **state)
{
    struct ends *e = *state;
    unsigned char data[200];
    size_t len = 0;

    open_session(e, "vm/console");
    for (int i = 0; i < 2 * WS_PING_TICKS; i++) {
        (void)usleep(TICK_MS * 1000);
        assert_int_equal(send(e->qemu, "x", 1, 0), 1);
        assert_int_equal(read_any_frame(e->client, data, sizeof(data), &len), OPCODE_BINARY);
    }
    close_ends(e);
}

/* QEMU has gone, its last words are still in the socket: they come before the end. */
static void the_tail_of_a_slow_client_is_complete(void **state)
{
    struct ends *e = *state;
    static unsigned char data[70000];
    size_t written = 0, arrived = 0, len = 0;

    open_session(e, "vm/console");
    for (;;) {
        struct pollfd p = { .fd = e->qemu, .events = POLLOUT };

        if (poll(&p, 1, 4 * TICK_MS) == 0)
            break;
        ssize_t n = send(e->qemu, data, sizeof(data), MSG_DONTWAIT);
        if (n > 0)
            written += (size_t)n;
    }
    (void)close(TAKE_FD(e->qemu));
    (void)usleep(4 * TICK_MS * 1000);
    while (read_frame(e->client, data, sizeof(data), &len) == OPCODE_BINARY)
        arrived += len;
    assert_int_equal(arrived, written);
    assert_int_equal(data[0] << 8 | data[1], 1000);
    close_ends(e);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(bytes_go_both_ways, start, stop),
        cmocka_unit_test_setup_teardown(names_do_not_disturb_each_other, start, stop),
        cmocka_unit_test_setup_teardown(the_end_of_qemu_arrives_after_its_last_bytes, start, stop),
        cmocka_unit_test_setup_teardown(a_client_that_leaves_frees_qemu, start, stop),
        cmocka_unit_test_setup_teardown(a_slow_client_holds_qemu_back, start, stop),
        cmocka_unit_test_setup_teardown(what_is_not_an_upgrade_is_dropped, start, stop),
        cmocka_unit_test_setup_teardown(a_frame_of_no_known_kind_ends_the_session, start, stop),
        cmocka_unit_test_setup_teardown(an_idle_session_is_pinged, start, stop),
        cmocka_unit_test_setup_teardown(a_busy_session_is_not_pinged, start, stop),
        cmocka_unit_test_setup_teardown(the_tail_of_a_slow_client_is_complete, start, stop),
        cmocka_unit_test(stopping_says_going_away),
    };

    return cmocka_run_group_tests_name("ws", tests, NULL, NULL);
}
