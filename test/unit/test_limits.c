/* SPDX-License-Identifier: Apache-2.0 */
/* How many streams a user and a machine may have. */
#include "subresources/limits.h"

#include "test/unit/rows.h"

#include <pthread.h>

/* Two of a user, three of a machine. */
static struct limits *limits;

static int setup(void **state)
{
    limits = limits_new(2, 3);
    return 0;
}

static int teardown(void **state)
{
    limits_free(limits);
    return 0;
}

static int take(const char *user, const char *vmi, struct limits_share *ret)
{
    struct error e = { 0 };

    return limits_take(limits, user, vmi, ret, &e);
}

static void users_are_bounded(void **state)
{
    struct limits_share a, b, c, d;
    struct error e = { 0 };

    assert_int_equal(take("ann", "1", &a), 0);
    assert_int_equal(take("ann", "2", &b), 0);
    assert_int_equal(limits_take(limits, "ann", "3", &c, &e), -ERR_TOO_MANY);
    assert_non_null(strstr(e.msg, "\"ann\" has 2"));
    assert_non_null(strstr(e.msg, "--streams-per-user"));
    limits_give_back(&c); /* of none */
    assert_int_equal(take("bob", "1", &d), 0);
    limits_give_back(&a);
    assert_int_equal(take("ann", "3", &a), 0);
    limits_give_back(&a);
    limits_give_back(&a); /* no longer one */
    limits_give_back(&b);
    limits_give_back(&d);
}

static void machines_are_bounded(void **state)
{
    struct limits_share a, b, c, d;
    struct error e = { 0 };

    assert_int_equal(take("ann", "1", &a), 0);
    assert_int_equal(take("ann", "1", &b), 0);
    assert_int_equal(take("bob", "1", &c), 0);
    assert_int_equal(limits_take(limits, "bob", "1", &d, &e), -ERR_TOO_MANY);
    assert_non_null(strstr(e.msg, "3 consoles"));
    assert_non_null(strstr(e.msg, "--streams-per-vmi"));
    /* The refused one does not count for its user. */
    assert_int_equal(take("bob", "2", &d), 0);
    limits_give_back(&a);
    limits_give_back(&b);
    limits_give_back(&c);
    limits_give_back(&d);
}

static void none_is_no_limit(void **state)
{
    struct limits *open = limits_new(0, 0);
    struct limits_share share[100];
    struct error e;

    for (size_t i = 0; i < countof(share); i++)
        assert_int_equal(limits_take(open, "", "", &share[i], &e), 0);
    for (size_t i = 0; i < countof(share); i++)
        limits_give_back(&share[i]);
    limits_free(open);
    assert_int_equal(limits_take(NULL, "ann", "1", &share[0], &e), 0);
    limits_give_back(&share[0]);
}

static void *come_and_go(void *arg)
{
    for (int i = 0; i < 20000; i++) {
        struct limits_share share;

        if (take(arg, "1", &share) == 0)
            limits_give_back(&share);
    }
    return NULL;
}

static void threads_share_them(void **state)
{
    static const char *const users[] = { "ann", "ann", "bob", "eve" };
    pthread_t thread[countof(users)];
    struct limits_share share[3];

    for (size_t i = 0; i < countof(users); i++)
        must(pthread_create(&thread[i], NULL, come_and_go, (void *)users[i]) == 0);
    for (size_t i = 0; i < countof(users); i++)
        must(pthread_join(thread[i], NULL) == 0);
    assert_int_equal(take("ann", "1", &share[0]), 0);
    assert_int_equal(take("ann", "1", &share[1]), 0);
    assert_int_equal(take("ann", "1", &share[2]), -ERR_TOO_MANY);
    limits_give_back(&share[0]);
    limits_give_back(&share[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(users_are_bounded),
        cmocka_unit_test(machines_are_bounded),
        cmocka_unit_test(none_is_no_limit),
        cmocka_unit_test(threads_share_them),
    };

    return cmocka_run_group_tests_name("limits", tests, setup, teardown);
}
