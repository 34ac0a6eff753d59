/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/preset_event.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/jpath.h"
#include "base/log.h"
#include "base/must.h"
#include "base/scope.h"
#include "base/str.h"
#include "openapi/presets_merge.h"

#define REASON_PRESET_APPLIED "PresetApplied"

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

json_t *presets_of_instance(const json_t *vmi)
{
    const json_t *annotations = jpath_obj(vmi, "metadata.annotations");
    const size_t prefix = strlen(PRESET_APPLIED);
    scoped(free) const char **names =
        must_calloc(json_object_size(annotations) + 1, sizeof(*names));
    json_t *out = json_array();
    size_t n = 0;
    const char *key;
    json_t *value;

    json_object_foreach((json_t *)annotations, key, value) {
        /* Anyone may write annotations: what is no name is no preset. */
        if (str_has_prefix(key, PRESET_APPLIED) && is_dns_subdomain(key + prefix))
            names[n++] = key + prefix;
    }
    qsort(names, n, sizeof(*names), by_text);
    for (size_t i = 0; i < n && i < PRESETS_TOLD_MAX; i++)
        must_append(out, json_string(names[i]));
    return out;
}

static char *fields_of(const struct preset_step *step, enum preset_outcome outcome)
{
    struct buf out = BUF_INIT(0);

    for (size_t i = 0; i < step->len; i++)
        if (step->field[i].outcome == outcome)
            (void)buf_addf(&out, "%sdomain.%s", out.len ? ", " : "", step->field[i].path);
    return out.len ? buf_take(&out) : NULL;
}

char *preset_event_text(const json_t *preset, const json_t *vmi)
{
    struct preset_step step;

    if (!preset_trace(preset, vmi, &step))
        return NULL;
    scoped(free) char *given = fields_of(&step, PRESET_GAVE);
    scoped(free) char *kept = fields_of(&step, PRESET_LOST);

    if (!given)
        return NULL;
    return must_asprintf("preset \"%s\" gave %s%s%s%s", meta_name(preset), given,
                         kept ? "; the instance's own " : "", kept ? kept : "",
                         kept ? " stayed" : "");
}

static void record_one(struct kube *k, struct event_recorder *events, const json_t *vmi,
                       const char *name)
{
    json_auto_t *preset = NULL;
    struct error e;
    int r = kube_get(k, &KIND_PRESET, meta_namespace(vmi), name, &preset, &e);

    if (r < 0 && r != -ERR_NOT_FOUND)
        log_debug("a preset cannot be read, its event is left out", "ns", meta_namespace(vmi),
                  "preset", name, "error", e.msg);
    if (r < 0)
        return;
    scoped(free) char *text = preset_event_text(preset, vmi);
    if (text)
        event_record(events, &KIND_VMI, vmi, EVENT_NORMAL, REASON_PRESET_APPLIED, "%s", text);
}

void preset_events_record(struct kube *k, struct event_recorder *events, const json_t *vmi)
{
    json_auto_t *names = presets_of_instance(vmi);
    size_t i;
    json_t *name;

    json_array_foreach(names, i, name)
        record_one(k, events, vmi, json_string_value(name));
}
