/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Drop what a kind's table does not know, as the API server does before it
 * stores an object.  Opaque and open rows keep everything.
 */
#ifndef OPENAPI_PRUNE_H
#define OPENAPI_PRUNE_H

#include <jansson.h>
#include <stddef.h>

#include "openapi/field.h"

/* Changes `v` in place; how many members went. */
size_t schema_prune(const struct schema *s, json_t *v);

#endif
