/* SPDX-License-Identifier: Apache-2.0 */
/* OpenAPI schemas of tables, in three dialects that differ in how a type refers to another. */
#include "openapi/emit.h"

#include "base/must.h"
#include "base/scope.h"

#define QUANTITY_PATTERN                                                   \
    "^(\\+|-)?(([0-9]+(\\.[0-9]*)?)|(\\.[0-9]+))(([KMGTPE]i)|[numkMGTPE]|" \
    "([eE](\\+|-)?(([0-9]+(\\.[0-9]*)?)|(\\.[0-9]+))))?$"

/* How JSON Schema names our types. */
static const struct {
    const char *type, *format;
} names[] = {
    [FIELD_STRING] = { "string", NULL },      [FIELD_BOOL] = { "boolean", NULL },
    [FIELD_INT32] = { "integer", "int32" },   [FIELD_INT64] = { "integer", "int64" },
    [FIELD_INT] = { "integer", NULL },        [FIELD_NUMBER] = { "number", NULL },
    [FIELD_QUANTITY] = { NULL, NULL },        [FIELD_INT_OR_STRING] = { NULL, NULL },
    [FIELD_TIME] = { "string", "date-time" }, [FIELD_OBJECT] = { "object", NULL },
    [FIELD_OPAQUE] = { "object", NULL },
};

static void set_str(json_t *o, const char *key, const char *value)
{
    if (value)
        must_set(o, key, json_string(value));
}

static void set_positive(json_t *o, const char *key, json_int_t value)
{
    if (value)
        must_set(o, key, json_integer(value));
}

static void set_true(json_t *o, const char *key, bool value)
{
    if (value)
        must_set(o, key, json_true());
}

static void write_members(const struct schema *s, enum schema_dialect dialect, json_t *out);

static json_t *ref_json(const struct schema *s, enum schema_dialect dialect)
{
    scoped(free) char *path = must_asprintf(
        "%s/v1.%s", dialect == SCHEMA_V2 ? "#/definitions" : "#/components/schemas", s->name);
    json_t *ref = must_pack("{s:s}", "$ref", path);

    /* Beside a $ref nothing else counts in OpenAPI 3.0, and there will be a description. */
    return dialect == SCHEMA_V3 ? must_pack("{s:[o]}", "allOf", ref) : ref;
}

static void write_int_or_string(const struct field *f, enum schema_dialect dialect, json_t *out)
{
    const bool is_quantity = f->type == FIELD_QUANTITY;

    if (dialect == SCHEMA_V2) { /* knows no alternatives */
        set_str(out, "type", "string");
        if (!is_quantity)
            set_str(out, "format", "int-or-string");
        return;
    }
    must_set(out, "anyOf", must_pack("[{s:s}, {s:s}]", "type", "integer", "type", "string"));
    if (is_quantity)
        set_str(out, "pattern", QUANTITY_PATTERN);
    set_true(out, "x-kubernetes-int-or-string", true);
}

static void write_bounds(const struct field *f, json_t *out)
{
    if (f->has_min || f->min)
        must_set(out, "minimum", json_integer(f->min));
    set_positive(out, "maximum", f->max);
    set_positive(out, "minLength", f->min_length);
    set_positive(out, "maxLength", f->max_length);
    set_str(out, "pattern", f->pattern);
    if (f->values) {
        json_t *values = json_array();
        for (const char *const *v = f->values; *v; v++)
            must_append(values, json_string(*v));
        must_set(out, "enum", values);
    }
}

/* One value of the row's type, without what belongs to the list or map around it. */
static json_t *one_value(const struct field *f, enum schema_dialect dialect)
{
    if (f->type == FIELD_OBJECT && dialect != SCHEMA_STRUCTURAL && f->schema->fields->name)
        return ref_json(f->schema, dialect);

    json_t *out = json_object();
    if (f->type == FIELD_QUANTITY || f->type == FIELD_INT_OR_STRING)
        write_int_or_string(f, dialect, out);
    set_str(out, "type", names[f->type].type);
    set_str(out, "format", names[f->type].format);
    write_bounds(f, out);
    if (f->type == FIELD_OBJECT)
        write_members(f->schema, dialect, out);
    set_true(out, "x-kubernetes-preserve-unknown-fields", f->type == FIELD_OPAQUE || f->open);
    return out;
}

static json_t *list_of(const struct field *f, enum schema_dialect dialect)
{
    json_t *out = must_pack("{s:s, s:o}", "type", "array", "items", one_value(f, dialect));

    set_positive(out, "minItems", f->min_items);
    set_positive(out, "maxItems", f->max_items);
    if (f->is_set)
        set_str(out, "x-kubernetes-list-type", "set");
    if (f->list_key) {
        set_str(out, "x-kubernetes-list-type", "map");
        must_set(out, "x-kubernetes-list-map-keys", must_pack("[s]", f->list_key));
    }
    return out;
}

static json_t *field_json(const struct field *f, enum schema_dialect dialect)
{
    json_t *out = NULL;

    switch ((enum field_shape)f->shape) {
    case FIELD_ONE:
        out = one_value(f, dialect);
        break;
    case FIELD_LIST:
        out = list_of(f, dialect);
        break;
    case FIELD_MAP:
        out = must_pack("{s:s, s:o}", "type", "object", "additionalProperties",
                        one_value(f, dialect));
        set_positive(out, "maxProperties", f->max_items);
        break;
    }

    scoped(free) char *doc = must_asprintf("%s%s", f->doc, f->inert ? " Not acted on yet." : "");
    must_set(out, "description", json_string(doc));
    set_true(out, "nullable", f->nullable && dialect != SCHEMA_V2);
    if (f->dflt)
        must_set(out, "default", json_loads(f->dflt, JSON_DECODE_ANY, NULL));
    if (f->rules && dialect == SCHEMA_STRUCTURAL) {
        json_t *rules = json_array();
        for (const struct field_rule *r = f->rules; r->cel; r++)
            must_append(rules, must_pack("{s:s, s:s}", "rule", r->cel, "message", r->message));
        must_set(out, "x-kubernetes-validations", rules);
    }
    return out;
}

/* metadata of a kind is the API server's own affair: a CRD may not describe it. */
static json_t *root_metadata(void)
{
    return must_pack("{s:s}", "type", "object");
}

static void write_members(const struct schema *s, enum schema_dialect dialect, json_t *out)
{
    json_t *properties = json_object();
    json_t *required = json_array();

    for (const struct field *f = s->fields; f->name; f++) {
        must_set(properties, f->name, field_json(f, dialect));
        if (f->required)
            must_append(required, json_string(f->name));
    }
    if (json_array_size(required))
        must_set(out, "required", required);
    else
        json_decref(required);
    if (json_object_size(properties))
        must_set(out, "properties", properties);
    else
        json_decref(properties);
}

json_t *schema_json(const struct schema *s, enum schema_dialect dialect)
{
    json_t *out = must_pack("{s:s, s:s}", "description", s->doc, "type", "object");

    write_members(s, dialect, out);
    json_t *properties = json_object_get(out, "properties");
    if (dialect == SCHEMA_STRUCTURAL && json_object_get(properties, "apiVersion"))
        must_set(properties, "metadata", root_metadata());
    return out;
}

void schema_components(const struct schema *s, enum schema_dialect dialect, json_t *components)
{
    scoped(free) char *name = must_asprintf("v1.%s", s->name);

    if (json_object_get(components, name))
        return;
    must_set(components, name, schema_json(s, dialect));
    for (const struct field *f = s->fields; f->name; f++) {
        if (f->schema && f->schema->fields->name)
            schema_components(f->schema, dialect, components);
    }
}
