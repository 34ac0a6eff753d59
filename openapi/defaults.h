/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fill in the defaults of a kind's table: only members of objects that are
 * there.  Beside the rows' own defaults (which the CRD carries too), a required
 * text, number or boolean that is absent becomes "", 0 or false: upstream's
 * mutating webhooks write it so, hence manifests exist that leave them out, and
 * the API server would refuse these after us.  Whether "" will do is for
 * admission rules to say; validation does not report it.
 *
 * Defaults that depend on the cluster or on other fields are no business of a
 * table; see webhooks/.
 */
#ifndef OPENAPI_DEFAULTS_H
#define OPENAPI_DEFAULTS_H

#include <jansson.h>

#include "openapi/field.h"

/* Changes `v` in place.  Values of the wrong type are left for validation to find. */
void schema_default(const struct schema *s, json_t *v);

#endif
