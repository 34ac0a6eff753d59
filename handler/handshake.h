/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A websocket upgrade that arrives as an http_call, carried out by the websocket
 * thread: the request is handed on over a socketpair, its 101 comes back and becomes the call's
 * answer, and from then on bytes are relayed between the two.  On the call's loop.
 */
#ifndef HANDLER_HANDSHAKE_H
#define HANDLER_HANDSHAKE_H

#include <stdbool.h>
#include <stdint.h>

struct handshakes; /* those on their way and the relays that came of them */
struct http_call;
struct ws_session;

struct handshakes *handshakes_new(void);
/* Wait until every relay has ended (the websocket thread is stopped by then), at most ms.  Any
 * thread. */
void handshakes_wait(struct handshakes *hs, int64_t ms);
void handshakes_free(struct handshakes *hs);

/* Is it a well-formed request for a websocket (RFC 6455, 4.2.1)? */
bool handshake_is_wanted(const struct http_call *c);

/*
 * Takes the session, guest_fd (connected, or -1) and the call (kept already), which is answered in
 * any case.  On the call's loop.
 */
void handshake_start(struct handshakes *hs, struct http_call *c, struct ws_session *session,
                     int guest_fd);

/* The request that the websocket thread gets.  Pure; new string. */
char *handshake_request(const char *key, bool wants_protocol);

#endif
