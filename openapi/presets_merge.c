/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which preset fields reach an instance.  Whole fields are copied, never parts
 * of one: a machine that says anything about its CPU keeps its CPU as it is.
 */
#include "openapi/presets_merge.h"

#include <stdlib.h>
#include <string.h>

#include "base/jpath.h"
#include "base/must.h"
#include "base/quantity.h"
#include "base/scope.h"
#include "base/selector.h"
#include "base/str.h"

/* A clock shows UTC or a time zone: one field in two members. */
#define CLOCK_OFFSET "clock"
static const char *const clock_offset[] = { "utc", "timezone" };

/* A field of spec.domain that presets may give. */
static const char *const mergeable[] = {
    "resources.requests", "cpu",      "firmware",         CLOCK_OFFSET,
    "clock.timer",        "features", "devices.watchdog", "ioThreadsPolicy",
};
_Static_assert(countof(mergeable) == PRESET_FIELDS, "a step has room for every field");

/* A field's value, or NULL.  New reference. */
static json_t *field_get(const json_t *domain, const char *path)
{
    const json_t *clock = jpath_obj(domain, "clock");

    if (!streq(path, CLOCK_OFFSET))
        return jpath_has(domain, path) ? json_incref(jpath(domain, path)) : NULL;

    json_t *offset = json_object();
    for (size_t i = 0; i < countof(clock_offset); i++)
        if (jpath_has(clock, clock_offset[i]))
            must_set(offset, clock_offset[i], json_incref(json_object_get(clock, clock_offset[i])));
    if (json_object_size(offset) > 0)
        return offset;
    json_decref(offset);
    return NULL;
}

static void field_set(json_t *domain, const char *path, const json_t *value)
{
    if (streq(path, CLOCK_OFFSET))
        must(json_object_update(jpath_make_obj(domain, "clock"), (json_t *)value) == 0);
    else
        jpath_set(domain, path, must_copy(value));
}

/* Equal as values: "1Gi" and "1024Mi" are the same request. */
static bool same_quantity(const json_t *a, const json_t *b)
{
    struct quantity qa, qb;

    return quantity_from_json(a, &qa) == 0 && quantity_from_json(b, &qb) == 0 &&
           quantity_cmp(qa, qb) == 0;
}

static bool same_requests(const json_t *a, const json_t *b)
{
    const char *key;
    json_t *value;

    if (json_object_size(a) != json_object_size(b))
        return false;
    json_object_foreach((json_t *)a, key, value)
        if (!same_quantity(value, json_object_get(b, key)))
            return false;
    return true;
}

static bool same(const char *path, const json_t *a, const json_t *b)
{
    if (streq(path, "resources.requests"))
        return same_requests(a, b);
    return json_equal(a, b);
}

/* Two requests conflict key by key, other fields as a whole. */
static bool conflicts(const char *path, const json_t *a, const json_t *b)
{
    const char *key;
    json_t *value;

    if (!a || !b)
        return false;
    if (!streq(path, "resources.requests"))
        return !json_equal(a, b);
    json_object_foreach((json_t *)a, key, value) {
        const json_t *other = json_object_get(b, key);

        if (other && !same_quantity(value, other))
            return true;
    }
    return false;
}

static void compare(const json_t *a, const json_t *b, struct findings *out)
{
    for (size_t f = 0; f < countof(mergeable); f++) {
        json_auto_t *x = field_get(jpath_obj(a, "spec.domain"), mergeable[f]);
        json_auto_t *y = field_get(jpath_obj(b, "spec.domain"), mergeable[f]);

        if (!conflicts(mergeable[f], x, y))
            continue;
        scoped(free) char *field = must_asprintf("spec.domain.%s", mergeable[f]);

        findings_add(out, CAUSE_INVALID, field,
                     "presets \"%s\" and \"%s\" both select this instance and differ here: "
                     "change one of them or the instance's labels",
                     meta_name(a), meta_name(b));
    }
}

static bool find_conflicts(const json_t *chosen, struct findings *out)
{
    for (size_t i = 0; i < json_array_size(chosen); i++)
        for (size_t j = i + 1; j < json_array_size(chosen); j++)
            compare(json_array_get(chosen, i), json_array_get(chosen, j), out);
    return findings_any(out);
}

static bool selects(const json_t *preset, const json_t *vmi)
{
    const json_t *selector = jpath_obj(preset, "spec.selector");

    return !selector || selector_matches(selector, jpath_obj(vmi, "metadata.labels"));
}

static json_t *choose(const json_t *candidates, const json_t *vmi)
{
    json_t *chosen = json_array();
    size_t i;
    json_t *preset;

    json_array_foreach(candidates, i, preset) {
        if (selects(preset, vmi))
            must_append(chosen, json_incref(preset));
    }
    return chosen;
}

/* Which of the preset's fields meet what; is_applied when at least one of the instance's is what
 * the preset says. */
static void merge(const json_t *preset, json_t *domain, struct preset_step *step)
{
    const json_t *from = jpath_obj(preset, "spec.domain");

    for (size_t f = 0; f < countof(mergeable); f++) {
        json_auto_t *wanted = field_get(from, mergeable[f]);
        json_auto_t *before = field_get(domain, mergeable[f]);
        enum preset_outcome outcome = PRESET_GAVE;

        if (!wanted)
            continue;
        if (!before)
            field_set(domain, mergeable[f], wanted);
        else
            outcome = same(mergeable[f], wanted, before) ? PRESET_AGREED : PRESET_LOST;
        step->is_applied |= outcome != PRESET_LOST;
        step->field[step->len].path = mergeable[f];
        step->field[step->len++].outcome = outcome;
    }
}

static void mark(json_t *vmi, const char *name)
{
    scoped(free) char *key = must_asprintf(PRESET_APPLIED "%s", name);

    must_set(jpath_make_obj(vmi, "metadata.annotations"), key, json_string("kubevirt.io/v1"));
}

static int by_name(const void *a, const void *b)
{
    return strcmp(meta_name(*(json_t *const *)a), meta_name(*(json_t *const *)b));
}

json_t *presets_in_order(const json_t *presets)
{
    const size_t n = json_array_size(presets);
    scoped(free) json_t **item = must_calloc(n + 1, sizeof(*item));
    json_t *sorted = json_array();

    for (size_t i = 0; i < n; i++)
        item[i] = json_array_get(presets, i);
    qsort(item, n, sizeof(*item), by_name);
    for (size_t i = 0; i < n; i++)
        must_append(sorted, json_incref(item[i]));
    return sorted;
}

bool presets_are_excluded(const json_t *vmi)
{
    return streq(meta_annotation(vmi, PRESET_EXCLUDE), "true");
}

void presets_merge(const json_t *candidates, json_t *vmi, preset_step_fn *tell, void *ctx,
                   struct findings *out)
{
    if (presets_are_excluded(vmi))
        return;

    json_auto_t *chosen = choose(candidates, vmi);
    size_t i;
    json_t *preset;

    if (json_array_size(chosen) == 0 || find_conflicts(chosen, out))
        return;
    json_array_foreach(chosen, i, preset) {
        struct preset_step step = { .preset = preset, .vmi = vmi };

        merge(preset, jpath_make_obj(vmi, "spec.domain"), &step);
        if (step.is_applied)
            mark(vmi, meta_name(preset));
        if (tell)
            tell(ctx, &step);
    }
}

/* Is all of `part` in `whole`?  Defaults add members and write amounts in another way. */
static bool is_within(const json_t *part, const json_t *whole)
{
    const char *key;
    size_t i;
    json_t *v;

    if (json_is_object(part) && json_is_object(whole)) {
        json_object_foreach((json_t *)part, key, v)
            if (!json_is_null(v) && !is_within(v, json_object_get(whole, key)))
                return false;
        return true;
    }
    if (json_is_array(part) && json_array_size(part) == json_array_size(whole)) {
        json_array_foreach(part, i, v)
            if (!is_within(v, json_array_get(whole, i)))
                return false;
        return true;
    }
    return json_equal(part, whole) || same_quantity(part, whole);
}

bool preset_trace(const json_t *preset, const json_t *vmi, struct preset_step *step)
{
    *step = (struct preset_step){ .preset = preset, .vmi = vmi };
    if (!selects(preset, vmi))
        return false;
    for (size_t f = 0; f < countof(mergeable); f++) {
        json_auto_t *wanted = preset_field(preset, mergeable[f]);
        json_auto_t *now = preset_field(vmi, mergeable[f]);
        const bool is_given = wanted && is_within(wanted, now);

        if (!wanted)
            continue;
        step->is_applied |= is_given;
        step->field[step->len].path = mergeable[f];
        step->field[step->len++].outcome = is_given ? PRESET_GAVE : PRESET_LOST;
    }
    return true;
}

json_t *preset_field(const json_t *obj, const char *path)
{
    return field_get(jpath_obj(obj, "spec.domain"), path);
}
