/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a start makes of a VirtualMachine: its instance, and the
 * ControllerRevision that remembers what it was started from.  Pure.  Any thread.
 */
#ifndef CONTROLLER_VM_START_H
#define CONTROLLER_VM_START_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "kube/cluster_config.h"

/* revision-start-vm-UID-GENERATION of the machine as it is now.  New string. */
char *start_revision_name(const json_t *vm);
/* A new apps/v1 ControllerRevision that holds the machine's spec. */
json_t *start_revision(const json_t *vm);

/* ownerReferences of what belongs to the machine: a new array. */
json_t *owner_of_vm(const json_t *vm);

/* A new VirtualMachineInstance from the template, defaults that belong to a start filled in. */
json_t *vmi_from_vm(const json_t *vm, const struct cluster_config *config, bool starts_paused,
                    int64_t now_ms);

/* The UUID that firmware gets when the template names none: a function of the machine's name. */
void legacy_firmware_uuid(const char *vm_name, char out[37]);

/*
 * Do template, instance type or preference differ from those in the revision in a way that only a
 * restart brings about?  With live update, what may change while the machine
 * runs is left out of the comparison.
 */
bool restart_is_required(const json_t *vm, const json_t *revision,
                         const struct cluster_config *config);
/* Are template, instance type and preference exactly the revision's? */
bool template_is_unchanged(const json_t *vm, const json_t *revision);

#endif
