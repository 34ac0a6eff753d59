/* SPDX-License-Identifier: Apache-2.0 */
/* The guest's side of streams: an edge-triggered epoll set, and chunks that readers share. */
#include "handler/guest.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/must.h"
#include "base/scope.h"

enum {
    EVENTS_MAX = 64,
    KEPT_MAX = 256 * 1024, /* of many who took over one after another, none of whom was read */
    COPY_BYTES = GUEST_CHUNK_BYTES / 4, /* less is copied into memory of its size */
};

/* A piece that came from a guest; each reader that has not passed it on counts. */
struct guest_chunk {
    struct guest_chunk *next;
    size_t readers;
    size_t len, room;
    unsigned char data[]; /* GUEST_HEADROOM, then len bytes */
};

TAILQ_HEAD(reader_list, reader);

struct guest {
    struct guests *all;
    int fd;
    bool is_owned;    /* not guest_close'd */
    bool is_in_use;   /* inside a function that calls back */
    bool is_dead;     /* kept only because an event may still name it */
    bool is_readable; /* as far as is known: no edge is lost */
    bool is_writable;
    bool has_ended;
    bool is_held; /* on the list of those that a reader stops */
    struct reader_list readers;
    size_t count;
    struct guest_chunk *first, *last;
    char *kept; /* to be written */
    size_t kept_len;
    TAILQ_ENTRY(guest) in_held, in_dead;
};

struct guests {
    int epoll;
    struct guest_chunk *spare; /* of GUEST_CHUNK_BYTES, warm */
    TAILQ_HEAD(guest_list, guest) held, dead;
    size_t count; /* without dead ones */
};

/* ---- chunks ---- */

static struct guest_chunk *chunk_new(size_t room)
{
    struct guest_chunk *c = must_malloc(sizeof(*c) + GUEST_HEADROOM + room);

    c->next = NULL;
    c->len = 0;
    c->room = room;
    return c;
}

static size_t chunk_cost(const struct guest_chunk *c)
{
    return sizeof(*c) + GUEST_HEADROOM + c->room;
}

static struct guest_chunk *take_spare(struct guests *all)
{
    return all->spare ? TAKE(all->spare) : chunk_new(GUEST_CHUNK_BYTES);
}

static void chunk_free(struct guests *all, struct guest_chunk *c)
{
    if (c->room == GUEST_CHUNK_BYTES && !all->spare) {
        c->next = NULL;
        all->spare = c;
        return;
    }
    free(c);
}

/* Readers pass chunks on in order, so that those that are done with are the first ones. */
static void drop_passed(struct guest *g)
{
    while (g->first && g->first->readers == 0) {
        struct guest_chunk *c = g->first;

        g->first = c->next;
        if (!g->first)
            g->last = NULL;
        chunk_free(g->all, c);
    }
}

/* ---- reading ---- */

static void free_if_over(struct guest *g)
{
    if (g->is_owned || g->is_in_use || g->is_dead || g->count > 0)
        return;
    g->is_dead = true;
    g->all->count--;
    (void)close(g->fd);
    free(g->kept);
    TAILQ_INSERT_TAIL(&g->all->dead, g, in_dead);
}

static void bury(struct guests *all)
{
    struct guest *g;

    while ((g = TAILQ_FIRST(&all->dead)) != NULL) {
        TAILQ_REMOVE(&all->dead, g, in_dead);
        free(g);
    }
}

static void set_held(struct guest *g, bool is_held)
{
    if (g->is_held == is_held)
        return;
    g->is_held = is_held;
    if (is_held)
        TAILQ_INSERT_TAIL(&g->all->held, g, in_held);
    else
        TAILQ_REMOVE(&g->all->held, g, in_held);
}

static bool is_full(const struct reader *r)
{
    return r->behind_bytes + sizeof(struct guest_chunk) + GUEST_HEADROOM + GUEST_CHUNK_BYTES >
           GUEST_BEHIND_MAX;
}

/* Somebody waits, and nobody is too far behind. */
static bool may_read(struct guest *g)
{
    bool somebody_waits = false, somebody_is_full = false;
    struct reader *r;

    for (r = TAILQ_FIRST(&g->readers); r; r = TAILQ_NEXT(r, in_guest)) {
        somebody_waits |= !r->next;
        somebody_is_full |= is_full(r);
    }
    set_held(g, somebody_waits && somebody_is_full);
    return somebody_waits && !somebody_is_full;
}

/* All readers get the chunk; those that waited hear of it. */
static void publish(struct guest *g, struct guest_chunk *c)
{
    struct reader *r, *next;

    c->readers = g->count;
    if (g->last)
        g->last->next = c;
    else
        g->first = c;
    g->last = c;
    for (r = TAILQ_FIRST(&g->readers); r; r = next) {
        bool waited = !r->next;

        next = TAILQ_NEXT(r, in_guest);
        r->behind_bytes += chunk_cost(c);
        if (!waited)
            continue;
        r->next = c;
        r->on->has_data(r);
    }
}

static void end(struct guest *g)
{
    struct reader *r, *next;

    g->has_ended = true;
    g->is_readable = false;
    for (r = TAILQ_FIRST(&g->readers); r; r = next) {
        next = TAILQ_NEXT(r, in_guest);
        r->on->has_ended(r);
    }
}

static void read_once(struct guest *g)
{
    struct guest_chunk *c = take_spare(g->all);
    ssize_t n = read(g->fd, c->data + GUEST_HEADROOM, GUEST_CHUNK_BYTES);
    int err = errno;

    if (n <= 0) {
        chunk_free(g->all, c);
        if (n < 0 && (err == EAGAIN || err == EINTR))
            g->is_readable = err == EINTR;
        else
            end(g);
        return;
    }
    if (n < COPY_BYTES) {
        struct guest_chunk *small = chunk_new((size_t)n);

        memcpy(small->data + GUEST_HEADROOM, c->data + GUEST_HEADROOM, (size_t)n);
        chunk_free(g->all, c);
        c = small;
    }
    c->len = (size_t)n;
    publish(g, c);
}

/* Move what can move.  The caller calls free_if_over. */
static void pump(struct guest *g)
{
    if (g->is_in_use)
        return;
    g->is_in_use = true;
    while (g->is_readable && g->count > 0 && may_read(g))
        read_once(g);
    g->is_in_use = false;
}

/* ---- writing ---- */

/* Bytes that were written, or could never be. */
static size_t write_some(struct guest *g, const char *data, size_t len)
{
    size_t done = 0;

    while (done < len) {
        ssize_t n = write(g->fd, data + done, len - done);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno == EAGAIN) {
            g->is_writable = false;
            return done;
        }
        if (n < 0)
            return len; /* its end is read */
        done += (size_t)n;
    }
    return done;
}

bool guest_write(struct guest *g, const void *data, size_t len)
{
    size_t done = g->kept_len == 0 && g->is_writable ? write_some(g, data, len) : 0;

    if (done == len)
        return g->kept_len == 0;
    if (g->kept_len + len - done > KEPT_MAX)
        return false;
    g->kept = must_realloc(g->kept, g->kept_len + len - done);
    memcpy(g->kept + g->kept_len, (const char *)data + done, len - done);
    g->kept_len += len - done;
    return false;
}

bool guest_is_writable(const struct guest *g)
{
    return g->kept_len == 0;
}

static void write_kept(struct guest *g)
{
    struct reader *r, *next;

    if (g->kept_len == 0)
        return;
    size_t done = write_some(g, g->kept, g->kept_len);
    memmove(g->kept, g->kept + done, g->kept_len - done);
    g->kept_len -= done;
    if (g->kept_len > 0)
        return;
    free(TAKE(g->kept));
    g->is_in_use = true;
    for (r = TAILQ_FIRST(&g->readers); r; r = next) {
        next = TAILQ_NEXT(r, in_guest);
        r->on->may_write(r);
    }
    g->is_in_use = false;
}

/* ---- readers ---- */

void reader_join(struct reader *r, struct guest *g)
{
    r->guest = g;
    r->next = NULL;
    r->behind_bytes = 0;
    r->quiet_ticks = 0;
    TAILQ_INSERT_TAIL(&g->readers, r, in_guest);
    g->count++;
    pump(g);
}

void reader_leave(struct reader *r)
{
    struct guest *g = r->guest;

    if (!g)
        return;
    for (struct guest_chunk *c = r->next; c; c = c->next)
        c->readers--;
    r->next = NULL;
    r->guest = NULL;
    TAILQ_REMOVE(&g->readers, r, in_guest);
    g->count--;
    drop_passed(g);
    if (g->count == 0)
        set_held(g, false);
    pump(g);
    free_if_over(g);
}

unsigned char *reader_peek(const struct reader *r, size_t *ret_len)
{
    if (!r->next)
        return NULL;
    *ret_len = r->next->len;
    return r->next->data + GUEST_HEADROOM;
}

void reader_passed(struct reader *r)
{
    struct guest *g = r->guest;
    struct guest_chunk *c = r->next;

    r->next = c->next;
    r->behind_bytes -= chunk_cost(c);
    r->quiet_ticks = 0;
    c->readers--;
    drop_passed(g);
    pump(g);
}

/* ---- guests ---- */

struct guest *guest_open(struct guests *all, int fd)
{
    struct guest *g = must_calloc(1, sizeof(*g));
    struct epoll_event want = { .events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET,
                                .data.ptr = g };

    g->all = all;
    g->fd = fd;
    g->is_owned = true;
    g->is_writable = true;
    TAILQ_INIT(&g->readers);
    all->count++;
    /* Adding reports what is there already, as an edge. */
    must(epoll_ctl(all->epoll, EPOLL_CTL_ADD, fd, &want) == 0);
    return g;
}

void guest_close(struct guest *g)
{
    g->is_owned = false;
    free_if_over(g);
}

bool guest_has_ended(const struct guest *g)
{
    return g->has_ended;
}

struct guests *guests_new(void)
{
    struct guests *all = must_calloc(1, sizeof(*all));

    all->epoll = epoll_create1(EPOLL_CLOEXEC);
    must(all->epoll >= 0);
    TAILQ_INIT(&all->held);
    TAILQ_INIT(&all->dead);
    return all;
}

void guests_free(struct guests *all)
{
    must(all->count == 0);
    bury(all);
    (void)close(all->epoll);
    free(all->spare);
    free(all);
}

int guests_fd(const struct guests *all)
{
    return all->epoll;
}

static void serve_one(struct guest *g, uint32_t events)
{
    if (g->is_dead)
        return;
    if (events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR))
        g->is_readable = !g->has_ended;
    if (events & (EPOLLOUT | EPOLLHUP | EPOLLERR)) {
        g->is_writable = true;
        write_kept(g);
    }
    pump(g);
    free_if_over(g);
}

void guests_serve(struct guests *all)
{
    struct epoll_event events[EVENTS_MAX];
    int n = epoll_wait(all->epoll, events, EVENTS_MAX, 0);

    for (int i = 0; i < n; i++)
        serve_one(events[i].data.ptr, events[i].events);
    bury(all);
}

static void tick_one(struct guest *g)
{
    struct reader *r, *next;

    g->is_in_use = true;
    for (r = TAILQ_FIRST(&g->readers); r; r = next) {
        next = TAILQ_NEXT(r, in_guest);
        if (is_full(r) && ++r->quiet_ticks >= GUEST_STALL_TICKS)
            r->on->is_stalled(r);
    }
    g->is_in_use = false;
    pump(g);
    free_if_over(g);
}

void guests_tick(struct guests *all)
{
    struct guest *g, *next;

    for (g = TAILQ_FIRST(&all->held); g; g = next) {
        next = TAILQ_NEXT(g, in_held);
        tick_one(g);
    }
    bury(all);
}
