/* SPDX-License-Identifier: Apache-2.0 */
/* Informers as rows, controllers and their wiring; see controllers.h. */
#include "controller/controllers.h"

#include <stddef.h>
#include <stdlib.h>

#include "base/jpath.h"
#include "base/log.h"
#include "base/must.h"
#include "base/scope.h"
#include "base/str.h"
#include "certs/rotation.h"
#include "controller/kubevirt_status.h"
#include "controller/node_controller.h"
#include "controller/trim.h"
#include "controller/vm_controller.h"
#include "controller/vm_types.h"
#include "controller/vmi_controller.h"
#include "controller/vmi_metrics.h"
#include "controller/vmirs_controller.h"
#include "controller/vsock_addresses.h"
#include "http/client.h"
#include "kube/cert_store.h"
#include "kube/workqueue.h"

struct controllers {
    struct context *ctx;
    struct http_watcher *watcher;
    struct event_recorder *vm_events, *rs_events, *node_events;
    struct vm_controller *vm;
    struct vmi_controller *vmi;
    struct vmirs_controller *vmirs;
    struct node_controller *node;
    struct workqueue *chores; /* CERTIFICATES, and keys of KubeVirt objects */
    struct workers *chore_worker;
    struct kube_cert_store certs;
};

#define CERTIFICATES "certificates" /* no key of an object: those have a slash */

/* ---- informer events ---- */

static void on_vm(const json_t *old, const json_t *obj, void *ctx)
{
    struct controllers *c = ctx;
    vm_controller_on_vm(c->vm, old, obj);
    vmi_controller_on_vm(c->vmi, old, obj);
}

static void on_vmi(const json_t *old, const json_t *obj, void *ctx)
{
    struct controllers *c = ctx;
    vm_controller_on_vmi(c->vm, old, obj);
    vmi_controller_on_vmi(c->vmi, old, obj);
    vmirs_controller_on_vmi(c->vmirs, old, obj);
    vmi_metrics_on_vmi(old, obj);
}

static void on_vmirs(const json_t *old, const json_t *obj, void *ctx)
{
    struct controllers *c = ctx;
    vmirs_controller_on_vmirs(c->vmirs, old, obj);
}

static void on_pod(const json_t *old, const json_t *obj, void *ctx)
{
    struct controllers *c = ctx;
    vmi_controller_on_pod(c->vmi, old, obj);
}

static void on_node(const json_t *old, const json_t *obj, void *ctx)
{
    struct controllers *c = ctx;
    node_controller_on_node(c->node, old, obj);
}

static void on_type(const json_t *old, const json_t *obj, void *ctx)
{
    struct controllers *c = ctx;
    vm_controller_on_type(c->vm, old, obj);
}

static void on_kubevirt(const json_t *old, const json_t *obj, void *ctx)
{
    struct controllers *c = ctx;
    scoped(free) char *key = meta_key(obj ? obj : old);
    struct error e;
    if (cluster_config_store_set(c->ctx->config, obj, &e) < 0)
        log_warn("configuration refused, the last good one stays", "ns",
                 meta_namespace(obj ? obj : old), "name", meta_name(obj ? obj : old), "error",
                 e.msg);
    else
        log_info("configuration taken", "name", meta_name(obj ? obj : old));
    workqueue_add(c->chores, key);
}

/* ---- informers ---- */

enum { RESYNC_MS = 10 * 60 * 1000 };

// clang-format off
#define CONTEXT_INFORMER(member) offsetof(struct context, member)
#define TYPE_INFORMER(member, k) \
    { CONTEXT_INFORMER(member), { .kind = k, .trim = trim_identity, .on_event = on_type, .may_be_absent = true } }
static const struct informer_row {
    size_t member; /* of struct context */
    struct informer_options options;
} informer_rows[] = {
    { CONTEXT_INFORMER(kubevirts), { .kind = &KIND_KUBEVIRT, .trim = trim_own, .on_event = on_kubevirt,
                                     .may_be_absent = true } },
    { CONTEXT_INFORMER(vms), { .kind = &KIND_VM, .trim = trim_own, .on_event = on_vm,
                               .index = { { INDEX_INSTANCETYPE, index_vm_by_instancetype },
                                          { INDEX_PREFERENCE, index_vm_by_preference } }, .resync_ms = RESYNC_MS } },
    TYPE_INFORMER(instancetypes, &KIND_INSTANCETYPE),
    TYPE_INFORMER(cluster_instancetypes, &KIND_CLUSTER_INSTANCETYPE),
    TYPE_INFORMER(preferences, &KIND_PREFERENCE),
    TYPE_INFORMER(cluster_preferences, &KIND_CLUSTER_PREFERENCE),
    { CONTEXT_INFORMER(replica_sets), { .kind = &KIND_VMIRS, .trim = trim_own, .on_event = on_vmirs,
                                        .index = { { "namespace", index_by_namespace } }, .resync_ms = RESYNC_MS } },
    { CONTEXT_INFORMER(pods), { .kind = &KIND_POD, .label_selector = "kubevirt.io=virt-launcher", .trim = trim_pod,
                                .on_event = on_pod, .index = { { INDEX_CONTROLLER, index_by_controller_uid } } } },
    { CONTEXT_INFORMER(nodes), { .kind = &KIND_NODE, .trim = trim_node, .on_event = on_node } },
    { CONTEXT_INFORMER(vmis), { .kind = &KIND_VMI, .trim = trim_own, .on_event = on_vmi,
                                .index = { { INDEX_CONTROLLER, index_by_controller_uid },
                                           { INDEX_NODE, index_vmi_by_node },
                                           { INDEX_ORPHAN, index_orphan_by_namespace },
                                           { INDEX_VSOCK, index_vmi_by_vsock } }, .resync_ms = RESYNC_MS } },
};
// clang-format on

static struct informer **informer_at(const struct controllers *c, size_t row)
{
    return (struct informer **)((char *)c->ctx + informer_rows[row].member);
}

static void start_informers(struct controllers *c)
{
    for (size_t i = 0; i < countof(informer_rows); i++) {
        struct informer_options options = informer_rows[i].options;
        options.ctx = c;
        *informer_at(c, i) = informer_start(c->ctx->kube, c->watcher, &options);
    }
}

bool controllers_are_synced(const struct controllers *c)
{
    for (size_t i = 0; i < countof(informer_rows); i++)
        if (!informer_is_synced(*informer_at(c, i)))
            return false;
    return true;
}

/* ---- chores: what the leader does for the installation itself ---- */

static int rotate_certificates(struct controllers *c, int64_t *again_ms, struct error *e)
{
    const struct rotation_settings settings = { .namespace = c->ctx->namespace,
                                                .clock = c->ctx->clock };
    int r = rotation_reconcile(&settings, &c->certs.store, again_ms, e);
    return r < 0 ? error_wrap(e, "certificates") : 0;
}

static int do_chore(void *ctx, const char *key, int64_t *again_ms, struct error *e)
{
    struct controllers *c = ctx;
    return streq(key, CERTIFICATES) ? rotate_certificates(c, again_ms, e)
                                    : kubevirt_status_reconcile(c->ctx, c->vm_events, key, e);
}

/* ---- life ---- */

struct controllers *controllers_new(struct context *ctx)
{
    struct controllers *c = must_calloc(1, sizeof(*c));
    c->ctx = ctx;
    ctx->config = cluster_config_store_new();
    c->watcher = http_watcher_new("watch");
    c->vm_events = event_recorder_start(ctx->kube, "virtualmachine-controller", NULL);
    c->rs_events = event_recorder_start(ctx->kube, "virtualmachinereplicaset-controller", NULL);
    c->node_events = event_recorder_start(ctx->kube, "node-controller", NULL);
    c->vm = vm_controller_new(ctx, c->vm_events);
    c->vmi = vmi_controller_new(ctx, c->vm_events);
    c->vmirs = vmirs_controller_new(ctx, c->rs_events);
    c->node = node_controller_new(ctx, c->node_events);
    c->chores = workqueue_new("virt-controller-installation");
    kube_cert_store_init(&c->certs, ctx->kube, ctx->namespace);
    start_informers(c);
    controller_metrics_register();
    return c;
}

void controllers_start(struct controllers *c)
{
    const struct settings *s = c->ctx->settings;
    vm_controller_start(c->vm, (size_t)s->vm_threads);
    vmi_controller_start(c->vmi, (size_t)s->vmi_threads);
    vmirs_controller_start(c->vmirs, (size_t)s->rs_threads);
    node_controller_start(c->node, (size_t)s->node_threads);
    c->chore_worker = workers_start(c->chores, 1, do_chore, c);
    if (!s->is_cert_rotation_off)
        workqueue_add(c->chores, CERTIFICATES);
}

void controllers_stop_working(struct controllers *c)
{
    if (!c)
        return;
    workers_stop(TAKE(c->chore_worker));
    node_controller_stop(c->node);
    vmirs_controller_stop(c->vmirs);
    vmi_controller_stop(c->vmi);
    vm_controller_stop(c->vm);
}

void controllers_free(struct controllers *c)
{
    if (!c)
        return;
    controllers_stop_working(c);
    for (size_t i = countof(informer_rows); i > 0; i--)
        informer_stop(*informer_at(c, i - 1));
    http_watcher_free(c->watcher);
    workqueue_free(c->chores);
    node_controller_free(c->node);
    vmirs_controller_free(c->vmirs);
    vmi_controller_free(c->vmi);
    vm_controller_free(c->vm);
    event_recorder_stop(c->node_events);
    event_recorder_stop(c->rs_events);
    event_recorder_stop(c->vm_events);
    cluster_config_store_free(c->ctx->config);
    free(c);
}
