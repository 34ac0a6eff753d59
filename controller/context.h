/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the controllers of this process share: the client, the informers, the
 * cluster's configuration and the settings.  Made once in main, read-only
 * afterwards; each member says itself which threads may use it.
 */
#ifndef CONTROLLER_CONTEXT_H
#define CONTROLLER_CONTEXT_H

#include "base/clock.h"
#include "controller/settings.h"
#include "kube/client.h"
#include "kube/cluster_config.h"
#include "kube/event.h"
#include "kube/informer.h"

struct context {
    const struct settings *settings;
    const char *namespace; /* of the installation */
    const struct clock *clock;
    struct kube *kube;
    struct cluster_config_store *config;
    struct informer *vms, *vmis, *replica_sets, *pods, *nodes, *kubevirts;
    /* Only who they are. */
    struct informer *instancetypes, *cluster_instancetypes, *preferences, *cluster_preferences;
};

/* Names of the informers' indexes. */
#define INDEX_CONTROLLER "controller"     /* uid of the controlling owner */
#define INDEX_NODE "node"                 /* node that an instance runs on */
#define INDEX_INSTANCETYPE "instancetype" /* of machines: what they name, see vm_types.h */
#define INDEX_PREFERENCE "preference"
#define INDEX_VSOCK "vsock"   /* of instances: status.VSOCKCID, see vsock_addresses.h */
#define INDEX_ORPHAN "orphan" /* namespace, for objects without a controlling owner */

#endif
