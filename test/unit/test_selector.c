/* SPDX-License-Identifier: Apache-2.0 */
#include "base/selector.h"

#include "rows.h"

#define LABELS "{'app':'web','tier':'front','empty':''}"

static const struct match_case {
    const char *name, *selector;
    bool want;
} match_cases[] = {
    { "nothing matches without a selector", NULL, false },
    { "an empty selector matches", "{}", true },
    { "no object", "[]", false },
    { "one label", "{'matchLabels':{'app':'web'}}", true },
    { "all labels must match", "{'matchLabels':{'app':'web','tier':'back'}}", false },
    { "an absent label", "{'matchLabels':{'x':''}}", false },
    { "an empty value", "{'matchLabels':{'empty':''}}", true },
    { "a value that is no string", "{'matchLabels':{'app':1}}", false },
    { "In", "{'matchExpressions':[{'key':'app','operator':'In','values':['a','web']}]}", true },
    { "In, another value", "{'matchExpressions':[{'key':'app','operator':'In','values':['a']}]}",
      false },
    { "In, absent", "{'matchExpressions':[{'key':'x','operator':'In','values':['a']}]}", false },
    { "NotIn", "{'matchExpressions':[{'key':'app','operator':'NotIn','values':['web']}]}", false },
    { "NotIn, another value",
      "{'matchExpressions':[{'key':'app','operator':'NotIn','values':['a']}]}", true },
    { "NotIn, absent", "{'matchExpressions':[{'key':'x','operator':'NotIn','values':['a']}]}",
      true },
    { "Exists", "{'matchExpressions':[{'key':'app','operator':'Exists'}]}", true },
    { "Exists, absent", "{'matchExpressions':[{'key':'x','operator':'Exists'}]}", false },
    { "DoesNotExist", "{'matchExpressions':[{'key':'x','operator':'DoesNotExist'}]}", true },
    { "DoesNotExist, present", "{'matchExpressions':[{'key':'app','operator':'DoesNotExist'}]}",
      false },
    { "an unknown operator", "{'matchExpressions':[{'key':'x','operator':'Gt','values':['1']}]}",
      false },
    { "both kinds must match",
      "{'matchLabels':{'app':'web'},'matchExpressions':[{'key':'tier','operator':'DoesNotExist'}]}",
      false },
};

static void matches(void **state)
{
    const struct match_case *c = *state;
    json_auto_t *selector = json_q(c->selector);
    json_auto_t *labels = json_q(LABELS);
    assert_int_equal(selector_matches(selector, labels), c->want);
}

static void no_labels_are_an_empty_set(void **state)
{
    json_auto_t *empty = json_q("{}");
    json_auto_t *absent = json_q("{'matchExpressions':[{'key':'x','operator':'DoesNotExist'}]}");
    json_auto_t *one = json_q("{'matchLabels':{'a':'b'}}");
    assert_true(selector_matches(empty, NULL));
    assert_true(selector_matches(absent, NULL));
    assert_false(selector_matches(one, NULL));
}

static const struct valid_case {
    const char *name, *selector;
    const char *complaint;
} valid_cases[] = {
    { "empty", "{}", NULL },
    { "both kinds",
      "{'matchLabels':{'k.io/a':'b'},'matchExpressions':[{'key':'x','operator':'In','values':['']}]}",
      NULL },
    { "Exists without values", "{'matchExpressions':[{'key':'x','operator':'Exists'}]}", NULL },
    { "no object", "[]", "an object" },
    { "labels as a list", "{'matchLabels':[]}", "matchLabels" },
    { "expressions as an object", "{'matchExpressions':{}}", "matchExpressions" },
    { "a bad key", "{'matchLabels':{'a b':'c'}}", "'a b'" },
    { "a bad value", "{'matchLabels':{'a':'b c'}}", "'b c'" },
    { "a number as value", "{'matchLabels':{'a':1}}", "value" },
    { "an unknown operator", "{'matchExpressions':[{'key':'x','operator':'in','values':['a']}]}",
      "[0].operator" },
    { "no key", "{'matchExpressions':[{'operator':'Exists'}]}", "[0].key" },
    { "In without values", "{'matchExpressions':[{'key':'x','operator':'In'}]}",
      "must be given when the operator is In" },
    { "In with an empty list", "{'matchExpressions':[{'key':'x','operator':'In','values':[]}]}",
      "must be given" },
    { "Exists with values", "{'matchExpressions':[{'key':'x','operator':'Exists','values':['a']}]}",
      "must not be given" },
    { "a bad listed value", "{'matchExpressions':[{'key':'x','operator':'In','values':['a','-']}]}",
      "'-'" },
};

static void validates(void **state)
{
    const struct valid_case *c = *state;
    json_auto_t *selector = json_q(c->selector);
    struct error e = { 0 };
    assert_int_equal(selector_validate(selector, &e), c->complaint ? -ERR_INVALID : 0);
    if (c->complaint)
        assert_non_null(strstr(e.msg, c->complaint));
}

static void writes_queries(void **state)
{
    static const struct {
        const char *selector, *want;
    } rows[] = {
        { "{}", "" },
        { "{'matchLabels':{'a':'b','c':'d'}}", "a=b,c=d" },
        { "{'matchLabels':{'a':'b'},'matchExpressions':["
          "{'key':'c','operator':'In','values':['d','e']},{'key':'f','operator':'Exists'},"
          "{'key':'g','operator':'DoesNotExist'},{'key':'h','operator':'NotIn','values':['i']}]}",
          "a=b,c in (d,e),f,!g,h notin (i)" },
    };
    for (size_t i = 0; i < countof(rows); i++) {
        json_auto_t *selector = json_q(rows[i].selector);
        scoped(free) char *query = selector_to_query(selector);
        assert_string_equal(query, rows[i].want);
    }
}

static void checks_label_syntax(void **state)
{
    static const struct {
        const char *text;
        bool is_key, is_value;
    } rows[] = {
        { "a", true, true },
        { "A.b_c-1", true, true },
        { "", false, true },
        { "-a", false, false },
        { "a-", false, false },
        { "k.io/a", true, false },
        { "K.io/a", false, false },
        { "/a", false, false },
        { "k.io/", false, false },
        { "k.io/a/b", false, false },
        { "a b", false, false },
        { "\xc3\xa4", false, false },
        { "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", true, true },
        { "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", false, false },
    };
    for (size_t i = 0; i < countof(rows); i++) {
        assert_int_equal(label_key_is_valid(rows[i].text), rows[i].is_key);
        assert_int_equal(label_value_is_valid(rows[i].text), rows[i].is_value);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_labels_are_an_empty_set),
        cmocka_unit_test(writes_queries),
        cmocka_unit_test(checks_label_syntax),
    };
    return RUN_ROWS("selector matches", match_cases, matches) +
           RUN_ROWS("selector valid", valid_cases, validates) +
           cmocka_run_group_tests_name("selector", tests, NULL, NULL);
}
