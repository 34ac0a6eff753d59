/* SPDX-License-Identifier: Apache-2.0 */
/* Which paths are subresources, and that every row is whole. */
#include "subresources/routes.h"

#include "apiserver/discovery.h"
#include "apiserver/openapi_doc.h"
#include "base/jpath.h"
#include "base/str.h"
#include "test/unit/rows.h"

#define S "/apis/subresources.kubevirt.io"

static const struct row {
    const char *name;
    enum http_method method;
    const char *path;
    int found;
    const char *subresource; /* of the route; NULL: the method is not served */
    const char *object;
} rows[] = {
    { "start of v1", HTTP_PUT, S "/v1/namespaces/ns/virtualmachines/vm/start", 1, "start", "vm" },
    { "start of v1alpha3", HTTP_PUT, S "/v1alpha3/namespaces/ns/virtualmachines/vm/start", 1,
      "start", "vm" },
    { "a trailing slash", HTTP_PUT, S "/v1/namespaces/ns/virtualmachines/vm/start/", 1, "start",
      "vm" },
    { "two trailing slashes", HTTP_PUT, S "/v1/namespaces/ns/virtualmachines/vm/start//", 0, NULL,
      NULL },
    { "two parts", HTTP_GET, S "/v1/namespaces/ns/virtualmachineinstances/vm/vnc/screenshot", 1,
      "vnc/screenshot", "vm" },
    { "percent-encoded", HTTP_GET, S "/v1/namespaces/ns/virtualmachineinstances/a%2Eb/console", 1,
      "console", "a.b" },
    { "an encoded slash does not make a part", HTTP_GET,
      S "/v1/namespaces/ns/virtualmachineinstances/a%2Fconsole/console", 0, NULL, NULL },
    { "another method: not served, but known", HTTP_POST,
      S "/v1/namespaces/ns/virtualmachines/vm/start", 1, NULL, "vm" },
    { "start of an instance", HTTP_PUT, S "/v1/namespaces/ns/virtualmachineinstances/vm/start", 0,
      NULL, NULL },
    { "another version", HTTP_PUT, S "/v2/namespaces/ns/virtualmachines/vm/start", 0, NULL, NULL },
    { "another group", HTTP_PUT, "/apis/kubevirt.io/v1/namespaces/ns/virtualmachines/vm/start", 0,
      NULL, NULL },
    { "no name", HTTP_PUT, S "/v1/namespaces/ns/virtualmachines//start", 0, NULL, NULL },
    { "a name that is none", HTTP_PUT, S "/v1/namespaces/ns/virtualmachines/A_B/start", 0, NULL,
      NULL },
    { "a namespace that is none", HTTP_PUT, S "/v1/namespaces/N.S/virtualmachines/vm/start", 0,
      NULL, NULL },
    { "bytes that are no text", HTTP_PUT, S "/v1/namespaces/ns/virtualmachines/%ff%00/start", 0,
      NULL, NULL },
    { "no subresource", HTTP_GET, S "/v1/namespaces/ns/virtualmachines/vm", 0, NULL, NULL },
    { "an unknown one", HTTP_GET, S "/v1/namespaces/ns/virtualmachines/vm/nothing", 0, NULL, NULL },
};

static void matches(void **state)
{
    const struct row *c = *state;
    struct route_match m;

    assert_int_equal(route_match(c->method, c->path, &m), c->found);
    if (!c->found)
        return;
    assert_string_equal(m.name, c->object);
    assert_string_equal(m.namespace, "ns");
    if (c->subresource)
        assert_string_equal(m.route->subresource, c->subresource);
    else
        assert_null(m.route);
    assert_true(m.allow[0] != '\0');
}

static void rows_are_whole(void **state)
{
    for (size_t i = 0; i < subresource_routes_len; i++) {
        const struct route *r = &subresource_routes[i];

        assert_non_null(r->handler);
        assert_true(r->doc && *r->doc && str_has_suffix(r->doc, "."));
        assert_true(r->method == HTTP_GET || r->method == HTTP_PUT);
        for (size_t j = 0; j < i; j++)
            assert_false(r->target == subresource_routes[j].target &&
                         streq(r->subresource, subresource_routes[j].subresource));
    }
}

static void discovery_is_whole(void **state)
{
    json_auto_t *list = discovery_resources("v1");
    json_auto_t *v2 = discovery_aggregated("apidiscovery.k8s.io/v2");
    json_auto_t *group = discovery_group();
    size_t i, subs = 0;
    json_t *item;

    assert_string_equal(jpath_str(list, "groupVersion", ""), "subresources.kubevirt.io/v1");
    assert_string_equal(jpath_str(list, "apiVersion", ""), "v1");
    assert_int_equal(json_array_size(jpath_arr(list, "resources")), subresource_routes_len);
    json_array_foreach(jpath_arr(list, "resources"), i, item) {
        assert_int_equal(json_array_size(jpath_arr(item, "verbs")), 1);
        assert_true(*jpath_str(item, "kind", "") != '\0');
    }
    assert_string_equal(jpath_str(group, "name", ""), "subresources.kubevirt.io");
    assert_string_equal(jpath_str(group, "preferredVersion.version", ""), "v1");

    assert_string_equal(jpath_str(v2, "items[0].metadata.name", ""), "subresources.kubevirt.io");
    assert_int_equal(json_array_size(jpath_arr(v2, "items[0].versions")),
                     SUBRESOURCE_VERSION_COUNT);
    json_array_foreach(jpath_arr(v2, "items[0].versions[0].resources"), i, item)
        subs += json_array_size(jpath_arr(item, "subresources"));
    assert_int_equal(subs, subresource_routes_len);
}

/* Every "$ref" below v leads to something in doc. */
static void check_refs(const json_t *doc, const json_t *v)
{
    const char *key;
    json_t *value;
    size_t i;

    json_object_foreach((json_t *)v, key, value) {
        if (streq(key, "$ref")) {
            const char *ref = json_string_value(value);
            const char *name = strrchr(ref, '/') + 1;
            const json_t *all = str_has_prefix(ref, "#/definitions/")
                                    ? json_object_get(doc, "definitions")
                                    : jpath(doc, "components.schemas");

            assert_non_null(json_object_get(all, name));
        } else {
            check_refs(doc, value);
        }
    }
    json_array_foreach(v, i, value)
        check_refs(doc, value);
}

static void openapi_is_whole(void **state)
{
    json_auto_t *v2 = openapi_v2();
    json_auto_t *v3 = openapi_v3("v1alpha3");
    json_auto_t *index = openapi_v3_index("\"one\"", "\"two\"");

    assert_string_equal(jpath_str(v2, "swagger", ""), "2.0");
    assert_string_equal(jpath_str(v3, "openapi", ""), "3.0.0");
    assert_int_equal(json_object_size(json_object_get(v2, "paths")), subresource_routes_len);
    assert_int_equal(json_object_size(json_object_get(v3, "paths")), subresource_routes_len);
    check_refs(v2, v2);
    check_refs(v3, v3);
    assert_string_equal(
        jpath_str(index, "paths['apis/subresources.kubevirt.io/v1'].serverRelativeURL", ""),
        "/openapi/v3/apis/subresources.kubevirt.io/v1?hash=one");
}

int main(void)
{
    const struct CMUnitTest whole[] = {
        cmocka_unit_test(rows_are_whole),
        cmocka_unit_test(discovery_is_whole),
        cmocka_unit_test(openapi_is_whole),
    };

    return RUN_ROWS("routes", rows, matches) +
           cmocka_run_group_tests_name("whole", whole, NULL, NULL);
}
