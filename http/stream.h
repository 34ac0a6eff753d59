/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A connected byte stream on an event loop: plain TCP, a unix socket, or TLS
 * over either.  What a connection becomes when it is taken over from the HTTP
 * server, or what http/dial.h returns.  Everything on the loop's thread.
 */
#ifndef HTTP_STREAM_H
#define HTTP_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "base/loop.h"

struct stream;

enum stream_io { STREAM_AGAIN = -1, STREAM_EOF = 0, STREAM_FAILED = -2 };

/* Takes fd (non-blocking, connected).  Plain. */
struct stream *stream_from_fd(struct loop *l, int fd);

/*
 * > 0 bytes moved, or one of enum stream_io.  After STREAM_AGAIN wait with
 * stream_want().  stream_read first returns bytes that were read ahead.
 */
ssize_t stream_read(struct stream *s, void *data, size_t len);
ssize_t stream_write(struct stream *s, const void *data, size_t len);

/* Call fn when one of `events` (LOOP_READ, LOOP_WRITE) can make progress; level-triggered; 0
 * pauses. */
typedef void stream_fn(struct stream *s, int events, void *arg);
void stream_want(struct stream *s, int events, stream_fn *fn, void *arg);

/* Move the stream to another loop (call on its present loop; not between want and callback). */
void stream_move(struct stream *s, struct loop *to);

struct loop *stream_loop(const struct stream *s);
void stream_shutdown(struct stream *s); /* TLS close_notify and FIN, best effort; reading goes on */
void stream_close(struct stream *s);    /* and free */

/*
 * For connections that live long (TCP; others are left as they are): no delay, a peer's host that
 * vanished is noticed within 30 s while nothing is said, and what the peer does not read is held
 * back after some tens of KiB here, so that whoever writes it feels it.
 */
void stream_tune(struct stream *s);
/*
 * How long the peer's host has been silent about bytes that were sent to it; 0 when none are on
 * their way.  After STREAM_LOST_MS it can be taken for lost (the kernel goes on for a quarter of an
 * hour).  A peer that is there but does not read is not silent.
 */
enum { STREAM_LOST_MS = 30 * 1000 };
int64_t stream_silent_ms(const struct stream *s);

/* Relay bytes both ways until either side ends; then both are closed and done is called once.
 * Buffers are taken only while bytes move.  Takes both streams, which must be on one loop. */
typedef void relay_done_fn(void *arg);
struct relay;
struct relay *relay_start(struct stream *a, struct stream *b, relay_done_fn *done, void *arg);
/* End it now (done is called before this returns). */
void relay_stop(struct relay *r);

/*
 * The same for a websocket that `client` has opened and `server` has accepted, each at the first
 * byte behind its head.  Bytes are copied as they are, but the frames of the server are followed,
 * so that its end without a close frame (a broken connection, a host that vanished) becomes one for
 * the client, with code 1001 and the reason `lost` (static text), if a frame may begin there.
 */
struct relay *relay_start_websocket(struct stream *client, struct stream *server, const char *lost,
                                    relay_done_fn *done, void *arg);
/*
 * End such a relay from this side: when the server's present frame is over, and after half a second
 * at the latest, the client is told the code and the reason.  `done` is called soon, maybe at once.
 */
void relay_say_goodbye(struct relay *r, int code, const char *reason);

#endif
