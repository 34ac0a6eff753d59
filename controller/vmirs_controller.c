/* SPDX-License-Identifier: Apache-2.0 */
/* The replica set controller: claim, decide, create or delete in parallel, status; see
 * vmirs_controller.h. */
#include "controller/vmirs_controller.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/jpath.h"
#include "base/must.h"
#include "base/pool.h"
#include "base/scope.h"
#include "base/selector.h"
#include "base/str.h"
#include "controller/changes.h"
#include "controller/expectations.h"
#include "controller/names.h"
#include "controller/vmirs_decide.h"
#include "kube/workqueue.h"

enum { UNMET_RETRY_MS = 5000, PARALLEL_CALLS = 16, SUFFIX_LEN = 5 };

struct vmirs_controller {
    const struct context *ctx;
    struct event_recorder *events;
    struct workqueue *queue;
    struct workers *workers;
    struct expectations *expected;
    struct pool *calls;
};

struct vmirs_controller *vmirs_controller_new(const struct context *ctx,
                                              struct event_recorder *events)
{
    struct vmirs_controller *c = must_calloc(1, sizeof(*c));
    c->ctx = ctx;
    c->events = events;
    c->queue = workqueue_new("virt-controller-replicaset");
    c->expected = expectations_new(ctx->clock);
    c->calls = pool_new("replicas", PARALLEL_CALLS, 16 * BURST_REPLICAS);
    return c;
}

void vmirs_controller_free(struct vmirs_controller *c)
{
    if (!c)
        return;
    pool_free(c->calls);
    workqueue_free(c->queue);
    expectations_free(c->expected);
    free(c);
}

/* ---- events ---- */

void vmirs_controller_on_vmirs(struct vmirs_controller *c, const json_t *old, const json_t *obj)
{
    scoped(free) char *key = meta_key(obj ? obj : old);
    workqueue_add(c->queue, key);
}

/* Nobody's instance may be the one that a set is looking for. */
static void offer_orphan(struct vmirs_controller *c, const json_t *vmi)
{
    json_auto_t *sets = informer_by_index(c->ctx->replica_sets, "namespace", meta_namespace(vmi));
    size_t i;
    json_t *rs;
    json_array_foreach(sets, i, rs) {
        if (vmirs_claims(rs, vmi) == CLAIM_ADOPT)
            vmirs_controller_on_vmirs(c, NULL, rs);
    }
}

void vmirs_controller_on_vmi(struct vmirs_controller *c, const json_t *old, const json_t *obj)
{
    const json_t *vmi = obj ? obj : old;
    const json_t *owner = meta_controller(vmi);
    if (!owner && obj)
        offer_orphan(c, vmi);
    if (!streq(jpath_str(owner, "kind", ""), "VirtualMachineInstanceReplicaSet"))
        return;
    scoped(free) char *key =
        must_asprintf("%s/%s", meta_namespace(vmi), jpath_str(owner, "name", ""));
    saw_child(c->expected, key, old, obj);
    workqueue_add(c->queue, key);
}

/* ---- many calls at once ---- */

struct batch {
    struct vmirs_controller *c;
    const char *key;
    const json_t *rs;
    pthread_mutex_t lock;
    pthread_cond_t done;
    size_t left;        /* guarded by lock */
    size_t faults;      /* guarded by lock */
    struct error fault; /* guarded by lock: the first one */
};

struct job {
    struct batch *batch;
    json_t *vmi; /* owned */
};

typedef int job_fn(struct batch *b, json_t *vmi, struct error *e);

static int create_one(struct batch *b, json_t *vmi, struct error *e)
{
    struct vmirs_controller *c = b->c;
    int n = kube_create(c->ctx->kube, &KIND_VMI, vmi, NULL, e);
    if (n < 0) {
        saw_birth(c->expected, b->key, meta_name(vmi));
        event_record(c->events, &KIND_VMIRS, b->rs, EVENT_WARNING, REASON_CREATE_FAILED,
                     "instance was not created: %s", e->msg);
        return n;
    }
    event_record(c->events, &KIND_VMIRS, b->rs, EVENT_NORMAL, REASON_CREATED, "created instance %s",
                 meta_name(vmi));
    return 0;
}

static int delete_one(struct batch *b, json_t *vmi, struct error *e)
{
    struct vmirs_controller *c = b->c;
    int n = delete_exactly(c->ctx->kube, &KIND_VMI, vmi, -1, e);
    if (n < 0) {
        saw_death(c->expected, b->key, meta_uid(vmi));
        event_record(c->events, &KIND_VMIRS, b->rs, EVENT_WARNING, REASON_DELETE_FAILED,
                     "instance %s was not deleted: %s", meta_name(vmi), e->msg);
        return n;
    }
    check_death(c->expected, b->key, c->ctx->vmis, vmi);
    event_record(c->events, &KIND_VMIRS, b->rs, EVENT_NORMAL, REASON_DELETED, "deleted instance %s",
                 meta_name(vmi));
    return 0;
}

static void run_job(struct job *job, job_fn *fn)
{
    struct batch *b = job->batch;
    struct error e = { 0 };
    int n = fn(b, job->vmi, &e);
    json_decref(job->vmi);
    free(job);

    pthread_mutex_lock(&b->lock);
    if (n < 0 && b->faults++ == 0)
        b->fault = e;
    if (--b->left == 0)
        pthread_cond_signal(&b->done);
    pthread_mutex_unlock(&b->lock);
}

static void run_create(void *arg)
{
    run_job(arg, create_one);
}

static void run_delete(void *arg)
{
    run_job(arg, delete_one);
}

/* All of `vmis`, several at a time; returns when all are done. */
static int run_batch(struct vmirs_controller *c, const char *key, const json_t *rs,
                     const json_t *vmis, pool_fn *fn, struct error *e)
{
    struct batch b = {
        .c = c,
        .key = key,
        .rs = rs,
        .lock = PTHREAD_MUTEX_INITIALIZER,
        .done = PTHREAD_COND_INITIALIZER,
        .left = json_array_size(vmis),
    };
    size_t i;
    json_t *vmi;
    json_array_foreach(vmis, i, vmi) {
        struct job *job = must_malloc(sizeof(*job));
        *job = (struct job){ &b, json_incref(vmi) };
        if (!pool_run(c->calls, fn, job))
            fn(job); /* the pool is full: this worker does its own work */
    }
    pthread_mutex_lock(&b.lock);
    while (b.left > 0)
        pthread_cond_wait(&b.done, &b.lock);
    pthread_mutex_unlock(&b.lock);
    if (b.faults > 0)
        *e = b.fault;
    return b.faults > 0 ? -(int)b.fault.code : 0;
}

static int create_many(struct vmirs_controller *c, const char *key, const json_t *rs, size_t n,
                       struct error *e)
{
    json_auto_t *vmis = json_array();
    for (size_t i = 0; i < n; i++) {
        char suffix[SUFFIX_LEN + 1];
        random_suffix(suffix, SUFFIX_LEN);
        json_t *vmi = vmi_from_vmirs(rs, suffix);
        expect_birth(c->expected, key, meta_name(vmi));
        must_append(vmis, vmi);
    }
    return run_batch(c, key, rs, vmis, run_create, e);
}

static int delete_many(struct vmirs_controller *c, const char *key, const json_t *rs,
                       const json_t *vmis, struct error *e)
{
    size_t i;
    json_t *vmi;
    json_array_foreach(vmis, i, vmi) {
        expect_death(c->expected, key, meta_uid(vmi));
    }
    return run_batch(c, key, rs, vmis, run_delete, e);
}

/* ---- claims ---- */

static int adopt(struct vmirs_controller *c, const json_t *rs, const json_t *vmi, struct error *e)
{
    json_auto_t *next = must_copy(vmi);
    must_append(jpath_make_arr(next, "metadata.ownerReferences"),
                must_pack("{s:s, s:s, s:s, s:s, s:b, s:b}", "apiVersion", "kubevirt.io/v1", "kind",
                          "VirtualMachineInstanceReplicaSet", "name", meta_name(rs), "uid",
                          meta_uid(rs), "controller", 1, "blockOwnerDeletion", 1));
    return changes_write(c->ctx->kube, &KIND_VMI, NULL, vmi, next, NULL, e);
}

static int release(struct vmirs_controller *c, const json_t *rs, const json_t *vmi, struct error *e)
{
    json_auto_t *next = must_copy(vmi);
    json_t *owners = jpath_arr(next, "metadata.ownerReferences");
    for (size_t i = json_array_size(owners); i > 0; i--)
        if (streq(jpath_str(json_array_get(owners, i - 1), "uid", ""), meta_uid(rs)))
            json_array_remove(owners, i - 1);
    return changes_write(c->ctx->kube, &KIND_VMI, NULL, vmi, next, NULL, e);
}

static int settle_claim(struct vmirs_controller *c, const json_t *rs, const json_t *vmi,
                        struct error *e)
{
    switch (vmirs_claims(rs, vmi)) {
    case CLAIM_KEEP:
        return 0;
    case CLAIM_ADOPT:
        return adopt(c, rs, vmi, e);
    case CLAIM_RELEASE:
        return release(c, rs, vmi, e);
    }
    return 0;
}

/* 1 when something was claimed or released: the events bring the next round. */
static int settle_claims(struct vmirs_controller *c, const json_t *rs, const json_t *own,
                         struct error *e)
{
    json_auto_t *orphans = informer_by_index(c->ctx->vmis, INDEX_ORPHAN, meta_namespace(rs));
    const json_t *lists[] = { own, orphans };
    int settled = 0;

    for (size_t l = 0; l < countof(lists); l++) {
        size_t i;
        json_t *vmi;
        json_array_foreach(lists[l], i, vmi) {
            int n = settle_claim(c, rs, vmi, e);
            if (n < 0)
                return error_wrap(e, "claim of %s", meta_name(vmi));
            settled |= n;
        }
    }
    return settled;
}

/* ---- one round ---- */

static void announce_pause(struct vmirs_controller *c, const json_t *rs, bool is_paused)
{
    bool was_paused = condition_is_true(rs, "ReplicaPaused");
    if (is_paused && !was_paused)
        event_record(c->events, &KIND_VMIRS, rs, EVENT_NORMAL, "SuccessfulPaused", "paused");
    else if (!is_paused && was_paused)
        event_record(c->events, &KIND_VMIRS, rs, EVENT_NORMAL, "SuccessfulResumed", "resumed");
}

static int scale(struct vmirs_controller *c, const char *key, const json_t *rs,
                 const struct vmirs_plan *plan, struct vmirs_outcome *outcome, struct error *e)
{
    int n = 0;
    if (plan->create > 0) {
        outcome->fault_reason = REASON_CREATE_FAILED;
        n = create_many(c, key, rs, plan->create, e);
    } else if (json_array_size(plan->delete) > 0) {
        outcome->fault_reason = REASON_DELETE_FAILED;
        n = delete_many(c, key, rs, plan->delete, e);
    }
    if (n == 0 && json_array_size(plan->clear) > 0) {
        outcome->fault_reason = REASON_DELETE_FAILED;
        n = delete_many(c, key, rs, plan->clear, e);
    }
    if (n == 0)
        outcome->fault_reason = NULL;
    outcome->fault_message = e->msg;
    return n;
}

static int write_status(struct vmirs_controller *c, const char *key, const json_t *rs,
                        const struct vmirs_plan *plan, const struct vmirs_outcome *outcome,
                        struct error *e)
{
    json_auto_t *status = vmirs_next_status(rs, plan, outcome, clock_wall_ms(c->ctx->clock));
    json_auto_t *next = json_copy((json_t *)rs);
    json_object_set(next, "status", status);

    json_auto_t *answer = NULL;
    int n = changes_write(c->ctx->kube, &KIND_VMIRS, "status", rs, next, &answer, e);
    expect_version(c->expected, key, answer);
    return n < 0 ? error_wrap(e, "status") : 0;
}

static int write_observed(struct vmirs_controller *c, const json_t *rs, json_t **ret,
                          struct error *e)
{
    json_auto_t *next = must_copy(rs);
    json_t *annotations = jpath_make_obj(next, "metadata.annotations");
    must_set(annotations, ANNOTATION_LATEST_API, json_string("v1"));
    must_set(annotations, ANNOTATION_STORAGE_API, json_string("v1"));
    return changes_write(c->ctx->kube, &KIND_VMIRS, NULL, rs, next, ret, e);
}

static int run_round(struct vmirs_controller *c, const char *key, const json_t *rs, struct error *e)
{
    json_auto_t *vmis = informer_by_index(c->ctx->vmis, INDEX_CONTROLLER, meta_uid(rs));
    int n = settle_claims(c, rs, vmis, e);
    if (n != 0)
        return n < 0 ? n : 0;

    struct vmirs_plan plan = vmirs_decide(rs, vmis);
    struct vmirs_outcome outcome = { 0 };
    struct error fault = { 0 };

    announce_pause(c, rs, plan.is_paused);
    int scaled = scale(c, key, rs, &plan, &outcome, &fault);
    n = write_status(c, key, rs, &plan, &outcome, e);
    vmirs_plan_done(&plan);
    if (n < 0)
        return n;
    if (scaled < 0)
        *e = fault;
    return scaled;
}

static int reconcile(void *ctx, const char *key, int64_t *again_ms, struct error *e)
{
    struct vmirs_controller *c = ctx;
    json_auto_t *rs = informer_get(c->ctx->replica_sets, key);
    if (!rs) {
        expectations_forget(c->expected, key);
        return 0; /* gone; its instances go with it by owner reference */
    }
    if (!expectations_are_met(c->expected, key, rs)) {
        *again_ms = UNMET_RETRY_MS;
        return 0;
    }
    json_t *answer = NULL;
    int n = meta_is_deleting(rs) ? 0 : write_observed(c, rs, &answer, e);
    if (answer) {
        expect_version(c->expected, key, answer);
        json_decref(rs);
        rs = answer;
    }
    if (n >= 0)
        n = run_round(c, key, rs, e);
    return n < 0 ? error_wrap(e, "vmirs %s", key) : 0;
}

void vmirs_controller_start(struct vmirs_controller *c, size_t workers)
{
    c->workers = workers_start(c->queue, workers, reconcile, c);
}

void vmirs_controller_stop(struct vmirs_controller *c)
{
    if (c->workers)
        workers_stop(c->workers);
    c->workers = NULL;
}
