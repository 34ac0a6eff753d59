/* SPDX-License-Identifier: Apache-2.0 */
#include "base/str.h"

#include <limits.h>

#include "base/digest.h"
#include "rows.h"

static void compares(void **state)
{
    assert_true(streq("a", "a"));
    assert_true(streq(NULL, NULL));
    assert_false(streq("a", NULL));
    assert_true(str_has_prefix("virt-api", "virt-"));
    assert_false(str_has_prefix("vir", "virt-"));
    assert_false(str_has_prefix(NULL, "x"));
    assert_true(str_has_suffix("a.yaml", ".yaml"));
    assert_false(str_has_suffix("yaml", ".yaml"));
}

static const struct int_case {
    const char *name;
    long long min, max;
    int want;
    long long value;
} int_cases[] = {
    { "0", 0, 10, 0, 0 },
    { "10", 0, 10, 0, 10 },
    { "11", 0, 10, -1, 0 },
    { "-1", 0, 10, -1, 0 },
    { "-1", -1, 10, 0, -1 },
    { "+1", 0, 10, -1, 0 },
    { " 1", 0, 10, -1, 0 },
    { "1 ", 0, 10, -1, 0 },
    { "", 0, 10, -1, 0 },
    { "-", -5, 10, -1, 0 },
    { "1x", 0, 10, -1, 0 },
    { "0x1", 0, 10, -1, 0 },
    { "9223372036854775807", 0, LLONG_MAX, 0, LLONG_MAX },
    { "9223372036854775808", 0, LLONG_MAX, -1, 0 },
};

static void reads_whole_numbers(void **state)
{
    const struct int_case *c = *state;
    long long value = 0;
    assert_int_equal(str_to_int(c->name, c->min, c->max, &value), c->want);
    assert_true(value == c->value);
}

static void decodes_percent(void **state)
{
    static const struct {
        const char *in, *want;
    } rows[] = {
        { "a%2Fb", "a/b" }, { "%e4", "\xe4" }, { "a+b", "a+b" },   { "100%", "100%" },
        { "%4", "%4" },     { "%zz", "%zz" },  { "%00x", "%00x" }, { "%2525", "%25" },
    };
    for (size_t i = 0; i < countof(rows); i++) {
        scoped(free) char *got = str_percent_decode(rows[i].in);
        assert_string_equal(got, rows[i].want);
    }
}

static void base64_is_rfc_4648(void **state)
{
    static const struct {
        const char *raw, *text;
    } rows[] = {
        { "", "" },
        { "f", "Zg==" },
        { "fo", "Zm8=" },
        { "foo", "Zm9v" },
        { "foob", "Zm9vYg==" },
        { "fooba", "Zm9vYmE=" },
        { "foobar", "Zm9vYmFy" },
        { "\xff\xfe\xfd", "//79" },
    };
    for (size_t i = 0; i < countof(rows); i++) {
        size_t len = 99;
        scoped(free) char *text = str_base64(rows[i].raw, strlen(rows[i].raw));
        assert_string_equal(text, rows[i].text);
        scoped(free) char *raw = str_unbase64(text, &len);
        assert_non_null(raw);
        assert_int_equal(len, strlen(rows[i].raw));
        assert_string_equal(raw, rows[i].raw);
    }
}

static void base64_from_outside_is_checked(void **state)
{
    static const char *const bad[] = { "Z",    "Zg",    "Zg=",     "Zg==Zg==", "=AAA",
                                       "Z===", "Zm9v!", "Zm9\xff", "Z=g=",     "Zm9v Zm9v" };
    size_t len;
    for (size_t i = 0; i < countof(bad); i++)
        assert_null(str_unbase64(bad[i], &len));
    scoped(free) char *broken_lines = str_unbase64("Zm9v\r\nYmFy\n", &len);
    assert_string_equal(broken_lines, "foobar");
}

static void utf8_is_checked(void **state)
{
    static const struct {
        const char *in, *cleaned; /* NULL: valid */
    } rows[] = {
        { "plain", NULL },
        { "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80", NULL },
        { "a\xff", "a?" },
        { "\xc3", "?" },
        { "\xc0\xaf", "??" },
        { "\xed\xa0\x80", "???" },
        { "\xf4\x90\x80\x80", "????" },
        { "\xe2\x82", "??" },
        { "\xe0\x80\xaf", "???" },
    };
    for (size_t i = 0; i < countof(rows); i++) {
        scoped(free) char *text = must_strdup(rows[i].in);
        assert_int_equal(str_is_utf8(text), rows[i].cleaned == NULL);
        str_make_utf8(text);
        assert_string_equal(text, rows[i].cleaned ? rows[i].cleaned : rows[i].in);
    }
}

static void uuids(void **state)
{
    char a[37];
    char random[40][37];

    uuid_v5("6ba7b810-9dad-11d1-80b4-00c04fd430c8", "www.example.com", a);
    assert_string_equal(a, "2ed6657d-e927-568b-95e1-2665a8aea6a2");
    for (size_t i = 0; i < countof(random); i++) {
        uuid_v4(random[i]);
        assert_int_equal(random[i][14], '4');
        assert_non_null(strchr("89ab", random[i][19]));
        for (size_t j = 0; j < i; j++)
            assert_string_not_equal(random[i], random[j]);
    }
}

static void random_suffixes_keep_to_the_alphabet(void **state)
{
    char a[401];

    random_suffix(a, 400);
    assert_int_equal(strlen(a), 400);
    assert_int_equal(strspn(a, "bcdfghjklmnpqrstvwxz2456789"), 400);
}

static const struct name_case {
    const char *name;
    bool is_label, is_subdomain;
} name_cases[] = {
    { "a", true, true },
    { "a-1", true, true },
    { "1a", true, true },
    { "", false, false },
    { "-a", false, false },
    { "a-", false, false },
    { "A", false, false },
    { "a_b", false, false },
    { "a.b", false, true },
    { "a..b", false, false },
    { ".a", false, false },
    { "a.", false, false },
    { "a.-b", false, false },
    { "a b", false, false },
    { "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", true, true },
    { "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", false, true },
};

static void checks_names(void **state)
{
    const struct name_case *c = *state;
    assert_int_equal(is_dns_label(c->name), c->is_label);
    assert_int_equal(is_dns_subdomain(c->name), c->is_subdomain);
}

static void long_names_end_at_253(void **state)
{
    char name[256];
    memset(name, 'a', sizeof(name));
    name[253] = '\0';
    assert_true(is_dns_subdomain(name));
    name[253] = 'a';
    name[254] = '\0';
    assert_false(is_dns_subdomain(name));
}

static void digests(void **state)
{
    char sha1[SHA1_HEX_MAX];
    char sha256[SHA256_HEX_MAX];
    sha1_hex("abc", 3, sha1);
    sha256_hex("abc", 3, sha256);
    assert_string_equal(sha1, "a9993e364706816aba3e25717850c26c9cd0d89d");
    assert_string_equal(sha256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(compares),
        cmocka_unit_test(decodes_percent),
        cmocka_unit_test(base64_is_rfc_4648),
        cmocka_unit_test(base64_from_outside_is_checked),
        cmocka_unit_test(utf8_is_checked),
        cmocka_unit_test(uuids),
        cmocka_unit_test(random_suffixes_keep_to_the_alphabet),
        cmocka_unit_test(long_names_end_at_253),
        cmocka_unit_test(digests),
    };
    return RUN_ROWS("str numbers", int_cases, reads_whole_numbers) +
           RUN_ROWS("str names", name_cases, checks_names) +
           cmocka_run_group_tests_name("str", tests, NULL, NULL);
}
