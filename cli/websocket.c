/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Frames by http/wsframe.h over a connection by http/tunnel.h, in one poll loop.  A server's frames
 * are decoded as they come, without waiting for a whole message; ours are one at a time, so that a
 * pong waits for 32 KiB at most.
 */
#include "cli/websocket.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/digest.h"
#include "base/jpath.h"
#include "base/must.h"
#include "base/str.h"
#include "http/mux.h"
#include "http/tunnel.h"
#include "http/wsframe.h"
#include "kube/client.h"
#include "kube/config.h"

enum {
    RAW_BYTES = 64 * 1024,
    DATAGRAM_MAX = 65507,
    PIPE_BYTES = 4096, /* what a pipe that can be written takes without blocking */
    PING_MS = 15 * 1000,
    SILENCE_MS = 45 * 1000,
    LINGER_MS = 2 * 1000,
    GOODBYE_MS = 1000, /* for our close frame to leave */
    MASK_BYTES = 4,
};

struct websocket {
    struct http_tunnel *tunnel;
    bool is_mux;
    websocket_text_fn *on_text;
    void *text_arg;

    /* what came */
    uint8_t raw[RAW_BYTES];
    size_t raw_len, raw_at;
    bool has_more; /* the connection was not read to its end yet */
    struct ws_head head;
    bool is_in_payload, is_in_message, is_text;
    uint64_t left; /* of the payload */
    uint8_t control[WS_CONTROL_MAX];
    size_t control_len;
    struct buf text;
    struct buf in;    /* for the local side */
    bool is_datagram; /* `in` holds one message at most; */
    bool is_whole;    /* and it has ended */

    /* what goes */
    struct buf out;

    bool is_over; /* closed or broken: nothing more comes */
    bool has_said_goodbye;
    int close_code;
    char close_reason[WEBSOCKET_REASON_MAX];
    int64_t heard_ms, moved_ms; /* anything from the server; data either way */
    bool is_pinged;
};

static int64_t now_ms(void)
{
    return clock_mono_ms(&clock_real);
}

/* ---- sending ---- */

/* Client's frames are masked (RFC 6455, 5.3): against confused proxies, not for secrecy. */
static void add_frame(struct websocket *w, enum ws_opcode opcode, const void *data, size_t len)
{
    uint8_t head[WS_SERVER_HEAD_MAX];
    uint8_t mask[MASK_BYTES];
    size_t head_len = ws_write_head(head, opcode, len);

    random_bytes(mask, sizeof(mask));
    head[1] |= 0x80;
    (void)buf_add(&w->out, head, head_len);
    (void)buf_add(&w->out, mask, sizeof(mask));
    char *to = buf_extend(&w->out, len);
    must(to);
    for (size_t i = 0; i < len; i++)
        to[i] = (char)(((const uint8_t *)data)[i] ^ mask[i % MASK_BYTES]);
}

static void say_goodbye(struct websocket *w, int code)
{
    uint8_t payload[] = { (uint8_t)(code >> 8), (uint8_t)code };

    if (w->has_said_goodbye || w->is_over)
        return;
    w->has_said_goodbye = true;
    add_frame(w, WS_CLOSE, payload, code == WS_CODE_NONE ? 0 : sizeof(payload));
}

static void flush(struct websocket *w)
{
    while (w->out.len > 0) {
        ssize_t n = http_tunnel_write(w->tunnel, w->out.data, w->out.len);

        if (n == TUNNEL_FAILED)
            w->is_over = true;
        if (n <= 0)
            return;
        buf_consume(&w->out, (size_t)n);
    }
}

/* ---- receiving ---- */

static void fail(struct websocket *w, const char *why)
{
    say_goodbye(w, WS_CODE_PROTOCOL);
    flush(w);
    w->is_over = true;
    w->close_code = WS_CODE_PROTOCOL;
    (void)snprintf(w->close_reason, sizeof(w->close_reason), "%s", why);
}

static bool is_control(const struct ws_head *h)
{
    return h->opcode >= WS_CLOSE;
}

static const char *fault(const struct websocket *w)
{
    const struct ws_head *h = &w->head;

    if (h->reserved || h->is_masked)
        return "the server sent a frame with bits that were not agreed on";
    if (is_control(h))
        return h->opcode > WS_PONG || !h->is_final || h->payload_len > WS_CONTROL_MAX
                   ? "the server sent a malformed control frame"
                   : NULL;
    if (h->opcode > WS_BINARY || (h->opcode == WS_CONTINUATION) != w->is_in_message)
        return "the server's messages are not in order";
    return NULL;
}

static void begin_payload(struct websocket *w)
{
    w->left = w->head.payload_len;
    w->is_in_payload = true;
    w->control_len = 0;
    if (w->head.opcode == WS_TEXT || w->head.opcode == WS_BINARY) {
        w->is_in_message = true;
        w->is_text = w->head.opcode == WS_TEXT;
        buf_clear(&w->text);
    }
}

static void end_control(struct websocket *w)
{
    size_t len = w->control_len;

    if (w->head.opcode == WS_PING && !w->has_said_goodbye)
        add_frame(w, WS_PONG, w->control, len);
    if (w->head.opcode != WS_CLOSE)
        return;
    w->close_code = len >= 2 ? w->control[0] << 8 | w->control[1] : WS_CODE_NONE;
    if (len > 2) {
        memcpy(w->close_reason, w->control + 2, len - 2);
        w->close_reason[len - 2] = '\0';
    }
    str_make_utf8(w->close_reason);
    say_goodbye(w, w->close_code);
    flush(w);
    w->is_over = true;
}

static void end_message(struct websocket *w)
{
    w->is_in_message = false;
    if (!w->is_text)
        w->is_whole = true;
    else if (w->on_text && w->text.len > 0 && !w->text.truncated)
        w->on_text(w->text.data, w->text_arg);
}

static void end_frame(struct websocket *w)
{
    w->is_in_payload = false;
    if (is_control(&w->head))
        end_control(w);
    else if (w->head.is_final)
        end_message(w);
    w->head = (struct ws_head){ 0 };
}

static bool has_room(const struct websocket *w)
{
    return w->is_datagram ? !w->is_whole : w->in.len < WEBSOCKET_PENDING;
}

/* Some bytes of what was read: of a head, or of a payload. */
static void decode_some(struct websocket *w)
{
    const uint8_t *at = w->raw + w->raw_at;
    size_t len = w->raw_len - w->raw_at;

    if (!w->is_in_payload) {
        bool is_whole;

        w->raw_at += ws_head_feed(&w->head, at, len, &is_whole);
        if (!is_whole)
            return;
        const char *why = fault(w);
        if (why) {
            fail(w, why);
            return;
        }
        begin_payload(w);
    } else {
        size_t n = len < w->left ? len : (size_t)w->left;

        if (is_control(&w->head)) {
            memcpy(w->control + w->control_len, at, n);
            w->control_len += n;
        } else if (!buf_add(w->is_text ? &w->text : &w->in, at, n) && !w->is_text) {
            fail(w, "the server's message does not fit into a datagram");
            return;
        }
        w->raw_at += n;
        w->left -= n;
    }
    if (w->is_in_payload && w->left == 0)
        end_frame(w);
}

/* Read and decode while there is something, and room for it. */
static void fill(struct websocket *w)
{
    while (!w->is_over && has_room(w)) {
        if (w->raw_at < w->raw_len) {
            decode_some(w);
            continue;
        }
        ssize_t n = http_tunnel_read(w->tunnel, w->raw, sizeof(w->raw));
        w->raw_at = 0;
        w->raw_len = n > 0 ? (size_t)n : 0;
        w->has_more = n > 0;
        if (n == TUNNEL_AGAIN)
            return;
        if (n <= 0)
            w->is_over = true;
        w->heard_ms = w->moved_ms = now_ms();
        w->is_pinged = false;
    }
}

/* ---- silence ---- */

/* Ping a server that says nothing; a dead one is given up.  Until when nothing needs doing. */
static int64_t keep_alive(struct websocket *w, int64_t now)
{
    if (!has_room(w) || w->is_over)
        return now + PING_MS; /* it is we who do not listen */
    if (now >= w->heard_ms + SILENCE_MS) {
        w->is_over = true;
        (void)snprintf(w->close_reason, sizeof(w->close_reason),
                       "the server has not been heard of for %d s", SILENCE_MS / 1000);
    } else if (now >= w->heard_ms + PING_MS && !w->is_pinged && !w->has_said_goodbye) {
        w->is_pinged = true;
        add_frame(w, WS_PING, NULL, 0);
    }
    return w->heard_ms + (w->is_pinged ? SILENCE_MS : PING_MS);
}

/* poll() for the server besides others; events[0] is the server's. */
static void wait_all(struct websocket *w, struct pollfd *p, size_t n, int64_t until, bool now)
{
    int64_t left = until - now_ms();

    p[0].fd = http_tunnel_fd(w->tunnel);
    p[0].events = (short)((has_room(w) ? POLLIN : 0) | (w->out.len > 0 ? POLLOUT : 0));
    if (p[0].events == 0 || w->is_over)
        p[0].fd = -1;
    if (poll(p, n, now ? 0 : left < 0 ? 0 : left > PING_MS ? PING_MS : (int)left) < 0)
        for (size_t i = 0; i < n; i++)
            p[i].revents = 0;
    if (p[0].revents & (POLLIN | POLLHUP | POLLERR))
        w->has_more = true;
}

int websocket_wait(struct websocket *w, const int fds[], size_t n, int64_t timeout_ms)
{
    int64_t end = timeout_ms < 0 ? INT64_MAX : now_ms() + timeout_ms;
    struct pollfd p[1 + WEBSOCKET_WAIT_MAX] = { 0 };

    must(n <= WEBSOCKET_WAIT_MAX);
    for (;;) {
        if (w->has_more)
            fill(w);
        int64_t until = keep_alive(w, now_ms());
        flush(w);
        if (w->is_over && w->in.len == 0)
            return -1;
        for (size_t i = 0; i < n; i++)
            p[1 + i] = (struct pollfd){ .fd = fds[i], .events = POLLIN };
        wait_all(w, p, 1 + n, until < end ? until : end, false);
        for (size_t i = 0; i < n; i++)
            if (p[1 + i].revents)
                return (int)i + 1;
        if (now_ms() >= end)
            return 0;
    }
}

/* ---- copying ---- */

struct copy {
    struct websocket *w;
    const struct websocket_local *local;
    size_t chunk;
    bool is_in_over, is_out_over, is_asked_to_end;
};

static bool can_write_now(int fd)
{
    struct pollfd p = { .fd = fd, .events = POLLOUT };

    return poll(&p, 1, 0) > 0;
}

/* Sockets take what they can; a terminal or pipe what it takes without blocking. */
static ssize_t write_some(int fd, const char *data, size_t len)
{
    ssize_t n = send(fd, data, len, MSG_NOSIGNAL | MSG_DONTWAIT);

    if (n >= 0 || errno != ENOTSOCK)
        return n;
    errno = EAGAIN;
    return can_write_now(fd) ? write(fd, data, len < PIPE_BYTES ? len : PIPE_BYTES) : -1;
}

static bool has_something(const struct websocket *w)
{
    return w->is_datagram ? w->is_whole : w->in.len > 0;
}

static void deliver(struct copy *c)
{
    struct websocket *w = c->w;
    size_t done = 0;

    while (has_something(w) && done < w->in.len) {
        ssize_t n = write_some(c->local->out, w->in.data + done, w->in.len - done);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && !w->is_datagram && errno != EAGAIN)
            c->is_out_over = true;
        if (n < 0 && !w->is_datagram)
            break;
        done += n < 0 ? w->in.len : (size_t)n; /* a datagram may get lost */
    }
    buf_consume(&w->in, done < w->in.len ? done : w->in.len);
    if (w->in.len == 0)
        w->is_whole = false;
}

/* One chunk of the local side's, when the one before has left. */
static void take(struct copy *c)
{
    static _Thread_local char data[DATAGRAM_MAX];
    ssize_t n = read(c->local->in, data, c->chunk);

    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n < 0 && c->local->is_datagrams)
        return; /* an ICMP error of an earlier one */
    if (n <= 0 && !c->local->is_datagrams) {
        c->is_in_over = true;
        c->is_asked_to_end = !c->local->is_half_open;
    } else if (c->local->is_end && c->local->is_end(data, (size_t)n)) {
        c->is_asked_to_end = true;
    } else {
        add_frame(c->w, WS_BINARY, data, (size_t)n);
    }
    c->w->moved_ms = now_ms();
}

/* Until when may nothing happen before it is over?  In the past: it is. */
static int64_t end_of_patience(const struct copy *c)
{
    int64_t idle = c->local->idle_ms;

    if (c->is_in_over)
        return c->w->moved_ms + LINGER_MS;
    return idle > 0 ? c->w->moved_ms + idle : INT64_MAX;
}

static void wait_copy(struct copy *c, int64_t until, struct pollfd p[3])
{
    struct websocket *w = c->w;
    bool takes = !c->is_in_over && !w->is_over && w->out.len == 0;
    bool is_busy = w->has_more && has_room(w) && !w->is_over;

    p[1] = (struct pollfd){ .fd = takes ? c->local->in : -1, .events = POLLIN };
    /* The end of `out` is noticed although nothing waits for it. */
    p[2] = (struct pollfd){ .fd = c->local->out, .events = has_something(w) ? POLLOUT : 0 };
    wait_all(w, p, 3, until, is_busy);
    if (p[2].revents & (POLLERR | POLLHUP | POLLNVAL) && !(p[1].revents & POLLIN) &&
        !c->local->is_datagrams)
        c->is_out_over = true;
}

/* Our close frame leaves, if the server takes it soon. */
static void leave(struct websocket *w)
{
    int64_t end = now_ms() + GOODBYE_MS;

    say_goodbye(w, WS_CODE_NORMAL);
    flush(w);
    while (w->out.len > 0 && !w->is_over && now_ms() < end) {
        struct pollfd p = { .fd = http_tunnel_fd(w->tunnel), .events = POLLOUT };

        (void)poll(&p, 1, GOODBYE_MS);
        flush(w);
    }
}

enum websocket_end websocket_copy(struct websocket *w, const struct websocket_local *l)
{
    struct copy c = { .w = w, .local = l };
    struct pollfd p[3];

    c.chunk = l->chunk > 0 ? l->chunk : l->is_datagrams ? DATAGRAM_MAX : WEBSOCKET_CHUNK;
    w->is_datagram = l->is_datagrams;
    w->moved_ms = now_ms();
    w->has_more = true;
    for (;;) {
        if (w->has_more)
            fill(w);
        deliver(&c);
        int64_t now = now_ms();
        int64_t until = keep_alive(w, now);
        flush(w);
        if (w->is_over && !has_something(w))
            return WEBSOCKET_REMOTE_END;
        if (c.is_out_over || c.is_asked_to_end || now >= end_of_patience(&c)) {
            leave(w);
            return WEBSOCKET_LOCAL_END;
        }
        wait_copy(&c, until < end_of_patience(&c) ? until : end_of_patience(&c), p);
        if (p[1].revents)
            take(&c);
    }
}

/* ---- the handshake ---- */

enum { KEY_BYTES = 16, DIGEST_BYTES = 20 };

static char *expected_accept(const char *key)
{
    static const char guid[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    scoped(free) char *text = must_asprintf("%s%s", key, guid);
    char hex[SHA1_HEX_MAX];
    unsigned char digest[DIGEST_BYTES];

    sha1_hex(text, strlen(text), hex);
    for (size_t i = 0; i < sizeof(digest); i++) {
        char byte[3] = { hex[2 * i], hex[2 * i + 1], '\0' };

        digest[i] = (unsigned char)strtoul(byte, NULL, 16);
    }
    return str_base64(digest, sizeof(digest));
}

/* The refusal in the server's own words. */
static int explain(const struct http_response *r, struct error *e)
{
    json_auto_t *status = NULL;
    struct error ignored;
    const char *type = http_headers_get(&r->headers, "Content-Type");
    const char *body = r->body.len > 0 ? r->body.data : "";

    if (json_parse(&status, body, r->body.len, &ignored) == 0 &&
        jpath_str(status, "message", "")[0])
        return error_set(e, error_from_http(r->status, jpath_str(status, "reason", NULL)), "%s",
                         jpath_str(status, "message", ""));
    bool is_plain = type && str_has_prefix(type, "text/plain") && r->body.len > 0;
    return error_set(e, error_from_http(r->status, NULL),
                     "Can't connect to websocket (%d): %s%s%.300s", r->status,
                     http_status_text(r->status), is_plain ? ", application info: " : "",
                     is_plain ? body : "");
}

static int check_answer(const struct http_response *r, const char *key, struct error *e)
{
    scoped(free) char *expected = expected_accept(key);

    if (r->status != 101)
        return explain(r, e);
    if (!streq(http_headers_get(&r->headers, "Sec-WebSocket-Accept"), expected))
        return error_set(e, ERR_UNAVAILABLE,
                         "Can't connect to websocket: the answer is not of a websocket");
    return 0;
}

/* What is to be opened, and the result. */
struct opening {
    struct cli *cli;
    const char *path;
    bool offers_mux;
    bool is_mux;
    struct http_tunnel *tunnel;
};

static int shake_hands(struct opening *o, struct http_tunnel *t, struct error *e)
{
    unsigned char random[KEY_BYTES];
    struct http_headers headers = { 0 };
    struct http_response answer = { 0 };

    random_bytes(random, sizeof(random));
    scoped(free) char *key = str_base64(random, sizeof(random));
    (void)http_headers_add(&headers, "Connection", "Upgrade");
    (void)http_headers_add(&headers, "Upgrade", "websocket");
    (void)http_headers_add(&headers, "Sec-WebSocket-Version", "13");
    (void)http_headers_add(&headers, "Sec-WebSocket-Key", key);
    (void)http_headers_add(&headers, "Sec-WebSocket-Protocol",
                           o->offers_mux ? MUX_PROTOCOL ", plain.kubevirt.io"
                                         : "plain.kubevirt.io");
    int r = http_tunnel_ask(t, o->path, &headers, &answer, e);
    if (r == 0)
        r = check_answer(&answer, key, e);
    o->is_mux = r == 0 && o->offers_mux &&
                streq(http_headers_get(&answer.headers, "Sec-WebSocket-Protocol"), MUX_PROTOCOL);
    http_headers_done(&headers);
    http_response_done(&answer);
    return r;
}

static int try_open(struct opening *o, struct http_tunnel *ready, struct error *e)
{
    scoped(http_tunnel_close) struct http_tunnel *t = ready;
    int r = t ? 0 : kube_config_refresh(o->cli->config, e);

    if (r == 0 && !t && http_tunnel_open(&t, kube_peek_http(o->cli->kube), e) < 0)
        r = error_wrap(e, "Can't connect to websocket");
    if (r == 0)
        r = shake_hands(o, t, e);
    if (r == 0)
        o->tunnel = TAKE(t);
    return r;
}

static int open_as(struct websocket **ret, struct opening *o, struct http_tunnel *ready,
                   struct error *e)
{
    int r = try_open(o, ready, e);

    /* A connection made before may have been closed meanwhile; credentials may have ended. */
    bool is_worn = ready && error_is_unanswered(r);
    if (is_worn || (r == -ERR_UNAUTHORIZED && kube_config_distrust(o->cli->config)))
        r = try_open(o, NULL, e);
    if (r < 0)
        return r;

    struct websocket *w = must_calloc(1, sizeof(*w));
    w->tunnel = o->tunnel;
    w->is_mux = o->is_mux;
    w->in = BUF_INIT(WEBSOCKET_PENDING + RAW_BYTES);
    w->text = BUF_INIT(WEBSOCKET_TEXT_MAX);
    w->has_more = true;
    w->close_code = 1006;
    w->heard_ms = now_ms();
    *ret = w;
    return 0;
}

int websocket_open(struct websocket **ret, struct cli *c, struct http_tunnel *ready,
                   const char *path, struct error *e)
{
    struct opening o = { .cli = c, .path = path };

    return open_as(ret, &o, ready, e);
}

int websocket_open_mux(struct websocket **ret, struct cli *c, struct http_tunnel *ready,
                       const char *path, struct error *e)
{
    struct opening o = { .cli = c, .path = path, .offers_mux = true };

    return open_as(ret, &o, ready, e);
}

bool websocket_is_mux(const struct websocket *w)
{
    return w->is_mux;
}

void websocket_on_text(struct websocket *w, websocket_text_fn *fn, void *arg)
{
    w->on_text = fn;
    w->text_arg = arg;
}

int websocket_close_code(const struct websocket *w, char reason[WEBSOCKET_REASON_MAX])
{
    memcpy(reason, w->close_reason, WEBSOCKET_REASON_MAX);
    return w->close_code;
}

void websocket_free(struct websocket *w)
{
    if (!w)
        return;
    http_tunnel_close(w->tunnel);
    buf_done(&w->in);
    buf_done(&w->out);
    buf_done(&w->text);
    free(w);
}
