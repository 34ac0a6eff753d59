/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Roles.  What users may do follows from the kinds' and the subresources'
 * tables; what the programs may do is listed here, no more than they use.
 */
#include "apiserver/manifests.h"

#include <string.h>

#include "base/must.h"
#include "base/scope.h"
#include "base/str.h"
#include "openapi/kinds.h"
#include "subresources/routes.h"

#define READ "get list watch"
#define WRITE "get delete create update patch list watch"
#define OWN WRITE " deletecollection"

json_t *manifest_words(const char *text)
{
    json_t *out = json_array();

    while (*text) {
        const size_t len = strcspn(text, " ");
        must_append(out, json_stringn(text, len));
        text += len + (text[len] == ' ');
    }
    if (!json_array_size(out))
        must_append(out, json_string("")); /* the core group */
    return out;
}

static json_t *policy_rule(const char *groups, const char *resources, const char *verbs)
{
    return must_pack("{s:o, s:o, s:o}", "apiGroups", manifest_words(groups), "resources",
                     manifest_words(resources), "verbs", manifest_words(verbs));
}

static json_t *object(const char *api_version, const char *kind, const char *name,
                      const char *namespace)
{
    json_t *o = must_pack("{s:s, s:s, s:{s:s, s:{s:s}}}", "apiVersion", api_version, "kind", kind,
                          "metadata", "name", name, "labels", "kubevirt.io", "");

    if (namespace)
        must_set(json_object_get(o, "metadata"), "namespace", json_string(namespace));
    return o;
}

static json_t *role_object(const char *name, const char *namespace, json_t *rules)
{
    json_t *o =
        object("rbac.authorization.k8s.io/v1", namespace ? "Role" : "ClusterRole", name, namespace);

    must_set(o, "rules", rules);
    return o;
}

static json_t *role_ref(const char *kind, const char *name)
{
    return must_pack("{s:s, s:s, s:s}", "apiGroup", "rbac.authorization.k8s.io", "kind", kind,
                     "name", name);
}

/* ---- the programs ---- */

struct grant {
    const char *account;
    bool is_namespaced; /* only in the installation's namespace */
    const char *groups, *resources, *verbs;
    const char *names; /* only these objects, or NULL */
};

#define API "kubevirt-apiserver"
#define CONTROLLER "kubevirt-controller"
#define HANDLER "kubevirt-handler"

#define WEBHOOK_NAMES "virt-api-mutator virt-api-validator"
#define APISERVICE_NAMES "v1.subresources.kubevirt.io v1alpha3.subresources.kubevirt.io"

// clang-format off
#define EVERYWHERE(a, g, r, v, ...) { .account = a, .groups = g, .resources = r, .verbs = v, ##__VA_ARGS__ }
#define AT_HOME(a, g, r, v)         EVERYWHERE(a, g, r, v, .is_namespaced = true)

static const struct grant grants[] = {
    EVERYWHERE(API, "kubevirt.io", "virtualmachines virtualmachineinstances", "get list watch patch update"),
    EVERYWHERE(API, "kubevirt.io", "virtualmachines/status", "patch"),
    EVERYWHERE(API, "kubevirt.io", "virtualmachineinstancemigrations", "create get list watch patch"),
    EVERYWHERE(API, "kubevirt.io", "virtualmachineinstancepresets kubevirts", READ),
    EVERYWHERE(API, "instancetype.kubevirt.io", "virtualmachineinstancetypes virtualmachineclusterinstancetypes "
                  "virtualmachinepreferences virtualmachineclusterpreferences", READ),
    EVERYWHERE(API, "kubevirt.io", "virtualmachineinstancereplicasets", "list"),
    EVERYWHERE(API, "", "nodes pods persistentvolumeclaims", "get"),
    EVERYWHERE(API, "", "pods", "list"), /* a machine's pod, to forward ports to */
    EVERYWHERE(API, "apps", "controllerrevisions", "get"),
    EVERYWHERE(API, "cdi.kubevirt.io", "datavolumes datasources", "get"),
    EVERYWHERE(API, "snapshot.storage.k8s.io", "volumesnapshots", "get"),
    EVERYWHERE(API, "apiextensions.k8s.io", "customresourcedefinitions", "get"),
    AT_HOME(API, "", "configmaps pods", READ),

    EVERYWHERE(CONTROLLER, "kubevirt.io", "*", "*"),
    EVERYWHERE(CONTROLLER, "", "pods", "get list watch delete update create patch"),
    EVERYWHERE(CONTROLLER, "", "pods/finalizers", "update"),
    EVERYWHERE(CONTROLLER, "", "pods/status", "patch"),
    EVERYWHERE(CONTROLLER, "", "events", "create update patch"),
    EVERYWHERE(CONTROLLER, "", "nodes", "get list watch update patch"),
    EVERYWHERE(CONTROLLER, "", "namespaces", READ " patch"),
    EVERYWHERE(CONTROLLER, "", "persistentvolumeclaims", "get list watch create update delete patch"),
    EVERYWHERE(CONTROLLER, "", "resourcequotas limitranges", "list watch"),
    EVERYWHERE(CONTROLLER, "apps", "controllerrevisions", "get list watch create update delete"),
    EVERYWHERE(CONTROLLER, "policy", "poddisruptionbudgets", "get list watch create patch delete"),
    EVERYWHERE(CONTROLLER, "instancetype.kubevirt.io", "virtualmachineinstancetypes virtualmachineclusterinstancetypes "
                         "virtualmachinepreferences virtualmachineclusterpreferences", READ),
    EVERYWHERE(CONTROLLER, "apiextensions.k8s.io", "customresourcedefinitions", READ),
    EVERYWHERE(CONTROLLER, "apiregistration.k8s.io", "apiservices", "list watch"),
    EVERYWHERE(CONTROLLER, "apiregistration.k8s.io", "apiservices", "get update patch", .names = APISERVICE_NAMES),
    EVERYWHERE(CONTROLLER, "admissionregistration.k8s.io",
                         "mutatingwebhookconfigurations validatingwebhookconfigurations", "list watch"),
    EVERYWHERE(CONTROLLER, "admissionregistration.k8s.io",
                         "mutatingwebhookconfigurations validatingwebhookconfigurations", "get update patch", .names = WEBHOOK_NAMES),
    AT_HOME(CONTROLLER, "", "secrets configmaps", "get list watch create update patch"),
    AT_HOME(CONTROLLER, "coordination.k8s.io", "leases", "get list watch create update patch delete"),

    EVERYWHERE(HANDLER, "kubevirt.io", "virtualmachineinstances", "get list watch update patch"),
    EVERYWHERE(HANDLER, "kubevirt.io", "kubevirts", READ),
    EVERYWHERE(HANDLER, "", "nodes", "get list watch patch"),
    EVERYWHERE(HANDLER, "", "events", "create patch"),
    AT_HOME(HANDLER, "", "configmaps", READ),
};
// clang-format on

static json_t *grant_rule(const struct grant *g)
{
    json_t *rule = policy_rule(g->groups, g->resources, g->verbs);

    if (g->names)
        must_set(rule, "resourceNames", manifest_words(g->names));
    return rule;
}

static json_t *account_rules(const char *account, bool is_namespaced)
{
    json_t *rules = json_array();

    for (size_t i = 0; i < countof(grants); i++) {
        if (streq(grants[i].account, account) && grants[i].is_namespaced == is_namespaced)
            must_append(rules, grant_rule(&grants[i]));
    }
    return rules;
}

/* `role` is bound to the account in `namespace`, NULL for everywhere. */
static json_t *account_binding(const char *name, const char *role_kind, const char *role,
                               const char *account, const char *namespace)
{
    json_t *o = object("rbac.authorization.k8s.io/v1",
                       namespace ? "RoleBinding" : "ClusterRoleBinding", name, namespace);

    must_set(o, "roleRef", role_ref(role_kind, role));
    must_set(o, "subjects",
             must_pack("[{s:s, s:s, s:s}]", "kind", "ServiceAccount", "name", account, "namespace",
                       MANIFEST_NAMESPACE));
    return o;
}

static void add_account(const char *account, json_t *out)
{
    must_append(out, object("v1", "ServiceAccount", account, MANIFEST_NAMESPACE));
    must_append(out, role_object(account, NULL, account_rules(account, false)));
    must_append(out, account_binding(account, "ClusterRole", account, account, NULL));
    must_append(out, role_object(account, MANIFEST_NAMESPACE, account_rules(account, true)));
    must_append(out, account_binding(account, "Role", account, account, MANIFEST_NAMESPACE));
}

/* What every aggregated API server needs: ask who may do what, and read whom to believe. */
static void add_aggregation(json_t *out)
{
    must_append(out, account_binding("kubevirt-apiserver-auth-delegator", "ClusterRole",
                                     "system:auth-delegator", API, NULL));
    must_append(out,
                account_binding("kubevirt-apiserver-auth-reader", "Role",
                                "extension-apiserver-authentication-reader", API, "kube-system"));
}

/* ---- users ---- */

enum level { LEVEL_VIEW, LEVEL_EDIT, LEVEL_ADMIN, LEVEL_COUNT };

static const char *const level_names[] = { "view", "edit", "admin" };

/* Kinds that are not simply read by viewers and written by editors. */
static const struct {
    const struct kind *kind;
    const char *verbs[LEVEL_COUNT];
} kind_exceptions[] = {
    { &kind_migration, { READ, READ, READ } }, /* see kubevirt.io:migrate */
    { &kind_kubevirt, { "get list", "get list", NULL } },
};

static const char *kind_verbs(const struct kind *k, enum level level)
{
    static const char *const usual[] = { READ, WRITE, OWN };

    for (size_t i = 0; i < countof(kind_exceptions); i++) {
        if (kind_exceptions[i].kind == k)
            return kind_exceptions[i].verbs[level];
    }
    return usual[level];
}

/* Subresources whose level does not follow from being a read, a write or a stream. */
static const struct {
    const char *subresource;
    enum level lowest; /* LEVEL_COUNT: none of the three */
} route_exceptions[] = {
    { "vnc/screenshot", LEVEL_ADMIN },      { "vsock", LEVEL_COUNT },   { "backup", LEVEL_COUNT },
    { "redefine-checkpoint", LEVEL_COUNT }, { "migrate", LEVEL_COUNT }, { "", LEVEL_VIEW },
};

static enum level route_level(const struct route *r)
{
    for (size_t i = 0; i < countof(route_exceptions); i++) {
        if (streq(route_exceptions[i].subresource, r->subresource))
            return route_exceptions[i].lowest;
    }
    return r->method == HTTP_GET && r->flow == ROUTE_CALL ? LEVEL_VIEW : LEVEL_EDIT;
}

static json_t *route_rule(const struct route *r)
{
    scoped(free) char *resource = route_resource(r);

    return policy_rule(SUBRESOURCE_GROUP, resource, route_verb(r));
}

static json_t *level_rules(enum level level)
{
    json_t *rules = json_array();

    for (size_t i = 0; i < all_kinds_len; i++) {
        const char *verbs = kind_verbs(all_kinds[i], level);
        if (verbs)
            must_append(rules, policy_rule(all_kinds[i]->group, all_kinds[i]->plural, verbs));
    }
    for (size_t i = 0; i < subresource_routes_len; i++) {
        if (route_level(&subresource_routes[i]) <= level)
            must_append(rules, route_rule(&subresource_routes[i]));
    }
    return rules;
}

/* Part of Kubernetes' own view, edit and admin. */
static void add_level(enum level level, json_t *out)
{
    scoped(free) char *name = must_asprintf("kubevirt.io:%s", level_names[level]);
    scoped(free) char *label =
        must_asprintf("rbac.authorization.k8s.io/aggregate-to-%s", level_names[level]);
    json_t *role = role_object(name, NULL, level_rules(level));

    must_set(json_object_get(json_object_get(role, "metadata"), "labels"), label,
             json_string("true"));
    must_append(out, role);
}

/* A role that everyone who is known has. */
static void add_for_everyone(const char *name, json_t *rules, json_t *out)
{
    json_t *role = role_object(name, NULL, rules);
    json_t *binding = object("rbac.authorization.k8s.io/v1", "ClusterRoleBinding", name, NULL);

    must_set(binding, "roleRef", role_ref("ClusterRole", name));
    must_set(binding, "subjects",
             must_pack("[{s:s, s:s, s:s}]", "apiGroup", "rbac.authorization.k8s.io", "kind",
                       "Group", "name", "system:authenticated"));
    must_append(out, role);
    must_append(out, binding);
}

static void add_users(json_t *out)
{
    add_for_everyone("kubevirt.io:default",
                     must_pack("[o, o]", policy_rule("kubevirt.io", "kubevirts", "get list"),
                               policy_rule(SUBRESOURCE_GROUP, "version guestfs ui", "get list")),
                     out);
    add_for_everyone("instancetype.kubevirt.io:view",
                     must_pack("[o]", policy_rule("instancetype.kubevirt.io",
                                                  "virtualmachineclusterinstancetypes "
                                                  "virtualmachineclusterpreferences",
                                                  READ)),
                     out);
    for (enum level level = LEVEL_VIEW; level < LEVEL_COUNT; level++)
        add_level(level, out);

    json_t *migrate =
        must_pack("[o, o]", policy_rule(SUBRESOURCE_GROUP, "virtualmachines/migrate", "update"),
                  policy_rule("kubevirt.io", "virtualmachineinstancemigrations", OWN));
    must_append(out, role_object("kubevirt.io:migrate", NULL, migrate));
}

json_t *manifests_rbac(void)
{
    json_t *out = json_array();

    add_account(API, out);
    add_aggregation(out);
    add_account(CONTROLLER, out);
    add_account(HANDLER, out);
    add_users(out);
    return out;
}
