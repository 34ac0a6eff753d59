/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two directions, each with at most one piece held back:
 *
 *   inbound   client's frames -> plain bytes.  What the plain side does not take stays,
 *             decoded, with the undecoded rest of its chunk, and the client is not read.
 *   outbound  plain bytes -> a frame a read.  What the client does not take stays, and
 *             the plain side is not read.  Pongs, pings and the close go between frames.
 */
#include "http/wsock.h"

#include <errno.h>
#include <gnutls/crypto.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/must.h"
#include "base/scope.h"
#include "base/str.h"
#include "http/stream_internal.h"

enum {
    CHUNK_BYTES = 16 * 1024,   /* one TLS record, the frame's head included */
    CHUNKS_AT_ONCE = 16,       /* then the loop's other descriptors have their turn */
    DROPPED_MAX = 1024 * 1024, /* of who does not end although it was told to */
    LAST_BYTES_MS = 5 * 1000,
    LINGER_MS = 10 * 1000,
    GOODBYE_MS = 500, /* when we leave: for the frame that is on its way */
    SHORT_LINGER_MS = 250,
    KEY_BYTES = 16,
};

enum phase {
    OPEN,
    CLOSING,   /* a close frame waits its turn, or is on its way */
    LINGERING, /* the client is told; reading on until both sides have ended, or time is up */
};

struct wsock {
    struct stream *client, *plain;
    bool is_datagrams;
    enum phase phase;
    int64_t ping_ms;
    int64_t sent_ms; /* when the client was last sent something */
    struct loop_timer *timer;
    wsock_done_fn *done;
    void *arg;

    /* inbound */
    struct ws_reader reader;
    uint8_t *in; /* what the plain side has not taken, and what is not decoded yet */
    size_t in_off, in_plain, in_len; /* decoded bytes to send: [off, off + plain) */
    struct buf datagram;             /* pieces of a message that is not whole */
    bool is_refused;                 /* what the client sends is dropped: it was not the protocol */
    bool is_deaf;                    /* the plain side takes no more */
    bool has_client_ended;           /* nothing more will be read from it */
    bool is_told;                    /* and the plain side knows */

    /* outbound */
    uint8_t *out; /* a frame, from out_off */
    size_t out_off, out_len;
    bool has_pong, wants_ping;
    uint8_t pong[WS_CONTROL_MAX];
    uint8_t pong_len;
    uint8_t *close; /* the close frame, until it is sent */
    size_t close_len;
    bool has_plain_ended;
    size_t dropped;  /* bytes that came after the client's end */
    bool is_leaving; /* from this side: be quick */
};

static void on_client(struct stream *s, int events, void *arg);
static void on_plain(struct stream *s, int events, void *arg);

/* ---- the handshake ---- */

bool wsock_accept(const struct http_headers *request, char ret_accept[WS_ACCEPT_MAX],
                  struct error *e)
{
    static const char magic[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    const char *key = http_headers_get(request, "Sec-WebSocket-Key");
    const char *version = http_headers_get(request, "Sec-WebSocket-Version");
    uint8_t digest[20];
    size_t len = 0;

    if (!http_headers_has_token(request, "Upgrade", "websocket") ||
        !http_headers_has_token(request, "Connection", "upgrade") || !key) {
        error_set(e, ERR_BAD_REQUEST, "this is a websocket: send an Upgrade request");
        return false;
    }
    scoped(free) void *nonce = str_unbase64(key, &len);
    if (!nonce || len != KEY_BYTES) {
        error_set(e, ERR_BAD_REQUEST, "Sec-WebSocket-Key is not 16 bytes in base64");
        return false;
    }
    if (!streq(version, "13")) {
        error_set(e, ERR_BAD_REQUEST, "Sec-WebSocket-Version must be 13");
        return false;
    }
    scoped(free) char *text = must_asprintf("%s%s", key, magic);
    must(gnutls_hash_fast(GNUTLS_DIG_SHA1, text, strlen(text), digest) == 0);
    scoped(free) char *accept = str_base64(digest, sizeof(digest));
    (void)snprintf(ret_accept, WS_ACCEPT_MAX, "%s", accept);
    return true;
}

/* ---- the end ---- */

static void wsock_end(struct wsock *w)
{
    wsock_done_fn *done = w->done;
    void *arg = w->arg;

    loop_timer_free(w->timer);
    stream_close(w->client);
    stream_close(w->plain);
    buf_done(&w->datagram);
    free(w->in);
    free(w->out);
    free(w->close);
    free(w);
    done(arg);
}

/* From now on only a close frame follows what is being sent. */
static void start_closing(struct wsock *w, int code, const char *reason)
{
    uint8_t frame[WS_CONTROL_FRAME_MAX];

    if (w->phase != OPEN)
        return;
    w->phase = CLOSING;
    w->close_len = ws_write_close(frame, code, reason);
    w->close = must_malloc(w->close_len);
    memcpy(w->close, frame, w->close_len);
    loop_timer_set(w->timer, LAST_BYTES_MS);
}

/* ---- outbound ---- */

/* 1: nothing is held; STREAM_AGAIN; STREAM_FAILED. */
static int push_out(struct wsock *w)
{
    if (w->out)
        stream_expect_more(w->client, false);
    while (w->out) {
        ssize_t n = stream_write(w->client, w->out + w->out_off, w->out_len - w->out_off);
        if (n <= 0)
            return n == STREAM_AGAIN ? STREAM_AGAIN : STREAM_FAILED;
        w->out_off += (size_t)n;
        if (w->out_off < w->out_len)
            continue;
        free(w->out);
        w->out = NULL;
    }
    return 1;
}

/* Nothing is held: send this whole frame, and hold what is not taken. */
static int send_frame(struct wsock *w, const uint8_t *data, size_t len)
{
    w->sent_ms = clock_mono_ms(&clock_real);
    while (len > 0) {
        ssize_t n = stream_write(w->client, data, len);
        if (n == STREAM_AGAIN) {
            w->out = must_malloc(len);
            memcpy(w->out, data, len);
            w->out_len = len;
            w->out_off = 0;
            return STREAM_AGAIN;
        }
        if (n <= 0)
            return STREAM_FAILED;
        data += n;
        len -= (size_t)n;
    }
    return 1;
}

/* Pong, ping, close: whatever waits for the end of a frame.  As push_out. */
static int push_controls(struct wsock *w)
{
    uint8_t frame[WS_CONTROL_FRAME_MAX];

    int r = push_out(w);
    if (w->phase != OPEN && !w->close)
        return r; /* nothing follows a close frame */
    if (r == 1 && w->has_pong) {
        w->has_pong = false;
        r = send_frame(w, frame, ws_write_control(frame, WS_PONG, w->pong, w->pong_len));
    }
    if (r == 1 && w->wants_ping) {
        w->wants_ping = false;
        r = send_frame(w, frame, ws_write_control(frame, WS_PING, NULL, 0));
    }
    return r;
}

/* errno of its failure, 0 without one. */
static void plain_ended(struct wsock *w, int why)
{
    w->has_plain_ended = true;
    if (why == 0 || w->is_deaf)
        start_closing(w, WS_CODE_NORMAL, "");
    else if (why == ECONNRESET)
        start_closing(w, WS_CODE_NORMAL, "the machine reset the connection");
    else
        start_closing(w, WS_CODE_GOING_AWAY, "the connection to the machine broke");
}

/* One read of the plain side becomes one frame.  As send_frame; 0: there was nothing to read. */
static int pull_plain(struct wsock *w, uint8_t *buffer, size_t size)
{
    uint8_t *payload = buffer + WS_SERVER_HEAD_MAX;
    uint8_t head[WS_SERVER_HEAD_MAX];
    ssize_t n = stream_read(w->plain, payload, size - WS_SERVER_HEAD_MAX);

    if (n == STREAM_AGAIN)
        return 0;
    if (n == STREAM_EOF && w->is_datagrams)
        return 1; /* an empty one */
    /* Nobody listens on that port now; somebody may at the next datagram. */
    if (n == STREAM_FAILED && w->is_datagrams && errno == ECONNREFUSED)
        return 1;
    if (n <= 0) {
        plain_ended(w, n == STREAM_FAILED ? errno : 0);
        return 0;
    }
    /* A full read is seldom the last. */
    stream_expect_more(w->client, (size_t)n == size - WS_SERVER_HEAD_MAX);
    size_t head_len = ws_write_head(head, WS_BINARY, (size_t)n);
    memcpy(payload - head_len, head, head_len);
    return send_frame(w, payload - head_len, head_len + (size_t)n);
}

/* Nobody wants it any more: see that the plain side can end. */
static void drop_plain(struct wsock *w)
{
    char chunk[CHUNK_BYTES];
    ssize_t n = 1;

    for (int i = 0; n > 0 && i < CHUNKS_AT_ONCE; i++) {
        n = stream_read(w->plain, chunk, sizeof(chunk));
        w->dropped += n > 0 ? (size_t)n : 0;
    }
    if (n == STREAM_EOF || n == STREAM_FAILED || w->dropped > DROPPED_MAX)
        w->has_plain_ended = true;
}

/* STREAM_FAILED when the client takes no more. */
static int move_out(struct wsock *w)
{
    uint8_t chunk[CHUNK_BYTES];
    scoped(free) uint8_t *large = NULL;
    uint8_t *buffer = chunk;
    size_t size = sizeof(chunk);

    if (w->phase == LINGERING && !w->has_plain_ended && !w->is_datagrams)
        drop_plain(w);
    int r = push_controls(w);
    if (r == 1 && w->phase == OPEN && w->is_datagrams) {
        size = WS_SERVER_HEAD_MAX + WS_DATAGRAM_MAX;
        buffer = large = must_malloc(size);
    }
    for (int i = 0; r == 1 && w->phase == OPEN && i < CHUNKS_AT_ONCE; i++)
        r = pull_plain(w, buffer, size);
    if (!w->out)
        stream_push(w->client);
    return r == 0 ? 1 : r;
}

/* ---- inbound ---- */

/* Close, and drop what still comes: a socket that is closed with bytes unread takes the close
 * frame back. */
static void refuse(struct wsock *w, int code, const char *why)
{
    w->is_refused = true;
    start_closing(w, code, why);
}

/* A piece of a message that is to be a datagram; it goes or is lost, as they do. */
static void take_datagram_piece(struct wsock *w, const struct ws_piece *p)
{
    if (w->datagram.len + p->len > WS_DATAGRAM_MAX) {
        refuse(w, WS_CODE_TOO_BIG, "a datagram has at most 65507 bytes");
        return;
    }
    if (p->is_end && w->datagram.len == 0) {
        (void)stream_write(w->plain, p->data, p->len);
        return;
    }
    (void)buf_add(&w->datagram, p->data, p->len);
    if (!p->is_end)
        return;
    (void)stream_write(w->plain, w->datagram.data, w->datagram.len);
    buf_done(&w->datagram);
    w->datagram = BUF_INIT(0);
}

/* Bytes for the plain side; *ret_done of them are with it.  1 or STREAM_AGAIN. */
static int send_plain(struct wsock *w, const uint8_t *data, size_t len, size_t *ret_done)
{
    *ret_done = 0;
    while (*ret_done < len && !w->is_deaf) {
        ssize_t n = stream_write(w->plain, data + *ret_done, len - *ret_done);
        if (n == STREAM_AGAIN)
            return STREAM_AGAIN;
        if (n <= 0)
            w->is_deaf = true; /* what it said before is still read; its end tells the rest */
        else
            *ret_done += (size_t)n;
    }
    return 1;
}

static void take_control(struct wsock *w, const struct ws_piece *p)
{
    if (p->event == WS_EVENT_PING) { /* the last one's answer stands for all */
        w->has_pong = true;
        w->pong_len = (uint8_t)p->len;
        memcpy(w->pong, p->data, p->len);
    } else if (p->event == WS_EVENT_BAD) {
        refuse(w, WS_CODE_PROTOCOL, p->why);
    } else if (p->event == WS_EVENT_CLOSE) {
        start_closing(w, p->code == WS_CODE_NONE ? WS_CODE_NORMAL : p->code, "");
        w->has_client_ended = true;
    }
}

/* From `at` on: `plain` decoded bytes, then some that are not. */
static void hold_in(struct wsock *w, const uint8_t *at, size_t plain, const uint8_t *end)
{
    w->in_len = (size_t)(end - at);
    w->in = must_malloc(w->in_len);
    memcpy(w->in, at, w->in_len);
    w->in_off = 0;
    w->in_plain = plain;
}

/* Decode what is here.  1: all of it; STREAM_AGAIN: the rest is held. */
static int take_in(struct wsock *w, uint8_t *data, size_t len)
{
    struct ws_piece p = { 0 };
    size_t at = 0, done;

    while (!w->has_client_ended && !w->is_refused) {
        at += ws_read(&w->reader, data + at, len - at, &p);
        if (p.event == WS_EVENT_MORE)
            break;
        if (p.event != WS_EVENT_DATA) {
            take_control(w, &p);
            continue;
        }
        if (p.is_text)
            continue;
        if (w->is_datagrams) {
            take_datagram_piece(w, &p);
        } else if (send_plain(w, p.data, p.len, &done) == STREAM_AGAIN) {
            hold_in(w, p.data + done, p.len - done, data + len);
            return STREAM_AGAIN;
        }
    }
    return 1;
}

/* What was held, first the decoded part.  As take_in. */
static int push_in(struct wsock *w)
{
    size_t done;

    if (!w->in)
        return 1;
    stream_expect_more(w->plain, false);
    int r = send_plain(w, w->in + w->in_off, w->in_plain, &done);
    w->in_off += done;
    w->in_plain -= done;
    if (r != 1)
        return r;
    scoped(free) uint8_t *held = TAKE(w->in);
    return take_in(w, held + w->in_off, w->in_len - w->in_off);
}

/* The client is gone, without a word or while we wrote: nobody reads what is left for it. */
static void client_broke(struct wsock *w)
{
    w->has_client_ended = true;
    free(w->out);
    free(w->close);
    w->out = NULL;
    w->close = NULL;
    if (w->phase == LINGERING)
        return;
    w->phase = LINGERING;
    loop_timer_set(w->timer, w->is_leaving ? SHORT_LINGER_MS : LINGER_MS);
}

static void move_some_in(struct wsock *w)
{
    uint8_t chunk[CHUNK_BYTES];

    int r = push_in(w);
    for (int i = 0; r == 1 && !w->has_client_ended && i < CHUNKS_AT_ONCE; i++) {
        ssize_t n = stream_read(w->client, chunk, sizeof(chunk));
        if (n == STREAM_AGAIN)
            return;
        if (n <= 0) {
            client_broke(w);
            return;
        }
        if (!w->is_datagrams) /* which it would make one of */
            stream_expect_more(w->plain, stream_has_read_ahead(w->client));
        r = take_in(w, chunk, (size_t)n);
        if ((size_t)n < sizeof(chunk) && !stream_has_read_ahead(w->client))
            return;
    }
}

static void move_in(struct wsock *w)
{
    move_some_in(w);
    if (!w->in)
        stream_push(w->plain);
}

/* ---- together ---- */

static void watch(struct wsock *w)
{
    int client = 0, plain = 0;

    if (!w->in && !w->has_client_ended)
        client |= LOOP_READ;
    if (w->out || w->phase == CLOSING)
        client |= LOOP_WRITE;
    if (w->in)
        plain |= LOOP_WRITE;
    if ((w->phase == OPEN && !w->out) || (w->phase == LINGERING && !w->has_plain_ended))
        plain |= LOOP_READ;
    stream_want(w->client, client, on_client, w);
    stream_want(w->plain, plain, on_plain, w);
}

/* The close frame once nothing is before it, then the FIN.  STREAM_FAILED: the client is gone. */
static int go_on_closing(struct wsock *w)
{
    if (w->phase != CLOSING || w->out)
        return 1;
    if (w->close) {
        scoped(free) uint8_t *frame = TAKE(w->close);
        if (send_frame(w, frame, w->close_len) == STREAM_FAILED)
            return STREAM_FAILED;
    }
    int r = w->out ? STREAM_AGAIN : stream_flush(w->client);
    if (r == 1) {
        stream_shutdown(w->client);
        w->phase = LINGERING;
        loop_timer_set(w->timer, w->is_leaving ? SHORT_LINGER_MS : LINGER_MS);
    }
    return r;
}

/* The client said all: the plain side is told, once it has been passed on. */
static void tell_plain(struct wsock *w)
{
    if (!w->has_client_ended || w->in || w->is_told)
        return;
    w->is_told = true;
    if (!w->is_datagrams)
        stream_shutdown(w->plain);
}

static bool is_over(const struct wsock *w)
{
    return w->phase == LINGERING && w->is_told && (w->has_plain_ended || w->is_datagrams);
}

/* What can be done, is: inbound, outbound or both. */
static void turn(struct wsock *w, bool is_in, bool is_out)
{
    if (is_in)
        move_in(w);
    int r = is_out ? move_out(w) : push_controls(w);
    if (r != STREAM_FAILED)
        r = go_on_closing(w);
    if (r == STREAM_FAILED)
        client_broke(w);
    tell_plain(w);
    if (is_over(w))
        wsock_end(w);
    else
        watch(w);
}

static void on_client(struct stream *s, int events, void *arg)
{
    turn(arg, events & LOOP_READ, events & LOOP_WRITE);
}

static void on_plain(struct stream *s, int events, void *arg)
{
    turn(arg, events & LOOP_WRITE, events & LOOP_READ);
}

static void on_timer(void *arg)
{
    struct wsock *w = arg;

    if (w->phase != OPEN) {
        wsock_end(w);
        return;
    }
    int64_t idle_ms = clock_mono_ms(&clock_real) - w->sent_ms;
    bool is_due = idle_ms >= w->ping_ms;

    if (stream_silent_ms(w->client) > STREAM_LOST_MS) {
        wsock_end(w);
        return;
    }
    loop_timer_set(w->timer, is_due ? w->ping_ms : w->ping_ms - idle_ms);
    if (!is_due)
        return;
    w->wants_ping = true;
    turn(w, false, false);
}

struct wsock *wsock_start(struct stream *client, struct stream *plain,
                          const struct wsock_options *o, wsock_done_fn *done, void *arg)
{
    struct wsock *w = must_calloc(1, sizeof(*w));

    w->client = client;
    w->plain = plain;
    w->is_datagrams = o->is_datagrams;
    w->ping_ms = o->ping_ms > 0 ? o->ping_ms : WS_PING_MS;
    w->sent_ms = clock_mono_ms(&clock_real);
    w->done = done;
    w->arg = arg;
    w->timer = loop_timer_new(stream_loop(client), w->ping_ms, on_timer, w);
    watch(w);
    return w;
}

void wsock_say_goodbye(struct wsock *w, int code, const char *reason)
{
    w->is_leaving = true;
    start_closing(w, code, reason);
    loop_timer_set(w->timer, GOODBYE_MS);
    turn(w, false, false);
}
