/* SPDX-License-Identifier: Apache-2.0 */
/* What holds for a VirtualMachine beyond its template (spec 02, section 6), and the rows of presets. */
#ifndef WEBHOOKS_RULES_VM_H
#define WEBHOOKS_RULES_VM_H

#include "webhooks/review.h"
#include "webhooks/rules.h"

/* Run strategy, data volume templates, live-update limits, snapshots in progress. */
void vm_rules_check(struct review *rv);

/* The rules of disks and firmware that a preset's domain can break. */
extern const struct rule preset_rules[];

#endif
