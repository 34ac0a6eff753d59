/* SPDX-License-Identifier: Apache-2.0 */
/* What is refused (spec 02, sections 4 to 7).  Each reports every fault it finds. */
#ifndef WEBHOOKS_VALIDATORS_H
#define WEBHOOKS_VALIDATORS_H

#include "webhooks/review.h"

review_fn validate_vm;
review_fn validate_vmi_create;
review_fn validate_vmi_update;
review_fn validate_vmirs;
review_fn validate_preset;
review_fn validate_migration;
review_fn validate_status;

#endif
