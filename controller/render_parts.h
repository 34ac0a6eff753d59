/* SPDX-License-Identifier: Apache-2.0 */
/* The parts that render_pod() puts together; each is pure and tested by itself.  Any thread. */
#ifndef CONTROLLER_RENDER_PARTS_H
#define CONTROLLER_RENDER_PARTS_H

#include <jansson.h>
#include <stdint.h>

#include "base/error.h"
#include "controller/render_pod.h"

/* Bytes that the machine needs beside the guest's memory (sheet: page tables, QEMU, libvirt ...).
 */
int64_t memory_overhead_bytes(const struct pod_request *q);

/* resources of the compute container: {requests, limits}.  -ERR_INVALID for a quantity that does
 * not parse. */
int render_resources(json_t **ret, const struct pod_request *q, struct error *e);

/* Append to the pod's volumes and the compute container's volumeMounts and volumeDevices. */
struct pod_volumes {
    json_t *volumes, *mounts, *devices; /* arrays, owned by the caller */
};
int render_volumes(struct pod_volumes *out, const struct pod_request *q, struct error *e);
/* Names of pull secrets, without repeats: a new array of {name}. */
json_t *render_pull_secrets(const struct pod_request *q);
/* The serviceAccount that a volume or the spec names, borrowed, or NULL. */
const char *vmi_service_account(const json_t *vmi);

json_t *render_node_selector(const struct pod_request *q);
/* The affinity of the instance with cvirt's terms added; NULL when there is none. */
json_t *render_affinity(const struct pod_request *q);

/* A container's probe for an instance's probe (NULL stays NULL). */
json_t *render_probe(const json_t *vmi, const json_t *probe);

/* 250 MiB and the like that a network binding adds; annotations that networks put on the pod. */
void render_network_annotations(json_t *annotations, const json_t *vmi);

#endif
