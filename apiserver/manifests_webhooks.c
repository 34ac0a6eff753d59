/* SPDX-License-Identifier: Apache-2.0 */
/* The webhook configurations: which requests the API server asks virt-api about. */
#include "apiserver/manifests.h"

#include "base/must.h"
#include "base/scope.h"

enum { TIMEOUT_SECONDS = 10 };

struct hook {
    const char *name;
    const char *path;
    const char *resources[4]; /* of kubevirt.io, NULL-terminated */
    const char *operations[3];
};

// clang-format off
#define CREATE_ { "CREATE" }
#define UPDATE_ { "UPDATE" }
#define BOTH_   { "CREATE", "UPDATE" }

static const struct hook mutators[] = {
    { "virtualmachines-mutator.kubevirt.io",         "/virtualmachines-mutate",         { "virtualmachines" }, BOTH_ },
    { "virtualmachineinstances-mutator.kubevirt.io", "/virtualmachineinstances-mutate", { "virtualmachineinstances" }, BOTH_ },
    { "migrations-mutator.kubevirt.io",              "/migration-mutate-create",        { "virtualmachineinstancemigrations" }, CREATE_ },
};

static const struct hook validators[] = {
    { "virtualmachineinstances-create-validator.kubevirt.io", "/virtualmachineinstances-validate-create",
      { "virtualmachineinstances" }, CREATE_ },
    { "virtualmachineinstances-update-validator.kubevirt.io", "/virtualmachineinstances-validate-update",
      { "virtualmachineinstances" }, UPDATE_ },
    { "virtualmachine-validator.kubevirt.io", "/virtualmachines-validate",
      { "virtualmachines" }, BOTH_ },
    { "virtualmachinereplicaset-validator.kubevirt.io", "/virtualmachinereplicaset-validate",
      { "virtualmachineinstancereplicasets" }, BOTH_ },
    { "virtualmachinepreset-validator.kubevirt.io", "/vmipreset-validate",
      { "virtualmachineinstancepresets" }, BOTH_ },
    { "migration-create-validator.kubevirt.io", "/migration-validate-create",
      { "virtualmachineinstancemigrations" }, CREATE_ },
    { "migration-update-validator.kubevirt.io", "/migration-validate-update",
      { "virtualmachineinstancemigrations" }, UPDATE_ },
    { "kubevirt-crd-status-validator.kubevirt.io", "/status-validate",
      { "virtualmachines/status", "virtualmachineinstancereplicasets/status",
        "virtualmachineinstancemigrations/status" }, BOTH_ },
};
// clang-format on

static json_t *texts(const char *const *list)
{
    json_t *out = json_array();

    for (; *list; list++)
        must_append(out, json_string(*list));
    return out;
}

static json_t *hook_json(const struct hook *h)
{
    json_t *rule = must_pack("{s:[s], s:[s, s], s:o, s:o}", "apiGroups", "kubevirt.io",
                             "apiVersions", "v1alpha3", "v1", "resources", texts(h->resources),
                             "operations", texts(h->operations));

    /* virt-controller puts clientConfig.caBundle in and keeps it current. */
    return must_pack("{s:s, s:[s], s:s, s:s, s:i, s:{s:{s:s, s:s, s:s}}, s:[o]}", "name", h->name,
                     "admissionReviewVersions", "v1", "failurePolicy", "Fail", "sideEffects",
                     "None", "timeoutSeconds", TIMEOUT_SECONDS, "clientConfig", "service",
                     "namespace", MANIFEST_NAMESPACE, "name", "virt-api", "path", h->path, "rules",
                     rule);
}

static json_t *configuration(const char *kind, const char *name, const struct hook *hooks, size_t n)
{
    json_t *list = json_array();

    for (size_t i = 0; i < n; i++)
        must_append(list, hook_json(&hooks[i]));
    return must_pack("{s:s, s:s, s:{s:s, s:{s:s}, s:{s:s}}, s:o}", "apiVersion",
                     "admissionregistration.k8s.io/v1", "kind", kind, "metadata", "name", name,
                     "labels", "kubevirt.io", name, "annotations",
                     "certificates.kubevirt.io/secret", "kubevirt-virt-api-certs", "webhooks",
                     list);
}

json_t *manifests_webhooks(void)
{
    return must_pack("[o, o]",
                     configuration("MutatingWebhookConfiguration", "virt-api-mutator", mutators,
                                   countof(mutators)),
                     configuration("ValidatingWebhookConfiguration", "virt-api-validator",
                                   validators, countof(validators)));
}
