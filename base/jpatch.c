/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON Patch and JSON Merge Patch.  A patch is applied to a copy, so a failing
 * one leaves nothing behind.
 */
#include "base/jpatch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/jpath.h"
#include "base/must.h"
#include "base/scope.h"
#include "base/str.h"

/* ---- JSON pointers (RFC 6901) ---- */

struct pointer {
    char *text; /* unescaped, a NUL behind each token */
    char **token;
    size_t len;
};

#define scoped_pointer __attribute__((cleanup(pointer_done))) struct pointer

static void pointer_done(struct pointer *p)
{
    free(p->text);
    free(p->token);
}

/* "~1" is "/", "~0" is "~", in place; false for any other "~". */
static bool unescape(char *token)
{
    char *out = token;

    for (; *token; token++) {
        if (*token == '~' && token[1] != '0' && token[1] != '1')
            return false;
        *out++ = *token != '~' ? *token : *++token == '1' ? '/' : '~';
    }
    *out = '\0';
    return true;
}

static int pointer_parse(struct pointer *p, const char *text, struct error *e)
{
    *p = (struct pointer){ 0 };
    if (*text == '\0')
        return 0;
    if (*text != '/')
        return error_set(e, ERR_BAD_REQUEST, "json pointer '%s' does not begin with '/'", text);

    size_t slashes = 0;
    for (const char *at = text; *at; at++)
        slashes += *at == '/';
    p->text = must_strdup(text + 1);
    p->token = must_calloc(slashes, sizeof(*p->token));

    char *rest = p->text;
    while (rest) {
        char *slash = strchr(rest, '/');
        if (slash)
            *slash = '\0';
        p->token[p->len++] = rest;
        if (!unescape(rest))
            return error_set(e, ERR_BAD_REQUEST, "json pointer '%s' has a '~' without 0 or 1",
                             text);
        rest = slash ? slash + 1 : NULL;
    }
    return 0;
}

/* Append "/" and the escaped token. */
static void pointer_push(struct buf *path, const char *token)
{
    (void)buf_adds(path, "/");
    for (; *token; token++) {
        if (*token == '~')
            (void)buf_adds(path, "~0");
        else if (*token == '/')
            (void)buf_adds(path, "~1");
        else
            (void)buf_add(path, token, 1);
    }
}

/* A decimal without leading zeros, below `end`; -1 otherwise. */
static int array_index(const char *token, size_t end, size_t *ret_index)
{
    long long n;

    if ((token[0] == '0' && token[1] != '\0') || end == 0 ||
        str_to_int(token, 0, (long long)end - 1, &n) < 0)
        return -1;
    *ret_index = (size_t)n;
    return 0;
}

static json_t *child_of(const json_t *parent, const char *token)
{
    size_t i;

    if (json_is_object(parent))
        return json_object_get(parent, token);
    if (json_is_array(parent) && array_index(token, json_array_size(parent), &i) == 0)
        return json_array_get(parent, i);
    return NULL;
}

/* The value `tokens` steps down, borrowed, or NULL. */
static json_t *descend(json_t *v, const struct pointer *p, size_t tokens)
{
    for (size_t i = 0; v && i < tokens; i++)
        v = child_of(v, p->token[i]);
    return v;
}

/* ---- JSON Patch (RFC 6902) ---- */

/* Copies and moves can nest and double a document: what all operations handle is bounded. */
struct patching {
    json_t *doc; /* owned */
    size_t nodes_left;
};

/* Can `v` go `depth` levels below the root?  Counts its nodes. */
static bool measure(struct patching *p, const json_t *v, size_t depth)
{
    if (depth > JSON_DEPTH_MAX || p->nodes_left == 0)
        return false;
    p->nodes_left--;

    size_t i;
    const char *key;
    json_t *item;
    json_object_foreach((json_t *)v, key, item) {
        if (!measure(p, item, depth + 1))
            return false;
    }
    json_array_foreach((json_t *)v, i, item) {
        if (!measure(p, item, depth + 1))
            return false;
    }
    return true;
}

/* RFC 6902 4.6: numbers by value, the rest as json_equal does. */
static bool is_same(const json_t *a, const json_t *b)
{
    size_t i;
    const char *key;
    json_t *item;

    if (json_is_number(a) && json_is_number(b))
        return json_is_integer(a) && json_is_integer(b)
                   ? json_integer_value(a) == json_integer_value(b)
                   : json_number_value(a) == json_number_value(b);
    if (json_is_object(a) && json_is_object(b)) {
        if (json_object_size(a) != json_object_size(b))
            return false;
        json_object_foreach((json_t *)a, key, item) {
            const json_t *other = json_object_get(b, key);
            if (!other || !is_same(item, other))
                return false;
        }
        return true;
    }
    if (json_is_array(a) && json_is_array(b)) {
        if (json_array_size(a) != json_array_size(b))
            return false;
        json_array_foreach((json_t *)a, i, item) {
            if (!is_same(item, json_array_get(b, i)))
                return false;
        }
        return true;
    }
    return json_equal(a, b);
}

static int no_such_path(const struct pointer *at, struct error *e)
{
    scoped_buf path = BUF_INIT(0);

    for (size_t i = 0; i < at->len; i++)
        pointer_push(&path, at->token[i]);
    return error_set(e, ERR_INVALID, "path '%s' does not exist", path.data ? path.data : "");
}

/* Put `value` (stolen) at the pointer, inserting into arrays. */
static int put(struct patching *p, const struct pointer *at, json_t *value, struct error *e)
{
    json_auto_t *mine = value;

    if (!measure(p, mine, at->len))
        return error_set(e, ERR_INVALID, "the patched document becomes too deep or too large");
    if (at->len == 0) {
        json_decref(p->doc);
        p->doc = TAKE(mine);
        return 0;
    }

    json_t *parent = descend(p->doc, at, at->len - 1);
    const char *last = at->token[at->len - 1];
    if (json_is_object(parent)) {
        must_set(parent, last, TAKE(mine));
        return 0;
    }
    if (!json_is_array(parent))
        return no_such_path(at, e);

    size_t i = json_array_size(parent);
    if (!streq(last, "-") && array_index(last, i + 1, &i) < 0)
        return no_such_path(at, e);
    must(json_array_insert_new(parent, i, TAKE(mine)) == 0);
    return 0;
}

/* Take the value out; new reference in *ret. */
static int take(struct patching *p, const struct pointer *at, json_t **ret, struct error *e)
{
    json_t *found = descend(p->doc, at, at->len);
    if (!found)
        return no_such_path(at, e);
    if (at->len == 0)
        return error_set(e, ERR_INVALID, "the whole document cannot be removed");

    *ret = json_incref(found);
    json_t *parent = descend(p->doc, at, at->len - 1);
    const char *last = at->token[at->len - 1];
    size_t i;
    if (json_is_object(parent))
        must(json_object_del(parent, last) == 0);
    else if (array_index(last, json_array_size(parent), &i) == 0)
        must(json_array_remove(parent, i) == 0);
    return 0;
}

/* One operation with its arguments checked. */
struct operation {
    struct pointer path, from;
    const json_t *value;
};

typedef int apply_fn(struct patching *p, const struct operation *op, struct error *e);

static int apply_add(struct patching *p, const struct operation *op, struct error *e)
{
    return put(p, &op->path, must_copy(op->value), e);
}

static int apply_remove(struct patching *p, const struct operation *op, struct error *e)
{
    json_auto_t *old = NULL;
    return take(p, &op->path, &old, e);
}

static int apply_replace(struct patching *p, const struct operation *op, struct error *e)
{
    json_auto_t *old = NULL;

    if (op->path.len > 0) {
        int r = take(p, &op->path, &old, e);
        if (r < 0)
            return r;
    }
    return put(p, &op->path, must_copy(op->value), e);
}

static bool is_inside(const struct pointer *outer, const struct pointer *inner)
{
    if (inner->len <= outer->len)
        return false;
    for (size_t i = 0; i < outer->len; i++)
        if (!streq(outer->token[i], inner->token[i]))
            return false;
    return true;
}

static int apply_move(struct patching *p, const struct operation *op, struct error *e)
{
    json_auto_t *value = NULL;

    if (is_inside(&op->from, &op->path))
        return error_set(e, ERR_INVALID, "a value cannot be moved into itself");
    if (op->from.len == 0)
        return 0; /* the document onto itself */
    int r = take(p, &op->from, &value, e);
    if (r < 0)
        return r;
    return put(p, &op->path, TAKE(value), e);
}

static int apply_copy(struct patching *p, const struct operation *op, struct error *e)
{
    const json_t *value = descend(p->doc, &op->from, op->from.len);
    if (!value)
        return no_such_path(&op->from, e);
    /* Before the copy is made, not after. */
    if (!measure(p, value, op->path.len))
        return error_set(e, ERR_INVALID, "the patched document becomes too deep or too large");
    return put(p, &op->path, must_copy(value), e);
}

static int apply_test(struct patching *p, const struct operation *op, struct error *e)
{
    const json_t *value = descend(p->doc, &op->path, op->path.len);
    if (!value)
        return no_such_path(&op->path, e);
    if (!is_same(value, op->value))
        return error_set(e, ERR_CONFLICT, "the value is not what the test expects");
    return 0;
}

static const struct operation_row {
    const char *name;
    bool needs_value, needs_from;
    apply_fn *apply;
} operations[] = {
    { "add", true, false, apply_add },         { "remove", false, false, apply_remove },
    { "replace", true, false, apply_replace }, { "move", false, true, apply_move },
    { "copy", false, true, apply_copy },       { "test", true, false, apply_test },
};

static const struct operation_row *find_operation(const char *name)
{
    for (size_t i = 0; i < countof(operations); i++)
        if (streq(operations[i].name, name))
            return &operations[i];
    return NULL;
}

static int apply_one(struct patching *p, const json_t *row, struct error *e)
{
    const char *name = json_string_value(json_object_get(row, "op"));
    const char *path = json_string_value(json_object_get(row, "path"));
    const char *from = json_string_value(json_object_get(row, "from"));
    const struct operation_row *known = name ? find_operation(name) : NULL;

    if (!known)
        return error_set(e, ERR_BAD_REQUEST, "unknown operation '%s'", name ? name : "");
    if (!path)
        return error_set(e, ERR_BAD_REQUEST, "'path' is missing or no string");
    if (known->needs_from && !from)
        return error_set(e, ERR_BAD_REQUEST, "'from' is missing or no string");

    struct operation op = { .value = json_object_get(row, "value") };
    if (known->needs_value && !op.value)
        return error_set(e, ERR_BAD_REQUEST, "'value' is missing");

    int r = pointer_parse(&op.path, path, e);
    if (r == 0 && known->needs_from)
        r = pointer_parse(&op.from, from, e);
    if (r == 0)
        r = known->apply(p, &op, e);
    pointer_done(&op.path);
    pointer_done(&op.from);
    return r < 0 ? error_wrap(e, "%s '%s'", name, path) : 0;
}

int jpatch_apply(json_t **doc, const json_t *patch, struct error *e)
{
    if (!json_is_array(patch))
        return error_set(e, ERR_BAD_REQUEST, "a json patch is an array of operations");
    if (json_array_size(patch) > JPATCH_OPS_MAX)
        return error_set(e, ERR_BAD_REQUEST, "a json patch has at most %d operations",
                         JPATCH_OPS_MAX);

    struct patching p = { .doc = must_copy(*doc), .nodes_left = JPATCH_NODES_MAX };
    size_t i;
    json_t *row;
    json_array_foreach((json_t *)patch, i, row) {
        int r = apply_one(&p, row, e);
        if (r < 0) {
            json_decref(p.doc);
            return error_wrap(e, "operation %zu", i);
        }
    }
    json_decref(*doc);
    *doc = p.doc;
    return 0;
}

/* ---- building a patch by hand ---- */

static void add_operation(json_t *patch, const char *name, const char *path, json_t *value)
{
    json_t *row = must_pack("{s:s, s:s}", "op", name, "path", path);

    if (value)
        must_set(row, "value", value);
    must_append(patch, row);
}

void jpatch_add(json_t *patch, const char *path, json_t *value)
{
    add_operation(patch, "add", path, value);
}

void jpatch_replace(json_t *patch, const char *path, json_t *value)
{
    add_operation(patch, "replace", path, value);
}

void jpatch_test(json_t *patch, const char *path, json_t *value)
{
    add_operation(patch, "test", path, value ? value : json_null());
}

void jpatch_remove(json_t *patch, const char *path)
{
    add_operation(patch, "remove", path, NULL);
}

/* ---- JSON Merge Patch (RFC 7386) ---- */

json_t *jmerge_apply(const json_t *target, const json_t *patch)
{
    if (!json_is_object(patch))
        return must_copy(patch);

    json_t *merged = json_object();
    const char *key;
    json_t *item;
    json_object_foreach((json_t *)target, key, item) {
        const json_t *change = json_object_get(patch, key);
        if (!change)
            must_set(merged, key, must_copy(item));
        else if (!json_is_null(change))
            must_set(merged, key, jmerge_apply(item, change));
    }
    json_object_foreach((json_t *)patch, key, item) {
        if (!json_is_null(item) && !json_object_get(target, key))
            must_set(merged, key, jmerge_apply(NULL, item));
    }
    return merged;
}

json_t *jmerge_make(const json_t *before, const json_t *after)
{
    if (!json_is_object(before) || !json_is_object(after))
        return must_copy(after);

    json_t *patch = json_object();
    const char *key;
    json_t *item;
    json_object_foreach((json_t *)before, key, item) {
        if (!json_object_get(after, key))
            must_set(patch, key, json_null());
    }
    json_object_foreach((json_t *)after, key, item) {
        const json_t *old = json_object_get(before, key);
        if (!old || !json_equal(old, item))
            must_set(patch, key, old ? jmerge_make(old, item) : must_copy(item));
    }
    return patch;
}
