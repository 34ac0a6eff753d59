/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Kubernetes quantities ("100m", "1Gi", "1e3"): apimachinery's resource.Quantity.
 * Held as a whole number of 10^-9, bounded to what fits in 128 bits.  As there, a finer value is
 * rounded away from zero to 1n, and a binary one is cut at 2^63-1 silently; a decimal one that
 * does not fit is refused.  Pure; any thread.
 */
#ifndef BASE_QUANTITY_H
#define BASE_QUANTITY_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

struct quantity {
    __int128 nano;
    bool is_binary;   /* printed with Ki, Mi ... */
    bool is_exponent; /* printed with e3, e6 ...; neither: with k, M ... */
};

int quantity_parse(const char *s, struct quantity *ret); /* 0 or -1 */
/* From a JSON string (blanks around it are fine) or integer; -1 for anything else. */
int quantity_from_json(const json_t *v, struct quantity *ret);
struct quantity quantity_from_bytes(int64_t bytes);
struct quantity quantity_from_milli(int64_t milli);

int quantity_cmp(struct quantity a, struct quantity b);
/* Saturating; the form (binary, exponent) is that of `a`, or of `b` when `a` is zero. */
struct quantity quantity_add(struct quantity a, struct quantity b);
struct quantity quantity_sub(struct quantity a, struct quantity b);
/* Rounded away from zero; saturates at INT64_MAX / INT64_MIN. */
int64_t quantity_value(struct quantity q);
int64_t quantity_milli(struct quantity q);

enum { QUANTITY_TEXT_MAX = 48 };
/* Canonical text as apimachinery prints it. */
const char *quantity_format(struct quantity q, char out[QUANTITY_TEXT_MAX]);

#endif
