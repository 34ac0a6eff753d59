/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How a stream reaches the guest's side: one function a route of streams.c.  It
 * runs on a thread of the pool "dials" before the client is upgraded, so that it may wait for
 * its peer (DIAL_MS at most) and a refusal is still an HTTP answer.
 */
#ifndef HANDLER_DIAL_H
#define HANDLER_DIAL_H

#include <jansson.h>

#include "base/error.h"

struct http_call;
struct launcher;
struct vsock;

enum { DIAL_MS = 3000 };

/* What is asked for; all borrowed. */
struct dial {
    const char *pods_dir;
    const char *socket; /* the route's target, with its number in place */
    struct launcher *launcher;
    const json_t *vmi;
    const struct http_call *call; /* its query, and its loop */
    struct vsock *vsock;
};

/*
 * A connected, non-blocking descriptor that carries the stream's bytes, the caller's; or -code:
 * the client is answered with the code's HTTP status and the message as text.
 */
typedef int dial_fn(const struct dial *d, struct error *e);

/*
 * One of QEMU's sockets in the pod's private directory, opened without following links.
 * -ERR_BAD_REQUEST when the machine has none, -ERR_UNAVAILABLE when nobody listens or the listener
 * does not accept in time (QEMU is still busy with the connection before).
 */
dial_fn dial_socket;

#endif
