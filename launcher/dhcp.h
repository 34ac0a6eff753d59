/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DHCPv4 for one guest: one lease, known beforehand (spec 05, section 1.10;
 * RFC 2131, options RFC 2132, 3397, 3442).  Pure: bytes in, bytes out.
 *
 * Why not a packaged server: those want capabilities or a configuration of
 * pools; here one MAC address gets one address, from a process without any
 * capability.
 */
#ifndef LAUNCHER_DHCP_H
#define LAUNCHER_DHCP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    DHCP_SERVER_PORT = 67,
    DHCP_CLIENT_PORT = 68,
    DHCP_DNS_MAX = 8,
    DHCP_SEARCH_MAX = 1024, /* bytes of text */
    DHCP_HOSTNAME_MAX = 63,
    DHCP_PACKET_MAX = 1472, /* fits any Ethernet frame */
    DHCP_LEASE_SECONDS = 999 * 24 * 3600,
};

/* Addresses in network byte order. */
struct dhcp_lease {
    uint8_t mac[6];
    uint32_t address, mask, gateway, server;
    uint32_t dns[DHCP_DNS_MAX];
    size_t dns_len;
    char search[DHCP_SEARCH_MAX]; /* domains, separated by a space */
    char hostname[DHCP_HOSTNAME_MAX + 1];
    uint16_t mtu; /* 0: not said */
};

/*
 * Answer one message that came to port 67.  The length of the reply written to
 * `out` (DHCP_PACKET_MAX bytes), or 0 when it is not ours to answer: another
 * MAC, another server chosen, a relay, malformed.  *ret_to is where it goes:
 * the broadcast address or, for clients that have one, their address.
 */
size_t dhcp_answer(const struct dhcp_lease *lease, const void *in, size_t len, uint8_t *out,
                   uint32_t *ret_to);

/* "02:00:00:00:00:01" -> six bytes. */
bool mac_parse(const char *text, uint8_t out[6]);

#endif
