/* SPDX-License-Identifier: Apache-2.0 */
/* Sockets that local programs connect to. */
#ifndef CLI_LISTEN_H
#define CLI_LISTEN_H

#include <stdbool.h>
#include <sys/socket.h>

#include "base/error.h"

/*
 * A bound socket (listening when TCP) at an IPv4 or IPv6 address or a local host's name; port 0
 * picks one.  *ret_port is the port it has.  The descriptor or -code.
 */
int listen_on(const char *address, int port, bool is_udp, int *ret_port, struct error *e);

#endif
