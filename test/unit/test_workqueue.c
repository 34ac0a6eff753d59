/* SPDX-License-Identifier: Apache-2.0 */
/* The three sets, delays and back-off of the work queue, and its workers under load. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/must.h"
#include "base/scope.h"
#include "base/str.h"
#include "kube/bucket.h"
#include "kube/workqueue.h"

static void pause_ms(int64_t ms)
{
    const struct timespec t = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 };

    (void)nanosleep(&t, NULL);
}

static void assert_gets(struct workqueue *q, const char *want)
{
    scoped(free) char *key = workqueue_get(q);

    assert_string_equal(key, want);
}

static void keys_come_in_order_and_once(void **state)
{
    struct workqueue *q = workqueue_new("order");

    workqueue_add(q, "a");
    workqueue_add(q, "b");
    workqueue_add(q, "a");
    assert_int_equal(workqueue_len(q), 2);
    assert_gets(q, "a");
    assert_gets(q, "b");
    assert_int_equal(workqueue_len(q), 0);
    workqueue_done(q, "a");
    workqueue_done(q, "b");
    assert_int_equal(workqueue_len(q), 0);
    workqueue_free(q);
}

static void adds_during_work_cause_one_more_run(void **state)
{
    struct workqueue *q = workqueue_new("again");

    workqueue_add(q, "a");
    assert_gets(q, "a");
    workqueue_add(q, "a");
    workqueue_add(q, "a");
    assert_int_equal(workqueue_len(q), 0); /* nobody else gets it meanwhile */
    workqueue_done(q, "a");
    assert_int_equal(workqueue_len(q), 1);
    assert_gets(q, "a");
    workqueue_done(q, "a");
    assert_int_equal(workqueue_len(q), 0);
    workqueue_free(q);
}

static void delayed_keys_come_by_time_and_the_earlier_delay_counts(void **state)
{
    struct workqueue *q = workqueue_new("delay");
    int64_t began = clock_mono_ms(&clock_real);

    workqueue_add_after(q, "late", 60);
    workqueue_add_after(q, "soon", 30);
    workqueue_add_after(q, "twice", 5000);
    workqueue_add_after(q, "twice", 10);
    workqueue_add_after(q, "twice", 7000);
    workqueue_add_after(q, "now", 0);
    assert_gets(q, "now");
    assert_gets(q, "twice");
    assert_gets(q, "soon");
    assert_true(clock_mono_ms(&clock_real) - began >= 30);
    assert_gets(q, "late");
    assert_true(clock_mono_ms(&clock_real) - began >= 60);
    workqueue_free(q);
}

static void a_key_that_is_queued_and_delayed_runs_when_both_say(void **state)
{
    struct workqueue *q = workqueue_new("both");

    workqueue_add_after(q, "a", 20);
    workqueue_add(q, "a");
    assert_gets(q, "a");
    workqueue_done(q, "a");
    assert_gets(q, "a"); /* the delay was a promise of its own */
    workqueue_done(q, "a");
    workqueue_free(q);
}

static void backoff_doubles_until_forgotten(void **state)
{
    struct workqueue *q = workqueue_new("backoff");
    enum { TIMES = 8 };

    for (size_t i = 0; i < TIMES; i++) {
        int64_t began = clock_mono_ms(&clock_real);
        workqueue_add_limited(q, "a");
        assert_int_equal(workqueue_retries(q, "a"), i + 1);
        assert_gets(q, "a");
        assert_true(clock_mono_ms(&clock_real) - began >= (5 << i) - 1);
        workqueue_done(q, "a");
    }
    workqueue_forget(q, "a");
    assert_int_equal(workqueue_retries(q, "a"), 0);
    int64_t began = clock_mono_ms(&clock_real);
    workqueue_add_limited(q, "a");
    assert_gets(q, "a");
    assert_true(clock_mono_ms(&clock_real) - began < 5 << (TIMES - 1));
    workqueue_free(q);
}

static void *getter(void *arg)
{
    return workqueue_get(arg);
}

static void stop_wakes_everyone_and_hands_out_nothing_more(void **state)
{
    struct workqueue *q = workqueue_new("stop");
    pthread_t thread[3];

    workqueue_add_after(q, "never", 60000);
    for (size_t i = 0; i < countof(thread); i++)
        assert_int_equal(pthread_create(&thread[i], NULL, getter, q), 0);
    pause_ms(20);
    workqueue_stop(q);
    for (size_t i = 0; i < countof(thread); i++) {
        void *key = NULL;
        assert_int_equal(pthread_join(thread[i], &key), 0);
        assert_null(key);
    }
    workqueue_add(q, "late");
    assert_null(workqueue_get(q));
    workqueue_free(q);
}

/* ---- workers ---- */

enum { KEYS = 20, ROUNDS = 200, WORKERS = 4 };

struct load {
    struct workqueue *q;
    atomic_int running[KEYS];
    atomic_int overlaps;
    atomic_int runs;
    int seen[KEYS]; /* written by whoever has the key: the queue must order that */
};

static int reconcile_load(void *ctx, const char *key, int64_t *again_ms, struct error *e)
{
    struct load *l = ctx;
    long long n = 0;

    assert_int_equal(str_to_int(key, 0, KEYS - 1, &n), 0);
    if (atomic_fetch_add(&l->running[n], 1) > 0)
        atomic_fetch_add(&l->overlaps, 1);
    l->seen[n]++;
    atomic_fetch_add(&l->runs, 1);
    atomic_fetch_sub(&l->running[n], 1);
    return l->seen[n] % 7 == 0 ? error_set(e, ERR_CONFLICT, "on purpose") : 0;
}

static void *feeder(void *arg)
{
    struct load *l = arg;
    char key[16];

    for (int i = 0; i < ROUNDS * KEYS; i++) {
        (void)snprintf(key, sizeof(key), "%d", i % KEYS);
        workqueue_add(l->q, key);
    }
    return NULL;
}

static void a_key_is_never_in_two_workers(void **state)
{
    struct load l = { .q = workqueue_new("load") };
    struct workers *w = workers_start(l.q, WORKERS, reconcile_load, &l);
    pthread_t feeders[2];

    for (size_t i = 0; i < countof(feeders); i++)
        assert_int_equal(pthread_create(&feeders[i], NULL, feeder, &l), 0);
    for (size_t i = 0; i < countof(feeders); i++)
        assert_int_equal(pthread_join(feeders[i], NULL), 0);
    pause_ms(50);
    workers_stop(w);
    assert_int_equal(l.overlaps, 0);
    for (size_t i = 0; i < KEYS; i++)
        assert_true(l.seen[i] > 0);
    workqueue_free(l.q);
}

struct script {
    atomic_int calls;
};

static int fail_twice_then_ask_again(void *ctx, const char *key, int64_t *again_ms, struct error *e)
{
    struct script *s = ctx;
    int call = atomic_fetch_add(&s->calls, 1);

    if (call < 2)
        return error_set(e, ERR_UNAVAILABLE, "on purpose");
    if (call == 2)
        *again_ms = 5;
    return 0;
}

static void errors_are_retried_and_again_is_obeyed(void **state)
{
    struct workqueue *q = workqueue_new("script");
    struct script s = { 0 };
    struct workers *w = workers_start(q, 2, fail_twice_then_ask_again, &s);

    workqueue_add(q, "a");
    for (int i = 0; i < 6000 && s.calls < 4; i++)
        pause_ms(5);
    pause_ms(30);
    workers_stop(w);
    assert_int_equal(s.calls, 4); /* two failures, one that asks again, one that is content */
    assert_int_equal(workqueue_retries(q, "a"), 0);
    workqueue_free(q);
}

static void metrics_tell_depth_and_adds(void **state)
{
    struct workqueue *q = workqueue_new("measured");
    struct buf out = BUF_INIT(0);

    workqueue_add(q, "a");
    workqueue_add(q, "b");
    workqueue_add_after(q, "c", 60000);
    metrics_write(&out);
    assert_non_null(strstr(out.data, "kubevirt_workqueue_depth{name=\"measured\"} 2"));
    assert_non_null(strstr(out.data, "kubevirt_workqueue_adds_total{name=\"measured\"} 2"));
    assert_non_null(strstr(out.data, "kubevirt_workqueue_retries_total{name=\"measured\"} 1"));
    assert_non_null(
        strstr(out.data, "kubevirt_workqueue_unfinished_work_seconds{name=\"measured\"} 0"));
    buf_done(&out);
    workqueue_free(q);
}

static void a_bucket_gives_its_burst_then_its_rate(void **state)
{
    struct bucket b = bucket_make(10, 3, 1000);

    assert_int_equal(bucket_reserve(&b, 1000), 0);
    assert_int_equal(bucket_reserve(&b, 1000), 0);
    assert_int_equal(bucket_reserve(&b, 1000), 0);
    assert_int_equal(bucket_reserve(&b, 1000), 100);
    assert_int_equal(bucket_reserve(&b, 1000), 200);
    assert_false(bucket_try(&b, 1200));
    assert_true(bucket_try(&b, 1300));
    assert_int_equal(bucket_reserve(&b, 100000), 0); /* never more than the burst is saved up */
    assert_true(bucket_try(&b, 100000));
    assert_true(bucket_try(&b, 100000));
    assert_false(bucket_try(&b, 100000));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_come_in_order_and_once),
        cmocka_unit_test(adds_during_work_cause_one_more_run),
        cmocka_unit_test(delayed_keys_come_by_time_and_the_earlier_delay_counts),
        cmocka_unit_test(a_key_that_is_queued_and_delayed_runs_when_both_say),
        cmocka_unit_test(backoff_doubles_until_forgotten),
        cmocka_unit_test(stop_wakes_everyone_and_hands_out_nothing_more),
        cmocka_unit_test(a_key_is_never_in_two_workers),
        cmocka_unit_test(errors_are_retried_and_again_is_obeyed),
        cmocka_unit_test(metrics_tell_depth_and_adds),
        cmocka_unit_test(a_bucket_gives_its_burst_then_its_rate),
    };

    log_init("test", 0);
    return cmocka_run_group_tests_name("workqueue", tests, NULL, NULL);
}
