/* SPDX-License-Identifier: Apache-2.0 */
/* Console sessions on the websocket thread, seen from both ends: frames there, plain bytes here. */
#include "handler/ws.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "handler/handshake.h"
#include "test/unit/rows.h"

enum { PATIENCE_MS = 30000, OPCODE_TEXT = 1, OPCODE_BINARY = 2, OPCODE_CLOSE = 8 };

struct ends {
    struct ws *ws;
    int client, qemu; /* blocking, with a time limit */
};

static void limit(int fd)
{
    const struct timeval t = { .tv_sec = PATIENCE_MS / 1000 };

    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof(t)), 0);
}

static void make_pair(int *ret_ours, int *ret_theirs)
{
    int pair[2];

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    assert_int_equal(fcntl(pair[1], F_SETFL, O_NONBLOCK), 0);
    limit(pair[0]);
    *ret_ours = pair[0];
    *ret_theirs = pair[1];
}

static void read_exactly(int fd, void *into, size_t len)
{
    size_t got = 0;

    while (got < len) {
        ssize_t n = recv(fd, (char *)into + got, len - got, 0);

        assert_true(n > 0);
        got += (size_t)n;
    }
}

/* The upgrade; true when the answer is 101. */
static bool upgrade(int fd, const char *request, char *head, size_t size)
{
    size_t len = 0;

    assert_int_equal(send(fd, request, strlen(request), 0), (ssize_t)strlen(request));
    while (len + 1 < size) {
        if (recv(fd, head + len, 1, 0) != 1)
            return false;
        head[++len] = '\0';
        if (len >= 4 && memcmp(head + len - 4, "\r\n\r\n", 4) == 0)
            break;
    }
    return strncmp(head, "HTTP/1.1 101 ", 13) == 0;
}

static void send_frame(int fd, int opcode, const void *data, size_t len)
{
    unsigned char frame[200] = { (unsigned char)(0x80 | opcode), (unsigned char)(0x80 | len) };

    assert_true(len < 126);
    memcpy(frame + 6, data, len); /* the mask is zero */
    assert_int_equal(send(fd, frame, 6 + len, 0), (ssize_t)(6 + len));
}

/* One frame from the server; its opcode, payload in `into`. */
static int read_frame(int fd, unsigned char *into, size_t size, size_t *ret_len)
{
    unsigned char head[2], more[8];
    size_t len;

    read_exactly(fd, head, 2);
    len = head[1] & 0x7f;
    if (len == 126) {
        read_exactly(fd, more, 2);
        len = (size_t)more[0] << 8 | more[1];
    } else if (len == 127) {
        read_exactly(fd, more, 8);
        len = (size_t)more[4] << 24 | (size_t)more[5] << 16 | (size_t)more[6] << 8 | more[7];
    }
    assert_true(len <= size);
    read_exactly(fd, into, len);
    *ret_len = len;
    return head[0] & 0x0f;
}

static int close_code_of(int fd)
{
    unsigned char data[70000];
    size_t len = 0;

    while (read_frame(fd, data, sizeof(data), &len) != OPCODE_CLOSE) {
    }
    return len >= 2 ? data[0] << 8 | data[1] : 0;
}

static void open_session(struct ends *e, const char *name)
{
    char head[1000];
    int client, qemu;
    scoped(free) char *request = handshake_request("dGhlIHNhbXBsZSBub25jZQ==", true);

    make_pair(&e->client, &client);
    make_pair(&e->qemu, &qemu);
    assert_true(ws_open(e->ws, name, client, qemu));
    assert_true(upgrade(e->client, request, head, sizeof(head)));
    assert_non_null(strstr(head, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="));
    assert_non_null(strstr(head, "plain.kubevirt.io"));
}

static void close_ends(struct ends *e)
{
    (void)close(e->client);
    (void)close(e->qemu);
}

static int start(void **state)
{
    struct ends *e = must_calloc(1, sizeof(*e));

    e->ws = ws_start();
    e->client = e->qemu = -1;
    *state = e;
    return 0;
}

static int stop(void **state)
{
    struct ends *e = *state;

    ws_stop(e->ws);
    free(e);
    return 0;
}

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

static void a_new_session_takes_over(void **state)
{
    struct ends *e = *state;
    struct ends newer = { .ws = e->ws };
    char byte = 0;

    open_session(e, "vm/console");
    assert_true(ws_is_used(e->ws, "vm/console"));
    open_session(&newer, "vm/console");
    assert_int_equal(close_code_of(e->client), 1000);
    assert_int_equal(recv(e->qemu, &byte, 1, 0), 0); /* the old connection to QEMU is closed */
    assert_int_equal(send(newer.qemu, "x", 1, 0), 1);
    assert_int_equal(recv(newer.client, &byte, 1, 0), 1);
    close_ends(e);
    close_ends(&newer);
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
    (void)close(e->client);
    assert_int_equal(recv(e->qemu, &byte, 1, 0), 0);
    (void)close(e->qemu);
    e->qemu = e->client = -1;
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
    int client, qemu;

    make_pair(&e->client, &client);
    make_pair(&e->qemu, &qemu);
    assert_true(ws_open(e->ws, "vm/console", client, qemu));
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
    struct ends e = { .ws = ws_start() };

    open_session(&e, "vm/console");
    /* The client answers the close as a good one does, so that stop need not wait. */
    send_frame(e.client, OPCODE_CLOSE, "\x03\xe9", 2);
    ws_stop(e.ws);
    close_ends(&e);

    e.ws = ws_start();
    open_session(&e, "vm/console");
    ws_stop(e.ws);
    assert_int_equal(close_code_of(e.client), 1001);
    close_ends(&e);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(bytes_go_both_ways, start, stop),
        cmocka_unit_test_setup_teardown(a_new_session_takes_over, start, stop),
        cmocka_unit_test_setup_teardown(names_do_not_disturb_each_other, start, stop),
        cmocka_unit_test_setup_teardown(the_end_of_qemu_arrives_after_its_last_bytes, start, stop),
        cmocka_unit_test_setup_teardown(a_client_that_leaves_frees_qemu, start, stop),
        cmocka_unit_test_setup_teardown(a_slow_client_holds_qemu_back, start, stop),
        cmocka_unit_test_setup_teardown(what_is_not_an_upgrade_is_dropped, start, stop),
        cmocka_unit_test_setup_teardown(a_frame_of_no_known_kind_ends_the_session, start, stop),
        cmocka_unit_test(stopping_says_going_away),
    };

    return cmocka_run_group_tests_name("ws", tests, NULL, NULL);
}
