/* SPDX-License-Identifier: Apache-2.0 */
/* Where the pod may run: node selector and affinity from what the guest asks of its node. */
#include <string.h>

#include "base/jpath.h"
#include "base/must.h"
#include "base/scope.h"
#include "base/str.h"
#include "controller/render_parts.h"

static void want(json_t *selector, const char *label)
{
    must_set(selector, label, json_string("true"));
}

static void wantf(json_t *selector, const char *prefix, const char *what)
{
    scoped(free) char *label = must_asprintf("%s/%s", prefix, what);
    want(selector, label);
}

static bool is_host_model(const char *model)
{
    return !model[0] || streq(model, "host-model");
}

static void want_cpu(json_t *selector, const json_t *vmi)
{
    const char *model = jpath_str(vmi, "spec.domain.cpu.model", "");
    if (!is_host_model(model) && !streq(model, "host-passthrough"))
        wantf(selector, "cpu-model.node.kubevirt.io", model);

    size_t i;
    json_t *feature;
    json_array_foreach(jpath_arr(vmi, "spec.domain.cpu.features"), i, feature) {
        const char *policy = jpath_str(feature, "policy", "");
        if (!policy[0] || streq(policy, "require"))
            wantf(selector, "cpu-feature.node.kubevirt.io", jpath_str(feature, "name", ""));
    }
    if (jpath_bool(vmi, "spec.domain.cpu.dedicatedCpuPlacement", false))
        want(selector, "kubevirt.io/cpumanager");
    if (jpath_has(vmi, "spec.domain.cpu.realtime"))
        want(selector, "kubevirt.io/realtime");
}

static void want_security(json_t *selector, const json_t *vmi)
{
    static const struct {
        const char *path, *label;
    } rows[] = {
        { "spec.domain.launchSecurity.sev", "kubevirt.io/sev" },
        { "spec.domain.launchSecurity.sev.policy.encryptedState", "kubevirt.io/sev-es" },
        { "spec.domain.launchSecurity.snp", "kubevirt.io/sev-snp" },
        { "spec.domain.launchSecurity.tdx", "kubevirt.io/tdx" },
    };
    for (size_t i = 0; i < countof(rows); i++)
        if (jpath_has(vmi, rows[i].path))
            want(selector, rows[i].label);
    if (streq(vmi_arch(vmi), "s390x") && jpath_has(vmi, "spec.domain.launchSecurity"))
        want(selector, "kubevirt.io/s390-pv");
}

static void want_tsc(json_t *selector, const json_t *vmi)
{
    json_int_t hz = jpath_int(vmi, "status.topologyHints.tscFrequency", 0);
    if (hz <= 0)
        return;
    scoped(free) char *label =
        must_asprintf("scheduling.node.kubevirt.io/tsc-frequency-%lld", (long long)hz);
    want(selector, label);
}

json_t *render_node_selector(const struct pod_request *q)
{
    const json_t *vmi = q->vmi;
    json_t *selector = json_object();

    want(selector, "kubevirt.io/schedulable");
    must_set(selector, "kubernetes.io/arch", json_string(vmi_arch(vmi)));

    const char *machine = jpath_str(vmi, "spec.domain.machine.type", "");
    if (machine[0])
        wantf(selector, "machine-type.node.kubevirt.io", machine);
    want_cpu(selector, vmi);
    want_security(selector, vmi);
    want_tsc(selector, vmi);

    /* Later wins: the cluster's own, then the user's. */
    if (q->config->node_selectors)
        json_object_update(selector, (json_t *)q->config->node_selectors);
    json_object_update(selector, jpath_obj(vmi, "spec.nodeSelector"));
    return selector;
}

static json_t *must_not_have(const char *key)
{
    return must_pack("{s:s, s:s}", "key", key, "operator", "DoesNotExist");
}

/* Nodes that lack what the CPU description forbids, or whose host model is too old to promise. */
static json_t *forbidden_labels(const json_t *vmi)
{
    json_t *expressions = json_array();
    size_t i;
    json_t *feature;

    json_array_foreach(jpath_arr(vmi, "spec.domain.cpu.features"), i, feature) {
        if (!streq(jpath_str(feature, "policy", ""), "forbid"))
            continue;
        scoped(free) char *label =
            must_asprintf("cpu-feature.node.kubevirt.io/%s", jpath_str(feature, "name", ""));
        must_append(expressions, must_not_have(label));
    }
    if (is_host_model(jpath_str(vmi, "spec.domain.cpu.model", "")))
        must_append(expressions, must_not_have("node-labeller.kubevirt.io/obsolete-host-model"));
    return expressions;
}

json_t *render_affinity(const struct pod_request *q)
{
    const json_t *user = jpath_obj(q->vmi, "spec.affinity");
    json_auto_t *expressions = forbidden_labels(q->vmi);
    if (json_array_size(expressions) == 0)
        return user ? must_copy(user) : NULL;

    json_t *affinity = user ? must_copy(user) : json_object();
    json_t *terms = jpath_make_arr(
        affinity, "nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms");
    if (json_array_size(terms) == 0)
        must_append(terms, json_object());

    /* Terms are alternatives, so each of them must carry the demand. */
    size_t i;
    json_t *term;
    json_array_foreach(terms, i, term) {
        json_auto_t *copy = must_copy(expressions);
        json_array_extend(jpath_make_arr(term, "matchExpressions"), copy);
    }
    return affinity;
}
