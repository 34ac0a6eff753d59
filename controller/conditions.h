/* SPDX-License-Identifier: Apache-2.0 */
/* Conditions taken over from one object into another.  Pure; any thread. */
#ifndef CONTROLLER_CONDITIONS_H
#define CONTROLLER_CONDITIONS_H

#include <jansson.h>

/*
 * Put a copy of `condition` into obj.status.conditions, in the place of the one
 * of its type.  Only what a KubeVirt condition holds is copied, and nulls are
 * left out: what the API server would drop would be written again for ever.
 */
void condition_copy(json_t *obj, const json_t *condition);

#endif
