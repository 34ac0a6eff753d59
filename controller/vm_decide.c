/* SPDX-License-Identifier: Apache-2.0 */
/* Run strategies as a table of small functions; see vm_decide.h. */
#include "controller/vm_decide.h"

#include "base/clock.h"
#include "base/jpath.h"
#include "base/must.h"
#include "base/scope.h"
#include "base/str.h"
#include "controller/names.h"
#include "openapi/machine.h"

/* Start-failure back-off: seconds x count^2, plus up to half of it at random. */
enum { BACKOFF_STEP_S = 10, BACKOFF_MAX_S = 300 };

static const char *const strategy_names[] = {
    [STRATEGY_HALTED] = "Halted",
    [STRATEGY_ALWAYS] = "Always",
    [STRATEGY_RERUN_ON_FAILURE] = "RerunOnFailure",
    [STRATEGY_MANUAL] = "Manual",
    [STRATEGY_ONCE] = "Once",
    [STRATEGY_WAIT_AS_RECEIVER] = "WaitAsReceiver",
};

const char *run_strategy_name(enum run_strategy s)
{
    return strategy_names[s];
}

enum run_strategy vm_strategy(const json_t *vm)
{
    const char *name = jpath_str(vm, "spec.runStrategy", NULL);
    if (!name)
        return jpath_bool(vm, "spec.running", false) ? STRATEGY_ALWAYS : STRATEGY_HALTED;
    for (size_t i = 0; i < countof(strategy_names); i++)
        if (streq(name, strategy_names[i]))
            return (enum run_strategy)i;
    return STRATEGY_MANUAL; /* admission lets none through; neither start nor stop for a typo */
}

/* ---- requests ---- */

const json_t *vm_first_request(const json_t *vm)
{
    return jpath_obj(vm, "status.stateChangeRequests[0]");
}

static bool is_request(const json_t *request, const char *action)
{
    return streq(jpath_str(request, "action", ""), action);
}

static bool has_stop_for(const json_t *vm, const json_t *vmi)
{
    const json_t *request = vm_first_request(vm);
    return is_request(request, "Stop") && streq(jpath_str(request, "uid", ""), meta_uid(vmi));
}

static bool has_start(const json_t *vm)
{
    return is_request(vm_first_request(vm), "Start");
}

/* A Stop is done when the instance it names is gone, a Start when there is one that lives. */
static bool is_done(const json_t *request, const json_t *vmi)
{
    if (is_request(request, "Stop")) {
        const char *uid = jpath_str(request, "uid", "");
        return !vmi || !uid[0] || !streq(uid, meta_uid(vmi));
    }
    return is_request(request, "Start") && vmi && !meta_is_deleting(vmi) && !vmi_is_final(vmi);
}

void vm_drop_done_requests(json_t *status, const json_t *vmi)
{
    json_t *requests = jpath_arr(status, "stateChangeRequests");
    if (!requests)
        return;
    if (is_done(json_array_get(requests, 0), vmi))
        json_array_remove(requests, 0);
    if (json_array_size(requests) == 0)
        json_object_del(status, "stateChangeRequests");
}

/* ---- back-off ---- */

int64_t vm_backoff_left_ms(const json_t *vm, int64_t now_ms)
{
    const char *text = jpath_str(vm, "status.startFailure.retryAfterTimestamp", NULL);
    int64_t at_ms;
    if (!text || rfc3339_parse(text, &at_ms) < 0 || at_ms <= now_ms)
        return 0;
    int64_t left = at_ms - now_ms;
    int64_t most =
        (int64_t)BACKOFF_MAX_S * 1000; /* a clock that jumped must not park the machine */
    return left < most ? left : most;
}

static bool has_reached_running(const json_t *vmi)
{
    return phase_is(vmi, PHASE_RUNNING) ||
           jarr_find(jpath_arr(vmi, "status.phaseTransitionTimestamps"), "phase", PHASE_RUNNING);
}

static bool counts_failures(enum run_strategy s)
{
    return s == STRATEGY_ALWAYS || s == STRATEGY_RERUN_ON_FAILURE || s == STRATEGY_ONCE;
}

static int64_t backoff_ms(json_int_t count, double jitter)
{
    double s = (double)BACKOFF_STEP_S * (double)count * (double)count;
    s += s / 2 * jitter;
    return (int64_t)((s < BACKOFF_MAX_S ? s : BACKOFF_MAX_S) * 1000);
}

void vm_count_start_failure(json_t *status, const json_t *vm, const json_t *vmi, int64_t now_ms,
                            double jitter)
{
    if (!counts_failures(vm_strategy(vm)) || (vmi && has_reached_running(vmi))) {
        json_object_del(status, "startFailure");
        return;
    }
    if (!vmi || !vmi_is_final(vmi) ||
        streq(jpath_str(status, "startFailure.lastFailedVMIUID", ""), meta_uid(vmi)))
        return;

    json_int_t count = jpath_int(status, "startFailure.consecutiveFailCount", 0) + 1;
    char at[RFC3339_MAX];
    must_set(status, "startFailure",
             must_pack("{s:I, s:s, s:s}", "consecutiveFailCount", count, "lastFailedVMIUID",
                       meta_uid(vmi), "retryAfterTimestamp",
                       rfc3339(now_ms + backoff_ms(count, jitter), at)));
}

/* ---- one function a strategy ---- */

static const struct vm_decision keep = { .action = VM_KEEP };
static const struct vm_decision stop = { .action = VM_STOP };

static struct vm_decision start(const json_t *vm)
{
    const json_t *request = vm_first_request(vm);
    return (struct vm_decision){
        .action = VM_START,
        .starts_paused =
            is_request(request, "Start") && streq(jpath_str(request, "data.paused", ""), "true"),
    };
}

static struct vm_decision start_after_backoff(const json_t *vm, int64_t now_ms)
{
    int64_t left = vm_backoff_left_ms(vm, now_ms);
    if (left > 0)
        return (struct vm_decision){ .action = VM_WAIT, .wait_ms = left };
    return start(vm);
}

/* The strategy was set since the controller last recorded one. */
static bool is_new_strategy(const json_t *vm, enum run_strategy s)
{
    return !streq(jpath_str(vm, "status.runStrategy", ""), strategy_names[s]);
}

static struct vm_decision decide_always(const json_t *vm, const json_t *vmi, int64_t now_ms)
{
    if (vmi)
        return vmi_is_final(vmi) || has_stop_for(vm, vmi) ? stop : keep;
    return start_after_backoff(vm, now_ms);
}

static struct vm_decision decide_rerun(const json_t *vm, const json_t *vmi, int64_t now_ms)
{
    if (vmi) {
        struct vm_decision d = vmi_is_final(vmi) || has_stop_for(vm, vmi) ? stop : keep;
        d.wants_start_after = d.action == VM_STOP && phase_is(vmi, PHASE_FAILED);
        return d;
    }
    if (!has_start(vm) && !is_new_strategy(vm, STRATEGY_RERUN_ON_FAILURE))
        return keep;
    return start_after_backoff(vm, now_ms);
}

static struct vm_decision decide_manual(const json_t *vm, const json_t *vmi, int64_t now_ms)
{
    if (vmi)
        return has_stop_for(vm, vmi) ? stop : keep;
    return has_start(vm) ? start(vm) : keep;
}

static struct vm_decision decide_halted(const json_t *vm, const json_t *vmi, int64_t now_ms)
{
    if (vmi)
        return stop;
    return has_start(vm) ? (struct vm_decision){ .action = VM_SET_ALWAYS } : keep;
}

static struct vm_decision decide_once(const json_t *vm, const json_t *vmi, int64_t now_ms)
{
    if (vmi || !is_new_strategy(vm, STRATEGY_ONCE))
        return keep;
    return start_after_backoff(vm, now_ms);
}

static struct vm_decision decide_receiver(const json_t *vm, const json_t *vmi, int64_t now_ms)
{
    return vmi ? keep : start(vm);
}

typedef struct vm_decision strategy_fn(const json_t *vm, const json_t *vmi, int64_t now_ms);

static strategy_fn *const strategies[] = {
    [STRATEGY_HALTED] = decide_halted,
    [STRATEGY_ALWAYS] = decide_always,
    [STRATEGY_RERUN_ON_FAILURE] = decide_rerun,
    [STRATEGY_MANUAL] = decide_manual,
    [STRATEGY_ONCE] = decide_once,
    [STRATEGY_WAIT_AS_RECEIVER] = decide_receiver,
};

/* A machine that goes takes its instance with it, unless its dependents are to be orphaned. */
static struct vm_decision decide_deleting(const json_t *vm, const json_t *vmi)
{
    if (!vmi || meta_has_finalizer(vm, "orphan"))
        return (struct vm_decision){ .action = VM_RELEASE };
    return meta_is_deleting(vmi) ? (struct vm_decision){ .action = VM_WAIT } : stop;
}

struct vm_decision vm_decide(const json_t *vm, const json_t *vmi, int64_t now_ms)
{
    if (meta_is_deleting(vm))
        return decide_deleting(vm, vmi);
    if (vmi && meta_is_deleting(vmi))
        return (struct vm_decision){ .action = VM_WAIT };

    struct vm_decision d = strategies[vm_strategy(vm)](vm, vmi, now_ms);
    if (d.action == VM_START && condition_is_true(vm, "ManualRecoveryRequired"))
        return keep;
    return d;
}
