/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Evictions of pods that hold a machine (spec 02, section 7).  A machine that is to migrate is
 * marked with the node it leaves, and the eviction is refused for now: who drains the node asks
 * again until the machine is gone.  Any other pod is none of our business.
 */
#include "base/jpatch.h"
#include "base/jpath.h"
#include "base/log.h"
#include "base/must.h"
#include "base/scope.h"
#include "base/str.h"
#include "kube/client.h"
#include "openapi/machine.h"
#include "webhooks/validators.h"

static bool is_dry_run(const struct review *rv)
{
    size_t i;
    json_t *word;

    json_array_foreach(jpath_arr(rv->object, "deleteOptions.dryRun"), i, word)
        if (streq(json_string_value(word), "All"))
            return true;
    return rv->is_dry_run;
}

/*
 * The pod of that name; NULL when there is nothing to protect.  When that cannot be told, the
 * eviction has been refused.
 */
static json_t *find_pod(struct review *rv, const char *name)
{
    json_t *pod = NULL;
    struct error e = { 0 };
    int r = kube_get(rv->kube, &KIND_POD, rv->namespace, name, &pod, &e);

    if (error_is_unanswered(r))
        error_set(&rv->denied, ERR_TOO_MANY, "cannot read pod %s, try again: %s", name, e.msg);
    else if (r < 0 && r != -ERR_NOT_FOUND)
        log_warn("cannot read a pod that is to be evicted, letting it go", "ns", rv->namespace,
                 "name", name, "error", e.msg);
    return pod;
}

/* The instance that a launcher's pod runs; as find_pod. */
static json_t *find_instance(struct review *rv, const json_t *launcher)
{
    const char *name = meta_annotation(launcher, "kubevirt.io/domain");
    json_t *vmi = NULL;
    struct error e = { 0 };

    if (!name || !is_dns_subdomain(name))
        return NULL;
    int r = kube_get(rv->kube, &KIND_VMI, rv->namespace, name, &vmi, &e);
    if (r < 0 && r != -ERR_NOT_FOUND)
        error_set(&rv->denied, ERR_TOO_MANY, "cannot read VMI %s, try again: %s", name, e.msg);
    return vmi;
}

/* ---- launchers ---- */

enum step { STEP_ALLOW, STEP_REFUSE, STEP_MARK };

static enum step step_of(const char *strategy, bool is_migratable)
{
    if (streq(strategy, "LiveMigrate"))
        return is_migratable ? STEP_MARK : STEP_REFUSE;
    if (streq(strategy, "LiveMigrateIfPossible"))
        return is_migratable ? STEP_MARK : STEP_ALLOW;
    return streq(strategy, "External") ? STEP_MARK : STEP_ALLOW;
}

static json_t *mark_patch(const struct review *rv, const json_t *vmi, const char *node)
{
    static const char source[] = "descheduler";
    const char *by = meta_annotation(rv->object, "requested-by");
    json_t *patch = json_array();

    jpatch_test(patch, "/metadata/uid", json_string(meta_uid(vmi)));
    jpatch_add(patch, "/status/evacuationNodeName", json_string(node));
    if (!streq(by, "sigs.k8s.io/descheduler"))
        return patch;
    if (jpath_obj(vmi, "metadata.annotations"))
        jpatch_add(patch, "/metadata/annotations/kubevirt.io~1eviction-source",
                   json_string(source));
    else
        jpatch_add(patch, "/metadata/annotations",
                   must_pack("{s:s}", "kubevirt.io/eviction-source", source));
    return patch;
}

static void mark(struct review *rv, const json_t *pod, const json_t *vmi)
{
    const char *ns = meta_namespace(vmi), *name = meta_name(vmi);
    const char *node = jpath_str(pod, "spec.nodeName", "");
    struct error e = { 0 };

    if (*jpath_str(vmi, "status.evacuationNodeName", "")) {
        error_set(&rv->denied, ERR_TOO_MANY,
                  "Evacuation in progress: Eviction triggered evacuation of VMI \"%s/%s\"", ns,
                  name);
        return;
    }
    if (!*node || !streq(node, jpath_str(vmi, "status.nodeName", ""))) {
        error_set(&rv->denied, ERR_TOO_MANY, "Eviction request for target Pod");
        return;
    }

    json_auto_t *patch = mark_patch(rv, vmi, node);
    int r = kube_patch(rv->kube, &KIND_VMI, ns, name, NULL, KUBE_PATCH_JSON, patch,
                       is_dry_run(rv) ? "dryRun=All" : NULL, NULL, &e);
    if (r < 0)
        error_set(&rv->denied, ERR_TOO_MANY, "cannot mark VMI \"%s/%s\" for evacuation: %s", ns,
                  name, e.msg);
    else
        error_set(&rv->denied, ERR_TOO_MANY, "Eviction triggered evacuation of VMI \"%s/%s\"", ns,
                  name);
}

static void evict_launcher(struct review *rv, const json_t *pod)
{
    json_auto_t *vmi =
        phase_is_final(jpath_str(pod, "status.phase", "")) ? NULL : find_instance(rv, pod);
    if (!vmi)
        return;

    const char *strategy = jpath_str(vmi, "spec.evictionStrategy", rv->config->eviction_strategy);
    switch (step_of(strategy, condition_is_true(vmi, "LiveMigratable"))) {
    case STEP_ALLOW:
        break;
    case STEP_REFUSE:
        error_set(&rv->denied, ERR_TOO_MANY,
                  "VMI \"%s/%s\" has the eviction strategy %s but cannot migrate: stop it, or set "
                  "LiveMigrateIfPossible",
                  meta_namespace(vmi), meta_name(vmi), strategy);
        break;
    case STEP_MARK:
        mark(rv, pod, vmi);
        break;
    }
}

/* ---- pods that hold added volumes ---- */

/* Stays as long as the launcher that it serves. */
static void evict_attachment(struct review *rv, const json_t *pod)
{
    const json_t *owners = jpath_arr(pod, "metadata.ownerReferences");
    const json_t *owner = json_array_get(owners, 0);

    if (json_array_size(owners) != 1 || !streq(jpath_str(owner, "kind", ""), "Pod"))
        return;
    json_auto_t *launcher = find_pod(rv, jpath_str(owner, "name", ""));
    if (!launcher || phase_is_final(jpath_str(launcher, "status.phase", "")) ||
        !streq(meta_uid(launcher), jpath_str(owner, "uid", "")))
        return;
    json_auto_t *vmi = find_instance(rv, launcher);
    if (vmi)
        error_set(&rv->denied, ERR_TOO_MANY,
                  "pod %s holds volumes of VMI \"%s/%s\": it goes with pod %s", meta_name(pod),
                  meta_namespace(vmi), meta_name(vmi), meta_name(launcher));
}

void validate_eviction(struct review *rv)
{
    static const struct {
        const char *prefix; /* of the pod's name: the cheap question first */
        const char *label;  /* kubevirt.io */
        void (*evict)(struct review *rv, const json_t *pod);
    } rows[] = {
        { "virt-launcher", "virt-launcher", evict_launcher },
        { "hp-volume-", "hotplug-disk", evict_attachment },
    };
    const char *name = jpath_str(rv->request, "name", meta_name(rv->object));
    size_t i = 0;

    while (i < countof(rows) && !str_has_prefix(name, rows[i].prefix))
        i++;
    if (i == countof(rows) || !is_dns_subdomain(name))
        return;

    json_auto_t *pod = find_pod(rv, name);
    if (pod && streq(meta_label(pod, "kubevirt.io"), rows[i].label))
        rows[i].evict(rv, pod);
}
