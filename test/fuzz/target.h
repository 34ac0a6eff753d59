/* SPDX-License-Identifier: Apache-2.0 */
/* What fuzz targets share.  Where a target has a choice, the first line of an input makes it. */
#ifndef TEST_FUZZ_TARGET_H
#define TEST_FUZZ_TARGET_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/jpath.h"
#include "base/must.h"
#include "base/scope.h"

/* The program's one entry, called by libFuzzer or by replay.c. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* As text from outside: a NUL ends it.  New. */
static inline char *input_text(const uint8_t *data, size_t len)
{
    return must_strndup(len ? (const char *)data : "", len);
}

/* Take the first line, without its end, off the input: a new string, or NULL when there is none. */
static inline char *input_line(const uint8_t **data, size_t *len)
{
    const uint8_t *end = *len ? memchr(*data, '\n', *len) : NULL;

    if (!end)
        return NULL;
    char *line = must_strndup((const char *)*data, (size_t)(end - *data));
    *len -= (size_t)(end - *data) + 1;
    *data = end + 1;
    return line;
}

/* As JSON from outside; NULL when it is none.  New. */
static inline json_t *input_json(const uint8_t *data, size_t len)
{
    json_t *v = NULL;
    struct error e = { 0 };

    return json_parse(&v, data, len, &e) < 0 ? NULL : v;
}

#endif
