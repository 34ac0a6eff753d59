/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A connection of its own to an http_client's server, for one request that may end in another
 * protocol (101): then it is bytes.  Made by libcurl, so that proxies, credentials and
 * verification are those of http_client_do.  Blocks until the answer, never after it.  One thread
 * at a time.
 */
#ifndef HTTP_TUNNEL_H
#define HTTP_TUNNEL_H

#include <sys/types.h>

#include "base/error.h"
#include "base/scope.h"
#include "http/client.h"

struct http_tunnel;

enum {
    TUNNEL_ANSWER_MS = 60 * 1000,     /* from the request to the answer */
    TUNNEL_REFUSAL_MAX = 1024 * 1024, /* bytes of an answer that is not 101 */
    TUNNEL_AGAIN = -1,                /* of read and write: wait for the descriptor */
    TUNNEL_FAILED = -2,
};

/*
 * Connect: TCP, proxy, TLS.  The request can follow later, but servers drop a connection that
 * says nothing (Kubernetes' after 32 s).  Errors as http_client_do.
 */
int http_tunnel_open(struct http_tunnel **ret, struct http_client *c, struct error *e);
void http_tunnel_close(struct http_tunnel *t);
DEFINE_SCOPE(struct http_tunnel, http_tunnel_close)

/*
 * GET `path` (with query) with these headers and the client's own, once.  0 when an answer came,
 * whatever its status; *ret is the caller's to release in any case.  -ERR_TIMEOUT,
 * -ERR_UNAVAILABLE.
 */
int http_tunnel_ask(struct http_tunnel *t, const char *path, const struct http_headers *headers,
                    struct http_response *ret, struct error *e);

/* To poll.  Only after TUNNEL_AGAIN does it tell the truth: TLS may hold bytes back. */
int http_tunnel_fd(const struct http_tunnel *t);
/* Bytes moved; read: 0 at the end.  A write that said TUNNEL_AGAIN is repeated with the same
 * bytes (more may follow them). */
ssize_t http_tunnel_read(struct http_tunnel *t, void *data, size_t len);
ssize_t http_tunnel_write(struct http_tunnel *t, const void *data, size_t len);

#endif
