/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Does an object keep to its kind's table?  One walk over the object, all
 * faults reported: unknown fields (everywhere but below opaque and lenient
 * rows), wrong types, bounds, enums, missing required fields, rules.  A broken rule or a key that
 * is there twice is a mild fault: the object can be read all the same.  Pure; any thread.
 */
#ifndef OPENAPI_VALIDATE_H
#define OPENAPI_VALIDATE_H

#include <jansson.h>

#include "openapi/field.h"
#include "openapi/findings.h"

struct inert_use;
struct kind;

/* The whole object of a kind (openapi/kinds.h). */
void schema_validate(const struct kind *kind, const json_t *obj, struct findings *out);

/* The same, and which fields it uses that nothing acts on yet (openapi/inert.h). */
void schema_validate_noting(const struct kind *kind, const json_t *obj, struct findings *out,
                            struct inert_use *used);

/* A value of any type, found at `at` (NULL is the top): request bodies, parts of an object. */
void schema_check(const struct schema *s, const json_t *v, const struct at *at,
                  struct findings *out);

#endif
