/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where each node's virt-handler is, from an informer of its pods, and how to
 * reach it: mTLS on the console port, the peer known by CA and common name
 * (spec 01, "mTLS to virt-handler").  Any thread.
 */
#ifndef SUBRESOURCES_NODES_H
#define SUBRESOURCES_NODES_H

#include <jansson.h>

#include "base/error.h"
#include "http/tls.h"

struct nodes;
struct kube;
struct http_watcher;

struct nodes_options {
    const char *namespace;      /* of the installation */
    int port;                   /* virt-handler's console server */
    struct tls_keys *keys;      /* client pair and the kubevirt CA; referenced */
    bool is_externally_managed; /* certificates of another installer: the common name is not checked
                                 */
};

struct nodes *nodes_start(struct kube *k, struct http_watcher *w, const struct nodes_options *o);
void nodes_stop(struct nodes *n);

struct node_target {
    char host[64];
    int port;
    struct tls_keys *keys;
    struct tls_policy policy;
};

/*
 * The virt-handler in charge of this instance.  -ERR_BAD_REQUEST unless its phase is
 * Running or Scheduled; -ERR_UNAVAILABLE when no virt-handler with an address is on its node
 * (a ready one is preferred; one that is not may still answer).
 */
int nodes_find(struct nodes *n, const json_t *vmi, struct node_target *ret, struct error *e);

/* Informer state for readiness. */
bool nodes_is_synced(const struct nodes *n);

#endif
