/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Many connections to one port of a machine over one authorised websocket (http/mux.h): each is
 * dialled when the client asks for it, and counts as a stream of its own.  Everything on the loop
 * of the client's connection.
 */
#ifndef SUBRESOURCES_CHANNELS_H
#define SUBRESOURCES_CHANNELS_H

#include <stdbool.h>

#include "base/error.h"
#include "base/loop.h"

struct channels;
struct limits;
struct stream;

struct channels_options {
    struct limits *limits; /* may be NULL */
    const char *user, *vmi_uid;
    const char *address;
    int port;
    bool is_udp;
};

/*
 * Strings are copied.  *ret_carrier is the stream whose bytes are the mux's; it ends when the mux
 * does.  -ERR_INTERNAL when there is no descriptor left.
 */
int channels_start(struct channels **ret, struct stream **ret_carrier, struct loop *l,
                   const struct channels_options *o, struct error *e);
/* Cuts all of them; after the carrier's other end has gone, or before. */
void channels_free(struct channels *c);

#endif
