/* SPDX-License-Identifier: Apache-2.0 */
/*
 * GPUs of NVIDIA Grace machines (spec 02, 4.1).  A device is one when the KubeVirt object permits
 * its PCI ID under the resource name that the machine asks for.
 */
#ifndef WEBHOOKS_RULES_GRACE_H
#define WEBHOOKS_RULES_GRACE_H

#include "webhooks/review.h"
#include "webhooks/rules.h"

/* For the lists gpus and hostDevices; `here` is spec.domain.devices. */
rule_fn rule_grace;

/* What the annotations beside such a spec may not say.  `at` is where `metadata` stands. */
void check_grace_annotations(struct review *rv, const struct at *at, const json_t *metadata,
                             const json_t *spec);

#endif
