/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The addresses of a machine's own pod, which are the only ones that ports are
 * forwarded to.  What status.interfaces says comes from the guest agent, that is
 * from whoever owns the guest: following it would let a guest point virt-api at
 * anything in the cluster (CVE-2026-13318).  Any thread.
 */
#ifndef SUBRESOURCES_PODS_H
#define SUBRESOURCES_PODS_H

#include <jansson.h>

#include "base/clock.h"
#include "base/error.h"

enum { POD_ADDRESS_MAX = 46 };

struct kube;

/*
 * Of this instance's pod among `pods`: on the instance's node, not ended, known to
 * status.activePods when that is there, in a network of its own.  The address is of the family of
 * the first of status.interfaces when there is one of it.  -ERR_BAD_REQUEST without interfaces,
 * -ERR_UNAVAILABLE without such a pod.  Pure.
 */
int pod_address(const json_t *vmi, const json_t *pods, char ret[POD_ADDRESS_MAX], struct error *e);

/* Pods that were looked up, for some seconds, so that many connections ask the API server once. */
struct pod_addresses;
struct pod_addresses *pod_addresses_new(const struct clock *clock);
void pod_addresses_free(struct pod_addresses *p);

/* Looks it up, or remembers it (p may be NULL).  Blocks.  Errors as pod_address, and of the API. */
int pod_addresses_find(struct pod_addresses *p, struct kube *k, const json_t *vmi,
                       char ret[POD_ADDRESS_MAX], struct error *e);
/* It did not answer: ask anew the next time. */
void pod_addresses_forget(struct pod_addresses *p, const char *vmi_uid);

#endif
