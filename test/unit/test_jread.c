/* SPDX-License-Identifier: Apache-2.0 */
/* The quick reader against jansson: what it takes must be what jansson reads. */
#include "base/jread.h"

#include <string.h>

#include "base/jpath.h"
#include "base/scope.h"
#include "rows.h"

enum { CONTAINERS = 50 };

static json_t *quick_but(const char *text, size_t len, const char *const *unread)
{
    /* A copy without a NUL behind it: a byte too far is seen by the sanitizers. */
    char *exact = must_malloc(len);
    memcpy(exact, text, len);
    json_t *v = jread_but(exact, len, JSON_DEPTH_MAX, CONTAINERS, unread);
    free(exact);
    return v;
}

static json_t *quick(const char *text, size_t len)
{
    return quick_but(text, len, NULL);
}

static json_t *jansson(const char *text, size_t len)
{
    json_error_t why;
    return json_loadb(text, len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &why);
}

static const struct text_case {
    const char *name, *text;
    bool is_taken;
    size_t len; /* 0: strlen */
} cases[] = {
    { "an object", "{\"a\":[1,-2,\"x\",true,false,null,{},[]],\"b\":{\"c\":\"\"}}", true, 0 },
    { "blanks everywhere", " \n{ \"a\"\t:\r[ 1 , 2 ] , \"b\" : { } }\n", true, 0 },
    { "scalars", "\"x\"", true, 0 },
    { "a number alone", "42", true, 0 },
    { "minus nothing", "-0", true, 0 },
    { "escapes", "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", true, 0 },
    { "escaped characters of one to three bytes", "\"\\u0041\\u00e9\\u20aC-\\u003c\"", true, 0 },
    { "an escaped key before an escaped text", "{\"k:{\\\"a\\\"}\":\"\\\"v\\\"\"}", true, 0 },
    { "an escaped key above another", "{\"\\n\":{\"\\t\":[\"\\r\"]}}", true, 0 },
    { "UTF-8", "{\"\xc3\xa9\":\"\xe2\x82\xac\xf0\x9f\x98\x80\\n\xc3\xa9\"}", true, 0 },
    { "an empty key", "{\"\":1}", true, 0 },
    { "eighteen digits", "-999999999999999999", true, 0 },
    { "the largest number", "9223372036854775807", false, 0 },
    { "more than the largest number", "-9223372036854775809", false, 0 },
    { "a fraction", "1.5", false, 0 },
    { "an exponent", "[1e3]", false, 0 },
    { "a leading zero", "01", false, 0 },
    { "only a minus", "-", false, 0 },
    { "a pair of surrogates", "\"\\ud83d\\ude00\"", false, 0 },
    { "half a pair", "\"\\ud83d\"", false, 0 },
    { "an escaped NUL", "\"\\u0000\"", false, 0 },
    { "an unknown escape", "\"\\x\"", false, 0 },
    { "an escape cut short", "\"\\u12\"", false, 0 },
    { "an escape at the end", "\"\\", false, 0 },
    { "an escaped quote at the end", "\"\\\"", false, 0 },
    { "a line break in a text", "\"a\nb\"", false, 0 },
    { "a control character behind an escape", "\"\\n\x01\"", false, 0 },
    { "a NUL in a text", "\"a\0b\"", false, 5 },
    { "a NUL behind", "{}\0", false, 3 },
    { "invalid UTF-8", "\"\xff\"", false, 0 },
    { "invalid UTF-8 behind an escape", "\"\\n\xc3\"", false, 0 },
    { "an overlong character", "\"\xc0\xaf\"", false, 0 },
    { "a key that is not UTF-8", "{\"\xff\":1}", false, 0 },
    { "a key twice", "{\"a\":1,\"b\":2,\"a\":3}", false, 0 },
    { "a key twice, once escaped", "{\"a\":1,\"\\u0061\":3}", false, 0 },
    { "a word too long", "truely", false, 0 },
    { "a word cut short", "nul", false, 0 },
    { "a comma too many", "[1,]", false, 0 },
    { "a comma too many in an object", "{\"a\":1,}", false, 0 },
    { "no comma", "[1 2]", false, 0 },
    { "no colon", "{\"a\" 1}", false, 0 },
    { "no value", "{\"a\":}", false, 0 },
    { "a key that is no text", "{1:2}", false, 0 },
    { "the wrong end", "[1}", false, 0 },
    { "two values", "{}{}", false, 0 },
    { "only blanks", "  ", false, 0 },
};

static void takes(void **state)
{
    const struct text_case *c = *state;
    const size_t len = c->len ? c->len : strlen(c->text);
    json_auto_t *mine = quick(c->text, len);
    json_auto_t *theirs = jansson(c->text, len);

    assert_int_equal(mine != NULL, c->is_taken);
    if (mine)
        assert_true(json_equal(mine, theirs));
}

static const char *const unread[] = { "u", "options", NULL };

/* With ' for "; `left` is what is left of the text, NULL: it is not taken. */
static const struct unread_case {
    const char *name, *text, *left;
} unread_cases[] = {
    { "texts that nobody reads", "{'r':{'u':{'a':'b','c':''},'v':1}}", "{'r':{'v':1}}" },
    { "several", "{'r':{'options':{'a':'b'},'v':1,'u':{'a':'b'}}}", "{'r':{'v':1}}" },
    { "nothing else", "{'r': { 'u' : { 'a' : 'b' } } }", "{'r':{}}" },
    { "another name", "{'r':{'uu':{'a':'b'}}}", "{'r':{'uu':{'a':'b'}}}" },
    { "higher up", "{'u':{'a':'b'}}", "{'u':{'a':'b'}}" },
    { "further down", "{'r':{'s':{'u':{'a':'b'}}}}", "{'r':{'s':{'u':{'a':'b'}}}}" },
    { "more than texts", "{'r':{'u':{'a':['b']},'v':1}}", "{'r':{'u':{'a':['b']},'v':1}}" },
    { "no object", "{'r':{'u':'a','options':[]}}", "{'r':{'u':'a','options':[]}}" },
    { "an empty object", "{'r':{'u':{}}}", "{'r':{'u':{}}}" },
    { "an escape", "{'r':{'u':{'a':'\\n'},'v':'\\n'}}", "{'r':{'u':{'a':'\\n'},'v':'\\n'}}" },
    { "nine members",
      "{'r':{'u':{'a':'','b':'','c':'','d':'','e':'','f':'','g':'','h':'','i':''}}}",
      "{'r':{'u':{'a':'','b':'','c':'','d':'','e':'','f':'','g':'','h':'','i':''}}}" },
    { "a key twice inside", "{'r':{'u':{'a':'b','c':'d','a':'b'}}}", NULL },
    { "a name twice", "{'r':{'u':{'a':'b'},'u':{'a':'b'}}}", NULL },
    { "a name twice, once read", "{'r':{'u':1,'u':{'a':'b'}}}", NULL },
    { "a name twice, once escaped", "{'r':{'u':{'a':'b'},'\\u0075':1}}", NULL },
    { "bytes that are not UTF-8", "{'r':{'u':{'a':'\xff'}}}", NULL },
    { "no end", "{'r':{'u':{'a':'b'", NULL },
    { "a comma too many", "{'r':{'u':{'a':'b',}}}", NULL },
};

static void leaves_out(void **state)
{
    const struct unread_case *c = *state;
    scoped(free) char *text = must_strdup(c->text);
    json_auto_t *left = json_q(c->left);

    for (char *at = text; *at; at++)
        if (*at == '\'')
            *at = '"';
    json_auto_t *mine = quick_but(text, strlen(text), unread);
    assert_json(mine, left);
}

/* Whatever byte of a text becomes whatever else, or goes. */
static void never_takes_what_jansson_refuses(void **state)
{
    static const char text[] =
        " {\"a\\n\\u00e9\":[10,-2,true,null,\"\xc3\xa9\\\"\"],\"b\":{\"c\":0,"
        "\"u\":{\"a\":\"x\",\"b\":\"yz\"}}}";
    static const char bytes[] = "\0\x01 \"\\{}[]:,-.019etunacb/\x80\xc3\xff";
    const size_t len = sizeof(text) - 1;

    for (size_t i = 0; i < len; i++) {
        for (size_t b = 0; b <= sizeof(bytes) - 1; b++) {
            char changed[sizeof(text)];
            const bool is_cut = b == sizeof(bytes) - 1;

            memcpy(changed, text, sizeof(text));
            if (is_cut)
                memmove(changed + i, changed + i + 1, len - i);
            else
                changed[i] = bytes[b];
            json_auto_t *mine = quick(changed, len - is_cut);
            json_auto_t *theirs = jansson(changed, len - is_cut);
            assert_true(!mine || json_equal(mine, theirs));
            json_auto_t *less = quick_but(changed, len - is_cut, unread);
            assert_true(!less || theirs);
        }
        json_auto_t *shorter = quick(text, i);
        assert_null(shorter);
    }
}

static void keeps_the_order_of_members(void **state)
{
    json_auto_t *v = quick("{\"z\":1,\"a\":2,\"m\":3}", 19);
    scoped(free) char *again = must_dumps(v, 0);

    assert_string_equal(again, "{\"z\":1,\"a\":2,\"m\":3}");
}

static void counts_levels_and_containers(void **state)
{
    static const char nested[] = "[[{\"a\":[]}],[]]";

    for (int depth = 0; depth < 6; depth++) {
        json_auto_t *v = jread(nested, sizeof(nested) - 1, depth, CONTAINERS);
        assert_int_equal(v != NULL, depth >= 4);
    }
    for (size_t n = 0; n < 7; n++) {
        json_auto_t *v = jread(nested, sizeof(nested) - 1, JSON_DEPTH_MAX, n);
        assert_int_equal(v != NULL, n >= 5);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(never_takes_what_jansson_refuses),
        cmocka_unit_test(keeps_the_order_of_members),
        cmocka_unit_test(counts_levels_and_containers),
    };
    return RUN_ROWS("jread", cases, takes) + RUN_ROWS("jread_but", unread_cases, leaves_out) +
           cmocka_run_group_tests(tests, NULL, NULL);
}
