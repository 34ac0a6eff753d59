/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Phase 1 of a machine's network (spec 05, 1.10): what needs privilege, done
 * from outside in the pod's network namespace.  Blocks (some 10 ms), on a thread
 * of its own inside the call, because a thread that entered a pod's namespace never
 * does anything else afterwards.  Any thread.
 */
#ifndef HANDLER_NET_H
#define HANDLER_NET_H

#include "handler/net_plan.h"

/*
 * Make (or find made) bridge, tap, addresses, sysctls and NAT in the namespace
 * of netns_fd; *ret_link is what was found of the pod's own link.  Idempotent.
 */
int net_setup(int netns_fd, const struct net_plan *p, struct pod_link *ret_link, struct error *e);

/* Only look at the pod's link. */
int net_look(int netns_fd, const char *link, struct pod_link *ret_link, struct error *e);

#endif
