/* SPDX-License-Identifier: Apache-2.0 */
/* What a controller waits for before it looks at a key again. */
#include "controller/expectations.h"

#include "rows.h"

struct fixture {
    struct clock_fake clock;
    struct expectations *x;
};

static int setup(void **state)
{
    struct fixture *f = must_calloc(1, sizeof(*f));
    clock_fake_init(&f->clock, 1000);
    f->x = expectations_new(&f->clock.clock);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    expectations_free(f->x);
    free(f);
    return 0;
}

static bool met_at(struct fixture *f, const char *version)
{
    json_auto_t *own = must_pack("{s:{s:s}}", "metadata", "resourceVersion", version);
    return expectations_are_met(f->x, "ns/a", own);
}

static void saw(struct fixture *f, const char *old, const char *obj)
{
    json_auto_t *a = json_q(old);
    json_auto_t *b = json_q(obj);
    saw_child(f->x, "ns/a", a, b);
}

static void nothing_expected_is_met(void **state)
{
    assert_true(met_at(*state, "1"));
}

static void a_birth_is_waited_for(void **state)
{
    struct fixture *f = *state;
    expect_birth(f->x, "ns/a", "pod");
    expect_birth(f->x, "ns/a", "pod");
    assert_false(met_at(f, "1"));
    saw(f, NULL, "{'metadata':{'name':'other'}}");
    assert_false(met_at(f, "1"));
    saw(f, NULL, "{'metadata':{'name':'pod'}}");
    assert_true(met_at(f, "1"));
}

static void a_death_is_waited_for(void **state)
{
    struct fixture *f = *state;
    expect_death(f->x, "ns/a", "u");
    saw(f, NULL, "{'metadata':{'uid':'u'}}");
    assert_false(met_at(f, "1"));
    saw(f, NULL, "{'metadata':{'uid':'u','deletionTimestamp':'x'}}");
    assert_true(met_at(f, "1"));

    expect_death(f->x, "ns/a", "u");
    saw(f, "{'metadata':{'uid':'u'}}", NULL);
    assert_true(met_at(f, "1"));
}

static void a_failed_call_is_not_waited_for(void **state)
{
    struct fixture *f = *state;
    expect_birth(f->x, "ns/a", "pod");
    expect_death(f->x, "ns/a", "u");
    saw_birth(f->x, "ns/a", "pod");
    saw_death(f->x, "ns/a", "u");
    assert_true(met_at(f, "1"));
}

static void an_older_copy_than_the_last_write_waits(void **state)
{
    struct fixture *f = *state;
    json_auto_t *answer = json_q("{'metadata':{'resourceVersion':'100'}}");
    expect_version(f->x, "ns/a", answer);
    expect_version(f->x, "ns/a", NULL);
    assert_false(met_at(f, "99"));
    assert_false(expectations_are_met(f->x, "ns/a", NULL));
    assert_true(met_at(f, "101"));
    assert_true(met_at(f, "99")); /* met once is forgotten */
}

static void keys_are_apart(void **state)
{
    struct fixture *f = *state;
    expect_birth(f->x, "ns/b", "pod");
    assert_true(met_at(f, "1"));
    expectations_forget(f->x, "ns/b");
    expectations_forget(f->x, "ns/c");
    assert_true(expectations_are_met(f->x, "ns/b", NULL));
}

static void waiting_ends(void **state)
{
    struct fixture *f = *state;
    expect_birth(f->x, "ns/a", "pod");
    f->clock.now_ms += EXPECTATION_MAX_MS - 1;
    assert_false(met_at(f, "1"));
    f->clock.now_ms += 1;
    assert_true(met_at(f, "1"));
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(nothing_expected_is_met),
        TEST(a_birth_is_waited_for),
        TEST(a_death_is_waited_for),
        TEST(a_failed_call_is_not_waited_for),
        TEST(an_older_copy_than_the_last_write_waits),
        TEST(keys_are_apart),
        TEST(waiting_ends),
    };
    return cmocka_run_group_tests_name("expectations", tests, NULL, NULL);
}
