/* SPDX-License-Identifier: Apache-2.0 */
#include "base/pool.h"

#include <pthread.h>
#include <stdatomic.h>

#include "rows.h"

/* A door that jobs wait at, so that tests know what runs. */
struct door {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    int inside, most;
    bool is_open;
    int ran;
};

static void door_init(struct door *d)
{
    *d = (struct door){ 0 };
    pthread_mutex_init(&d->lock, NULL);
    pthread_cond_init(&d->changed, NULL);
}

static void pass(void *arg)
{
    struct door *d = arg;
    pthread_mutex_lock(&d->lock);
    d->inside++;
    if (d->inside > d->most)
        d->most = d->inside;
    pthread_cond_broadcast(&d->changed);
    while (!d->is_open)
        pthread_cond_wait(&d->changed, &d->lock);
    d->inside--;
    d->ran++;
    pthread_mutex_unlock(&d->lock);
}

static void wait_inside(struct door *d, int n)
{
    pthread_mutex_lock(&d->lock);
    while (d->inside < n)
        pthread_cond_wait(&d->changed, &d->lock);
    pthread_mutex_unlock(&d->lock);
}

static void open_door(struct door *d)
{
    pthread_mutex_lock(&d->lock);
    d->is_open = true;
    pthread_cond_broadcast(&d->changed);
    pthread_mutex_unlock(&d->lock);
}

static void refuses_when_all_are_busy_and_the_queue_is_full(void **state)
{
    struct door d;
    door_init(&d);
    struct pool *p = pool_new("test", 2, 3);

    for (int i = 0; i < 5; i++)
        assert_true(pool_run(p, pass, &d));
    assert_false(pool_run(p, pass, &d));
    wait_inside(&d, 2);
    assert_false(pool_run(p, pass, &d));
    open_door(&d);
    pool_free(p);
    assert_int_equal(d.ran, 5);
    assert_int_equal(d.most, 2);
}

static void without_a_queue_a_job_needs_a_thread(void **state)
{
    struct door d;
    door_init(&d);
    struct pool *p = pool_new("test", 2, 0);

    assert_true(pool_run(p, pass, &d));
    assert_true(pool_run(p, pass, &d));
    assert_false(pool_run(p, pass, &d));
    open_door(&d);
    pool_free(p);
    assert_int_equal(d.ran, 2);
}

static atomic_int counted;

static void count(void *arg)
{
    atomic_fetch_add(&counted, 1);
}

static void queued_jobs_are_run_before_the_end(void **state)
{
    struct pool *p = pool_new("test", 4, 100000);
    int taken = 0;

    atomic_store(&counted, 0);
    for (int i = 0; i < 20000; i++)
        taken += pool_run(p, count, NULL);
    pool_free(p);
    assert_int_equal(taken, 20000);
    assert_int_equal(atomic_load(&counted), 20000);
}

static void run_another(void *arg)
{
    assert_true(pool_run(arg, count, NULL));
    atomic_fetch_add(&counted, 1);
}

static void a_job_may_queue_another(void **state)
{
    struct pool *p = pool_new("test", 1, 10);
    struct door d;
    door_init(&d);

    atomic_store(&counted, 0);
    assert_true(pool_run(p, run_another, p));
    /* Behind both: the second is queued before this one ends. */
    assert_true(pool_run(p, pass, &d));
    wait_inside(&d, 1);
    open_door(&d);
    pool_free(p);
    assert_int_equal(atomic_load(&counted), 2);
}

static void an_unused_pool_is_freed(void **state)
{
    pool_free(pool_new("test", 8, 8));
    pool_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refuses_when_all_are_busy_and_the_queue_is_full),
        cmocka_unit_test(without_a_queue_a_job_needs_a_thread),
        cmocka_unit_test(queued_jobs_are_run_before_the_end),
        cmocka_unit_test(a_job_may_queue_another),
        cmocka_unit_test(an_unused_pool_is_freed),
    };
    return cmocka_run_group_tests_name("pool", tests, NULL, NULL);
}
