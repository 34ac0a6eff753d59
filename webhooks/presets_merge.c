/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which preset fields reach an instance.  Whole fields are copied, never parts
 * of one: a machine that says anything about its CPU keeps its CPU as it is.
 */
#include "base/jpath.h"
#include "base/must.h"
#include "base/quantity.h"
#include "base/scope.h"
#include "base/selector.h"
#include "base/str.h"
#include "webhooks/presets.h"

static const char exclude[] = "virtualmachineinstancepresets.admission.kubevirt.io/exclude";

/* A field of spec.domain that presets may give. */
static const char *const mergeable[] = {
    "resources.requests", "cpu",      "firmware",         "clock.utc",
    "clock.timezone",     "clock.timer", "features", "devices.watchdog", "ioThreadsPolicy",
};

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
    json_object_foreach ((json_t *)a, key, value)
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
    json_object_foreach ((json_t *)a, key, value) {
        const json_t *other = json_object_get(b, key);

        if (other && !same_quantity(value, other))
            return true;
    }
    return false;
}

static bool find_conflicts(const json_t *chosen, struct findings *out)
{
    size_t i, j;
    json_t *a, *b;

    json_array_foreach (chosen, i, a) {
        for (j = i + 1; j < json_array_size(chosen); j++) {
            b = json_array_get(chosen, j);
            for (size_t f = 0; f < countof(mergeable); f++) {
                if (!conflicts(mergeable[f], jpath(jpath_obj(a, "spec.domain"), mergeable[f]),
                               jpath(jpath_obj(b, "spec.domain"), mergeable[f])))
                    continue;
                scoped(free) char *field = must_asprintf("spec.domain.%s", mergeable[f]);

                findings_add(out, CAUSE_INVALID, field,
                             "presets \"%s\" and \"%s\" both select this instance and differ here: "
                             "change one of them or the instance's labels",
                             meta_name(a), meta_name(b));
            }
        }
    }
    return findings_any(out);
}

static json_t *choose(const json_t *candidates, const json_t *vmi)
{
    json_t *chosen = json_array();
    size_t i;
    json_t *preset;

    json_array_foreach (candidates, i, preset) {
        const json_t *selector = jpath_obj(preset, "spec.selector");
        bool is_chosen = !selector || selector_matches(selector, jpath_obj(vmi, "metadata.labels"));

        if (is_chosen)
            must_append(chosen, json_incref(preset));
    }
    return chosen;
}

/* True when at least one field of the instance is what the preset says. */
static bool merge(const json_t *preset, json_t *domain)
{
    const json_t *from = jpath_obj(preset, "spec.domain");
    bool is_applied = false;

    for (size_t f = 0; f < countof(mergeable); f++) {
        const json_t *wanted = jpath(from, mergeable[f]);

        if (!wanted || json_is_null(wanted))
            continue;
        if (!jpath_has(domain, mergeable[f]))
            jpath_set(domain, mergeable[f], must_copy(wanted));
        is_applied |= same(mergeable[f], wanted, jpath(domain, mergeable[f]));
    }
    return is_applied;
}

void presets_apply(const json_t *candidates, json_t *vmi, struct findings *out)
{
    if (streq(meta_annotation(vmi, exclude), "true"))
        return;

    json_auto_t *chosen = choose(candidates, vmi);
    size_t i;
    json_t *preset;

    if (json_array_size(chosen) == 0 || find_conflicts(chosen, out))
        return;
    json_array_foreach (chosen, i, preset) {
        if (!merge(preset, jpath_make_obj(vmi, "spec.domain")))
            continue;
        scoped(free) char *key =
            must_asprintf("virtualmachinepreset.kubevirt.io/%s", meta_name(preset));

        must_set(jpath_make_obj(vmi, "metadata.annotations"), key, json_string("kubevirt.io/v1"));
    }
}
