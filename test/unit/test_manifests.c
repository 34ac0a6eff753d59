/* SPDX-License-Identifier: Apache-2.0 */
/* Who may do what, and what the API server asks: the objects that virt-gen writes. */
#include "apiserver/manifests.h"

#include "rows.h"

#include "base/jpath.h"
#include "base/str.h"
#include "subresources/routes.h"
#include "webhooks/hooks.h"

static const json_t *find_object(const json_t *objects, const char *kind, const char *name)
{
    size_t i;
    json_t *o;

    json_array_foreach(objects, i, o) {
        if (streq(jpath_str(o, "kind", ""), kind) && streq(meta_name(o), name))
            return o;
    }
    return NULL;
}

static bool list_has(const json_t *list, const char *word)
{
    size_t i;
    json_t *item;

    json_array_foreach(list, i, item) {
        if (streq(json_string_value(item), word) || streq(json_string_value(item), "*"))
            return true;
    }
    return false;
}

static bool role_allows(const json_t *role, const char *group, const char *resource,
                        const char *verb)
{
    size_t i;
    json_t *rule;

    json_array_foreach(jpath(role, "rules"), i, rule) {
        if (list_has(jpath(rule, "apiGroups"), group) &&
            list_has(jpath(rule, "resources"), resource) && list_has(jpath(rule, "verbs"), verb) &&
            !jpath_has(rule, "resourceNames"))
            return true;
    }
    return false;
}

#define SUB SUBRESOURCE_GROUP
#define VM "virtualmachines"
#define VMI "virtualmachineinstances"

// clang-format off
static const struct may_case {
    const char *name;
    const char *kind, *role; /* Role or ClusterRole */
    const char *group, *resource, *verb;
    bool may;
} cases[] = {
    { "viewers read machines", "ClusterRole", "kubevirt.io:view", "kubevirt.io", VM, "watch", true },
    { "viewers do not change them", "ClusterRole", "kubevirt.io:view", "kubevirt.io", VM, "patch", false },
    { "viewers see what the guest says", "ClusterRole", "kubevirt.io:view", SUB, VMI "/guestosinfo", "get", true },
    { "viewers open no console", "ClusterRole", "kubevirt.io:view", SUB, VMI "/console", "get", false },
    { "viewers stop nothing", "ClusterRole", "kubevirt.io:view", SUB, VM "/stop", "update", false },
    { "editors change machines", "ClusterRole", "kubevirt.io:edit", "kubevirt.io", VM, "delete", true },
    { "editors do not delete all at once", "ClusterRole", "kubevirt.io:edit", "kubevirt.io", VM, "deletecollection", false },
    { "editors open consoles", "ClusterRole", "kubevirt.io:edit", SUB, VMI "/console", "get", true },
    { "editors start machines", "ClusterRole", "kubevirt.io:edit", SUB, VM "/start", "update", true },
    { "editors take no pictures of screens", "ClusterRole", "kubevirt.io:edit", SUB, VMI "/vnc/screenshot", "get", false },
    { "editors only read migrations", "ClusterRole", "kubevirt.io:edit", "kubevirt.io", "virtualmachineinstancemigrations", "create", false },
    { "administrators take pictures", "ClusterRole", "kubevirt.io:admin", SUB, VMI "/vnc/screenshot", "get", true },
    { "administrators delete all at once", "ClusterRole", "kubevirt.io:admin", "kubevirt.io", VMI, "deletecollection", true },
    { "administrators do not touch the installation", "ClusterRole", "kubevirt.io:admin", "kubevirt.io", "kubevirts", "get", false },
    { "migrating is a role of its own", "ClusterRole", "kubevirt.io:migrate", "kubevirt.io", "virtualmachineinstancemigrations", "create", true },
    { "everyone asks for the version", "ClusterRole", "kubevirt.io:default", SUB, "version", "get", true },
    { "virt-api reads no secrets", "ClusterRole", "kubevirt-apiserver", "", "secrets", "get", false },
    { "nor in its own namespace", "Role", "kubevirt-apiserver", "", "secrets", "get", false },
    { "virt-api reads a pod that is to be evicted", "ClusterRole", "kubevirt-apiserver", "", "pods", "get", true },
    { "virt-api follows no pods elsewhere", "ClusterRole", "kubevirt-apiserver", "", "pods", "watch", false },
    { "virt-api looks whether replica sets are left", "ClusterRole", "kubevirt-apiserver", "kubevirt.io", "virtualmachineinstancereplicasets", "list", true },
    { "virt-api makes no pods", "ClusterRole", "kubevirt-apiserver", "", "pods", "create", false },
    { "virt-controller makes pods", "ClusterRole", "kubevirt-controller", "", "pods", "create", true },
    { "virt-controller keeps secrets at home", "Role", "kubevirt-controller", "", "secrets", "create", true },
    { "but reads none elsewhere", "ClusterRole", "kubevirt-controller", "", "secrets", "get", false },
    { "and changes only its own webhooks", "ClusterRole", "kubevirt-controller", "admissionregistration.k8s.io",
      "mutatingwebhookconfigurations", "patch", false },
    { "virt-handler labels nodes", "ClusterRole", "kubevirt-handler", "", "nodes", "patch", true },
    { "virt-handler deletes no machine", "ClusterRole", "kubevirt-handler", "kubevirt.io", VMI, "delete", false },
    { "virt-handler reads no pods", "ClusterRole", "kubevirt-handler", "", "pods", "list", false },
};
// clang-format on

static void may_or_not(void **state)
{
    const struct may_case *c = *state;
    json_auto_t *objects = manifests_rbac();
    const json_t *role = find_object(objects, c->kind, c->role);

    assert_non_null(role);
    assert_int_equal(role_allows(role, c->group, c->resource, c->verb), c->may);
}

/* Every binding names a role that is here or Kubernetes' own. */
static void bindings_have_roles(void **state)
{
    json_auto_t *objects = manifests_rbac();
    size_t i, n = 0;
    json_t *o;

    json_array_foreach(objects, i, o) {
        const char *role = jpath_str(o, "roleRef.name", NULL);
        if (!role)
            continue;
        n++;
        if (!str_has_prefix(role, "system:") && !str_has_prefix(role, "extension-"))
            assert_non_null(find_object(objects, jpath_str(o, "roleRef.kind", ""), role));
    }
    assert_true(n >= 8);
}

static void no_rule_is_empty(void **state)
{
    json_auto_t *objects = manifests_rbac();
    size_t i, j;
    json_t *o, *rule;

    json_array_foreach(objects, i, o) {
        json_array_foreach(jpath(o, "rules"), j, rule) {
            assert_true(json_array_size(jpath(rule, "apiGroups")) > 0);
            assert_true(json_array_size(jpath(rule, "resources")) > 0);
            assert_true(json_array_size(jpath(rule, "verbs")) > 0);
        }
    }
}

static void webhooks_ask_as_agreed(void **state)
{
    json_auto_t *objects = manifests_webhooks();
    json_auto_t *names = json_object();
    size_t i, j;
    json_t *o, *hook;

    assert_int_equal(json_array_size(objects), 2);
    json_array_foreach(objects, i, o) {
        json_array_foreach(jpath(o, "webhooks"), j, hook) {
            const char *name = jpath_str(hook, "name", "");
            assert_null(json_object_get(names, name));
            must_set(names, name, json_true());
            assert_int_equal(jpath_int(hook, "timeoutSeconds", 0), 10);
            assert_string_equal(jpath_str(hook, "failurePolicy", ""), "Fail");
            bool is_eviction = streq(jpath_str(hook, "rules[0].resources[0]", ""), "pods/eviction");
            assert_string_equal(jpath_str(hook, "sideEffects", ""),
                                is_eviction ? "NoneOnDryRun" : "None");
            /* Evictions of others' pods must never wait for virt-api. */
            assert_int_equal(jpath_has(hook, "matchConditions[0].expression"), is_eviction);
            assert_int_equal(jpath_str(hook, "clientConfig.service.path", "")[0], '/');
            assert_true(json_array_size(jpath(hook, "rules[0].operations")) > 0);
            assert_true(json_array_size(jpath(hook, "rules[0].resources")) > 0);
        }
    }
    assert_int_equal(json_object_size(names), webhook_rows_len);
}

int main(void)
{
    const struct CMUnitTest others[] = {
        cmocka_unit_test(bindings_have_roles),
        cmocka_unit_test(no_rule_is_empty),
        cmocka_unit_test(webhooks_ask_as_agreed),
    };
    return RUN_ROWS("may", cases, may_or_not) +
           cmocka_run_group_tests_name("manifests", others, NULL, NULL);
}
