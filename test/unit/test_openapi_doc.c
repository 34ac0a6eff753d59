/* SPDX-License-Identifier: Apache-2.0 */
/* The OpenAPI documents hold together: references, names, methods, the index. */
#include "apiserver/openapi_doc.h"

#include "base/jpath.h"
#include "base/str.h"
#include "subresources/routes.h"
#include "test/unit/rows.h"

static json_t *make_v2(void)
{
    return openapi_v2();
}

static json_t *make_v3_v1(void)
{
    return openapi_v3("v1");
}

static json_t *make_v3_v1alpha3(void)
{
    return openapi_v3("v1alpha3");
}

static const struct row {
    const char *name;
    json_t *(*make)(void);
    const char *dialect, *dialect_version; /* "swagger": "2.0" */
    const char *path_prefix;
} rows[] = {
    { "v2", make_v2, "swagger", "2.0", "/apis/subresources.kubevirt.io/v1/" },
    { "v3 of v1", make_v3_v1, "openapi", "3.0.0", "/apis/subresources.kubevirt.io/v1/" },
    { "v3 of v1alpha3", make_v3_v1alpha3, "openapi", "3.0.0",
      "/apis/subresources.kubevirt.io/v1alpha3/" },
};

/* "#/definitions/v1.StartOptions" leads to an object of the document. */
static void assert_resolves(const json_t *doc, const char *ref)
{
    const json_t *at = doc;
    scoped(free) char *path = must_strdup(ref);
    char *save = NULL;

    assert_true(str_has_prefix(ref, "#/"));
    for (char *word = strtok_r(path + 2, "/", &save); word; word = strtok_r(NULL, "/", &save))
        at = json_object_get(at, word);
    if (!json_is_object(at))
        fail_msg("%s leads nowhere", ref);
}

/* The number of references below v. */
static size_t check_references(const json_t *doc, json_t *v)
{
    size_t found = 0;
    const char *key;
    size_t i;
    json_t *item;

    json_array_foreach(v, i, item)
        found += check_references(doc, item);
    json_object_foreach(v, key, item) {
        if (streq(key, "$ref")) {
            assert_resolves(doc, json_string_value(item));
            found++;
        }
        found += check_references(doc, item);
    }
    return found;
}

static void references_resolve(void **state)
{
    const struct row *c = *state;
    json_auto_t *doc = c->make();

    assert_string_equal(jpath_str(doc, c->dialect, ""), c->dialect_version);
    assert_true(*jpath_str(doc, "info.title", "") && *jpath_str(doc, "info.version", ""));
    assert_true(check_references(doc, doc) >= 4); /* start, stop, restart, pause */
}

static void every_route_has_an_operation_of_its_own(void **state)
{
    const struct row *c = *state;
    json_auto_t *doc = c->make();
    json_auto_t *ids = json_object();
    const char *path, *method;
    json_t *item, *operation;

    json_object_foreach(json_object_get(doc, "paths"), path, item) {
        assert_true(str_has_prefix(path, c->path_prefix));
        json_object_foreach(item, method, operation) {
            const char *id = jpath_str(operation, "operationId", "");

            assert_true(streq(method, "get") || streq(method, "put"));
            assert_true(*id != '\0' && !strpbrk(id, "/ {}"));
            assert_null(json_object_get(ids, id));
            must_set(ids, id, json_true());
            assert_true(json_object_size(json_object_get(operation, "responses")) > 0);
            assert_true(json_array_size(json_object_get(operation, "parameters")) >=
                        (strstr(path, "{name}") ? 2 : 1));
            assert_true(*jpath_str(operation, "description", "") != '\0');
        }
    }
    assert_int_equal(json_object_size(ids), subresource_routes_len);
}

static void survives_writing_and_reading(void **state)
{
    const struct row *c = *state;
    json_auto_t *doc = c->make();
    scoped(free) char *text = must_dumps(doc, 0);
    json_auto_t *again = NULL;
    struct error e = { 0 };

    assert_int_equal(json_parse(&again, text, strlen(text), &e), 0);
    assert_json(again, doc);
}

static void index_carries_the_hashes(void **state)
{
    json_auto_t *got = openapi_v3_index("\"aa\"", "\"bb\"");
    json_auto_t *want = json_q(
        "{'paths':{'apis/subresources.kubevirt.io/v1':"
        "{'serverRelativeURL':'/openapi/v3/apis/subresources.kubevirt.io/v1?hash=aa'},"
        "'apis/subresources.kubevirt.io/v1alpha3':"
        "{'serverRelativeURL':'/openapi/v3/apis/subresources.kubevirt.io/v1alpha3?hash=bb'}}}");

    assert_json(got, want);
}

int main(void)
{
    const struct CMUnitTest index[] = { cmocka_unit_test(index_carries_the_hashes) };

    return RUN_ROWS("references", rows, references_resolve) +
           RUN_ROWS("operations", rows, every_route_has_an_operation_of_its_own) +
           RUN_ROWS("text", rows, survives_writing_and_reading) +
           cmocka_run_group_tests_name("index", index, NULL, NULL);
}
