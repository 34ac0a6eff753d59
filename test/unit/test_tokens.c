/* SPDX-License-Identifier: Apache-2.0 */
/* The question about a token, and how long its answer is remembered. */
#include "apiserver/tokens.h"

#include <pthread.h>

#include "base/jpath.h"
#include "base/str.h"
#include "test/fake/kube.h"
#include "test/unit/rows.h"

struct bench {
    struct fake_kube *fake;
    struct clock_fake clock;
    struct tokens *tokens;
};

static int setup(void **state)
{
    struct bench *b = must_calloc(1, sizeof(*b));

    b->fake = fake_kube_start();
    clock_fake_init(&b->clock, 1000);
    b->tokens = tokens_new(fake_kube_client(b->fake), &b->clock.clock);
    fake_kube_token(b->fake, "good",
                    json_q("{'username':'ann','uid':'7','groups':['a','b'],'extra':{'k':['v']}}"));
    fake_kube_token(b->fake, "plain", json_q("{'username':'bob'}"));
    *state = b;
    return 0;
}

static int teardown(void **state)
{
    struct bench *b = *state;

    tokens_free(b->tokens);
    fake_kube_free(b->fake);
    free(b);
    return 0;
}

static void assert_known(struct bench *b, const char *token, const char *want)
{
    struct caller who = { 0 };
    struct error e = { 0 };
    json_auto_t *info = json_q(want);

    assert_int_equal(tokens_recall(b->tokens, token, &who, &e), 1);
    assert_json(who.info, info);
    assert_false(caller_has_link(&who));
    caller_done(&who);
}

static int recall(struct bench *b, const char *token)
{
    struct caller who = { 0 };
    struct error e = { 0 };
    int r = tokens_recall(b->tokens, token, &who, &e);

    caller_done(&who);
    return r;
}

static int review(struct bench *b, const char *token)
{
    struct caller who = { 0 };
    struct error e = { 0 };
    int r = tokens_review(b->tokens, token, &who, &e);

    if (r < 0)
        assert_null(strstr(e.msg, token));
    caller_done(&who);
    return r;
}

static void accepted_is_remembered_for_ten_seconds(void **state)
{
    struct bench *b = *state;
    json_auto_t *asked = NULL;

    assert_int_equal(recall(b, "good"), 0);
    assert_int_equal(review(b, "good"), 0);
    scoped(free) char *last = fake_kube_last(b->fake, "POST", &asked);
    assert_string_equal(last, "POST /apis/authentication.k8s.io/v1/tokenreviews");
    assert_string_equal(jpath_str(asked, "spec.token", ""), "good");
    assert_false(jpath_has(asked, "spec.audiences")); /* the API server's own */
    assert_known(b, "good", "{'username':'ann','uid':'7','groups':['a','b'],'extra':{'k':['v']}}");

    b->clock.now_ms += 9999;
    assert_int_equal(recall(b, "good"), 1);
    assert_int_equal(review(b, "good"), 0); /* from memory */
    assert_int_equal(fake_kube_asked(b->fake, "tokenreviews"), 1);
    b->clock.now_ms += 1;
    assert_int_equal(recall(b, "good"), 0);
}

static void what_is_left_out_is_empty(void **state)
{
    struct bench *b = *state;

    assert_int_equal(review(b, "plain"), 0);
    assert_known(b, "plain", "{'username':'bob','groups':[],'extra':{}}");
}

static void refused_is_remembered_too(void **state)
{
    struct bench *b = *state;

    assert_int_equal(review(b, "bad"), -ERR_UNAUTHORIZED);
    for (int i = 0; i < 100; i++) {
        assert_int_equal(recall(b, "bad"), -ERR_UNAUTHORIZED);
        assert_int_equal(review(b, "bad"), -ERR_UNAUTHORIZED);
    }
    assert_int_equal(fake_kube_asked(b->fake, "tokenreviews"), 1);
    assert_int_equal(recall(b, "ba"), 0);
    assert_int_equal(recall(b, "badd"), 0);

    fake_kube_token(b->fake, "bad", json_q("{'username':'late'}"));
    b->clock.now_ms += 10 * 1000;
    assert_int_equal(review(b, "bad"), 0);
    assert_int_equal(recall(b, "bad"), 1);
}

static void no_answer_is_no_verdict(void **state)
{
    struct bench *b = *state;

    fake_kube_fail(b->fake, "tokenreviews", 401, -1, -1); /* us, not the token */
    assert_int_equal(review(b, "good"), -ERR_UNAVAILABLE);
    assert_int_equal(recall(b, "good"), 0);
    fake_kube_heal(b->fake);
    fake_kube_down(b->fake);
    assert_int_equal(review(b, "good"), -ERR_UNAVAILABLE);
    assert_int_equal(recall(b, "good"), 0);
    fake_kube_up(b->fake);
    assert_int_equal(review(b, "good"), 0);
}

enum { THREADS = 4, ROUNDS = 50 };

static void *ask_often(void *arg)
{
    struct bench *b = arg;

    for (int i = 0; i < ROUNDS; i++) {
        scoped(free) char *token = must_asprintf("token-%d", i % 8);
        struct caller who = { 0 };
        struct error e = { 0 };

        must(tokens_review(b->tokens, i % 2 ? "good" : token, &who, &e) ==
             (i % 2 ? 0 : -ERR_UNAUTHORIZED));
        caller_done(&who);
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
    assert_true(fake_kube_asked(b->fake, "tokenreviews") <= (size_t)THREADS * 9);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(accepted_is_remembered_for_ten_seconds, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_left_out_is_empty, setup, teardown),
        cmocka_unit_test_setup_teardown(refused_is_remembered_too, setup, teardown),
        cmocka_unit_test_setup_teardown(no_answer_is_no_verdict, setup, teardown),
        cmocka_unit_test_setup_teardown(threads_share_the_memory, setup, teardown),
    };

    return cmocka_run_group_tests_name("tokens", tests, NULL, NULL);
}
