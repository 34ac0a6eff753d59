/* SPDX-License-Identifier: Apache-2.0 */
#include "base/jwrite.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
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

static size_t plain_length(const char *s, const char *end)
{
    const char *at = s;

    while (at < end && (unsigned char)*at >= ' ' && *at != '"' && *at != '\\')
        at++;
    return (size_t)(at - s);
}

void jwrite_string(struct buf *out, const char *s, size_t len)
{
    const char *const end = s + len;

    (void)buf_add(out, "\"", 1);
    while (s < end) {
        const size_t plain = plain_length(s, end);

        (void)buf_add(out, s, plain);
        s += plain;
        if (s < end)
            write_escape(out, *s++);
    }
    (void)buf_add(out, "\"", 1);
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
        (void)buf_add(out, "{", 1);
    for (void *i = json_object_iter(v); i; i = json_object_iter_next(v, i)) {
        (void)buf_add(out, &before, 1);
        jwrite_string(out, json_object_iter_key(i), json_object_iter_key_len(i));
        (void)buf_add(out, ":", 1);
        jwrite(out, json_object_iter_value(i));
        before = ',';
    }
    (void)buf_add(out, "}", 1);
}

static void write_array(struct buf *out, const json_t *v)
{
    const size_t len = json_array_size(v);

    (void)buf_add(out, "[", 1);
    for (size_t i = 0; i < len; i++) {
        if (i > 0)
            (void)buf_add(out, ",", 1);
        jwrite(out, json_array_get(v, i));
    }
    (void)buf_add(out, "]", 1);
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
