/* SPDX-License-Identifier: Apache-2.0 */
/* What passes of a viewer's messages, wherever they are cut. */
#include "handler/rfb.h"

#include "test/unit/rows.h"

/* ClientInit asks for itself alone. */
#define BEGIN "RFB 003.008\n\x01\x00"
#define BEGUN "RFB 003.008\n\x01\x01"
#define BYTES(text) text, sizeof(text) - 1
#define REFUSED NULL, 0

enum { STREAM_MAX = 400 };

struct filter_case {
    const char *name;
    const char *sent;
    size_t sent_len;
    const char *typist; /* what passes of one who may type, after the beginning */
    size_t typist_len;
    const char *observer; /* NULL: refused */
    size_t observer_len;
};

/* Each is followed by a FramebufferUpdateRequest, which must come out whole. */
#define NEXT "\x03\x01\x02\x03\x04\x05\x06\x07\x08\x09"
#define PASSES(message) BYTES(message NEXT), BYTES(message NEXT), BYTES(message NEXT)
#define INPUT(message) BYTES(message NEXT), BYTES(message NEXT), BYTES(NEXT)
#define UNKNOWN(message) BYTES(message NEXT), BYTES(message NEXT), REFUSED

static const struct filter_case messages[] = {
    { "SetPixelFormat", PASSES("\0\0\0\0\x20\x18\0\1\0\xff\0\xff\0\xff\x10\x08\0\0\0\0") },
    { "SetEncodings without any", PASSES("\2\0\0\0") },
    { "SetEncodings", PASSES("\2\0\0\3\4\4\4\4\5\5\5\5\6\6\6\6") },
    { "FramebufferUpdateRequest", PASSES("\3\1\0\0\0\0\3\x20\2\x58") },
    { "KeyEvent", INPUT("\4\1\0\0\0\0\0\x61") },
    { "two KeyEvents", INPUT("\4\1\0\0\0\0\0\x61\4\0\0\0\0\0\0\x61") },
    { "PointerEvent", INPUT("\5\1\0\4\0\4") },
    { "ClientCutText without text", INPUT("\6\0\0\0\0\0\0\0") },
    { "ClientCutText", INPUT("\6\0\0\0\0\0\0\5hello") },
    { "extended clipboard: a negative length", INPUT("\6\0\0\0\xff\xff\xff\xfb\4\4\4\4\4") },
    { "text that looks like messages", INPUT("\6\0\0\0\0\0\0\4\4\5\6\xff") },
    { "EnableContinuousUpdates", PASSES("\x96\1\0\0\0\0\3\x20\2\x58") },
    { "ClientFence without payload", PASSES("\xf8\0\0\0\0\0\0\0\0") },
    { "ClientFence", PASSES("\xf8\0\0\0\0\0\0\0\3\4\5\6") },
    { "xvp", INPUT("\xfa\0\1\2") },
    { "SetDesktopSize without screens", INPUT("\xfb\0\4\0\3\0\0\0") },
    { "SetDesktopSize", INPUT("\xfb\0\4\0\3\0\1\0\1\1\1\1\2\2\2\2\3\3\3\3\4\4\4\4") },
    { "QEMU's key with its scan code", INPUT("\xff\0\0\1\0\0\0\x61\0\0\0\x1e") },
    { "QEMU's audio on", INPUT("\xff\1\0\0") },
    { "QEMU's audio off", INPUT("\xff\1\0\1") },
    { "QEMU's audio format", INPUT("\xff\1\0\2\3\2\0\0\xac\x44") },
    { "QEMU's audio, unknown operation", UNKNOWN("\xff\1\0\3") },
    { "QEMU's message of an unknown kind", UNKNOWN("\xff\2\0\0") },
    { "unknown message", UNKNOWN("\x77") },
    { "FixColourMapEntries, which only RFB 3.0 had", UNKNOWN("\1\0\0\0\0\1") },
};

static const struct filter_case beginnings[] = {
    { "3.8", BYTES("RFB 003.008\n\1\0" NEXT), BYTES("RFB 003.008\n\1\1" NEXT),
      BYTES("RFB 003.008\n\1\1" NEXT) },
    { "3.7", BYTES("RFB 003.007\n\1\0" NEXT), BYTES("RFB 003.007\n\1\1" NEXT),
      BYTES("RFB 003.007\n\1\1" NEXT) },
    { "3.3: the server chooses", BYTES("RFB 003.003\n\0" NEXT), BYTES("RFB 003.003\n\1" NEXT),
      BYTES("RFB 003.003\n\1" NEXT) },
    { "3.5 is 3.3", BYTES("RFB 003.005\n\0" NEXT), BYTES("RFB 003.005\n\1" NEXT),
      BYTES("RFB 003.005\n\1" NEXT) },
    { "shared already", BYTES("RFB 003.008\n\1\1" NEXT), BYTES("RFB 003.008\n\1\1" NEXT),
      BYTES("RFB 003.008\n\1\1" NEXT) },
    { "another security type is not followed", BYTES("RFB 003.008\n\2passwordpassword\0" NEXT),
      BYTES("RFB 003.008\n\2passwordpassword\0" NEXT), REFUSED },
    { "another version is not followed", BYTES("RFB 003.889\n\1\0" NEXT),
      BYTES("RFB 003.889\n\1\0" NEXT), REFUSED },
    { "not RFB at all", BYTES("GET / HTTP/1.1\r\n\r\n"), BYTES("GET / HTTP/1.1\r\n\r\n"), REFUSED },
};

/* Filter data[0..len) cut at each multiple of `piece` and at `cut`; false when it is refused. */
static bool run(struct rfb *f, bool may_type, const char *data, size_t len, size_t piece,
                size_t cut, unsigned char *out, size_t *ret_len)
{
    const char *why = NULL;

    *ret_len = 0;
    for (size_t at = 0; at < len;) {
        size_t n = len - at < piece ? len - at : piece;

        if (at < cut && at + n > cut)
            n = cut - at;
        memcpy(out + *ret_len, data + at, n);
        ssize_t kept = rfb_filter(f, may_type, out + *ret_len, n, &why);
        if (kept < 0) {
            assert_non_null(why);
            return false;
        }
        *ret_len += (size_t)kept;
        at += n;
    }
    return true;
}

static void expect(const char *sent, size_t sent_len, bool may_type, const char *want,
                   size_t want_len, bool has_begun)
{
    unsigned char out[STREAM_MAX];
    size_t len = 0;

    assert_true(sent_len < STREAM_MAX);
    for (size_t cut = 0; cut <= sent_len; cut++) {
        /* Cut once, and into single bytes (which the first cut does not change). */
        for (size_t piece = cut == 0 ? 1 : STREAM_MAX; piece <= STREAM_MAX; piece += STREAM_MAX) {
            struct rfb f = { 0 };

            if (has_begun) {
                assert_true(run(&f, may_type, BYTES(BEGIN), STREAM_MAX, 0, out, &len));
                assert_int_equal(len, sizeof(BEGUN) - 1);
                assert_memory_equal(out, BEGUN, len);
            }
            bool is_taken = run(&f, may_type, sent, sent_len, piece, cut, out, &len);
            assert_int_equal(is_taken, want != NULL);
            if (!want)
                continue;
            assert_int_equal(len, want_len);
            assert_memory_equal(out, want, len);
        }
    }
}

static void passes_what_it_may(void **state)
{
    const struct filter_case *c = *state;

    expect(c->sent, c->sent_len, true, c->typist, c->typist_len, true);
    expect(c->sent, c->sent_len, false, c->observer, c->observer_len, true);
}

static void begins(void **state)
{
    const struct filter_case *c = *state;

    expect(c->sent, c->sent_len, true, c->typist, c->typist_len, false);
    expect(c->sent, c->sent_len, false, c->observer, c->observer_len, false);
}

/* ---- a part that changes ---- */

static size_t feed(struct rfb *f, bool may_type, const char *data, size_t len, char *out)
{
    const char *why = NULL;

    memcpy(out, data, len);
    ssize_t kept = rfb_filter(f, may_type, (unsigned char *)out, len, &why);
    assert_true(kept >= 0);
    return (size_t)kept;
}

static void a_message_is_dropped_or_passed_as_it_began(void **state)
{
    static const char keys[] = "\4\1\0\0\0\0\0\x61\4\0\0\0\0\0\0\x62";

    for (size_t cut = 1; cut < 8; cut++) {
        struct rfb f = { 0 };
        char out[STREAM_MAX];

        (void)feed(&f, true, BYTES(BEGIN), out);
        assert_int_equal(feed(&f, true, keys, cut, out), cut);
        /* Becomes an observer within the first key: that one is sent to its end, the next is not.
         */
        assert_int_equal(feed(&f, false, keys + cut, 16 - cut, out), 8 - cut);
        assert_memory_equal(out, keys + cut, 8 - cut);

        assert_int_equal(feed(&f, false, keys, cut, out), 0);
        assert_int_equal(feed(&f, true, keys + cut, 16 - cut, out), 8);
        assert_memory_equal(out, keys + 8, 8);
    }
}

static void who_is_not_understood_does_not_become_an_observer(void **state)
{
    struct rfb f = { 0 };
    char out[STREAM_MAX];
    unsigned char byte = 0;
    const char *why = NULL;

    (void)feed(&f, true, BYTES(BEGIN "\x77 whatever"), out);
    assert_int_equal(rfb_filter(&f, false, &byte, 1, &why), -1);
    assert_non_null(why);
}

/* Half a message was dropped: what follows must not be sent as the other half. */
static void what_began_dropped_does_not_go_on_unseen(void **state)
{
    struct rfb f = { 0 };
    char out[STREAM_MAX];
    unsigned char rest[] = { 9, 9, 9 };
    const char *why = NULL;

    (void)feed(&f, false, BYTES(BEGIN "\xff"), out);
    assert_int_equal(rfb_filter(&f, true, rest, sizeof(rest), &why), -1);
    assert_non_null(why);
}

static void a_length_of_4_gib_takes_no_memory(void **state)
{
    struct rfb f = { 0 };
    char out[STREAM_MAX];

    assert_int_equal(feed(&f, false, BYTES(BEGIN), out), sizeof(BEGUN) - 1);
    assert_int_equal(feed(&f, false, BYTES("\6\0\0\0\x7f\xff\xff\xff"), out), 0);
    for (int i = 0; i < 1000; i++)
        assert_int_equal(feed(&f, false, BYTES("\4\1\0\0\0\0\0\x61"), out), 0);
    assert_true(sizeof(f) <= 48);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_message_is_dropped_or_passed_as_it_began),
        cmocka_unit_test(who_is_not_understood_does_not_become_an_observer),
        cmocka_unit_test(what_began_dropped_does_not_go_on_unseen),
        cmocka_unit_test(a_length_of_4_gib_takes_no_memory),
    };

    return cmocka_run_group_tests_name("rfb parts", tests, NULL, NULL) +
           RUN_ROWS("rfb messages", messages, passes_what_it_may) +
           RUN_ROWS("rfb beginnings", beginnings, begins);
}
