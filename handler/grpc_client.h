/* SPDX-License-Identifier: Apache-2.0 */
/* One unary gRPC call over a unix socket, on a connection of its own, without blocking.  On the
 * loop's thread. */
#ifndef HANDLER_GRPC_CLIENT_H
#define HANDLER_GRPC_CLIENT_H

#include "base/loop.h"
#include "handler/grpc_server.h"

struct grpc_call;

/* Called once; the call is freed afterwards.  message is the peer's text ("" when none). */
typedef void grpc_done_fn(enum grpc_status status, const char *message, void *arg);

/* A failure to connect is reported through done as well, from the loop. */
struct grpc_call *grpc_call_start(struct loop *l, const char *socket_path, const char *method,
                                  const void *request, size_t len, int64_t timeout_ms,
                                  grpc_done_fn *done, void *arg);
/* Without calling done. */
void grpc_call_cancel(struct grpc_call *c);

#endif
