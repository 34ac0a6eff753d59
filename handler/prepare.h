/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What virt-handler does to a launcher's pod from outside, before the machine is
 * handed over: phase 1 of the network and network.json, ownership of devices
 * (spec 05, 1.9 and 1.10).  Blocks; a worker's thread.
 */
#ifndef HANDLER_PREPARE_H
#define HANDLER_PREPARE_H

#include <jansson.h>

#include "base/error.h"

struct launcher;

/*
 * All of it.  *ret_pod_ips: the pod's addresses, a new array.  Idempotent.
 * -ERR_INVALID or -ERR_INTERNAL: this machine cannot run; -ERR_UNAVAILABLE: try again.
 */
int prepare_pod(const char *pods_dir, struct launcher *l, const json_t *vmi, json_t **ret_pod_ips,
                struct error *e);

/* Only find the pod's addresses (after a restart of virt-handler). */
int prepare_read_ips(struct launcher *l, json_t **ret_pod_ips, struct error *e);

#endif
