/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/preset_preview.h"

#include "base/buf.h"
#include "base/jpath.h"
#include "base/must.h"
#include "base/scope.h"
#include "base/str.h"
#include "cli/diff.h"
#include "kube/yaml.h"
#include "openapi/canonical.h"
#include "openapi/defaults.h"
#include "openapi/kinds.h"
#include "openapi/presets_merge.h"
#include "openapi/validate.h"

struct preview {
    struct buf *out;
    json_t *givers; /* field: name of the preset that gave it */
    char *text;     /* the instance before the next preset, as YAML */
    char *title;    /* and what that text is called */
};

static const char *title_of(const json_t *vmi)
{
    const char *name = meta_name(vmi);

    return *name ? name : jpath_str(vmi, "metadata.generateName", "instance");
}

/* A field's value on one line. */
static char *value_of(const json_t *obj, const char *path)
{
    json_auto_t *value = preset_field(obj, path);

    return must_dumps(value, JSON_ENCODE_ANY | JSON_SORT_KEYS);
}

static void tell_overridden(struct preview *p, const struct preset_step *step, const char *path)
{
    const char *giver = json_string_value(json_object_get(p->givers, path));
    scoped(free) char *kept = value_of(step->vmi, path);
    scoped(free) char *lost = value_of(step->preset, path);

    if (giver)
        (void)buf_addf(p->out, "overridden by preset \"%s\"", giver);
    else
        (void)buf_adds(p->out, "overridden by the instance");
    (void)buf_addf(p->out, ": %s stays, not %s\n", kept, lost);
}

static void tell_field(struct preview *p, const struct preset_step *step, size_t i)
{
    const char *path = step->field[i].path;

    (void)buf_addf(p->out, "#   spec.domain.%s: ", path);
    switch (step->field[i].outcome) {
    case PRESET_GAVE:
        must_set(p->givers, path, json_string(meta_name(step->preset)));
        (void)buf_adds(p->out, "given\n");
        break;
    case PRESET_AGREED:
        (void)buf_adds(p->out, "already so\n");
        break;
    case PRESET_LOST:
        tell_overridden(p, step, path);
        break;
    }
}

/* preset_step_fn */
static void tell_step(void *ctx, const struct preset_step *step)
{
    struct preview *p = ctx;
    const char *name = meta_name(step->preset);
    char *text = yaml_dump(step->vmi);
    char *title = must_asprintf("%s + %s", p->title, name);

    (void)buf_addf(p->out, "# preset \"%s\": %s\n", name,
                   step->is_applied ? "applied" : "not applied, nothing is as it says");
    for (size_t i = 0; i < step->len; i++)
        tell_field(p, step, i);
    diff_unified(p->title, p->text, title, text, p->out);

    free(p->text);
    free(p->title);
    p->text = text;
    p->title = title;
}

static int tell_conflicts(const struct findings *conflicts, struct buf *out, struct error *e)
{
    for (size_t i = 0; i < conflicts->len; i++)
        (void)buf_addf(out, "# conflict in %s: %s\n", conflicts->item[i].field,
                       conflicts->item[i].message);
    scoped(free) char *text = findings_message(conflicts);
    return error_set(e, ERR_INVALID, "its creation would be refused: %s", text);
}

static int check(const json_t *vmi, struct error *e)
{
    scoped_findings faults;

    findings_init(&faults);
    schema_validate(&kind_vmi, vmi, &faults);
    if (!findings_any(&faults))
        return 0;
    scoped(free) char *text = findings_message(&faults);
    return error_set(e, ERR_INVALID, "its creation would be refused: %s", text);
}

static int merge(json_t *vmi, const json_t *presets, struct buf *out, struct error *e)
{
    json_auto_t *givers = json_object();
    json_auto_t *ordered = presets_in_order(presets);
    struct preview p = {
        .out = out, .givers = givers, .text = yaml_dump(vmi), .title = must_strdup(title_of(vmi))
    };
    const size_t before = out->len;
    scoped_findings conflicts;

    findings_init(&conflicts);
    presets_merge(ordered, vmi, tell_step, &p, &conflicts);
    free(p.text);
    free(p.title);
    if (findings_any(&conflicts))
        return tell_conflicts(&conflicts, out, e);
    if (presets_are_excluded(vmi))
        (void)buf_adds(out,
                       "# excluded by its annotation " PRESET_EXCLUDE ": no preset is merged\n");
    else if (out->len == before)
        (void)buf_adds(out, "# no preset selects it\n");
    return 0;
}

int preset_preview(const json_t *vmi, const json_t *presets, json_t **ret, struct buf *out,
                   struct error *e)
{
    if (check(vmi, e) < 0)
        return -(int)e->code;

    json_auto_t *merged = must_copy(vmi);
    schema_default(kind_vmi.schema, merged);
    canonical_make(kind_vmi.schema, merged);
    if (merge(merged, presets, out, e) < 0)
        return -(int)e->code;
    *ret = TAKE(merged);
    return 0;
}
