/* SPDX-License-Identifier: Apache-2.0 */
/* Frames, cut at every place. */
#include "http/wsframe.h"

#include <stdio.h>

#include "base/buf.h"
#include "base/str.h"
#include "test/unit/ws_client.h"

#include "test/unit/rows.h"

/* ---- what a client sends, told as text ---- */

/* One or two frames: first byte, payload. */
static const struct row {
    const char *name;
    struct {
        uint8_t first;
        size_t len; /* of 'x's; with 0 the text */
        const char *text;
    } frame[4];
    const char *told; /* B:/T: message pieces joined, "." its end, P ping, p pong, C code reason */
} rows[] = {
    { "a message", { { 0x82, 0, "hello" } }, "B:hello." },
    { "an empty message", { { 0x82, 0, "" } }, "B:." },
    { "two messages", { { 0x82, 0, "a" }, { 0x82, 0, "b" } }, "B:a.B:b." },
    { "a text", { { 0x81, 0, "hello" } }, "T:hello." },
    { "a message in pieces",
      { { 0x02, 0, "he" }, { 0x00, 0, "l" }, { 0x80, 0, "lo" } },
      "B:hello." },
    { "pieces that are empty", { { 0x02, 0, "" }, { 0x00, 0, "a" }, { 0x80, 0, "" } }, "B:a." },
    { "a text in pieces, then bytes",
      { { 0x01, 0, "a" }, { 0x80, 0, "b" }, { 0x82, 0, "c" } },
      "T:ab.B:c." },
    { "a ping inside a message",
      { { 0x02, 0, "a" }, { 0x89, 0, "you?" }, { 0x80, 0, "b" } },
      "B:aP(you?)b." },
    { "a pong", { { 0x8a, 0, "" } }, "p()" },
    { "the longest short length", { { 0x82, 125, NULL } }, "B:125x." },
    { "the shortest of 16 bits", { { 0x82, 126, NULL } }, "B:126x." },
    { "the longest of 16 bits", { { 0x82, 65535, NULL } }, "B:65535x." },
    { "the shortest of 64 bits", { { 0x82, 65536, NULL } }, "B:65536x." },
    { "a close",
      { { 0x88, 0,
          "\x03\xe8"
          "bye" } },
      "C1000(bye)" },
    { "a close without a code", { { 0x88, 0, "" } }, "C1005()" },
    { "the longest ping", { { 0x89, 125, NULL } }, "P(125x)" },

    { "a ping that is too long", { { 0x89, 126, NULL } }, "!a control frame is longer" },
    { "a ping in pieces", { { 0x09, 0, "a" } }, "!a control frame is fragmented" },
    { "half a code", { { 0x88, 0, "\x03" } }, "!a close frame has half a code" },
    { "a code nobody sends", { { 0x88, 0, "\x03\xee" } }, "!a close frame has a code" },
    { "a code out of range", { { 0x88, 0, "\x01\x01" } }, "!a close frame has a code" },
    { "a reserved bit", { { 0xc2, 0, "a" } }, "!a reserved bit" },
    { "an unknown opcode", { { 0x83, 0, "a" } }, "!a frame's opcode" },
    { "an unknown control", { { 0x8b, 0, "a" } }, "!a frame's opcode" },
    { "a continuation of nothing", { { 0x80, 0, "a" } }, "!a continuation" },
    { "a continuation after the end",
      { { 0x82, 0, "a" }, { 0x80, 0, "b" } },
      "B:a.!a continuation" },
    { "a message inside another",
      { { 0x02, 0, "a" }, { 0x82, 0, "b" } },
      "B:a!a message begins inside" },
};

static size_t write_frames(const struct row *c, uint8_t *out)
{
    static char many[70000];
    size_t len = 0;

    memset(many, 'x', sizeof(many));
    for (size_t i = 0; i < countof(c->frame) && (c->frame[i].text || c->frame[i].len); i++) {
        const char *text = c->frame[i].text;

        len += ws_frame(out + len, c->frame[i].first, text ? text : many,
                        text ? strlen(text) : c->frame[i].len);
    }
    return len;
}

struct told {
    struct buf text;
    bool is_in_message, is_over;
};

static void tell(struct told *t, const struct ws_piece *p)
{
    switch (p->event) {
    case WS_EVENT_MORE:
        break;
    case WS_EVENT_DATA:
        if (!t->is_in_message)
            (void)buf_adds(&t->text, p->is_text ? "T:" : "B:");
        (void)buf_add(&t->text, p->data, p->len);
        if (p->is_end)
            (void)buf_adds(&t->text, ".");
        t->is_in_message = !p->is_end;
        break;
    case WS_EVENT_PING:
    case WS_EVENT_PONG:
        (void)buf_adds(&t->text, p->event == WS_EVENT_PING ? "P(" : "p(");
        (void)buf_add(&t->text, p->data, p->len);
        (void)buf_adds(&t->text, ")");
        break;
    case WS_EVENT_CLOSE:
        (void)buf_addf(&t->text, "C%d(", p->code);
        (void)buf_add(&t->text, p->data, p->len);
        (void)buf_adds(&t->text, ")");
        t->is_over = true;
        break;
    case WS_EVENT_BAD:
        (void)buf_addf(&t->text, "!%s", p->why);
        t->is_over = true;
        break;
    }
}

static void feed(struct ws_reader *r, struct told *t, const uint8_t *data, size_t len)
{
    scoped(free) uint8_t *mine = must_malloc(len + 1); /* exact, for the address sanitizer */
    struct ws_piece p = { .event = WS_EVENT_PING };
    size_t at = 0;

    memcpy(mine, data, len);
    while (p.event != WS_EVENT_MORE && !t->is_over) {
        at += ws_read(r, mine + at, len - at, &p);
        assert_true(at <= len);
        tell(t, &p);
    }
    assert_true(t->is_over || at == len);
}

/* "B:125x." as the told text. */
static char *expected(const char *told)
{
    struct buf out = BUF_INIT(0);

    for (const char *p = told; *p;) {
        size_t digits = strspn(p, "0123456789");

        if (digits > 0 && p[digits] == 'x') {
            for (long n = atol(p); n > 0; n--)
                (void)buf_adds(&out, "x");
            p += digits + 1;
        } else {
            (void)buf_add(&out, p++, 1);
        }
    }
    return buf_take(&out);
}

static void is_read_in_two_pieces(void **state)
{
    const struct row *c = *state;
    static uint8_t wire[200000];
    size_t len = write_frames(c, wire);
    scoped(free) char *want = expected(c->told);
    size_t step = len > 1000 ? 997 : 1;

    for (size_t cut = 0; cut <= len; cut += cut < 20 ? 1 : step) {
        struct ws_reader r = { 0 };
        struct told t = { 0 };

        feed(&r, &t, wire, cut);
        if (!t.is_over)
            feed(&r, &t, wire + cut, len - cut);
        if (!str_has_prefix(t.text.data, want))
            fail_msg("cut at %zu: %.200s", cut, t.text.data);
        buf_done(&t.text);
    }
}

static void is_read_byte_by_byte(void **state)
{
    static uint8_t wire[200000];

    for (size_t i = 0; i < countof(rows); i++) {
        size_t len = write_frames(&rows[i], wire);
        scoped(free) char *want = expected(rows[i].told);
        struct ws_reader r = { 0 };
        struct told t = { 0 };

        for (size_t at = 0; at < len && !t.is_over; at++)
            feed(&r, &t, wire + at, 1);
        if (!str_has_prefix(t.text.data, want))
            fail_msg("%s: %.200s", rows[i].name, t.text.data);
        buf_done(&t.text);
    }
}

static void frames_of_a_client_are_masked(void **state)
{
    struct ws_reader r = { 0 };
    struct told t = { 0 };

    feed(&r, &t, (const uint8_t *)"\x82\x01x", 3);
    assert_string_equal(t.text.data, "!a frame is not masked");
    buf_done(&t.text);
}

static void no_length_has_its_highest_bit(void **state)
{
    struct ws_reader r = { 0 };
    struct told t = { 0 };

    feed(&r, &t, (const uint8_t *)"\x82\xff\x80\0\0\0\0\0\0\1mask", 14);
    assert_non_null(strstr(t.text.data, "highest bit"));
    buf_done(&t.text);
}

/* ---- what we send ---- */

static void closes_are_cut_at_a_character(void **state)
{
    uint8_t out[WS_CONTROL_FRAME_MAX];
    char reason[200];

    assert_int_equal(ws_write_close(out, 1001, "bye"), 7);
    assert_memory_equal(out,
                        "\x88\x05\x03\xe9"
                        "bye",
                        7);
    memset(reason, 'a', sizeof(reason));
    memcpy(reason + 122, "\xc3\xa9", 2); /* over the edge */
    reason[199] = '\0';
    assert_int_equal(ws_write_close(out, 1001, reason), 2 + 2 + 122);
    reason[121] = 'b';
    reason[122] = 'c';
    reason[123] = 'd';
    assert_int_equal(ws_write_close(out, 1001, reason), 2 + 2 + 123);
}

static void heads_are_short_where_they_can_be(void **state)
{
    uint8_t out[WS_SERVER_HEAD_MAX];

    assert_int_equal(ws_write_head(out, WS_BINARY, 125), 2);
    assert_memory_equal(out, "\x82\x7d", 2);
    assert_int_equal(ws_write_head(out, WS_BINARY, 126), 4);
    assert_memory_equal(out, "\x82\x7e\x00\x7e", 4);
    assert_int_equal(ws_write_head(out, WS_BINARY, WS_PAYLOAD_MAX), 4);
    assert_memory_equal(out, "\x82\x7e\xff\xff", 4);
}

/* ---- where a server's frames end ---- */

static void bounds_are_seen_wherever_it_is_cut(void **state)
{
    static const size_t lengths[] = { 0, 5, 125, 126, 300, 65535, 65536, 70000 };
    static uint8_t wire[300000];
    static bool is_end[300001];
    size_t len = 0;

    is_end[0] = true;
    for (size_t i = 0; i < countof(lengths); i++) {
        size_t n = lengths[i];

        wire[len++] = 0x82;
        if (n < 126) {
            wire[len++] = (uint8_t)n;
        } else if (n < 65536) {
            wire[len++] = 126;
            wire[len++] = (uint8_t)(n >> 8);
            wire[len++] = (uint8_t)n;
        } else {
            wire[len++] = 127;
            memset(wire + len, 0, 8);
            wire[len + 5] = (uint8_t)(n >> 16);
            wire[len + 6] = (uint8_t)(n >> 8);
            wire[len + 7] = (uint8_t)n;
            len += 8;
        }
        memset(wire + len, 0x88, n); /* a payload that looks like closes */
        len += n;
        is_end[len] = true;
    }
    for (size_t step = 1; step < 3000; step = step * 3 + 1) {
        struct ws_bounds b = { 0 };

        for (size_t at = 0; at < len;) {
            size_t n = len - at < step ? len - at : step;

            ws_bounds_feed(&b, wire + at, n);
            at += n;
            assert_int_equal(ws_bounds_is_between(&b), is_end[at]);
            assert_false(b.is_closed);
            if (is_end[at])
                continue;
            /* So much may be read, and no more. */
            uint64_t left = ws_bounds_left(&b);
            assert_true(left >= 1);
            for (size_t k = at; k < at + left; k++)
                assert_false(is_end[k]);
        }
    }
}

static void a_close_is_seen_from_its_first_byte(void **state)
{
    struct ws_bounds b = { 0 };

    ws_bounds_feed(&b, "\x88", 1);
    assert_true(b.is_closed);
    assert_false(ws_bounds_is_between(&b));
    ws_bounds_feed(&b, "\x02\x03\xe8", 3);
    assert_true(ws_bounds_is_between(&b));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(is_read_byte_by_byte),
        cmocka_unit_test(frames_of_a_client_are_masked),
        cmocka_unit_test(no_length_has_its_highest_bit),
        cmocka_unit_test(closes_are_cut_at_a_character),
        cmocka_unit_test(heads_are_short_where_they_can_be),
        cmocka_unit_test(bounds_are_seen_wherever_it_is_cut),
        cmocka_unit_test(a_close_is_seen_from_its_first_byte),
    };

    return RUN_ROWS("reads in two pieces", rows, is_read_in_two_pieces) +
           cmocka_run_group_tests_name("wsframe", tests, NULL, NULL);
}
