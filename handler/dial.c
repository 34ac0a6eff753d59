/* SPDX-License-Identifier: Apache-2.0 */
/* Connections to QEMU's sockets. */
#include "handler/dial.h"

#include "base/must.h"
#include "base/scope.h"
#include "handler/launcher.h"
#include "handler/podfs.h"

static int open_socket(const struct dial *d, struct error *e)
{
    scoped_fd int dir = podfs_open_volume(d->pods_dir, launcher_pod_uid(d->launcher), "private", e);
    if (dir < 0)
        return error_wrap(e, "pod");
    scoped(free) char *rel = must_asprintf("%s/%s", launcher_vmi_uid(d->launcher), d->socket);
    return podfs_open_socket(dir, rel, e);
}

int dial_socket(const struct dial *d, struct error *e)
{
    scoped_fd int at = open_socket(d, e);

    if (at < 0) {
        e->code = ERR_BAD_REQUEST; /* spec 05, 1.2: 400 when the socket is missing */
        return -ERR_BAD_REQUEST;
    }
    int fd = podfs_connect_within(at, DIAL_MS, e);
    if (fd < 0)
        e->code = ERR_UNAVAILABLE;
    return fd < 0 ? -ERR_UNAVAILABLE : fd;
}
