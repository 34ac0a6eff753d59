/* SPDX-License-Identifier: Apache-2.0 */
/* The growing byte buffer. */
#include "base/buf.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/must.h"

enum { FIRST_CAP = 128 };

void buf_done(struct buf *b)
{
    free(b->data);
    *b = BUF_INIT(b->max);
}

void buf_clear(struct buf *b)
{
    b->len = 0;
    b->truncated = false;
    if (b->data)
        b->data[0] = '\0';
}

bool buf_reserve(struct buf *b, size_t more)
{
    must(more < SIZE_MAX / 4 && b->len < SIZE_MAX / 4);
    if (b->max && (more > b->max || b->len > b->max - more)) {
        b->truncated = true;
        return false;
    }

    const size_t need = b->len + more + 1;
    if (need <= b->cap)
        return true;

    size_t cap = b->cap ? b->cap : FIRST_CAP;
    while (cap < need)
        cap *= 2;
    if (b->max && cap > b->max + 1)
        cap = b->max + 1;
    b->data = must_realloc(b->data, cap);
    b->cap = cap;
    return true;
}

bool buf_add(struct buf *b, const void *data, size_t len)
{
    char *at = buf_extend(b, len);

    if (at && len > 0)
        memcpy(at, data, len);
    return at != NULL;
}

bool buf_adds(struct buf *b, const char *s)
{
    return buf_add(b, s, strlen(s));
}

bool buf_addf(struct buf *b, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    const bool added = buf_vaddf(b, fmt, ap);
    va_end(ap);
    return added;
}

bool buf_vaddf(struct buf *b, const char *fmt, va_list ap)
{
    char small[256];
    va_list again;

    va_copy(again, ap);
    const int n = vsnprintf(small, sizeof(small), fmt, ap);
    must(n >= 0);
    bool added;
    if ((size_t)n < sizeof(small)) {
        added = buf_add(b, small, (size_t)n);
    } else {
        added = buf_reserve(b, (size_t)n);
        if (added) {
            (void)vsnprintf(b->data + b->len, (size_t)n + 1, fmt, again);
            b->len += (size_t)n;
        }
    }
    va_end(again);
    return added;
}

static const char *xml_entity(char c)
{
    switch (c) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    case '\'':
        return "&apos;";
    default:
        return NULL;
    }
}

/* XML 1.0 allows no control character but tab, line feed and carriage return. */
static bool is_dropped_by_xml(char c)
{
    const unsigned char u = (unsigned char)c;
    return (u < 0x20 && c != '\t' && c != '\n' && c != '\r') || u == 0x7f;
}

bool buf_add_xml(struct buf *b, const char *s)
{
    const size_t before = b->len;
    bool added = buf_add(b, "", 0);

    while (added && *s) {
        const char *entity = xml_entity(*s);
        if (entity)
            added = buf_adds(b, entity);
        else if (!is_dropped_by_xml(*s))
            added = buf_add(b, s, 1);
        s++;
    }
    if (!added && b->data) {
        b->len = before;
        b->data[before] = '\0';
    }
    return added;
}

const char buf_base64_digits[65] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

bool buf_add_base64(struct buf *b, const void *data, size_t len)
{
    const char *const digits = buf_base64_digits;
    const size_t coded = (len + 2) / 3 * 4;
    const unsigned char *in = data;

    char *out = buf_extend(b, coded);
    if (!out)
        return false;
    for (; len >= 3; in += 3, len -= 3) {
        const uint32_t bits = (uint32_t)in[0] << 16 | (uint32_t)in[1] << 8 | in[2];

        *out++ = digits[bits >> 18];
        *out++ = digits[bits >> 12 & 63];
        *out++ = digits[bits >> 6 & 63];
        *out++ = digits[bits & 63];
    }
    if (len > 0) {
        const uint32_t bits = (uint32_t)in[0] << 16 | (len > 1 ? (uint32_t)in[1] << 8 : 0);

        *out++ = digits[bits >> 18];
        *out++ = digits[bits >> 12 & 63];
        *out++ = len > 1 ? digits[bits >> 6 & 63] : '=';
        *out++ = '=';
    }
    return true;
}

void buf_consume(struct buf *b, size_t n)
{
    must(n <= b->len);
    if (n == 0)
        return;
    memmove(b->data, b->data + n, b->len - n + 1);
    b->len -= n;
}

char *buf_take(struct buf *b)
{
    char *data = b->data ? b->data : must_strdup("");

    *b = BUF_INIT(b->max);
    return data;
}
