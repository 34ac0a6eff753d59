/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The guest's end of a VSOCK stream (spec 05, 1.2): a connection to a port of
 * the machine's own address, by default inside TLS.  Which guest it is follows
 * from the address, which the kernel gives to one guest of a node at a time; the
 * guest knows by our certificate (kubevirt.io:system:client:vsock) that the
 * installation calls and not some process of the node.  A guest has no
 * certificate of the installation's, so its own is not checked, as upstream.
 */
#ifndef HANDLER_VSOCK_H
#define HANDLER_VSOCK_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "handler/dial.h"

struct tls_keys;

struct vsock_target {
    uint32_t cid, port;
    bool wants_tls;
};

/*
 * From the machine and the query's `port` and `tls` (as text, NULL when absent; tls is on unless it
 * says otherwise).  -ERR_BAD_REQUEST: the machine has no VSOCK device, or the query is wrong;
 * -ERR_INTERNAL: it has no address that a guest can have.  Pure.
 */
int vsock_target_read(struct vsock_target *ret, const json_t *vmi, const char *port,
                      const char *tls, struct error *e);

struct vsock; /* TLS to guests: one thread moves the bytes of all of them */

/* Connect within ms: a non-blocking descriptor or -code.  Blocks.  What tests replace. */
typedef int vsock_connect_fn(const struct vsock_target *t, int64_t ms, struct error *e);

/* keys: what is shown to guests; referenced.  NULL: nothing.  connect NULL: AF_VSOCK. */
struct vsock *vsock_new(struct tls_keys *keys, vsock_connect_fn *connect);
/* Ends what is left; no vsock_dial is on its way. */
void vsock_free(struct vsock *v);

/*
 * A connected, non-blocking descriptor that carries the stream's bytes, the caller's, within ms.
 * -ERR_UNAVAILABLE: nothing listens, or TLS came to nothing; -ERR_TIMEOUT.  Blocks; any thread but
 * vsock's own.
 */
int vsock_dial(struct vsock *v, const struct vsock_target *t, int64_t ms, struct error *e);

/* vsock_target_read of a call, and vsock_dial. */
dial_fn dial_vsock;

#endif
