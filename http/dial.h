/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One HTTP/1.1 exchange over a connection of its own, without blocking, on an
 * event loop: what virt-api sends to virt-handler.  The peer is verified by CA
 * and Subject CN instead of a host name (spec 01, mTLS to virt-handler).  When
 * the answer is 101, the stream is handed over and can be relayed; any other
 * answer arrives whole (bounded).
 */
#ifndef HTTP_DIAL_H
#define HTTP_DIAL_H

#include "http/message.h"
#include "http/stream.h"
#include "http/tls.h"

struct dial; /* an exchange on its way */

struct dial_request {
    const char *host; /* IP address, no brackets; or NULL with unix_path */
    int port;
    const char *unix_path;
    struct tls_keys *keys;    /* NULL: plain */
    struct tls_policy policy; /* copied; cn strings must outlive the exchange */
    enum http_method method;
    const char *path;                   /* with query */
    const struct http_headers *headers; /* Host is added; Connection/Upgrade are sent as given */
    const void *body;
    size_t body_len;
    int64_t connect_timeout_ms; /* TCP and TLS; 0 is 10 s */
    int64_t answer_timeout_ms;  /* whole exchange up to the answer; 0 is 10 s */
    size_t response_max_bytes;  /* 0 is 8 MiB */
};

struct dial_answer {
    int status; /* 0: no answer, see why */
    const struct http_headers *headers;
    const void *body;
    size_t body_len;
    struct stream *upgraded; /* with 101: taken by the callback */
    const struct error *why; /* with status 0: ERR_UNAVAILABLE or ERR_TIMEOUT */
};

/* Called once on the loop's thread; pointers are valid for the call only. */
typedef void dial_done_fn(const struct dial_answer *a, void *arg);

/* On the loop's thread.  Everything in *q is copied. */
struct dial *dial_start(struct loop *l, const struct dial_request *q, dial_done_fn *done,
                        void *arg);
/* Give up without calling done. */
void dial_cancel(struct dial *d);

#endif
