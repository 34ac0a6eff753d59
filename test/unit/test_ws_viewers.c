/* SPDX-License-Identifier: Apache-2.0 */
/* Several sessions of one console or screen: who writes, who is told, who goes. */
#include "handler/ws.h"

#include <pthread.h>

#include "test/unit/ws_ends.h"

#define GREETING "RFB 003.008\n\x01\x00"
#define KEY "\x04\x01\x00\x00\x00\x00\x00\x61"
#define UPDATE "\x03\x01\x00\x00\x00\x00\x00\x10\x00\x10"

enum { GREETING_LEN = 14, KEY_LEN = 8, UPDATE_LEN = 10 };

/* A viewer of a screen that has gone through RFB's beginning. */
static void open_screen(struct ends *e, enum role_ask ask)
{
    unsigned char data[GREETING_LEN];

    open_as(e, "vm/vnc", HUB_SCREEN, ask);
    send_frame(e->client, OPCODE_BINARY, GREETING, GREETING_LEN);
    read_exactly(e->qemu, data, sizeof(data));
    assert_memory_equal(data, "RFB 003.008\n\x01\x01", sizeof(data)); /* shared */
}

/* A key arrives at QEMU, or only what a viewer may do that watches. */
static void expect_typing(struct ends *e, bool types)
{
    unsigned char data[KEY_LEN + UPDATE_LEN];
    size_t len = types ? KEY_LEN : 0;

    send_frame(e->client, OPCODE_BINARY, KEY, KEY_LEN);
    send_frame(e->client, OPCODE_BINARY, UPDATE, UPDATE_LEN);
    read_exactly(e->qemu, data, len + UPDATE_LEN);
    assert_memory_equal(data, KEY, len);
    assert_memory_equal(data + len, UPDATE, UPDATE_LEN);
}

/* What a console's viewer types arrives, or not. */
static void expect_writing(struct ends *e, int qemu, bool writes)
{
    char data[2];

    send_frame(e->client, OPCODE_BINARY, "ls", 2);
    if (!writes) {
        expect_silence(qemu);
        return;
    }
    read_exactly(qemu, data, 2);
    assert_memory_equal(data, "ls", 2);
}

static void expect_taken_over(struct ends *e)
{
    char reason[126];

    assert_int_equal(close_of(e->client, reason), 1000);
    assert_string_equal(reason, "taken over by a new session");
    close_ends(e);
}

/* ---- console ---- */

static void a_new_console_takes_over_without_a_new_connection(void **state)
{
    struct ends *e = *state;
    struct ends newer = { .ws = e->ws };

    open_session(e, "vm/console");
    open_session(&newer, "vm/console");
    assert_int_equal(newer.qemu, -1);
    newer.qemu = TAKE_FD(e->qemu);
    expect_taken_over(e);
    assert_int_equal(send(newer.qemu, "x", 1, 0), 1);
    expect_bytes(newer.client, "x");
    expect_writing(&newer, newer.qemu, true);
    close_ends(&newer);
}

static void all_read_one_writes(void **state)
{
    struct ends *writer = *state;
    struct ends shared = { .ws = writer->ws }, observer = { .ws = writer->ws };

    open_as(writer, "vm/console", HUB_CONSOLE, ASK_SHARED);
    expect_notice(writer->client, "{\"role\":\"writer\",\"sessions\":1}");
    open_as(&shared, "vm/console", HUB_CONSOLE, ASK_SHARED);
    expect_notice(shared.client, "{\"role\":\"observer\",\"sessions\":2}");
    expect_notice(writer->client, "{\"role\":\"writer\",\"sessions\":2}");
    open_as(&observer, "vm/console", HUB_CONSOLE, ASK_OBSERVE);
    expect_notice(observer.client, "{\"role\":\"observer\",\"sessions\":3}");

    assert_int_equal(send(writer->qemu, "login: ", 7, 0), 7);
    expect_bytes(writer->client, "login: ");
    expect_bytes(shared.client, "login: ");
    expect_bytes(observer.client, "login: ");
    expect_writing(&shared, writer->qemu, false);
    expect_writing(&observer, writer->qemu, false);
    expect_writing(writer, writer->qemu, true);

    /* The writer leaves: the oldest that may write does. */
    (void)close(TAKE_FD(writer->client));
    expect_notice(shared.client, "{\"role\":\"writer\",\"sessions\":2}");
    expect_writing(&shared, writer->qemu, true);
    close_ends(writer);
    close_ends(&shared);
    close_ends(&observer);
}

static void take_over_leaves_the_writer_as_a_reader(void **state)
{
    struct ends *e = *state;
    struct ends newer = { .ws = e->ws };

    open_as(e, "vm/console", HUB_CONSOLE, ASK_SHARED);
    open_as(&newer, "vm/console", HUB_CONSOLE, ASK_TAKE_OVER);
    expect_notice(e->client, "{\"role\":\"observer\",\"sessions\":2}");
    expect_writing(e, e->qemu, false);
    expect_writing(&newer, e->qemu, true);
    close_ends(&newer);
    close_ends(e);
}

static void take_over_closes_a_writer_that_asked_for_nothing(void **state)
{
    struct ends *e = *state;
    struct ends newer = { .ws = e->ws };

    open_session(e, "vm/console");
    open_as(&newer, "vm/console", HUB_CONSOLE, ASK_TAKE_OVER);
    newer.qemu = TAKE_FD(e->qemu);
    expect_taken_over(e);
    expect_writing(&newer, newer.qemu, true);
    close_ends(&newer);
}

/* Who asks for nothing must not see a text frame: upstream's clients get what they always got. */
static void a_session_that_asked_for_nothing_is_told_nothing(void **state)
{
    struct ends *e = *state;
    struct ends observer = { .ws = e->ws };
    unsigned char data[100];
    size_t len = 0;

    open_session(e, "vm/console");
    open_as(&observer, "vm/console", HUB_CONSOLE, ASK_OBSERVE);
    expect_notice(observer.client, "{\"role\":\"observer\",\"sessions\":2}");
    assert_int_equal(send(e->qemu, "x", 1, 0), 1);
    assert_int_equal(read_frame(e->client, data, sizeof(data), &len), OPCODE_BINARY);
    close_ends(&observer);
    close_ends(e);
}

/* Between the last session and the next one QEMU's connection is closed, and made anew. */
static void the_last_one_to_leave_closes_the_connection(void **state)
{
    struct ends *e = *state;
    struct ends newer = { .ws = e->ws };
    char byte;

    open_session(e, "vm/console");
    (void)close(TAKE_FD(e->client));
    assert_int_equal(recv(e->qemu, &byte, 1, 0), 0);
    open_session(&newer, "vm/console");
    assert_true(newer.qemu >= 0);
    assert_int_equal(send(newer.qemu, "first", 5, 0), 5);
    expect_bytes(newer.client, "first");
    close_ends(&newer);
    close_ends(e);
}

/* A session that is on its way keeps the connection that the last one leaves. */
static void what_comes_between_two_sessions_is_not_lost(void **state)
{
    struct ends *e = *state;
    struct ends newer = { .ws = e->ws };
    struct ws_session *s = NULL;
    char head[1000];
    int client, qemu;
    scoped(free) char *request = handshake_request("dGhlIHNhbXBsZSBub25jZQ==", true);

    open_session(e, "vm/console");
    assert_int_equal(ws_join(e->ws, "vm/console", HUB_CONSOLE, ASK_NOTHING, &s), HUB_JOINED);
    assert_false(ws_session_wants_guest(s));
    send_frame(e->client, OPCODE_CLOSE, "\x03\xe8", 2);
    assert_int_equal(close_code_of(e->client), 1000);
    assert_int_equal(send(e->qemu, "between", 7, 0), 7);
    (void)usleep(2 * TICK_MS * 1000);

    make_pair(&newer.client, &client);
    ws_session_begin(s, client, -1);
    qemu = TAKE_FD(e->qemu);
    assert_true(upgrade(newer.client, request, head, sizeof(head)));
    expect_bytes(newer.client, "between");
    newer.qemu = qemu;
    close_ends(&newer);
    close_ends(e);
}

static void the_end_of_qemu_ends_all(void **state)
{
    struct ends *e = *state;
    struct ends other = { .ws = e->ws };

    open_as(e, "vm/console", HUB_CONSOLE, ASK_SHARED);
    open_as(&other, "vm/console", HUB_CONSOLE, ASK_SHARED);
    assert_int_equal(send(e->qemu, "bye", 3, 0), 3);
    (void)close(TAKE_FD(e->qemu));
    expect_bytes(e->client, "bye");
    assert_int_equal(close_code_of(e->client), 1000);
    expect_bytes(other.client, "bye");
    assert_int_equal(close_code_of(other.client), 1000);
    close_ends(e);
    close_ends(&other);
}

/* ---- readers of different speed ---- */

enum { FLOOD_BYTES = 24 * 1024 * 1024 };

static void *flood(void *arg)
{
    static unsigned char block[50000];
    int fd = *(int *)arg;
    size_t sent = 0;

    for (size_t i = 0; i < sizeof(block); i++)
        block[i] = (unsigned char)(i % 251);
    while (sent < FLOOD_BYTES) {
        size_t len = sizeof(block) - sent % sizeof(block);
        ssize_t n = send(fd, block + sent % sizeof(block),
                         len < FLOOD_BYTES - sent ? len : FLOOD_BYTES - sent, MSG_NOSIGNAL);

        if (n <= 0)
            break;
        sent += (size_t)n;
    }
    return NULL;
}

static void read_flood(int fd)
{
    static unsigned char data[70000];
    size_t arrived = 0, len = 0;

    while (arrived < FLOOD_BYTES) {
        if (read_frame(fd, data, sizeof(data), &len) != OPCODE_BINARY)
            continue;
        for (size_t i = 0; i < len; i += 997)
            assert_int_equal(data[i], (arrived + i) % 50000 % 251);
        arrived += len;
    }
    assert_int_equal(arrived, FLOOD_BYTES);
}

static void every_byte_arrives(void **state)
{
    struct ends *e = *state;
    pthread_t thread;

    open_session(e, "vm/console");
    assert_int_equal(pthread_create(&thread, NULL, flood, &e->qemu), 0);
    read_flood(e->client);
    assert_int_equal(pthread_join(thread, NULL), 0);
    close_ends(e);
}

static void one_that_does_not_read_is_closed_and_stops_nobody(void **state)
{
    struct ends *e = *state;
    struct ends stuck = { .ws = e->ws };
    pthread_t thread;
    char reason[126];

    open_as(e, "vm/console", HUB_CONSOLE, ASK_SHARED);
    open_as(&stuck, "vm/console", HUB_CONSOLE, ASK_OBSERVE);
    assert_int_equal(pthread_create(&thread, NULL, flood, &e->qemu), 0);
    read_flood(e->client);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(close_of(stuck.client, reason), 1013);
    assert_string_equal(reason, "this viewer does not keep up with the others");
    close_ends(&stuck);
    close_ends(e);
}

/* Alone, it may pause for as long as it likes, and gets all of it afterwards. */
static void one_that_pauses_alone_catches_up(void **state)
{
    struct ends *e = *state;
    pthread_t thread;

    open_session(e, "vm/console");
    assert_int_equal(pthread_create(&thread, NULL, flood, &e->qemu), 0);
    (void)usleep((WS_PING_TICKS + 6) * TICK_MS * 1000);
    read_flood(e->client);
    assert_int_equal(pthread_join(thread, NULL), 0);
    close_ends(e);
}

/* ---- screen ---- */

static void viewers_that_share_all_type(void **state)
{
    struct ends *e = *state;
    struct ends other = { .ws = e->ws }, observer = { .ws = e->ws };

    open_screen(e, ASK_SHARED);
    open_screen(&other, ASK_SHARED);
    open_screen(&observer, ASK_OBSERVE);
    expect_typing(e, true);
    expect_typing(&other, true);
    expect_typing(&observer, false);
    close_ends(e);
    close_ends(&other);
    close_ends(&observer);
}

static void a_plain_viewer_closes_those_that_type(void **state)
{
    struct ends *e = *state;
    struct ends observer = { .ws = e->ws }, newer = { .ws = e->ws };
    char byte;

    open_screen(e, ASK_SHARED);
    open_screen(&observer, ASK_OBSERVE);
    open_screen(&newer, ASK_NOTHING);
    assert_int_equal(recv(e->qemu, &byte, 1, 0), 0); /* its connection to QEMU is closed */
    expect_taken_over(e);
    expect_typing(&newer, true);
    expect_typing(&observer, false);
    close_ends(&observer);
    close_ends(&newer);
}

static void who_typed_watches_after_a_take_over(void **state)
{
    struct ends *e = *state;
    struct ends newer = { .ws = e->ws };

    open_screen(e, ASK_SHARED);
    expect_typing(e, true);
    open_screen(&newer, ASK_TAKE_OVER);
    expect_typing(e, false);
    expect_typing(&newer, true);
    close_ends(&newer);
    /* Nobody types any more: it may again. */
    expect_notice(e->client, "{\"role\":\"observer\",\"sessions\":2}");
    expect_notice(e->client, "{\"role\":\"writer\",\"sessions\":1}");
    expect_typing(e, true);
    close_ends(e);
}

static void an_observer_that_speaks_another_protocol_is_closed(void **state)
{
    struct ends *e = *state;
    char reason[126], byte;

    open_screen(e, ASK_OBSERVE);
    send_frame(e->client, OPCODE_BINARY, "\x77", 1);
    assert_int_equal(close_of(e->client, reason), 1008);
    assert_string_equal(reason, "an observer sent what is not understood");
    assert_int_equal(recv(e->qemu, &byte, 1, 0), 0);
    close_ends(e);
}

/* ---- who may join ---- */

static void places_are_counted(void **state)
{
    struct ends *e = *state;
    struct ws_session *s[VIEWERS_MAX + 1] = { NULL };

    for (size_t i = 0; i < VIEWERS_MAX; i++)
        assert_int_equal(ws_join(e->ws, "vm/vnc", HUB_SCREEN, ASK_OBSERVE, &s[i]), HUB_JOINED);
    assert_int_equal(ws_join(e->ws, "vm/vnc", HUB_SCREEN, ASK_OBSERVE, &s[VIEWERS_MAX]),
                     HUB_IS_FULL);
    assert_int_equal(ws_join(e->ws, "vm2/vnc", HUB_SCREEN, ASK_OBSERVE, &s[VIEWERS_MAX]),
                     HUB_JOINED);
    for (size_t i = 0; i <= VIEWERS_MAX; i++)
        ws_session_drop(s[i]);
}

/* What was dropped is gone when the thread has seen it. */
static struct ws_session *join_soon(struct ws *w, const char *name, enum hub_kind kind,
                                    enum role_ask ask)
{
    struct ws_session *s = NULL;

    for (int i = 0; i < PATIENCE_MS / TICK_MS; i++) {
        if (ws_join(w, name, kind, ask, &s) == HUB_JOINED)
            return s;
        (void)usleep(TICK_MS * 1000);
    }
    fail();
    return NULL;
}

static void a_session_is_preserved_only_from_those_that_say_so(void **state)
{
    struct ends *e = *state;
    struct ends newer = { .ws = e->ws };
    struct ws_session *s = NULL;

    assert_int_equal(ws_join(e->ws, "vm/vnc", HUB_SCREEN, ASK_PRESERVE, &s), HUB_JOINED);
    ws_session_drop(s);
    ws_session_drop(join_soon(e->ws, "vm/vnc", HUB_SCREEN, ASK_PRESERVE));
    open_screen(e, ASK_SHARED);
    assert_int_equal(ws_join(e->ws, "vm/vnc", HUB_SCREEN, ASK_PRESERVE, &s), HUB_IS_USED);
    open_screen(&newer, ASK_NOTHING);
    expect_taken_over(e);
    close_ends(&newer);
}

static void observers_do_not_count_as_typing(void **state)
{
    struct ends *e = *state;
    struct ws_session *s = NULL;

    open_screen(e, ASK_OBSERVE);
    assert_int_equal(ws_join(e->ws, "vm/vnc", HUB_SCREEN, ASK_PRESERVE, &s), HUB_JOINED);
    ws_session_drop(s);
    close_ends(e);
}

static void a_single_stream_is_not_taken_over(void **state)
{
    struct ends *e = *state;
    struct ws_session *s = NULL;
    char byte;

    open_as(e, "vm/usbredir-0", HUB_SINGLE, ASK_NOTHING);
    assert_int_equal(ws_join(e->ws, "vm/usbredir-0", HUB_SINGLE, ASK_NOTHING, &s), HUB_IS_USED);
    (void)close(TAKE_FD(e->client));
    assert_int_equal(recv(e->qemu, &byte, 1, 0), 0);
    ws_session_drop(join_soon(e->ws, "vm/usbredir-0", HUB_SINGLE, ASK_NOTHING));
    close_ends(e);
}

static void nobody_joins_what_stops(void **state)
{
    struct ws *w = start_ws();
    struct ws_session *early = NULL, *late = NULL;

    assert_int_equal(ws_join(w, "vm/vnc", HUB_SCREEN, ASK_NOTHING, &early), HUB_JOINED);
    ws_stop(w);
    assert_int_equal(ws_join(w, "vm/vnc", HUB_SCREEN, ASK_NOTHING, &late), HUB_NO_MORE);
    ws_session_drop(early);
    ws_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, start, stop)
        T(a_new_console_takes_over_without_a_new_connection),
        T(all_read_one_writes),
        T(take_over_leaves_the_writer_as_a_reader),
        T(take_over_closes_a_writer_that_asked_for_nothing),
        T(a_session_that_asked_for_nothing_is_told_nothing),
        T(the_last_one_to_leave_closes_the_connection),
        T(what_comes_between_two_sessions_is_not_lost),
        T(the_end_of_qemu_ends_all),
        T(every_byte_arrives),
        T(one_that_does_not_read_is_closed_and_stops_nobody),
        T(one_that_pauses_alone_catches_up),
        T(viewers_that_share_all_type),
        T(a_plain_viewer_closes_those_that_type),
        T(who_typed_watches_after_a_take_over),
        T(an_observer_that_speaks_another_protocol_is_closed),
        T(places_are_counted),
        T(a_session_is_preserved_only_from_those_that_say_so),
        T(observers_do_not_count_as_typing),
        T(a_single_stream_is_not_taken_over),
#undef T
        cmocka_unit_test(nobody_joins_what_stops),
    };

    return cmocka_run_group_tests_name("ws_viewers", tests, NULL, NULL);
}
