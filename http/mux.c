/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Channels of a mux.  A channel's stream is read only while it has credit and the carrier takes
 * bytes, so what is held is bounded by a window a channel and one message for the carrier.
 */
#include "http/mux.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "base/buf.h"
#include "base/must.h"

enum type { OPEN = 1, OPENED, DATA, END, RESET, CREDIT };

enum {
    HEAD_BYTES = 8,
    PAYLOAD_MAX = 65535,
    CHUNK_BYTES = 16 * 1024,     /* of a stream at once: one TLS record */
    READS_AT_ONCE = 16,          /* then other descriptors have their turn */
    ANSWERS_HELD_MAX = 64 * 1024 /* control messages for a peer that does not read */
};

struct mux_channel {
    UT_hash_handle hh;
    struct mux *mux;
    uint32_t id;
    struct stream *local; /* NULL on the server until it is accepted */
    void *user;
    bool is_datagrams;
    bool is_open;        /* both sides know of it */
    bool peer_has_ended; /* END came: no more DATA may follow */
    bool local_has_ended;
    size_t credit;      /* bytes that may still be sent */
    size_t window;      /* bytes that may still come */
    size_t owed;        /* bytes taken since the last CREDIT */
    struct buf pending; /* came, not yet taken by local; at most a window */
};

struct mux {
    struct stream *carrier;
    struct mux_handlers h;
    void *arg;
    struct mux_channel *channels; /* by id */
    uint32_t last_id;
    struct buf in;     /* a message that is not whole yet */
    struct buf out;    /* not yet taken by the carrier */
    bool is_blocked;   /* out is not empty: no stream is read */
    bool is_over;      /* told or about to be */
    bool is_being_fed; /* inside feed(): freeing waits */
    bool is_to_free;
};

static void on_carrier(struct stream *s, int events, void *arg);
static void on_local(struct stream *s, int events, void *arg);

/* ---- the carrier's way out ---- */

static void want(struct mux_channel *c)
{
    int events = 0;

    if (!c->local)
        return;
    if (c->is_open && !c->local_has_ended && c->credit > 0 && !c->mux->is_blocked)
        events |= LOOP_READ;
    if (c->pending.len > 0)
        events |= LOOP_WRITE;
    stream_want(c->local, events, on_local, c);
}

static void set_blocked(struct mux *m, bool is_blocked)
{
    if (m->is_blocked == is_blocked)
        return;
    m->is_blocked = is_blocked;
    for (struct mux_channel *c = m->channels; c; c = c->hh.next)
        want(c);
}

/* Give the carrier what it takes.  False when it takes no more for ever. */
static bool flush(struct mux *m)
{
    size_t off = 0;

    while (off < m->out.len) {
        ssize_t n = stream_write(m->carrier, m->out.data + off, m->out.len - off);

        if (n == STREAM_AGAIN)
            break;
        if (n <= 0)
            return false;
        off += (size_t)n;
    }
    if (off == m->out.len)
        buf_clear(&m->out);
    else
        buf_consume(&m->out, off);
    set_blocked(m, m->out.len > 0);
    return true;
}

static void want_carrier(struct mux *m)
{
    int events = m->out.len > 0 ? LOOP_WRITE : 0;

    if (m->out.len < ANSWERS_HELD_MAX)
        events |= LOOP_READ;
    stream_want(m->carrier, events, on_carrier, m);
}

static void put(struct mux *m, enum type type, uint32_t channel, const void *data, size_t len)
{
    unsigned char head[HEAD_BYTES] = { (unsigned char)type, 0, (unsigned char)(len >> 8),
                                       (unsigned char)len };
    uint32_t id = htonl(channel);

    memcpy(head + 4, &id, sizeof(id));
    (void)buf_add(&m->out, head, sizeof(head));
    if (len > 0)
        (void)buf_add(&m->out, data, len);
}

/* ---- ends ---- */

static void channel_free(struct mux_channel *c)
{
    HASH_DEL(c->mux->channels, c);
    stream_close(c->local);
    buf_done(&c->pending);
    free(c);
}

static void channel_close(struct mux_channel *c, const char *why)
{
    struct mux *m = c->mux;

    stream_close(c->local);
    c->local = NULL;
    m->h.closed(c, why, m->arg);
    channel_free(c);
}

static void channel_reset(struct mux_channel *c, const char *why)
{
    put(c->mux, RESET, c->id, why, strnlen(why, MUX_REASON_MAX));
    channel_close(c, why);
}

static void close_if_done(struct mux_channel *c)
{
    if (c->local_has_ended && c->peer_has_ended && c->pending.len == 0)
        channel_close(c, "");
}

static void really_free(struct mux *m)
{
    while (m->channels)
        channel_free(m->channels);
    stream_close(m->carrier);
    buf_done(&m->in);
    buf_done(&m->out);
    free(m);
}

void mux_free(struct mux *m)
{
    if (!m)
        return;
    m->is_over = true;
    if (m->is_being_fed)
        m->is_to_free = true;
    else
        really_free(m);
}

static void end(struct mux *m, const char *why)
{
    if (m->is_over)
        return;
    m->is_over = true;
    stream_want(m->carrier, 0, on_carrier, m);
    while (m->channels && !m->is_to_free)
        channel_close(m->channels, why);
    if (!m->is_to_free)
        m->h.ended(m, why, m->arg);
}

/* Work on behalf of an event is over: send what came of it.  The mux may be gone afterwards. */
static void settle(struct mux *m)
{
    if (!m->is_over) {
        if (flush(m))
            want_carrier(m);
        else
            end(m, "the connection was lost");
    }
    m->is_being_fed = false;
    if (m->is_to_free)
        really_free(m);
}

/* ---- a channel's stream ---- */

/* False when the channel is gone. */
static bool give_local(struct mux_channel *c)
{
    size_t off = 0;

    while (off < c->pending.len) {
        ssize_t n = stream_write(c->local, c->pending.data + off, c->pending.len - off);

        if (n == STREAM_AGAIN)
            break;
        if (n <= 0) {
            channel_reset(c, "the connection was reset");
            return false;
        }
        off += (size_t)n;
    }
    if (off == c->pending.len) {
        buf_done(&c->pending);
        c->pending = BUF_INIT(MUX_WINDOW_BYTES);
    } else {
        buf_consume(&c->pending, off);
    }
    c->owed += off;
    if (c->owed >= MUX_WINDOW_BYTES / 2 && !c->peer_has_ended) {
        uint32_t more = htonl((uint32_t)c->owed);

        put(c->mux, CREDIT, c->id, &more, sizeof(more));
        c->window += c->owed;
        c->owed = 0;
    }
    if (c->peer_has_ended && c->pending.len == 0)
        stream_shutdown(c->local);
    return true;
}

/* False when the channel is gone. */
static bool take_local(struct mux_channel *c)
{
    char data[PAYLOAD_MAX];
    struct mux *m = c->mux;
    size_t most = c->is_datagrams ? sizeof(data) : CHUNK_BYTES;

    for (int i = 0; i < READS_AT_ONCE && c->credit > 0 && m->out.len == 0; i++) {
        if (!c->is_datagrams && most > c->credit)
            most = c->credit;

        ssize_t n = stream_read(c->local, data, most);
        if (n == STREAM_AGAIN)
            return true;
        if (n == STREAM_EOF && c->is_datagrams)
            continue; /* an empty datagram */
        if (n == STREAM_FAILED) {
            channel_reset(c, "the connection was reset");
            return false;
        }
        if (n == STREAM_EOF) {
            c->local_has_ended = true;
            put(m, END, c->id, NULL, 0);
            return true;
        }
        put(m, DATA, c->id, data, (size_t)n);
        c->credit -= (size_t)n < c->credit ? (size_t)n : c->credit;
        if (!flush(m))
            return true; /* settle() will see it again */
    }
    return true;
}

static void on_local(struct stream *s, int events, void *arg)
{
    struct mux_channel *c = arg;
    struct mux *m = c->mux;
    bool is_there = true;

    m->is_being_fed = true;
    if (events & LOOP_WRITE)
        is_there = give_local(c);
    if (is_there && (events & LOOP_READ))
        is_there = take_local(c);
    if (is_there) {
        want(c);
        close_if_done(c);
    }
    settle(m);
}

/* ---- what the other side says ---- */

static struct mux_channel *find(struct mux *m, uint32_t id)
{
    struct mux_channel *c;

    HASH_FIND(hh, m->channels, &id, sizeof(id), c);
    return c;
}

static struct mux_channel *add(struct mux *m, uint32_t id)
{
    struct mux_channel *c = must_calloc(1, sizeof(*c));

    c->mux = m;
    c->id = id;
    c->credit = c->window = MUX_WINDOW_BYTES;
    c->pending = BUF_INIT(MUX_WINDOW_BYTES);
    m->last_id = id;
    HASH_ADD(hh, m->channels, id, sizeof(id), c);
    return c;
}

/* NULL, or what was wrong. */
static const char *on_open(struct mux *m, uint32_t id)
{
    static const char full[] = "too many connections at once";

    if (!m->h.open || id <= m->last_id)
        return "a channel that cannot be opened";
    if (HASH_COUNT(m->channels) >= MUX_CHANNELS_MAX) {
        m->last_id = id;
        put(m, RESET, id, full, sizeof(full) - 1);
        return NULL;
    }
    m->h.open(add(m, id), m->arg);
    return NULL;
}

static void give_datagram(struct mux_channel *c, const void *data, size_t len)
{
    /* One that finds no room is lost, as on any network. */
    (void)stream_write(c->local, data, len);
    c->owed += len;
}

static const char *on_data(struct mux_channel *c, const void *data, size_t len)
{
    if (!c->is_open || c->peer_has_ended)
        return "data on a channel that is not open";
    if (len > c->window)
        return "more data than the window has room for";
    c->window -= len;
    if (c->is_datagrams)
        give_datagram(c, data, len);
    else
        (void)buf_add(&c->pending, data, len);
    if (give_local(c))
        want(c);
    return NULL;
}

static const char *on_credit(struct mux_channel *c, const void *data, size_t len)
{
    uint32_t more;

    if (len != sizeof(more))
        return "a credit of a wrong length";
    memcpy(&more, data, sizeof(more));
    more = ntohl(more);
    if (more > MUX_WINDOW_BYTES || c->credit + more > MUX_WINDOW_BYTES)
        return "a credit larger than the window";
    c->credit += more;
    want(c);
    return NULL;
}

static void on_reset(struct mux_channel *c, const char *data, size_t len)
{
    char why[MUX_REASON_MAX + 1];
    size_t n = len < MUX_REASON_MAX ? len : MUX_REASON_MAX;

    for (size_t i = 0; i < n; i++)
        why[i] = data[i] >= ' ' && data[i] < 0x7f ? data[i] : '?';
    why[n] = '\0';
    channel_close(c, n ? why : "the connection was reset");
}

static const char *on_message(struct mux *m, enum type type, uint32_t id, const char *data,
                              size_t len)
{
    if (type == OPEN)
        return on_open(m, id);
    if (type < OPEN || type > CREDIT)
        return "an unknown message";

    struct mux_channel *c = find(m, id);
    if (!c)
        return id <= m->last_id ? NULL : "a channel that was never opened"; /* crossed a RESET */
    switch (type) {
    case OPENED:
        if (m->h.open || c->is_open)
            return "an answer that was not asked for";
        c->is_open = true;
        want(c);
        return NULL;
    case DATA:
        return on_data(c, data, len);
    case END:
        if (!c->is_open || c->peer_has_ended)
            return "the end of a channel that is not open";
        c->peer_has_ended = true;
        c->local_has_ended |= c->is_datagrams; /* which have no end of their own */
        if (give_local(c))
            close_if_done(c);
        return NULL;
    case RESET:
        on_reset(c, data, len);
        return NULL;
    case CREDIT:
        return on_credit(c, data, len);
    case OPEN:
        break;
    }
    return NULL;
}

/* All whole messages of m->in.  NULL, or what was wrong. */
static const char *read_messages(struct mux *m)
{
    const char *wrong = NULL;
    size_t off = 0;

    while (!wrong && !m->is_over && m->in.len - off >= HEAD_BYTES) {
        const unsigned char *head = (const unsigned char *)m->in.data + off;
        size_t len = (size_t)head[2] << 8 | head[3];
        uint32_t id;

        if (m->in.len - off < HEAD_BYTES + len)
            break;
        memcpy(&id, head + 4, sizeof(id));
        wrong = on_message(m, head[0], ntohl(id), (const char *)head + HEAD_BYTES, len);
        off += HEAD_BYTES + len;
    }
    buf_consume(&m->in, off);
    return wrong;
}

static void take_carrier(struct mux *m)
{
    char data[CHUNK_BYTES];

    for (int i = 0; i < READS_AT_ONCE && !m->is_over && m->out.len < ANSWERS_HELD_MAX; i++) {
        ssize_t n = stream_read(m->carrier, data, sizeof(data));

        if (n == STREAM_AGAIN)
            return;
        if (n <= 0) {
            end(m, n == STREAM_EOF ? "the connection was closed" : "the connection was lost");
            return;
        }
        (void)buf_add(&m->in, data, (size_t)n);

        const char *wrong = read_messages(m);
        if (wrong) {
            end(m, wrong);
            return;
        }
    }
}

static void on_carrier(struct stream *s, int events, void *arg)
{
    struct mux *m = arg;

    m->is_being_fed = true;
    if (events & LOOP_READ)
        take_carrier(m);
    settle(m);
}

/* ---- for the users ---- */

struct mux *mux_start(struct stream *carrier, const struct mux_handlers *h, void *arg)
{
    struct mux *m = must_calloc(1, sizeof(*m));

    m->carrier = carrier;
    m->h = *h;
    m->arg = arg;
    m->in = BUF_INIT(HEAD_BYTES + PAYLOAD_MAX + CHUNK_BYTES);
    want_carrier(m);
    return m;
}

/* After a call from outside of an event. */
static void send_soon(struct mux *m)
{
    if (!m->is_being_fed)
        want_carrier(m);
}

struct mux_channel *mux_open(struct mux *m, struct stream *local, bool is_datagrams, void *user)
{
    if (m->is_over || HASH_COUNT(m->channels) >= MUX_CHANNELS_MAX) {
        stream_close(local);
        return NULL;
    }

    struct mux_channel *c = add(m, m->last_id + 1);
    c->local = local;
    c->is_datagrams = is_datagrams;
    c->user = user;
    put(m, OPEN, c->id, NULL, 0);
    send_soon(m);
    return c;
}

void mux_accept(struct mux_channel *c, struct stream *local, bool is_datagrams)
{
    c->local = local;
    c->is_datagrams = is_datagrams;
    c->is_open = true;
    put(c->mux, OPENED, c->id, NULL, 0);
    want(c);
    send_soon(c->mux);
}

void mux_refuse(struct mux_channel *c, const char *why)
{
    struct mux *m = c->mux;

    put(m, RESET, c->id, why, strnlen(why, MUX_REASON_MAX));
    channel_free(c);
    send_soon(m);
}

void mux_channel_set_user(struct mux_channel *c, void *user)
{
    c->user = user;
}

void *mux_channel_user(const struct mux_channel *c)
{
    return c->user;
}

struct mux *mux_channel_mux(const struct mux_channel *c)
{
    return c->mux;
}

size_t mux_channels(const struct mux *m)
{
    return HASH_COUNT(m->channels);
}
