/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Websocket frames (RFC 6455, section 5) as functions of bytes: what a client
 * sends, decoded in place, what a server sends, and where its frames end.  Any
 * thread, pure; nothing is allocated.
 */
#ifndef HTTP_WSFRAME_H
#define HTTP_WSFRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum ws_opcode {
    WS_CONTINUATION = 0,
    WS_TEXT = 1,
    WS_BINARY = 2,
    WS_CLOSE = 8,
    WS_PING = 9,
    WS_PONG = 10,
};

enum {
    WS_HEAD_MAX = 14,       /* of any frame */
    WS_SERVER_HEAD_MAX = 4, /* of ours: not masked, payload below 64 KiB */
    WS_PAYLOAD_MAX = 65535, /* of ours */
    WS_CONTROL_MAX = 125,   /* payload of a ping, pong or close */
};

enum ws_code {
    WS_CODE_NORMAL = 1000,
    WS_CODE_GOING_AWAY = 1001,
    WS_CODE_PROTOCOL = 1002,
    WS_CODE_NONE = 1005, /* a close frame without one; never sent */
    WS_CODE_TOO_BIG = 1009,
    WS_CODE_INTERNAL = 1011,
};

/* ---- the head of a frame, byte by byte ---- */

/* Zero-initialise; after a whole one, again for the next. */
struct ws_head {
    uint8_t bytes[WS_HEAD_MAX];
    uint8_t len; /* of bytes, so far */
    /* once it is whole */
    uint8_t opcode, reserved; /* as sent: reserved bits are not 0 only by mistake */
    bool is_final, is_masked;
    uint64_t payload_len;
};

/* Take bytes; how many.  *ret_whole when nothing more belongs to the head. */
size_t ws_head_feed(struct ws_head *h, const void *data, size_t len, bool *ret_whole);

/* ---- what a client sends ---- */

enum ws_event {
    WS_EVENT_MORE, /* all bytes were taken, nothing to tell */
    WS_EVENT_DATA, /* bytes of a message, also of length 0 at its end */
    WS_EVENT_PING, /* data is what the pong must carry */
    WS_EVENT_PONG,
    WS_EVENT_CLOSE, /* code, and data is the reason; nothing may follow */
    WS_EVENT_BAD,   /* why says what; close with WS_CODE_PROTOCOL; nothing may follow */
};

struct ws_piece {
    enum ws_event event;
    uint8_t
        *data; /* of a message: inside what was fed; else inside the reader, until the next call */
    size_t len;
    bool is_text; /* of a message */
    bool is_end;  /* the last piece of its message */
    int code;
    const char *why;
};

/* Zero-initialise. */
struct ws_reader {
    struct ws_head head;
    bool is_in_payload;
    uint64_t left; /* of the payload */
    uint8_t mask[4];
    uint8_t mask_at;
    bool is_in_message; /* one that has begun and not ended */
    bool is_text;       /* it */
    uint8_t control_len;
    uint8_t control[WS_CONTROL_MAX];
};

/*
 * Take bytes up to the next event; how many.  They are unmasked where they are.  Call again with
 * the rest until WS_EVENT_MORE.
 */
size_t ws_read(struct ws_reader *r, void *data, size_t len, struct ws_piece *ret);

/* ---- what a server sends ---- */

/* The head of a final frame with this much payload (at most WS_PAYLOAD_MAX).  Its length. */
size_t ws_write_head(uint8_t out[WS_SERVER_HEAD_MAX], enum ws_opcode opcode, size_t payload_len);

enum { WS_CONTROL_FRAME_MAX = WS_SERVER_HEAD_MAX + WS_CONTROL_MAX };
/* A whole ping or pong (payload cut at WS_CONTROL_MAX); its length. */
size_t ws_write_control(uint8_t out[WS_CONTROL_FRAME_MAX], enum ws_opcode opcode, const void *data,
                        size_t len);
/* A whole close; the reason is cut at a character, to what fits. */
size_t ws_write_close(uint8_t out[WS_CONTROL_FRAME_MAX], int code, const char *reason);

/* ---- where the frames of a server end ---- */

/* Zero-initialise: between two frames. */
struct ws_bounds {
    struct ws_head head;
    uint64_t left;  /* of the payload */
    bool is_closed; /* a close frame has begun */
};

void ws_bounds_feed(struct ws_bounds *b, const void *data, size_t len);
/* May another frame begin here? */
bool ws_bounds_is_between(const struct ws_bounds *b);
/* Inside a frame: at least so many bytes belong to it still (1 or more). */
uint64_t ws_bounds_left(const struct ws_bounds *b);

#endif
