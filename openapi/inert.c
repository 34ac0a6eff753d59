/* SPDX-License-Identifier: Apache-2.0 */
#include "openapi/inert.h"

#include <stdbool.h>
#include <stdlib.h>

void inert_use_done(struct inert_use *u)
{
    for (size_t i = 0; i < u->len && i < INERT_SHOWN; i++)
        free(u->field[i]);
    u->len = 0;
}

static bool asks_for_something(const json_t *v)
{
    switch (json_typeof(v)) {
    case JSON_OBJECT:
        return !json_is_false(json_object_get(v, "enabled"));
    case JSON_ARRAY:
        return json_array_size(v) > 0;
    case JSON_STRING:
        return json_string_length(v) > 0;
    case JSON_NULL:
    case JSON_FALSE:
        return false;
    case JSON_TRUE:
    case JSON_INTEGER:
    case JSON_REAL:
        return true;
    }
    return true;
}

/* What stands at the same place of another object, or NULL. */
static const json_t *value_at(const json_t *root, const struct at *at)
{
    if (!at)
        return root;

    const json_t *up = value_at(root, at->up);
    return at->name ? json_object_get(up, at->name) : json_array_get(up, at->index);
}

void inert_use_note(struct inert_use *u, const json_t *v, const struct at *at)
{
    if (!asks_for_something(v))
        return;
    if (u->old && json_equal(v, value_at(u->old, at)))
        return;
    if (u->len < INERT_SHOWN)
        u->field[u->len] = at_text(at);
    u->len++;
}
