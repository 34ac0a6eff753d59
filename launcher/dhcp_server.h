/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Serves dhcp.h's answers on one bridge, through an ordinary UDP socket bound
 * to it: needs no capability where port 67 may be bound (virt-handler lowers
 * net.ipv4.ip_unprivileged_port_start of the pod).  On the loop's thread.
 */
#ifndef LAUNCHER_DHCP_SERVER_H
#define LAUNCHER_DHCP_SERVER_H

#include "base/error.h"
#include "base/loop.h"
#include "launcher/dhcp.h"

struct dhcp_server;

/* `lease` is copied.  -ERR_UNAVAILABLE when the port or the bridge cannot be used. */
int dhcp_server_start(struct dhcp_server **ret, struct loop *l, const char *bridge,
                      const struct dhcp_lease *lease, struct error *e);
void dhcp_server_free(struct dhcp_server *s);

#endif
