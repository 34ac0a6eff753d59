/* SPDX-License-Identifier: Apache-2.0 */
/* Leader election against the fake API server: two candidates, release, loss, expiry by one's own
 * clock. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/jpath.h"
#include "base/log.h"
#include "base/must.h"
#include "base/scope.h"
#include "base/str.h"
#include "kube/lease.h"
#include "test/fake/kube.h"

/* Short where a lease is to end; long where it must not, however busy the machine is. */
static const struct times {
    int64_t duration_ms, deadline_ms, retry_ms;
} brief = { 1200, 800, 50 }, lasting = { 15000, 10000, 50 };

struct candidate {
    struct lease *lease;
    atomic_int started, lost;
};

struct bench {
    struct fake_kube *fake;
    struct candidate a, b;
    size_t puts;
};

static void on_started(void *ctx)
{
    struct candidate *c = ctx;

    atomic_fetch_add(&c->started, 1);
}

static void on_lost(void *ctx)
{
    struct candidate *c = ctx;

    atomic_fetch_add(&c->lost, 1);
}

static void run(struct bench *b, struct candidate *c, const char *identity, const struct times *t)
{
    const struct lease_options o = {
        .namespace = "kubevirt",
        .name = "virt-controller",
        .identity = identity,
        .duration_ms = t->duration_ms,
        .renew_deadline_ms = t->deadline_ms,
        .retry_ms = t->retry_ms,
        .on_started = on_started,
        .on_lost = on_lost,
        .ctx = c,
    };

    c->lease = lease_start(fake_kube_client(b->fake), &o);
}

static int setup(void **state)
{
    struct bench *b = must_calloc(1, sizeof(*b));

    b->fake = fake_kube_start();
    *state = b;
    return 0;
}

static int teardown(void **state)
{
    struct bench *b = *state;

    lease_stop(b->a.lease);
    lease_stop(b->b.lease);
    fake_kube_free(b->fake);
    free(b);
    return 0;
}

static bool leads(void *ctx)
{
    struct candidate *c = ctx;

    return lease_is_leader(c->lease) && c->started == 1;
}

static bool lost(void *ctx)
{
    struct candidate *c = ctx;

    return c->lost == 1;
}

static json_t *record(struct bench *b)
{
    return fake_kube_get(b->fake, &KIND_LEASE, "kubevirt", "virt-controller");
}

static void assert_holder(struct bench *b, const char *want, long long transitions)
{
    json_auto_t *r = record(b);

    assert_string_equal(jpath_str(r, "spec.holderIdentity", "?"), want);
    assert_int_equal(jpath_int(r, "spec.leaseTransitions", -1), transitions);
}

static bool has_puts(void *ctx)
{
    struct bench *b = ctx;

    return fake_kube_asked(b->fake, "PUT ") >= b->puts;
}

/* So many more attempts to renew have been made, and those before the last were answered. */
static void await_puts(struct bench *b, size_t more)
{
    b->puts = fake_kube_asked(b->fake, "PUT ") + more;
    assert_true(fake_wait(has_puts, b, FAKE_PATIENCE_MS));
}

static void the_first_makes_the_lease_and_renews_it(void **state)
{
    struct bench *b = *state;
    int64_t at = 0;

    run(b, &b->a, "a", &lasting);
    assert_true(fake_wait(leads, &b->a, FAKE_PATIENCE_MS));
    assert_holder(b, "a", 0);
    json_auto_t *first = record(b);
    assert_int_equal(jpath_int(first, "spec.leaseDurationSeconds", 0), 15);
    assert_int_equal(rfc3339_parse(jpath_str(first, "spec.renewTime", ""), &at), 0);
    assert_true(llabs(at - clock_wall_ms(&clock_real)) < 5000);
    await_puts(b, 2);
    json_auto_t *later = record(b);
    assert_string_not_equal(jpath_str(later, "spec.renewTime", ""),
                            jpath_str(first, "spec.renewTime", ""));
    assert_string_equal(jpath_str(later, "spec.acquireTime", ""),
                        jpath_str(first, "spec.acquireTime", "x"));
    assert_true(lease_is_leader(b->a.lease));
}

static void the_second_waits_and_follows_a_release_at_once(void **state)
{
    struct bench *b = *state;

    run(b, &b->a, "a", &lasting);
    assert_true(fake_wait(leads, &b->a, FAKE_PATIENCE_MS));
    run(b, &b->b, "b", &lasting);
    (void)nanosleep(&(struct timespec){ .tv_nsec = 300 * 1000000L }, NULL);
    assert_false(lease_is_leader(b->b.lease));
    int64_t began = clock_mono_ms(&clock_real);
    lease_stop(b->a.lease);
    b->a.lease = NULL;
    assert_true(fake_wait(leads, &b->b, FAKE_PATIENCE_MS));
    assert_true(clock_mono_ms(&clock_real) - began < lasting.duration_ms);
    assert_holder(b, "b", 1);
    assert_int_equal(b->a.lost, 0);
}

static void a_record_that_stands_still_expires_by_our_own_clock(void **state)
{
    struct bench *b = *state;
    /* Its times lie in the future: they count for nothing. */
    json_t *stale = must_pack("{s:{s:s, s:s}, s:{s:s, s:i, s:s, s:i}}", "metadata", "namespace",
                              "kubevirt", "name", "virt-controller", "spec", "holderIdentity",
                              "ghost", "leaseDurationSeconds", 3600, "renewTime",
                              "2099-01-01T00:00:00.000000Z", "leaseTransitions", 6);

    (void)fake_kube_put(b->fake, &KIND_LEASE, stale);
    int64_t began = clock_mono_ms(&clock_real);
    run(b, &b->a, "a", &brief);
    assert_true(fake_wait(leads, &b->a, FAKE_PATIENCE_MS));
    assert_true(clock_mono_ms(&clock_real) - began >= brief.duration_ms);
    assert_holder(b, "a", 7);
}

static void silence_of_the_server_loses_the_lease_at_the_deadline(void **state)
{
    struct bench *b = *state;

    run(b, &b->a, "a", &brief);
    assert_true(fake_wait(leads, &b->a, FAKE_PATIENCE_MS));
    int64_t began = clock_mono_ms(&clock_real);
    fake_kube_fail(b->fake, "leases", 500, -1, -1);
    assert_true(fake_wait(lost, &b->a, FAKE_PATIENCE_MS));
    int64_t took = clock_mono_ms(&clock_real) - began;
    assert_true(took >= brief.deadline_ms / 2);
    assert_false(lease_is_leader(b->a.lease));
}

static void a_call_that_hangs_does_not_outlive_the_lease(void **state)
{
    struct bench *b = *state;

    run(b, &b->a, "a", &brief);
    assert_true(fake_wait(leads, &b->a, FAKE_PATIENCE_MS));
    fake_kube_fail(b->fake, "leases", FAKE_KUBE_HANG, -1, -1);
    assert_true(fake_wait(lost, &b->a, FAKE_PATIENCE_MS));
    assert_false(lease_is_leader(b->a.lease));
}

static void a_short_failure_is_ridden_out(void **state)
{
    struct bench *b = *state;

    run(b, &b->a, "a", &lasting);
    assert_true(fake_wait(leads, &b->a, FAKE_PATIENCE_MS));
    fake_kube_fail(b->fake, "leases", 503, 2, 1);
    await_puts(b, 4);
    assert_true(lease_is_leader(b->a.lease));
    assert_int_equal(b->a.lost, 0);
}

static void another_name_in_the_record_loses_it_at_once(void **state)
{
    struct bench *b = *state;

    run(b, &b->a, "a", &brief);
    assert_true(fake_wait(leads, &b->a, FAKE_PATIENCE_MS));
    json_t *stolen = record(b);
    jpath_set_str(stolen, "spec.holderIdentity", "thief");
    (void)fake_kube_put(b->fake, &KIND_LEASE, stolen);
    assert_true(fake_wait(lost, &b->a, FAKE_PATIENCE_MS));
    assert_holder(b, "thief", 0);
}

static void a_deleted_lease_is_made_again(void **state)
{
    struct bench *b = *state;

    run(b, &b->a, "a", &lasting);
    assert_true(fake_wait(leads, &b->a, FAKE_PATIENCE_MS));
    fake_kube_remove(b->fake, &KIND_LEASE, "kubevirt", "virt-controller");
    await_puts(b, 2);
    assert_true(lease_is_leader(b->a.lease));
    assert_holder(b, "a", 0);
    assert_int_equal(b->a.lost, 0);
}

static void stopping_a_candidate_touches_nothing(void **state)
{
    struct bench *b = *state;

    run(b, &b->a, "a", &lasting);
    assert_true(fake_wait(leads, &b->a, FAKE_PATIENCE_MS));
    run(b, &b->b, "b", &lasting);
    (void)nanosleep(&(struct timespec){ .tv_nsec = 100 * 1000000L }, NULL);
    lease_stop(b->b.lease);
    b->b.lease = NULL;
    assert_holder(b, "a", 0);
    assert_true(lease_is_leader(b->a.lease));
}

#define CASE(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(the_first_makes_the_lease_and_renews_it),
        CASE(the_second_waits_and_follows_a_release_at_once),
        CASE(a_record_that_stands_still_expires_by_our_own_clock),
        CASE(silence_of_the_server_loses_the_lease_at_the_deadline),
        CASE(a_call_that_hangs_does_not_outlive_the_lease),
        CASE(a_short_failure_is_ridden_out),
        CASE(another_name_in_the_record_loses_it_at_once),
        CASE(a_deleted_lease_is_made_again),
        CASE(stopping_a_candidate_touches_nothing),
    };

    log_init("test", 0);
    return cmocka_run_group_tests_name("lease", tests, NULL, NULL);
}
