/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What gRPC server and client share: an HTTP/2 session over a non-blocking
 * socket on an event loop, and the five-byte frame around messages.  Everything
 * on the loop's thread.  The other side is bounded, and dropped when it errs.
 */
#ifndef HANDLER_GRPC_CONN_H
#define HANDLER_GRPC_CONN_H

#include <nghttp2/nghttp2.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/loop.h"

enum {
    GRPC_MESSAGE_MAX = 1024 * 1024,
    GRPC_STREAMS_MAX = 64,
    GRPC_PREFIX_LEN = 5,
};

struct grpc_conn;

/* The connection ended (not called by grpc_conn_free).  It is to be freed by the callee or later.
 */
typedef void grpc_conn_ended_fn(void *ctx);

/* Takes fd and the session, whose user_data the caller has chosen. */
struct grpc_conn *grpc_conn_new(struct loop *l, int fd, nghttp2_session *session,
                                grpc_conn_ended_fn *ended, void *ctx);
void grpc_conn_free(struct grpc_conn *c);
/* Send what the session has to say.  Not from within a callback of the session. */
void grpc_conn_flush(struct grpc_conn *c);

/* Frame one message into out (uncompressed). */
void grpc_frame_add(struct buf *out, const void *message, size_t len);

/*
 * The one message that `in` begins with: 1 with *ret_message (points into in) and
 * *ret_len, 0 when it is not complete, -1 when it is compressed or too long.
 */
int grpc_frame_read(const struct buf *in, const void **ret_message, size_t *ret_len);

/* A header field that is copied by the session. */
nghttp2_nv grpc_header(const char *name, const char *value);

/* Take up to len bytes of out: the read callback of a message body. */
size_t grpc_take(struct buf *out, uint8_t *into, size_t len);

#endif
