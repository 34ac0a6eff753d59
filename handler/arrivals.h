/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tells when a launcher's socket arrives: launchers rename it into place when
 * they are ready, and inotify sees that.  A thread of its own; the calls may
 * come from any thread.
 */
#ifndef HANDLER_ARRIVALS_H
#define HANDLER_ARRIVALS_H

struct arrivals;

/* On the thread of arrivals. */
typedef void arrivals_fn(const char *key, void *ctx);

struct arrivals *arrivals_start(arrivals_fn *fn, void *ctx);
void arrivals_stop(struct arrivals *a);

/*
 * Call fn(key) once when something is renamed into the directory (dir_fd may be
 * closed afterwards).  Look for the socket again after this: it may have come before.
 */
void arrivals_watch(struct arrivals *a, int dir_fd, const char *key);

#endif
