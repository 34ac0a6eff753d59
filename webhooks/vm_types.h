/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The instance type and the preference of a VirtualMachine under review (spec 02, 3.1 step 2 and
 * 6.2 to 6.4).  One that is not found is left out: virt-controller starts nothing without it, and
 * says so.
 */
#ifndef WEBHOOKS_VM_TYPES_H
#define WEBHOOKS_VM_TYPES_H

#include "kube/matcher.h"
#include "webhooks/review.h"

/* Their specs, owned and read-only; NULL: none, or not found. */
struct vm_types {
    json_t *type, *preference;
};

/* What `vm` names now: from memory, or from its revision when the review may ask for it. */
struct vm_types vm_types_find(const struct review *rv, const json_t *vm);
void vm_types_done(struct vm_types *t);

/* vm_types_done() at the end of the block. */
#define scoped_vm_types __attribute__((cleanup(vm_types_done))) struct vm_types

/* Does judging the machine on its way to the mutator, or to the validator, mean asking the API
 * server?  Of an AdmissionReview, whatever it holds. */
bool vm_mutator_asks(const json_t *body);
bool vm_validator_asks(const json_t *body);

/* What the mutator takes over from the preference: architecture, machine type, storage class. */
void vm_preference_fill(const struct review *rv, json_t *vm);

/* Apply both to `template` in place; false when they do not go with it, which is reported. */
bool vm_types_apply(const struct vm_types *t, json_t *template, struct findings *out);

#endif
