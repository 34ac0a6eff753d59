/* SPDX-License-Identifier: Apache-2.0 */
/* Sessions on the websocket thread, seen from both ends: frames there, plain bytes here. */
#ifndef TEST_UNIT_WS_ENDS_H
#define TEST_UNIT_WS_ENDS_H

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "handler/handshake.h"
#include "handler/ws.h"
#include "test/unit/rows.h"

enum {
    PATIENCE_MS = 30000,
    TICK_MS = 50,
    VIEWERS_MAX = 3,
    OPCODE_TEXT = 1,
    OPCODE_BINARY = 2,
    OPCODE_CLOSE = 8,
    OPCODE_PING = 9,
};

struct ends {
    struct ws *ws;
    int client, qemu; /* blocking, with a time limit */
};

static inline void limit(int fd)
{
    const struct timeval t = { .tv_sec = PATIENCE_MS / 1000 };

    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof(t)), 0);
}

static inline void make_pair(int *ret_ours, int *ret_theirs)
{
    int pair[2];

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    assert_int_equal(fcntl(pair[1], F_SETFL, O_NONBLOCK), 0);
    limit(pair[0]);
    *ret_ours = pair[0];
    *ret_theirs = pair[1];
}

static inline void read_exactly(int fd, void *into, size_t len)
{
    size_t got = 0;

    while (got < len) {
        ssize_t n = recv(fd, (char *)into + got, len - got, 0);

        assert_true(n > 0);
        got += (size_t)n;
    }
}

/* The upgrade; true when the answer is 101. */
static inline bool upgrade(int fd, const char *request, char *head, size_t size)
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

static inline void send_frame(int fd, int opcode, const void *data, size_t len)
{
    unsigned char frame[200] = { (unsigned char)(0x80 | opcode), (unsigned char)(0x80 | len) };

    assert_true(len < 126);
    memcpy(frame + 6, data, len); /* the mask is zero */
    assert_int_equal(send(fd, frame, 6 + len, 0), (ssize_t)(6 + len));
}

/* One frame from the server; its opcode, payload in `into`. */
static inline int read_any_frame(int fd, unsigned char *into, size_t size, size_t *ret_len)
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

/* The same, pings apart. */
static inline int read_frame(int fd, unsigned char *into, size_t size, size_t *ret_len)
{
    int opcode = OPCODE_PING;

    while (opcode == OPCODE_PING)
        opcode = read_any_frame(fd, into, size, ret_len);
    return opcode;
}

/* The next close frame's code, and its reason. */
static inline int close_of(int fd, char reason[126])
{
    static unsigned char data[70000];
    size_t len = 0;

    while (read_frame(fd, data, sizeof(data), &len) != OPCODE_CLOSE) {
    }
    (void)snprintf(reason, 126, "%.*s", len > 2 ? (int)len - 2 : 0, (char *)data + 2);
    return len >= 2 ? data[0] << 8 | data[1] : 0;
}

static inline int close_code_of(int fd)
{
    char reason[126];

    return close_of(fd, reason);
}

/* The next binary frame says exactly this. */
static inline void expect_bytes(int fd, const char *text)
{
    static unsigned char data[70000];
    size_t len = 0;

    while (read_frame(fd, data, sizeof(data), &len) == OPCODE_TEXT) {
    }
    assert_int_equal(len, strlen(text));
    assert_memory_equal(data, text, len);
}

/* A text frame says exactly this; earlier ones, and bytes, are skipped (states that change quickly
 * are told once). */
static inline void expect_notice(int fd, const char *text)
{
    static unsigned char data[70000];
    size_t len = 0;
    int opcode = OPCODE_BINARY;

    while (opcode != OPCODE_TEXT || len != strlen(text) || memcmp(data, text, len) != 0) {
        opcode = read_frame(fd, data, sizeof(data), &len);
        assert_int_not_equal(opcode, OPCODE_CLOSE);
    }
}

/* Nothing arrives at a plain end. */
static inline void expect_silence(int fd)
{
    struct pollfd p = { .fd = fd, .events = POLLIN };

    assert_int_equal(poll(&p, 1, 4 * TICK_MS), 0);
}

static inline struct ws *start_ws(void)
{
    const struct ws_options o = { .viewers_max = VIEWERS_MAX, .tick_ms = TICK_MS };

    return ws_start(&o);
}

static inline void stop_ws(struct ws *w)
{
    ws_stop(w);
    ws_free(w);
}

/* A session whose client is upgraded; a connection to the guest is made when one is wanted (else
 * e->qemu is -1). */
static inline void open_as(struct ends *e, const char *name, enum hub_kind kind, enum role_ask ask)
{
    char head[1000];
    int client, qemu = -1;
    struct ws_session *s = NULL;
    scoped(free) char *request = handshake_request("dGhlIHNhbXBsZSBub25jZQ==", true);

    e->qemu = -1;
    make_pair(&e->client, &client);
    assert_int_equal(ws_join(e->ws, name, kind, ask, &s), HUB_JOINED);
    if (ws_session_wants_guest(s))
        make_pair(&e->qemu, &qemu);
    ws_session_begin(s, client, qemu);
    assert_true(upgrade(e->client, request, head, sizeof(head)));
    assert_non_null(strstr(head, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="));
    assert_non_null(strstr(head, "plain.kubevirt.io"));
}

static inline void open_session(struct ends *e, const char *name)
{
    open_as(e, name, HUB_CONSOLE, ASK_NOTHING);
}

static inline void close_ends(struct ends *e)
{
    if (e->client >= 0)
        (void)close(e->client);
    if (e->qemu >= 0)
        (void)close(e->qemu);
    e->client = e->qemu = -1;
}

static inline int start(void **state)
{
    struct ends *e = must_calloc(1, sizeof(*e));

    e->ws = start_ws();
    e->client = e->qemu = -1;
    *state = e;
    return 0;
}

static inline int stop(void **state)
{
    struct ends *e = *state;

    stop_ws(e->ws);
    free(e);
    return 0;
}

#endif
