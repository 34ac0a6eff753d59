/* SPDX-License-Identifier: Apache-2.0 */
#include "base/jwrite.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/jplain.h"
#include "base/must.h"
#include "base/scope.h"

enum { INTEGER_TEXT_MAX = 21 }; /* "-9223372036854775808" */

static void write_escape(struct buf *out, char c)
{
    static const char named[] = "\"\"\\\\\bb\ff\nn\rr\tt"; /* pairs: the byte, its letter */

    for (const char *pair = named; *pair; pair += 2) {
        if (*pair == c) {
            (void)buf_add(out, (const char[]){ '\\', pair[1] }, 2);
            return;
        }
    }
    (void)buf_addf(out, "\\u%04X", (unsigned char)c);
}

static void write_char(struct buf *out, char c)
{
    char *at = buf_extend(out, 1);

    if (at)
        *at = c;
}

/* The first byte that needs an escape, or the end. */
static const char *unescaped_end(const char *at, const char *end)
{
    at = jplain_end(at, end);
    while (at < end && (unsigned char)*at >= 0x80)
        at = jplain_end(at + 1, end);
    return at;
}

static void write_escaped(struct buf *out, const char *s, const char *end)
{
    write_char(out, '"');
    while (s < end) {
        const char *const plain = s;

        s = unescaped_end(s, end);
        (void)buf_add(out, plain, (size_t)(s - plain));
        if (s < end)
            write_escape(out, *s++);
    }
    write_char(out, '"');
}

void jwrite_string(struct buf *out, const char *s, size_t len)
{
    if (unescaped_end(s, s + len) < s + len) {
        write_escaped(out, s, s + len);
        return;
    }
    char *at = buf_extend(out, len + 2);
    if (!at)
        return;
    at[0] = '"';
    memcpy(at + 1, s, len);
    at[len + 1] = '"';
}

static void write_integer(struct buf *out, json_int_t n)
{
    char digits[INTEGER_TEXT_MAX];
    char *at = digits + sizeof(digits);
    unsigned long long rest = n < 0 ? 0 - (unsigned long long)n : (unsigned long long)n;

    do {
        *--at = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest > 0);
    if (n < 0)
        *--at = '-';
    (void)buf_add(out, at, (size_t)(digits + sizeof(digits) - at));
}

/* Seldom, and shortest digits are an art of their own. */
static void write_real(struct buf *out, const json_t *v)
{
    scoped(free) char *text = must_dumps(v, 0);

    (void)buf_adds(out, text);
}

static void write_object(struct buf *out, json_t *v)
{
    char before = '{';

    if (json_object_size(v) == 0)
        write_char(out, '{');
    for (void *i = json_object_iter(v); i; i = json_object_iter_next(v, i)) {
        write_char(out, before);
        jwrite_string(out, json_object_iter_key(i), json_object_iter_key_len(i));
        write_char(out, ':');
        jwrite(out, json_object_iter_value(i));
        before = ',';
    }
    write_char(out, '}');
}

static void write_array(struct buf *out, const json_t *v)
{
    const size_t len = json_array_size(v);

    write_char(out, '[');
    for (size_t i = 0; i < len; i++) {
        if (i > 0)
            write_char(out, ',');
        jwrite(out, json_array_get(v, i));
    }
    write_char(out, ']');
}

void jwrite(struct buf *out, const json_t *v)
{
    switch (json_typeof(v)) {
    case JSON_OBJECT:
        write_object(out, (json_t *)v);
        break;
    case JSON_ARRAY:
        write_array(out, v);
        break;
    case JSON_STRING:
        jwrite_string(out, json_string_value(v), json_string_length(v));
        break;
    case JSON_INTEGER:
        write_integer(out, json_integer_value(v));
        break;
    case JSON_REAL:
        write_real(out, v);
        break;
    case JSON_TRUE:
        (void)buf_add(out, "true", 4);
        break;
    case JSON_FALSE:
        (void)buf_add(out, "false", 5);
        break;
    case JSON_NULL:
        (void)buf_add(out, "null", 4);
        break;
    }
}
