/* SPDX-License-Identifier: Apache-2.0 */
/* The webhook configurations: which requests the API server asks virt-api about. */
#include "apiserver/manifests.h"

#include "base/must.h"
#include "base/scope.h"
#include "base/str.h"
#include "openapi/kinds.h"
#include "webhooks/hooks.h"

enum { TIMEOUT_SECONDS = 10 };

/* virt-controller puts clientConfig.caBundle in and keeps it current. */
static json_t *hook_json(const struct webhook *h)
{
    /* Of several kinds: they are all of one group. */
    const char *group = h->kind ? h->kind->group : kind_vm.group;
    json_t *rule = must_pack("{s:[s], s:o, s:o, s:o}", "apiGroups", group, "apiVersions",
                             manifest_words(h->versions), "resources", manifest_words(h->resources),
                             "operations", manifest_words(h->operations));
    json_t *hook =
        must_pack("{s:s, s:[s], s:s, s:s, s:i, s:{s:{s:s, s:s, s:s}}, s:[o]}", "name", h->name,
                  "admissionReviewVersions", "v1", "failurePolicy", "Fail", "sideEffects",
                  h->flags & HOOK_WRITES ? "NoneOnDryRun" : "None", "timeoutSeconds",
                  TIMEOUT_SECONDS, "clientConfig", "service", "namespace", MANIFEST_NAMESPACE,
                  "name", "virt-api", "path", h->path, "rules", rule);

    if (h->condition)
        must_set(hook, "matchConditions",
                 must_pack("[{s:s, s:s}]", "name", h->condition, "expression", h->expression));
    return hook;
}

static json_t *configuration(const char *kind, const char *name, unsigned flag)
{
    json_t *list = json_array();

    for (size_t i = 0; i < webhook_rows_len; i++)
        if ((webhook_rows[i].flags & HOOK_MUTATES) == flag)
            must_append(list, hook_json(&webhook_rows[i]));
    return must_pack("{s:s, s:s, s:{s:s, s:{s:s, s:s}, s:{s:s}}, s:o}", "apiVersion",
                     "admissionregistration.k8s.io/v1", "kind", kind, "metadata", "name", name,
                     "labels", "kubevirt.io", name, "app.kubernetes.io/managed-by", "cvirt",
                     "annotations", "certificates.kubevirt.io/secret", "kubevirt-virt-api-certs",
                     "webhooks", list);
}

json_t *manifests_webhooks(void)
{
    return must_pack(
        "[o, o]", configuration("MutatingWebhookConfiguration", "virt-api-mutator", HOOK_MUTATES),
        configuration("ValidatingWebhookConfiguration", "virt-api-validator", 0));
}
