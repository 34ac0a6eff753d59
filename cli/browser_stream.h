/* SPDX-License-Identifier: Apache-2.0 */
/* A browser's websocket carried to the API server: the handshake is passed on, then bytes. */
#ifndef CLI_BROWSER_STREAM_H
#define CLI_BROWSER_STREAM_H

#include "cli/cli.h"

struct http_call;

/* Answers the kept call in any case.  Blocks until the stream ends. */
void browser_stream(struct cli *c, struct http_call *call, const char *path);

#endif
