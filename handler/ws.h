/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Websockets that end at the guest's side: console, screen, USB redirection,
 * VSOCK.  One thread (libwebsockets') owns every session; the client's side comes to it as
 * plain bytes over a socketpair, TLS being http/'s work.  Bytes go both ways in
 * binary frames; what is held is bounded (handler/guest.h), receive flow control is the
 * back-pressure towards the client.
 *
 * A session to which nothing was sent for WS_PING_TICKS is pinged, before what is queued.  One that
 * asked for its part (docs/STREAMS.md) is told it in text frames.  Close codes:
 *
 *   1000 ""                            the guest's side ended (QEMU ended, or closed it); what it
 *                                      sent before arrives first
 *   1000 "taken over by a new session"
 *   1001 "virt-handler is shutting down"
 *   1008 "an observer sent ..."        RFB that cannot be followed
 *   1013 "this viewer does not keep up with the others"
 *
 * A launcher or pod that is lost takes QEMU with it: 1000.  A machine that virt-handler no longer
 * knows is refused before the upgrade; open sessions go on as long as its QEMU does.
 */
#ifndef HANDLER_WS_H
#define HANDLER_WS_H

#include <stdbool.h>
#include <stddef.h>

#include "handler/hub.h"

struct ws;
struct ws_session;

enum {
    WS_TICK_MS = 1000,
    WS_PING_TICKS = 14,   /* idle */
    WS_LINGER_TICKS = 60, /* for a client to read the rest and its close frame */
    WS_STOP_TICKS = 2,    /* the same, when virt-handler stops */
    WS_SESSIONS_MAX = 8192,
};

struct ws_options {
    size_t viewers_max;  /* sessions of one console or screen */
    size_t sessions_max; /* 0: as many as descriptors allow, at most WS_SESSIONS_MAX */
    unsigned tick_ms;    /* 0: WS_TICK_MS; tests are quicker */
};

struct ws *ws_start(const struct ws_options *o);
/* Sessions are closed with 1001; then the thread ends, and nobody joins any more. */
void ws_stop(struct ws *w);
/* After ws_stop, when every session that joined has begun or was dropped. */
void ws_free(struct ws *w);

/* ---- any thread ---- */

/*
 * A place for a session of stream `name` ("UID/console").  With HUB_JOINED, *ret is the caller's
 * until ws_session_begin or ws_session_drop.  Nobody is displaced yet.
 */
enum hub_answer ws_join(struct ws *w, const char *name, enum hub_kind kind, enum role_ask ask,
                        struct ws_session **ret);
/* Must a connection to the guest be brought along?  (Not to join a console that runs.) */
bool ws_session_wants_guest(const struct ws_session *s);
/*
 * Takes the session and both descriptors, non-blocking.  `client_fd` speaks HTTP: the upgrade
 * request comes first, and when it is answered the session has its part.  guest_fd is connected, or
 * -1 when none is wanted.
 */
void ws_session_begin(struct ws_session *s, int client_fd, int guest_fd);
void ws_session_drop(struct ws_session *s);

#endif
