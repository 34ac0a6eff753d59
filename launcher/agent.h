/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Asks the guest agent in the background while it is connected (spec 05,
 * section 3.8): at once, then at intervals that double up to each question's own. What it
 * said last is kept.  A guest that does not answer costs its own pool's thread
 * only.
 */
#ifndef LAUNCHER_AGENT_H
#define LAUNCHER_AGENT_H

#include <jansson.h>
#include <stdbool.h>

#include "base/loop.h"

struct agent;
struct hypervisor;
struct machine;

enum agent_fact {
    AGENT_INFO,
    AGENT_OS,
    AGENT_HOSTNAME,
    AGENT_TIMEZONE,
    AGENT_INTERFACES,
    AGENT_USERS,
    AGENT_FILESYSTEMS,
    AGENT_FACT_COUNT,
};

/* Borrows all three.  On the loop's thread, as agent_free and agent_set_connected. */
struct agent *agent_new(struct loop *l, struct hypervisor *h, struct machine *m);
void agent_free(struct agent *a);
void agent_set_connected(struct agent *a, bool is_connected);

/* The interfaces that the domain has, to which the agent's addresses are added.  Takes the array.
 * Any thread. */
void agent_set_domain_interfaces(struct agent *a, json_t *interfaces);

/* What was said last: new reference, or NULL.  Any thread. */
json_t *agent_get(struct agent *a, enum agent_fact fact);

#endif
