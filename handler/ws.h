/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Websockets that end at one of QEMU's unix sockets: console and VNC.  One
 * thread (libwebsockets') owns every session; the client's side comes to it as
 * plain bytes over a socketpair, TLS being http/'s work.  Bytes go both ways in
 * binary frames, at most one buffer at a time each way (receive flow control is the
 * back-pressure); a session is pinged when it is idle.
 */
#ifndef HANDLER_WS_H
#define HANDLER_WS_H

#include <stdbool.h>

struct ws;

enum { WS_SESSIONS_MAX = 256, WS_NAME_MAX = 120, WS_CHUNK_BYTES = 32 * 1024 };

struct ws *ws_start(void);
/* Sessions are closed with 1001; then the thread ends. */
void ws_stop(struct ws *w);

/* Is there a session under this name?  Any thread. */
bool ws_is_used(struct ws *w, const char *name);

/*
 * Begin a session.  `client_fd` speaks HTTP: the upgrade request comes first. `qemu_fd` is
 * connected.  Both non-blocking and taken.  An older session of the same name is
 * closed first ("taken over").  false when there are too many (both descriptors
 * are closed).  Any thread.
 */
bool ws_open(struct ws *w, const char *name, int client_fd, int qemu_fd);

#endif
