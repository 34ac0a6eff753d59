/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A small gRPC server on a unix socket, as far as the kubelet's device plugin
 * API needs one: unary methods and streams from the server, no compression.
 * Everything on the loop's thread.
 */
#ifndef HANDLER_GRPC_SERVER_H
#define HANDLER_GRPC_SERVER_H

#include <stddef.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/loop.h"

/* The codes of gRPC that are used here. */
enum grpc_status {
    GRPC_OK = 0,
    GRPC_UNKNOWN = 2,
    GRPC_INVALID_ARGUMENT = 3,
    GRPC_DEADLINE_EXCEEDED = 4,
    GRPC_RESOURCE_EXHAUSTED = 8,
    GRPC_UNIMPLEMENTED = 12,
    GRPC_INTERNAL = 13,
    GRPC_UNAVAILABLE = 14,
};

struct grpc_server;
struct grpc_stream; /* an open answer that more messages may be sent into */

/* Answer into reply (one message, packed). */
typedef enum grpc_status grpc_unary_fn(const void *request, size_t len, struct buf *reply,
                                       void *ctx);
/* A stream was asked for; send now or later with grpc_server_broadcast. */
typedef void grpc_opened_fn(struct grpc_stream *s, void *ctx);

struct grpc_method {
    const char *path; /* "/package.Service/Method" */
    grpc_unary_fn *unary;
    grpc_opened_fn *opened; /* one of the two */
};

/* Listening at socket_path (an old socket there is replaced) when it returns.  methods outlive it.
 */
int grpc_server_start(struct grpc_server **ret, struct loop *l, const char *socket_path,
                      const struct grpc_method *methods, size_t count, void *ctx, struct error *e);
/* Close everything and remove the socket. */
void grpc_server_stop(struct grpc_server *s);

void grpc_stream_send(struct grpc_stream *s, const void *message, size_t len);
/* To every open stream. */
void grpc_server_broadcast(struct grpc_server *s, const void *message, size_t len);
/* Open streams, of all connections. */
size_t grpc_server_streams(const struct grpc_server *s);

#endif
