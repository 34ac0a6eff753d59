/* SPDX-License-Identifier: Apache-2.0 */
/* What holds for a VirtualMachine beyond its template (spec 02, section 6), and the rows of
 * presets. */
#ifndef WEBHOOKS_RULES_VM_H
#define WEBHOOKS_RULES_VM_H

#include "webhooks/review.h"
#include "webhooks/rules.h"

/* Run strategy, data volume templates, snapshots in progress. */
void vm_rules_check(struct review *rv);
/* The last of these alone, for updates of status. */
void vm_check_in_progress(struct review *rv);
/* status.volumeRequests, when they change.  The running instance is asked for when rv->kube. */
void vm_volume_requests_check(struct review *rv);
/* Is there something to ask?  Of an AdmissionReview. */
bool vm_volume_requests_ask(const json_t *body);

/* Instance type and preference are named in one way only; asked by the mutator, as upstream does.
 */
void vm_matchers_check(struct review *rv);

/* Rows of the template's spec, defaults included, that hold for a VirtualMachine only. */
extern const struct rule vm_template_rules[];

/* The rules of disks and firmware that a preset's domain can break. */
extern const struct rule preset_rules[];
/* Of a domain; also among firmware_rules. */
extern const struct rule preset_firmware_rules[];

#endif
