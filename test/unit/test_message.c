/* SPDX-License-Identifier: Apache-2.0 */
/* Header lists, names, authorities, escaping. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/scope.h"
#include "http/message.h"

static void methods_have_names(void **state)
{
    for (int m = 0; m < HTTP_METHOD_COUNT; m++)
        assert_int_equal(http_method_parse(http_method_name((enum http_method)m)), m);
    assert_int_equal(http_method_parse("get"), -1);
    assert_int_equal(http_method_parse("BREW"), -1);
    assert_int_equal(http_method_parse(""), -1);
}

static void headers_keep_order_and_repeats(void **state)
{
    struct http_headers h = { 0 };
    size_t from = 0;

    assert_true(http_headers_add(&h, "X-Remote-Group", "a"));
    assert_true(http_headers_add(&h, "Other", "x"));
    assert_true(http_headers_add(&h, "x-remote-group", "b"));
    assert_string_equal(http_headers_next(&h, "X-REMOTE-GROUP", &from), "a");
    assert_string_equal(http_headers_next(&h, "X-REMOTE-GROUP", &from), "b");
    assert_null(http_headers_next(&h, "X-REMOTE-GROUP", &from));
    assert_null(http_headers_get(&h, "missing"));
    http_headers_done(&h);
    assert_null(http_headers_get(&h, "Other"));
}

static void unsendable_headers_are_refused(void **state)
{
    static const char *const rows[][2] = {
        { "", "x" },          { "a b", "x" }, { "a:", "x" },   { "a\r\nb", "x" },
        { "a", "x\r\ny: z" }, { "a", "x\n" }, { "a", "\x7f" },
    };
    struct http_headers h = { 0 };

    for (size_t i = 0; i < countof(rows); i++)
        assert_false(http_headers_add(&h, rows[i][0], rows[i][1]));
    assert_true(http_headers_add(&h, "a", "tab\tand \xc3\xa9"));
    http_headers_done(&h);
}

static void headers_are_bounded(void **state)
{
    struct http_headers h = { 0 };

    for (int i = 0; i < HTTP_HEADERS_MAX; i++)
        assert_true(http_headers_add(&h, "a", "b"));
    assert_false(http_headers_add(&h, "a", "b"));
    http_headers_done(&h);
}

static void tokens_are_found(void **state)
{
    static const struct {
        const char *value, *token;
        bool has;
    } rows[] = {
        { "upgrade", "upgrade", true },
        { "keep-alive, Upgrade", "upgrade", true },
        { " ,, Upgrade ,x", "upgrade", true },
        { "upgrades", "upgrade", false },
        { "not upgrade", "upgrade", false },
        { "", "upgrade", false },
        { ",", "upgrade", false },
        { "a\t,b", "a", true },
    };

    for (size_t i = 0; i < countof(rows); i++) {
        struct http_headers h = { 0 };
        assert_true(http_headers_add(&h, "Connection", rows[i].value));
        if (http_headers_has_token(&h, "connection", rows[i].token) != rows[i].has)
            fail_msg("\"%s\"", rows[i].value);
        http_headers_done(&h);
    }
}

static void authorities_bracket_v6(void **state)
{
    char out[HTTP_AUTHORITY_MAX];

    assert_string_equal(http_authority(out, "10.0.0.1", 8186), "10.0.0.1:8186");
    assert_string_equal(http_authority(out, "fd00::1", 443), "[fd00::1]:443");
}

static void escaping(void **state)
{
    static const char *const rows[][2] = {
        { "plain-._~09AZaz", "plain-._~09AZaz" },
        { "a b/c", "a%20b%2Fc" },
        { "\xc3\xa9%", "%C3%A9%25" },
        { "", "" },
    };

    for (size_t i = 0; i < countof(rows); i++) {
        scoped(free) char *out = http_escape(rows[i][0]);
        assert_string_equal(out, rows[i][1]);
    }
}

static void statuses_have_texts(void **state)
{
    assert_string_equal(http_status_text(404), "Not Found");
    assert_string_equal(http_status_text(799), "Unknown");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(methods_have_names),
        cmocka_unit_test(headers_keep_order_and_repeats),
        cmocka_unit_test(unsendable_headers_are_refused),
        cmocka_unit_test(headers_are_bounded),
        cmocka_unit_test(tokens_are_found),
        cmocka_unit_test(authorities_bracket_v6),
        cmocka_unit_test(escaping),
        cmocka_unit_test(statuses_have_texts),
    };
    return cmocka_run_group_tests_name("message", tests, NULL, NULL);
}
