/* SPDX-License-Identifier: Apache-2.0 */
/* The VirtualMachine controller: decide, do one thing, write the status; see vm_controller.h. */
#include "controller/vm_controller.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/jpath.h"
#include "base/log.h"
#include "base/must.h"
#include "base/scope.h"
#include "base/str.h"
#include "controller/changes.h"
#include "controller/expectations.h"
#include "controller/names.h"
#include "controller/vm_decide.h"
#include "controller/vm_start.h"
#include "controller/vm_status.h"
#include "controller/vm_types.h"
#include "kube/workqueue.h"
#include "openapi/machine.h"

enum {
    UNMET_RETRY_MS = 5000,
    /* A machine that runs becomes ready a moment later; both go into one write. */
    READY_GRACE_MS = 2000,
    READY_RETRY_MS = 250,
    LACKS_RETRY_MS = 30000, /* an informer tells of a type that appears, nobody of a revision */
};

struct vm_controller {
    const struct context *ctx;
    struct event_recorder *events;
    struct workqueue *queue;
    struct workers *workers;
    struct expectations *expected;
};

struct vm_controller *vm_controller_new(const struct context *ctx, struct event_recorder *events)
{
    struct vm_controller *c = must_calloc(1, sizeof(*c));
    c->ctx = ctx;
    c->events = events;
    c->queue = workqueue_new("virt-controller-vm");
    c->expected = expectations_new(ctx->clock);
    return c;
}

void vm_controller_free(struct vm_controller *c)
{
    if (!c)
        return;
    workqueue_free(c->queue);
    expectations_free(c->expected);
    free(c);
}

/* ---- events ---- */

void vm_controller_on_vm(struct vm_controller *c, const json_t *old, const json_t *obj)
{
    scoped(free) char *key = meta_key(obj ? obj : old);
    workqueue_add(c->queue, key);
}

void vm_controller_on_vmi(struct vm_controller *c, const json_t *old, const json_t *obj)
{
    const json_t *vmi = obj ? obj : old;
    const json_t *owner = meta_controller(vmi);
    if (!streq(jpath_str(owner, "kind", ""), "VirtualMachine"))
        return;
    scoped(free) char *key =
        must_asprintf("%s/%s", meta_namespace(vmi), jpath_str(owner, "name", ""));
    saw_child(c->expected, key, old, obj);
    workqueue_add(c->queue, key);
}

void vm_controller_on_type(struct vm_controller *c, const json_t *old, const json_t *obj)
{
    static const char *const indexes[] = { INDEX_INSTANCETYPE, INDEX_PREFERENCE };
    scoped(free) char *value = old ? NULL : type_index_value(obj);

    for (size_t i = 0; value && i < countof(indexes); i++) {
        json_auto_t *vms = informer_by_index(c->ctx->vms, indexes[i], value);
        size_t v;
        json_t *vm;

        json_array_foreach(vms, v, vm)
            vm_controller_on_vm(c, NULL, vm);
    }
}

/* ---- one round ---- */

struct round {
    struct vm_controller *c;
    const char *key;
    json_t *vm;  /* as the API server has it now; owned */
    json_t *vmi; /* the machine's own instance or NULL; owned */
    struct cluster_config *config;
    struct vm_outcome outcome;
    char fault[ERROR_MSG_MAX];
    struct error lacks; /* why the machine cannot have what it names; no code when it can */
    int64_t now_ms;
    int64_t again_ms;
};

static void round_done(struct round *r)
{
    json_decref(r->vm);
    json_decref(r->vmi);
    cluster_config_unref(r->config);
}

static void take_answer(struct round *r, json_t *answer /* taken, may be NULL */)
{
    if (!answer)
        return;
    expect_version(r->c->expected, r->key, answer);
    json_decref(r->vm);
    r->vm = answer;
}

static void set_fault(struct round *r, const char *reason, const struct error *e)
{
    must(snprintf(r->fault, sizeof(r->fault), "%s", e->msg) >= 0);
    r->outcome.fault_reason = reason;
    r->outcome.fault_message = r->fault;
}

/* Finalizer, observed versions and firmware UUID go on together, in one write, before anything is
 * made. */
static int prepare(struct round *r, struct error *e)
{
    json_auto_t *next = must_copy(r->vm);

    if (!meta_has_finalizer(next, FINALIZER_VM))
        must_append(jpath_make_arr(next, "metadata.finalizers"), json_string(FINALIZER_VM));
    json_t *annotations = jpath_make_obj(next, "metadata.annotations");
    must_set(annotations, ANNOTATION_LATEST_API, json_string("v1"));
    must_set(annotations, ANNOTATION_STORAGE_API, json_string("v1"));

    json_t *spec = jpath_obj(next, "spec.template.spec");
    if (spec && !jpath_str(spec, "domain.firmware.uuid", "")[0]) {
        char uuid[37];
        legacy_firmware_uuid(meta_name(next), uuid);
        jpath_set_str(jpath_make_obj(spec, "domain.firmware"), "uuid", uuid);
    }

    json_t *answer = NULL;
    int n = changes_write(r->c->ctx->kube, &KIND_VM, NULL, r->vm, next, &answer, e);
    take_answer(r, answer);
    return n < 0 ? n : 0;
}

static int save_revision(struct round *r, struct error *e)
{
    json_auto_t *revision = start_revision(r->vm);
    int n = kube_create(r->c->ctx->kube, &KIND_CONTROLLER_REVISION, revision, NULL, e);
    return n == -ERR_EXISTS ? 0 : n; /* same machine, same generation: the same content */
}

/* What is missing or does not go together is mended by the user, not by trying again. */
static bool is_for_user(const struct error *e)
{
    return e->code == ERR_NOT_FOUND || e->code == ERR_INVALID;
}

/* What the machine names is taken into its status, or its values into its spec, before anything is
 * made of it.  What is missing keeps it from being started, and from nothing else. */
static int take_types(struct round *r, struct error *e)
{
    struct kube *k = r->c->ctx->kube;
    const bool is_expanded = vm_types_are_expanded(r->vm, r->config);
    json_auto_t *next = NULL;
    json_t *answer = NULL;

    int n = is_expanded ? vm_types_expand(k, r->vm, r->config->default_network_interface, &next, e)
                        : vm_types_take(k, r->vm, &next, e);
    if (n == 0)
        n = changes_write(k, &KIND_VM, is_expanded ? NULL : "status", r->vm, next, &answer, e);
    take_answer(r, answer);
    if (n >= 0 || !is_for_user(e))
        return n < 0 ? n : 0;
    r->lacks = *e;
    set_fault(r, REASON_CREATE_FAILED, e);
    return 0;
}

/* The instance to be made; NULL when the machine cannot have what it names. */
static json_t *instance_of(struct round *r, const struct vm_decision *d)
{
    const char *binding = r->config->default_network_interface;
    json_auto_t *whole = NULL;

    if (r->lacks.code != ERR_NONE ||
        vm_types_apply(r->c->ctx->kube, r->vm, binding, &whole, &r->lacks) < 0)
        return NULL;
    return vmi_from_vm(whole, r->config, d->starts_paused, r->now_ms);
}

static int start(struct round *r, const struct vm_decision *d, struct error *e)
{
    struct vm_controller *c = r->c;
    json_auto_t *vmi = instance_of(r, d);
    json_t *made = NULL;

    if (!vmi)
        *e = r->lacks;
    int n = vmi ? save_revision(r, e) : -(int)e->code;
    if (n == 0) {
        expect_birth(c->expected, r->key, meta_name(vmi));
        n = kube_create(c->ctx->kube, &KIND_VMI, vmi, &made, e);
        if (n < 0)
            saw_birth(c->expected, r->key, meta_name(vmi));
    }
    if (n < 0) {
        event_record(c->events, &KIND_VM, r->vm, EVENT_WARNING, REASON_CREATE_FAILED,
                     "instance %s was not created: %s", meta_name(r->vm), e->msg);
        set_fault(r, REASON_CREATE_FAILED, e);
        r->outcome.holds_strategy = true;
        return !vmi && is_for_user(e) ? 0 : n;
    }
    event_record(c->events, &KIND_VM, r->vm, EVENT_NORMAL, REASON_CREATED,
                 "started by creating instance %s", meta_name(vmi));
    r->vmi = made;
    r->outcome.clears_restart = true;
    return 0;
}

static int stop(struct round *r, struct error *e)
{
    struct vm_controller *c = r->c;

    expect_death(c->expected, r->key, meta_uid(r->vmi));
    int n = delete_exactly(c->ctx->kube, &KIND_VMI, r->vmi, -1, e);
    if (n < 0) {
        saw_death(c->expected, r->key, meta_uid(r->vmi));
        event_record(c->events, &KIND_VM, r->vm, EVENT_WARNING, REASON_DELETE_FAILED,
                     "instance %s was not deleted: %s", meta_name(r->vmi), e->msg);
        set_fault(r, REASON_DELETE_FAILED, e);
        return n;
    }
    check_death(c->expected, r->key, c->ctx->vmis, r->vmi);
    event_record(c->events, &KIND_VM, r->vm, EVENT_NORMAL, REASON_DELETED,
                 "stopped by deleting instance %s", meta_name(r->vmi));
    r->outcome.is_stopping = true;
    r->outcome.clears_restart = true;
    return 0;
}

static int set_always(struct round *r, struct error *e)
{
    json_auto_t *next = must_copy(r->vm);
    if (jpath_has(next, "spec.runStrategy"))
        jpath_set_str(next, "spec.runStrategy", run_strategy_name(STRATEGY_ALWAYS));
    else
        jpath_set_bool(next, "spec.running", true);

    json_t *answer = NULL;
    int n = changes_write(r->c->ctx->kube, &KIND_VM, NULL, r->vm, next, &answer, e);
    take_answer(r, answer);
    return n < 0 ? n : 0;
}

static int act(struct round *r, const struct vm_decision *d, struct error *e)
{
    switch (d->action) {
    case VM_KEEP:
    case VM_RELEASE:
        return 0;
    case VM_WAIT:
        r->again_ms = d->wait_ms;
        r->outcome.holds_strategy = !r->vmi && d->wait_ms > 0;
        return 0;
    case VM_START:
        return start(r, d, e);
    case VM_STOP:
        return stop(r, e);
    case VM_SET_ALWAYS:
        return set_always(r, e);
    }
    return 0;
}

/* ---- is what runs what the template says ---- */

static bool is_judged(const struct round *r)
{
    const char *generation = meta_annotation(r->vmi, ANNOTATION_VM_GENERATION);
    long long of_vmi;
    return condition_is_true(r->vm, "RestartRequired") || !generation ||
           str_to_int(generation, 0, INT64_MAX, &of_vmi) < 0 ||
           of_vmi == jpath_int(r->vm, "metadata.generation", 0);
}

/* An unchanged template moves the instance's generation along, so that the revision is asked for
 * once. */
static int bump_generation(struct round *r, struct error *e)
{
    json_auto_t *next = must_copy(r->vmi);
    scoped(free) char *generation =
        must_asprintf("%lld", (long long)jpath_int(r->vm, "metadata.generation", 0));
    must_set(jpath_make_obj(next, "metadata.annotations"), ANNOTATION_VM_GENERATION,
             json_string(generation));

    json_t *answer = NULL;
    int n = changes_write(r->c->ctx->kube, &KIND_VMI, NULL, r->vmi, next, &answer, e);
    if (answer) {
        json_decref(r->vmi);
        r->vmi = answer;
    }
    return n < 0 ? n : 0;
}

static int compare_template(struct round *r, struct error *e)
{
    if (!r->vmi || meta_is_deleting(r->vmi) || meta_is_deleting(r->vm) || is_judged(r))
        return 0;
    const char *name = jpath_str(r->vmi, "status.virtualMachineRevisionName", "");
    if (!name[0])
        return 0;

    json_auto_t *revision = NULL;
    int n = kube_get(r->c->ctx->kube, &KIND_CONTROLLER_REVISION, meta_namespace(r->vm), name,
                     &revision, e);
    if (n == -ERR_NOT_FOUND)
        return 0; /* nothing to compare with */
    if (n < 0)
        return error_wrap(e, "start revision");
    if (template_is_unchanged(r->vm, revision))
        return bump_generation(r, e);
    r->outcome.wants_restart = restart_is_required(r->vm, revision, r->config);
    return 0;
}

/* ---- writing ---- */

static bool is_about_to_be_ready(const struct round *r)
{
    const json_t *vmi = r->vmi;
    if (!vmi || !streq(jpath_str(vmi, "status.phase", ""), PHASE_RUNNING) ||
        !streq(jpath_str(condition_find(vmi, "Ready"), "reason", ""), "GuestNotRunning"))
        return false;
    const json_t *entry =
        jarr_find(jpath_arr(vmi, "status.phaseTransitionTimestamps"), "phase", PHASE_RUNNING);
    int64_t at_ms;
    return rfc3339_parse(jpath_str(entry, "phaseTransitionTimestamp", ""), &at_ms) == 0 &&
           r->now_ms - at_ms < READY_GRACE_MS;
}

static double jitter(void)
{
    unsigned n;
    random_bytes(&n, sizeof(n));
    return (double)(n % 1000) / 1000;
}

static int write_status(struct round *r, struct error *e)
{
    if (is_about_to_be_ready(r)) {
        r->again_ms = READY_RETRY_MS;
        return 0;
    }
    json_auto_t *status = vm_next_status(r->vm, r->vmi, &r->outcome, r->now_ms, jitter());
    json_auto_t *next = json_copy(r->vm);
    json_object_set(next, "status", status);

    json_t *answer = NULL;
    int n = changes_write(r->c->ctx->kube, &KIND_VM, "status", r->vm, next, &answer, e);
    take_answer(r, answer);
    return n < 0 ? n : 0;
}

static int release_vm(struct round *r, struct error *e)
{
    json_auto_t *next = must_copy(r->vm);
    if (!finalizer_remove(next, FINALIZER_VM))
        return 0;
    json_t *answer = NULL;
    int n = changes_write(r->c->ctx->kube, &KIND_VM, NULL, r->vm, next, &answer, e);
    take_answer(r, answer);
    return n < 0 ? n : 0;
}

/* The revision of another generation is of no use once its instance is gone. */
static void drop_old_revision(struct round *r)
{
    const char *name = jpath_str(r->vmi, "status.virtualMachineRevisionName", "");
    scoped(free) char *current = start_revision_name(r->vm);
    struct error e;
    if (!str_has_prefix(name, "revision-start-vm-") || streq(name, current))
        return;
    int n = kube_delete(r->c->ctx->kube, &KIND_CONTROLLER_REVISION, meta_namespace(r->vm), name,
                        NULL, &e);
    if (n < 0 && n != -ERR_NOT_FOUND)
        log_warn("start revision stays until its machine goes", "ns", meta_namespace(r->vm), "name",
                 name, "error", e.msg);
}

/* Its end is recorded in the machine's status by now, so the instance may go. */
static int release_vmi(struct round *r, struct error *e)
{
    if (!r->vmi || !meta_is_deleting(r->vmi) || !vmi_is_final(r->vmi))
        return 0;
    json_auto_t *next = must_copy(r->vmi);
    if (!finalizer_remove(next, FINALIZER_VM))
        return 0;
    drop_old_revision(r);
    int n = changes_write(r->c->ctx->kube, &KIND_VMI, NULL, r->vmi, next, NULL, e);
    return n < 0 ? n : 0;
}

/* The Start must be on record before the instance is deleted: a crash between the two would lose
 * it. */
static bool must_queue_first(const struct round *r, const struct vm_decision *d)
{
    return d->wants_start_after &&
           !jarr_find(jpath_arr(r->vm, "status.stateChangeRequests"), "action", "Start");
}

static int run_round(struct round *r, struct error *e)
{
    int n = meta_is_deleting(r->vm) ? 0 : prepare(r, e);
    if (n < 0)
        return error_wrap(e, "prepare");
    n = meta_is_deleting(r->vm) ? 0 : take_types(r, e);
    if (n < 0)
        return error_wrap(e, "instance type and preference");

    struct vm_decision d = vm_decide(r->vm, r->vmi, r->now_ms);
    if (must_queue_first(r, &d)) {
        r->outcome.queues_start = true;
        n = write_status(r, e);
        if (n < 0)
            return n;
        r->outcome.queues_start = false;
    }

    struct error fault = { 0 };
    int acted = act(r, &d, &fault);
    if (acted == 0)
        acted = compare_template(r, &fault);

    if (d.action == VM_RELEASE)
        return release_vm(r, e); /* nobody reads the status of what is about to go */
    n = write_status(r, e);
    if (n < 0)
        return error_wrap(e, "status");
    n = release_vmi(r, e);
    if (n < 0)
        return error_wrap(e, "release instance");
    if (acted < 0)
        *e = fault;
    else if (r->lacks.code != ERR_NONE && (r->again_ms == 0 || r->again_ms > LACKS_RETRY_MS))
        r->again_ms = LACKS_RETRY_MS;
    return acted;
}

/* The instance of that name, if it is the machine's: an instance of somebody else's is not touched.
 */
static json_t *own_vmi(struct vm_controller *c, const char *key, const json_t *vm)
{
    json_auto_t *vmi = informer_get(c->ctx->vmis, key);
    if (!vmi || !streq(jpath_str(meta_controller(vmi), "uid", ""), meta_uid(vm)))
        return NULL;
    return json_incref(vmi);
}

static int reconcile(void *ctx, const char *key, int64_t *again_ms, struct error *e)
{
    struct vm_controller *c = ctx;
    json_t *vm = informer_get(c->ctx->vms, key);
    if (!vm) {
        expectations_forget(c->expected, key);
        return 0; /* gone; its instance goes with it by owner reference */
    }
    struct round r = {
        .c = c,
        .key = key,
        .vm = vm,
        .now_ms = clock_wall_ms(c->ctx->clock),
    };
    int n = 0;
    if (expectations_are_met(c->expected, key, vm)) {
        r.vmi = own_vmi(c, key, vm);
        r.config = cluster_config_store_get(c->ctx->config);
        n = run_round(&r, e);
        *again_ms = r.again_ms;
    } else {
        *again_ms = UNMET_RETRY_MS;
    }
    round_done(&r);
    return n < 0 ? error_wrap(e, "vm %s", key) : 0;
}

void vm_controller_start(struct vm_controller *c, size_t workers)
{
    c->workers = workers_start(c->queue, workers, reconcile, c);
}

void vm_controller_stop(struct vm_controller *c)
{
    if (c->workers)
        workers_stop(c->workers);
    c->workers = NULL;
}
