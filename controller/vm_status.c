/* SPDX-License-Identifier: Apache-2.0 */
/* printableStatus as a table of predicates; conditions and the rest of the status. */
#include "controller/vm_status.h"

#include "base/clock.h"
#include "base/jpath.h"
#include "base/must.h"
#include "base/scope.h"
#include "base/str.h"
#include "controller/conditions.h"
#include "controller/names.h"
#include "controller/vm_decide.h"
#include "openapi/machine.h"

/* ---- printableStatus ---- */

struct view {
    const json_t *vm, *vmi;
    const struct vm_outcome *outcome;
};

static bool has_condition(const json_t *obj, const char *type, const char *status,
                          const char *reason)
{
    const json_t *c = condition_find(obj, type);
    return c && streq(jpath_str(c, "status", ""), status) &&
           streq(jpath_str(c, "reason", ""), reason);
}

static bool is_terminating(const struct view *v)
{
    return meta_is_deleting(v->vm);
}

static bool is_stopping(const struct view *v)
{
    return v->vmi && !vmi_is_final(v->vmi) && (meta_is_deleting(v->vmi) || v->outcome->is_stopping);
}

static bool is_migrating(const struct view *v)
{
    const json_t *state = jpath_obj(v->vmi, "status.migrationState");
    return jpath_has(state, "startTimestamp") && !jpath_bool(state, "completed", false) &&
           !jpath_bool(state, "failed", false);
}

static bool is_paused(const struct view *v)
{
    return v->vmi && !vmi_is_final(v->vmi) && condition_is_true(v->vmi, "Paused");
}

static bool is_running(const struct view *v)
{
    return phase_is(v->vmi, PHASE_RUNNING);
}

static bool lacks_pvc(const struct view *v)
{
    return v->vmi && has_condition(v->vmi, "Synchronized", "False", "FailedPvcNotFound");
}

static bool is_unschedulable(const struct view *v)
{
    return v->vmi && has_condition(v->vmi, "PodScheduled", "False", "Unschedulable");
}

static bool cannot_pull(const struct view *v)
{
    return v->vmi && has_condition(v->vmi, "Synchronized", "False", "ErrImagePull");
}

static bool waits_to_pull(const struct view *v)
{
    return v->vmi && has_condition(v->vmi, "Synchronized", "False", "ImagePullBackOff");
}

static bool is_starting(const struct view *v)
{
    return v->vmi && (phase_is(v->vmi, "") || phase_is(v->vmi, PHASE_PENDING) ||
                      phase_is(v->vmi, PHASE_SCHEDULING) || phase_is(v->vmi, PHASE_SCHEDULED));
}

static bool is_crash_looping(const struct view *v)
{
    enum run_strategy s = vm_strategy(v->vm);
    return jpath_int(v->vm, "status.startFailure.consecutiveFailCount", 0) > 0 &&
           (!v->vmi || vmi_is_final(v->vmi)) &&
           (s == STRATEGY_ALWAYS || s == STRATEGY_RERUN_ON_FAILURE || s == STRATEGY_ONCE);
}

static bool is_stopped(const struct view *v)
{
    return !v->vmi || vmi_is_final(v->vmi);
}

static bool waits_for_receiver(const struct view *v)
{
    return phase_is(v->vmi, "WaitingForSync");
}

static const struct {
    const char *status;
    bool (*is)(const struct view *v);
} printable[] = {
    { "Terminating", is_terminating },
    { "Stopping", is_stopping },
    { "Migrating", is_migrating },
    { "Paused", is_paused },
    { "Running", is_running },
    { "ErrorPvcNotFound", lacks_pvc },
    { "ErrorUnschedulable", is_unschedulable },
    { "ErrImagePull", cannot_pull },
    { "ImagePullBackOff", waits_to_pull },
    { "Starting", is_starting },
    { "CrashLoopBackOff", is_crash_looping },
    { "Stopped", is_stopped },
    { "WaitingForReceiver", waits_for_receiver },
};

const char *vm_printable_status(const json_t *vm, const json_t *vmi,
                                const struct vm_outcome *outcome)
{
    struct view v = { vm, vmi, outcome };
    for (size_t i = 0; i < countof(printable); i++)
        if (printable[i].is(&v))
            return printable[i].status;
    return "Unknown";
}

/* ---- conditions ---- */

/* Conditions of the machine itself: never copied from the instance, never dropped with it. */
static bool is_own(const char *type)
{
    static const char *const own[] = { "Ready", "Failure", "RestartRequired",
                                       "ManualRecoveryRequired" };
    for (size_t i = 0; i < countof(own); i++)
        if (streq(type, own[i]))
            return true;
    return false;
}

static void drop_vanished(json_t *vm, const json_t *vmi)
{
    json_t *conditions = jpath_arr(vm, "status.conditions");
    for (size_t i = json_array_size(conditions); i > 0; i--) {
        const char *type = jpath_str(json_array_get(conditions, i - 1), "type", "");
        if (!is_own(type) && (!vmi || !condition_find(vmi, type)))
            json_array_remove(conditions, i - 1);
    }
}

static void copy_from_vmi(json_t *vm, const json_t *vmi)
{
    size_t i;
    json_t *condition;
    json_array_foreach(jpath_arr(vmi, "status.conditions"), i, condition) {
        if (!is_own(jpath_str(condition, "type", "Ready")))
            condition_copy(vm, condition);
    }
}

static void set_ready(json_t *vm, const json_t *vmi, const char *now)
{
    const json_t *ready = vmi ? condition_find(vmi, "Ready") : NULL;
    if (ready)
        condition_copy(vm, ready);
    else if (vmi)
        condition_set(vm, "Ready", "False", "VMIConditionMissing",
                      "the instance does not say whether it is ready", now);
    else
        condition_set(vm, "Ready", "False", "VMINotExists", "there is no instance", now);
}

static void set_own(json_t *vm, const struct vm_outcome *o, const char *now)
{
    if (o->fault_reason)
        condition_set(vm, "Failure", "True", o->fault_reason, o->fault_message, now);
    else
        condition_remove(vm, "Failure");

    if (o->wants_restart)
        condition_set(vm, "RestartRequired", "True", "RestartRequired",
                      "a change of the template takes effect with the next start", now);
    else if (o->clears_restart)
        condition_remove(vm, "RestartRequired");
}

/* ---- the rest ---- */

static void set_flag(json_t *status, const char *key, bool on)
{
    if (on)
        must_set(status, key, json_true());
    else
        json_object_del(status, key);
}

static void set_generations(json_t *status, const json_t *vm, const json_t *vmi)
{
    json_int_t generation = jpath_int(vm, "metadata.generation", 0);
    long long observed;
    const char *of_vmi = vmi ? meta_annotation(vmi, ANNOTATION_VM_GENERATION) : NULL;

    if (!of_vmi || str_to_int(of_vmi, 0, INT64_MAX, &observed) < 0)
        return;
    must_set(status, "observedGeneration", json_integer(observed));
    must_set(status, "desiredGeneration", json_integer(generation));
}

static void queue_start(json_t *status)
{
    json_t *requests = jpath_make_arr(status, "stateChangeRequests");
    if (!jarr_find(requests, "action", "Start"))
        must_append(requests, must_pack("{s:s}", "action", "Start"));
}

json_t *vm_next_status(const json_t *vm, const json_t *vmi, const struct vm_outcome *outcome,
                       int64_t now_ms, double jitter)
{
    char now[RFC3339_MAX];
    (void)rfc3339(now_ms, now);
    json_auto_t *next = must_pack("{s:O, s:O}", "metadata", json_object_get(vm, "metadata"), "spec",
                                  json_object_get(vm, "spec"));
    const json_t *old = jpath_obj(vm, "status");
    must_set(next, "status", old ? must_copy(old) : json_object());
    json_t *status = json_object_get(next, "status");

    vm_count_start_failure(status, vm, vmi, now_ms, jitter);
    vm_drop_done_requests(status, vmi);
    if (outcome->queues_start)
        queue_start(status);

    set_flag(status, "created", vmi != NULL);
    set_flag(status, "ready", vmi && condition_is_true(vmi, "Ready"));
    set_generations(status, vm, vmi);
    if (!outcome->holds_strategy)
        must_set(status, "runStrategy", json_string(run_strategy_name(vm_strategy(vm))));

    set_ready(next, vmi, now);
    drop_vanished(next, vmi);
    if (vmi)
        copy_from_vmi(next, vmi);
    set_own(next, outcome, now);
    must_set(status, "printableStatus", json_string(vm_printable_status(next, vmi, outcome)));
    return json_incref(status);
}
