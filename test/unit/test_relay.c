/* SPDX-License-Identifier: Apache-2.0 */
/* The last word of a relayed websocket: said between two frames, or not at all. */
#include "test/unit/two_ends.h"

#include "base/str.h"

#include "test/unit/rows.h"

#define LOST "the node was lost"
#define BYE "the server ends"

static void start(void *arg)
{
    struct ends *e = arg;

    e->between = relay_start_websocket(stream_from_fd(e->loop, e->inner[0]),
                                       stream_from_fd(e->loop, e->inner[1]), LOST, ends_done, e);
    atomic_store(&e->is_posted, true);
}

static void say_goodbye(void *arg)
{
    struct ends *e = arg;

    relay_say_goodbye(e->between, 1001, BYE);
    atomic_store(&e->is_posted, true);
}

#define OWN_CLOSE      \
    "\x88\x05\x03\xe8" \
    "bye"

/* The server says `before`; then it ends, or we do and it says `after`. */
static const struct row {
    const char *name;
    const char *before;
    bool is_goodbye;
    const char *after;
    const char *got;    /* of the server's bytes */
    const char *reason; /* then a close frame with 1001, or none */
    bool waits;         /* for the rest of a frame */
} rows[] = {
    { "a server that ends is told of", "\x82\x02hi", .got = "\x82\x02hi", .reason = LOST },
    { "a server that ends at once", "", .got = "", .reason = LOST },
    { "a server's own close is enough", "\x82\x02hi" OWN_CLOSE, .got = "\x82\x02hi" OWN_CLOSE },
    { "half a frame has no last word",
      "\x82\x05"
      "ab",
      .got = "\x82\x05"
             "ab" },
    { "half a head has none", "\x82", .got = "\x82" },
    { "goodbye between frames", "\x82\x02hi", true, "\x82\x02no", "\x82\x02hi", .reason = BYE },
    { "goodbye before any", "", true, "", "", .reason = BYE },
    { "goodbye after the frame that is on its way",
      "\x82\x05"
      "ab",
      true, "cde\x82\x02no",
      "\x82\x05"
      "abcde",
      .reason = BYE },
    { "goodbye after a head in pieces", "\x82", true, "\x02hi\x82\x02no", "\x82\x02hi",
      .reason = BYE },
    { "goodbye to a frame that does not go on",
      "\x82\x05"
      "ab",
      true, "",
      "\x82\x05"
      "ab",
      .waits = true },
    { "goodbye after the server's", OWN_CLOSE, true, "", .got = OWN_CLOSE },
};

static void is_ended(void **state)
{
    const struct row *c = *state;
    struct ends e;
    char got[256] = "", want[256];
    size_t len = strlen(c->got);

    ends_open(&e, SOCK_STREAM, start);
    int64_t since = clock_mono_ms(&clock_real);
    assert_true(raw_say(&e.server, c->before));
    if (c->is_goodbye) {
        assert_int_equal(raw_recv_all(&e.client, got, strlen(c->before)), strlen(c->before));
        ends_run(&e, say_goodbye);
        (void)raw_say(&e.server, c->after);
    } else {
        ends_drop_server(&e);
    }
    size_t have = c->is_goodbye ? strlen(c->before) : 0;
    have += raw_recv_all(&e.client, got + have, sizeof(got) - 1 - have);
    memcpy(want, c->got, len);
    if (c->reason) {
        want[len++] = '\x88';
        want[len++] = (char)(strlen(c->reason) + 2);
        memcpy(want + len, "\x03\xe9", 2);
        memcpy(want + len + 2, c->reason, strlen(c->reason));
        len += 2 + strlen(c->reason);
    }
    assert_int_equal(have, len);
    assert_memory_equal(got, want, len);
    assert_true(!c->waits || clock_mono_ms(&clock_real) - since >= 400);
    ends_close(&e);
}

/* Its buffers are full, and the end is not held up by it for long. */
static void goodbye_to_a_client_that_does_not_read(void **state)
{
    static const char frame[2 + 100] = "\x82\x64";
    const struct timeval short_patience = { .tv_usec = 300 * 1000 };
    struct ends e;

    ends_open(&e, SOCK_STREAM, start);
    must(setsockopt(e.server.fd, SOL_SOCKET, SO_SNDTIMEO, &short_patience,
                    sizeof(short_patience)) == 0);
    while (raw_send(&e.server, frame, sizeof(frame)))
        ;
    int64_t since = clock_mono_ms(&clock_real);
    ends_run(&e, say_goodbye);
    ends_wait(&e.is_done);
    assert_in_range(clock_mono_ms(&clock_real) - since, 0, 5000);
    ends_close(&e);
}

static void the_client_ends_the_server(void **state)
{
    struct ends e;
    char got[8] = "";

    ends_open(&e, SOCK_STREAM, start);
    assert_true(raw_say(&e.client, "last"));
    (void)shutdown(e.client.fd, SHUT_WR);
    assert_int_equal(raw_recv_all(&e.server, got, sizeof(got)), 4);
    assert_string_equal(got, "last");
    ends_close(&e);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(goodbye_to_a_client_that_does_not_read),
        cmocka_unit_test(the_client_ends_the_server),
    };

    return RUN_ROWS("last words", rows, is_ended) +
           cmocka_run_group_tests_name("relay", tests, NULL, NULL);
}
