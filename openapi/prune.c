/* SPDX-License-Identifier: Apache-2.0 */
#include "openapi/prune.h"

#include <string.h>

static size_t prune_members(const struct schema *s, json_t *v, bool open);

static size_t prune_below(const struct field *f, json_t *v)
{
    size_t gone = 0, i;
    const char *key;
    json_t *item;

    switch ((enum field_shape)f->shape) {
    case FIELD_ONE:
        return prune_members(f->schema, v, f->open);
    case FIELD_LIST:
        json_array_foreach(v, i, item)
            gone += prune_members(f->schema, item, f->open);
        break;
    case FIELD_MAP:
        json_object_foreach(v, key, item)
            gone += prune_members(f->schema, item, f->open);
        break;
    }
    return gone;
}

static size_t prune_members(const struct schema *s, json_t *v, bool open)
{
    size_t gone = 0;
    const char *key;
    json_t *member;
    void *next;

    json_object_foreach_safe(v, next, key, member) {
        const struct field *f = schema_field(s, key, strlen(key));
        if (f && f->schema) {
            gone += prune_below(f, member);
        } else if (!f && !open) {
            json_object_del(v, key);
            gone++;
        }
    }
    return gone;
}

size_t schema_prune(const struct schema *s, json_t *v)
{
    return prune_members(s, v, false);
}
