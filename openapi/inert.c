/* SPDX-License-Identifier: Apache-2.0 */
#include "openapi/inert.h"

#include <stdbool.h>
#include <stdlib.h>

#include "base/jpath.h"

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

/* The same place in both objects.  Items that have a name are known by it, wherever they stand. */
struct places {
    const json_t *now, *before;
};

static struct places places_at(const struct inert_use *u, const struct at *at)
{
    if (!at)
        return (struct places){ u->obj, u->old };

    const struct places up = places_at(u, at->up);
    if (at->name)
        return (struct places){ json_object_get(up.now, at->name),
                                json_object_get(up.before, at->name) };
    const json_t *item = json_array_get(up.now, at->index);
    const char *name = jpath_str(item, "name", NULL);
    return (struct places){ item, name ? jarr_find(up.before, "name", name)
                                       : json_array_get(up.before, at->index) };
}

static bool is_as_before(const struct inert_use *u, const json_t *v, const struct at *at)
{
    return u->old && json_equal(v, places_at(u, at).before);
}

void inert_use_note(struct inert_use *u, const json_t *v, const struct at *at)
{
    if (!asks_for_something(v) || is_as_before(u, v, at))
        return;
    if (u->len < INERT_SHOWN)
        u->field[u->len] = at_text(at);
    u->len++;
}
