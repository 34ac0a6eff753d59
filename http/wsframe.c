/* SPDX-License-Identifier: Apache-2.0 */
#include "http/wsframe.h"

#include <string.h>

#include "base/must.h"

enum {
    BIT_FINAL = 0x80,
    BITS_RESERVED = 0x70,
    BITS_OPCODE = 0x0f,
    BIT_MASKED = 0x80,
    BITS_LEN = 0x7f,
    LEN_16 = 126,
    LEN_64 = 127,
    MASK_BYTES = 4,
    CODE_BYTES = 2,
    CONTROL_BIT = 8,
    REASON_MAX = WS_CONTROL_MAX - CODE_BYTES,
};

/* ---- heads ---- */

/* How long it is, as far as the bytes that are here say. */
static size_t head_len(const struct ws_head *h)
{
    if (h->len < 2)
        return 2;

    size_t len = 2;
    uint8_t first = h->bytes[1] & BITS_LEN;
    if (first == LEN_16)
        len += 2;
    else if (first == LEN_64)
        len += 8;
    return h->bytes[1] & BIT_MASKED ? len + MASK_BYTES : len;
}

static void understand(struct ws_head *h)
{
    uint8_t first = h->bytes[1] & BITS_LEN;
    size_t n = first == LEN_16 ? 2 : first == LEN_64 ? 8 : 0;

    h->is_final = h->bytes[0] & BIT_FINAL;
    h->reserved = h->bytes[0] & BITS_RESERVED;
    h->opcode = h->bytes[0] & BITS_OPCODE;
    h->is_masked = h->bytes[1] & BIT_MASKED;
    h->payload_len = n ? 0 : first;
    for (size_t i = 0; i < n; i++)
        h->payload_len = h->payload_len << 8 | h->bytes[2 + i];
}

size_t ws_head_feed(struct ws_head *h, const void *data, size_t len, bool *ret_whole)
{
    const uint8_t *from = data;
    size_t taken = 0;

    while (taken < len && h->len < head_len(h))
        h->bytes[h->len++] = from[taken++];
    *ret_whole = h->len == head_len(h);
    if (*ret_whole)
        understand(h);
    return taken;
}

/* ---- reading what a client sends ---- */

static bool is_control(uint8_t opcode)
{
    return opcode & CONTROL_BIT;
}

/* What is wrong with this frame (sections 5.1 to 5.5)? */
static const char *fault(const struct ws_reader *r)
{
    const struct ws_head *h = &r->head;

    if (h->reserved)
        return "a reserved bit is set, and no extension was agreed on";
    if (!h->is_masked)
        return "a frame is not masked";
    if (h->payload_len > INT64_MAX)
        return "a frame's length has its highest bit set";
    switch (h->opcode) {
    case WS_CLOSE:
    case WS_PING:
    case WS_PONG:
        if (!h->is_final)
            return "a control frame is fragmented";
        if (h->payload_len > WS_CONTROL_MAX)
            return "a control frame is longer than 125 bytes";
        if (h->opcode == WS_CLOSE && h->payload_len == 1)
            return "a close frame has half a code";
        return NULL;
    case WS_CONTINUATION:
        return r->is_in_message ? NULL : "a continuation of no message";
    case WS_TEXT:
    case WS_BINARY:
        return r->is_in_message ? "a message begins inside another" : NULL;
    default:
        return "a frame's opcode is unknown";
    }
}

static void begin_payload(struct ws_reader *r)
{
    const struct ws_head *h = &r->head;

    memcpy(r->mask, h->bytes + h->len - MASK_BYTES, MASK_BYTES);
    r->mask_at = 0;
    r->left = h->payload_len;
    r->is_in_payload = true;
    r->control_len = 0;
    if (h->opcode == WS_TEXT || h->opcode == WS_BINARY) {
        r->is_in_message = true;
        r->is_text = h->opcode == WS_TEXT;
    }
}

static void end_frame(struct ws_reader *r)
{
    r->is_in_payload = false;
    r->head = (struct ws_head){ 0 };
}

static void unmask(struct ws_reader *r, uint8_t *data, size_t len)
{
    uint8_t turned[MASK_BYTES];
    uint64_t wide, word;
    uint32_t four;
    size_t i = 0;

    for (size_t k = 0; k < MASK_BYTES; k++)
        turned[k] = r->mask[(r->mask_at + k) % MASK_BYTES];
    memcpy(&four, turned, sizeof(four));
    wide = (uint64_t)four << 32 | four;
    for (; i + sizeof(word) <= len; i += sizeof(word)) {
        memcpy(&word, data + i, sizeof(word));
        word ^= wide;
        memcpy(data + i, &word, sizeof(word));
    }
    for (; i < len; i++)
        data[i] ^= turned[i % MASK_BYTES];
    r->mask_at = (uint8_t)((r->mask_at + len) % MASK_BYTES);
}

static size_t read_message(struct ws_reader *r, uint8_t *data, size_t len, struct ws_piece *ret)
{
    size_t n = len < r->left ? len : (size_t)r->left;

    unmask(r, data, n);
    r->left -= n;
    *ret = (struct ws_piece){ WS_EVENT_DATA, .data = data, .len = n, .is_text = r->is_text };
    if (r->left > 0)
        return n;
    ret->is_end = r->head.is_final;
    if (ret->is_end)
        r->is_in_message = false;
    end_frame(r);
    return n;
}

/* Codes that an endpoint may send (section 7.4 and the registry). */
static bool is_sendable(int code)
{
    return (code >= 1000 && code <= 1014 && code != 1004 && code != WS_CODE_NONE && code != 1006) ||
           (code >= 3000 && code <= 4999);
}

static void tell_close(struct ws_reader *r, struct ws_piece *ret)
{
    *ret = (struct ws_piece){ WS_EVENT_CLOSE, .data = r->control, .code = WS_CODE_NONE };
    if (r->control_len < CODE_BYTES)
        return;
    ret->code = r->control[0] << 8 | r->control[1];
    ret->data = r->control + CODE_BYTES;
    ret->len = r->control_len - CODE_BYTES;
    if (!is_sendable(ret->code))
        *ret = (struct ws_piece){ WS_EVENT_BAD, .why = "a close frame has a code nobody may send" };
}

/* Controls are short, and told whole. */
static size_t read_control(struct ws_reader *r, uint8_t *data, size_t len, struct ws_piece *ret)
{
    size_t n = len < r->left ? len : (size_t)r->left;

    unmask(r, data, n);
    memcpy(r->control + r->control_len, data, n);
    r->control_len = (uint8_t)(r->control_len + n);
    r->left -= n;
    if (r->left > 0)
        return n;
    if (r->head.opcode == WS_CLOSE)
        tell_close(r, ret);
    else
        *ret = (struct ws_piece){ r->head.opcode == WS_PING ? WS_EVENT_PING : WS_EVENT_PONG,
                                  .data = r->control, .len = r->control_len };
    end_frame(r);
    return n;
}

size_t ws_read(struct ws_reader *r, void *data, size_t len, struct ws_piece *ret)
{
    uint8_t *at = data;
    size_t taken = 0;

    *ret = (struct ws_piece){ .event = WS_EVENT_MORE };
    while (ret->event == WS_EVENT_MORE && taken < len) {
        if (!r->is_in_payload) {
            bool is_whole;

            taken += ws_head_feed(&r->head, at + taken, len - taken, &is_whole);
            if (!is_whole)
                break;
            const char *why = fault(r);
            if (why) {
                *ret = (struct ws_piece){ WS_EVENT_BAD, .why = why };
                break;
            }
            begin_payload(r);
        }
        if (taken == len && r->left > 0)
            break;
        taken += is_control(r->head.opcode) ? read_control(r, at + taken, len - taken, ret)
                                            : read_message(r, at + taken, len - taken, ret);
    }
    return taken;
}

/* ---- writing ---- */

size_t ws_write_head(uint8_t out[WS_SERVER_HEAD_MAX], enum ws_opcode opcode, size_t payload_len)
{
    must(payload_len <= WS_PAYLOAD_MAX);
    out[0] = (uint8_t)(BIT_FINAL | opcode);
    if (payload_len < LEN_16) {
        out[1] = (uint8_t)payload_len;
        return 2;
    }
    out[1] = LEN_16;
    out[2] = (uint8_t)(payload_len >> 8);
    out[3] = (uint8_t)payload_len;
    return 4;
}

size_t ws_write_control(uint8_t out[WS_CONTROL_FRAME_MAX], enum ws_opcode opcode, const void *data,
                        size_t len)
{
    if (len > WS_CONTROL_MAX)
        len = WS_CONTROL_MAX;
    size_t head = ws_write_head(out, opcode, len);
    if (len > 0)
        memcpy(out + head, data, len);
    return head + len;
}

size_t ws_write_close(uint8_t out[WS_CONTROL_FRAME_MAX], int code, const char *reason)
{
    uint8_t payload[WS_CONTROL_MAX];
    size_t len = strlen(reason);

    if (len > REASON_MAX) {
        len = REASON_MAX;
        while (len > 0 && ((unsigned char)reason[len] & 0xc0) == 0x80)
            len--; /* not inside a character of UTF-8 */
    }
    payload[0] = (uint8_t)(code >> 8);
    payload[1] = (uint8_t)code;
    memcpy(payload + CODE_BYTES, reason, len);
    return ws_write_control(out, WS_CLOSE, payload, CODE_BYTES + len);
}

/* ---- following a server's frames ---- */

void ws_bounds_feed(struct ws_bounds *b, const void *data, size_t len)
{
    const uint8_t *at = data;

    while (len > 0) {
        size_t n = len < b->left ? len : (size_t)b->left;

        if (n == 0) {
            bool is_whole;

            n = ws_head_feed(&b->head, at, len, &is_whole);
            if (b->head.len > 0 && (b->head.bytes[0] & BITS_OPCODE) == WS_CLOSE)
                b->is_closed = true;
            if (is_whole) {
                b->left = b->head.payload_len;
                b->head = (struct ws_head){ 0 };
            }
        } else {
            b->left -= n;
        }
        at += n;
        len -= n;
    }
}

bool ws_bounds_is_between(const struct ws_bounds *b)
{
    return b->left == 0 && b->head.len == 0;
}

uint64_t ws_bounds_left(const struct ws_bounds *b)
{
    return b->left > 0 ? b->left : head_len(&b->head) - b->head.len;
}
