/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bytes both ways between two streams.  A direction owns memory only while the
 * far side does not take what was read; the common case goes through one
 * buffer on the stack.
 */
#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "http/stream_internal.h"

enum {
    CHUNK_BYTES = 16 * 1024,  /* one TLS record */
    CHUNKS_AT_ONCE = 16,      /* then the loop's other descriptors have their turn */
    LAST_BYTES_MS = 5 * 1000, /* for the survivor to take what was read before the end */
    LINGER_MS = 1000,         /* for the survivor to read it, before its socket is closed */
};

enum phase { RELAYING, LAST_BYTES, LINGERING };

struct way {
    struct stream *from;
    struct stream *to;
    char *held; /* read, not yet taken by `to` */
    size_t held_len;
    size_t held_off;
    bool is_over; /* from has ended */
};

struct relay {
    struct way way[2];
    enum phase phase;
    struct way *last; /* the way that ended first; its `to` survives */
    struct loop_timer *timer;
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
    free(r);
    done(arg);
}

/* 1: nothing is held; STREAM_AGAIN; STREAM_FAILED. */
static int push_held(struct way *w)
{
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

/* Move what can be moved.  STREAM_FAILED when `to` takes no more. */
static int move(struct way *w)
{
    char chunk[CHUNK_BYTES];

    int r = push_held(w);
    for (int i = 0; r == 1 && !w->is_over && i < CHUNKS_AT_ONCE; i++) {
        ssize_t n = stream_read(w->from, chunk, sizeof(chunk));
        if (n == STREAM_AGAIN)
            return 1;
        if (n <= 0) {
            w->is_over = true;
            return 1;
        }
        r = push(w, chunk, (size_t)n);
        /* A short read has emptied the socket: spare the call that would say so. */
        if ((size_t)n < sizeof(chunk) && !stream_has_read_ahead(w->from))
            return r;
    }
    return r;
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

static void on_timer(void *arg)
{
    relay_end(arg);
}

/* After one side ended: give the other what was read, a FIN, and a moment to take it in. */
static void finish(struct relay *r)
{
    struct way *w = r->last;

    if (r->phase == LAST_BYTES) {
        int n = push_held(w);
        if (n == 1)
            n = stream_flush(w->to);
        if (n == STREAM_FAILED) {
            relay_end(r);
            return;
        }
        if (n == 1) {
            stream_shutdown(w->to);
            r->phase = LINGERING;
            loop_timer_set(r->timer, LINGER_MS);
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
        if (!is_meant || move(w) != STREAM_FAILED)
            continue;
        /* `to` is gone: what it said before that is still delivered. */
        struct way *back = &r->way[1 - i];
        (void)move(back);
        back->is_over = true;
        w->is_over = false;
    }
    for (int i = 0; i < 2; i++) {
        if (!r->way[i].is_over)
            continue;
        r->last = &r->way[i];
        r->phase = LAST_BYTES;
        r->timer = loop_timer_new(stream_loop(s), LAST_BYTES_MS, on_timer, r);
        finish(r);
        return;
    }
    relay_watch(r);
}

struct relay *relay_start(struct stream *a, struct stream *b, relay_done_fn *done, void *arg)
{
    struct relay *r = must_calloc(1, sizeof(*r));

    r->done = done;
    r->arg = arg;
    r->way[0] = (struct way){ .from = a, .to = b };
    r->way[1] = (struct way){ .from = b, .to = a };
    relay_watch(r);
    return r;
}

void relay_stop(struct relay *r)
{
    relay_end(r);
}
