/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a preference gives to a VirtualMachine's template, and what it asks of it (spec 02, section
 * 8 and 6.4).  For whom and by what: as openapi/instancetype_apply.h, which comes first.  Pure; any
 * thread.
 */
#ifndef OPENAPI_PREFERENCE_APPLY_H
#define OPENAPI_PREFERENCE_APPLY_H

#include <jansson.h>

#include "openapi/findings.h"

/* Fill in, in place, what the template leaves open.  What it says wins, but for ACPI and
 * disableHotplug. */
void preference_apply(const json_t *preference, json_t *template);

/* Only what decides whether devices come by themselves (devices.preferredAutoattach...): before the
 * default interface and input are added, which preference_apply() then sees. */
void preference_apply_autoattach(const json_t *preference, json_t *template);

/*
 * Does the machine have what the preference requires?  `type` is the instance type's spec, or NULL;
 * `spec` the template's spec with both applied and the defaults filled in.
 */
void preference_check(const json_t *preference, const json_t *type, const json_t *spec,
                      struct findings *out);

#endif
