/* SPDX-License-Identifier: Apache-2.0 */
#include "openapi/validate.h"

#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "base/must.h"
#include "base/quantity.h"
#include "base/str.h"
#include "openapi/index.h"
#include "openapi/inert.h"
#include "openapi/kinds.h"
#include "openapi/nearest.h"

/* What the walk finds, for whoever asked. */
struct reports {
    struct findings *faults;
    struct inert_use *inert; /* or NULL */
};

/* What of the rows above counts for everything below.  Small, since it is handed on by value. */
struct walk {
    const struct reports *to;
    bool lenient; /* unknown members are no fault */
    bool noting;  /* inert rows are gathered; not below one that has been */
};

static const char *type_name(const json_t *v)
{
    switch (json_typeof(v)) {
    case JSON_OBJECT:
        return "an object";
    case JSON_ARRAY:
        return "a list";
    case JSON_STRING:
        return "a string";
    case JSON_INTEGER:
    case JSON_REAL:
        return "a number";
    case JSON_TRUE:
    case JSON_FALSE:
        return "true or false";
    case JSON_NULL:
        return "null";
    }
    return "something else";
}

static void wrong_type(const struct walk *w, const json_t *v, const struct at *at,
                       const char *wanted)
{
    findings_add_at(w->to->faults, CAUSE_TYPE_INVALID, at, "must be %s, not %s", wanted,
                    type_name(v));
}

/* ---- single values ---- */

static size_t characters(const char *s)
{
    size_t n = 0;

    for (; *s; s++)
        n += ((unsigned char)*s & 0xc0) != 0x80;
    return n;
}

static bool is_one_of(const char *const *values, const char *s)
{
    for (; *values; values++) {
        if (streq(*values, s))
            return true;
    }
    return false;
}

static void not_one_of(const struct walk *w, const struct field *f, const char *s,
                       const struct at *at)
{
    char list[FINDING_TEXT_MAX] = "";
    size_t len = 0;

    for (const char *const *v = f->values; *v && len < sizeof(list); v++)
        len += (size_t)snprintf(list + len, sizeof(list) - len, "%s%s", len ? ", " : "", *v);
    findings_add_at(w->to->faults, CAUSE_NOT_SUPPORTED, at, "is '%.60s'; use one of %s",
                    characters(s) <= 60 ? s : "too long", list);
}

static void check_string(const struct walk *w, const struct field *f, const json_t *v,
                         const struct at *at)
{
    const char *s = json_string_value(v);

    if (!s)
        wrong_type(w, v, at, "a string");
    else if (f->values && !is_one_of(f->values, s))
        not_one_of(w, f, s, at);
    else if (f->max_length && json_string_length(v) > f->max_length &&
             characters(s) > f->max_length)
        findings_add_at(w->to->faults, CAUSE_TOO_LONG, at, "must have at most %u characters",
                        f->max_length);
    else if (f->min_length && characters(s) < f->min_length)
        findings_add_at(w->to->faults, CAUSE_INVALID, at, "must have at least %u characters",
                        f->min_length);
}

static void check_whole(const struct walk *w, const struct field *f, const json_t *v,
                        const struct at *at)
{
    if (!json_is_integer(v)) {
        wrong_type(w, v, at, json_is_real(v) ? "a whole number" : "a number");
        return;
    }

    const json_int_t n = json_integer_value(v);
    const bool is_short = f->type == FIELD_INT32;
    const int64_t min = f->has_min || f->min ? f->min : is_short ? INT32_MIN : INT64_MIN;
    const int64_t max = f->max ? f->max : is_short ? INT32_MAX : INT64_MAX;
    if (n < 0 && f->is_unsigned) {
        w->to->faults->mild++;
        findings_add_at(w->to->faults, CAUSE_INVALID, at, "must not be negative");
    } else if (n < min)
        findings_add_at(w->to->faults, CAUSE_INVALID, at, "must be at least %" PRId64, min);
    else if (n > max)
        findings_add_at(w->to->faults, CAUSE_INVALID, at, "must be at most %" PRId64, max);
}

static void check_quantity(const struct walk *w, const json_t *v, const struct at *at)
{
    struct quantity q;

    if (!json_is_string(v) && !json_is_integer(v))
        wrong_type(w, v, at, "a quantity such as 512Mi or 100m");
    else if (quantity_from_json(v, &q) < 0)
        findings_add_at(
            w->to->faults, CAUSE_INVALID, at,
            "is not a quantity; write a number and perhaps a unit, such as 512Mi or 100m");
}

static void check_time(const struct walk *w, const json_t *v, const struct at *at)
{
    int64_t ms;

    if (!json_is_string(v))
        wrong_type(w, v, at, "a time such as 2006-01-02T15:04:05Z");
    else if (rfc3339_parse(json_string_value(v), &ms) < 0)
        findings_add_at(w->to->faults, CAUSE_INVALID, at,
                        "is not a time such as 2006-01-02T15:04:05Z");
}

static void check_object(struct walk w, const struct schema *s, const json_t *v,
                         const struct at *at, bool open);

/* One value of the row's type: the member itself, or one item of a list or map. */
static void check_one(const struct walk *w, const struct field *f, const json_t *v,
                      const struct at *at)
{
    switch ((enum field_type)f->type) {
    case FIELD_STRING:
        check_string(w, f, v, at);
        break;
    case FIELD_BOOL:
        if (!json_is_boolean(v))
            wrong_type(w, v, at, "true or false");
        break;
    case FIELD_INT32:
    case FIELD_INT64:
    case FIELD_INT:
        check_whole(w, f, v, at);
        break;
    case FIELD_NUMBER:
        if (!json_is_number(v))
            wrong_type(w, v, at, "a number");
        break;
    case FIELD_QUANTITY:
        check_quantity(w, v, at);
        break;
    case FIELD_INT_OR_STRING:
        if (!json_is_integer(v) && !json_is_string(v))
            wrong_type(w, v, at, "a whole number or a string");
        break;
    case FIELD_TIME:
        check_time(w, v, at);
        break;
    case FIELD_OBJECT:
        check_object(*w, f->schema, v, at, f->open);
        break;
    case FIELD_OPAQUE:
        if (!json_is_object(v))
            wrong_type(w, v, at, "an object");
        break;
    }
}

/* ---- lists and maps ---- */

/* What tells an item from the others: itself in a set, its key in a list of keyed objects. */
static const char *item_key(const struct field *f, const json_t *item)
{
    return json_string_value(f->is_set ? item : json_object_get(item, f->list_key));
}

static void check_unique(const struct walk *w, const struct field *f, const json_t *list,
                         const struct at *at)
{
    json_auto_t *seen = json_object();
    size_t i;
    json_t *item;

    json_array_foreach(list, i, item) {
        const char *key = item_key(f, item);
        if (!key)
            continue;
        if (!json_object_get(seen, key)) {
            must_set(seen, key, json_true());
            continue;
        }
        const struct at twice = AT_INDEX(at, i);
        w->to->faults->mild++;
        findings_add_at(w->to->faults, CAUSE_DUPLICATE,
                        f->is_set ? &twice : &AT_NAME(&twice, f->list_key),
                        "is there twice; remove one");
    }
}

static void check_count(const struct walk *w, const struct field *f, size_t n, const struct at *at)
{
    if (f->max_items && n > f->max_items)
        findings_add_at(w->to->faults, CAUSE_TOO_MANY, at, "must have at most %u items",
                        f->max_items);
    if (n < f->min_items)
        findings_add_at(w->to->faults, CAUSE_INVALID, at, "must have at least %u items",
                        f->min_items);
}

static void check_list(const struct walk *w, const struct field *f, const json_t *v,
                       const struct at *at)
{
    size_t i;
    json_t *item;

    if (!json_is_array(v)) {
        wrong_type(w, v, at, "a list");
        return;
    }
    check_count(w, f, json_array_size(v), at);
    json_array_foreach(v, i, item)
        check_one(w, f, item, &AT_INDEX(at, i));
    if ((f->is_set || f->list_key) && json_array_size(v) > 1)
        check_unique(w, f, v, at);
}

static void check_map(const struct walk *w, const struct field *f, const json_t *v,
                      const struct at *at)
{
    const char *key;
    json_t *item;

    if (!json_is_object(v)) {
        wrong_type(w, v, at, "an object");
        return;
    }
    check_count(w, f, json_object_size(v), at);
    json_object_foreach((json_t *)v, key, item)
        check_one(w, f, item, &AT_KEY(at, key));
}

/* ---- objects ---- */

static void check_member(struct walk w, const struct field *f, const json_t *v, const struct at *at)
{
    w.lenient |= f->lenient;
    w.noting &= !f->lenient; /* a status is not its user's wish */
    if (json_is_null(v) && (f->nullable || w.lenient))
        return;
    if (f->inert && w.noting) {
        inert_use_note(w.to->inert, v, at);
        w.noting = false;
    }

    switch ((enum field_shape)f->shape) {
    case FIELD_ONE:
        check_one(&w, f, v, at);
        break;
    case FIELD_LIST:
        check_list(&w, f, v, at);
        break;
    case FIELD_MAP:
        check_map(&w, f, v, at);
        break;
    }
    for (const struct field_rule *r = f->rules; r && r->cel; r++) {
        if (r->holds(v))
            continue;
        w.to->faults->mild++;
        findings_add_at(w.to->faults, CAUSE_INVALID, at, "%s", r->message);
    }
}

static void unknown_member(const struct walk *w, const struct schema *s, const char *key,
                           const struct at *at)
{
    if (findings_full(w->to->faults)) {
        w->to->faults->dropped++;
        return;
    }
    const char *meant = nearest_field(s, key);
    if (meant)
        findings_add_at(w->to->faults, CAUSE_FORBIDDEN, at, "unknown field; did you mean '%s'?",
                        meant);
    else
        findings_add_at(w->to->faults, CAUSE_FORBIDDEN, at, "unknown field; remove it");
}

static void missing_members(const struct walk *w, const struct schema *s, uint64_t missing,
                            const struct at *at)
{
    for (; missing; missing &= missing - 1) {
        const struct field *f = &s->fields[__builtin_ctzll(missing)];
        findings_add_at(w->to->faults, CAUSE_REQUIRED, &AT_NAME(at, f->name), "must be set: %s",
                        f->doc);
    }
}

static void check_object(struct walk w, const struct schema *s, const json_t *v,
                         const struct at *at, bool open)
{
    if (!json_is_object(v)) {
        wrong_type(&w, v, at, "an object");
        return;
    }

    uint64_t missing = schema_index(s)->required;
    for (void *i = json_object_iter((json_t *)v); i; i = json_object_iter_next((json_t *)v, i)) {
        const char *key = json_object_iter_key(i);
        const struct field *f = schema_field(s, key, json_object_iter_key_len(i));
        if (f) {
            missing &= ~(UINT64_C(1) << (f - s->fields));
            check_member(w, f, json_object_iter_value(i), &AT_NAME(at, key));
        } else if (!open && !w.lenient) {
            unknown_member(&w, s, key, &AT_NAME(at, key));
        }
    }
    missing_members(&w, s, missing, at);
}

void schema_check(const struct schema *s, const json_t *v, const struct at *at,
                  struct findings *out)
{
    const struct reports to = { .faults = out };

    check_object((struct walk){ .to = &to }, s, v, at, false);
}

void schema_validate(const struct kind *kind, const json_t *obj, struct findings *out)
{
    schema_check(kind->schema, obj, NULL, out);
}

void schema_validate_noting(const struct kind *kind, const json_t *obj, struct findings *out,
                            struct inert_use *used)
{
    const struct reports to = { .faults = out, .inert = used };

    used->obj = obj;
    check_object((struct walk){ .to = &to, .noting = true }, kind->schema, obj, NULL, false);
}
