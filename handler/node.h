/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The node's heartbeat (spec 05, 1.5): label kubevirt.io/schedulable, the
 * annotation kubevirt.io/heartbeat, CPU manager and machine-type labels, written as
 * one strategic merge patch every minute or so.  A thread of its own.
 */
#ifndef HANDLER_NODE_H
#define HANDLER_NODE_H

#include <jansson.h>
#include <stdbool.h>

#include "base/clock.h"

struct kube;
struct node_heart;

struct node_options {
    const char *node;
    const char *kubelet_root; /* cpu_manager_state lies here */
    bool wants_labels;        /* --enable-node-labeller */
    const struct clock *clock;
    struct kube *kube;
    bool (*is_ready)(void *ctx); /* are all device plugins registered?  Any thread */
    void *ctx;
};

/* The first beat comes as soon as is_ready says so, at latest after 10 s. */
struct node_heart *node_heart_start(const struct node_options *o);
/* Beat soon: readiness changed. */
void node_heart_beat(struct node_heart *h);
/* The last beat says schedulable=false. */
void node_heart_stop(struct node_heart *h);

/* The patch.  Pure. */
json_t *node_patch(bool is_schedulable, bool has_cpu_manager, bool wants_labels, const char *now);
/* Does the kubelet's state file say that the static policy is in force?  Pure. */
bool cpu_manager_is_static(const char *state_text);

#endif
