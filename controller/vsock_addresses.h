/* SPDX-License-Identifier: Apache-2.0 */
/*
 * VSOCK addresses (context ids) of instances: one for each that wants a VSOCK
 * device, unlike every other live instance's of the cluster, in status.VSOCKCID
 * from before the hand-over until the object is gone.  Status alone is the
 * record: here are only those that the informer does not show yet, so nothing
 * is lost with the process.  Any thread.
 */
#ifndef CONTROLLER_VSOCK_ADDRESSES_H
#define CONTROLLER_VSOCK_ADDRESSES_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

/* 0 to 2 are the hypervisor, the local machine and the host; the last number means any. */
#define VSOCK_CID_FIRST UINT32_C(3)
#define VSOCK_CID_LAST (UINT32_MAX - 1)

struct vsock_addresses; /* those that were given and are not seen in the informer yet */

struct vsock_addresses *vsock_addresses_new(void);
void vsock_addresses_free(struct vsock_addresses *a);

/*
 * Is an address to be given now?  It wants one (autoattachVSOCK; the gate VSOCK was asked at
 * admission), has none, and its node has not been told of it yet.  Pure.
 */
bool vmi_lacks_vsock_address(const json_t *vmi);

/* Does a live instance have it (as the informer knows)? */
typedef bool vsock_used_fn(uint32_t cid, void *ctx);

/*
 * An address for the instance `uid`: the one it was given before, else the first free one at or
 * after `random` (any number), round the end.  Kept for it until vsock_addresses_forget.
 */
uint32_t vsock_addresses_take(struct vsock_addresses *a, const char *uid, uint32_t random,
                              vsock_used_fn *used, void *ctx);
/* The informer shows it from now on, or the instance is gone. */
void vsock_addresses_forget(struct vsock_addresses *a, const char *uid);

/* Index function: status.VSOCKCID in decimal, NULL without one. */
char *index_vmi_by_vsock(const json_t *vmi);

#endif
