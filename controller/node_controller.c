/* SPDX-License-Identifier: Apache-2.0 */
/* Silent nodes and what becomes of their machines; see node_controller.h. */
#include "controller/node_controller.h"

#include <stdlib.h>

#include "base/jpatch.h"
#include "base/jpath.h"
#include "base/must.h"
#include "base/scope.h"
#include "base/str.h"
#include "controller/names.h"
#include "controller/vm_decide.h"
#include "controller/vmi_decide.h"
#include "kube/workqueue.h"
#include "openapi/machine.h"

enum { RECHECK_MS = 60 * 1000, CHECK_SLACK_MS = 1000 };

#define REASON_UNRESPONSIVE "NodeUnresponsive"

struct node_controller {
    const struct context *ctx;
    struct event_recorder *events;
    struct workqueue *queue;
    struct workers *workers;
};

struct node_controller *node_controller_new(const struct context *ctx,
                                            struct event_recorder *events)
{
    struct node_controller *c = must_calloc(1, sizeof(*c));
    c->ctx = ctx;
    c->events = events;
    c->queue = workqueue_new("virt-controller-node");
    return c;
}

void node_controller_free(struct node_controller *c)
{
    if (!c)
        return;
    workqueue_free(c->queue);
    free(c);
}

void node_controller_on_node(struct node_controller *c, const json_t *old, const json_t *obj)
{
    workqueue_add(c->queue, meta_name(obj ? obj : old));
}

int64_t node_silent_in_ms(const json_t *node, int64_t now_ms)
{
    const char *heartbeat = meta_annotation(node, ANNOTATION_HEARTBEAT);
    int64_t at_ms;
    if (!heartbeat || rfc3339_parse(heartbeat, &at_ms) < 0)
        return -1;
    int64_t left = at_ms + HEARTBEAT_MAX_MS - now_ms;
    return left > 0 ? left : 0;
}

/* ---- acting ---- */

static int mark_unschedulable(struct node_controller *c, const json_t *node, struct error *e)
{
    if (streq(meta_label(node, LABEL_SCHEDULABLE), "false"))
        return 0;
    event_record(c->events, &KIND_NODE, node, EVENT_NORMAL, REASON_UNRESPONSIVE,
                 "virt-handler has not been heard of for five minutes");
    /* The heartbeat is tested, so that a node which has just come back is left alone. */
    json_auto_t *patch = json_array();
    jpatch_test(patch, "/metadata/annotations/kubevirt.io~1heartbeat",
                json_string(meta_annotation(node, ANNOTATION_HEARTBEAT)));
    jpatch_add(patch, "/metadata/labels/kubevirt.io~1schedulable", json_string("false"));
    int n = kube_patch(c->ctx->kube, &KIND_NODE, NULL, meta_name(node), NULL, KUBE_PATCH_JSON,
                       patch, NULL, NULL, e);
    return n == -ERR_NOT_FOUND ? 0 : n;
}

static bool has_living_pod(struct node_controller *c, const json_t *vmi)
{
    json_auto_t *pods = informer_by_index(c->ctx->pods, INDEX_CONTROLLER, meta_uid(vmi));
    size_t i;
    json_t *pod;
    json_array_foreach(pods, i, pod) {
        if (pod_is_alive(pod))
            return true;
    }
    return false;
}

static int end_vmi(struct node_controller *c, const json_t *vmi, struct error *e)
{
    json_auto_t *patch = json_array();
    jpatch_test(patch, "/metadata/uid", json_string(meta_uid(vmi)));
    jpatch_test(patch, "/status/phase", json_string(jpath_str(vmi, "status.phase", "")));
    jpatch_replace(patch, "/status/phase", json_string(PHASE_FAILED));
    jpatch_add(patch, "/status/reason", json_string(REASON_UNRESPONSIVE));

    event_record(c->events, &KIND_VMI, vmi, EVENT_NORMAL, REASON_UNRESPONSIVE,
                 "node %s does not respond and the launcher pod has ended",
                 jpath_str(vmi, "status.nodeName", ""));
    int n = kube_patch(c->ctx->kube, &KIND_VMI, meta_namespace(vmi), meta_name(vmi), NULL,
                       KUBE_PATCH_JSON, patch, NULL, NULL, e);
    return n == -ERR_NOT_FOUND ? 0 : n;
}

static int end_lost_vmis(struct node_controller *c, const char *node, struct error *e)
{
    json_auto_t *vmis = informer_by_index(c->ctx->vmis, INDEX_NODE, node);
    size_t i;
    json_t *vmi;
    json_array_foreach(vmis, i, vmi) {
        if (vmi_is_final(vmi) || has_living_pod(c, vmi))
            continue;
        int n = end_vmi(c, vmi, e);
        if (n < 0)
            return error_wrap(e, "vmi %s", meta_name(vmi));
    }
    return 0;
}

static int reconcile(void *ctx, const char *key, int64_t *again_ms, struct error *e)
{
    struct node_controller *c = ctx;
    json_auto_t *node = informer_get(c->ctx->nodes, key);

    if (node) {
        int64_t left = node_silent_in_ms(node, clock_wall_ms(c->ctx->clock));
        if (left != 0) {
            *again_ms = left > 0 ? left + CHECK_SLACK_MS : 0;
            return 0;
        }
        int n = mark_unschedulable(c, node, e);
        if (n < 0)
            return error_wrap(e, "node %s", key);
    }
    int n = end_lost_vmis(c, key, e);
    if (n < 0)
        return error_wrap(e, "node %s", key);

    /* Pods of a lost node end later, when Kubernetes evicts them: look again while machines are
     * left. */
    json_auto_t *left = informer_by_index(c->ctx->vmis, INDEX_NODE, key);
    *again_ms = node || json_array_size(left) > 0 ? RECHECK_MS : 0;
    return 0;
}

void node_controller_start(struct node_controller *c, size_t workers)
{
    c->workers = workers_start(c->queue, workers, reconcile, c);
}

void node_controller_stop(struct node_controller *c)
{
    if (c->workers)
        workers_stop(c->workers);
    c->workers = NULL;
}
