/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A stream subresource as a file descriptor: what is written to it leaves as
 * binary messages, what arrives is read from it (spec 06, section 2).  The
 * websocket itself lives on a thread of its own (libwebsockets).
 */
#ifndef CLI_WEBSOCKET_H
#define CLI_WEBSOCKET_H

#include "cli/cli.h"

struct websocket;

/*
 * Connect, and wait for the handshake.  On refusal *e holds the server's code and message:
 * the path is asked once more without the upgrade, since a refused upgrade hides its body.
 */
int websocket_open(struct websocket **ret, struct cli *c, const char *path, struct error *e);

/* Owned by the websocket; end of file once it is closed. */
int websocket_fd(const struct websocket *w);

enum { WEBSOCKET_REASON_MAX = 126 };
/* The close code (1000 normal, 1006 no close frame), after end of file. */
int websocket_close_code(struct websocket *w, char reason[WEBSOCKET_REASON_MAX]);

void websocket_free(struct websocket *w);

#endif
