/* SPDX-License-Identifier: Apache-2.0 */
/* The KubeVirt object comes, changes and goes (spec 02, end of section 2). */
#include "base/jpath.h"
#include "base/must.h"
#include "base/scope.h"
#include "base/str.h"
#include "kube/client.h"
#include "webhooks/kubevirt_rules.h"
#include "webhooks/rules_vmi.h"
#include "webhooks/validators.h"

/* Is there an object of the kind in any namespace?  1 with its "ns/name" (new), 0 or -code. */
static int find_any(struct kube *k, const struct kube_kind *kind, char **ret_key, struct error *e)
{
    scoped(free) char *path = kube_path(kind, NULL, NULL, NULL);
    scoped(free) char *first = must_asprintf("%s?limit=1", path);
    json_auto_t *list = NULL;
    int r = kube_raw(k, HTTP_GET, first, NULL, &list, e);

    if (r == -ERR_NOT_FOUND) {
        *e = (struct error){ .code = ERR_NONE };
        return 0; /* no such kind, so none of it */
    }
    if (r < 0)
        return error_wrap(e, "look for %s", kind->plural);

    const json_t *item = json_array_get(jpath_arr(list, "items"), 0);
    if (item)
        *ret_key = meta_key(item);
    return item != NULL;
}

void validate_kubevirt_create(struct review *rv)
{
    scoped(free) char *key = NULL;

    check_schema(rv);
    if (findings_any(&rv->findings))
        return;
    if (find_any(rv->kube, &KIND_KUBEVIRT, &key, &rv->denied) > 0)
        error_set(&rv->denied, ERR_BAD_REQUEST,
                  "KubeVirt %s is already created, and there is one a cluster: change that one",
                  key);
}

void validate_kubevirt_delete(struct review *rv)
{
    static const struct kube_kind *const workloads[] = { &KIND_VMI, &KIND_VM, &KIND_VMIRS };

    if (!streq(jpath_str(rv->old, "spec.uninstallStrategy", ""), "BlockUninstallIfWorkloadsExist"))
        return;
    for (size_t i = 0; i < countof(workloads); i++) {
        scoped(free) char *key = NULL;
        int r = find_any(rv->kube, workloads[i], &key, &rv->denied);

        if (r > 0)
            error_set(&rv->denied, ERR_BAD_REQUEST,
                      "Rejecting the uninstall request, since %s %s is still there: delete all "
                      "machines first, or change spec.uninstallStrategy",
                      workloads[i]->kind, key);
        if (r != 0)
            return;
    }
}

/* ---- updates ---- */

/* Rows for places that are only looked at when they change: what is there may stay. */
static const struct {
    const char *path;
    const struct rule *rules;
} when_changed[] = {
    { "spec.configuration.tlsConfiguration", kubevirt_tls_rules },
    { "spec.configuration.seccompConfiguration", kubevirt_seccomp_rules },
    { "spec.infra.nodePlacement", kubevirt_infra_rules },
    { "spec.workloads.nodePlacement", kubevirt_workloads_rules },
};

static bool has_finding_at(const struct findings *f, const char *field)
{
    for (size_t i = 0; i < f->len; i++)
        if (streq(f->item[i].field, field))
            return true;
    return false;
}

/* "spec.configuration.x: what is wrong" of a configuration that cannot be used. */
static void report_unusable(struct review *rv, const struct error *e)
{
    const char *colon = strstr(e->msg, ": ");
    scoped(free) char *field = must_strndup(e->msg, colon ? (size_t)(colon - e->msg) : 0);

    if (!has_finding_at(&rv->findings, field))
        findings_add(&rv->findings, CAUSE_INVALID, field, "%s", colon ? colon + 2 : e->msg);
}

static void check_rules(struct review *rv)
{
    const struct at at = AT_NAME(NULL, "spec");
    struct cluster_config *wanted = NULL;
    struct error e = { 0 };
    int r = cluster_config_new(&wanted, rv->object, &e);
    /* Gates are those that the object itself asks for. */
    const struct subject s =
        subject_of(jpath_obj(rv->object, "spec"), &at, r < 0 ? rv->config : wanted, false);

    rules_run(kubevirt_rules, &s, &rv->findings);
    for (size_t i = 0; i < countof(when_changed); i++)
        if (review_is_changed(rv, when_changed[i].path))
            rules_run(when_changed[i].rules, &s, &rv->findings);
    if (r < 0)
        report_unusable(rv, &e);
    cluster_config_unref(wanted);
}

static void warn_of_gates(struct review *rv)
{
    static const char path[] = "spec.configuration.developerConfiguration.featureGates";
    size_t i;
    json_t *gate;

    if (!review_is_changed(rv, path))
        return;
    json_array_foreach(jpath_arr(rv->object, path), i, gate) {
        const char *why = cluster_config_gate_warning(json_string_value(gate));
        if (why)
            review_warn(rv, "feature gate %s %s", json_string_value(gate), why);
    }
}

static void warn_of_devices(struct review *rv)
{
    static const char path[] = "spec.configuration.mediatedDevicesConfiguration";
    static const char old[] = "mediatedDevicesTypes";
    const json_t *config = jpath_obj(rv->object, path);
    size_t i;
    json_t *node;

    if (jpath_has(config, old))
        review_warn(rv, "%s.%s is deprecated, use mediatedDeviceTypes", path, old);
    json_array_foreach(jpath_arr(config, "nodeMediatedDeviceTypes"), i, node)
        if (jpath_has(node, old))
            review_warn(rv,
                        "%s.nodeMediatedDeviceTypes[%zu].%s is deprecated, use mediatedDeviceTypes",
                        path, i, old);
}

void validate_kubevirt_update(struct review *rv)
{
    if (meta_is_deleting(rv->object))
        return; /* its finalizers must go, whatever it holds */
    check_schema(rv);
    if (findings_any(&rv->findings))
        return;
    check_rules(rv);
    warn_of_gates(rv);
    warn_of_devices(rv);
}
