/* SPDX-License-Identifier: Apache-2.0 */
/* The messages of the kubelet's device plugin API, from and to plain values.  Pure. */
#ifndef HANDLER_PLUGIN_MESSAGE_H
#define HANDLER_PLUGIN_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

/* A device that is handed out under virtual ids. */
struct plugin_device {
    const char *name; /* "kvm": resource devices.kubevirt.io/kvm, ids kvm0, kvm1 ... */
    const char *path; /* on the node and in the container */
    const char *resource;
    const char *gate; /* the feature gate that it belongs to; NULL: none */
};

/* ListAndWatchResponse with `count` devices, all healthy or all not. */
void plugin_pack_list(const struct plugin_device *d, size_t count, bool is_healthy,
                      struct buf *out);

/* The answer to an AllocateRequest; false when the request does not parse or asks for too much. */
bool plugin_pack_allocation(const struct plugin_device *d, const void *request, size_t len,
                            const char *permissions, struct buf *out);

/* RegisterRequest of API version v1beta1. */
void plugin_pack_register(const struct plugin_device *d, const char *endpoint, struct buf *out);

#endif
