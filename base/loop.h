/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An event loop, and its thread.  A thin face on libuv, which no other file
 * includes.  All callbacks run on the loop's thread; only loop_post and
 * loop_stop may be called from others (and everything while the loop does not run yet).
 */
#ifndef BASE_LOOP_H
#define BASE_LOOP_H

#include <stdbool.h>
#include <stdint.h>

struct loop;
struct loop_io;
struct loop_timer;

enum { LOOP_READ = 1, LOOP_WRITE = 2, LOOP_HANGUP = 4 };

typedef void loop_fn(void *arg);
typedef void loop_io_fn(struct loop_io *io, int events, void *arg);

struct loop *loop_new(const char *name);
/* Run on the calling thread until loop_stop. */
void loop_run(struct loop *l);
/* Run on a thread of its own; loop_free joins it. */
void loop_start(struct loop *l);
/* Any thread.  What was posted before is still run.  Before loop_run: that one returns at once. */
void loop_stop(struct loop *l);
/*
 * Stop, join if started, run what is still posted (on the calling thread), then close everything
 * that is left: no loop_io and loop_timer is valid afterwards.  Not on the loop's own thread.
 */
void loop_free(struct loop *l);

/* Run fn(arg) soon on the loop's thread, in order.  Any thread. */
void loop_post(struct loop *l, loop_fn *fn, void *arg);
bool loop_is_here(const struct loop *l); /* is this the loop's thread? */

/*
 * Watch a descriptor (not owned, but made non-blocking; a socket, pipe or the like, watched once).
 * events 0 pauses.  An error on the fd is reported as readable, and as writable if that is asked
 * for.  Free the watcher before closing the descriptor.
 */
struct loop_io *loop_io_new(struct loop *l, int fd, int events, loop_io_fn *fn, void *arg);
void loop_io_set(struct loop_io *io, int events);
void loop_io_free(struct loop_io *io); /* safe inside its own callback */

/* One-shot after ms; loop_timer_set arms again, ms < 0 disarms. */
struct loop_timer *loop_timer_new(struct loop *l, int64_t ms, loop_fn *fn, void *arg);
void loop_timer_set(struct loop_timer *t, int64_t ms);
void loop_timer_free(struct loop_timer *t); /* safe inside its own callback */

#endif
