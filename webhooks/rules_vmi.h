/* SPDX-License-Identifier: Apache-2.0 */
/* Rules that hold for an instance but not for a template, and those of metadata. */
#ifndef WEBHOOKS_RULES_VMI_H
#define WEBHOOKS_RULES_VMI_H

#include "webhooks/review.h"
#include "webhooks/rules.h"

/* Volume and disk mapping, memory given, Hyper-V (spec 02, end of 4.1). */
extern const struct rule vmi_create_rules[];

/* Features that are no more; asked at creation. */
extern const struct rule discontinued_gate_rules[];

/* What the instance's architecture does not have. */
void check_architecture(const struct subject *s, struct findings *out);

/*
 * Node selector and tolerations that Kubernetes refuses in a pod.  Upstream lets an instance have
 * them, so users are only warned that no pod will come of it.
 */
void warn_of_scheduling(struct review *rv, const struct subject *s);

/*
 * The object by its table, and the shape of its metadata and of its template's.  A user is warned
 * of each new or changed field that nothing acts on yet; mutators leave that to their validators.
 */
void check_schema(struct review *rv);
void check_schema_only(struct review *rv);

/*
 * For mutators: has the object its kind's shape?  Mild faults are forgotten here; the validator
 * tells them together with those of the rules.
 */
bool check_shape(struct review *rv);

/* Labels and annotations that users may not set, in the metadata that stands at `at`. */
void check_metadata(struct review *rv, const struct at *at, const json_t *metadata);
void check_restricted_labels_kept(struct review *rv);

/* What the installation's accounts may change of a running instance's spec (spec 02, section 5). */
void check_own_spec_change(struct review *rv);

/* "system:serviceaccount:NS:NAME" of the installation; new string. */
char *own_account_name(const struct review *rv, const char *name);

#endif
