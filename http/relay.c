/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bytes both ways between two streams.  A direction owns memory only while the
 * far side does not take what was read; the common case goes through one
 * buffer on the stack.
 */
#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "base/scope.h"
#include "http/stream_internal.h"
#include "http/wsframe.h"

enum {
    CHUNK_BYTES = 16 * 1024,  /* one TLS record */
    CHUNKS_AT_ONCE = 16,      /* then the loop's other descriptors have their turn */
    LAST_BYTES_MS = 5 * 1000, /* for the survivor to take what was read before the end */
    LINGER_MS = 1000,         /* for the survivor to read it, before its socket is closed */
    GOODBYE_MS = 500,         /* for the frame that is on its way when we leave, and the close */
    SHORT_LINGER_MS = 250,    /* then */
    CHECK_MS = 10 * 1000,     /* between two looks at whether the peers' hosts are there */
};

enum phase { RELAYING, LAST_BYTES, LINGERING };

struct way {
    struct stream *from;
    struct stream *to;
    char *held; /* read, not yet taken by `to` */
    size_t held_len;
    size_t held_off;
    bool is_over;             /* from has ended */
    struct ws_bounds *bounds; /* of a websocket's server: its frames are followed */
};

enum { FROM_CLIENT, FROM_SERVER };

struct relay {
    struct way way[2];
    enum phase phase;
    struct way *last;         /* the way that ended first; its `to` survives */
    struct loop_timer *timer; /* of the phase; made when it is first needed */
    bool is_checked;          /* RELAYING: the timer runs */
    bool has_moved;           /* since it was set */
    struct ws_bounds bounds;  /* of a websocket */
    const char *lost;         /* reason of a close that its server does not send itself */
    bool is_leaving;          /* from this side, when the server's frame is over */
    char *goodbye;            /* a close frame that the client is still to be sent */
    size_t goodbye_len;
    relay_done_fn *done;
    void *arg;
};

static void relay_end(struct relay *r)
{
    relay_done_fn *done = r->done;
    void *arg = r->arg;

    loop_timer_free(r->timer);
    stream_close(r->way[0].from);
    stream_close(r->way[1].from);
    free(r->way[0].held);
    free(r->way[1].held);
    free(r->goodbye);
    free(r);
    done(arg);
}

/* 1: nothing is held; STREAM_AGAIN; STREAM_FAILED. */
static int push_held(struct way *w)
{
    if (w->held)
        stream_expect_more(w->to, false);
    while (w->held) {
        ssize_t n = stream_write(w->to, w->held + w->held_off, w->held_len - w->held_off);
        if (n <= 0)
            return n == STREAM_AGAIN ? STREAM_AGAIN : STREAM_FAILED;
        w->held_off += (size_t)n;
        if (w->held_off < w->held_len)
            continue;
        free(w->held);
        w->held = NULL;
    }
    return 1;
}

static void hold(struct way *w, const char *data, size_t len)
{
    w->held = must_malloc(len);
    memcpy(w->held, data, len);
    w->held_len = len;
    w->held_off = 0;
}

static int push(struct way *w, const char *data, size_t len)
{
    while (len > 0) {
        ssize_t n = stream_write(w->to, data, len);
        if (n == STREAM_AGAIN) {
            hold(w, data, len);
            return STREAM_AGAIN;
        }
        if (n <= 0)
            return STREAM_FAILED;
        data += n;
        len -= (size_t)n;
    }
    return 1;
}

/* How much may be read: when we leave, no byte of another frame. */
static size_t readable(const struct relay *r, const struct way *w, size_t size)
{
    if (!r->is_leaving || !w->bounds)
        return size;
    uint64_t left = ws_bounds_is_between(w->bounds) ? 0 : ws_bounds_left(w->bounds);
    return left < size ? (size_t)left : size;
}

/* STREAM_FAILED when `to` takes no more. */
static int move_some(struct relay *r, struct way *w)
{
    char chunk[CHUNK_BYTES];

    int res = push_held(w);
    for (int i = 0; res == 1 && !w->is_over && i < CHUNKS_AT_ONCE; i++) {
        size_t size = readable(r, w, sizeof(chunk));
        ssize_t n = size > 0 ? stream_read(w->from, chunk, size) : STREAM_EOF;
        if (n == STREAM_AGAIN)
            return 1;
        if (n <= 0) {
            w->is_over = true;
            return 1;
        }
        r->has_moved = true;
        if (w->bounds)
            ws_bounds_feed(w->bounds, chunk, (size_t)n);
        stream_expect_more(w->to, stream_has_read_ahead(w->from));
        res = push(w, chunk, (size_t)n);
        /* A short read has emptied the socket: spare the call that would say so. */
        if ((size_t)n < size && !stream_has_read_ahead(w->from))
            return res;
    }
    return res;
}

/* Move what can be moved.  STREAM_FAILED when `to` takes no more. */
static int move(struct relay *r, struct way *w)
{
    int res = move_some(r, w);

    if (!w->held)
        stream_push(w->to);
    return res;
}

static void on_event(struct stream *s, int events, void *arg);

static void relay_watch(struct relay *r)
{
    for (int i = 0; i < 2; i++) {
        struct way *out = &r->way[i];    /* what this stream sends */
        struct way *in = &r->way[1 - i]; /* what it is sent */
        int want = 0;
        if (r->phase == RELAYING && !out->held)
            want |= LOOP_READ;
        if (r->phase == LINGERING && r->last == in)
            want |= LOOP_READ; /* and discard, until it ends too */
        if (in->held || (r->phase == LAST_BYTES && r->last == in))
            want |= LOOP_WRITE;
        stream_want(out->from, want, on_event, r);
    }
}

static void on_timer(void *arg);

static void set_timer(struct relay *r, int64_t ms)
{
    if (r->timer)
        loop_timer_set(r->timer, ms);
    else
        r->timer = loop_timer_new(stream_loop(r->way[0].from), ms, on_timer, r);
}

/* A close frame for the client, unless the server has sent its own or is inside a message's frame.
 */
static void prepare_goodbye(struct relay *r, int code, const char *reason)
{
    uint8_t frame[WS_CONTROL_FRAME_MAX];

    if (r->goodbye || r->bounds.is_closed)
        return;
    r->goodbye_len = ws_write_close(frame, code, reason);
    r->goodbye = must_malloc(r->goodbye_len);
    memcpy(r->goodbye, frame, r->goodbye_len);
}

/* What was read, then the close frame.  As push_held. */
static int push_last(struct relay *r)
{
    struct way *w = r->last;

    int n = push_held(w);
    if (n == 1 && r->goodbye && w->bounds && ws_bounds_is_between(w->bounds)) {
        w->held = TAKE(r->goodbye);
        w->held_len = r->goodbye_len;
        w->held_off = 0;
        n = push_held(w);
    }
    return n == 1 ? stream_flush(w->to) : n;
}

/* After one side ended: give the other what was read, a FIN, and a moment to take it in. */
static void finish(struct relay *r)
{
    struct way *w = r->last;

    if (r->phase == LAST_BYTES) {
        int n = push_last(r);
        if (n == STREAM_FAILED) {
            relay_end(r);
            return;
        }
        if (n == 1) {
            stream_shutdown(w->to);
            r->phase = LINGERING;
            set_timer(r, r->is_leaving ? SHORT_LINGER_MS : LINGER_MS);
        }
    }
    if (r->phase == LINGERING) {
        char chunk[CHUNK_BYTES];
        ssize_t n = 1;
        for (int i = 0; i < CHUNKS_AT_ONCE && n > 0; i++)
            n = stream_read(w->to, chunk, sizeof(chunk));
        if (n == STREAM_EOF || n == STREAM_FAILED) {
            relay_end(r);
            return;
        }
    }
    relay_watch(r);
}

/* This way is over. */
static void start_to_finish(struct relay *r, struct way *w)
{
    r->last = w;
    r->phase = LAST_BYTES;
    if (w->bounds && !r->is_leaving)
        prepare_goodbye(r, WS_CODE_GOING_AWAY, r->lost);
    if (!r->is_leaving) /* else it runs */
        set_timer(r, LAST_BYTES_MS);
    finish(r);
}

/* Bytes are on their way: see that somebody takes them. */
static void check_later(struct relay *r)
{
    if (r->is_checked || !r->has_moved || r->is_leaving)
        return;
    r->is_checked = true;
    r->has_moved = false;
    set_timer(r, CHECK_MS);
}

static void check(struct relay *r)
{
    int64_t client = stream_silent_ms(r->way[FROM_CLIENT].from);
    int64_t server = stream_silent_ms(r->way[FROM_SERVER].from);

    r->is_checked = false;
    if (client > STREAM_LOST_MS) {
        relay_end(r);
    } else if (server > STREAM_LOST_MS) {
        start_to_finish(r, &r->way[FROM_SERVER]);
    } else {
        r->has_moved = r->has_moved || client > 0 || server > 0;
        check_later(r);
    }
}

static void on_timer(void *arg)
{
    struct relay *r = arg;

    if (r->phase == RELAYING && !r->is_leaving)
        check(r);
    else
        relay_end(r);
}

static void on_event(struct stream *s, int events, void *arg)
{
    struct relay *r = arg;

    if (r->phase != RELAYING) {
        finish(r);
        return;
    }
    for (int i = 0; i < 2; i++) {
        struct way *w = &r->way[i];
        bool is_meant =
            ((events & LOOP_READ) && w->from == s) || ((events & LOOP_WRITE) && w->to == s);
        if (!is_meant || move(r, w) != STREAM_FAILED)
            continue;
        /* `to` is gone: what it said before that is still delivered. */
        struct way *back = &r->way[1 - i];
        (void)move(r, back);
        back->is_over = true;
        w->is_over = false;
    }
    for (int i = 0; i < 2; i++) {
        if (!r->way[i].is_over)
            continue;
        start_to_finish(r, &r->way[i]);
        return;
    }
    check_later(r);
    relay_watch(r);
}

struct relay *relay_start(struct stream *a, struct stream *b, relay_done_fn *done, void *arg)
{
    struct relay *r = must_calloc(1, sizeof(*r));

    r->done = done;
    r->arg = arg;
    r->way[FROM_CLIENT] = (struct way){ .from = a, .to = b };
    r->way[FROM_SERVER] = (struct way){ .from = b, .to = a };
    relay_watch(r);
    return r;
}

void relay_stop(struct relay *r)
{
    relay_end(r);
}

struct relay *relay_start_websocket(struct stream *client, struct stream *server, const char *lost,
                                    relay_done_fn *done, void *arg)
{
    struct relay *r = relay_start(client, server, done, arg);

    r->lost = lost;
    r->way[FROM_SERVER].bounds = &r->bounds;
    return r;
}

void relay_say_goodbye(struct relay *r, int code, const char *reason)
{
    if (r->is_leaving)
        return;
    r->is_leaving = true;
    set_timer(r, GOODBYE_MS);
    if (r->phase != RELAYING)
        return;
    prepare_goodbye(r, code, reason);
    if (ws_bounds_is_between(&r->bounds))
        start_to_finish(r, &r->way[FROM_SERVER]);
    else
        relay_watch(r);
}
