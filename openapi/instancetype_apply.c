/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of what goes where; processors and memory that is promised twice are counted. */
#include "openapi/instancetype_apply.h"

#include "base/jpath.h"
#include "base/must.h"
#include "base/quantity.h"
#include "base/scope.h"
#include "base/str.h"
#include "openapi/prune.h"
#include "openapi/topology_apply.h"
#include "openapi/types.h"
#include "openapi/validate.h"

static json_t *checked_spec(const struct schema *s, const char *where, const json_t *spec,
                            struct findings *out)
{
    const struct at at = AT_NAME(NULL, where);
    json_auto_t *sound = must_copy(spec);
    const size_t before = out->len;

    (void)schema_prune(s, sound);
    schema_check(s, sound, &at, out);
    return out->len == before ? json_incref(sound) : NULL;
}

json_t *checked_type(const json_t *spec, struct findings *out)
{
    return checked_spec(&instancetype_spec_type, "instancetype.spec", spec, out);
}

json_t *checked_preference(const json_t *spec, struct findings *out)
{
    return checked_spec(&preference_spec_type, "preference.spec", spec, out);
}

/* A field of a type, and where it goes in the template's spec. */
struct given {
    const char *from; /* NULL: the type decides it in another way */
    const char *to;
    enum { CONFLICTS_WITH_FROM, CONFLICTS_ALWAYS, CONFLICTS_NEVER } conflicts;
};

// clang-format off
static const struct given given[] = {
    { "nodeSelector",                          "nodeSelector",                                 CONFLICTS_WITH_FROM },
    { "schedulerName",                         "schedulerName",                                CONFLICTS_WITH_FROM },
    { NULL,                                    "domain.resources.requests.cpu",                CONFLICTS_ALWAYS },
    { NULL,                                    "domain.resources.limits.cpu",                  CONFLICTS_ALWAYS },
    { NULL,                                    "domain.cpu.sockets",                           CONFLICTS_ALWAYS },
    { NULL,                                    "domain.cpu.cores",                             CONFLICTS_ALWAYS },
    { NULL,                                    "domain.cpu.threads",                           CONFLICTS_ALWAYS },
    { "cpu.maxSockets",                        "domain.cpu.maxSockets",                        CONFLICTS_NEVER },
    { "cpu.model",                             "domain.cpu.model",                             CONFLICTS_WITH_FROM },
    { "cpu.dedicatedCPUPlacement",             "domain.cpu.dedicatedCpuPlacement",             CONFLICTS_WITH_FROM },
    { "cpu.isolateEmulatorThread",             "domain.cpu.isolateEmulatorThread",             CONFLICTS_WITH_FROM },
    { "cpu.numa",                              "domain.cpu.numa",                              CONFLICTS_WITH_FROM },
    { "cpu.realtime",                          "domain.cpu.realtime",                          CONFLICTS_WITH_FROM },
    { "memory.guest",                          "domain.memory.guest",                          CONFLICTS_ALWAYS },
    { "memory.hugepages",                      "domain.memory.hugepages",                      CONFLICTS_ALWAYS },
    { "memory.maxGuest",                       "domain.memory.maxGuest",                       CONFLICTS_ALWAYS },
    { NULL,                                    "domain.resources.requests.memory",             CONFLICTS_ALWAYS },
    { NULL,                                    "domain.resources.limits.memory",               CONFLICTS_ALWAYS },
    { "ioThreads.supplementalPoolThreadCount", "domain.ioThreads.supplementalPoolThreadCount", CONFLICTS_WITH_FROM },
    { "ioThreadsPolicy",                       "domain.ioThreadsPolicy",                       CONFLICTS_WITH_FROM },
    { "launchSecurity",                        "domain.launchSecurity",                        CONFLICTS_WITH_FROM },
    { "gpus",                                  "domain.devices.gpus",                          CONFLICTS_WITH_FROM },
    { "hostDevices",                           "domain.devices.hostDevices",                   CONFLICTS_WITH_FROM },
};
// clang-format on

/* Does the machine say anything here?  Zero, false, "" and an empty list are what Go leaves out. */
static bool is_said(const json_t *v)
{
    switch (v ? json_typeof(v) : JSON_NULL) {
    case JSON_OBJECT:
    case JSON_TRUE:
    case JSON_REAL:
        return true;
    case JSON_ARRAY:
        return json_array_size(v) > 0;
    case JSON_STRING:
        return *json_string_value(v);
    case JSON_INTEGER:
        return json_integer_value(v) != 0;
    case JSON_FALSE:
    case JSON_NULL:
        return false;
    }
    return false;
}

/* And the type?  A false of its is an answer. */
static bool is_given(const json_t *v)
{
    return json_is_false(v) || is_said(v);
}

static void check_fields(const json_t *type, const json_t *template, struct findings *out)
{
    const struct at top = AT_NAME(NULL, "spec.template.spec");
    const json_t *spec = jpath_obj(template, "spec");

    for (size_t i = 0; i < countof(given); i++) {
        const struct given *g = &given[i];
        bool is_wanted = g->conflicts == CONFLICTS_ALWAYS ||
                         (g->conflicts == CONFLICTS_WITH_FROM && is_given(jpath(type, g->from)));

        if (is_wanted && is_said(jpath(spec, g->to)))
            findings_add_at(out, CAUSE_INVALID, &AT_NAME(&top, g->to),
                            "VM field(s) spec.template.spec.%s conflicts with selected instance "
                            "type: leave it out, the type decides it",
                            g->to);
    }
}

static void check_annotations(const json_t *type, const json_t *template, struct findings *out)
{
    const struct at top = AT_NAME(NULL, "spec.template.metadata.annotations");
    const char *key;
    json_t *v;

    json_object_foreach(jpath_obj(type, "annotations"), key, v) {
        const char *mine = meta_annotation(template, key);

        if (mine && json_is_string(v) && !streq(mine, json_string_value(v)))
            findings_add_at(out, CAUSE_INVALID, &AT_KEY(&top, key),
                            "VM field(s) spec.template.metadata.annotations[%s] conflicts with "
                            "selected instance type: leave it out, the type decides it",
                            key);
    }
}

void instancetype_check(const json_t *type, const json_t *preference, const json_t *template,
                        struct findings *out)
{
    const struct topology_preference t = topology_of(preference);
    json_int_t processors = jpath_int(type, "cpu.guest", 0);

    if (!topology_divides(&t, processors))
        findings_add(out, CAUSE_INVALID, "instancetype.spec.cpu.guest",
                     "the instance type's %lld processors cannot be spread by %lld as the "
                     "preference asks: choose another type or preference",
                     (long long)processors, (long long)t.ratio);
    check_fields(type, template, out);
    check_annotations(type, template, out);
}

/* Less is asked of the node than the guest sees. */
static void apply_overcommit(const json_t *type, json_t *spec)
{
    json_int_t percent = jpath_int(type, "memory.overcommitPercent", 0);
    struct quantity q;
    char text[QUANTITY_TEXT_MAX];

    if (percent <= 0 || percent > 100 || quantity_from_json(jpath(type, "memory.guest"), &q) < 0 ||
        q.nano < 0)
        return;

    struct quantity asked = quantity_from_bytes(quantity_value(q) / 100 * (100 - percent) +
                                                quantity_value(q) % 100 * (100 - percent) / 100);
    asked.is_binary = q.is_binary;
    jpath_set_str(spec, "domain.resources.requests.memory", quantity_format(asked, text));
}

static bool may_hold(const json_t *v)
{
    return !v || json_is_null(v) || json_is_object(v);
}

void template_annotate(json_t *template, const json_t *annotations)
{
    const char *key;
    json_t *v;

    if (!may_hold(json_object_get(template, "metadata")) ||
        !may_hold(jpath(template, "metadata.annotations")))
        return;
    json_object_foreach((json_t *)annotations, key, v)
        if (!meta_annotation(template, key))
            must_set(jpath_make_obj(template, "metadata.annotations"), key, json_incref(v));
}

void instancetype_apply(const json_t *type, const json_t *preference, json_t *template)
{
    const struct topology_preference t = topology_of(preference);
    json_t *spec = jpath_make_obj(template, "spec");

    for (size_t i = 0; i < countof(given); i++) {
        const json_t *value = given[i].from ? jpath(type, given[i].from) : NULL;

        if (is_given(value))
            jpath_set(spec, given[i].to, must_copy(value));
    }
    topology_apply(&t, jpath_int(type, "cpu.guest", 0), jpath_make_obj(spec, "domain.cpu"));
    apply_overcommit(type, spec);
    template_annotate(template, jpath_obj(type, "annotations"));
}
