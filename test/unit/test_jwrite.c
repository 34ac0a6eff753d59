/* SPDX-License-Identifier: Apache-2.0 */
#include "base/jwrite.h"

#include "base/buf.h"
#include "rows.h"

/* ' stands for ". */
static const struct value_case {
    const char *name, *value;
} cases[] = {
    { "an empty object", "{}" },
    { "an empty array", "[]" },
    { "members in their order", "{'z':1,'a':{'b':[],'c':{}},'m':null}" },
    { "items", "[1,[2,[3]],{'a':[true,false]},null,'x']" },
    { "whole numbers", "[0,-0,7,-1,9223372036854775807,-9223372036854775808]" },
    { "fractions", "[0.1,-2.5e300,1e-7,3.0]" },
    { "a text alone", "'text'" },
    { "a number alone", "10" },
    { "an empty text", "''" },
    { "text with what must be escaped", "'a\\\"b\\\\c\\bd\\fe\\nf\\rg\\th'" },
    { "control characters", "'\\u0001\\u001f\\u007f'" },
    { "what need not be escaped", "'/<>&\\u2028'" },
    { "characters of two to four bytes", "'\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80'" },
    { "keys with all of it", "{'\\n\\\"\\u0002\xc3\xa9':''}" },
};

static void writes_as_jansson_does(void **state)
{
    const struct value_case *c = *state;
    json_auto_t *v = json_q(c->value);
    scoped(free) char *want = json_dumps(v, JSON_COMPACT | JSON_ENCODE_ANY);
    scoped_buf got = BUF_INIT(0);

    (void)buf_adds(&got, "before ");
    jwrite(&got, v);
    assert_string_equal(got.data + strlen("before "), want);
}

static void writes_a_part_of_a_text(void **state)
{
    scoped_buf got = BUF_INIT(0);

    jwrite_string(&got, "abc\"def", 4);
    assert_string_equal(got.data, "\"abc\\\"\"");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_a_part_of_a_text),
    };
    return RUN_ROWS("jwrite", cases, writes_as_jansson_does) +
           cmocka_run_group_tests(tests, NULL, NULL);
}
