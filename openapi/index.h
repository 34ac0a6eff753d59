/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is computed once from a table so that walking an object is fast: a
 * perfect hash of the names, which rows are required, which have defaults at
 * or below them.  Made at first use by whichever thread comes first, never freed.
 */
#ifndef OPENAPI_INDEX_H
#define OPENAPI_INDEX_H

#include <jansson.h>
#include <stdint.h>

#include "openapi/field.h"

struct schema_index {
    size_t len;               /* rows */
    uint64_t required;        /* a bit for each row whose absence is a fault */
    uint64_t defaults;        /* a bit for each row with a default at or below it */
    uint64_t seed;            /* makes the hash perfect */
    unsigned shift;           /* top bits of the hash that are the slot */
    json_t *dflt[FIELDS_MAX]; /* parsed default of each row, or NULL */
    uint8_t slot[];           /* row + 1, or 0 */
};

const struct schema_index *schema_index(const struct schema *s);

/*
 * JSON text of what an absent required text, number or boolean counts as
 * (openapi/defaults.h), NULL for rows that have no such value.
 */
const char *field_zero(const struct field *f);

#endif
