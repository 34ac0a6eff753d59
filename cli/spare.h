/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One connection to the API server made ahead, so that the next stream begins with its request: no
 * lookup, no TCP, proxy or TLS handshake.  A thread of its own makes it; it is renewed only while
 * it is used.  Any thread may take it.
 */
#ifndef CLI_SPARE_H
#define CLI_SPARE_H

struct http_client;
struct http_tunnel;
struct spare;

enum { SPARE_AGE_MS = 20 * 1000 }; /* servers drop a connection that says nothing for 32 s */

struct spare *spare_start(struct http_client *client /* borrowed, outlives it */);
void spare_stop(struct spare *s);

/* The connection, or NULL when there is none now; either way the next one is made. */
struct http_tunnel *spare_take(struct spare *s);

#endif
