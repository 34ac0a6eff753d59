/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The power plans.  Each change of a machine is a JSON patch that begins with a
 * test of what was read, so that two callers never both win.
 */
#include "subresources/power.h"

#include "base/jpatch.h"
#include "base/jpath.h"
#include "base/must.h"
#include "base/scope.h"
#include "base/str.h"
#include "openapi/machine.h"
#include "subresources/call.h"

void power_plan_done(struct power_plan *p)
{
    json_decref(p->vmi_patch);
    json_decref(p->vmi_undo);
    json_decref(p->vm_patch);
    *p = (struct power_plan){ 0 };
}

const char *vm_run_strategy(const json_t *vm, struct error *e)
{
    const char *strategy = jpath_str(vm, "spec.runStrategy", NULL);

    if (strategy && jpath_has(vm, "spec.running")) {
        error_set(e, ERR_INTERNAL,
                  "spec.running and spec.runStrategy are both set: keep one of them");
        return NULL;
    }
    if (strategy)
        return strategy;
    return jpath_bool(vm, "spec.running", false) ? "Always" : "Halted";
}

static json_t *request_start(bool is_paused)
{
    json_t *request = must_pack("{s:s}", "action", "Start");

    if (is_paused)
        must_set(request, "data", must_pack("{s:s}", "paused", "true"));
    return request;
}

static json_t *request_stop(const json_t *vmi)
{
    return must_pack("{s:s, s:s}", "action", "Stop", "uid", meta_uid(vmi));
}

/* A list of one or two requests; steals both, b may be NULL. */
static json_t *requests(json_t *a, json_t *b)
{
    json_t *list = json_array();

    must_append(list, a);
    if (b)
        must_append(list, b);
    return list;
}

/* Ask the controller by status.stateChangeRequests; steals `wanted`. */
static int plan_requests(const json_t *vm, json_t *wanted, struct power_plan *ret, struct error *e)
{
    json_auto_t *list = wanted;
    const json_t *status = jpath_obj(vm, "status");
    json_t *current = jpath_arr(status, "stateChangeRequests");
    json_auto_t *patch = json_array();

    if (!status || json_object_size(status) == 0) {
        json_t *fresh = json_object();

        must_set(fresh, "stateChangeRequests", json_incref(list));
        jpatch_add(patch, "/status", fresh);
    } else {
        const char *path = "/status/stateChangeRequests";
        bool is_stop_alone =
            json_array_size(list) == 1 && streq(jpath_str(list, "[0].action", ""), "Stop");

        if (json_array_size(current) > 0 && !is_stop_alone)
            return error_set(e, ERR_CONFLICT,
                             "a start or stop is already underway: try again "
                             "when it has finished");
        jpatch_test(patch, path, current ? must_copy(current) : json_null());
        if (json_array_size(current) > 0)
            jpatch_replace(patch, path, json_incref(list));
        else
            jpatch_add(patch, path, json_incref(list));
    }
    if (jpath_has(status, "startFailure"))
        jpatch_remove(patch, "/status/startFailure");

    ret->vm_patch = TAKE(patch);
    ret->vm_sub = "status";
    return 0;
}

/* Change the run strategy itself, in whichever of the two fields the user keeps it. */
static int plan_strategy(const json_t *vm, bool is_start, struct power_plan *ret)
{
    json_t *patch = json_array();
    const char *strategy = jpath_str(vm, "spec.runStrategy", NULL);

    if (strategy) {
        jpatch_test(patch, "/spec/runStrategy", json_string(strategy));
        jpatch_replace(patch, "/spec/runStrategy", json_string(is_start ? "Always" : "Halted"));
    } else if (jpath_has(vm, "spec.running")) {
        jpatch_test(patch, "/spec/running", json_boolean(jpath_bool(vm, "spec.running", false)));
        jpatch_replace(patch, "/spec/running", json_boolean(is_start));
    } else {
        jpatch_add(patch, "/spec/running", json_boolean(is_start));
    }
    ret->vm_patch = patch;
    ret->vm_sub = NULL;
    return 0;
}

/* Manual and RerunOnFailure are started by a request to the controller. */
static int start_by_request(const json_t *vm, const json_t *vmi, const char *strategy,
                            bool is_paused, struct power_plan *ret, struct error *e)
{
    const char *phase = jpath_str(vmi, "status.phase", "");
    bool is_rerun = streq(strategy, "RerunOnFailure");

    if (is_rerun && streq(phase, "Failed"))
        return error_set(e, ERR_CONFLICT,
                         "RerunOnFailure does not support starting VM from failed state");
    if (vmi && (is_rerun ? streq(phase, "Succeeded") : vmi_is_final(vmi)))
        return plan_requests(vm, requests(request_stop(vmi), request_start(is_paused)), ret, e);
    return plan_requests(vm, requests(request_start(is_paused), NULL), ret, e);
}

int power_start(const json_t *vm, const json_t *vmi, const json_t *options, struct power_plan *ret,
                struct error *e)
{
    const char *phase = jpath_str(vmi, "status.phase", "");
    bool is_paused = jpath_bool(options, "paused", false);

    *ret = (struct power_plan){ 0 };
    if (vmi && !vmi_is_final(vmi) && *phase && !streq(phase, "Unknown"))
        return error_set(e, ERR_CONFLICT, "VM is already running");
    if (condition_is_true(vm, "ManualRecoveryRequired"))
        return error_set(e, ERR_CONFLICT,
                         "a volume migration of this VM needs manual recovery: put the volumes "
                         "back or finish the migration before starting it");

    const char *strategy = vm_run_strategy(vm, e);
    if (!strategy)
        return -(int)e->code;

    if (streq(strategy, "Halted"))
        return is_paused ? plan_requests(vm, requests(request_start(true), NULL), ret, e)
                         : plan_strategy(vm, true, ret);

    if (streq(strategy, "Manual") || streq(strategy, "RerunOnFailure"))
        return start_by_request(vm, vmi, strategy, is_paused, ret, e);
    if (streq(strategy, "Always") || streq(strategy, "Once"))
        return error_set(e, ERR_CONFLICT, "%s does not support manual start requests", strategy);
    return 0;
}

/* Patch the instance's grace period; NULL means it was not set. */
static json_t *grace_patch(const json_t *was, json_int_t seconds)
{
    const char *path = "/spec/terminationGracePeriodSeconds";
    json_t *patch = json_array();

    jpatch_test(patch, path, was ? must_copy(was) : json_null());
    if (was)
        jpatch_replace(patch, path, json_integer(seconds));
    else
        jpatch_add(patch, path, json_integer(seconds));
    return patch;
}

/* Undo of grace_patch. */
static json_t *grace_undo(const json_t *was, json_int_t seconds)
{
    const char *path = "/spec/terminationGracePeriodSeconds";
    json_t *patch = json_array();

    jpatch_test(patch, path, json_integer(seconds));
    if (was)
        jpatch_replace(patch, path, must_copy(was));
    else
        jpatch_remove(patch, path);
    return patch;
}

static bool is_alive(const json_t *vmi)
{
    return vmi && !vmi_is_final(vmi);
}

/* Halted machines can only be hurried along while they shut down. */
static int stop_halted(const json_t *vm, const json_t *vmi, const json_t *grace,
                       struct power_plan *ret, struct error *e)
{
    const json_t *old = jpath(vmi, "spec.terminationGracePeriodSeconds");

    if (!is_alive(vmi))
        return error_set(e, ERR_CONFLICT, "VM is not running");
    if (!json_is_integer(grace) ||
        (json_is_integer(old) && json_integer_value(grace) >= json_integer_value(old)))
        return error_set(e, ERR_CONFLICT,
                         "Halted only supports manual stop requests with a shorter graceperiod");
    return plan_requests(vm, requests(request_stop(vmi), NULL), ret, e);
}

int power_stop(const json_t *vm, const json_t *vmi, const json_t *options, struct power_plan *ret,
               struct error *e)
{
    const json_t *grace = jpath(options, "gracePeriod");
    const json_t *old = jpath(vmi, "spec.terminationGracePeriodSeconds");

    *ret = (struct power_plan){ 0 };
    if (json_is_integer(grace) && json_integer_value(grace) < 0)
        return error_set(e, ERR_BAD_REQUEST, "gracePeriod: must not be negative");

    const char *strategy = vm_run_strategy(vm, e);
    if (!strategy)
        return -(int)e->code;

    int r = 0;

    if (streq(strategy, "Halted"))
        r = stop_halted(vm, vmi, grace, ret, e);
    else if (streq(strategy, "Manual") || streq(strategy, "RerunOnFailure"))
        r = is_alive(vmi) ? plan_requests(vm, requests(request_stop(vmi), NULL), ret, e)
                          : error_set(e, ERR_CONFLICT, "VM is not running");
    else if (streq(strategy, "Always") || streq(strategy, "Once"))
        r = plan_strategy(vm, false, ret);
    if (r < 0)
        return r;

    if (json_is_integer(grace) && is_alive(vmi)) {
        ret->vmi_patch = grace_patch(json_is_integer(old) ? old : NULL, json_integer_value(grace));
        ret->vmi_undo = grace_undo(json_is_integer(old) ? old : NULL, json_integer_value(grace));
    }
    return 0;
}

int power_restart(const json_t *vm, const json_t *vmi, const json_t *options,
                  struct power_plan *ret, struct error *e)
{
    const json_t *grace = jpath(options, "gracePeriodSeconds");

    *ret = (struct power_plan){ 0 };
    if (json_is_integer(grace) && json_integer_value(grace) != 0)
        return error_set(e, ERR_BAD_REQUEST,
                         "gracePeriodSeconds: only 0 (restart without waiting for the guest) is "
                         "supported");
    if (condition_is_true(vm, "VolumesChange"))
        return error_set(e, ERR_CONFLICT,
                         "the volumes of this VM are being changed: let the volume migration "
                         "finish or cancel it before restarting");

    const char *strategy = vm_run_strategy(vm, e);
    if (!strategy)
        return -(int)e->code;
    if (streq(strategy, "Halted") || streq(strategy, "Once"))
        return error_set(e, ERR_CONFLICT, "RunStrategy %s does not support manual restart requests",
                         strategy);
    if (!vmi)
        return error_set(e, ERR_CONFLICT, "VM is not running: Halted");

    int r = plan_requests(vm, requests(request_stop(vmi), request_start(false)), ret, e);
    if (r < 0)
        return r;

    if (json_is_integer(grace) && is_alive(vmi)) {
        const json_t *old = jpath(vmi, "spec.terminationGracePeriodSeconds");

        /* One second is upstream's "at once" (spec 01, restart). */
        ret->vmi_patch = grace_patch(json_is_integer(old) ? old : NULL, 1);
        ret->vmi_undo = grace_undo(json_is_integer(old) ? old : NULL, 1);
    }
    return 0;
}
