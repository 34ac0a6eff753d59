/* SPDX-License-Identifier: Apache-2.0 */
/* What kubectl, client-go and the aggregator read first. */
#include "apiserver/discovery.h"

#include "apiserver/local.h"
#include "base/jpath.h"
#include "base/str.h"
#include "subresources/routes.h"
#include "test/unit/rows.h"

static void root_lists_what_is_served(void **state)
{
    json_auto_t *root = discovery_root_paths();
    const json_t *paths = json_object_get(root, "paths");

    assert_int_equal(json_array_size(paths), local_routes_len);
    for (size_t i = 0; i < local_routes_len; i++) {
        assert_string_equal(json_string_value(json_array_get(paths, i)), local_routes[i].path);
        assert_true(strlen(local_routes[i].doc) > 5);
        assert_non_null(local_routes[i].serve);
        for (size_t j = 0; j < i; j++)
            assert_string_not_equal(local_routes[i].path, local_routes[j].path);
    }
}

#define GROUP_BODY                                                                      \
    "'name':'subresources.kubevirt.io','versions':["                                    \
    "{'groupVersion':'subresources.kubevirt.io/v1','version':'v1'},"                    \
    "{'groupVersion':'subresources.kubevirt.io/v1alpha3','version':'v1alpha3'}],"       \
    "'preferredVersion':{'groupVersion':'subresources.kubevirt.io/v1','version':'v1'}," \
    "'serverAddressByClientCIDRs':[{'clientCIDR':'0.0.0.0/0','serverAddress':''}]"

static void group_is_spelt_right(void **state)
{
    json_auto_t *got = discovery_group();
    json_auto_t *want = json_q("{'kind':'APIGroup','apiVersion':'v1'," GROUP_BODY "}");

    assert_json(got, want);
}

static void group_list_holds_the_group(void **state)
{
    json_auto_t *got = discovery_group_list();
    json_auto_t *want =
        json_q("{'kind':'APIGroupList','apiVersion':'v1','groups':[{" GROUP_BODY "}]}");

    assert_json(got, want);
}

static void every_resource_has_kind_and_verbs(void **state)
{
    for (size_t v = 0; v < SUBRESOURCE_VERSION_COUNT; v++) {
        json_auto_t *list = discovery_resources(subresource_versions[v]);
        scoped(free) char *gv =
            must_asprintf("subresources.kubevirt.io/%s", subresource_versions[v]);
        const json_t *resources = json_object_get(list, "resources");
        size_t i;
        json_t *item;

        assert_string_equal(jpath_str(list, "kind", ""), "APIResourceList");
        assert_string_equal(jpath_str(list, "apiVersion", ""), "v1");
        assert_string_equal(jpath_str(list, "groupVersion", ""), gv);
        assert_int_equal(json_array_size(resources), subresource_routes_len);
        json_array_foreach(resources, i, item) {
            scoped(free) char *name = route_resource(&subresource_routes[i]);

            assert_string_equal(jpath_str(item, "name", ""), name);
            assert_true(str_has_prefix(jpath_str(item, "kind", ""), "VirtualMachine"));
            assert_true(jpath_bool(item, "namespaced", false));
            assert_true(json_array_size(json_object_get(item, "verbs")) > 0);
            assert_true(json_is_string(json_object_get(item, "singularName")));
        }
    }
}

static void aggregated_form_names_all_resources(void **state)
{
    json_auto_t *got = discovery_aggregated("apidiscovery.k8s.io/v2");
    size_t subresources = 0;

    assert_string_equal(jpath_str(got, "kind", ""), "APIGroupDiscoveryList");
    assert_string_equal(jpath_str(got, "apiVersion", ""), "apidiscovery.k8s.io/v2");
    assert_string_equal(jpath_str(got, "items[0].metadata.name", ""), "subresources.kubevirt.io");
    const json_t *versions = jpath_arr(got, "items[0].versions");
    assert_int_equal(json_array_size(versions), SUBRESOURCE_VERSION_COUNT);
    for (size_t v = 0; v < json_array_size(versions); v++) {
        const json_t *version = json_array_get(versions, v);
        const json_t *resources = json_object_get(version, "resources");
        size_t i, j;
        json_t *resource, *sub;

        assert_string_equal(jpath_str(version, "version", ""), subresource_versions[v]);
        assert_string_equal(jpath_str(version, "freshness", ""), "Current");
        assert_int_equal(json_array_size(resources), 3);
        json_array_foreach(resources, i, resource) {
            subresources += json_array_size(json_object_get(resource, "verbs")) > 0;
            assert_string_equal(jpath_str(resource, "scope", ""), "Namespaced");
            assert_true(*jpath_str(resource, "resource", "") != '\0');
            assert_true(*jpath_str(resource, "singularResource", "") != '\0');
            json_array_foreach(json_object_get(resource, "subresources"), j, sub) {
                subresources++;
                assert_true(json_array_size(json_object_get(sub, "verbs")) > 0);
                assert_true(*jpath_str(sub, "responseKind.kind", "") != '\0');
            }
        }
    }
    assert_int_equal(subresources, subresource_routes_len * SUBRESOURCE_VERSION_COUNT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(root_lists_what_is_served),
        cmocka_unit_test(group_is_spelt_right),
        cmocka_unit_test(group_list_holds_the_group),
        cmocka_unit_test(every_resource_has_kind_and_verbs),
        cmocka_unit_test(aggregated_form_names_all_resources),
    };

    return cmocka_run_group_tests_name("discovery", tests, NULL, NULL);
}
