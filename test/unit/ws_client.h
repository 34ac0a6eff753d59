/* SPDX-License-Identifier: Apache-2.0 */
/* The client's side of a websocket over raw bytes: frames are made and taken apart one by one. */
#ifndef TEST_UNIT_WS_CLIENT_H
#define TEST_UNIT_WS_CLIENT_H

#include "tls_fixture.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "base/scope.h"

/* A frame as a client sends it; first is FIN, reserved bits and opcode.  Its length. */
static unused_ size_t ws_frame(uint8_t *out, uint8_t first, const void *payload, size_t len)
{
    static const uint8_t mask[4] = { 0x12, 0x34, 0x56, 0x78 };
    size_t n = 2;

    out[0] = first;
    if (len < 126) {
        out[1] = (uint8_t)(0x80 | len);
    } else if (len <= 0xffff) {
        out[1] = 0x80 | 126;
        out[2] = (uint8_t)(len >> 8);
        out[3] = (uint8_t)len;
        n = 4;
    } else {
        out[1] = 0x80 | 127;
        for (int i = 0; i < 8; i++)
            out[2 + i] = (uint8_t)((uint64_t)len >> (56 - 8 * i));
        n = 10;
    }
    memcpy(out + n, mask, 4);
    n += 4;
    for (size_t i = 0; i < len; i++)
        out[n + i] = ((const uint8_t *)payload)[i] ^ mask[i % 4];
    return n + len;
}

static unused_ bool ws_send(struct raw *r, uint8_t first, const void *payload, size_t len)
{
    scoped(free) uint8_t *frame = must_malloc(len + 14);

    return raw_send(r, frame, ws_frame(frame, first, payload, len));
}

struct ws_got {
    int opcode; /* -1: the connection ended */
    size_t len;
    uint8_t payload[70000]; /* NUL-terminated */
};

/* The next frame of the server. */
static unused_ void ws_recv(struct raw *r, struct ws_got *got)
{
    uint8_t head[4];

    got->opcode = -1;
    got->len = 0;
    got->payload[0] = '\0';
    if (raw_recv_all(r, head, 2) != 2)
        return;
    got->len = head[1];
    if (head[1] == 126) {
        if (raw_recv_all(r, head + 2, 2) != 2)
            return;
        got->len = (size_t)head[2] << 8 | head[3];
    }
    must(head[1] < 127 && (head[0] & 0x80));
    if (raw_recv_all(r, got->payload, got->len) != got->len)
        return;
    got->payload[got->len] = '\0';
    got->opcode = head[0] & 0xf;
}

static unused_ int ws_close_code(const struct ws_got *got)
{
    return got->opcode == 8 && got->len >= 2 ? got->payload[0] << 8 | got->payload[1] : -1;
}

/* Binary messages' bytes until `len` of them, or anything else but a ping. */
static unused_ size_t ws_recv_bytes(struct raw *r, void *out, size_t len)
{
    static struct ws_got got;
    size_t have = 0;

    while (have < len) {
        ws_recv(r, &got);
        if (got.opcode == 9)
            continue;
        if (got.opcode != 2 || have + got.len > len)
            break;
        memcpy((char *)out + have, got.payload, got.len);
        have += got.len;
    }
    return have;
}

#endif
