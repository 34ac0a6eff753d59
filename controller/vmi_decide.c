/* SPDX-License-Identifier: Apache-2.0 */
/* Phases as a table, conditions and the rest of what virt-controller writes into an instance. */
#include "controller/vmi_decide.h"

#include <string.h>

#include "base/clock.h"
#include "base/jpath.h"
#include "base/must.h"
#include "base/quantity.h"
#include "base/scope.h"
#include "base/str.h"
#include "controller/changes.h"
#include "controller/conditions.h"
#include "controller/names.h"
#include "controller/render_pod.h"
#include "controller/vm_decide.h"
#include "openapi/machine.h"

/* ---- pods ---- */

static bool is_newer(const json_t *pod, const json_t *than)
{
    return !than || strcmp(jpath_str(pod, "metadata.creationTimestamp", ""),
                           jpath_str(than, "metadata.creationTimestamp", "")) > 0;
}

const json_t *vmi_current_pod(const json_t *vmi, const json_t *pods)
{
    const char *node = jpath_str(vmi, "status.nodeName", "");
    const json_t *current = NULL;
    size_t i;
    json_t *pod;
    json_array_foreach(pods, i, pod) {
        if (node[0] && !streq(jpath_str(pod, "spec.nodeName", ""), node))
            continue;
        if (is_newer(pod, current))
            current = pod;
    }
    return current;
}

static bool pod_phase_is_final(const json_t *pod)
{
    return phase_is_final(jpath_str(pod, "status.phase", ""));
}

static const json_t *compute_status(const json_t *pod)
{
    return jarr_find(jpath_arr(pod, "status.containerStatuses"), "name", "compute");
}

bool pod_is_down(const json_t *pod)
{
    return pod_phase_is_final(pod) || meta_is_deleting(pod) ||
           jpath_has(compute_status(pod), "state.terminated");
}

bool pod_is_alive(const json_t *pod)
{
    if (pod_phase_is_final(pod))
        return false;
    const json_t *containers = jpath_arr(pod, "status.containerStatuses");
    size_t i;
    json_t *container;
    json_array_foreach(containers, i, container) {
        if (!jpath_has(container, "state.terminated"))
            return true;
    }
    return json_array_size(containers) == 0;
}

/* compute itself need not be Ready: its readiness is the guest's, which does not run yet. */
bool pod_is_ready_to_hand_over(const json_t *pod)
{
    const json_t *containers = jpath_arr(pod, "status.containerStatuses");
    if (!streq(jpath_str(pod, "status.phase", ""), "Running") || meta_is_deleting(pod) ||
        json_array_size(containers) == 0)
        return false;

    size_t i;
    json_t *container;
    json_array_foreach(containers, i, container) {
        const char *name = jpath_str(container, "name", "");
        bool counts_running = streq(name, "compute") || streq(name, "istio-proxy");
        if (counts_running ? !jpath_has(container, "state.running")
                           : !jpath_bool(container, "ready", false))
            return false;
    }
    return true;
}

/* ---- what to do ---- */

static bool is_before_pod(const json_t *vmi)
{
    return phase_is(vmi, "") || phase_is(vmi, PHASE_PENDING) ||
           phase_is(vmi, PHASE_WAITING_FOR_SYNC);
}

/* Made to receive a guest that migrates here, and nobody has chosen its node yet. */
static bool waits_for_sync(const json_t *vmi)
{
    return streq(meta_annotation(vmi, ANNOTATION_MIGRATION_TARGET), "true") &&
           !meta_label(vmi, LABEL_MIGRATION_TARGET);
}

enum vmi_action vmi_decide(const json_t *vmi, const json_t *pods)
{
    if (meta_is_deleting(vmi))
        return json_array_size(pods) > 0 ? VMI_DELETE_PODS : VMI_KEEP;
    if (waits_for_sync(vmi))
        return VMI_KEEP;
    if (is_before_pod(vmi) && json_array_size(pods) == 0)
        return VMI_CREATE_POD;
    return VMI_KEEP;
}

/* ---- phases: one function each, the next phase or NULL to stay ---- */

static const char *from_pending(const struct vmi_view *v)
{
    if (v->pod)
        return PHASE_SCHEDULING;
    if (meta_is_deleting(v->vmi))
        return PHASE_FAILED;
    return waits_for_sync(v->vmi) ? PHASE_WAITING_FOR_SYNC : PHASE_PENDING;
}

static bool lacks_guarantee(const struct vmi_view *v)
{
    return jpath_bool(v->vmi, "spec.domain.cpu.dedicatedCpuPlacement", false) &&
           !streq(jpath_str(v->pod, "status.qosClass", ""), "Guaranteed");
}

static const char *from_scheduling(const struct vmi_view *v)
{
    if (!v->pod || pod_is_down(v->pod))
        return PHASE_FAILED;
    if (!pod_is_ready_to_hand_over(v->pod) || meta_is_deleting(v->vmi) || lacks_guarantee(v))
        return NULL;
    return PHASE_SCHEDULED;
}

static const char *from_node(const struct vmi_view *v)
{
    return v->pod ? NULL : PHASE_FAILED;
}

static const char *from_waiting(const struct vmi_view *v)
{
    if (meta_is_deleting(v->vmi))
        return PHASE_FAILED;
    return v->pod ? PHASE_SCHEDULING : NULL;
}

static const char *stay(const struct vmi_view *v)
{
    return NULL;
}

static const struct {
    const char *phase;
    const char *(*next)(const struct vmi_view *v);
} phases[] = {
    { "", from_pending },
    { PHASE_PENDING, from_pending },
    { PHASE_WAITING_FOR_SYNC, from_waiting },
    { PHASE_SCHEDULING, from_scheduling },
    { PHASE_SCHEDULED, from_node },
    { PHASE_RUNNING, from_node },
    { PHASE_SUCCEEDED, stay },
    { PHASE_FAILED, stay },
};

static const char *next_phase(const struct vmi_view *v)
{
    for (size_t i = 0; i < countof(phases); i++)
        if (phase_is(v->vmi, phases[i].phase))
            return phases[i].next(v);
    return NULL;
}

bool vmi_ends_for_want_of_pod(const json_t *before, const json_t *after, const json_t *pod)
{
    return !pod && !is_before_pod(before) && !vmi_is_final(before) && phase_is(after, PHASE_FAILED);
}

static void set_phase(json_t *vmi, const char *phase, const char *now)
{
    jpath_set_str(vmi, "status.phase", phase);
    json_t *times = jpath_make_arr(vmi, "status.phaseTransitionTimestamps");
    if (!jarr_find(times, "phase", phase))
        must_append(times,
                    must_pack("{s:s, s:s}", "phase", phase, "phaseTransitionTimestamp", now));
}

/* ---- conditions ---- */

static void set_ready(json_t *vmi, const json_t *pod, const char *now)
{
    const json_t *ready = pod ? condition_find(pod, "Ready") : NULL;

    if (!pod)
        condition_set(vmi, "Ready", "False", "PodNotExists", "there is no launcher pod", now);
    else if (pod_is_down(pod))
        condition_set(vmi, "Ready", "False", "PodTerminating", "the launcher pod is ending", now);
    else if (!phase_is(vmi, PHASE_RUNNING))
        condition_set(vmi, "Ready", "False", "GuestNotRunning", MESSAGE_NOT_RUNNING, now);
    else if (ready)
        condition_copy(vmi, ready);
    else
        condition_set(vmi, "Ready", "False", "PodConditionMissing",
                      "the launcher pod does not say whether it is ready", now);
}

/* Shown only while it explains why nothing happens. */
static void set_pod_scheduled(json_t *vmi, const json_t *pod)
{
    const json_t *scheduled = pod ? condition_find(pod, "PodScheduled") : NULL;
    bool is_waiting = phase_is(vmi, PHASE_PENDING) || phase_is(vmi, PHASE_SCHEDULING);

    if (is_waiting && scheduled && streq(jpath_str(scheduled, "status", ""), "False"))
        condition_copy(vmi, scheduled);
    else
        condition_remove(vmi, "PodScheduled");
}

static const json_t *waiting_for_image(const json_t *pod)
{
    static const char *const lists[] = { "status.containerStatuses",
                                         "status.initContainerStatuses" };
    for (size_t l = 0; l < countof(lists); l++) {
        size_t i;
        json_t *container;
        json_array_foreach(jpath_arr(pod, lists[l]), i, container) {
            const json_t *waiting = jpath_obj(container, "state.waiting");
            const char *reason = jpath_str(waiting, "reason", "");
            if (streq(reason, "ErrImagePull") || streq(reason, "ImagePullBackOff"))
                return waiting;
        }
    }
    return NULL;
}

/* virt-handler writes this condition too, once the instance is its own. */
static void set_synchronized(json_t *vmi, const struct vmi_view *v, const char *now)
{
    const json_t *waiting =
        phase_is(vmi, PHASE_SCHEDULING) && v->pod ? waiting_for_image(v->pod) : NULL;

    if (v->fault_reason)
        condition_set(vmi, "Synchronized", "False", v->fault_reason, v->fault_message, now);
    else if (waiting)
        condition_set(vmi, "Synchronized", "False", jpath_str(waiting, "reason", ""),
                      jpath_str(waiting, "message", ""), now);
    else if (is_before_pod(v->vmi) || phase_is(v->vmi, PHASE_SCHEDULING))
        condition_remove(vmi, "Synchronized");
}

/* ---- the rest of the status ---- */

static void set_active_pods(json_t *vmi, const json_t *pod)
{
    if (!pod || pod_phase_is_final(pod))
        return;
    json_t *active = jpath_make_obj(vmi, "status.activePods");
    must_set(active, meta_uid(pod), json_string(jpath_str(pod, "spec.nodeName", "")));
}

static void set_from_pod(json_t *vmi, const json_t *pod)
{
    const json_t *compute = jarr_find(jpath_arr(pod, "spec.containers"), "name", "compute");
    const char *image = jpath_str(compute, "image", "");
    const char *qos = jpath_str(pod, "status.qosClass", "");
    const char *overhead = meta_annotation(pod, ANNOTATION_MEMORY_OVERHEAD);
    long long bytes;

    if (image[0])
        jpath_set_str(vmi, "status.launcherContainerImageVersion", image);
    if (qos[0])
        jpath_set_str(vmi, "status.qosClass", qos);
    if (overhead && str_to_int(overhead, 0, INT64_MAX, &bytes) == 0) {
        char text[QUANTITY_TEXT_MAX];
        jpath_set_str(vmi, "status.memory.memoryOverhead",
                      quantity_format(quantity_from_bytes(bytes), text));
    }
}

static void set_at_first_sight(json_t *vmi)
{
    json_t *annotations = jpath_make_obj(vmi, "metadata.annotations");
    must_set(annotations, ANNOTATION_LATEST_API, json_string("v1"));
    must_set(annotations, ANNOTATION_STORAGE_API, json_string("v1"));
    (void)jpath_make_obj(vmi, "status.guestOSInfo");
    if (!jpath_has(vmi, "status.runtimeUser"))
        jpath_set_int(vmi, "status.runtimeUser", LAUNCHER_UID);
}

static void set_volume_status(json_t *vmi)
{
    json_t *list = jpath_make_arr(vmi, "status.volumeStatus");
    size_t i;
    json_t *volume;
    json_array_foreach(jpath_arr(vmi, "spec.volumes"), i, volume) {
        const char *name = jpath_str(volume, "name", "");
        if (!jarr_find(list, "name", name))
            must_append(list, must_pack("{s:s, s:s}", "name", name, "target", ""));
    }
    if (json_array_size(list) == 0)
        jpath_del(vmi, "status.volumeStatus");
}

static void hand_over(json_t *vmi, const json_t *pod)
{
    const char *node = jpath_str(pod, "spec.nodeName", "");
    must_set(jpath_make_obj(vmi, "metadata.labels"), LABEL_NODE_NAME, json_string(node));
    jpath_set_str(vmi, "status.nodeName", node);
    jpath_set_str(vmi, "status.migrationTransport", "Unix");
    set_volume_status(vmi);
}

static void finalize(json_t *vmi, const struct vmi_view *v)
{
    if (!v->has_pods) {
        (void)finalizer_remove(vmi, FINALIZER_VMI);
        (void)finalizer_remove(vmi, FINALIZER_VMI_OLD);
    }
    if (v->owner_is_gone)
        (void)finalizer_remove(vmi, FINALIZER_VM);
}

json_t *vmi_next(const struct vmi_view *v, int64_t now_ms)
{
    char now[RFC3339_MAX];
    (void)rfc3339(now_ms, now);
    json_t *vmi = must_copy(v->vmi);
    (void)jpath_make_obj(vmi, "status");

    if (vmi_is_final(vmi)) {
        finalize(vmi, v);
        return vmi;
    }
    bool is_first = is_before_pod(vmi);
    const char *phase = next_phase(v);
    bool is_change = phase && !phase_is(vmi, phase);

    if (is_first)
        set_at_first_sight(vmi);
    if (v->vsock_cid)
        jpath_set_int(vmi, "status.VSOCKCID", v->vsock_cid);
    if (is_change) {
        set_phase(vmi, phase, now);
        if (streq(phase, PHASE_SCHEDULED))
            hand_over(vmi, v->pod);
    }
    if (v->pod) {
        set_from_pod(vmi, v->pod);
        /* The node of a pod on its way is not worth a write of its own: the hand-over tells it. */
        if (is_change || !phase_is(vmi, PHASE_SCHEDULING))
            set_active_pods(vmi, v->pod);
    }
    set_ready(vmi, v->pod, now);
    set_pod_scheduled(vmi, v->pod);
    set_synchronized(vmi, v, now);
    if (vmi_is_final(vmi))
        finalize(vmi, v);
    return vmi;
}

/* ---- towards the pod ---- */

static json_t *gate_for(const json_t *vmi, const json_t *pod, const char *now)
{
    bool is_paused = condition_is_true(vmi, "Paused");
    const char *status = is_paused ? "False" : "True";
    if (streq(jpath_str(condition_find(pod, READINESS_GATE), "status", ""), status))
        return NULL;
    return must_pack("[{s:s, s:s, s:s, s:s, s:s}]", "type", READINESS_GATE, "status", status,
                     "reason", is_paused ? "Paused" : "NotPaused", "message",
                     is_paused ? "the guest is paused" : "the guest is not paused",
                     "lastTransitionTime", now);
}

static void label_for(json_t *patch, const json_t *pod, const char *label, const char *wanted)
{
    if (wanted && !streq(wanted, meta_label(pod, label)))
        must_set(jpath_make_obj(patch, "metadata.labels"), label, json_string(wanted));
}

/*
 * As soon as the pod has a node: the kubelet then knows the gate before the
 * container starts, and reports the pod ready in one step instead of two.
 */
static bool is_to_be_told(const json_t *vmi, const json_t *pod)
{
    static const char *const told[] = { PHASE_SCHEDULING, PHASE_SCHEDULED, PHASE_RUNNING };
    if (!pod || pod_is_down(pod) || !jpath_str(pod, "spec.nodeName", "")[0])
        return false;
    for (size_t i = 0; i < countof(told); i++)
        if (phase_is(vmi, told[i]))
            return true;
    return false;
}

json_t *pod_patch_for(const json_t *vmi, const json_t *pod, int64_t now_ms)
{
    if (!is_to_be_told(vmi, pod))
        return NULL;

    const char *node = meta_label(vmi, LABEL_NODE_NAME);
    char now[RFC3339_MAX];
    json_t *patch = json_object();
    label_for(patch, pod, LABEL_NODE_NAME, node ? node : jpath_str(pod, "spec.nodeName", ""));
    label_for(patch, pod, LABEL_OUTDATED, meta_label(vmi, LABEL_OUTDATED));
    json_t *gate = gate_for(vmi, pod, rfc3339(now_ms, now));
    if (gate)
        jpath_set(patch, "status.conditions", gate);
    if (json_object_size(patch) == 0) {
        json_decref(patch);
        return NULL;
    }
    /* By UID and not by version: kubelet writes this status all the time, and the patch is right
     * for any of them. */
    jpath_set_str(patch, "metadata.uid", meta_uid(pod));
    return patch;
}
