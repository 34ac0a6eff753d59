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

/* The defaults that a VM's template is judged with (spec 02, 3.2 step 3), in place.
 * -ERR_BAD_REQUEST when the configuration forbids the default network. */
int vmi_spec_basics(json_t *spec, const struct cluster_config *config, struct error *e);
/* All spec defaults of an instance (steps 3 to 10), the basics among them. */
int vmi_spec_defaults(json_t *spec, const struct cluster_config *config, struct error *e);

#endif
