/* SPDX-License-Identifier: Apache-2.0 */
#include "base/jpatch.h"

#include "base/buf.h"
#include "base/jpath.h"
#include "rows.h"

/* A.n: the examples of RFC 6902, appendix A. */
static const struct apply_case {
    const char *name, *doc, *patch;
    const char *want; /* NULL: fails with `code` */
    enum error_code code;
} apply_cases[] = {
    { "A.1 add an object member", "{'foo':'bar'}", "[{'op':'add','path':'/baz','value':'qux'}]",
      "{'baz':'qux','foo':'bar'}", ERR_NONE },
    { "A.2 add an array element", "{'foo':['bar','baz']}",
      "[{'op':'add','path':'/foo/1','value':'qux'}]", "{'foo':['bar','qux','baz']}", ERR_NONE },
    { "A.3 remove an object member", "{'baz':'qux','foo':'bar'}", "[{'op':'remove','path':'/baz'}]",
      "{'foo':'bar'}", ERR_NONE },
    { "A.4 remove an array element", "{'foo':['bar','qux','baz']}",
      "[{'op':'remove','path':'/foo/1'}]", "{'foo':['bar','baz']}", ERR_NONE },
    { "A.5 replace a value", "{'baz':'qux','foo':'bar'}",
      "[{'op':'replace','path':'/baz','value':'boo'}]", "{'baz':'boo','foo':'bar'}", ERR_NONE },
    { "A.6 move a value", "{'foo':{'bar':'baz','waldo':'fred'},'qux':{'corge':'grault'}}",
      "[{'op':'move','from':'/foo/waldo','path':'/qux/thud'}]",
      "{'foo':{'bar':'baz'},'qux':{'corge':'grault','thud':'fred'}}", ERR_NONE },
    { "A.7 move an array element", "{'foo':['all','grass','cows','eat']}",
      "[{'op':'move','from':'/foo/1','path':'/foo/3'}]", "{'foo':['all','cows','eat','grass']}",
      ERR_NONE },
    { "A.8 test a value: success", "{'baz':'qux','foo':['a',2,'c']}",
      "[{'op':'test','path':'/baz','value':'qux'},{'op':'test','path':'/foo/1','value':2}]",
      "{'baz':'qux','foo':['a',2,'c']}", ERR_NONE },
    { "A.9 test a value: error", "{'baz':'qux'}", "[{'op':'test','path':'/baz','value':'bar'}]",
      NULL, ERR_CONFLICT },
    { "A.10 add a nested member object", "{'foo':'bar'}",
      "[{'op':'add','path':'/child','value':{'grandchild':{}}}]",
      "{'foo':'bar','child':{'grandchild':{}}}", ERR_NONE },
    { "A.11 ignore unrecognized elements", "{'foo':'bar'}",
      "[{'op':'add','path':'/baz','value':'qux','xyz':123}]", "{'foo':'bar','baz':'qux'}",
      ERR_NONE },
    { "A.12 add to a nonexistent target", "{'foo':'bar'}",
      "[{'op':'add','path':'/baz/bat','value':'qux'}]", NULL, ERR_INVALID },
    { "A.14 ~ escape ordering", "{'/':9,'~1':10}", "[{'op':'test','path':'/~01','value':10}]",
      "{'/':9,'~1':10}", ERR_NONE },
    { "A.15 compare strings and numbers", "{'/':9,'~1':10}",
      "[{'op':'test','path':'/~01','value':'10'}]", NULL, ERR_CONFLICT },
    { "A.16 add an array value", "{'foo':['bar']}",
      "[{'op':'add','path':'/foo/-','value':['abc','def']}]", "{'foo':['bar',['abc','def']]}",
      ERR_NONE },
    { "numbers are equal by value", "{'a':[1,{'b':2.0}]}",
      "[{'op':'test','path':'/a','value':[1.0,{'b':2}]}]", "{'a':[1,{'b':2.0}]}", ERR_NONE },
    { "the whole document is replaced", "{'a':1}", "[{'op':'replace','path':'','value':[1]}]",
      "[1]", ERR_NONE },
    { "the whole document is added", "{'a':1}", "[{'op':'add','path':'','value':2}]", "2",
      ERR_NONE },
    { "the whole document is not removed", "{'a':1}", "[{'op':'remove','path':''}]", NULL,
      ERR_INVALID },
    { "copy is deep", "{'a':{'x':1}}",
      "[{'op':'copy','from':'/a','path':'/b'},{'op':'replace','path':'/b/x','value':2}]",
      "{'a':{'x':1},'b':{'x':2}}", ERR_NONE },
    { "an existing member is replaced by add", "{'a':1}", "[{'op':'add','path':'/a','value':null}]",
      "{'a':null}", ERR_NONE },
    { "the empty key", "{'':1}", "[{'op':'replace','path':'/','value':2}]", "{'':2}", ERR_NONE },
    { "replace of an array element keeps its place", "{'a':[1,2,3]}",
      "[{'op':'replace','path':'/a/1','value':9}]", "{'a':[1,9,3]}", ERR_NONE },
    { "add at the length appends", "[1]", "[{'op':'add','path':'/1','value':2}]", "[1,2]",
      ERR_NONE },
    { "add past the length", "[1]", "[{'op':'add','path':'/2','value':2}]", NULL, ERR_INVALID },
    { "an index with a leading zero", "[1,2]", "[{'op':'remove','path':'/01'}]", NULL,
      ERR_INVALID },
    { "a negative index", "[1,2]", "[{'op':'remove','path':'/-1'}]", NULL, ERR_INVALID },
    { "- is only for add", "[1,2]", "[{'op':'remove','path':'/-'}]", NULL, ERR_INVALID },
    { "remove of what is absent", "{}", "[{'op':'remove','path':'/a'}]", NULL, ERR_INVALID },
    { "replace of what is absent", "{}", "[{'op':'replace','path':'/a','value':1}]", NULL,
      ERR_INVALID },
    { "test of what is absent", "{}", "[{'op':'test','path':'/a','value':null}]", NULL,
      ERR_INVALID },
    { "test for null", "{'a':null}", "[{'op':'test','path':'/a','value':null}]", "{'a':null}",
      ERR_NONE },
    { "move into itself", "{'a':{'b':1}}", "[{'op':'move','from':'/a','path':'/a/b/c'}]", NULL,
      ERR_INVALID },
    { "move onto itself", "{'a':1}", "[{'op':'move','from':'/a','path':'/a'}]", "{'a':1}",
      ERR_NONE },
    { "a failing operation leaves nothing behind", "{'a':1}",
      "[{'op':'remove','path':'/a'},{'op':'remove','path':'/b'}]", NULL, ERR_INVALID },
    { "no array", "{}", "{'op':'add','path':'/a','value':1}", NULL, ERR_BAD_REQUEST },
    { "no operation", "{}", "[{'path':'/a','value':1}]", NULL, ERR_BAD_REQUEST },
    { "an unknown operation", "{}", "[{'op':'Add','path':'/a','value':1}]", NULL, ERR_BAD_REQUEST },
    { "an operation that is no object", "{}", "['add']", NULL, ERR_BAD_REQUEST },
    { "no path", "{}", "[{'op':'add','value':1}]", NULL, ERR_BAD_REQUEST },
    { "no value", "{}", "[{'op':'add','path':'/a'}]", NULL, ERR_BAD_REQUEST },
    { "no from", "{}", "[{'op':'copy','path':'/a'}]", NULL, ERR_BAD_REQUEST },
    { "a path without its slash", "{}", "[{'op':'add','path':'a','value':1}]", NULL,
      ERR_BAD_REQUEST },
    { "a lone ~", "{}", "[{'op':'add','path':'/a~','value':1}]", NULL, ERR_BAD_REQUEST },
    { "~2", "{}", "[{'op':'add','path':'/a~2','value':1}]", NULL, ERR_BAD_REQUEST },
    { "a step into a string", "{'a':'b'}", "[{'op':'add','path':'/a/b','value':1}]", NULL,
      ERR_INVALID },
};

static void applies(void **state)
{
    const struct apply_case *c = *state;
    json_auto_t *doc = json_q(c->doc);
    json_auto_t *before = json_q(c->doc);
    json_auto_t *patch = json_q(c->patch);
    json_auto_t *want = json_q(c->want);
    struct error e = { 0 };
    int r = jpatch_apply(&doc, patch, &e);

    if (!c->want) {
        assert_int_equal(r, -(int)c->code);
        assert_int_equal(e.code, c->code);
        assert_json(doc, before);
        return;
    }
    if (r < 0)
        print_error("%s\n", e.msg);
    assert_int_equal(r, 0);
    assert_json(doc, want);
}

static const struct make_case {
    const char *name, *before, *after;
    const char *want; /* the patch; NULL: only that it does its work */
} make_cases[] = {
    { "nothing for equal values", "{'a':[1,{'b':2}]}", "{'a':[1,{'b':2}]}", "[]" },
    { "a new member", "{}", "{'a':{'b':1}}", "[{'op':'add','path':'/a','value':{'b':1}}]" },
    { "a lost member", "{'a':1}", "{}", "[{'op':'remove','path':'/a'}]" },
    { "a changed leaf", "{'a':{'b':1,'c':2}}", "{'a':{'b':1,'c':3}}",
      "[{'op':'replace','path':'/a/c','value':3}]" },
    { "a changed type", "{'a':[1]}", "{'a':{'0':1}}",
      "[{'op':'replace','path':'/a','value':{'0':1}}]" },
    { "escaped keys", "{'a/b':1,'m~n':2}", "{'a/b':9,'m~n':8}",
      "[{'op':'replace','path':'/a~1b','value':9},{'op':'replace','path':'/m~0n','value':8}]" },
    { "the root", "1", "2", "[{'op':'replace','path':'','value':2}]" },
    { "appended elements", "[1]", "[1,2,3]",
      "[{'op':'add','path':'/1','value':2},{'op':'add','path':'/2','value':3}]" },
    { "an element before the others", "[1,2]", "[0,1,2]", "[{'op':'add','path':'/0','value':0}]" },
    { "an element in the middle gone", "[1,2,3]", "[1,3]", "[{'op':'remove','path':'/1'}]" },
    { "elements at the end gone", "[1,2,3]", "[1]",
      "[{'op':'remove','path':'/1'},{'op':'remove','path':'/1'}]" },
    { "all elements gone", "[1,2]", "[]",
      "[{'op':'remove','path':'/0'},{'op':'remove','path':'/0'}]" },
    { "into an empty array", "[]", "[1]", "[{'op':'add','path':'/0','value':1}]" },
    { "one field of one element", "[{'a':1,'b':1},{'a':2}]", "[{'a':1,'b':5},{'a':2}]",
      "[{'op':'replace','path':'/0/b','value':5}]" },
    { "changed and shortened", "[1,2,3,4,9]", "[1,7,9]", NULL },
    { "changed and lengthened", "[1,2,9]", "[1,7,8,6,9]", NULL },
    { "repeated elements", "[1,1,1,1]", "[1,1]", NULL },
    { "repeated elements grow", "[1,1]", "[1,1,1,1]", NULL },
    { "nested arrays", "[[1,2],[3]]", "[[1],[3,4],[5]]", NULL },
    { "null is a value", "{'a':null}", "{'a':1,'b':null}", NULL },
    { "everything at once", "{'m':{'l':{'x':'1'}},'s':{'d':[{'n':'a'},{'n':'b'}]},'gone':1}",
      "{'m':{'l':{'x':'2','y':'3'}},'s':{'d':[{'n':'b'},{'n':'c','k':[]}]},'new':{}}", NULL },
};

static void makes_what_apply_undoes(void **state)
{
    const struct make_case *c = *state;
    json_auto_t *before = json_q(c->before);
    json_auto_t *after = json_q(c->after);
    json_auto_t *patch = jpatch_make(before, after);
    struct error e = { 0 };

    if (c->want) {
        json_auto_t *want = json_q(c->want);
        assert_json(patch, want);
    }
    scoped_buf text = BUF_INIT(0);
    assert_int_equal(jpatch_write(&text, before, after), json_array_size(patch) > 0);
    json_auto_t *written = json_loads(text.data, 0, NULL);
    assert_json(written, patch);

    assert_int_equal(jpatch_apply(&before, patch, &e), 0);
    assert_json(before, after);
}

/* A branch shares what it did not change: only the changes are said, and `before` stays. */
static void makes_the_patch_of_a_branch(void **state)
{
    json_auto_t *before = json_q("{'a':{'b':[{'n':'x'},{'n':'y'}],'k':1},'c':'d'}");
    json_auto_t *untouched = must_copy(before);
    json_auto_t *after = must_branch(before);
    json_auto_t *want = json_q("[{'op':'add','path':'/a/b/1/m','value':true},"
                               "{'op':'remove','path':'/c'}]");

    assert_json(after, before);
    jpath_set_bool(after, "a.b[1].m", true);
    jpath_del(after, "c");
    json_auto_t *patch = jpatch_make(before, after);
    assert_json(patch, want);
    assert_json(before, untouched);
}

/* The table of RFC 7386, appendix A. */
static const struct merge_case {
    const char *name, *target, *patch, *want;
} merge_cases[] = {
    { "7386: change", "{'a':'b'}", "{'a':'c'}", "{'a':'c'}" },
    { "7386: add", "{'a':'b'}", "{'b':'c'}", "{'a':'b','b':'c'}" },
    { "7386: null removes", "{'a':'b'}", "{'a':null}", "{}" },
    { "7386: null removes one", "{'a':'b','b':'c'}", "{'a':null}", "{'b':'c'}" },
    { "7386: array by string", "{'a':['b']}", "{'a':'c'}", "{'a':'c'}" },
    { "7386: string by array", "{'a':'c'}", "{'a':['b']}", "{'a':['b']}" },
    { "7386: nested", "{'a':{'b':'c'}}", "{'a':{'b':'d','c':null}}", "{'a':{'b':'d'}}" },
    { "7386: array of objects", "{'a':[{'b':'c'}]}", "{'a':[1]}", "{'a':[1]}" },
    { "7386: arrays whole", "['a','b']", "['c','d']", "['c','d']" },
    { "7386: object by array", "{'a':'b'}", "['c']", "['c']" },
    { "7386: null patch", "{'a':'foo'}", "null", "null" },
    { "7386: string patch", "{'a':'foo'}", "'bar'", "'bar'" },
    { "7386: null in target stays", "{'e':null}", "{'a':1}", "{'e':null,'a':1}" },
    { "7386: array becomes object", "[1,2]", "{'a':'b','c':null}", "{'a':'b'}" },
    { "7386: nulls of new objects go", "{}", "{'a':{'bb':{'ccc':null}}}", "{'a':{'bb':{}}}" },
};

static void merges(void **state)
{
    const struct merge_case *c = *state;
    json_auto_t *target = json_q(c->target);
    json_auto_t *patch = json_q(c->patch);
    json_auto_t *want = json_q(c->want);
    json_auto_t *got = jmerge_apply(target, patch);
    assert_json(got, want);
}

static void merge_shares_nothing_with_its_target(void **state)
{
    json_auto_t *target = json_q("{'a':{'x':1},'b':{'y':{'z':1}}}");
    json_auto_t *before = json_deep_copy(target);
    json_auto_t *patch = json_q("{'b':{'w':2}}");
    json_auto_t *merged = jmerge_apply(target, patch);

    jpath_set_int(merged, "a.x", 9);
    jpath_set_int(merged, "b.y.z", 9);
    assert_json(target, before);
}

static void merge_patches_are_made(void **state)
{
    static const struct {
        const char *before, *after, *want;
    } rows[] = {
        { "{'a':1}", "{'a':1}", "{}" },
        { "{'a':{'b':1,'c':2}}", "{'a':{'b':1,'c':3}}", "{'a':{'c':3}}" },
        { "{'a':{'b':1},'x':1}", "{'a':{}}", "{'a':{'b':null},'x':null}" },
        { "{'a':[1,2]}", "{'a':[1]}", "{'a':[1]}" },
        { "{}", "{'a':{'b':1}}", "{'a':{'b':1}}" },
        { "{'a':1}", "{'a':{'b':1}}", "{'a':{'b':1}}" },
    };

    for (size_t i = 0; i < countof(rows); i++) {
        json_auto_t *before = json_q(rows[i].before);
        json_auto_t *after = json_q(rows[i].after);
        json_auto_t *want = json_q(rows[i].want);
        json_auto_t *patch = jmerge_make(before, after);
        json_auto_t *merged = jmerge_apply(before, patch);
        assert_json(patch, want);
        assert_json(merged, after);
    }
}

static void builds_by_hand(void **state)
{
    json_auto_t *patch = json_array();
    json_auto_t *want = json_q("[{'op':'test','path':'/a','value':null},"
                               "{'op':'add','path':'/b','value':1},"
                               "{'op':'replace','path':'/c','value':'x'},"
                               "{'op':'remove','path':'/d'}]");
    jpatch_test(patch, "/a", NULL);
    jpatch_add(patch, "/b", json_integer(1));
    jpatch_replace(patch, "/c", json_string("x"));
    jpatch_remove(patch, "/d");
    assert_json(patch, want);
}

static void doubling_is_stopped(void **state)
{
    json_auto_t *doc = json_q("{'a':[1,2,3,4,5,6,7,8]}");
    json_auto_t *patch = json_array();
    for (int i = 0; i < 60; i++)
        must_append(patch,
                    must_pack("{s:s, s:s, s:s}", "op", "copy", "from", "/a", "path", "/a/-"));
    struct error e = { 0 };
    assert_int_equal(jpatch_apply(&doc, patch, &e), -ERR_INVALID);
}

static void nesting_is_stopped(void **state)
{
    scoped_buf path = BUF_INIT(0);
    json_auto_t *doc = json_object();
    json_auto_t *patch = json_array();
    for (int i = 0; i < JSON_DEPTH_MAX + 5; i++) {
        (void)buf_adds(&path, "/a");
        jpatch_add(patch, path.data, json_object());
    }
    struct error e = { 0 };
    assert_int_equal(jpatch_apply(&doc, patch, &e), -ERR_INVALID);
}

static void too_many_operations_are_refused(void **state)
{
    json_auto_t *doc = json_object();
    json_auto_t *patch = json_array();
    for (int i = 0; i <= JPATCH_OPS_MAX; i++)
        jpatch_add(patch, "/a", json_true());
    struct error e = { 0 };
    assert_int_equal(jpatch_apply(&doc, patch, &e), -ERR_BAD_REQUEST);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(merge_shares_nothing_with_its_target),
        cmocka_unit_test(merge_patches_are_made),
        cmocka_unit_test(makes_the_patch_of_a_branch),
        cmocka_unit_test(builds_by_hand),
        cmocka_unit_test(doubling_is_stopped),
        cmocka_unit_test(nesting_is_stopped),
        cmocka_unit_test(too_many_operations_are_refused),
    };
    return RUN_ROWS("jpatch apply", apply_cases, applies) +
           RUN_ROWS("jpatch make", make_cases, makes_what_apply_undoes) +
           RUN_ROWS("jmerge", merge_cases, merges) +
           cmocka_run_group_tests_name("jpatch", tests, NULL, NULL);
}
