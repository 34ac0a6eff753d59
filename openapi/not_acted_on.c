/* SPDX-License-Identifier: Apache-2.0 */
/* The page of fields that are stored and that nothing acts on yet: the rows marked INERT, by path.
 */
#include <stdlib.h>

#include "base/must.h"
#include "base/scope.h"
#include "base/str.h"
#include "openapi/emit.h"

static const char *const brackets[] = {
    [FIELD_ONE] = "",
    [FIELD_LIST] = "[]",
    [FIELD_MAP] = "[]",
};

static void write_below(const struct schema *s, const char *path, json_t *seen, struct buf *out);

static void write_field(const struct field *f, const char *path, json_t *seen, struct buf *out)
{
    scoped(free) char *here =
        must_asprintf("%s%s%s%s", path, *path ? "." : "", f->name, brackets[f->shape]);

    if (f->inert)
        buf_addf(out, "| `%s` | %s |\n", here, f->doc);
    else if (f->schema && !f->lenient)
        write_below(f->schema, here, seen, out);
}

static void write_below(const struct schema *s, const char *path, json_t *seen, struct buf *out)
{
    if (json_object_get(seen, s->name))
        return;
    must_set(seen, s->name, json_true());
    for (const struct field *f = s->fields; f->name; f++)
        write_field(f, path, seen, out);
}

void not_acted_on_write(struct buf *out)
{
    json_auto_t *seen = json_object();

    buf_adds(out,
             "# Fields that are stored but not acted on yet\n\n"
             "Made by `make gen` from the rows marked INERT in `openapi/`; change those, not this "
             "page.\n\n"
             "Such a field is checked and kept, and whoever sets it gets an admission warning that "
             "names its path; what stands\nbelow it is not acted on either. A type that several "
             "kinds share (the instance's spec in a template or preset)\nstands where it is met "
             "first.\n");
    for (size_t i = 0; i < all_kinds_len; i++) {
        scoped_buf fields = BUF_INIT(0);

        write_below(all_kinds[i]->schema, "", seen, &fields);
        if (fields.len)
            buf_addf(out, "\n## %s\n\n| field | what it is for |\n|---|---|\n%s",
                     all_kinds[i]->kind, fields.data);
    }
}
