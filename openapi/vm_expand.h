/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A VirtualMachine's template as its next instance gets it: with the devices that come by
 * themselves, its instance type and its preference (spec 04, 2.3 and spec 02, section 8).  For
 * virt-controller, which starts it so, and for expand-spec, which shows it.  Pure; any thread.
 */
#ifndef OPENAPI_VM_EXPAND_H
#define OPENAPI_VM_EXPAND_H

#include <jansson.h>

#include "openapi/findings.h"

/* Put into `template` ({metadata, spec}), in place, a disk for each volume that is shown in no way,
 * the default network (its interface connected by `binding`) and the default input, as the template
 * and the preference's spec (or NULL) wish. */
void template_fill(json_t *template, const json_t *preference, const char *binding);

/*
 * A new machine whose template holds what its type and preference (specs, each may be NULL) give;
 * spec.instancetype and spec.preference stay.  NULL when the type does not go with the template, or
 * not with the preference, or one of them is not of its schema: findings say why.
 */
json_t *vm_with_types(const json_t *vm, const json_t *type, const json_t *preference,
                      const char *binding, struct findings *out);

#endif
