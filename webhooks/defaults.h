/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Defaults of an instance's spec, by subject (spec 02, 3.2).  Each changes
 * `spec` in place and leaves alone what the user said.  Pure but for random firmware UUIDs.
 */
#ifndef WEBHOOKS_DEFAULTS_H
#define WEBHOOKS_DEFAULTS_H

#include <jansson.h>
#include <stdbool.h>

#include "base/error.h"
#include "kube/cluster_config.h"

void default_architecture(json_t *spec, const struct cluster_config *config);
void default_machine(json_t *spec, const struct cluster_config *config);

void default_resources(json_t *spec, const struct cluster_config *config);
void default_memory(json_t *spec);
void default_cpu_topology(json_t *spec);
void default_cpu_model(json_t *spec, const struct cluster_config *config);
void default_hotplug_limits(json_t *spec, const struct cluster_config *config);

void default_volumes(json_t *spec);
void default_disks(json_t *spec);
/* -ERR_BAD_REQUEST when the cluster's default network may not be used. */
int default_network(json_t *spec, const struct cluster_config *config, struct error *e);

void default_features(json_t *spec);
void default_devices(json_t *spec);
void default_probes(json_t *spec);

/* Machines with PCI Express get a layout version, so that slots stay where they are. */
bool default_has_pcie(const json_t *spec);
/* In the annotations of an object that has metadata. */
void default_pci_topology(json_t *object);

/* May this machine grow its memory while it runs?  (spec 02, 3.2 step 10) */
struct quantity;
bool memory_can_grow(const json_t *spec, struct quantity max_guest);

#endif
