/* SPDX-License-Identifier: Apache-2.0 */
/* The instance controller: pods first, then the instance's own status; see vmi_controller.h. */
#include "controller/vmi_controller.h"

#include <inttypes.h>
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
#include "controller/preset_event.h"
#include "controller/render_pod.h"
#include "controller/vm_decide.h"
#include "controller/vmi_decide.h"
#include "controller/vmi_metrics.h"
#include "controller/vsock_addresses.h"
#include "kube/workqueue.h"

enum {
    UNMET_RETRY_MS = 5000,
    MISSING_PVC_RETRY_MS = 5000, /* claims are not watched */
    JITTER_S = 120,
};

struct vmi_controller {
    const struct context *ctx;
    struct event_recorder *events;
    struct workqueue *queue;
    struct workers *workers;
    struct expectations *expected;
    struct vsock_addresses *vsock;
};

struct vmi_controller *vmi_controller_new(const struct context *ctx, struct event_recorder *events)
{
    struct vmi_controller *c = must_calloc(1, sizeof(*c));
    c->ctx = ctx;
    c->events = events;
    c->queue = workqueue_new("virt-controller-vmi");
    c->expected = expectations_new(ctx->clock);
    c->vsock = vsock_addresses_new();
    return c;
}

void vmi_controller_free(struct vmi_controller *c)
{
    if (!c)
        return;
    workqueue_free(c->queue);
    expectations_free(c->expected);
    vsock_addresses_free(c->vsock);
    free(c);
}

/* ---- events ---- */

/* A pod is not a VMI, though it may have the name of one. */
static char *pod_key(const json_t *pod)
{
    return must_asprintf("pod:%s/%s", meta_namespace(pod), meta_name(pod));
}

void vmi_controller_on_vmi(struct vmi_controller *c, const json_t *old, const json_t *obj)
{
    scoped(free) char *key = meta_key(obj ? obj : old);
    if (!obj || jpath_has(obj, "status.VSOCKCID"))
        vsock_addresses_forget(c->vsock, meta_uid(obj ? obj : old));
    workqueue_add(c->queue, key);
}

void vmi_controller_on_pod(struct vmi_controller *c, const json_t *old, const json_t *obj)
{
    const json_t *pod = obj ? obj : old;
    const json_t *owner = meta_controller(pod);
    if (!streq(jpath_str(owner, "kind", ""), "VirtualMachineInstance"))
        return;
    scoped(free) char *key =
        must_asprintf("%s/%s", meta_namespace(pod), jpath_str(owner, "name", ""));
    saw_child(c->expected, key, old, obj);
    if (!obj) {
        scoped(free) char *of_pod = pod_key(pod);
        expectations_forget(c->expected, of_pod);
    }
    workqueue_add(c->queue, key);
}

void vmi_controller_on_vm(struct vmi_controller *c, const json_t *old, const json_t *obj)
{
    if (!obj)
        vmi_controller_on_vmi(c, old, NULL); /* an instance has its machine's name */
}

/* ---- one round ---- */

struct round {
    struct vmi_controller *c;
    const char *key;
    json_t *vmi;  /* shared, read-only */
    json_t *pods; /* array of shared pods */
    json_t *made; /* the pod that this round has created */
    uint32_t vsock_cid;
    const char *fault_reason;
    struct error fault;
    int64_t again_ms;
};

static void round_done(struct round *r)
{
    json_decref(r->vmi);
    json_decref(r->pods);
    json_decref(r->made);
}

static int fail(struct round *r, const char *reason, const struct error *e)
{
    r->fault_reason = reason;
    r->fault = *e;
    return -(int)e->code;
}

/* ---- making the pod ---- */

static const char *claim_of(const json_t *volume)
{
    static const char *const paths[] = { "persistentVolumeClaim.claimName", "dataVolume.name",
                                         "ephemeral.persistentVolumeClaim.claimName" };
    for (size_t i = 0; i < countof(paths); i++) {
        const char *claim = jpath_str(volume, paths[i], NULL);
        if (claim)
            return claim;
    }
    return NULL;
}

/* The claims that exist, by name; one that does not is left out, and the renderer says which volume
 * lacks it. */
static int get_claims(struct round *r, json_t *claims, struct error *e)
{
    size_t i;
    json_t *volume;
    json_array_foreach(jpath_arr(r->vmi, "spec.volumes"), i, volume) {
        const char *claim = claim_of(volume);
        if (!claim || json_object_get(claims, claim))
            continue;
        json_t *pvc = NULL;
        int n = kube_get(r->c->ctx->kube, &KIND_PVC, meta_namespace(r->vmi), claim, &pvc, e);
        if (n < 0 && n != -ERR_NOT_FOUND)
            return error_wrap(e, "claim %s", claim);
        if (pvc)
            must_set(claims, claim, pvc);
    }
    return 0;
}

static int render(struct round *r, json_t **ret, struct error *e)
{
    json_auto_t *claims = json_object();
    int n = get_claims(r, claims, e);
    if (n < 0)
        return n;

    unsigned random;
    random_bytes(&random, sizeof(random));
    struct cluster_config *config = cluster_config_store_get(r->c->ctx->config);
    struct pod_request q = {
        .vmi = r->vmi,
        .config = config,
        .settings = r->c->ctx->settings,
        .pvcs = claims,
        .jitter_s = (int)(random % JITTER_S),
    };
    n = render_pod(ret, &q, e);
    cluster_config_unref(config);
    return n;
}

/* The name is ours alone: a pod that has it already was made by an earlier try or another leader.
 */
static int take_existing(struct round *r, const json_t *pod, json_t **ret, struct error *e)
{
    int n = kube_get(r->c->ctx->kube, &KIND_POD, meta_namespace(pod), meta_name(pod), ret, e);
    if (n < 0)
        return n;
    if (streq(jpath_str(meta_controller(*ret), "uid", ""), meta_uid(r->vmi)))
        return 0;
    return error_set(e, ERR_EXISTS, "pod %s belongs to somebody else", meta_name(pod));
}

static int create_pod(struct round *r, struct error *e)
{
    struct vmi_controller *c = r->c;
    json_auto_t *pod = NULL;

    int n = render(r, &pod, e);
    if (n == -ERR_NOT_FOUND) {
        r->again_ms = MISSING_PVC_RETRY_MS;
        event_record(c->events, &KIND_VMI, r->vmi, EVENT_WARNING, "FailedPvcNotFound", "%s",
                     e->msg);
        (void)fail(r, "FailedPvcNotFound", e);
        return 0;
    }
    if (n == 0) {
        expect_birth(c->expected, r->key, meta_name(pod));
        n = kube_create(c->ctx->kube, &KIND_POD, pod, &r->made, e);
        bool is_known = n == -ERR_EXISTS;
        if (is_known)
            n = take_existing(r, pod, &r->made, e);
        if (n < 0 || is_known)
            saw_birth(c->expected, r->key, meta_name(pod));
        if (is_known && n == 0)
            return 0;
    }
    if (n < 0) {
        event_record(c->events, &KIND_VMI, r->vmi, EVENT_WARNING, REASON_CREATE_FAILED,
                     "launcher pod was not created: %s", e->msg);
        return fail(r, REASON_CREATE_FAILED, e);
    }
    event_record(c->events, &KIND_VMI, r->vmi, EVENT_NORMAL, REASON_CREATED,
                 "created launcher pod %s", meta_name(r->made));
    preset_events_record(c->ctx->kube, c->events, r->vmi);
    return 0;
}

/* ---- removing pods ---- */

/*
 * Seconds for a pod to end, or -1 for its own.  Before the hand-over there is no guest to
 * wait for, and a container that has just begun misses the signal that asks it to end:
 * PID 1 has no handler before its first instructions.
 */
static int grace_of(const json_t *vmi)
{
    return meta_label(vmi, LABEL_NODE_NAME) ? -1 : 1;
}

static int delete_pod(struct round *r, const json_t *pod, struct error *e)
{
    struct vmi_controller *c = r->c;
    expect_death(c->expected, r->key, meta_uid(pod));
    int n = delete_exactly(c->ctx->kube, &KIND_POD, pod, grace_of(r->vmi), e);
    if (n < 0) {
        saw_death(c->expected, r->key, meta_uid(pod));
        event_record(c->events, &KIND_VMI, r->vmi, EVENT_WARNING, REASON_DELETE_FAILED,
                     "launcher pod %s was not deleted: %s", meta_name(pod), e->msg);
        return fail(r, REASON_DELETE_FAILED, e);
    }
    check_death(c->expected, r->key, c->ctx->pods, pod);
    event_record(c->events, &KIND_VMI, r->vmi, EVENT_NORMAL, REASON_DELETED,
                 "deleted launcher pod %s", meta_name(pod));
    return 0;
}

static int delete_pods(struct round *r, struct error *e)
{
    size_t i;
    json_t *pod;
    json_array_foreach(r->pods, i, pod) {
        int n = meta_is_deleting(pod) ? 0 : delete_pod(r, pod, e);
        if (n < 0)
            return n;
    }
    return 0;
}

static int act(struct round *r, struct error *e)
{
    switch (vmi_decide(r->vmi, r->pods)) {
    case VMI_KEEP:
        return 0;
    case VMI_CREATE_POD:
        return create_pod(r, e);
    case VMI_DELETE_PODS:
        return delete_pods(r, e);
    }
    return 0;
}

/* ---- writing ---- */

/*
 * The informer's word is not enough to end a machine: its copy may be older
 * than the instance.  1 when the API server itself knows of no pod.
 */
static int prove_absence(struct round *r, struct error *e)
{
    scoped(free) char *query =
        must_asprintf("labelSelector=kubevirt.io%%2Fcreated-by%%3D%s", meta_uid(r->vmi));
    json_auto_t *pods = NULL;
    int n = kube_list(r->c->ctx->kube, &KIND_POD, meta_namespace(r->vmi), query, &pods, e);
    if (n < 0)
        return error_wrap(e, "is the pod gone");
    return vmi_current_pod(r->vmi, pods) == NULL;
}

static bool owner_is_gone(struct round *r)
{
    const json_t *owner = meta_controller(r->vmi);
    if (!streq(jpath_str(owner, "kind", ""), "VirtualMachine"))
        return owner == NULL;
    json_auto_t *vm = informer_get(r->c->ctx->vms, r->key);
    return !vm || !streq(meta_uid(vm), jpath_str(owner, "uid", ""));
}

static int write_vmi(struct round *r, const json_t *pod, json_t **ret, struct error *e)
{
    struct vmi_controller *c = r->c;
    struct vmi_view view = {
        .vmi = r->vmi,
        .pod = pod,
        .has_pods = r->made || json_array_size(r->pods) > 0,
        .vsock_cid = r->vsock_cid,
        .owner_is_gone = owner_is_gone(r),
        .fault_reason = r->fault_reason,
        .fault_message = r->fault.msg,
    };
    json_auto_t *next = vmi_next(&view, clock_wall_ms(c->ctx->clock));

    if (vmi_ends_for_want_of_pod(r->vmi, next, pod)) {
        int gone = prove_absence(r, e);
        if (gone < 0)
            return gone;
        if (!gone) {
            r->again_ms = UNMET_RETRY_MS; /* the informer will catch up */
            return 0;
        }
    }
    int n = changes_write(c->ctx->kube, &KIND_VMI, NULL, r->vmi, next, ret, e);
    expect_version(c->expected, r->key, *ret);
    return n < 0 ? n : 0;
}

/* Readiness gate and labels in one write: pods/status takes metadata along. */
static int tell_pod(struct round *r, const json_t *vmi, const json_t *pod, struct error *e)
{
    struct expectations *expected = r->c->expected;
    json_auto_t *patch = pod_patch_for(vmi, pod, clock_wall_ms(r->c->ctx->clock));
    if (!patch)
        return 0;
    scoped(free) char *key = pod_key(pod);
    if (!expectations_are_met(expected, key, pod))
        return 0; /* it has been told, this copy is older */

    json_auto_t *answer = NULL;
    int n = kube_patch(r->c->ctx->kube, &KIND_POD, meta_namespace(pod), meta_name(pod), "status",
                       KUBE_PATCH_STRATEGIC, patch, NULL, &answer, e);
    expect_version(expected, key, answer);
    return n == -ERR_NOT_FOUND ? 0 : n;
}

static bool has_vsock_address(uint32_t cid, void *ctx)
{
    struct vmi_controller *c = ctx;
    char value[16];
    (void)snprintf(value, sizeof(value), "%" PRIu32, cid);
    json_auto_t *holders = informer_by_index(c->ctx->vmis, INDEX_VSOCK, value);
    return json_array_size(holders) > 0;
}

/* Chosen before there is a pod, written with the phase that follows from it. */
static void take_vsock_address(struct round *r)
{
    struct vmi_controller *c = r->c;
    uint32_t random;
    if (!vmi_lacks_vsock_address(r->vmi))
        return;
    random_bytes(&random, sizeof(random));
    r->vsock_cid = vsock_addresses_take(c->vsock, meta_uid(r->vmi), random, has_vsock_address, c);
    json_auto_t *now = informer_get(c->ctx->vmis, r->key);
    if (!now || !streq(meta_uid(now), meta_uid(r->vmi)))
        vsock_addresses_forget(c->vsock, meta_uid(r->vmi)); /* its end has been told already */
}

static int run_round(struct round *r, struct error *e)
{
    struct error fault = { 0 };
    take_vsock_address(r);
    int acted = act(r, &fault);
    const json_t *pod = r->made ? r->made : vmi_current_pod(r->vmi, r->pods);

    json_auto_t *written = NULL;
    int n = write_vmi(r, pod, &written, e);
    if (n < 0)
        return error_wrap(e, "status");
    n = tell_pod(r, written ? written : r->vmi, pod, e);
    if (n < 0)
        return error_wrap(e, "pod %s", meta_name(pod));
    if (acted < 0)
        *e = fault;
    return acted;
}

static int reconcile(void *ctx, const char *key, int64_t *again_ms, struct error *e)
{
    struct vmi_controller *c = ctx;
    struct round r = { .c = c, .key = key, .vmi = informer_get(c->ctx->vmis, key) };
    if (!r.vmi) {
        expectations_forget(c->expected, key);
        vmi_metrics_forget(key);
        return 0; /* its pods go with it by owner reference */
    }
    int n = 0;
    if (expectations_are_met(c->expected, key, r.vmi)) {
        vmi_metrics_synced(r.vmi);
        r.pods = informer_by_index(c->ctx->pods, INDEX_CONTROLLER, meta_uid(r.vmi));
        n = run_round(&r, e);
        *again_ms = r.again_ms;
    } else {
        *again_ms = UNMET_RETRY_MS;
    }
    round_done(&r);
    return n < 0 ? error_wrap(e, "vmi %s", key) : 0;
}

void vmi_controller_start(struct vmi_controller *c, size_t workers)
{
    c->workers = workers_start(c->queue, workers, reconcile, c);
}

void vmi_controller_stop(struct vmi_controller *c)
{
    if (c->workers)
        workers_stop(c->workers);
    c->workers = NULL;
}
