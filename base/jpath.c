/* SPDX-License-Identifier: Apache-2.0 */
/* JSON by path: the walker, and on top of it reading, writing, metadata and conditions. */
#include "base/jpath.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/jread.h"
#include "base/must.h"
#include "base/scope.h"
#include "base/str.h"

/* ---- the walker ---- */

enum step_kind { STEP_END, STEP_KEY, STEP_INDEX, STEP_BAD };

struct step {
    enum step_kind kind;
    const char *key; /* STEP_KEY: borrowed from the path, not terminated */
    size_t key_len;
    size_t index; /* STEP_INDEX */
};

/* "['key']" or "[7]", *path at the bracket. */
static struct step bracket_step(const char **path)
{
    const struct step bad = { .kind = STEP_BAD };
    const char *at = *path + 1;

    if (*at == '\'' || *at == '"') {
        const char *end = strchr(at + 1, *at);
        if (!end || end[1] != ']')
            return bad;
        *path = end + 2;
        return (struct step){ .kind = STEP_KEY, .key = at + 1, .key_len = (size_t)(end - at - 1) };
    }

    size_t index = 0;
    const size_t digits = strspn(at, "0123456789");
    if (digits == 0 || digits > 9 || at[digits] != ']')
        return bad;
    for (size_t i = 0; i < digits; i++)
        index = index * 10 + (size_t)(at[i] - '0');
    *path = at + digits + 1;
    return (struct step){ .kind = STEP_INDEX, .index = index };
}

/* strcspn takes longer to begin than most keys to read. */
static const bool ends_key[256] = { ['\0'] = true, ['.'] = true, ['['] = true };

/*
 * Take the next step off *path, whose beginning is `start`.  In line by order: then a step stays in
 * registers, and a review walks some hundreds.
 */
static inline __attribute__((always_inline)) struct step next_step(const char **path,
                                                                   const char *start)
{
    if (**path == '\0')
        return (struct step){ .kind = STEP_END };
    if (**path == '[')
        return bracket_step(path);

    const bool is_first = *path == start;
    if (!is_first && **path != '.')
        return (struct step){ .kind = STEP_BAD };
    const char *key = *path + !is_first;
    size_t len = 0;
    while (!ends_key[(unsigned char)key[len]])
        len++;
    if (len == 0)
        return (struct step){ .kind = STEP_BAD };
    *path = key + len;
    return (struct step){ .kind = STEP_KEY, .key = key, .key_len = len };
}

static json_t *take_step(const json_t *v, const struct step *step)
{
    if (step->kind == STEP_KEY)
        return json_object_getn(v, step->key, step->key_len);
    return json_array_get(v, step->index);
}

json_t *jpath(const json_t *v, const char *path)
{
    const char *at = path;
    json_t *found = (json_t *)v;

    while (found) {
        const struct step step = next_step(&at, path);
        if (step.kind == STEP_END)
            return found;
        if (step.kind == STEP_BAD)
            return NULL;
        found = take_step(found, &step);
    }
    return NULL;
}

json_t *jpathf(const json_t *v, const char *fmt, ...)
{
    char *path = NULL;
    va_list ap;

    va_start(ap, fmt);
    const int n = vasprintf(&path, fmt, ap);
    va_end(ap);
    must(n >= 0);
    json_t *found = jpath(v, path);
    free(path);
    return found;
}

/* ---- reading ---- */

bool jpath_has(const json_t *v, const char *path)
{
    const json_t *at = jpath(v, path);
    return at && !json_is_null(at);
}

const char *jpath_str(const json_t *v, const char *path, const char *dflt)
{
    const json_t *at = jpath(v, path);
    return json_is_string(at) ? json_string_value(at) : dflt;
}

json_int_t jpath_int(const json_t *v, const char *path, json_int_t dflt)
{
    const json_t *at = jpath(v, path);
    return json_is_integer(at) ? json_integer_value(at) : dflt;
}

bool jpath_bool(const json_t *v, const char *path, bool dflt)
{
    const json_t *at = jpath(v, path);
    return json_is_boolean(at) ? json_is_true(at) : dflt;
}

json_t *jpath_obj(const json_t *v, const char *path)
{
    json_t *at = jpath(v, path);
    return json_is_object(at) ? at : NULL;
}

json_t *jpath_arr(const json_t *v, const char *path)
{
    json_t *at = jpath(v, path);
    return json_is_array(at) ? at : NULL;
}

/* ---- writing ---- */

static void put(json_t *parent, const struct step *step, json_t *value)
{
    if (step->kind == STEP_KEY)
        must(json_object_setn_new(parent, step->key, step->key_len, value) == 0);
    else
        must(json_array_set_new(parent, step->index, value) == 0);
}

/* The parent of the path's last step, which goes to *last; made on the way if wanted. */
static json_t *walk_to_parent(json_t *v, const char *path, bool make, struct step *last)
{
    const char *at = path;
    struct step step = next_step(&at, path);

    must(step.kind == STEP_KEY || step.kind == STEP_INDEX);
    for (;;) {
        const struct step next = next_step(&at, path);
        must(next.kind != STEP_BAD);
        if (next.kind == STEP_END) {
            *last = step;
            return v;
        }
        json_t *child = take_step(v, &step);
        if (!child && !make)
            return NULL;
        if (!child || (make && json_is_null(child))) {
            child = json_object();
            put(v, &step, child);
        }
        v = child;
        step = next;
    }
}

void jpath_set(json_t *v, const char *path, json_t *value)
{
    struct step last;

    must(value != NULL);
    json_t *parent = walk_to_parent(v, path, true, &last);
    put(parent, &last, value);
}

/* A JSON string of any text: what is not UTF-8 is replaced. */
static json_t *any_string(const char *s)
{
    json_t *text = json_string(s);
    if (text)
        return text;

    scoped(free) char *clean = must_strdup(s);
    str_make_utf8(clean);
    text = json_string(clean);
    must(text != NULL);
    return text;
}

void jpath_set_str(json_t *v, const char *path, const char *s)
{
    jpath_set(v, path, any_string(s));
}

void jpath_set_int(json_t *v, const char *path, json_int_t i)
{
    jpath_set(v, path, json_integer(i));
}

void jpath_set_bool(json_t *v, const char *path, bool b)
{
    jpath_set(v, path, json_boolean(b));
}

void jpath_del(json_t *v, const char *path)
{
    struct step last;
    json_t *parent = walk_to_parent(v, path, false, &last);

    if (last.kind == STEP_KEY && json_is_object(parent))
        (void)json_object_deln(parent, last.key, last.key_len);
    else if (last.kind == STEP_INDEX && json_is_array(parent))
        (void)json_array_remove(parent, last.index);
}

/* The value at path, or `fresh` (stolen either way) put there when it is absent or null. */
static json_t *make_at(json_t *v, const char *path, json_t *fresh)
{
    struct step last;
    json_t *parent = walk_to_parent(v, path, true, &last);
    json_t *at = take_step(parent, &last);

    if (at && !json_is_null(at)) {
        must(json_typeof(at) == json_typeof(fresh));
        json_decref(fresh);
        return at;
    }
    put(parent, &last, fresh);
    return fresh;
}

json_t *jpath_make_obj(json_t *v, const char *path)
{
    return make_at(v, path, json_object());
}

json_t *jpath_make_arr(json_t *v, const char *path)
{
    return make_at(v, path, json_array());
}

json_t *jarr_find(const json_t *array, const char *key, const char *value)
{
    size_t i;
    json_t *item;

    json_array_foreach((json_t *)array, i, item) {
        const char *s = json_string_value(json_object_get(item, key));
        if (s && streq(s, value))
            return item;
    }
    return NULL;
}

/* ---- metadata ---- */

static const json_t *metadata(const json_t *obj)
{
    return json_object_get(obj, "metadata");
}

static const char *meta_text(const json_t *obj, const char *key)
{
    const char *s = json_string_value(json_object_get(metadata(obj), key));
    return s ? s : "";
}

const char *meta_label(const json_t *obj, const char *key)
{
    return json_string_value(json_object_get(json_object_get(metadata(obj), "labels"), key));
}

const char *meta_annotation(const json_t *obj, const char *key)
{
    return json_string_value(json_object_get(json_object_get(metadata(obj), "annotations"), key));
}

const char *meta_name(const json_t *obj)
{
    return meta_text(obj, "name");
}

const char *meta_namespace(const json_t *obj)
{
    return meta_text(obj, "namespace");
}

const char *meta_uid(const json_t *obj)
{
    return meta_text(obj, "uid");
}

bool meta_is_deleting(const json_t *obj)
{
    return jpath_has(obj, "metadata.deletionTimestamp");
}

bool meta_has_finalizer(const json_t *obj, const char *finalizer)
{
    size_t i;
    json_t *item;

    json_array_foreach(json_object_get(metadata(obj), "finalizers"), i, item) {
        if (json_is_string(item) && streq(json_string_value(item), finalizer))
            return true;
    }
    return false;
}

const json_t *meta_controller(const json_t *obj)
{
    size_t i;
    json_t *owner;

    json_array_foreach(json_object_get(metadata(obj), "ownerReferences"), i, owner) {
        if (json_is_true(json_object_get(owner, "controller")))
            return owner;
    }
    return NULL;
}

char *meta_key(const json_t *obj)
{
    const char *ns = meta_namespace(obj);

    return *ns ? must_asprintf("%s/%s", ns, meta_name(obj)) : must_strdup(meta_name(obj));
}

int key_split(const char *key, char ns[254], char name[254])
{
    const char *slash = strchr(key, '/');
    const size_t ns_len = slash ? (size_t)(slash - key) : 0;
    const char *rest = slash ? slash + 1 : key;
    const size_t name_len = strlen(rest);

    if ((slash && ns_len == 0) || ns_len > 253 || name_len == 0 || name_len > 253 ||
        strchr(rest, '/'))
        return -1;
    memcpy(ns, key, ns_len);
    ns[ns_len] = '\0';
    memcpy(name, rest, name_len + 1);
    return 0;
}

/* ---- conditions ---- */

json_t *condition_find(const json_t *obj, const char *type)
{
    return jarr_find(jpath_arr(obj, "status.conditions"), "type", type);
}

bool condition_is_true(const json_t *obj, const char *type)
{
    return streq(jpath_str(condition_find(obj, type), "status", NULL), "True");
}

/* Set a member, or delete it for NULL and ""; was it different? */
static bool member_set(json_t *object, const char *key, const char *value)
{
    const char *before = json_string_value(json_object_get(object, key));

    if (!value || !*value) {
        if (json_object_get(object, key) == NULL)
            return false;
        (void)json_object_del(object, key);
        return true;
    }
    if (streq(before, value))
        return false;
    must_set(object, key, any_string(value));
    return true;
}

bool condition_set(json_t *obj, const char *type, const char *status, const char *reason,
                   const char *message, const char *now)
{
    json_t *condition = condition_find(obj, type);
    if (!condition) {
        condition = json_object();
        must_append(jpath_make_arr(obj, "status.conditions"), condition);
        must_set(condition, "type", any_string(type));
    }

    const bool turned = member_set(condition, "status", status);
    if (turned)
        (void)member_set(condition, "lastTransitionTime", now);
    const bool has_new_reason = member_set(condition, "reason", reason);
    const bool has_new_message = member_set(condition, "message", message);
    return turned || has_new_reason || has_new_message;
}

bool condition_remove(json_t *obj, const char *type)
{
    json_t *conditions = jpath_arr(obj, "status.conditions");
    size_t i;
    json_t *item;

    json_array_foreach(conditions, i, item) {
        const char *s = json_string_value(json_object_get(item, "type"));
        if (s && streq(s, type))
            return json_array_remove(conditions, i) == 0;
    }
    return false;
}

/* ---- parsing ---- */

/* The character behind the string literal that begins at `at`, or end. */
static const char *skip_literal(const char *at, const char *end)
{
    for (at++; at < end && *at != '"'; at++)
        if (*at == '\\')
            at++;
    return at < end ? at + 1 : end;
}

/*
 * jansson takes 2048 levels and any number of containers; an empty one costs 3 bytes of text and
 * some 250 of memory.  So both are bounded before it sees the text.
 */
static int bound_containers(const char *text, size_t len, struct error *e)
{
    const char *end = text + len;
    size_t left = JSON_CONTAINERS_FREE + len / JSON_CONTAINER_BYTES;
    int depth = 0;

    for (const char *at = text; at < end;) {
        if (*at == '"') {
            at = skip_literal(at, end);
            continue;
        }
        if (*at == '{' || *at == '[') {
            if (++depth > JSON_DEPTH_MAX)
                return error_set(e, ERR_BAD_REQUEST,
                                 "json: offset %zu: nested deeper than %d levels",
                                 (size_t)(at - text), JSON_DEPTH_MAX);
            if (left-- == 0)
                return error_set(e, ERR_BAD_REQUEST,
                                 "json: offset %zu: too many objects and arrays for its size",
                                 (size_t)(at - text));
        } else if (*at == '}' || *at == ']') {
            depth--;
        }
        at++;
    }
    return 0;
}

int json_parse_but(json_t **ret, const void *data, size_t len, const char *const *unread,
                   struct error *e)
{
    const size_t containers_max = JSON_CONTAINERS_FREE + len / JSON_CONTAINER_BYTES;
    json_t *quick = len ? jread_but(data, len, JSON_DEPTH_MAX, containers_max, unread) : NULL;
    if (quick) {
        *ret = quick;
        return 0;
    }

    int r = bound_containers(data, len, e);
    if (r < 0)
        return r;

    json_error_t why;
    json_t *v = json_loadb(len ? data : "", len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &why);
    if (!v)
        return error_set(e, ERR_BAD_REQUEST, "json: line %d column %d: %s", why.line, why.column,
                         why.text);
    *ret = v;
    return 0;
}

int json_parse(json_t **ret, const void *data, size_t len, struct error *e)
{
    return json_parse_but(ret, data, len, NULL, e);
}
