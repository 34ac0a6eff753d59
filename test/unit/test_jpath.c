/* SPDX-License-Identifier: Apache-2.0 */
#include "base/jpath.h"

#include "base/buf.h"
#include "rows.h"

#define OBJECT                                                               \
    "{'spec':{'cores':4,'on':true,'name':'x','none':null,"                   \
    "'volumes':[{'name':'a'},{'name':'b'}],'grid':[[1,2],[3]],'ratio':1.5}," \
    "'metadata':{'labels':{'kubevirt.io/node':'n1','a[b':'c','':'e'}},'a.b':1}"

static const struct path_case {
    const char *name; /* the path */
    const char *want; /* NULL: absent */
} path_cases[] = {
    { "spec.cores", "4" },
    { "spec.volumes[1].name", "'b'" },
    { "spec.volumes[1]", "{'name':'b'}" },
    { "spec.grid[0][1]", "2" },
    { "spec.none", "null" },
    { "metadata.labels['kubevirt.io/node']", "'n1'" },
    { "metadata.labels[\"kubevirt.io/node\"]", "'n1'" },
    { "metadata.labels['a[b']", "'c'" },
    { "metadata.labels['']", "'e'" },
    { "['a.b']", "1" },
    { "['spec'].cores", "4" },
    { "['spec']['cores']", "4" },
    { "spec.volumes[2]", NULL },
    { "spec.volumes.name", NULL },
    { "spec.cores.x", NULL },
    { "spec.cores[0]", NULL },
    { "spec[0]", NULL },
    { "a.b", NULL },
    { "spec.", NULL },
    { ".spec", NULL },
    { "spec..cores", NULL },
    { "spec.volumes[", NULL },
    { "spec.volumes[]", NULL },
    { "spec.volumes[x]", NULL },
    { "spec.volumes[-1]", NULL },
    { "spec.volumes[1]name", NULL },
    { "spec.volumes[99999999999999999999]", NULL },
    { "metadata.labels['a", NULL },
    { "metadata.labels['a'", NULL },
    { "metadata.labels['a\"]", NULL },
};

static void finds(void **state)
{
    const struct path_case *c = *state;
    json_auto_t *v = json_q(OBJECT);
    json_auto_t *want = json_q(c->want);
    assert_json(jpath(v, c->name), want);
}

static void reads_with_defaults(void **state)
{
    json_auto_t *v = json_q(OBJECT);

    assert_ptr_equal(jpath(v, ""), v);
    assert_null(jpath(NULL, "a"));
    assert_int_equal(jpath_int(v, "spec.cores", 1), 4);
    assert_int_equal(jpath_int(v, "spec.name", 1), 1);
    assert_int_equal(jpath_int(v, "spec.ratio", 1), 1);
    assert_true(jpath_bool(v, "spec.on", false));
    assert_true(jpath_bool(v, "spec.cores", true));
    assert_string_equal(jpath_str(v, "spec.name", "d"), "x");
    assert_string_equal(jpath_str(v, "spec.cores", "d"), "d");
    assert_null(jpath_str(v, "spec.none", NULL));
    assert_true(jpath_has(v, "spec.on"));
    assert_false(jpath_has(v, "spec.none"));
    assert_false(jpath_has(v, "spec.gone"));
    assert_null(jpath_obj(v, "spec.volumes"));
    assert_non_null(jpath_arr(v, "spec.volumes"));
    assert_null(jpath_arr(v, "spec"));
    assert_string_equal(json_string_value(jpathf(v, "spec.volumes[%d].name", 0)), "a");
    assert_null(jpathf(v, "metadata.labels['%s']", "it's"));
}

static void writes_making_objects_on_the_way(void **state)
{
    json_auto_t *v = json_q("{'n':null,'list':[{}]}");
    json_auto_t *want = json_q("{'a':{'b':{'c':1}},'n':{'x':true},'list':[{'name':'z'}],"
                               "'labels':{'k.io/x':'y'}}");
    jpath_set_int(v, "a.b.c", 1);
    jpath_set_bool(v, "n.x", true);
    jpath_set_str(v, "list[0].name", "z");
    jpath_set_str(v, "labels['k.io/x']", "y");
    assert_json(v, want);

    jpath_set_str(v, "a", "bad\xff");
    assert_string_equal(jpath_str(v, "a", ""), "bad?");
}

static void deletes_what_is_there(void **state)
{
    json_auto_t *v = json_q("{'a':{'b':1,'c':2},'l':[1,2,3]}");
    json_auto_t *want = json_q("{'a':{'c':2},'l':[1,3]}");
    jpath_del(v, "a.b");
    jpath_del(v, "a.b");
    jpath_del(v, "x.y.z");
    jpath_del(v, "l[1]");
    jpath_del(v, "l[9]");
    jpath_del(v, "a.c.d");
    assert_json(v, want);
}

static void makes_containers_once(void **state)
{
    json_auto_t *v = json_object();
    json_t *labels = jpath_make_obj(v, "metadata.labels");
    must_set(labels, "a", json_string("b"));
    assert_ptr_equal(jpath_make_obj(v, "metadata.labels"), labels);
    json_t *list = jpath_make_arr(v, "spec.list");
    assert_ptr_equal(jpath_make_arr(v, "spec.list"), list);
    json_auto_t *want = json_q("{'metadata':{'labels':{'a':'b'}},'spec':{'list':[]}}");
    assert_json(v, want);
}

static void finds_in_arrays(void **state)
{
    json_auto_t *v = json_q("[1,{'name':'a'},{'name':2},{'name':'b','n':1},{'name':'b','n':2}]");
    assert_int_equal(jpath_int(jarr_find(v, "name", "b"), "n", 0), 1);
    assert_null(jarr_find(v, "name", "c"));
    assert_null(jarr_find(NULL, "name", "c"));
}

static void reads_metadata(void **state)
{
    json_auto_t *v =
        json_q("{'metadata':{'name':'vm','namespace':'ns','uid':'u','labels':{'l':'1'},"
               "'annotations':{'x.io/a':'2'},'finalizers':[3,'f'],'deletionTimestamp':'t',"
               "'ownerReferences':[{'uid':'o1'},{'uid':'o2','controller':true}]}}");
    json_auto_t *bare = json_q("{'metadata':{'name':'node'}}");
    json_auto_t *wrong = json_q("{'metadata':[1]}");

    assert_string_equal(meta_name(v), "vm");
    assert_string_equal(meta_namespace(v), "ns");
    assert_string_equal(meta_uid(v), "u");
    assert_string_equal(meta_label(v, "l"), "1");
    assert_string_equal(meta_annotation(v, "x.io/a"), "2");
    assert_null(meta_annotation(v, "x"));
    assert_true(meta_is_deleting(v));
    assert_true(meta_has_finalizer(v, "f"));
    assert_false(meta_has_finalizer(v, "g"));
    assert_string_equal(jpath_str(meta_controller(v), "uid", ""), "o2");
    scoped(free) char *key = meta_key(v);
    assert_string_equal(key, "ns/vm");

    scoped(free) char *bare_key = meta_key(bare);
    assert_string_equal(bare_key, "node");
    assert_null(meta_controller(bare));
    assert_string_equal(meta_name(wrong), "");
    assert_null(meta_label(NULL, "x"));
}

static void splits_keys(void **state)
{
    char ns[254];
    char name[254];
    char big[300];

    assert_int_equal(key_split("a/b", ns, name), 0);
    assert_string_equal(ns, "a");
    assert_string_equal(name, "b");
    assert_int_equal(key_split("node", ns, name), 0);
    assert_string_equal(ns, "");
    assert_string_equal(name, "node");
    static const char *const bad[] = { "", "/", "a/", "/a", "a/b/c" };
    for (size_t i = 0; i < countof(bad); i++)
        assert_int_equal(key_split(bad[i], ns, name), -1);
    memset(big, 'x', sizeof(big));
    big[253] = '\0';
    assert_int_equal(key_split(big, ns, name), 0);
    big[253] = 'x';
    big[254] = '\0';
    assert_int_equal(key_split(big, ns, name), -1);
}

static void conditions_keep_their_transition_time(void **state)
{
    json_auto_t *v = json_object();

    assert_false(condition_is_true(v, "Ready"));
    assert_true(condition_set(v, "Ready", "False", "NoPod", "none yet", "t1"));
    assert_false(condition_set(v, "Ready", "False", "NoPod", "none yet", "t2"));
    assert_string_equal(jpath_str(condition_find(v, "Ready"), "lastTransitionTime", ""), "t1");
    assert_true(condition_set(v, "Ready", "False", "NoPod", "still none", "t3"));
    assert_string_equal(jpath_str(condition_find(v, "Ready"), "lastTransitionTime", ""), "t1");
    assert_true(condition_set(v, "Ready", "True", NULL, "", "t4"));
    assert_true(condition_is_true(v, "Ready"));
    json_auto_t *want = json_q(
        "{'status':{'conditions':[{'type':'Ready','status':'True','lastTransitionTime':'t4'}]}}");
    assert_json(v, want);

    assert_true(condition_remove(v, "Ready"));
    assert_false(condition_remove(v, "Ready"));
    assert_null(condition_find(v, "Ready"));
}

static const struct parse_case {
    const char *name, *text;
    const char *complaint; /* NULL: accepted */
    size_t len;            /* 0: strlen */
} parse_cases[] = {
    { "an object", "{\"a\":[1,2.5,\"x\\\"{[\",null]}", NULL, 0 },
    { "a scalar", "true", NULL, 0 },
    { "blanks around", " \n{}\t ", NULL, 0 },
    { "nothing", "", "json: line 1", 0 },
    { "a duplicate key", "{\"a\":1,\n\"a\":2}", "json: line 2", 0 },
    { "trailing garbage", "{} x", "end of file expected", 0 },
    { "a second value", "{}{}", "end of file expected", 0 },
    { "cut short", "{\"a\":", "json: line 1", 0 },
    { "an open string", "\"abc", "json: line 1", 0 },
    { "an open escape", "\"abc\\", "json: line 1", 0 },
    { "invalid UTF-8", "\"\xff\"", "byte 0xff", 0 },
    { "an escaped NUL", "\"\\u0000\"", "json: line 1", 0 },
    { "a NUL in a key", "{\"a\\u0000b\":1}", "json: line 1", 0 },
    { "a NUL behind", "{}\0", "json: line 1", 3 },
    { "a NUL in a string", "\"a\0b\"", "json: line 1", 5 },
    { "a whole number too large", "9223372036854775808", "too big", 0 },
    { "a real number too large", "1e999", "overflow", 0 },
    { "closing too much", "]]]]", "json: line 1", 0 },
};

static void parses(void **state)
{
    const struct parse_case *c = *state;
    json_auto_t *v = NULL;
    struct error e = { 0 };
    int r = json_parse(&v, c->text, c->len ? c->len : strlen(c->text), &e);

    if (!c->complaint) {
        assert_int_equal(r, 0);
        assert_non_null(v);
        return;
    }
    assert_int_equal(r, -ERR_BAD_REQUEST);
    assert_null(v);
    if (!strstr(e.msg, c->complaint))
        print_error("%s\n", e.msg);
    assert_non_null(strstr(e.msg, c->complaint));
}

static int parse_nested(int depth)
{
    scoped_buf text = BUF_INIT(0);
    json_auto_t *v = NULL;
    struct error e = { 0 };

    for (int i = 0; i < depth; i++)
        (void)buf_adds(&text, i % 2 ? "{\"a\":" : "[");
    (void)buf_adds(&text, "1");
    for (int i = depth - 1; i >= 0; i--)
        (void)buf_adds(&text, i % 2 ? "}" : "]");
    return json_parse(&v, text.data, text.len, &e);
}

static void depth_is_bounded(void **state)
{
    assert_int_equal(parse_nested(JSON_DEPTH_MAX), 0);
    assert_int_equal(parse_nested(JSON_DEPTH_MAX + 1), -ERR_BAD_REQUEST);
    assert_int_equal(parse_nested(100000), -ERR_BAD_REQUEST);
}

static void empty_containers_cannot_eat_memory(void **state)
{
    scoped_buf text = BUF_INIT(0);
    json_auto_t *v = NULL;
    struct error e = { 0 };

    (void)buf_adds(&text, "[{}");
    for (int i = 0; i < 500; i++)
        (void)buf_adds(&text, ",{}");
    (void)buf_adds(&text, "]");
    assert_int_equal(json_parse(&v, text.data, text.len, &e), 0);

    text.len--;
    for (int i = 0; i < 100000; i++)
        (void)buf_adds(&text, ",{}");
    (void)buf_adds(&text, "]");
    json_auto_t *w = NULL;
    assert_int_equal(json_parse(&w, text.data, text.len, &e), -ERR_BAD_REQUEST);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_with_defaults),
        cmocka_unit_test(writes_making_objects_on_the_way),
        cmocka_unit_test(deletes_what_is_there),
        cmocka_unit_test(makes_containers_once),
        cmocka_unit_test(finds_in_arrays),
        cmocka_unit_test(reads_metadata),
        cmocka_unit_test(splits_keys),
        cmocka_unit_test(conditions_keep_their_transition_time),
        cmocka_unit_test(depth_is_bounded),
        cmocka_unit_test(empty_containers_cannot_eat_memory),
    };
    return RUN_ROWS("jpath", path_cases, finds) + RUN_ROWS("json_parse", parse_cases, parses) +
           cmocka_run_group_tests_name("jpath use", tests, NULL, NULL);
}
