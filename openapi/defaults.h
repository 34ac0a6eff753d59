/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fill in the defaults of a kind's table, as the API server does with the
 * CRD's: only members of objects that are there.  Defaults that depend on the
 * cluster or on other fields are no business of a table; see webhooks/.
 */
#ifndef OPENAPI_DEFAULTS_H
#define OPENAPI_DEFAULTS_H

#include <jansson.h>

#include "openapi/field.h"

/* Changes `v` in place.  Values of the wrong type are left for validation to find. */
void schema_default(const struct schema *s, json_t *v);

#endif
