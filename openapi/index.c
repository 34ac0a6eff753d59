/* SPDX-License-Identifier: Apache-2.0 */
#include "openapi/index.h"

#include <string.h>

#include "base/must.h"

enum { SLOT_BITS_MIN = 2, SLOT_BITS_MAX = 10, SEEDS_TRIED = 64 };

/* Mixes eight bytes at a time: names are short, and every member of every admitted object comes
 * here. */
static uint64_t name_hash(const char *s, size_t len, uint64_t seed)
{
    uint64_t h = seed ^ (len * 0x9e3779b97f4a7c15u), word;

    for (; len > 8; s += 8, len -= 8) {
        memcpy(&word, s, 8);
        h = (h ^ word) * 0xff51afd7ed558ccdu;
        h ^= h >> 32;
    }
    word = 0;
    memcpy(&word, s, len);
    h = (h ^ word) * 0xc4ceb9fe1a85ec53u;
    h ^= h >> 29;
    return h * 0x9e3779b97f4a7c15u;
}

static size_t slot_of(const struct schema_index *index, const char *name, size_t len)
{
    return name_hash(name, len, index->seed) >> index->shift;
}

/* Put every name into a slot of its own; false when two meet. */
static bool place_names(struct schema_index *index, const struct field *fields)
{
    memset(index->slot, 0, (size_t)1 << (64 - index->shift));
    for (size_t i = 0; i < index->len; i++) {
        uint8_t *slot = &index->slot[slot_of(index, fields[i].name, fields[i].name_len)];
        if (*slot)
            return false;
        *slot = (uint8_t)(i + 1);
    }
    return true;
}

static void make_perfect(struct schema_index *index, const struct field *fields)
{
    for (unsigned bits = SLOT_BITS_MIN; bits <= SLOT_BITS_MAX; bits++) {
        index->shift = 64 - bits;
        if (index->len > (size_t)1 << bits)
            continue;
        for (index->seed = 1; index->seed <= SEEDS_TRIED; index->seed++) {
            if (place_names(index, fields))
                return;
        }
    }
    must(!"no perfect hash: a table has a name twice");
}

const char *field_zero(const struct field *f)
{
    if (f->shape != FIELD_ONE || f->values)
        return NULL;
    switch ((enum field_type)f->type) {
    case FIELD_STRING:
        return "\"\"";
    case FIELD_BOOL:
        return "false";
    case FIELD_INT32:
    case FIELD_INT64:
    case FIELD_INT:
    case FIELD_NUMBER:
        return "0";
    case FIELD_QUANTITY:
    case FIELD_INT_OR_STRING:
    case FIELD_TIME:
    case FIELD_OBJECT:
    case FIELD_OPAQUE:
        return NULL;
    }
    return NULL;
}

/* What an absent member counts as, or NULL. */
static json_t *default_of(const struct field *f)
{
    const char *text = f->dflt ? f->dflt : f->required ? field_zero(f) : NULL;
    if (!text)
        return NULL;

    json_t *v = json_loads(text, JSON_DECODE_ANY, NULL);
    must(v);
    return v;
}

static struct schema_index *index_build(const struct schema *s)
{
    struct schema_index *index = must_calloc(1, sizeof(*index) + ((size_t)1 << SLOT_BITS_MAX));

    while (s->fields[index->len].name)
        index->len++;
    must(index->len <= FIELDS_MAX);

    for (size_t i = 0; i < index->len; i++) {
        const struct field *f = &s->fields[i];
        const uint64_t bit = UINT64_C(1) << i;
        index->dflt[i] = default_of(f);
        if (f->required && !index->dflt[i])
            index->required |= bit;
        if (index->dflt[i] || (f->schema && schema_index(f->schema)->defaults))
            index->defaults |= bit;
    }
    make_perfect(index, s->fields);
    return must_realloc(index, sizeof(*index) + ((size_t)1 << (64 - index->shift)));
}

static void index_free(struct schema_index *index)
{
    for (size_t i = 0; i < index->len; i++)
        json_decref(index->dflt[i]);
    free(index);
}

const struct schema_index *schema_index(const struct schema *s)
{
    struct schema_index *index = atomic_load_explicit(s->index, memory_order_acquire);
    if (index)
        return index;

    struct schema_index *mine = index_build(s);
    if (atomic_compare_exchange_strong(s->index, &index, mine))
        return mine;
    index_free(mine); /* another thread was first */
    return index;
}

const struct field *schema_field(const struct schema *s, const char *name, size_t len)
{
    const struct schema_index *index = schema_index(s);
    const uint8_t row = index->slot[slot_of(index, name, len)];

    if (!row)
        return NULL;
    const struct field *f = &s->fields[row - 1];
    return f->name_len == len && memcmp(f->name, name, len) == 0 ? f : NULL;
}

const struct field *schema_find(const struct schema *s, const char *path)
{
    const struct field *f = NULL;

    for (; s && *path; s = f ? f->schema : NULL) {
        const size_t len = strcspn(path, ".");
        f = schema_field(s, path, len);
        if (!f)
            return NULL;
        path += len + (path[len] == '.');
    }
    return *path ? NULL : f;
}
