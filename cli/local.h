/* SPDX-License-Identifier: Apache-2.0 */
/* One local TCP connection that a stream is carried to: vnc and usbredir. */
#ifndef CLI_LOCAL_H
#define CLI_LOCAL_H

#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"

struct websocket;

/*
 * Accept one connection while the websocket is kept alive.  The descriptor; -ERR_TIMEOUT after
 * timeout_ms (-1: never); -ERR_NOT_FOUND when the program that was to connect ended first (pid 0:
 * none); -ERR_UNAVAILABLE when the server closed, in words with `what`.
 */
int local_accept(struct websocket *w, int listener, pid_t program, int64_t timeout_ms,
                 const char *what, struct error *e);

/* Copy until either side ends; an end by the server is told as session_end does. */
int local_copy(struct websocket *w, int fd, const char *what, struct error *e);

#endif
