/* SPDX-License-Identifier: Apache-2.0 */
/* Calls that cannot fail, because the process ends when they would. */
#include "base/must.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* jansson keeps the width of JSON_INDENT(n) in the low five bits of the flags. */
enum { JSON_INDENT_BITS = 0x1f };

_Noreturn void must_fail(const char *what, const char *file, int line)
{
    char text[512];
    int n = snprintf(text, sizeof(text), "fatal: %s:%d: %s does not hold\n", file, line, what);

    /* Neither malloc nor stdio may be trusted here. */
    if (n > 0) {
        const size_t len = (size_t)n < sizeof(text) ? (size_t)n : sizeof(text) - 1;
        ssize_t written = write(STDERR_FILENO, text, len);
        (void)written;
    }
    abort();
}

void *must_malloc(size_t size)
{
    void *p = malloc(size ? size : 1);
    must(p != NULL);
    return p;
}

void *must_calloc(size_t n, size_t size)
{
    void *p = calloc(n ? n : 1, size ? size : 1);
    must(p != NULL);
    return p;
}

void *must_realloc(void *p, size_t size)
{
    void *bigger = realloc(p, size ? size : 1);
    must(bigger != NULL);
    return bigger;
}

char *must_strdup(const char *s)
{
    char *copy = strdup(s);
    must(copy != NULL);
    return copy;
}

char *must_strndup(const char *s, size_t n)
{
    char *copy = strndup(s, n);
    must(copy != NULL);
    return copy;
}

char *must_asprintf(const char *fmt, ...)
{
    char *text = NULL;
    va_list ap;

    va_start(ap, fmt);
    int n = vasprintf(&text, fmt, ap);
    va_end(ap);
    must(n >= 0);
    return text;
}

json_t *must_pack(const char *fmt, ...)
{
    json_error_t why;
    va_list ap;

    va_start(ap, fmt);
    json_t *v = json_vpack_ex(&why, 0, fmt, ap);
    va_end(ap);
    if (!v)
        must_fail(why.text, fmt, why.column);
    return v;
}

json_t *must_copy(const json_t *v)
{
    json_t *copy = json_deep_copy(v);
    must(copy != NULL);
    return copy;
}

json_t *must_branch(const json_t *v)
{
    json_t *copy = NULL;

    if (json_is_object(v)) {
        json_t *object = (json_t *)v;

        copy = json_object();
        must(copy != NULL);
        for (void *i = json_object_iter(object); i; i = json_object_iter_next(object, i))
            must(json_object_setn_new_nocheck(copy, json_object_iter_key(i),
                                              json_object_iter_key_len(i),
                                              must_branch(json_object_iter_value(i))) == 0);
        return copy;
    }
    if (json_is_array(v)) {
        copy = json_array();
        must(copy != NULL);
        for (size_t i = 0; i < json_array_size(v); i++)
            must_append(copy, must_branch(json_array_get(v, i)));
        return copy;
    }
    return json_incref((json_t *)v);
}

char *must_dumps(const json_t *v, size_t flags)
{
    if (!(flags & JSON_INDENT_BITS))
        flags |= JSON_COMPACT;
    char *text = json_dumps(v, flags | JSON_ENCODE_ANY);
    must(text != NULL);
    return text;
}

void must_set(json_t *object, const char *key, json_t *v)
{
    must(json_object_set_new(object, key, v) == 0);
}

void must_append(json_t *array, json_t *v)
{
    must(json_array_append_new(array, v) == 0);
}
