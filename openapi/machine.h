/* SPDX-License-Identifier: Apache-2.0 */
/* What every program knows of a running machine: its phases (spec of status.phase) and its uid.
 * Without state; any thread. */
#ifndef OPENAPI_MACHINE_H
#define OPENAPI_MACHINE_H

#include <jansson.h>
#include <stdbool.h>

#define PHASE_PENDING "Pending"
#define PHASE_SCHEDULING "Scheduling"
#define PHASE_SCHEDULED "Scheduled"
#define PHASE_RUNNING "Running"
#define PHASE_SUCCEEDED "Succeeded"
#define PHASE_FAILED "Failed"
#define PHASE_WAITING_FOR_SYNC "WaitingForSync"

/* The user and group that virt-launcher, libvirt and QEMU run as in the pod. */
enum { LAUNCHER_UID = 107 };

/* Succeeded or Failed: of an instance, a pod or a migration, which all end so. */
bool phase_is_final(const char *phase);
/* Of obj's status.phase; obj may be NULL, which is in no phase. */
bool phase_is(const json_t *obj, const char *phase);
bool vmi_is_final(const json_t *vmi); /* or a migration */

#endif
