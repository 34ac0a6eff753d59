/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The client's side of a TLS handshake over a descriptor that is connected
 * already, without blocking: for peers whose kind of address this folder does
 * not know.  Everything on the loop's thread.
 */
#ifndef HTTP_SECURE_H
#define HTTP_SECURE_H

#include <stdint.h>

#include "base/error.h"
#include "http/stream.h"
#include "http/tls.h"

struct secure; /* a handshake on its way */

struct secure_request {
    int fd;                   /* connected, non-blocking; taken */
    struct tls_keys *keys;    /* what is shown when the peer asks; referenced */
    struct tls_policy policy; /* copied; cn strings must outlive the handshake */
    int64_t timeout_ms;       /* 0 is 10 s */
};

/*
 * Called once.  `s` is taken by the callback; NULL: *why is ERR_UNAVAILABLE, ERR_TIMEOUT, or
 * ERR_FORBIDDEN when one side refused the other's certificate.
 */
typedef void secure_done_fn(struct stream *s, const struct error *why, void *arg);

/* done is not called before this returns. */
struct secure *secure_start(struct loop *l, const struct secure_request *q, secure_done_fn *done,
                            void *arg);
/* Give up without calling done. */
void secure_cancel(struct secure *s);

#endif
