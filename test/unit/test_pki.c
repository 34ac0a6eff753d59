/* SPDX-License-Identifier: Apache-2.0 */
/* Certificates: what verifies and what does not, names, times, bundles. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/must.h"
#include "base/scope.h"
#include "base/str.h"
#include "certs/pki.h"

static const int64_t now = 1800000000000; /* 2027 */
enum { HOUR = 3600 * 1000 };

static struct pki_pair make_ca(const char *cn, int64_t at_ms, int64_t valid_ms)
{
    struct pki_pair ca;
    struct error e;

    assert_int_equal(pki_make_ca_at(&ca, cn, at_ms, valid_ms, &e), 0);
    return ca;
}

static const struct pki_leaf leaf_row = {
    .cn = "virt-api.kubevirt.pod.cluster.local",
    .dns = { "virt-api", "virt-api.kubevirt.svc" },
    .ip = { "10.0.0.1", "fd00::1" },
    .is_server = true,
    .valid_ms = HOUR,
    .now_ms = now,
};

static void a_leaf_verifies_against_its_own_ca_only(void **state)
{
    struct pki_pair ca = make_ca("kubevirt.io", now, 10 * HOUR);
    struct pki_pair other = make_ca("kubevirt.io", now, 10 * HOUR); /* even with the same name */
    struct pki_pair leaf;
    struct error e;

    assert_int_equal(pki_make_leaf(&leaf, &ca, &leaf_row, &e), 0);
    assert_true(pki_verifies_at(leaf.cert_pem, ca.cert_pem, now));
    assert_false(pki_verifies_at(leaf.cert_pem, other.cert_pem, now));
    scoped(free) char *both = pki_bundle(other.cert_pem, ca.cert_pem, now);
    assert_true(pki_verifies_at(leaf.cert_pem, both, now));
    assert_false(pki_verifies_at(leaf.cert_pem, "", now));
    assert_false(pki_verifies_at("nonsense", ca.cert_pem, now));
    pki_pair_done(&leaf);
    pki_pair_done(&ca);
    pki_pair_done(&other);
}

static void a_leaf_signs_nothing(void **state)
{
    struct pki_pair ca = make_ca("kubevirt.io", now, 10 * HOUR);
    struct pki_pair leaf;
    struct pki_pair below;
    struct error e;

    assert_int_equal(pki_make_leaf(&leaf, &ca, &leaf_row, &e), 0);
    assert_int_equal(pki_make_leaf(&below, &leaf, &leaf_row, &e), 0);
    assert_false(pki_verifies_at(below.cert_pem, ca.cert_pem, now));
    scoped(free) char *chain = must_asprintf("%s%s", below.cert_pem, leaf.cert_pem);
    assert_false(pki_verifies_at(chain, ca.cert_pem, now));
    pki_pair_done(&below);
    pki_pair_done(&leaf);
    pki_pair_done(&ca);
}

static void time_counts_for_leaf_and_ca(void **state)
{
    struct pki_pair ca = make_ca("kubevirt.io", now, 2 * HOUR);
    struct pki_leaf row = leaf_row;
    struct pki_pair leaf;
    struct error e;

    row.valid_ms = 5 * HOUR;
    assert_int_equal(pki_make_leaf(&leaf, &ca, &row, &e), 0);
    assert_true(pki_verifies_at(leaf.cert_pem, ca.cert_pem, now));
    assert_true(pki_verifies_at(leaf.cert_pem, ca.cert_pem, now - PKI_BACKDATE_MS + 1000));
    assert_false(pki_verifies_at(leaf.cert_pem, ca.cert_pem, now - PKI_BACKDATE_MS - 1000));
    assert_false(pki_verifies_at(leaf.cert_pem, ca.cert_pem, now + 3 * HOUR)); /* the CA is over */
    assert_false(pki_verifies_at(leaf.cert_pem, ca.cert_pem, now + 6 * HOUR));
    pki_pair_done(&leaf);
    pki_pair_done(&ca);
}

static void what_was_asked_for_can_be_read_back(void **state)
{
    struct pki_pair ca = make_ca("kubevirt.io", now, 10 * HOUR);
    struct pki_pair leaf;
    struct pki_info info;
    struct pki_leaf other = leaf_row;
    struct error e;

    assert_int_equal(pki_make_leaf(&leaf, &ca, &leaf_row, &e), 0);
    assert_int_equal(pki_inspect(leaf.cert_pem, &info, &e), 0);
    assert_string_equal(info.cn, leaf_row.cn);
    assert_false(info.is_ca);
    assert_int_equal(info.not_after_ms, now + HOUR);
    assert_int_equal(info.not_before_ms, now - PKI_BACKDATE_MS);
    assert_int_equal(pki_inspect(ca.cert_pem, &info, &e), 0);
    assert_true(info.is_ca);
    assert_true(pki_names_fit(leaf.cert_pem, &leaf_row));
    other.dns[1] = NULL;
    assert_false(pki_names_fit(leaf.cert_pem, &other));
    other = leaf_row;
    other.dns[1] = "virt-api.other.svc";
    assert_false(pki_names_fit(leaf.cert_pem, &other));
    other = leaf_row;
    other.cn = "x";
    assert_false(pki_names_fit(leaf.cert_pem, &other));
    assert_true(pki_pair_fits(leaf.cert_pem, leaf.key_pem));
    assert_false(pki_pair_fits(leaf.cert_pem, ca.key_pem));
    assert_false(pki_pair_fits(leaf.cert_pem, NULL));
    assert_int_equal(pki_inspect("x", &info, &e), -ERR_INVALID);
    pki_pair_done(&leaf);
    pki_pair_done(&ca);
}

static void what_cannot_be_is_refused(void **state)
{
    struct pki_pair ca = make_ca("kubevirt.io", now, 10 * HOUR);
    const struct pki_pair broken = { .cert_pem = ca.cert_pem, .key_pem = (char *)"x" };
    struct pki_leaf row = leaf_row;
    struct pki_pair leaf;
    struct error e;

    row.cn = "a-name-that-is-longer-than-the-sixty-four-characters-that-x520-allows.svc";
    assert_int_equal(pki_make_leaf(&leaf, &ca, &row, &e), -ERR_INVALID);
    row = leaf_row;
    row.ip[0] = "10.0.0.256";
    assert_int_equal(pki_make_leaf(&leaf, &ca, &row, &e), -ERR_INVALID);
    assert_int_equal(pki_make_leaf(&leaf, &broken, &leaf_row, &e), -ERR_INVALID);
    assert_null(leaf.cert_pem);
    pki_pair_done(&ca);
}

static size_t count(const char *pem)
{
    size_t n = 0;

    for (const char *at = strstr(pem, "BEGIN CERT"); at; at = strstr(at + 1, "BEGIN CERT"))
        n++;
    return n;
}

static void bundles_drop_repeats_and_what_is_over(void **state)
{
    struct pki_pair a = make_ca("a", now, 10 * HOUR);
    struct pki_pair b = make_ca("b", now, 1 * HOUR);

    scoped(free) char *both = pki_bundle(a.cert_pem, b.cert_pem, now);
    assert_int_equal(count(both), 2);
    assert_true(str_has_prefix(both, "-----BEGIN CERTIFICATE-----\n"));
    scoped(free) char *again = pki_bundle(a.cert_pem, both, now);
    assert_string_equal(again, both);
    scoped(free) char *later = pki_bundle(a.cert_pem, both, now + 2 * HOUR);
    assert_string_equal(later, a.cert_pem);
    scoped(free) char *none = pki_bundle(NULL, "garbage", now);
    assert_string_equal(none, "");
    pki_pair_done(&a);
    pki_pair_done(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_leaf_verifies_against_its_own_ca_only),
        cmocka_unit_test(a_leaf_signs_nothing),
        cmocka_unit_test(time_counts_for_leaf_and_ca),
        cmocka_unit_test(what_was_asked_for_can_be_read_back),
        cmocka_unit_test(what_cannot_be_is_refused),
        cmocka_unit_test(bundles_drop_repeats_and_what_is_over),
    };

    return cmocka_run_group_tests_name("pki", tests, NULL, NULL);
}
