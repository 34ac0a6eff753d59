/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Many local connections to one TCP port of a machine through one websocket (docs/STREAMS.md, "Many
 * connections in one").  A server that does not know of it is asked for a websocket a connection.
 *
 * Threads: any may carry; the channels' loop and the websocket have one each.
 */
#ifndef CLI_MUXED_H
#define CLI_MUXED_H

#include "cli/cli.h"

struct muxed;
struct spare;
struct websocket;

/* For the port whose stream is at `path` (copied); what: "the connection to port 80" (copied).  For
 * the process's life, as is `spare`, whose connections are used. */
struct muxed *muxed_new(struct cli *c, struct spare *spare, const char *path, const char *what);

/*
 * Carry a local connection until both sides have ended.  0 or an error with the far side's words:
 * fd is closed then.  1: the server does not know channels, and fd is still the caller's;
 * *ret_plain is a websocket for it that was opened meanwhile, or NULL.
 */
int muxed_carry(struct muxed *m, int fd, struct websocket **ret_plain, struct error *e);

#endif
