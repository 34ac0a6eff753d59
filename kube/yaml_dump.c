/* SPDX-License-Identifier: Apache-2.0 */
/* YAML writer: block style, lists not indented below their key, strings plain where that is safe.
 */
#include "kube/yaml.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/must.h"
#include "base/scope.h"
#include "base/str.h"
#include "kube/yaml_scalar.h"

enum string_style { STYLE_PLAIN, STYLE_SINGLE, STYLE_DOUBLE, STYLE_LITERAL };

static void write_value(struct buf *out, const json_t *v, unsigned indent);

static void pad(struct buf *out, unsigned indent)
{
    (void)buf_addf(out, "%*s", (int)indent, "");
}

/* Characters that only a double-quoted string can carry (line ends apart). */
static bool has_unprintable(const char *s)
{
    for (const unsigned char *c = (const unsigned char *)s; *c; c++) {
        if ((*c < 0x20 && *c != '\n') || *c == 0x7f)
            return true;
        if (c[0] == 0xc2 && c[1] < 0xa0) /* U+0080 to U+009F */
            return true;
        if (c[0] == 0xe2 && c[1] == 0x80 && (c[2] == 0xa8 || c[2] == 0xa9)) /* line separators */
            return true;
        if (c[0] == 0xef && c[1] == 0xbb && c[2] == 0xbf) /* byte order mark */
            return true;
    }
    return false;
}

/* Read plain, is it anything but a string? */
static bool is_ambiguous(const char *s)
{
    json_auto_t *v = yaml_scalar(s);

    if (!json_is_string(v) || yaml_is_timestamp(s) || streq(s, "<<") || streq(s, "="))
        return true;
    /* base 60 numbers of YAML 1.1 */
    return strspn(s, "+-0123456789_:.") == strlen(s) && strchr(s, ':') != NULL;
}

static bool has_syntax(const char *s)
{
    size_t len = strlen(s);

    if (strchr(",[]{}#&*!|>'\"%@`", s[0]) || s[0] == ' ' || s[len - 1] == ' ' || s[len - 1] == ':')
        return true;
    if (strchr("-?:", s[0]) && (s[1] == '\0' || s[1] == ' '))
        return true;
    if (str_has_prefix(s, "---") || str_has_prefix(s, "..."))
        return true;
    return strstr(s, ": ") || strstr(s, " #");
}

static enum string_style style_of(const char *s, bool may_be_literal)
{
    if (has_unprintable(s))
        return STYLE_DOUBLE;
    if (strchr(s, '\n'))
        return may_be_literal && s[0] != ' ' && s[0] != '\n' ? STYLE_LITERAL : STYLE_DOUBLE;
    if (s[0] == '\0' || is_ambiguous(s))
        return STYLE_DOUBLE;
    return has_syntax(s) ? STYLE_SINGLE : STYLE_PLAIN;
}

bool yaml_needs_quotes(const char *s)
{
    return style_of(s, false) != STYLE_PLAIN;
}

static void write_double(struct buf *out, const char *s)
{
    /* JSON's escapes are a subset of YAML's. */
    json_auto_t *v = json_string(s);
    scoped(free) char *text =
        must_dumps(v, JSON_ENCODE_ANY | (has_unprintable(s) ? JSON_ENSURE_ASCII : 0));

    (void)buf_adds(out, text);
}

static void write_single(struct buf *out, const char *s)
{
    (void)buf_adds(out, "'");
    for (; *s; s++)
        (void)buf_add(out, *s == '\'' ? "''" : s, *s == '\'' ? 2 : 1);
    (void)buf_adds(out, "'");
}

static void write_literal(struct buf *out, const char *s, unsigned indent)
{
    size_t len = strlen(s);
    bool ends_in_newline = s[len - 1] == '\n';
    bool keeps_more = ends_in_newline && len > 1 && s[len - 2] == '\n';

    (void)buf_adds(out, keeps_more ? "|+" : ends_in_newline ? "|" : "|-");
    while (*s) {
        size_t line = strcspn(s, "\n");
        (void)buf_adds(out, "\n");
        if (line > 0) {
            pad(out, indent);
            (void)buf_add(out, s, line);
        }
        s += line + (s[line] == '\n');
    }
}

static void write_string(struct buf *out, const char *s, unsigned indent, bool may_be_literal)
{
    switch (style_of(s, may_be_literal)) {
    case STYLE_PLAIN:
        (void)buf_adds(out, s);
        break;
    case STYLE_SINGLE:
        write_single(out, s);
        break;
    case STYLE_DOUBLE:
        write_double(out, s);
        break;
    case STYLE_LITERAL:
        write_literal(out, s, indent);
        break;
    }
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static const char **sorted_keys(const json_t *object)
{
    const char **keys = must_calloc(json_object_size(object) + 1, sizeof(*keys));
    const char *key;
    json_t *value;
    size_t n = 0;

    json_object_foreach((json_t *)object, key, value)
        keys[n++] = key;
    qsort(keys, n, sizeof(*keys), by_name);
    return keys;
}

static bool is_empty(const json_t *v)
{
    return json_array_size(v) == 0 && json_object_size(v) == 0;
}

/* The first key stands where the writer is; the others on lines of their own. */
static void write_object(struct buf *out, const json_t *v, unsigned indent)
{
    scoped(free) const char **keys = sorted_keys(v);

    for (size_t i = 0; keys[i]; i++) {
        const json_t *value = json_object_get(v, keys[i]);
        bool is_block = (json_is_object(value) || json_is_array(value)) && !is_empty(value);

        if (i > 0)
            pad(out, indent);
        write_string(out, keys[i], indent, false);
        (void)buf_adds(out, ":");
        if (is_block) {
            unsigned deeper = indent + (json_is_object(value) ? 2 : 0);
            (void)buf_adds(out, "\n");
            pad(out, deeper);
            write_value(out, value, deeper);
            continue;
        }
        (void)buf_adds(out, " ");
        write_value(out, value, indent + 2);
        (void)buf_adds(out, "\n");
    }
}

static void write_array(struct buf *out, const json_t *v, unsigned indent)
{
    json_t *item;
    size_t i;

    json_array_foreach(v, i, item) {
        if (i > 0)
            pad(out, indent);
        (void)buf_adds(out, "- ");
        write_value(out, item, indent + 2);
        if (!(json_is_object(item) || json_is_array(item)) || is_empty(item))
            (void)buf_adds(out, "\n");
    }
}

/* Scalars and empty containers without the line's end, others with it. */
static void write_value(struct buf *out, const json_t *v, unsigned indent)
{
    if (json_is_object(v) && !is_empty(v)) {
        write_object(out, v, indent);
    } else if (json_is_array(v) && !is_empty(v)) {
        write_array(out, v, indent);
    } else if (json_is_string(v)) {
        write_string(out, json_string_value(v), indent, true);
    } else {
        scoped(free) char *text = must_dumps(v, JSON_ENCODE_ANY);
        (void)buf_adds(out, text);
    }
}

char *yaml_dump(const json_t *v)
{
    scoped_buf out = BUF_INIT(0);

    write_value(&out, v, 0);
    if (out.len == 0 || out.data[out.len - 1] != '\n')
        (void)buf_adds(&out, "\n");
    return buf_take(&out);
}
