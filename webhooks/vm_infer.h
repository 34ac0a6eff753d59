/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a VirtualMachine's volumes say of it (spec 02, 3.1 steps 2 and 4a): the labels of the claim,
 * DataVolume, DataSource or snapshot that a volume comes from name an instance type and a
 * preference, and a DataSource's label names the architecture.  Asks the API server by rv->kube and
 * blocks; a kind whose CRD is not installed is not found.
 */
#ifndef WEBHOOKS_VM_INFER_H
#define WEBHOOKS_VM_INFER_H

#include "webhooks/review.h"

/* Is there anything to infer?  (Of any object.) */
bool vm_infers_types(const json_t *vm);
bool vm_infers_architecture(const json_t *vm);

/* Put what was found into the matchers of `vm`, in place.  False when that fails and the machine
 * does not say Ignore: refused, rv->denied says why. */
bool vm_infer_types(struct review *rv, json_t *vm);

/* Set the template's architecture, when it has none and the first DataSource has the label. */
void vm_infer_architecture(const struct review *rv, json_t *vm);

#endif
