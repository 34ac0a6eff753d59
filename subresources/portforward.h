/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ports of the guest.  virt-api is the end of this websocket: it copies the
 * messages' bytes (UDP: a message a datagram) to an address of the machine's
 * own pod (spec 01, section 5).
 */
#ifndef SUBRESOURCES_PORTFORWARD_H
#define SUBRESOURCES_PORTFORWARD_H

#include "base/error.h"
#include "subresources/routes.h"

subresource_fn vmi_portforward;
subresource_fn vm_portforward;

/* What a path's tail asks for: "22", "22/tcp", "53/udp". */
struct forwarded_port {
    int port;
    bool is_udp;
};

/* -ERR_BAD_REQUEST with what is wrong.  Pure. */
int forwarded_port_parse(const char *tail, struct forwarded_port *ret, struct error *e);

#endif
