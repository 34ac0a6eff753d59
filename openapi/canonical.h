/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one way to write an object.  Clients write the same thing in many ways
 * (1.5Gi and 1536Mi, an empty list and none, false and nothing); what is stored, and what is
 * compared to find a change, is written in one, the one that upstream's Go types give.
 */
#ifndef OPENAPI_CANONICAL_H
#define OPENAPI_CANONICAL_H

#include <jansson.h>
#include <stdbool.h>

#include "openapi/field.h"

/*
 * Change `v` in place: quantities in canonical text; nulls, empty lists and maps, and zeros that
 * mean absence left out.  What the table does not know stays as it is.
 */
void canonical_make(const struct schema *s, json_t *v);

/* Do two values of a type mean the same?  NULL is absence.  Cheap when they are equal as written.
 */
bool canonical_equal(const struct schema *s, const json_t *a, const json_t *b);

#endif
