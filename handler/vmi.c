/* SPDX-License-Identifier: Apache-2.0 */
/* Reconciling the machines of this node: look, decide, act, report. */
#include "handler/vmi.h"

#include <stdio.h>
#include <string.h>

#include "base/jpath.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/must.h"
#include "base/scope.h"
#include "base/str.h"
#include "handler/arrivals.h"
#include "handler/decide.h"
#include "handler/launcher.h"
#include "handler/machines.h"
#include "handler/podfs.h"
#include "handler/prepare.h"
#include "handler/vmi_status.h"
#include "kube/client.h"
#include "kube/cluster_config.h"
#include "kube/event.h"
#include "kube/informer.h"
#include "kube/workqueue.h"
#include "openapi/machine.h"

enum { UNWATCHED_MS = 1000, CONFLICT_MS = 100 };

DEFINE_SCOPE(struct cluster_config, cluster_config_unref)

struct vmi_controller {
    struct vmi_options o;
    struct informer *vmis;
    struct workqueue *queue;
    struct workers *workers;
    struct machines *machines;
    struct arrivals *arrivals;
};

static struct metric sync_total = {
    .name = "kubevirt_vmi_sync_total",
    .type = METRIC_COUNTER,
    .help = "Syncs of a virtual machine instance.",
    .labels = { "namespace", "name" },
};

/* ---- what is known ---- */

static uint64_t spec_hash(const json_t *vmi)
{
    scoped(free) char *text = must_dumps(jpath(vmi, "spec"), JSON_SORT_KEYS);
    uint64_t h = 0xcbf29ce484222325u;

    for (const char *p = text; *p; p++)
        h = (h ^ (unsigned char)*p) * 0x100000001b3u;
    return h | 1; /* 0 is "none" */
}

static void on_launcher_changed(const char *key, void *ctx)
{
    struct vmi_controller *c = ctx;

    workqueue_add(c->queue, key);
}

static struct machine *add_machine(struct vmi_controller *c, const char *key, const char *uid,
                                   const char *pod_uid, bool was_ready)
{
    const struct launcher_options o = {
        .key = key,
        .vmi_uid = uid,
        .pod_uid = pod_uid,
        .pods_dir = c->o.pods_dir,
        .watchdog_ms = c->o.watchdog_ms,
        .was_ready = was_ready,
        .clock = c->o.clock,
        .watcher = c->o.watcher,
        .changed = on_launcher_changed,
        .ctx = c,
    };

    return machines_add(c->machines, key, uid, pod_uid, launcher_new(&o));
}

static void on_record(const char *key, const char *uid, const char *pod_uid, const json_t *pod_ips,
                      void *ctx)
{
    struct vmi_controller *c = ctx;
    struct machine *m = add_machine(c, key, uid, pod_uid, true);

    m->is_recorded = true;
    m->is_created_told = true;
    m->pod_ips = pod_ips ? must_copy(pod_ips) : NULL;
    workqueue_add(c->queue, key);
}

/* The pod of this machine that is on this node; the one with a directory when there are several. */
static const char *pod_of(const struct vmi_controller *c, const json_t *vmi)
{
    const char *found = NULL;
    const char *uid;
    json_t *node;

    json_object_foreach(jpath_obj(vmi, "status.activePods"), uid, node) {
        struct error ignored;

        if (!streq(json_string_value(node), c->o.node) || !podfs_uid_is_valid(uid))
            continue;
        if (!found || podfs_pod_exists(c->o.pods_dir, uid, &ignored) == 1)
            found = uid;
    }
    return found;
}

static struct machine *machine_of(struct vmi_controller *c, const char *key, const json_t *vmi)
{
    struct machine *m = machines_find(c->machines, meta_uid(vmi));
    const char *phase = jpath_str(vmi, "status.phase", "");

    if (m || !vmi_is_on_node(vmi, c->o.node))
        return m;
    if (!streq(phase, "Scheduled") && !streq(phase, "Running"))
        return NULL;
    const char *pod_uid = pod_of(c, vmi);
    return pod_uid && podfs_uid_is_valid(meta_uid(vmi))
               ? add_machine(c, key, meta_uid(vmi), pod_uid, false)
               : NULL;
}

/* ---- acting ---- */

static void tell(struct vmi_controller *c, const json_t *vmi, enum event_type type,
                 const char *reason, const char *text)
{
    if (vmi)
        event_record(c->o.events, &KIND_VMI, vmi, type, reason, "%s", text);
}

static json_t *sync_options(struct vmi_controller *c, const json_t *vmi)
{
    scoped(cluster_config_unref) struct cluster_config *config =
        cluster_config_store_get(c->o.config);
    json_t *options = must_pack("{s:b, s:i}", "useEmulation", (int)config->use_emulation,
                                "memBalloonStatsPeriod", config->mem_balloon_stats_period_s);
    const json_t *smbios = jpath_obj(config->configuration, "smbios");

    if (smbios)
        must_set(options, "smbios", must_copy(smbios));
    must_set(options, "machineType",
             json_string(cluster_config_machine_type(
                 config, jpath_str(vmi, "spec.architecture", "amd64"))));
    return options;
}

/* Returns 1 when the machine cannot run here at all (*e says why): it has to fail. */
static int act_sync(struct vmi_controller *c, struct machine *m, const json_t *vmi, bool is_new,
                    struct error *e)
{
    if (is_new && !m->is_network_ready) {
        json_t *ips = NULL;
        int r = prepare_pod(c->o.pods_dir, m->launcher, vmi, &ips, e);

        if (r == -ERR_INVALID || r == -ERR_INTERNAL)
            return 1;
        if (r < 0)
            return r;
        json_decref(m->pod_ips);
        m->pod_ips = ips;
        m->is_network_ready = true;
        (void)machines_record(c->machines, m, e); /* written again at the next look if it was not */
    }

    json_auto_t *body = json_object();
    must_set(body, "vmi", must_copy(vmi));
    must_set(body, "options", sync_options(c, vmi));
    metric_add(&sync_total, 1, meta_namespace(vmi), meta_name(vmi));
    int r = launcher_call(m->launcher, HTTP_PUT, "/v1/sync", body, NULL, e);
    if (r < 0)
        return r;
    m->synced_spec = spec_hash(vmi);
    if (is_new && !m->is_created_told) {
        m->is_created_told = true;
        tell(c, vmi, EVENT_NORMAL, "Created", "VirtualMachineInstance defined.");
    }
    return 0;
}

/* The calls that end a machine, and what is told of them, once. */
static const struct ending {
    enum handler_action action;
    const char *path, *reason, *text;
} endings[] = {
    { HANDLER_SHUTDOWN, "/v1/shutdown", "ShuttingDown", "Signaled Graceful Shutdown" },
    { HANDLER_KILL, "/v1/kill", "Deleted", "VirtualMachineInstance stopping" },
    { HANDLER_DELETE, "/v1/delete", "Deleted", "Signaled Deletion" },
};

static int act_end(struct vmi_controller *c, struct machine *m, const json_t *vmi,
                   enum handler_action action, struct error *e)
{
    for (size_t i = 0; i < countof(endings); i++) {
        if (endings[i].action != action)
            continue;
        bool *is_told = action == HANDLER_SHUTDOWN ? &m->is_shutdown_told : &m->is_deletion_told;
        int r = launcher_call(m->launcher, HTTP_PUT, endings[i].path, NULL, NULL, e);

        /* Nothing to end is an end. */
        if (r < 0 && r != -ERR_NOT_FOUND)
            return r;
        if (!*is_told && !phase_is_final(jpath_str(vmi, "status.phase", "")))
            tell(c, vmi, EVENT_NORMAL, endings[i].reason, endings[i].text);
        *is_told = true;
    }
    return 0;
}

static int act(struct vmi_controller *c, struct machine *m, const struct handler_view *v,
               enum handler_action action, struct error *e)
{
    switch (action) {
    case HANDLER_NOTHING:
    case HANDLER_WAIT:
    case HANDLER_CLEANUP:
        return 0;
    case HANDLER_SYNC:
        return act_sync(c, m, v->vmi, v->knowledge != DOMAIN_KNOWN, e);
    case HANDLER_SHUTDOWN:
    case HANDLER_KILL:
    case HANDLER_DELETE:
        return act_end(c, m, v->vmi, action, e);
    }
    return 0;
}

/* ---- reporting ---- */

static const struct phase_event {
    const char *phase;
    enum event_type type;
    const char *reason, *text;
} phase_events[] = {
    { "Running", EVENT_NORMAL, "Started", "VirtualMachineInstance started." },
    { "Succeeded", EVENT_NORMAL, "Stopped", "The VirtualMachineInstance was shut down." },
    { "Failed", EVENT_WARNING, "Stopped", "The VirtualMachineInstance crashed." },
};

static void tell_phase(struct vmi_controller *c, const json_t *vmi, const char *was, const char *is)
{
    for (size_t i = 0; i < countof(phase_events); i++) {
        if (streq(is, phase_events[i].phase) && !streq(is, was))
            tell(c, vmi, phase_events[i].type, phase_events[i].reason, phase_events[i].text);
    }
}

static void note_sync_failure(struct vmi_controller *c, struct machine *m, const json_t *vmi,
                              const char *why)
{
    if (streq(m->sync_message, why))
        return;
    free(m->sync_message);
    m->sync_message = why ? must_strdup(why) : NULL;
    if (why)
        tell(c, vmi, EVENT_WARNING, "SyncFailed", why);
}

/* The API server answers a failed test with 422, as it does for a value that it does not accept. */
static bool is_stale(struct vmi_controller *c, const char *key, const json_t *vmi)
{
    json_auto_t *now = informer_get(c->vmis, key);

    return !streq(jpath_str(now, "metadata.resourceVersion", NULL),
                  jpath_str(vmi, "metadata.resourceVersion", ""));
}

/* Write what changed; a conflict brings the newer object and another look. */
static int report(struct vmi_controller *c, struct machine *m, const struct handler_view *v,
                  const char *phase, int64_t *again_ms, struct error *e)
{
    char now[RFC3339_MAX];
    const char *version = jpath_str(v->vmi, "metadata.resourceVersion", "");
    json_auto_t *domain = launcher_last_domain(m->launcher);
    json_auto_t *after = must_copy(v->vmi);
    const char *was = jpath_str(v->vmi, "status.phase", "");

    const struct vmi_report r = {
        .phase = phase,
        .domain = domain,
        .pod_ips = m->pod_ips,
        .sync_message = m->sync_message,
        .now = rfc3339(v->now_ms, now),
    };
    /* Our own write to this version is on its way back; it brings the key with it. */
    if (streq(m->written_from, version))
        return 0;
    vmi_status_write(after, &r);
    json_auto_t *patch = vmi_status_patch(v->vmi, after);
    if (!patch)
        return 0;

    int result = kube_patch(c->o.kube, &KIND_VMI, meta_namespace(v->vmi), meta_name(v->vmi), NULL,
                            KUBE_PATCH_JSON, patch, NULL, NULL, e);
    if (result == -ERR_CONFLICT || (result == -ERR_INVALID && is_stale(c, m->key, v->vmi))) {
        log_debug("status changed meanwhile; done again", "vmi", m->key, "why", e->msg);
        *again_ms = CONFLICT_MS;
        return 0;
    }
    if (result == -ERR_NOT_FOUND)
        return 0;
    if (result < 0)
        return error_wrap(e, "write status");
    free(m->written_from);
    m->written_from = must_strdup(version);
    tell_phase(c, v->vmi, was, phase);
    return 0;
}

/* ---- one machine ---- */

static void read_ips_if_due(struct vmi_controller *c, struct machine *m,
                            const struct handler_view *v)
{
    struct error e;

    if (m->pod_ips || v->knowledge != DOMAIN_KNOWN || v->launcher != LAUNCHER_READY)
        return;
    if (prepare_read_ips(m->launcher, &m->pod_ips, &e) < 0) {
        log_debug("the pod's addresses are not known yet", "vmi", m->key, "why", e.msg);
        return;
    }
    (void)machines_record(c->machines, m, &e);
}

static void look(struct vmi_controller *c, struct machine *m, struct handler_view *v,
                 json_t **ret_domain)
{
    struct error why;

    v->node = c->o.node;
    v->now_ms = clock_wall_ms(c->o.clock);
    v->launcher = launcher_look(m->launcher, &why);
    if (v->launcher == LAUNCHER_ABSENT) {
        launcher_await(m->launcher, c->arrivals);
        v->launcher = launcher_look(m->launcher, &why);
    }
    v->knowledge = DOMAIN_UNKNOWN;
    if (v->launcher == LAUNCHER_READY) {
        v->knowledge = launcher_domain(m->launcher, ret_domain);
        if (!m->is_recorded)
            (void)machines_record(c->machines, m, &why); /* tried again at the next look */
    } else {
        log_debug("launcher is not ready", "vmi", m->key, "why", why.msg);
        *ret_domain = launcher_last_domain(m->launcher);
        v->knowledge = *ret_domain ? DOMAIN_KNOWN : DOMAIN_UNKNOWN;
    }
    v->domain = *ret_domain;
    v->spec_is_synced = v->vmi && m->synced_spec == spec_hash(v->vmi);
}

static void forget(struct vmi_controller *c, struct machine *m)
{
    char ns[254], name[254];

    log_info("machine is gone", "vmi", m->key, "uid", m->uid);
    if (key_split(m->key, ns, name) == 0)
        metric_remove(&sync_total, ns, name);
    machines_remove(c->machines, m);
}

/* The answer of a sync tells the new state: one write to the API server instead of two. */
static const char *phase_after_sync(struct machine *m, struct handler_view *v, json_t **domain)
{
    json_decref(*domain);
    *domain = launcher_last_domain(m->launcher);
    v->domain = *domain;
    v->knowledge = *domain ? DOMAIN_KNOWN : DOMAIN_NONE;
    v->spec_is_synced = true;
    return handler_decide(v).phase;
}

static int settle(struct vmi_controller *c, struct machine *m, const json_t *vmi, int64_t *again_ms,
                  struct error *e)
{
    struct handler_view v = { .vmi = vmi };
    json_auto_t *domain = NULL;

    look(c, m, &v, &domain);
    struct handler_decision d = handler_decide(&v);
    log_debug("decided", "vmi", m->key, "action", handler_action_names[d.action], "why", d.why,
              "phase", d.phase);

    read_ips_if_due(c, m, &v);
    int r = act(c, m, &v, d.action, e);
    if (r == 1) {
        log_warn("machine cannot run here; it fails", "vmi", m->key, "why", e->msg);
        d.phase = "Failed";
    }
    if (d.action == HANDLER_SYNC) {
        note_sync_failure(c, m, vmi, r == 0 ? NULL : e->msg);
        if (r == 0)
            d.phase = phase_after_sync(m, &v, &domain);
    }

    struct error of_report;
    int64_t again = d.again_ms;
    int reported = vmi ? report(c, m, &v, d.phase, &again, &of_report) : 0;
    if (v.launcher == LAUNCHER_READY && !launcher_is_watched(m->launcher) &&
        (again == 0 || again > UNWATCHED_MS))
        again = UNWATCHED_MS;
    *again_ms = again;
    if (reported < 0) {
        *e = of_report;
        return reported;
    }
    if (d.action == HANDLER_CLEANUP)
        forget(c, m);
    return r < 0 ? r : 0;
}

/*
 * That the object is not in the list may have other reasons than its end (a CRD
 * that is being replaced): only the API server's word about this very name counts.
 */
static bool vmi_is_gone(struct vmi_controller *c, const struct machine *m)
{
    char ns[254], name[254];
    struct error e;
    json_auto_t *now = NULL;

    if (key_split(m->key, ns, name) < 0)
        return true;
    int r = kube_get(c->o.kube, &KIND_VMI, ns, name, &now, &e);
    if (r < 0)
        return r == -ERR_NOT_FOUND && strstr(e.msg, name);
    return !streq(meta_uid(now), m->uid);
}

static int reconcile(void *ctx, const char *key, int64_t *again_ms, struct error *e)
{
    struct vmi_controller *c = ctx;
    json_auto_t *vmi = informer_get(c->vmis, key);
    const char *uid = vmi ? meta_uid(vmi) : NULL;
    int64_t again_old_ms = 0;

    /* A machine of the same name whose object is gone is wound up by its record. */
    struct machine *old = machines_find_other(c->machines, key, uid);
    if (old && vmi_is_gone(c, old) && settle(c, old, NULL, &again_old_ms, e) < 0)
        log_warn("an old machine cannot be wound up; retried", "vmi", key, "why", e->msg);
    if (old && again_old_ms == 0)
        again_old_ms = UNWATCHED_MS;

    struct machine *m = vmi ? machine_of(c, key, vmi) : NULL;
    int r = m ? settle(c, m, vmi, again_ms, e) : 0;
    if (again_old_ms > 0 && (*again_ms == 0 || again_old_ms < *again_ms))
        *again_ms = again_old_ms;
    return r < 0 ? error_wrap(e, "vmi %s", key) : 0;
}

/* ---- life ---- */

static void on_vmi(const json_t *old, const json_t *obj, void *ctx)
{
    struct vmi_controller *c = ctx;
    scoped(free) char *key = meta_key(obj ? obj : old);

    workqueue_add(c->queue, key);
}

struct vmi_controller *vmi_controller_new(const struct vmi_options *o)
{
    struct vmi_controller *c = must_calloc(1, sizeof(*c));
    scoped(free) char *selector = must_asprintf("kubevirt.io/nodeName=%s", o->node);

    c->o = *o;
    c->queue = workqueue_new("virt-handler-vm");
    c->arrivals = arrivals_start(on_launcher_changed, c);
    c->machines = machines_new(o->records_dir);
    machines_read_records(c->machines, on_record, c);
    const struct informer_options i = {
        .kind = &KIND_VMI,
        .label_selector = selector,
        .on_event = on_vmi,
        .ctx = c,
        .resync_ms = o->resync_ms,
    };
    c->vmis = informer_start(o->kube, o->watcher, &i);
    return c;
}

void vmi_controller_start(struct vmi_controller *c)
{
    c->workers = workers_start(c->queue, c->o.workers, reconcile, c);
}

void vmi_controller_stop(struct vmi_controller *c)
{
    if (c->workers)
        workers_stop(c->workers);
    c->workers = NULL;
    informer_stop(c->vmis);
    arrivals_stop(c->arrivals);
    machines_free(c->machines);
}

void vmi_controller_free(struct vmi_controller *c)
{
    if (!c)
        return;
    workqueue_free(c->queue);
    free(c);
}

struct informer *vmi_controller_informer(struct vmi_controller *c)
{
    return c->vmis;
}

json_t *vmi_controller_get(struct vmi_controller *c, const char *key)
{
    return informer_get(c->vmis, key);
}

struct launcher *vmi_controller_launcher(struct vmi_controller *c, const char *uid)
{
    return machines_launcher(c->machines, uid);
}
