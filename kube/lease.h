/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Leader election by a coordination.k8s.io Lease, by client-go's rules: 15 s
 * lease, 10 s renew deadline, 2 s retry with jitter; expiry is judged by local
 * time since the record last changed.  A thread of its own.
 */
#ifndef KUBE_LEASE_H
#define KUBE_LEASE_H

#include <stdbool.h>
#include <stdint.h>

#include "kube/client.h"

struct lease;

/*
 * on_started and on_lost run on the lease's thread, which renews nothing meanwhile: they start or
 * flag things and return.  Losing happens when nothing could be renewed for renew_deadline_ms, or
 * when another candidate's name stands in the Lease.
 */
struct lease_options {
    const char *namespace, *name, *identity;
    int64_t duration_ms, renew_deadline_ms, retry_ms; /* 0: 15000, 10000, 2000 */
    void (*on_started)(void *ctx);                    /* on the lease's thread */
    void (*on_lost)(void *ctx);                       /* the process must end */
    void *ctx;
};

struct lease *lease_start(struct kube *k, const struct lease_options *o);
/* Also false once duration_ms passed since the last renewal, whatever the thread is doing. */
bool lease_is_leader(const struct lease *l);
/* Give the lease up (so that another takes over at once), stop, free. */
void lease_stop(struct lease *l);

#endif
