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
review_fn validate_migration; /* what the object alone tells */
review_fn validate_status;
review_fn validate_kubevirt_update;
review_fn validate_instancetype; /* and its cluster-wide twin */
review_fn validate_preference;   /* and its cluster-wide twin */

/* These ask the API server, by rv->kube, and block meanwhile. */
review_fn validate_migration_create;
review_fn validate_eviction; /* also marks the instance that is to leave its node */
review_fn validate_kubevirt_create;
review_fn validate_kubevirt_delete;

#endif
