/* SPDX-License-Identifier: Apache-2.0 */
/* Calls to the API server: paths, errors as the server words them, pages, retries, metrics. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/jpath.h"
#include "base/metrics.h"
#include "base/must.h"
#include "base/scope.h"
#include "base/str.h"
#include "kube/client.h"
#include "test/fake/kube.h"

struct bench {
    struct fake_kube *fake;
    struct kube *kube;
};

static int setup(void **state)
{
    struct bench *b = must_calloc(1, sizeof(*b));

    b->fake = fake_kube_start();
    b->kube = fake_kube_client(b->fake);
    *state = b;
    return 0;
}

static int teardown(void **state)
{
    struct bench *b = *state;

    fake_kube_free(b->fake);
    free(b);
    return 0;
}

static const struct path_case {
    const struct kube_kind *kind;
    const char *ns, *name, *sub, *want;
} path_cases[] = {
    { &KIND_POD, "ns", "a", "status", "/api/v1/namespaces/ns/pods/a/status" },
    { &KIND_POD, NULL, NULL, NULL, "/api/v1/pods" },
    { &KIND_NODE, "ignored", "n", NULL, "/api/v1/nodes/n" },
    { &KIND_VMI, "ns", NULL, NULL, "/apis/kubevirt.io/v1/namespaces/ns/virtualmachineinstances" },
    { &KIND_CRD, NULL, "x.y", NULL, "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/x.y" },
    { &KIND_VM, "n/s", "a?b", NULL, "/apis/kubevirt.io/v1/namespaces/n%2Fs/virtualmachines/a%3Fb" },
};

static void paths_are_escaped(void **state)
{
    for (size_t i = 0; i < countof(path_cases); i++) {
        const struct path_case *c = &path_cases[i];
        scoped(free) char *path = kube_path(c->kind, c->ns, c->name, c->sub);
        assert_string_equal(path, c->want);
    }
}

static json_t *map(const char *name)
{
    return must_pack("{s:{s:s, s:s}, s:{s:s}}", "metadata", "namespace", "ns", "name", name, "data",
                     "k", "v");
}

static void an_object_lives_its_life(void **state)
{
    struct bench *b = *state;
    struct error e = { 0 };
    json_auto_t *obj = map("a");
    json_auto_t *made = NULL;

    assert_int_equal(kube_create(b->kube, &KIND_CONFIGMAP, obj, &made, &e), 0);
    assert_string_equal(jpath_str(made, "kind", ""), "ConfigMap");
    assert_null(json_object_get(obj, "kind")); /* borrowed, not written to */
    assert_int_equal(kube_create(b->kube, &KIND_CONFIGMAP, obj, NULL, &e), -ERR_EXISTS);

    jpath_set_str(made, "data.k", "w");
    json_auto_t *updated = NULL;
    assert_int_equal(kube_update(b->kube, &KIND_CONFIGMAP, NULL, made, &updated, &e), 0);
    assert_int_equal(kube_update(b->kube, &KIND_CONFIGMAP, NULL, made, NULL, &e), -ERR_CONFLICT);

    json_auto_t *patch = json_loads("[{\"op\":\"test\",\"path\":\"/data/k\",\"value\":\"w\"},"
                                    "{\"op\":\"replace\",\"path\":\"/data/k\",\"value\":\"x\"}]",
                                    0, NULL);
    json_auto_t *patched = NULL;
    assert_int_equal(kube_patch(b->kube, &KIND_CONFIGMAP, "ns", "a", NULL, KUBE_PATCH_JSON, patch,
                                "fieldManager=t", &patched, &e),
                     0);
    assert_string_equal(jpath_str(patched, "data.k", ""), "x");
    assert_int_equal(kube_patch(b->kube, &KIND_CONFIGMAP, "ns", "a", NULL, KUBE_PATCH_JSON, patch,
                                NULL, NULL, &e),
                     -ERR_INVALID);
    assert_int_equal(
        fake_kube_asked(b->fake, "PATCH /api/v1/namespaces/ns/configmaps/a?fieldManager=t"), 1);

    json_auto_t *wrong = must_pack("{s:{s:s}}", "preconditions", "uid", "other");
    assert_int_equal(kube_delete(b->kube, &KIND_CONFIGMAP, "ns", "a", wrong, &e), -ERR_CONFLICT);
    assert_int_equal(kube_delete(b->kube, &KIND_CONFIGMAP, "ns", "a", NULL, &e), 0);
    assert_int_equal(kube_get(b->kube, &KIND_CONFIGMAP, "ns", "a", NULL, &e), -ERR_NOT_FOUND);
    assert_non_null(strstr(e.msg, "configmaps \"a\" not found"));
    assert_true(str_has_prefix(e.msg, "GET /api/v1/namespaces/ns/configmaps/a: "));
}

static void without_a_name_nothing_is_sent(void **state)
{
    struct bench *b = *state;
    struct error e = { 0 };
    json_auto_t *nameless = must_pack("{s:{s:s}}", "metadata", "namespace", "ns");

    (void)fake_kube_put(b->fake, &KIND_CONFIGMAP, map("a"));
    assert_int_equal(kube_delete(b->kube, &KIND_CONFIGMAP, "ns", "", NULL, &e), -ERR_BAD_REQUEST);
    assert_int_equal(kube_delete(b->kube, &KIND_CONFIGMAP, "", "a", NULL, &e), -ERR_BAD_REQUEST);
    assert_int_equal(kube_get(b->kube, &KIND_CONFIGMAP, "ns", NULL, NULL, &e), -ERR_BAD_REQUEST);
    assert_int_equal(kube_update(b->kube, &KIND_CONFIGMAP, NULL, nameless, NULL, &e),
                     -ERR_BAD_REQUEST);
    assert_int_equal(fake_kube_asked(b->fake, "/"), 0);
}

static void lists_are_read_page_by_page(void **state)
{
    struct bench *b = *state;
    struct error e = { 0 };
    json_auto_t *all = NULL;
    char name[16];

    for (int i = 0; i < 1001; i++) {
        (void)snprintf(name, sizeof(name), "m%d", i);
        (void)fake_kube_put(b->fake, &KIND_CONFIGMAP, map(name));
    }
    assert_int_equal(kube_list(b->kube, &KIND_CONFIGMAP, "ns", NULL, &all, &e), 0);
    assert_int_equal(json_array_size(all), 1001);
    assert_int_equal(fake_kube_asked(b->fake, "limit=500"), 3);

    json_auto_t *again = NULL;
    fake_kube_fail(b->fake, "continue=1000", 410, 1, -1);
    assert_int_equal(kube_list(b->kube, &KIND_CONFIGMAP, "ns", NULL, &again, &e), 0);
    assert_int_equal(json_array_size(again), 1001);
    assert_int_equal(fake_kube_asked(b->fake, "limit=0"), 1);

    json_auto_t *one = NULL;
    assert_int_equal(
        kube_list(b->kube, &KIND_CONFIGMAP, "ns", "fieldSelector=metadata.name%3Dm7", &one, &e), 0);
    assert_int_equal(json_array_size(one), 1);
    assert_string_equal(jpath_str(json_array_get(one, 0), "kind", ""), "ConfigMap");
}

static void gone_is_only_what_the_api_server_says_is_gone(void **state)
{
    struct bench *b = *state;
    struct error e = { 0 };

    /* a path that nobody serves: plain text */
    assert_int_equal(kube_raw(b->kube, HTTP_GET, "/nothing/here", NULL, NULL, &e),
                     -ERR_UNAVAILABLE);
    fake_kube_down(b->fake);
    assert_int_equal(kube_get(b->kube, &KIND_CONFIGMAP, "ns", "a", NULL, &e), -ERR_UNAVAILABLE);
    fake_kube_up(b->fake);
    assert_int_equal(kube_get(b->kube, &KIND_CONFIGMAP, "ns", "a", NULL, &e), -ERR_NOT_FOUND);
}

static void a_server_that_asks_for_patience_gets_it(void **state)
{
    struct bench *b = *state;
    struct error e = { 0 };
    json_auto_t *obj = map("a");

    fake_kube_fail(b->fake, "POST", 429, 2, 0);
    assert_int_equal(kube_create(b->kube, &KIND_CONFIGMAP, obj, NULL, &e), 0);
    assert_int_equal(fake_kube_asked(b->fake, "POST"), 3);
    fake_kube_fail(b->fake, "GET", 500, -1, -1); /* without Retry-After: the caller decides */
    assert_int_equal(kube_get(b->kube, &KIND_CONFIGMAP, "ns", "a", NULL, &e), -ERR_INTERNAL);
    assert_int_equal(fake_kube_asked(b->fake, "GET"), 1);
    fake_kube_heal(b->fake);
    fake_kube_fail(b->fake, "GET", 503, -1, 0);
    assert_int_equal(kube_get(b->kube, &KIND_CONFIGMAP, "ns", "a", NULL, &e), -ERR_UNAVAILABLE);
    assert_int_equal(fake_kube_asked(b->fake, "GET"), 1 + 1 + KUBE_RETRIES_MAX);
}

static void silence_ends_in_a_timeout(void **state)
{
    struct bench *b = *state;
    struct error e = { 0 };

    kube_set_timeout(b->kube, 100);
    fake_kube_fail(b->fake, "GET", FAKE_KUBE_HANG, 1, -1);
    assert_int_equal(kube_get(b->kube, &KIND_CONFIGMAP, "ns", "a", NULL, &e), -ERR_TIMEOUT);
}

static void limits_slow_calls_down(void **state)
{
    struct bench *b = *state;
    struct error e = { 0 };

    kube_set_limits(b->kube, 50, 2);
    int64_t began = clock_mono_ms(&clock_real);
    for (int i = 0; i < 7; i++)
        assert_int_equal(kube_get(b->kube, &KIND_CONFIGMAP, "ns", "a", NULL, &e), -ERR_NOT_FOUND);
    assert_true(clock_mono_ms(&clock_real) - began >= 90);
}

static void calls_are_counted_by_what_they_are(void **state)
{
    struct bench *b = *state;
    struct error e = { 0 };
    struct buf out = BUF_INIT(0);
    json_auto_t *all = NULL;
    const char *host = strstr(fake_kube_url(b->fake), "127");

    assert_int_equal(kube_get(b->kube, &KIND_VMI, "ns", "a", NULL, &e), -ERR_NOT_FOUND);
    assert_int_equal(kube_list(b->kube, &KIND_VMI, "ns", NULL, &all, &e), 0);
    metrics_write(&out);
    scoped(free) char *get =
        must_asprintf("kubevirt_rest_client_requests_total{code=\"404\",method=\"GET\",host=\"%s\","
                      "resource=\"virtualmachineinstances\",verb=\"GET\"} 1",
                      host);
    scoped(free) char *list = must_asprintf("code=\"200\",method=\"GET\",host=\"%s\","
                                            "resource=\"virtualmachineinstances\",verb=\"LIST\"} 1",
                                            host);
    scoped(free) char *url = must_asprintf(
        "verb=\"GET\",url=\"http://%s/apis/kubevirt.io/v1/namespaces/%%7Bnamespace%%7D/"
        "virtualmachineinstances/%%7Bname%%7D\"",
        host);
    assert_non_null(strstr(out.data, get));
    assert_non_null(strstr(out.data, list));
    assert_non_null(strstr(out.data, url));
    buf_done(&out);
}

#define CASE(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(paths_are_escaped),
        CASE(an_object_lives_its_life),
        CASE(without_a_name_nothing_is_sent),
        CASE(lists_are_read_page_by_page),
        CASE(gone_is_only_what_the_api_server_says_is_gone),
        CASE(a_server_that_asks_for_patience_gets_it),
        CASE(silence_ends_in_a_timeout),
        CASE(limits_slow_calls_down),
        CASE(calls_are_counted_by_what_they_are),
    };

    return cmocka_run_group_tests_name("kube_client", tests, NULL, NULL);
}
