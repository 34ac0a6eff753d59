/* SPDX-License-Identifier: Apache-2.0 */
/* What is filled in before an object is stored (spec 02, section 3). */
#ifndef WEBHOOKS_MUTATORS_H
#define WEBHOOKS_MUTATORS_H

#include "webhooks/review.h"

review_fn mutate_vm;
review_fn mutate_vmi;
review_fn mutate_migration;

/* mutate_vmi() with the presets of its namespace (borrowed array) instead of the stored ones. */
void mutate_vmi_with(struct review *rv, const json_t *presets);

/* Spec defaults of an instance (spec 02, 3.2 steps 3 to 10), in place.  Also what a VM's template is judged by.
 * -ERR_BAD_REQUEST when the configuration forbids the default network. */
int vmi_spec_defaults(json_t *spec, const struct cluster_config *config, struct error *e);

#endif
