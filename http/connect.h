/* SPDX-License-Identifier: Apache-2.0 */
/* A plain connection to an IP address, made without blocking.  Everything on the loop's thread. */
#ifndef HTTP_CONNECT_H
#define HTTP_CONNECT_H

#include "base/error.h"
#include "http/stream.h"

struct connecting; /* on its way */

struct connect_to {
    const char *host; /* IP address, no brackets; copied */
    int port;
    bool is_udp;        /* then nothing is asked of the peer: it is always made at once */
    int64_t timeout_ms; /* 0 is 10 s */
};

/*
 * Called once, on the loop: the stream (taken), or NULL with why: ERR_UNAVAILABLE ("connection
 * refused") or ERR_TIMEOUT.
 */
typedef void connected_fn(struct stream *s, const struct error *why, void *arg);

struct connecting *connect_start(struct loop *l, const struct connect_to *to, connected_fn *done,
                                 void *arg);
/* Give up without calling done. */
void connect_cancel(struct connecting *c);

#endif
