/* SPDX-License-Identifier: Apache-2.0 */
/* YAML reader: libyaml's events into json_t.  What it refuses stands in kube/yaml.h. */
#include "kube/yaml.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>
#include <yaml.h>

#include "base/jpath.h"
#include "base/must.h"
#include "base/scope.h"
#include "base/str.h"
#include "kube/yaml_scalar.h"

struct anchor {
    UT_hash_handle hh;
    json_t *value;
    size_t weight;
    char name[];
};

struct reader {
    yaml_parser_t parser;
    yaml_event_t event;
    bool has_event;
    struct anchor *anchors;
    size_t alias_bytes;
    struct error *e;
};

static int read_node(struct reader *r, unsigned depth, json_t **ret);

static int refuse(struct reader *r, const char *what, const char *quoted)
{
    const yaml_mark_t *at = &r->event.start_mark;

    return error_set(r->e, ERR_BAD_REQUEST, "yaml line %zu column %zu: %s%s%.80s%s", at->line + 1,
                     at->column + 1, what, quoted ? " '" : "", quoted ? quoted : "",
                     quoted ? "'" : "");
}

static int next_event(struct reader *r)
{
    if (r->has_event)
        yaml_event_delete(&r->event);
    r->has_event = false;
    if (yaml_parser_parse(&r->parser, &r->event)) {
        r->has_event = true;
        return 0;
    }
    return error_set(r->e, ERR_BAD_REQUEST, "yaml line %zu column %zu: %s",
                     r->parser.problem_mark.line + 1, r->parser.problem_mark.column + 1,
                     r->parser.problem ? r->parser.problem : "not YAML");
}

/* ---- anchors ---- */

static size_t weight_of(const json_t *v)
{
    size_t sum = 1;
    const char *key;
    json_t *child;
    size_t i;

    if (json_is_string(v))
        return 1 + json_string_length(v);
    json_array_foreach(v, i, child)
        sum += weight_of(child);
    json_object_foreach((json_t *)v, key, child)
        sum += strlen(key) + weight_of(child);
    return sum;
}

static void anchor_set(struct reader *r, const char *name, json_t *value)
{
    struct anchor *a = NULL;

    HASH_FIND_STR(r->anchors, name, a);
    if (!a) {
        size_t len = strlen(name);
        a = must_calloc(1, sizeof(*a) + len + 1);
        memcpy(a->name, name, len + 1);
        HASH_ADD_KEYPTR(hh, r->anchors, a->name, len, a);
    }
    json_decref(a->value);
    a->value = json_incref(value);
    a->weight = weight_of(value);
}

static void anchors_drop(struct reader *r)
{
    for (struct anchor *a = r->anchors, *next; a; a = next) {
        next = a->hh.next;
        HASH_DEL(r->anchors, a);
        json_decref(a->value);
        free(a);
    }
}

static int read_alias(struct reader *r, json_t **ret)
{
    const char *name = (const char *)r->event.data.alias.anchor;
    struct anchor *a = NULL;

    HASH_FIND_STR(r->anchors, name, a);
    if (!a)
        return refuse(r, "alias of an unknown or unfinished anchor", name);
    r->alias_bytes += a->weight;
    if (r->alias_bytes > YAML_ALIAS_BYTES_MAX)
        return refuse(r, "aliases grow too large at", name);
    *ret = must_copy(a->value);
    return 0;
}

/* ---- nodes ---- */

/* Does the resolved value have the type that an explicit tag asks for? */
static bool tag_fits(const char *tag, const json_t *v)
{
    if (streq(tag, YAML_BOOL_TAG))
        return json_is_boolean(v);
    if (streq(tag, YAML_INT_TAG))
        return json_is_integer(v);
    if (streq(tag, YAML_FLOAT_TAG))
        return json_is_number(v);
    if (streq(tag, YAML_NULL_TAG))
        return json_is_null(v);
    return false;
}

static int read_scalar(struct reader *r, json_t **ret)
{
    const char *text = (const char *)r->event.data.scalar.value;
    const char *tag = (const char *)r->event.data.scalar.tag;
    bool is_plain = r->event.data.scalar.style == YAML_PLAIN_SCALAR_STYLE;

    if (strlen(text) != r->event.data.scalar.length)
        return refuse(r, "a string with a NUL character", NULL);
    if (tag ? streq(tag, YAML_STR_TAG) || streq(tag, "!") || streq(tag, YAML_TIMESTAMP_TAG)
            : !is_plain) {
        *ret = json_string(text);
        must(*ret);
        return 0;
    }
    json_auto_t *v = yaml_scalar(text);
    if (!v)
        return refuse(r, "JSON has no number", text);
    if (tag && !tag_fits(tag, v))
        return refuse(r, "value does not fit its tag", tag);
    *ret = TAKE(v);
    return 0;
}

/* The current event is a mapping's key: its text (new). */
static int read_key(struct reader *r, char **ret, bool *ret_is_merge)
{
    json_auto_t *v = NULL;

    *ret_is_merge = false;
    if (r->event.type == YAML_ALIAS_EVENT) {
        int ra = read_alias(r, &v);
        if (ra < 0)
            return ra;
    } else if (r->event.type != YAML_SCALAR_EVENT) {
        return refuse(r, "a key must be a scalar", NULL);
    } else {
        int rs = read_scalar(r, &v);
        if (rs < 0)
            return rs;
        *ret_is_merge = r->event.data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
                        streq(json_string_value(v), "<<");
    }
    if (json_is_null(v) || json_is_array(v) || json_is_object(v))
        return refuse(r, "a key must be a string", NULL);
    *ret = json_is_string(v) ? must_strdup(json_string_value(v)) : must_dumps(v, JSON_ENCODE_ANY);
    return 0;
}

/* Keys of `from` (a mapping or a list of them) that the mapping does not have. */
static int merge_into(struct reader *r, json_t *map, const json_t *from)
{
    const char *key;
    json_t *value;
    size_t i;

    if (json_is_array(from)) {
        json_array_foreach(from, i, value) {
            if (!json_is_object(value))
                return refuse(r, "only mappings can be merged", NULL);
            (void)json_object_update_missing(map, value);
        }
        return 0;
    }
    if (!json_is_object(from))
        return refuse(r, "only mappings can be merged", NULL);
    json_object_foreach((json_t *)from, key, value)
        if (!json_object_get(map, key))
            must_set(map, key, must_copy(value));
    return 0;
}

static int read_pair(struct reader *r, unsigned depth, json_t *map, json_t *merges)
{
    scoped(free) char *key = NULL;
    json_auto_t *value = NULL;
    bool is_merge = false;

    int result = read_key(r, &key, &is_merge);
    if (result < 0)
        return result;
    if (!is_merge && json_object_get(map, key))
        return refuse(r, "key given twice:", key);
    result = next_event(r);
    if (result >= 0)
        result = read_node(r, depth + 1, &value);
    if (result < 0)
        return result;
    if (is_merge)
        must_append(merges, TAKE(value));
    else
        must_set(map, key, TAKE(value));
    return 0;
}

static int read_mapping(struct reader *r, unsigned depth, json_t **ret)
{
    json_auto_t *map = json_object();
    json_auto_t *merges = json_array();
    json_t *from;
    size_t i;

    for (;;) {
        int result = next_event(r);
        if (result < 0)
            return result;
        if (r->event.type == YAML_MAPPING_END_EVENT)
            break;
        result = read_pair(r, depth, map, merges);
        if (result < 0)
            return result;
    }
    json_array_foreach(merges, i, from) {
        int result = merge_into(r, map, from);
        if (result < 0)
            return result;
    }
    *ret = TAKE(map);
    return 0;
}

static int read_sequence(struct reader *r, unsigned depth, json_t **ret)
{
    json_auto_t *list = json_array();

    for (;;) {
        json_auto_t *item = NULL;
        int result = next_event(r);
        if (result < 0)
            return result;
        if (r->event.type == YAML_SEQUENCE_END_EVENT)
            break;
        result = read_node(r, depth + 1, &item);
        if (result < 0)
            return result;
        must_append(list, TAKE(item));
    }
    *ret = TAKE(list);
    return 0;
}

/* The current event begins a node; afterwards it is the node's last one. */
static int read_node(struct reader *r, unsigned depth, json_t **ret)
{
    scoped(free) char *anchor = NULL;
    const yaml_char_t *name = NULL;
    int result;

    if (depth > JSON_DEPTH_MAX)
        return refuse(r, "nested too deeply", NULL);
    if (r->event.type == YAML_ALIAS_EVENT)
        return read_alias(r, ret);

    if (r->event.type == YAML_SCALAR_EVENT)
        name = r->event.data.scalar.anchor;
    else if (r->event.type == YAML_MAPPING_START_EVENT)
        name = r->event.data.mapping_start.anchor;
    else if (r->event.type == YAML_SEQUENCE_START_EVENT)
        name = r->event.data.sequence_start.anchor;
    else
        return refuse(r, "a value is missing", NULL);
    if (name)
        anchor = must_strdup((const char *)name);

    if (r->event.type == YAML_SCALAR_EVENT)
        result = read_scalar(r, ret);
    else if (r->event.type == YAML_MAPPING_START_EVENT)
        result = read_mapping(r, depth, ret);
    else
        result = read_sequence(r, depth, ret);
    if (result >= 0 && anchor)
        anchor_set(r, anchor, *ret);
    return result;
}

/* The next document (new) or NULL at the end of the stream. */
static int read_document(struct reader *r, json_t **ret)
{
    *ret = NULL;
    for (;;) {
        int result = next_event(r);
        if (result < 0 || r->event.type == YAML_STREAM_END_EVENT)
            return result;
        if (r->event.type != YAML_DOCUMENT_START_EVENT)
            continue;
        anchors_drop(r);
        r->alias_bytes = 0;
        result = next_event(r);
        if (result >= 0)
            result = read_node(r, 0, ret);
        return result;
    }
}

static int reader_init(struct reader *r, const char *text, size_t len, struct error *e)
{
    *r = (struct reader){ .e = e };
    if (len > YAML_TEXT_MAX)
        return error_set(e, ERR_TOO_LARGE, "yaml of %zu bytes, at most %d are read", len,
                         YAML_TEXT_MAX);
    must(yaml_parser_initialize(&r->parser));
    yaml_parser_set_encoding(&r->parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&r->parser, (const unsigned char *)text, len);
    return 0;
}

static void reader_done(struct reader *r)
{
    if (r->has_event)
        yaml_event_delete(&r->event);
    anchors_drop(r);
    yaml_parser_delete(&r->parser);
}

int yaml_parse(json_t **ret, const char *text, size_t len, struct error *e)
{
    struct reader r;
    json_t *v = NULL;

    *ret = NULL;
    int result = reader_init(&r, text, len, e);
    if (result < 0)
        return result;
    result = read_document(&r, &v);
    reader_done(&r);
    if (result >= 0)
        *ret = v ? v : json_null();
    return result;
}

int yaml_parse_all(json_t **ret, const char *text, size_t len, struct error *e)
{
    json_auto_t *all = json_array();
    struct reader r;
    int result;

    *ret = NULL;
    result = reader_init(&r, text, len, e);
    if (result < 0)
        return result;
    for (;;) {
        json_t *v = NULL;
        result = read_document(&r, &v);
        if (result < 0 || !v)
            break;
        if (json_is_null(v))
            json_decref(v);
        else
            must_append(all, v);
    }
    reader_done(&r);
    if (result >= 0)
        *ret = TAKE(all);
    return result;
}
