/* SPDX-License-Identifier: Apache-2.0 */
#include "webhooks/vm_types.h"

#include "base/jpath.h"
#include "base/log.h"
#include "base/must.h"
#include "base/scope.h"
#include "openapi/instancetype_apply.h"
#include "openapi/preference_apply.h"
#include "webhooks/rules_vm.h"
#include "webhooks/vm_infer.h"

/* ---- finding them ---- */

/* The spec of what the stores have. */
static json_t *from_memory(const struct review *rv, enum matcher m, const json_t *matcher)
{
    scoped(free) char *key = matcher_key(m, matcher, rv->namespace);
    json_auto_t *object =
        key && rv->stored ? rv->stored(rv->stored_ctx, matcher_kind(m, matcher), key) : NULL;

    return json_incref(jpath_obj(object, "spec"));
}

/* The spec that the revision holds, or NULL when it cannot be had or is none. */
static json_t *from_revision(const struct review *rv, enum matcher m, const json_t *vm)
{
    json_auto_t *found = NULL;
    scoped_findings faults;
    struct error e;

    findings_init(&faults);
    if (matcher_get(rv->kube, m, vm, rv->namespace, &found, &e) > 0) {
        const json_t *spec = jpath_obj(found, "spec");
        json_t *sound = m == MATCHER_INSTANCETYPE ? checked_type(spec, &faults)
                                                  : checked_preference(spec, &faults);
        if (sound)
            return sound;
        (void)error_set(&e, ERR_INVALID, "%s: %s", faults.item[0].field, faults.item[0].message);
    }
    log_warn("a revision cannot be read, judging by the object as it is now", "ns", rv->namespace,
             "name", meta_name(vm), "error", e.msg);
    return NULL;
}

static json_t *find(const struct review *rv, enum matcher m, const json_t *vm)
{
    json_t *spec = NULL;

    if (!matcher_of(m, vm))
        return NULL;
    if (rv->kube && *matcher_revision(m, vm))
        spec = from_revision(rv, m, vm);
    return spec ? spec : from_memory(rv, m, matcher_of(m, vm));
}

struct vm_types vm_types_find(const struct review *rv, const json_t *vm)
{
    return (struct vm_types){ .type = find(rv, MATCHER_INSTANCETYPE, vm),
                              .preference = find(rv, MATCHER_PREFERENCE, vm) };
}

void vm_types_done(struct vm_types *t)
{
    json_decref(t->type);
    json_decref(t->preference);
}

bool vm_validator_asks(const json_t *body)
{
    const json_t *vm = jpath_obj(body, "request.object");

    return *matcher_revision(MATCHER_INSTANCETYPE, vm) ||
           *matcher_revision(MATCHER_PREFERENCE, vm) || vm_volume_requests_ask(body);
}

bool vm_mutator_asks(const json_t *body)
{
    const json_t *vm = jpath_obj(body, "request.object");

    return *matcher_revision(MATCHER_PREFERENCE, vm) || vm_infers_types(vm) ||
           vm_infers_architecture(vm);
}

/* ---- what is done with them ---- */

static void fill_text(json_t *object, const char *path, const json_t *preference, const char *from)
{
    const char *preferred = jpath_str(preference, from, "");

    if (*preferred && !*jpath_str(object, path, ""))
        jpath_set_str(object, path, preferred);
}

static void fill_storage_class(json_t *vm, const json_t *preference)
{
    static const char *const claims[] = { "spec.pvc", "spec.storage" };
    const json_t *preferred = jpath(preference, "volumes.preferredStorageClassName");
    size_t i;
    json_t *template;

    if (!json_is_string(preferred) || !*json_string_value(preferred))
        return;
    json_array_foreach(jpath_arr(vm, "spec.dataVolumeTemplates"), i, template) {
        for (size_t c = 0; c < countof(claims); c++) {
            json_t *claim = jpath_obj(template, claims[c]);

            if (claim && !jpath_has(claim, "storageClassName"))
                must_set(claim, "storageClassName", json_incref((json_t *)preferred));
        }
    }
}

void vm_preference_fill(const struct review *rv, json_t *vm)
{
    json_auto_t *preference = find(rv, MATCHER_PREFERENCE, vm);

    if (!preference || !jpath_obj(vm, "spec.template.spec"))
        return;
    fill_text(vm, "spec.template.spec.architecture", preference, "preferredArchitecture");
    fill_text(vm, "spec.template.spec.domain.machine.type", preference,
              "machine.preferredMachineType");
    fill_storage_class(vm, preference);
}

bool vm_types_apply(const struct vm_types *t, json_t *template, struct findings *out)
{
    size_t before = out->len;

    if (t->type)
        instancetype_check(t->type, t->preference, template, out);
    if (out->len != before)
        return false;
    if (t->type)
        instancetype_apply(t->type, t->preference, template);
    if (t->preference)
        preference_apply(t->preference, template);
    return true;
}
