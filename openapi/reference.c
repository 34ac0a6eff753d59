/* SPDX-License-Identifier: Apache-2.0 */
/* The reference page: every kind and every type below it, once, with what each field means. */
#include <stdio.h>
#include <string.h>

#include "base/must.h"
#include "openapi/emit.h"

static const char *const type_words[] = {
    [FIELD_STRING] = "text",       [FIELD_BOOL] = "true or false",
    [FIELD_INT32] = "integer",     [FIELD_INT64] = "integer",
    [FIELD_INT] = "integer",       [FIELD_NUMBER] = "number",
    [FIELD_QUANTITY] = "quantity", [FIELD_INT_OR_STRING] = "integer or text",
    [FIELD_TIME] = "time",         [FIELD_OBJECT] = "object",
    [FIELD_OPAQUE] = "object",
};

/* "|" would end the cell. */
static void write_cell(const char *s, struct buf *out)
{
    for (; *s; s++) {
        if (*s == '|')
            buf_adds(out, "\\|");
        else
            buf_add(out, s, 1);
    }
}

static bool is_shown_apart(const struct field *f)
{
    return f->schema && f->schema->fields->name;
}

static void write_type(const struct field *f, struct buf *out)
{
    static const char *const shapes[] = {
        [FIELD_ONE] = "",
        [FIELD_LIST] = "list of ",
        [FIELD_MAP] = "map of ",
    };

    buf_adds(out, shapes[f->shape]);
    if (is_shown_apart(f))
        buf_addf(out, "[%s](#%s)", f->schema->name, f->schema->name);
    else
        buf_adds(out, type_words[f->type]);
}

static void write_limits(const struct field *f, struct buf *out)
{
    if (f->required)
        buf_adds(out, " Required.");
    if (f->values) {
        buf_adds(out, " One of");
        for (const char *const *v = f->values; *v; v++)
            buf_addf(out, "%s `%s`", v == f->values ? "" : ",", *v);
        buf_adds(out, ".");
    }
    if (f->has_min || f->min)
        buf_addf(out, " At least %lld.", (long long)f->min);
    if (f->max)
        buf_addf(out, " At most %lld.", (long long)f->max);
    if (f->max_length)
        buf_addf(out, " At most %u characters.", f->max_length);
    if (f->max_items)
        buf_addf(out, " At most %u items.", f->max_items);
    if (f->dflt)
        buf_addf(out, " Default `%s`.", f->dflt);
    for (const struct field_rule *r = f->rules; r && r->cel; r++)
        buf_addf(out, " It %s.", r->message);
    if (f->inert)
        buf_adds(out, " *Not acted on yet.*");
}

static void write_schema(const struct schema *s, struct buf *out)
{
    buf_addf(out, "\n### %s\n\n%s\n", s->name, s->doc);
    if (!s->fields->name)
        return;
    buf_adds(out, "\n| field | type | what it is |\n|---|---|---|\n");
    for (const struct field *f = s->fields; f->name; f++) {
        buf_addf(out, "| `%s` | ", f->name);
        write_type(f, out);
        buf_adds(out, " | ");
        write_cell(f->doc, out);
        write_limits(f, out);
        buf_adds(out, " |\n");
    }
}

/* The type, then those below it that have not been written yet. */
static void write_below(const struct schema *s, json_t *seen, struct buf *out)
{
    if (json_object_get(seen, s->name))
        return;
    must_set(seen, s->name, json_true());
    write_schema(s, out);
    for (const struct field *f = s->fields; f->name; f++) {
        if (is_shown_apart(f))
            write_below(f->schema, seen, out);
    }
}

static void write_kind(const struct kind *k, json_t *seen, struct buf *out)
{
    buf_addf(out, "\n## Kind %s\n\n`%s`, versions", k->kind, k->group);
    for (const struct kind_version *v = k->versions; v->name; v++)
        buf_addf(out, "%s `%s`%s", v == k->versions ? "" : ",", v->name,
                 v->deprecation ? " (deprecated)" : "");
    buf_addf(out, "; %s `%s`", k->is_cluster_scoped ? "for the whole cluster," : "in a namespace,",
             k->plural);
    for (const char *const *s = k->short_names; *s; s++)
        buf_addf(out, ", `%s`", *s);
    buf_adds(out, ".\n");
    write_below(k->schema, seen, out);
}

void reference_write(struct buf *out)
{
    json_auto_t *seen = json_object();

    buf_adds(out, "# Reference of kinds\n\n"
                  "Made by `make gen` from the tables in `openapi/`; change those, not this page.\n"
                  "A type that several kinds share stands where it is met first.\n");
    for (size_t i = 0; i < all_kinds_len; i++)
        write_kind(all_kinds[i], seen, out);
}
