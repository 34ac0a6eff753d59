/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files below a pod's directory on the node.  What lies there belongs to the
 * pod and is hostile: nothing is opened through a symbolic link or outside of
 * the directory (openat2), and a descriptor, not a path, is what is kept.  Any thread.
 */
#ifndef HANDLER_PODFS_H
#define HANDLER_PODFS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/error.h"

/* Is this usable as one path component that names a pod or a machine (a UID)? */
bool podfs_uid_is_valid(const char *uid);

/*
 * The directory of emptyDir `volume` of a pod: O_PATH descriptor.
 * -ERR_NOT_FOUND when it is not there, -ERR_FORBIDDEN when a link is in the way.
 */
int podfs_open_volume(const char *pods_dir, const char *pod_uid, const char *volume,
                      struct error *e);
/* 1 when the pod's directory exists, 0 when it positively does not, -code when that cannot be said.
 */
int podfs_pod_exists(const char *pods_dir, const char *pod_uid, struct error *e);

/* Open `rel` below dir_fd; errors as above.  Descriptor. */
int podfs_open(int dir_fd, const char *rel, int flags, struct error *e);

/* A unix socket below dir_fd: an O_PATH descriptor of the socket itself (also when rel was renamed
 * since). */
int podfs_open_socket(int dir_fd, const char *rel, struct error *e);

enum { PODFS_SOCKET_PATH_MAX = 40 };
/* The path by which that descriptor is connected to while it is open. */
const char *podfs_socket_path(int socket_fd, char out[PODFS_SOCKET_PATH_MAX]);

/*
 * Connect to it: a non-blocking, connected descriptor.  -ERR_UNAVAILABLE when nobody listens
 * (refused), -ERR_TIMEOUT when the listener's backlog is full, -ERR_INTERNAL otherwise.
 */
int podfs_connect(int socket_fd, struct error *e);
/* The same, but wait up to ms for a place in the listener's backlog.  Blocks. */
int podfs_connect_within(int socket_fd, int ms, struct error *e);

/* Replace file `name` in dir_fd as a whole (temporary file, rename), owned by uid:uid, mode 0640.
 */
int podfs_write_file(int dir_fd, const char *name, const void *data, size_t len, uid_t uid,
                     struct error *e);

/*
 * Read a regular file of the container whose root is root_fd, links resolved inside that root.
 * At most max bytes; a new NUL-terminated string in *ret.
 */
int podfs_read_in_root(int root_fd, const char *path, size_t max, char **ret, struct error *e);

#endif
