/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Connections to the guest's side of streams (QEMU's sockets, VSOCK), and who
 * reads what comes from them.  One thread owns all of it.
 *
 * A guest that one reader reads is read only when that reader has passed on all it got: what is
 * held is at most GUEST_CHUNK_BYTES, and a reader that stops stops its guest.  With several readers
 * each may be GUEST_BEHIND_MAX behind the fastest one; the guest is not read while one of them is
 * full, and a reader that gets rid of nothing for GUEST_STALL_TICKS while another waits is told to
 * go. Without readers a guest is not read at all: nothing is lost between two of them.
 */
#ifndef HANDLER_GUEST_H
#define HANDLER_GUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/queue.h>

enum {
    GUEST_CHUNK_BYTES = 32 * 1024 - 16, /* a frame of it is read at once by whoever reads 64 KiB */
    GUEST_BEHIND_MAX = 8 * GUEST_CHUNK_BYTES,
    GUEST_STALL_TICKS = 2,
    GUEST_HEADROOM = 16, /* writable bytes before each piece: a frame's head is made in place */
};

struct guest;
struct guest_chunk;
struct guests; /* all of a thread */
struct reader;

/* Called from all functions below but guest_write and reader_peek.  In them only the reader itself
 * may leave. */
struct reader_events {
    void (*has_data)(struct reader *r); /* reader_peek has something where it had nothing */
    void (*has_ended)(
        struct reader *r); /* the guest's side ended; what is held may still be read */
    void (*is_stalled)(struct reader *r); /* too far behind the others: leave now */
    void (*may_write)(struct reader *r);  /* guest_write took everything by now */
};

/* Embedded in its owner; zero before it joins. */
struct reader {
    const struct reader_events *on;
    struct guest *guest;      /* NULL: does not read (any more) */
    struct guest_chunk *next; /* the oldest it has not passed on */
    size_t behind_bytes;      /* how much memory it holds */
    unsigned quiet_ticks;     /* passed nothing on while another waited */
    TAILQ_ENTRY(reader) in_guest;
};

struct guests *guests_new(void);
void guests_free(struct guests *all);    /* none is left */
int guests_fd(const struct guests *all); /* readable: guests_serve has something to do */
void guests_serve(struct guests *all);
void guests_tick(struct guests *all);

/* Takes fd (connected, non-blocking). */
struct guest *guest_open(struct guests *all, int fd);
/* Its owner's last word; it lives on for readers that have something to read still. */
void guest_close(struct guest *g);
bool guest_has_ended(const struct guest *g);

/* Begin to read what comes from now on. */
void reader_join(struct reader *r, struct guest *g);
/* What it has not passed on is dropped. */
void reader_leave(struct reader *r);
/* The oldest piece it has not passed on, or NULL. */
unsigned char *reader_peek(const struct reader *r, size_t *ret_len);
void reader_passed(struct reader *r);

/*
 * Everything is taken: written or kept.  false when some is kept: do not send more until the
 * readers hear may_write.  What cannot be written because the guest's side is gone is dropped, and
 * so is what many writers after another, all of them stopped, sent beyond 256 KiB.
 */
bool guest_write(struct guest *g, const void *data, size_t len);
bool guest_is_writable(const struct guest *g);

#endif
