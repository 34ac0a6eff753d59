/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buf.h"

#include "rows.h"

static void grows_and_stays_terminated(void **state)
{
    scoped_buf b = BUF_INIT(0);

    for (int i = 0; i < 1000; i++)
        assert_true(buf_addf(&b, "%d,", i));
    assert_int_equal(b.len, 3890);
    assert_int_equal(b.data[b.len], '\0');
    assert_true(strncmp(b.data, "0,1,2,3,", 8) == 0);
}

static void long_formats_are_whole(void **state)
{
    scoped_buf b = BUF_INIT(0);

    assert_true(buf_addf(&b, "%1000s|", "x"));
    assert_int_equal(b.len, 1001);
    assert_int_equal(b.data[999], 'x');
    assert_int_equal(b.data[1000], '|');
}

static void refuses_past_its_bound(void **state)
{
    scoped_buf b = BUF_INIT(5);

    assert_true(buf_adds(&b, "abc"));
    assert_false(buf_adds(&b, "def"));
    assert_true(b.truncated);
    assert_string_equal(b.data, "abc");
    assert_true(buf_adds(&b, "de"));
    assert_true(b.truncated);
    assert_false(buf_addf(&b, "%s", "f"));
    assert_string_equal(b.data, "abcde");
    buf_clear(&b);
    assert_false(b.truncated);
    assert_string_equal(b.data, "");
    assert_false(buf_addf(&b, "%300s", "x"));
    assert_int_equal(b.len, 0);
}

static void escapes_xml(void **state)
{
    scoped_buf b = BUF_INIT(0);

    assert_true(buf_add_xml(&b, "<a b='c' d=\"e\">&\x01\x1b\x7f\t\xc3\xa4</a>"));
    assert_string_equal(b.data,
                        "&lt;a b=&apos;c&apos; d=&quot;e&quot;&gt;&amp;\t\xc3\xa4&lt;/a&gt;");
    buf_clear(&b);
    assert_true(buf_add_xml(&b, ""));
    assert_string_equal(b.data, "");
}

static void xml_is_all_or_nothing(void **state)
{
    scoped_buf b = BUF_INIT(8);

    assert_true(buf_adds(&b, "abc"));
    assert_false(buf_add_xml(&b, "x&y&z"));
    assert_string_equal(b.data, "abc");
}

static void consumes_from_the_front(void **state)
{
    scoped_buf b = BUF_INIT(10);

    buf_consume(&b, 0);
    assert_true(buf_add(&b, "a\0bcd", 5));
    buf_consume(&b, 2);
    assert_string_equal(b.data, "bcd");
    buf_consume(&b, 3);
    assert_int_equal(b.len, 0);
    assert_string_equal(b.data, "");
}

static void hands_its_string_over(void **state)
{
    struct buf b = BUF_INIT(10);
    scoped(free) char *nothing = buf_take(&b);
    assert_string_equal(nothing, "");

    assert_true(buf_adds(&b, "abc"));
    scoped(free) char *text = buf_take(&b);
    assert_string_equal(text, "abc");
    assert_null(b.data);
    assert_int_equal(b.max, 10);
    buf_done(&b);
    buf_done(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(grows_and_stays_terminated), cmocka_unit_test(long_formats_are_whole),
        cmocka_unit_test(refuses_past_its_bound),     cmocka_unit_test(escapes_xml),
        cmocka_unit_test(xml_is_all_or_nothing),      cmocka_unit_test(consumes_from_the_front),
        cmocka_unit_test(hands_its_string_over),
    };
    return cmocka_run_group_tests_name("buf", tests, NULL, NULL);
}
