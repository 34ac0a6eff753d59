/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a machine's network needs in its pod (spec 05, 1.10), told from the VMI
 * and the pod's link: a plan, the nftables ruleset and the file that the launcher
 * reads (docs/LAUNCHER-API.md).  Pure; net.c acts.
 */
#ifndef HANDLER_NET_PLAN_H
#define HANDLER_NET_PLAN_H

#include <arpa/inet.h>
#include <jansson.h>
#include <net/if.h>
#include <stdbool.h>

#include "base/error.h"

enum { NET_PORTS_MAX = 1000, NET_MAC_MAX = 18, NET_ADDRESS_MAX = INET6_ADDRSTRLEN };

/* The pod's own link as it is found in its network namespace. */
struct pod_link {
    int mtu;
    char ipv4[NET_ADDRESS_MAX]; /* "" without one */
    char ipv6[NET_ADDRESS_MAX];
};

struct net_family {
    char guest[NET_ADDRESS_MAX];
    char gateway[NET_ADDRESS_MAX];
    int prefix;
};

struct net_port {
    bool is_udp;
    int first, last;
};

struct net_plan {
    bool is_needed; /* false: the machine has no interface */
    char name[64];  /* spec.networks[].name */
    char link[IFNAMSIZ], bridge[IFNAMSIZ], tap[IFNAMSIZ];
    char mac[NET_MAC_MAX]; /* of the guest */
    bool is_multiqueue;
    struct net_family ipv4, ipv6;
    struct net_port port[NET_PORTS_MAX]; /* none: every port leads to the guest */
    size_t ports;
};

/* -ERR_INVALID for what cannot be set up here (binding, CIDR): the machine cannot run. */
int net_plan_make(struct net_plan *ret, const json_t *vmi, struct error *e);

/* The whole `nat` tables of the families that the pod has, replacing what was there.  New string.
 */
char *nft_ruleset(const struct net_plan *p, const struct pod_link *link);

/* network.json; resolv_conf is the pod's file ("" without one).  New. */
json_t *net_json(const struct net_plan *p, const struct pod_link *link, const json_t *vmi,
                 const char *resolv_conf);

/* A stable, locally administered MAC for an interface that names none. */
void net_stable_mac(const char *vmi_uid, const char *interface, char out[NET_MAC_MAX]);

#endif
