/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keeps libvirt's daemon running in session mode, as the user that the
 * launcher runs as: writes its configuration, starts it, sees its socket
 * appear, starts it again when it dies (QEMU goes on meanwhile).  On the
 * loop's thread.
 */
#ifndef LAUNCHER_LIBVIRTD_H
#define LAUNCHER_LIBVIRTD_H

#include "base/error.h"
#include "base/loop.h"
#include "launcher/reaper.h"

struct libvirtd;

/* on_socket is called each time that a daemon's socket has appeared. */
int libvirtd_start(struct libvirtd **ret, struct loop *l, struct reaper *r, loop_fn *on_socket,
                   void *arg, struct error *e);
/* What to give to virConnectOpen. */
const char *libvirtd_uri(const struct libvirtd *d);
/* Ask it to end; it is not waited for.  The process must outlive no further use of it. */
void libvirtd_free(struct libvirtd *d);

#endif
