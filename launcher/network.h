/* SPDX-License-Identifier: Apache-2.0 */
/* network.json: what virt-handler prepared for the guest's interfaces (docs/LAUNCHER-API.md). */
#ifndef LAUNCHER_NETWORK_H
#define LAUNCHER_NETWORK_H

#include <jansson.h>

#include "base/error.h"
#include "launcher/dhcp.h"
#include "launcher/domain.h"

enum { NETWORK_NICS_MAX = 32, NETWORK_FILE_MAX = 256 * 1024 };

struct network_nic {
    struct domain_nic nic; /* strings belong to the network's document */
    const char *bridge;    /* NULL: no DHCP */
    struct dhcp_lease lease;
    bool has_lease; /* an IPv4 address to hand out */
};

struct network {
    json_t *doc; /* owned */
    struct network_nic nics[NETWORK_NICS_MAX];
    size_t len;
};

/* From the file's text.  -ERR_INVALID names what is wrong.  network_done() in either case. */
int network_parse(struct network *n, const char *text, size_t len, struct error *e);
/* Read NETWORK_FILE; without the file there are no interfaces. */
int network_read(struct network *n, struct error *e);
void network_done(struct network *n);

/* "default" -> its row, or NULL. */
const struct network_nic *network_find(const struct network *n, const char *name);

/* The Domain's interfaces as the domain knows them.  New array. */
json_t *network_describe(const struct network *n, const json_t *vmi);

#endif
