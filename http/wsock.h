/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The server's end of a websocket whose messages are the bytes of a plain
 * connection: what port forwarding is made of.  Frames here, bytes (or a
 * datagram a message) there, both ways, without more than a buffer's worth held
 * back in either direction.  Everything on the streams' loop.
 *
 * Text messages are skipped; pings are answered; a client that is sent nothing
 * for 15 s is pinged.  What breaks RFC 6455 is closed with 1002, a message too
 * long for a datagram with 1009.  When the plain side ends, the client is sent
 * what is left, then 1000; when the client closes, the plain side is sent what is
 * left, then its end.
 */
#ifndef HTTP_WSOCK_H
#define HTTP_WSOCK_H

#include "http/message.h"
#include "http/stream.h"
#include "http/wsframe.h"

enum { WS_DATAGRAM_MAX = 65507, WS_PING_MS = 15 * 1000, WS_ACCEPT_MAX = 32 };

/*
 * Is this request an upgrade to the websocket protocol, version 13?  The value of the answer's
 * Sec-WebSocket-Accept then; false with *e filled, -ERR_BAD_REQUEST.
 */
bool wsock_accept(const struct http_headers *request, char ret_accept[WS_ACCEPT_MAX],
                  struct error *e);

struct wsock;

struct wsock_options {
    bool is_datagrams; /* `plain` is a connected UDP socket */
    int64_t ping_ms;   /* 0 is WS_PING_MS */
};

/* Takes both streams.  done is called once, when both are closed. */
typedef void wsock_done_fn(void *arg);
struct wsock *wsock_start(struct stream *client, struct stream *plain,
                          const struct wsock_options *o, wsock_done_fn *done, void *arg);
/*
 * Close with this code and reason; done is called soon (a client that does not read is given half a
 * second), maybe before this returns.
 */
void wsock_say_goodbye(struct wsock *w, int code, const char *reason);

#endif
