/* SPDX-License-Identifier: Apache-2.0 */
#include "openapi/rules.h"

#include <string.h>

bool rule_is_absolute_path(const json_t *value)
{
    return json_string_value(value) && json_string_value(value)[0] == '/';
}

bool rule_has_no_parent_step(const json_t *value)
{
    return json_string_value(value) && !strstr(json_string_value(value), "..");
}

bool rule_is_true(const json_t *value)
{
    return json_is_true(value);
}
