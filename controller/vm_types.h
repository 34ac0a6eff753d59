/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The instance type and the preference that a VirtualMachine names.  The machine takes each as it
 * is when it is first seen: a ControllerRevision holds it, the machine's status names that, and all
 * its starts come from there.  A machine does not start without what it names.
 */
#ifndef CONTROLLER_VM_TYPES_H
#define CONTROLLER_VM_TYPES_H

#include <jansson.h>

#include "kube/cluster_config.h"
#include "kube/matcher.h"

/* The ControllerRevision that holds `object` for the machine, MACHINE-NAME-VERSION-UID-GENERATION.
 * New. */
json_t *type_revision(enum matcher m, const json_t *vm, const json_t *object);
/* What status says of a matcher, with the name of its revision.  New. */
json_t *type_status(enum matcher m, const json_t *vm, const char *revision);

/* Does the configuration (referencePolicy) want the machine to hold the values themselves?
 * "expand": unless a revision is named already; "expandAll": in any case. */
bool vm_types_are_expanded(const json_t *vm, const struct cluster_config *config);
/* That machine, without the references: new.  As vm_types_apply(). */
int vm_types_expand(struct kube *k, const json_t *vm, const char *binding, json_t **ret,
                    struct error *e);

/*
 * Make the revisions that are missing.  *ret is a new machine whose status names them, equal to
 * `vm` when nothing has changed.  -ERR_NOT_FOUND or -ERR_INVALID when the machine names what is not
 * there or makes no sense.  Blocks.
 */
int vm_types_take(struct kube *k, const json_t *vm, json_t **ret, struct error *e);

/*
 * The machine with what its type and preference give (openapi/vm_expand.h): new, or the same
 * reference when it names none.  -ERR_INVALID names the fields that do not go together.  Blocks.
 */
int vm_types_apply(struct kube *k, const json_t *vm, const char *binding, json_t **ret,
                   struct error *e);

/* For an index of machines by what they name: "plural/ns/name" or "plural/name".  New, or NULL. */
char *index_vm_by_instancetype(const json_t *vm);
char *index_vm_by_preference(const json_t *vm);
/* The same of an instance type or preference itself. */
char *type_index_value(const json_t *object);

#endif
