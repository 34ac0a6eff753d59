/* SPDX-License-Identifier: Apache-2.0 */
/* Replica sets decided; see vmirs_decide.h. */
#include "controller/vmirs_decide.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/jpath.h"
#include "base/must.h"
#include "base/scope.h"
#include "base/selector.h"
#include "base/str.h"
#include "controller/names.h"
#include "controller/vm_decide.h"
#include "openapi/machine.h"

bool vmi_is_active(const json_t *vmi)
{
    const json_t *ready = condition_find(vmi, "Ready");
    bool pod_goes = streq(jpath_str(ready, "status", ""), "False") &&
                    streq(jpath_str(ready, "reason", ""), "PodTerminating");
    return !vmi_is_final(vmi) && !meta_is_deleting(vmi) && !pod_goes;
}

static bool selects_own_template(const json_t *rs)
{
    return selector_matches(jpath_obj(rs, "spec.selector"),
                            jpath_obj(rs, "spec.template.metadata.labels"));
}

static void sort_out(struct vmirs_plan *p, const json_t *vmis, json_t *active)
{
    size_t i;
    json_t *vmi;
    json_array_foreach(vmis, i, vmi) {
        if (vmi_is_active(vmi))
            json_array_append(active, vmi);
        else if (!meta_is_deleting(vmi))
            json_array_append(p->clear, vmi);
        if (vmi_is_active(vmi) && condition_is_true(vmi, "Ready"))
            p->ready++;
    }
    p->active = json_array_size(active);
}

struct vmirs_plan vmirs_decide(const json_t *rs, const json_t *vmis)
{
    json_auto_t *active = json_array();
    struct vmirs_plan p = {
        .is_valid = selects_own_template(rs),
        .is_paused = jpath_bool(rs, "spec.paused", false),
        .delete = json_array(),
        .clear = json_array(),
    };
    sort_out(&p, vmis, active);

    if (!p.is_valid || p.is_paused || meta_is_deleting(rs)) {
        json_array_clear(p.clear);
        return p;
    }
    json_int_t replicas = jpath_int(rs, "spec.replicas", 1);
    size_t wanted = replicas > 0 ? (size_t)replicas : 0;
    if (p.active < wanted) {
        p.create = wanted - p.active < BURST_REPLICAS ? wanted - p.active : BURST_REPLICAS;
    } else {
        for (size_t i = 0; i < p.active - wanted && i < BURST_REPLICAS; i++)
            json_array_append(p.delete, json_array_get(active, i));
    }
    return p;
}

void vmirs_plan_done(struct vmirs_plan *p)
{
    json_decref(p->delete);
    json_decref(p->clear);
    *p = (struct vmirs_plan){ 0 };
}

/* ---- claims ---- */

enum vmirs_claim vmirs_claims(const json_t *rs, const json_t *vmi)
{
    const json_t *owner = meta_controller(vmi);
    bool matches =
        selector_matches(jpath_obj(rs, "spec.selector"), jpath_obj(vmi, "metadata.labels"));

    if (!owner)
        return matches && !meta_is_deleting(vmi) && !meta_is_deleting(rs) ? CLAIM_ADOPT
                                                                          : CLAIM_KEEP;
    bool is_own = streq(jpath_str(owner, "uid", ""), meta_uid(rs));
    return is_own && !matches && !meta_is_deleting(vmi) ? CLAIM_RELEASE : CLAIM_KEEP;
}

/* ---- instances ---- */

static const char *name_base(const json_t *rs)
{
    static const char *const paths[] = { "spec.template.metadata.name",
                                         "spec.template.metadata.generateName" };
    for (size_t i = 0; i < countof(paths); i++) {
        const char *base = jpath_str(rs, paths[i], "");
        if (base[0])
            return base;
    }
    return meta_name(rs);
}

static json_t *copy_or_empty(const json_t *object)
{
    return object ? must_copy(object) : json_object();
}

json_t *vmi_from_vmirs(const json_t *rs, const char *suffix)
{
    enum { GENERATED_BASE_MAX = 58 }; /* where the API server cuts a generateName */
    const char *base = name_base(rs);
    scoped(free) char *name = must_asprintf("%.*s%s", GENERATED_BASE_MAX, base, suffix);
    json_t *annotations = copy_or_empty(jpath_obj(rs, "spec.template.metadata.annotations"));

    must_set(annotations, ANNOTATION_LATEST_API, json_string("v1"));
    must_set(annotations, ANNOTATION_STORAGE_API, json_string("v1"));
    return must_pack(
        "{s:s, s:s, s:{s:s, s:s, s:s, s:o, s:o, s:[{s:s, s:s, s:s, s:s, s:b, s:b}]}, s:o}", //
        "apiVersion", "kubevirt.io/v1", "kind", "VirtualMachineInstance", "metadata", "name", name,
        "generateName", base, "namespace", meta_namespace(rs), "labels",
        copy_or_empty(jpath_obj(rs, "spec.template.metadata.labels")), "annotations", annotations,
        "ownerReferences", "apiVersion", "kubevirt.io/v1", "kind",
        "VirtualMachineInstanceReplicaSet", "name", meta_name(rs), "uid", meta_uid(rs),
        "controller", 1, "blockOwnerDeletion", 1, "spec",
        copy_or_empty(jpath_obj(rs, "spec.template.spec")));
}

/* ---- status ---- */

static void set_count(json_t *status, const char *key, size_t n)
{
    if (n > 0)
        must_set(status, key, json_integer((json_int_t)n));
    else
        json_object_del(status, key);
}

json_t *vmirs_next_status(const json_t *rs, const struct vmirs_plan *plan,
                          const struct vmirs_outcome *outcome, int64_t now_ms)
{
    char now[RFC3339_MAX];
    (void)rfc3339(now_ms, now);
    json_t *status = copy_or_empty(jpath_obj(rs, "status"));
    json_auto_t *holder = must_pack("{s:O}", "status", status);

    scoped(free) char *selector = selector_to_query(jpath_obj(rs, "spec.selector"));
    must_set(status, "labelSelector", json_string(selector));
    set_count(status, "replicas", plan->active);
    set_count(status, "readyReplicas", plan->ready);

    if (plan->is_paused)
        condition_set(holder, "ReplicaPaused", "True", "Paused", "the controller is paused", now);
    else
        condition_remove(holder, "ReplicaPaused");
    if (outcome->fault_reason)
        condition_set(holder, "ReplicaFailure", "True", outcome->fault_reason,
                      outcome->fault_message, now);
    else if (plan->is_valid)
        condition_remove(holder, "ReplicaFailure");
    if (json_array_size(jpath_arr(status, "conditions")) == 0)
        json_object_del(status, "conditions");
    return status;
}
