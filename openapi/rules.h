/* SPDX-License-Identifier: Apache-2.0 */
/* Rules that rows carry in C and in CEL; only files that hold tables include it. */
#ifndef OPENAPI_RULES_H
#define OPENAPI_RULES_H

#include <jansson.h>
#include <stdbool.h>

bool rule_is_absolute_path(const json_t *value);
bool rule_has_no_parent_step(const json_t *value); /* no ".." anywhere in the text */
bool rule_is_true(const json_t *value);

#endif
