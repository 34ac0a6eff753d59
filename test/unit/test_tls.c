/* SPDX-License-Identifier: Apache-2.0 */
/* Keys that change: the last good ones stay. */
#include "tls_fixture.h"

#include <fcntl.h>

#include "base/clock.h"
#include "base/scope.h"
#include "http/tls.h"

static struct test_pki pki;

static void write_file(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    must(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text) && close(fd) == 0);
}

static void empty_keys_have_no_pair(void **state)
{
    struct tls_keys *k = tls_keys_new();

    assert_false(tls_keys_has_pair(k));
    assert_int_equal(tls_keys_expiry_ms(k), 0);
    assert_false(tls_keys_poll(k));
    tls_keys_unref(k);
}

static void bad_pairs_are_refused(void **state)
{
    const char *const rows[][2] = {
        { pki.server.cert_pem, pki.client.key_pem },
        { "rubbish", pki.server.key_pem },
        { pki.server.cert_pem, "rubbish" },
        { "", "" },
    };
    struct tls_keys *k = tls_keys_new();
    struct error e;

    assert_int_equal(tls_keys_set_pair(k, pki.server.cert_pem, pki.server.key_pem, &e), 0);
    int64_t expiry = tls_keys_expiry_ms(k);
    int64_t left = expiry - clock_wall_ms(&clock_real);
    assert_in_range(left, 86000 * 1000LL, 86400 * 1000LL);
    for (size_t i = 0; i < countof(rows); i++) {
        assert_int_equal(tls_keys_set_pair(k, rows[i][0], rows[i][1], &e), -ERR_INVALID);
        assert_true(tls_keys_has_pair(k));
        assert_int_equal(tls_keys_expiry_ms(k), expiry);
    }
    assert_int_equal(tls_keys_set_ca(k, "rubbish", &e), -ERR_INVALID);
    assert_int_equal(tls_keys_set_ca(k, pki.ca.cert_pem, &e), 0);
    tls_keys_unref(k);
}

static void files_are_followed(void **state)
{
    char dir[] = "/tmp/test-tls-XXXXXX";
    struct tls_keys *k = tls_keys_new();
    struct error e;

    assert_non_null(mkdtemp(dir));
    scoped(free) char *cert = must_asprintf("%s/tls.crt", dir);
    scoped(free) char *key = must_asprintf("%s/tls.key", dir);

    assert_int_equal(tls_keys_watch_files(k, cert, key, &e), 0);
    assert_false(tls_keys_has_pair(k));
    write_file(cert, pki.server.cert_pem);
    assert_false(tls_keys_poll(k)); /* half of it */
    write_file(key, pki.server.key_pem);
    assert_true(tls_keys_poll(k));
    assert_true(tls_keys_has_pair(k));
    assert_false(tls_keys_poll(k)); /* unchanged */

    int64_t expiry = tls_keys_expiry_ms(k);
    struct test_cert next = test_cert_new(&pki.ca, "next", FOR_SERVER, 200000);
    write_file(cert, next.cert_pem); /* with the old key: not yet */
    assert_false(tls_keys_poll(k));
    assert_int_equal(tls_keys_expiry_ms(k), expiry);
    write_file(key, next.key_pem);
    assert_true(tls_keys_poll(k));
    assert_true(tls_keys_expiry_ms(k) > expiry);

    struct tls_keys *other = tls_keys_new();
    assert_int_equal(tls_keys_watch_files(other, cert, key, &e), 1);
    write_file(key, "rubbish");
    assert_int_equal(tls_keys_watch_files(other, cert, key, &e), -ERR_INVALID);
    assert_true(tls_keys_has_pair(other));
    tls_keys_unref(other);
    (void)unlink(cert);
    assert_false(tls_keys_poll(k));
    assert_true(tls_keys_has_pair(k));

    (void)unlink(key);
    (void)rmdir(dir);
    test_cert_done(&next);
    tls_keys_unref(k);
}

static int group_setup(void **state)
{
    test_pki_init(&pki);
    return 0;
}

static int group_teardown(void **state)
{
    test_pki_done(&pki);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(empty_keys_have_no_pair),
        cmocka_unit_test(bad_pairs_are_refused),
        cmocka_unit_test(files_are_followed),
    };
    return cmocka_run_group_tests_name("tls", tests, group_setup, group_teardown);
}
