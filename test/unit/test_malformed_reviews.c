/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ten thousand reviews that no API server would send, through the same entry as a served call: each
 * gets a 4xx Status or a refused review that names the fault.  They are made from good reviews (the
 * kept corpus of test/fuzz), and always the same ones.  SHOW=1 lists the answers.
 */
#include <dirent.h>
#include <stdio.h>
#include <time.h>

#include "base/jpath.h"
#include "rows.h"
#include "test/fuzz/ask_webhooks.h"

#define CORPUS "test/fuzz/corpus/fuzz_review"

enum { REVIEWS = 10000, REVIEW_MAX = 64 * 1024, GOOD_MAX = 64, FAULT_MAX = 128 };

/* Stands in a review where raw text is to come, which jansson would not write. */
static const char mark[] = "@@here@@";

/* ---- chance, the same every time (splitmix64) ---- */

static uint64_t dice;

static size_t below(size_t n)
{
    uint64_t x = dice += 0x9e3779b97f4a7c15u;

    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
    x = (x ^ x >> 27) * 0x94d049bb133111ebu;
    return (size_t)((x ^ x >> 31) % n);
}

/* ---- good reviews ---- */

static struct good {
    char *name, *path;
    json_t *body;
} good[GOOD_MAX];
static size_t good_len;

static void read_good(const char *name)
{
    scoped(free) char *path = must_asprintf(CORPUS "/%s", name);
    scoped(free) char *text = must_calloc(1, REVIEW_MAX);
    FILE *file = fopen(path, "re");
    json_error_t why;

    assert_non_null(file);
    assert_true(fread(text, 1, REVIEW_MAX - 1, file) > 0);
    (void)fclose(file);
    char *end = strchr(text, '\n');
    assert_non_null(end);
    assert_true(good_len < GOOD_MAX);
    json_t *body = json_loads(end + 1, 0, &why);
    assert_non_null(body);
    good[good_len++] =
        (struct good){ must_strdup(name), must_strndup(text, (size_t)(end - text)), body };
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct good *)a)->name, ((const struct good *)b)->name);
}

static int read_all(void **state)
{
    DIR *dir = opendir(CORPUS);
    struct dirent *entry;

    assert_non_null(dir);
    while ((entry = readdir(dir)))
        if (entry->d_name[0] != '.')
            read_good(entry->d_name);
    (void)closedir(dir);
    assert_true(good_len > 0);
    qsort(good, good_len, sizeof(good[0]), by_name);
    return 0;
}

static int free_all(void **state)
{
    for (size_t i = 0; i < good_len; i++) {
        free(good[i].name);
        free(good[i].path);
        json_decref(good[i].body);
    }
    return 0;
}

/* ---- damage ---- */

/* A member or an element somewhere in a review. */
struct place {
    json_t *in;
    const char *key; /* NULL: index counts */
    size_t index;
};

static void count_places(json_t *v, size_t *left, struct place *ret)
{
    const char *key;
    json_t *item;
    size_t i;

    json_object_foreach(v, key, item) {
        if ((*left)-- == 0)
            *ret = (struct place){ v, key, 0 };
        count_places(item, left, ret);
    }
    json_array_foreach(v, i, item) {
        if ((*left)-- == 0)
            *ret = (struct place){ v, NULL, i };
        count_places(item, left, ret);
    }
}

static struct place some_place(json_t *v)
{
    struct place none = { 0 }, place = { 0 };
    size_t left = SIZE_MAX;

    count_places(v, &left, &none);
    left = below(SIZE_MAX - left);
    count_places(v, &left, &place);
    return place;
}

static json_t *at_place(const struct place *p)
{
    return p->key ? json_object_get(p->in, p->key) : json_array_get(p->in, p->index);
}

static void put_at(const struct place *p, json_t *v)
{
    if (p->key)
        must_set(p->in, p->key, v);
    else
        must(json_array_set_new(p->in, p->index, v) == 0);
}

/* The review with `raw` in place of a value somewhere. */
static void splice(json_t *body, const struct place *p, const struct buf *raw, struct buf *out)
{
    put_at(p, json_string(mark));
    scoped(free) char *text = must_dumps(body, JSON_COMPACT);
    char *at = strstr(text, mark);

    must(at != NULL);
    (void)buf_add(out, text, (size_t)(at - 1 - text));
    (void)buf_add(out, raw->data, raw->len);
    (void)buf_adds(out, at + sizeof(mark));
}

/* Each appends what is posted, and what the answer must speak of to `fault`. */
typedef void damage_fn(json_t *body, struct buf *out, char fault[FAULT_MAX]);

static void truncate_text(json_t *body, struct buf *out, char fault[FAULT_MAX])
{
    scoped(free) char *text = must_dumps(body, JSON_COMPACT);
    size_t len = below(strlen(text));

    (void)buf_add(out, text, len);
    (void)snprintf(fault, FAULT_MAX, len ? "json: line" : "the body is empty");
}

static void splice_text(json_t *body, struct buf *out, const char *const *texts, size_t n)
{
    const struct place p = some_place(body);
    scoped_buf raw = BUF_INIT(0);

    (void)buf_adds(&raw, texts[below(n)]);
    splice(body, &p, &raw, out);
}

static void make_huge(json_t *body, struct buf *out, char fault[FAULT_MAX])
{
    static const char *const numbers[] = {
        "9223372036854775808", "-9223372036854775809",       "1e309",
        "-1e999999999",        "1234567890123456789012345e", "1e400",
    };
    (void)snprintf(fault, FAULT_MAX, "json: line");
    splice_text(body, out, numbers, countof(numbers));
}

static void put_bad_utf8(json_t *body, struct buf *out, char fault[FAULT_MAX])
{
    static const char *const texts[] = {
        "\"\xff\"",
        "\"a\xc3\"",
        "\"\xc0\x80\"",
        "\"\xed\xa0\x80\"",
        "\"\xe2\x82\"",
        "\"\xf8\x88\x80\x80\"",
        "{\"\xfe\":null}",
        "\"\\ud800\"",
        "\"\x80\"",
        "\"\\udc00x\"",
        "\"\xf4\x90\x80\x80\"",
    };
    (void)snprintf(fault, FAULT_MAX, "json: line");
    splice_text(body, out, texts, countof(texts));
}

static void put_nul(json_t *body, struct buf *out, char fault[FAULT_MAX])
{
    const struct place p = some_place(body);
    scoped_buf raw = BUF_INIT(0);

    switch (below(4)) {
    case 0:
        (void)buf_add(&raw, "\"a\0b\"", 5);
        break;
    case 1:
        (void)buf_adds(&raw, "\"a\\u0000b\"");
        break;
    case 2:
        (void)buf_adds(&raw, "{\"\\u0000\":1}");
        break;
    default:
        (void)buf_add(&raw, "\0", 1);
        break;
    }
    splice(body, &p, &raw, out);
    (void)snprintf(fault, FAULT_MAX, "json: line");
}

static void nest_deeply(json_t *body, struct buf *out, char fault[FAULT_MAX])
{
    const struct place p = some_place(body);
    const bool is_array = below(2);
    const bool is_closed = below(4);
    const size_t depth = JSON_DEPTH_MAX + below(5000);
    scoped_buf raw = BUF_INIT(0);

    for (size_t i = 0; i < depth; i++)
        (void)buf_adds(&raw, is_array ? "[" : "{\"a\":");
    (void)buf_adds(&raw, "1");
    for (size_t i = 0; i < depth && is_closed; i++)
        (void)buf_adds(&raw, is_array ? "]" : "}");
    splice(body, &p, &raw, out);
    (void)snprintf(fault, FAULT_MAX, "json: ");
}

static void name_twice(json_t *body, struct buf *out, char fault[FAULT_MAX])
{
    const struct place p = some_place(body);
    scoped(free) char *value = must_dumps(at_place(&p), JSON_COMPACT | JSON_ENCODE_ANY);
    scoped_buf raw = BUF_INIT(0);

    if (p.key)
        (void)buf_addf(&raw, "%s,\"%s\":%s", value, p.key, value);
    else
        (void)buf_addf(&raw, "{\"a\":%s,\"a\":%s}", value, value);
    splice(body, &p, &raw, out);
    (void)snprintf(fault, FAULT_MAX, "json: line");
}

static json_t *wrong_for(const json_t *v)
{
    switch (json_typeof(v)) {
    case JSON_OBJECT:
        return below(2) ? json_string("x") : json_pack("[i]", 1);
    case JSON_ARRAY:
        return below(2) ? json_pack("{s:i}", "x", 1) : json_true();
    case JSON_STRING:
    case JSON_INTEGER:
    case JSON_REAL:
    case JSON_TRUE:
    case JSON_FALSE:
    case JSON_NULL:
        return below(2) ? json_pack("[[]]") : json_pack("{s:{}}", "x");
    }
    return json_null();
}

/* Of the object under review, or of what is around it. */
static void confuse_types(json_t *body, struct buf *out, char fault[FAULT_MAX])
{
    static const char *const around[] = { "request",
                                          "request.uid",
                                          "request.operation",
                                          "request.resource",
                                          "request.resource.resource",
                                          "kind" };
    json_t *object = jpath_obj(body, "request.object");

    /* Of an eviction only the name of the request is read, and of what is deleted nothing. */
    if (below(4) > 0 && object && jpath_has(object, "spec")) {
        const struct place p = some_place(object);
        (void)snprintf(fault, FAULT_MAX, "%s", p.key ? p.key : "[");
        put_at(&p, wrong_for(at_place(&p)));
    } else {
        const char *path = around[below(countof(around))];
        jpath_set(body, path, wrong_for(jpath(body, path)));
        (void)snprintf(fault, FAULT_MAX, "%s", "request");
    }
    scoped(free) char *text = must_dumps(body, JSON_COMPACT);
    (void)buf_adds(out, text);
}

static const struct damage {
    const char *name;
    damage_fn *fn;
} damages[] = {
    { "truncated", truncate_text },    { "wrong types", confuse_types },
    { "deep nesting", nest_deeply },   { "huge numbers", make_huge },
    { "invalid UTF-8", put_bad_utf8 }, { "duplicate keys", name_twice },
    { "NUL bytes", put_nul },
};

/* ---- asking ---- */

static struct webhooks *webhooks;

static int64_t now_ns(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

/* The message of a Status or of a refused review; NULL when the review was allowed.  Borrowed. */
static const char *refusal_of(const struct http_call *c, const json_t *answer)
{
    if (c->status >= 400 && c->status < 500)
        return streq(jpath_str(answer, "kind", ""), "Status") ? jpath_str(answer, "message", "")
                                                              : NULL;
    if (c->status != 200 || jpath_bool(answer, "response.allowed", true))
        return NULL;
    return jpath_str(answer, "response.status.message", "");
}

static void is_refused_by_name(void **state)
{
    const struct damage *d = *state;
    const size_t share = REVIEWS / countof(damages) + 1;
    int64_t slowest_ns = 0;
    size_t missed = 0;

    dice = (uint64_t)(d - damages);
    for (size_t i = 0; i < share; i++) {
        const struct good *g = &good[i % good_len];
        json_auto_t *body = must_copy(g->body);
        scoped_buf text = BUF_INIT(0);
        char fault[FAULT_MAX];
        struct http_call c;

        d->fn(body, &text, fault);
        const int64_t began_ns = now_ns();
        ask(webhooks, g->path, text.data, text.len, &c);
        const int64_t took_ns = now_ns() - began_ns;
        slowest_ns = took_ns > slowest_ns ? took_ns : slowest_ns;

        json_auto_t *answer = json_loadb(c.answer.data, c.answer.len, 0, NULL);
        const char *why = refusal_of(&c, answer);
        if (!why || !strstr(why, fault)) {
            missed++;
            print_error("%s: %.*s\n  answered with %d %s, not with \"%s\"\n", g->name,
                        (int)text.len, text.data, c.status, why ? why : c.answer.data, fault);
        } else if (getenv("SHOW")) {
            print_message("%s: %d %s\n", g->name, c.status, why);
        }
        buf_done(&c.answer);
    }
    print_message("%s: %zu reviews, the slowest took %.2f ms\n", d->name, share,
                  (double)slowest_ns / 1e6);
    assert_int_equal(missed, 0);
}

/* Or else their damage would prove nothing.  An eviction is never let through as it is asked. */
static void good_ones_are_allowed(void **state)
{
    for (size_t i = 0; i < good_len; i++) {
        const bool is_allowed = !streq(good[i].path, "/pod-eviction-validate");
        scoped(free) char *text = must_dumps(good[i].body, JSON_COMPACT);
        struct http_call c;

        ask(webhooks, good[i].path, text, strlen(text), &c);
        json_auto_t *answer = json_loadb(c.answer.data, c.answer.len, 0, NULL);
        if (jpath_bool(answer, "response.allowed", false) != is_allowed)
            print_error("%s: %d %s\n", good[i].name, c.status, c.answer.data);
        assert_int_equal(c.status, 200);
        assert_int_equal(jpath_bool(answer, "response.allowed", false), is_allowed);
        buf_done(&c.answer);
    }
}

int main(void)
{
    static const struct CMUnitTest whole[] = { cmocka_unit_test(good_ones_are_allowed) };
    ROW_TESTS(rows, damages, is_refused_by_name);

    webhooks = webhooks_start(&api_server, NULL, NULL, "kubevirt");
    const int failures = cmocka_run_group_tests_name("good reviews", whole, read_all, NULL) +
                         cmocka_run_group_tests_name("malformed reviews", rows, NULL, free_all);
    webhooks_stop(webhooks);
    return failures;
}
