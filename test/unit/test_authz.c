/* SPDX-License-Identifier: Apache-2.0 */
/* The question to the API server, and how long its answer is remembered. */
#include "apiserver/authz.h"

#include <pthread.h>
#include <stdio.h>

#include "base/jpath.h"
#include "base/str.h"
#include "test/fake/kube.h"
#include "test/unit/rows.h"

struct bench {
    struct fake_kube *fake;
    struct clock_fake clock;
    struct authz *authz;
    json_t *spec;
};

#define PATH "/apis/subresources.kubevirt.io/v1alpha3/namespaces/ns/"
#define ANN "{'username':'ann','groups':['a','b'],'extra':{'k':['v']},'uid':'7'}"

static json_t *spec_of(const char *user, enum http_method method, const char *path)
{
    struct caller who = { .info = json_q(user) };
    struct route_match m;

    assert_int_equal(route_match(method, path, &m), 1);
    json_t *spec = authz_spec(&who, &m);
    caller_done(&who);
    return spec;
}

static int setup(void **state)
{
    struct bench *b = must_calloc(1, sizeof(*b));

    b->fake = fake_kube_start();
    clock_fake_init(&b->clock, 1000);
    b->authz = authz_new(fake_kube_client(b->fake), &b->clock.clock);
    b->spec = spec_of(ANN, HTTP_PUT, PATH "virtualmachines/vm/start");
    *state = b;
    return 0;
}

static int teardown(void **state)
{
    struct bench *b = *state;

    json_decref(b->spec);
    authz_free(b->authz);
    fake_kube_free(b->fake);
    free(b);
    return 0;
}

static const struct row {
    const char *name;
    enum http_method method;
    const char *path, *user, *want;
} rows[] = {
    { "a change of a machine", HTTP_PUT, PATH "virtualmachines/vm/start", ANN,
      "{'user':'ann','uid':'7','groups':['a','b'],'extra':{'k':['v']},'resourceAttributes':{"
      "'group':'subresources.kubevirt.io','version':'v1alpha3','namespace':'ns','resource':"
      "'virtualmachines','name':'vm','subresource':'start','verb':'update'}}" },
    { "a stream of an instance, by a caller without UID", HTTP_GET,
      PATH "virtualmachineinstances/i/vnc/screenshot/",
      "{'username':'system:serviceaccount:a:b','groups':[],'extra':{}}",
      "{'user':'system:serviceaccount:a:b','groups':[],'extra':{},'resourceAttributes':{"
      "'group':'subresources.kubevirt.io','version':'v1alpha3','namespace':'ns','resource':"
      "'virtualmachineinstances','name':'i','subresource':'vnc/screenshot','verb':'get'}}" },
};

static void spec_is_complete(void **state)
{
    const struct row *c = *state;
    json_auto_t *got = spec_of(c->user, c->method, c->path);
    json_auto_t *want = json_q(c->want);

    assert_json(got, want);
}

static void allowed_is_remembered_for_ten_seconds(void **state)
{
    struct bench *b = *state;
    struct error e = { 0 };
    json_auto_t *asked = NULL;

    assert_int_equal(authz_recall(b->authz, b->spec, &e), AUTHZ_UNKNOWN);
    assert_int_equal(authz_review(b->authz, b->spec, &e), 0);
    scoped(free) char *last = fake_kube_last(b->fake, "POST", &asked);
    assert_string_equal(last, "POST /apis/authorization.k8s.io/v1/subjectaccessreviews");
    assert_string_equal(jpath_str(asked, "kind", ""), "SubjectAccessReview");
    assert_json(json_object_get(asked, "spec"), b->spec);

    b->clock.now_ms += 9999;
    assert_int_equal(authz_recall(b->authz, b->spec, &e), AUTHZ_ALLOWED);
    b->clock.now_ms += 1;
    assert_int_equal(authz_recall(b->authz, b->spec, &e), AUTHZ_UNKNOWN);
    assert_int_equal(fake_kube_asked(b->fake, "subjectaccessreviews"), 1);
}

static void denied_is_remembered_with_its_reason(void **state)
{
    struct bench *b = *state;
    struct error e = { 0 };
    struct error again = { 0 };

    fake_kube_deny(b->fake, "no such role");
    assert_int_equal(authz_review(b->authz, b->spec, &e), -ERR_FORBIDDEN);
    assert_string_equal(
        e.msg, "virtualmachines.subresources.kubevirt.io \"vm\" is forbidden: User \"ann\" cannot "
               "update resource \"virtualmachines/start\" in API group "
               "\"subresources.kubevirt.io\" in the namespace \"ns\": no such role");
    assert_int_equal(authz_recall(b->authz, b->spec, &again), AUTHZ_DENIED);
    assert_int_equal(again.code, ERR_FORBIDDEN);
    assert_string_equal(again.msg, e.msg);

    fake_kube_deny(b->fake, NULL);
    b->clock.now_ms += 10 * 1000;
    assert_int_equal(authz_recall(b->authz, b->spec, &e), AUTHZ_UNKNOWN);
    assert_int_equal(authz_review(b->authz, b->spec, &e), 0);
    assert_int_equal(authz_recall(b->authz, b->spec, &e), AUTHZ_ALLOWED);
}

static void a_long_reason_is_cut(void **state)
{
    struct bench *b = *state;
    struct error e = { 0 };
    char reason[2000];

    for (size_t i = 0; i + 1 < sizeof(reason); i += 2)
        memcpy(reason + i, "\xc3\xa4", 2);
    reason[sizeof(reason) - 2] = '\0';
    fake_kube_deny(b->fake, reason);
    assert_int_equal(authz_review(b->authz, b->spec, &e), -ERR_FORBIDDEN);
    assert_int_equal(authz_recall(b->authz, b->spec, &e), AUTHZ_DENIED);
    assert_true(str_is_utf8(e.msg));
}

static void no_answer_is_no_verdict(void **state)
{
    struct bench *b = *state;
    struct error e = { 0 };

    fake_kube_fail(b->fake, "subjectaccessreviews", 403, 1, -1);
    assert_int_equal(authz_review(b->authz, b->spec, &e), -ERR_UNAVAILABLE);
    assert_int_equal(authz_recall(b->authz, b->spec, &e), AUTHZ_UNKNOWN);
    fake_kube_down(b->fake);
    assert_int_equal(authz_review(b->authz, b->spec, &e), -ERR_UNAVAILABLE);
    assert_non_null(strstr(e.msg, "authorisation cannot be asked for"));
    assert_int_equal(authz_recall(b->authz, b->spec, &e), AUTHZ_UNKNOWN);
    fake_kube_up(b->fake);
    assert_int_equal(authz_review(b->authz, b->spec, &e), 0);
}

static void nobody_is_taken_for_another(void **state)
{
    struct bench *b = *state;
    struct error e = { 0 };
    static const struct {
        const char *user, *path;
    } others[] = {
        { "{'username':'bob','groups':['a','b'],'extra':{'k':['v']},'uid':'7'}",
          PATH "virtualmachines/vm/start" },
        { "{'username':'ann','groups':['a'],'extra':{'k':['v']},'uid':'7'}",
          PATH "virtualmachines/vm/start" },
        { "{'username':'ann','groups':['a','b'],'extra':{},'uid':'7'}",
          PATH "virtualmachines/vm/start" },
        { "{'username':'ann','groups':['a','b'],'extra':{'k':['v']}}",
          PATH "virtualmachines/vm/start" },
        { ANN, PATH "virtualmachines/vm/stop" },
        { ANN, PATH "virtualmachines/vm2/start" },
    };

    assert_int_equal(authz_review(b->authz, b->spec, &e), 0);
    for (size_t i = 0; i < countof(others); i++) {
        json_auto_t *spec = spec_of(others[i].user, HTTP_PUT, others[i].path);

        assert_int_equal(authz_recall(b->authz, spec, &e), AUTHZ_UNKNOWN);
    }
    assert_int_equal(authz_recall(b->authz, b->spec, &e), AUTHZ_ALLOWED);
}

enum { THREADS = 4, ROUNDS = 30 };

static void *ask_often(void *arg)
{
    struct bench *b = arg;

    for (int i = 0; i < ROUNDS; i++) {
        scoped(free) char *path = must_asprintf(PATH "virtualmachines/vm%d/start", i % 8);
        json_auto_t *spec = spec_of(ANN, HTTP_PUT, path);
        struct error e = { 0 };

        if (authz_recall(b->authz, spec, &e) == AUTHZ_UNKNOWN)
            must(authz_review(b->authz, spec, &e) == 0);
        must(authz_recall(b->authz, spec, &e) == AUTHZ_ALLOWED);
    }
    return NULL;
}

static void threads_share_the_memory(void **state)
{
    pthread_t thread[THREADS];

    for (size_t i = 0; i < THREADS; i++)
        must(pthread_create(&thread[i], NULL, ask_often, *state) == 0);
    for (size_t i = 0; i < THREADS; i++)
        must(pthread_join(thread[i], NULL) == 0);
    struct bench *b = *state;
    assert_true(fake_kube_asked(b->fake, "subjectaccessreviews") <= (size_t)THREADS * 8);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(allowed_is_remembered_for_ten_seconds, setup, teardown),
        cmocka_unit_test_setup_teardown(denied_is_remembered_with_its_reason, setup, teardown),
        cmocka_unit_test_setup_teardown(a_long_reason_is_cut, setup, teardown),
        cmocka_unit_test_setup_teardown(no_answer_is_no_verdict, setup, teardown),
        cmocka_unit_test_setup_teardown(nobody_is_taken_for_another, setup, teardown),
        cmocka_unit_test_setup_teardown(threads_share_the_memory, setup, teardown),
    };

    return RUN_ROWS("authz_spec", rows, spec_is_complete) +
           cmocka_run_group_tests_name("authz", tests, NULL, NULL);
}
