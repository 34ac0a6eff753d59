/* SPDX-License-Identifier: Apache-2.0 */
/* What YAML becomes in JSON, what is refused, and that what is written reads back the same. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/must.h"
#include "base/scope.h"
#include "base/str.h"
#include "kube/yaml.h"

static const struct read_case {
    const char *yaml, *json; /* json NULL: refused */
} read_cases[] = {
    { "a: 1", "{\"a\":1}" },
    { "a: \"1\"", "{\"a\":\"1\"}" },
    { "a: '1'", "{\"a\":\"1\"}" },
    { "a: yes\nb: no\nc: on\nd: Off", "{\"a\":true,\"b\":false,\"c\":true,\"d\":false}" },
    { "a: true\nb: \"true\"\nc: TRUE\nd: tRue",
      "{\"a\":true,\"b\":\"true\",\"c\":true,\"d\":\"tRue\"}" },
    { "a:\nb: ~\nc: null\nd: ''", "{\"a\":null,\"b\":null,\"c\":null,\"d\":\"\"}" },
    { "a: 0x1f\nb: 010\nc: 0b101\nd: 0o17\ne: 08", "{\"a\":31,\"b\":8,\"c\":5,\"d\":15,\"e\":8}" },
    { "a: -5\nb: +5\nc: 1_000\nd: 1.5\ne: 1e3\nf: .5",
      "{\"a\":-5,\"b\":5,\"c\":1000,\"d\":1.5,\"e\":1000,\"f\":0.5}" },
    { "a: 1Gi\nb: 100m\nc: 1.2.3\ne: 0x\nf: 1e",
      "{\"a\":\"1Gi\",\"b\":\"100m\",\"c\":\"1.2.3\",\"e\":\"0x\",\"f\":\"1e\"}" },
    { "a: 9223372036854775807\nb: -9223372036854775808",
      "{\"a\":9223372036854775807,\"b\":-9223372036854775808}" },
    { "a: 2001-01-02\nb: 2001-01-02T03:04:05Z",
      "{\"a\":\"2001-01-02\",\"b\":\"2001-01-02T03:04:05Z\"}" },
    { "a: 12:30:45", "{\"a\":\"12:30:45\"}" },
    { "1: a\ntrue: b\n1.5: c", "{\"1\":\"a\",\"true\":\"b\",\"1.5\":\"c\"}" },
    { "a: |\n  x\n  y\nb: >-\n  x\n  y", "{\"a\":\"x\\ny\\n\",\"b\":\"x y\"}" },
    { "a: [1, {b: c}, [d]]", "{\"a\":[1,{\"b\":\"c\"},[\"d\"]]}" },
    { "{\"a\": {\"b\": [true, null]}}", "{\"a\":{\"b\":[true,null]}}" },
    { "a: &x {k: v}\nb: *x", "{\"a\":{\"k\":\"v\"},\"b\":{\"k\":\"v\"}}" },
    { "base: &b {x: 1, z: 2}\nc:\n  <<: *b\n  z: 3",
      "{\"base\":{\"x\":1,\"z\":2},\"c\":{\"z\":3,\"x\":1}}" },
    { "p: &p {x: 1}\nq: &q {x: 2, z: 3}\nc:\n  <<: [*p, *q]",
      "{\"p\":{\"x\":1},\"q\":{\"x\":2,\"z\":3},\"c\":{\"x\":1,\"z\":3}}" },
    { "a: !!str 5\nb: !!int 7", "{\"a\":\"5\",\"b\":7}" },
    { "# only a comment\n", "null" },
    { "", "null" },
    { "--- \na: 1\n---\nb: 2\n", "{\"a\":1}" },
    /* refused */
    { "a: 1\na: 2", NULL },
    { "a: [1, 2", NULL },
    { "a: *nobody", NULL },
    { "a: &a [*a]", NULL },
    { "a: .nan", NULL },
    { "a: .inf", NULL },
    { "a: \"x\\0y\"", NULL },
    { "[1]: a", NULL },
    { "a: !!int x", NULL },
    { "a: !!binary aGk=", NULL },
    { "a: !mine x", NULL },
    { "\tb: 1", NULL },
    { "a: \xff", NULL },
    { "a:\n  <<: 5", NULL },
};

static void reads(void **state)
{
    const struct read_case *c = *state;
    json_auto_t *got = NULL;
    struct error e = { 0 };

    int r = yaml_parse(&got, c->yaml, strlen(c->yaml), &e);
    if (!c->json) {
        assert_int_equal(r, -ERR_BAD_REQUEST);
        assert_non_null(strstr(e.msg, "line "));
        return;
    }
    assert_int_equal(r, 0);
    json_auto_t *want = json_loads(c->json, JSON_DECODE_ANY, NULL);
    assert_non_null(want);
    if (json_equal(got, want))
        return;
    scoped(free) char *text = must_dumps(got, JSON_ENCODE_ANY | JSON_COMPACT);
    fail_msg("%s\nread as %s", c->yaml, text);
}

static void alias_bombs_are_refused(void **state)
{
    scoped_buf text = BUF_INIT(0);
    json_auto_t *got = NULL;
    struct error e = { 0 };

    (void)buf_adds(&text, "l0: &l0 [lol, lol, lol, lol, lol, lol, lol, lol, lol]\n");
    for (int i = 1; i < 12; i++)
        (void)buf_addf(&text, "l%d: &l%d [*l%d, *l%d, *l%d, *l%d, *l%d, *l%d, *l%d, *l%d, *l%d]\n",
                       i, i, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1);
    assert_int_equal(yaml_parse(&got, text.data, text.len, &e), -ERR_BAD_REQUEST);
    assert_non_null(strstr(e.msg, "aliases grow too large"));
}

static void deep_nesting_is_refused(void **state)
{
    scoped_buf text = BUF_INIT(0);
    json_auto_t *got = NULL;
    struct error e = { 0 };

    for (int i = 0; i < 5000; i++)
        (void)buf_adds(&text, "[");
    assert_int_equal(yaml_parse(&got, text.data, text.len, &e), -ERR_BAD_REQUEST);
}

static void documents_come_one_by_one_without_the_empty_ones(void **state)
{
    static const char text[] = "---\n# nothing\n---\na: 1\n---\n---\nb: 2\n...\n";
    json_auto_t *all = NULL;
    struct error e = { 0 };

    assert_int_equal(yaml_parse_all(&all, text, strlen(text), &e), 0);
    scoped(free) char *got = must_dumps(all, JSON_COMPACT);
    assert_string_equal(got, "[{\"a\":1},{\"b\":2}]");
    json_auto_t *none = NULL;
    assert_int_equal(yaml_parse_all(&none, "a: 1\n---\nb: [", strlen("a: 1\n---\nb: ["), &e),
                     -ERR_BAD_REQUEST);
}

static void writes_as_kubectl_does(void **state)
{
    static const char json[] =
        "{\"kind\":\"Pod\",\"apiVersion\":\"v1\",\"metadata\":{\"name\":\"a\","
        "\"labels\":{\"kubevirt.io\":\"\",\"n\":\"5\"},\"annotations\":{},"
        "\"creationTimestamp\":\"2025-01-01T00:00:00Z\"},"
        "\"spec\":{\"list\":[],\"containers\":[{\"name\":\"c\",\"args\":[\"-v\",\"a: b\",\"*\"],"
        "\"env\":null}],\"script\":\"one\\ntwo\\n\",\"on\":true,\"n\":1.5}}";
    static const char want[] = "apiVersion: v1\n"
                               "kind: Pod\n"
                               "metadata:\n"
                               "  annotations: {}\n"
                               "  creationTimestamp: \"2025-01-01T00:00:00Z\"\n"
                               "  labels:\n"
                               "    kubevirt.io: \"\"\n"
                               "    \"n\": \"5\"\n"
                               "  name: a\n"
                               "spec:\n"
                               "  containers:\n"
                               "  - args:\n"
                               "    - -v\n"
                               "    - 'a: b'\n"
                               "    - '*'\n"
                               "    env: null\n"
                               "    name: c\n"
                               "  list: []\n"
                               "  \"n\": 1.5\n"
                               "  \"on\": true\n"
                               "  script: |\n"
                               "    one\n"
                               "    two\n";
    json_auto_t *v = json_loads(json, 0, NULL);
    scoped(free) char *got = yaml_dump(v);

    assert_string_equal(got, want);
}

/* Strings that are easily read as something else, or that only one style can carry. */
static const char *const strings[] = {
    "",
    " ",
    "a",
    "a b",
    " a",
    "a ",
    "-",
    "- a",
    "-a",
    "?",
    "? a",
    ":",
    "a:",
    ":a",
    "a: b",
    "a:b",
    "a #b",
    "a#b",
    "#a",
    "true",
    "y",
    "No",
    "null",
    "~",
    "1",
    "1.5",
    "0x1",
    "1e3",
    ".inf",
    "1_000",
    "12:30",
    "2001-01-02",
    "2001-01-02T03:04:05Z",
    "<<",
    "=",
    "*a",
    "&a",
    "!a",
    "|",
    ">",
    "%a",
    "@a",
    "`a",
    "'",
    "\"",
    "'a'",
    "\"a\"",
    "{",
    "{a: b}",
    "[a]",
    "a,b",
    "---",
    "--- a",
    "...",
    "a\n",
    "a\nb",
    "a\nb\n",
    "a\n\n",
    "\n",
    "\na",
    " a\nb",
    "a\n b\n",
    "a\n\nb\n\n\n",
    "tab\there",
    "\ttab",
    "a\r\nb",
    "bell\x07",
    "\xc3\xa9t\xc3\xa9",
    "\xe2\x80\xa8",
    "\xc2\x85",
    "\xef\xbb\xbf",
    "\xf0\x9f\x98\x80",
    "back\\slash",
    "a'b",
    "a\"b",
    "very long very long very long very long very long very long very "
    "long very long very long very long line that must not be folded",
    "C:\\x: y",
    "x: # y",
};

static void strings_survive_the_way_there_and_back(void **state)
{
    for (size_t i = 0; i < countof(strings); i++) {
        json_auto_t *v = must_pack("{s:s, s:[s, {s:s, s:s}], s:{s:s}}", "a", strings[i], "list",
                                   strings[i], "k", strings[i], "l", "x", "deep", "k", strings[i]);
        json_auto_t *back = NULL;
        struct error e = { 0 };
        scoped(free) char *text = yaml_dump(v);
        if (yaml_parse(&back, text, strlen(text), &e) < 0 || !json_equal(v, back))
            fail_msg("string %zu '%s' became:\n%s%s", i, strings[i], text, e.msg);
    }
}

static void keys_survive_too(void **state)
{
    for (size_t i = 0; i < countof(strings); i++) {
        json_auto_t *v = must_pack("{s:{s:i}}", "m", strings[i], 1);
        json_auto_t *back = NULL;
        struct error e = { 0 };
        scoped(free) char *text = yaml_dump(v);
        if (yaml_parse(&back, text, strlen(text), &e) < 0 || !json_equal(v, back))
            fail_msg("key %zu '%s' became:\n%s%s", i, strings[i], text, e.msg);
    }
}

static void nested_lists_and_scalars_survive(void **state)
{
    static const char *const texts[] = {
        "[[1,[2,[]]],[],{}]",
        "[{\"a\":[{\"b\":[1,2]},{\"c\":{}}]}]",
        "5",
        "\"x\"",
        "null",
        "[]",
        "{}",
        "[null,true,-1.25]",
    };

    for (size_t i = 0; i < countof(texts); i++) {
        json_auto_t *v = json_loads(texts[i], JSON_DECODE_ANY, NULL);
        json_auto_t *back = NULL;
        struct error e = { 0 };
        scoped(free) char *text = yaml_dump(v);
        if (yaml_parse(&back, text, strlen(text), &e) < 0 || !json_equal(v, back))
            fail_msg("%s became:\n%s%s", texts[i], text, e.msg);
    }
}

/* The text on one line, for the report. */
static const char *title(const char *yaml, char out[64])
{
    size_t n = 0;

    for (; yaml[n] && n < 63; n++)
        out[n] = yaml[n] >= ' ' && yaml[n] < 127 ? yaml[n] : '~';
    out[n] = '\0';
    return out;
}

int main(void)
{
    static char titles[countof(read_cases)][64];
    struct CMUnitTest tests[countof(read_cases) + 7];
    size_t n = 0;

    for (size_t i = 0; i < countof(read_cases); i++)
        tests[n++] = (struct CMUnitTest){ .name = title(read_cases[i].yaml, titles[i]),
                                          .test_func = reads,
                                          .initial_state = (void *)&read_cases[i] };
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(alias_bombs_are_refused);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(deep_nesting_is_refused);
    tests[n++] =
        (struct CMUnitTest)cmocka_unit_test(documents_come_one_by_one_without_the_empty_ones);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(writes_as_kubectl_does);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(strings_survive_the_way_there_and_back);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(keys_survive_too);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(nested_lists_and_scalars_survive);
    return cmocka_run_group_tests_name("yaml", tests, NULL, NULL);
}
