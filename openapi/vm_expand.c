/* SPDX-License-Identifier: Apache-2.0 */
/* Devices are there before the preference is applied, so that it reaches them too. */
#include "openapi/vm_expand.h"

#include "base/jpath.h"
#include "base/must.h"
#include "base/str.h"
#include "openapi/instancetype_apply.h"
#include "openapi/preference_apply.h"

#define INPUTS "domain.devices.inputs"
#define DEFAULT_INPUT "default-0"

static void add_disks(json_t *spec)
{
    size_t i;
    json_t *volume;

    json_array_foreach(jpath_arr(spec, "volumes"), i, volume) {
        const char *name = jpath_str(volume, "name", "");

        if (jpath_has(volume, "memoryDump") ||
            jarr_find(jpath_arr(spec, "domain.devices.disks"), "name", name) ||
            jarr_find(jpath_arr(spec, "domain.devices.filesystems"), "name", name))
            continue;
        must_append(jpath_make_arr(spec, "domain.devices.disks"), must_pack("{s:s}", "name", name));
    }
}

static void add_network(json_t *spec, const char *binding)
{
    if (!jpath_bool(spec, "domain.devices.autoattachPodInterface", true) ||
        json_array_size(jpath_arr(spec, "networks")) > 0 ||
        json_array_size(jpath_arr(spec, "domain.devices.interfaces")) > 0)
        return;
    jpath_set(spec, "networks", must_pack("[{s:s, s:{}}]", "name", "default", "pod"));
    jpath_set(spec, "domain.devices.interfaces",
              must_pack("[{s:s, s:{}}]", "name", "default", binding));
}

/* What neither the machine nor the preference says of the default input. */
static void finish_input(json_t *spec)
{
    static const char *const members[][2] = { { "bus", "usb" }, { "type", "tablet" } };
    json_t *input = jarr_find(jpath_arr(spec, INPUTS), "name", DEFAULT_INPUT);

    for (size_t i = 0; input && i < 2; i++)
        if (!*jpath_str(input, members[i][0], ""))
            jpath_set_str(input, members[i][0], members[i][1]);
}

static void add_input(json_t *spec)
{
    if (jpath_bool(spec, "domain.devices.autoattachInputDevice", false) &&
        json_array_size(jpath_arr(spec, INPUTS)) == 0)
        jpath_set(spec, INPUTS, must_pack("[{s:s}]", "name", DEFAULT_INPUT));
}

void template_fill(json_t *template, const json_t *preference, const char *binding)
{
    json_t *spec = jpath_make_obj(template, "spec");

    (void)jpath_make_obj(spec, "domain.devices");
    preference_apply_autoattach(preference, template);
    add_disks(spec);
    add_network(spec, binding);
    add_input(spec);
    if (preference)
        preference_apply(preference, template);
    finish_input(spec);
}

json_t *vm_with_types(const json_t *vm, const json_t *given_type, const json_t *given_preference,
                      const char *binding, struct findings *out)
{
    const size_t before = out->len;
    json_auto_t *type = given_type ? checked_type(given_type, out) : NULL;
    json_auto_t *preference = given_preference ? checked_preference(given_preference, out) : NULL;

    if (out->len != before)
        return NULL;

    json_auto_t *whole = must_copy(vm);
    json_t *template = jpath_make_obj(whole, "spec.template");

    if (type)
        instancetype_check(type, preference, template, out);
    /* A machine without a type gets what it lacks by defaults later: admission judges it then. */
    if (type && preference)
        preference_check(preference, type, jpath_obj(template, "spec"), out);
    if (out->len != before)
        return NULL;
    if (type)
        instancetype_apply(type, preference, template);
    template_fill(template, preference, binding);
    return json_incref(whole);
}
