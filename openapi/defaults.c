/* SPDX-License-Identifier: Apache-2.0 */
#include "openapi/defaults.h"

#include "base/must.h"
#include "openapi/index.h"

static void default_below(const struct field *f, json_t *v)
{
    size_t i;
    const char *key;
    json_t *item;

    switch ((enum field_shape)f->shape) {
    case FIELD_ONE:
        schema_default(f->schema, v);
        break;
    case FIELD_LIST:
        json_array_foreach(v, i, item)
            schema_default(f->schema, item);
        break;
    case FIELD_MAP:
        json_object_foreach(v, key, item)
            schema_default(f->schema, item);
        break;
    }
}

void schema_default(const struct schema *s, json_t *v)
{
    if (!json_is_object(v))
        return;

    const struct schema_index *index = schema_index(s);
    for (uint64_t rows = index->defaults; rows; rows &= rows - 1) {
        const int row = __builtin_ctzll(rows);
        const struct field *f = &s->fields[row];
        json_t *member = json_object_get(v, f->name);

        /* A null where none may be counts as absent, as for the API server. */
        if (index->dflt[row] && (!member || (json_is_null(member) && !f->nullable)))
            must_set(v, f->name, must_copy(index->dflt[row]));
        else if (member && f->schema)
            default_below(f, member);
    }
}
