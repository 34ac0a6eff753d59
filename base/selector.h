/* SPDX-License-Identifier: Apache-2.0 */
/* metav1.LabelSelector objects and their query-string form.  Pure. */
#ifndef BASE_SELECTOR_H
#define BASE_SELECTOR_H

#include <jansson.h>
#include <stdbool.h>

#include "base/error.h"

/*
 * Does the LabelSelector object match the labels object (NULL is no labels)?  An empty selector
 * matches everything, NULL nothing.  An invalid operator matches nothing.
 */
bool selector_matches(const json_t *selector, const json_t *labels);

/* Is it well formed?  (operators, values present or absent as the operator asks, label syntax) */
int selector_validate(const json_t *selector, struct error *e);

/* "a=b,c in (d,e),f" for a labelSelector query parameter.  New string. */
char *selector_to_query(const json_t *selector);

bool label_key_is_valid(const char *key);
bool label_value_is_valid(const char *value);

#endif
