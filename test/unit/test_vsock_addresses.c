/* SPDX-License-Identifier: Apache-2.0 */
/* Who gets a VSOCK address, and which. */
#include "controller/vsock_addresses.h"

#include <inttypes.h>
#include <pthread.h>

#include "rows.h"

#define WANTS "'spec':{'domain':{'devices':{'autoattachVSOCK':true}}}"

/* ---- who ---- */

static const struct who_case {
    const char *name, *vmi;
    bool want;
} who_cases[] = {
    { "new and wants one", "{" WANTS "}", true },
    { "its pod was made by a leader that is gone", "{" WANTS ",'status':{'phase':'Scheduling'}}",
      true },
    { "does not want one", "{'spec':{'domain':{'devices':{'autoattachVSOCK':false}}}}", false },
    { "says nothing", "{'spec':{'domain':{'devices':{}}}}", false },
    { "has one", "{" WANTS ",'status':{'phase':'Pending','VSOCKCID':3}}", false },
    { "zero is none", "{" WANTS ",'status':{'phase':'Pending','VSOCKCID':0}}", true },
    { "runs already: its guest would not learn of it",
      "{" WANTS ",'status':{'phase':'Running','nodeName':'n1'}}", false },
    { "has ended", "{" WANTS ",'status':{'phase':'Failed'}}", false },
    { "goes away", "{'metadata':{'deletionTimestamp':'x'}," WANTS "}", false },
};

static void says_who(void **state)
{
    const struct who_case *c = *state;
    json_auto_t *vmi = json_q(c->vmi);
    assert_int_equal(vmi_lacks_vsock_address(vmi), c->want);
}

/* ---- which ---- */

static bool is_below(uint32_t cid, void *ctx)
{
    const uint32_t *bound = ctx;
    return cid < *bound;
}

static const struct pick_case {
    const char *name;
    uint32_t random;
    uint32_t used_below;
    uint32_t want;
} pick_cases[] = {
    { "any number", 4711, 0, 4711 },
    { "zero would be the hypervisor", 0, 0, 3 },
    { "two is the host", 2, 0, 3 },
    { "the first that a guest may have", 3, 0, 3 },
    { "the last", UINT32_MAX - 1, 0, UINT32_MAX - 1 },
    { "the number that means any", UINT32_MAX, 0, 3 },
    { "used by instances: the next free one", 4711, 4715, 4715 },
};

static void picks(void **state)
{
    const struct pick_case *c = *state;
    struct vsock_addresses *a = vsock_addresses_new();
    uint32_t bound = c->used_below;

    assert_int_equal(vsock_addresses_take(a, "one", c->random, is_below, &bound), c->want);
    vsock_addresses_free(a);
}

static bool is_last(uint32_t cid, void *ctx)
{
    return cid == VSOCK_CID_LAST;
}

static bool is_free(uint32_t cid, void *ctx)
{
    return false;
}

static void goes_round_the_end(void **state)
{
    struct vsock_addresses *a = vsock_addresses_new();
    assert_int_equal(vsock_addresses_take(a, "one", VSOCK_CID_LAST, is_last, NULL), 3);
    vsock_addresses_free(a);
}

static void is_kept_until_it_is_seen(void **state)
{
    struct vsock_addresses *a = vsock_addresses_new();

    assert_int_equal(vsock_addresses_take(a, "one", 100, is_free, NULL), 100);
    assert_int_equal(vsock_addresses_take(a, "one", 200, is_free, NULL), 100);
    assert_int_equal(vsock_addresses_take(a, "two", 100, is_free, NULL), 101);
    vsock_addresses_forget(a, "one");
    vsock_addresses_forget(a, "one");
    assert_int_equal(vsock_addresses_take(a, "three", 100, is_free, NULL), 100);
    vsock_addresses_free(a);
}

/* An address that meanwhile shows as somebody's is not given. */
static void a_claim_that_is_used_moves_on(void **state)
{
    struct vsock_addresses *a = vsock_addresses_new();
    uint32_t bound = 101;

    assert_int_equal(vsock_addresses_take(a, "one", 100, is_free, NULL), 100);
    assert_int_equal(vsock_addresses_take(a, "one", 7, is_below, &bound), 101);
    vsock_addresses_free(a);
}

static void is_indexed_by_its_number(void **state)
{
    json_auto_t *with = json_q("{'status':{'VSOCKCID':4294967294}}");
    json_auto_t *without = json_q("{'status':{}}");
    scoped(free) char *value = index_vmi_by_vsock(with);

    assert_string_equal(value, "4294967294");
    assert_null(index_vmi_by_vsock(without));
}

/* ---- many at once ---- */

enum { THREADS = 4, EACH = 200 };

struct crowd {
    struct vsock_addresses *addresses;
    int number;
    uint32_t got[EACH];
};

static void *take_many(void *arg)
{
    struct crowd *crowd = arg;
    for (int i = 0; i < EACH; i++) {
        scoped(free) char *uid = must_asprintf("%d-%d", crowd->number, i);
        crowd->got[i] = vsock_addresses_take(crowd->addresses, uid, 3 + (uint32_t)i, is_free, NULL);
    }
    return NULL;
}

static void never_gives_one_twice(void **state)
{
    static bool seen[THREADS * EACH + EACH + VSOCK_CID_FIRST];
    static struct crowd crowd[THREADS];
    struct vsock_addresses *a = vsock_addresses_new();
    pthread_t threads[THREADS];

    for (int t = 0; t < THREADS; t++) {
        crowd[t] = (struct crowd){ .addresses = a, .number = t };
        assert_int_equal(pthread_create(&threads[t], NULL, take_many, &crowd[t]), 0);
    }
    for (int t = 0; t < THREADS; t++)
        assert_int_equal(pthread_join(threads[t], NULL), 0);
    for (int t = 0; t < THREADS; t++)
        for (int i = 0; i < EACH; i++) {
            assert_in_range(crowd[t].got[i], VSOCK_CID_FIRST, countof(seen) - 1);
            assert_false(seen[crowd[t].got[i]]);
            seen[crowd[t].got[i]] = true;
        }
    vsock_addresses_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(goes_round_the_end),
        cmocka_unit_test(is_kept_until_it_is_seen),
        cmocka_unit_test(a_claim_that_is_used_moves_on),
        cmocka_unit_test(is_indexed_by_its_number),
        cmocka_unit_test(never_gives_one_twice),
    };
    int failed = cmocka_run_group_tests_name("vsock_addresses", tests, NULL, NULL);
    failed += RUN_ROWS("vsock_addresses who", who_cases, says_who);
    failed += RUN_ROWS("vsock_addresses which", pick_cases, picks);
    return failed;
}
