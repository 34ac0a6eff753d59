/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Many connections in one byte stream: what port forwarding uses so that a further connection costs
 * neither a TLS handshake nor an authorisation (docs/STREAMS.md, "Many connections in one").  The
 * client opens channels, the server dials for each.  Each channel has a window of its own, so that
 * one whose reader is slow stalls no other, and half-closes as TCP does.
 *
 * A message is an 8-byte head (type, 0, length as u16, channel as u32, big endian) and `length`
 * bytes: OPEN and OPENED (empty), DATA, END (no more data follows), RESET (why, in words), CREDIT
 * (u32: so many more bytes may be sent).  Channels are numbered from 1 by the client and never used
 * again.
 *
 * Everything on the carrier's loop.
 */
#ifndef HTTP_MUX_H
#define HTTP_MUX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "http/stream.h"

struct mux;
struct mux_channel;

/* The websocket sub-protocol that stands for it. */
#define MUX_PROTOCOL "mux.portforward.cvirt.io"

enum {
    MUX_WINDOW_BYTES = 256 * 1024, /* on its way in one direction of a channel */
    MUX_CHANNELS_MAX = 256,        /* at once; one more is reset */
    MUX_REASON_MAX = 200,
};

struct mux_handlers {
    /*
     * Server: the client asks for a connection.  Answer by mux_accept or mux_refuse, now or later.
     * NULL on the client's side.
     */
    void (*open)(struct mux_channel *c, void *arg);
    /*
     * Once for each channel that was neither refused by us nor ended by mux_free: why is "" when
     * both sides had said everything, else what happened, in words (from the other side: shown,
     * never trusted).  A server's unanswered channel ends so too.  The channel is invalid
     * afterwards.
     */
    void (*closed)(struct mux_channel *c, const char *why, void *arg);
    /* The carrier is over; every channel has been closed.  mux_free may be called from here. */
    void (*ended)(struct mux *m, const char *why, void *arg);
};

/* Takes the carrier.  The handlers are copied. */
struct mux *mux_start(struct stream *carrier, const struct mux_handlers *h, void *arg);
/* Closes the carrier and all channels, without telling.  NULL is allowed. */
void mux_free(struct mux *m);

/*
 * Client: a channel for `local`, which is taken; it is read once the server has connected.
 * NULL when there are MUX_CHANNELS_MAX (local is closed).  is_datagrams: local is a datagram
 * socket, each message one datagram.
 */
struct mux_channel *mux_open(struct mux *m, struct stream *local, bool is_datagrams, void *user);

/* Server: takes `local`. */
void mux_accept(struct mux_channel *c, struct stream *local, bool is_datagrams);
void mux_refuse(struct mux_channel *c, const char *why);

void mux_channel_set_user(struct mux_channel *c, void *user);
void *mux_channel_user(const struct mux_channel *c);
struct mux *mux_channel_mux(const struct mux_channel *c);
size_t mux_channels(const struct mux *m);

#endif
