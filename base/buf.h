/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Growing byte buffer with its own upper bound.  Always NUL-terminated past
 * len.  One owner; zero-initialise with BUF_INIT(max).
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

struct buf {
    char *data; /* NULL while empty */
    size_t len;
    size_t cap;
    size_t max;     /* bytes that may be held; 0 is no bound (only for our own output) */
    bool truncated; /* an append was refused because of max; sticky until buf_clear */
};

#define BUF_INIT(max_bytes) ((struct buf){ .max = (max_bytes) })
#define scoped_buf __attribute__((cleanup(buf_done))) struct buf

void buf_done(struct buf *b);
void buf_clear(struct buf *b); /* empty, memory kept */

/* Append; false when the bound refuses it (nothing of this piece is kept). */
bool buf_add(struct buf *b, const void *data, size_t len);
bool buf_adds(struct buf *b, const char *s);
bool buf_addf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
bool buf_vaddf(struct buf *b, const char *fmt, va_list ap);

/* Make room for `more` bytes and the NUL; false when the bound refuses it. */
bool buf_reserve(struct buf *b, size_t more);

/*
 * Append `n` bytes that the caller writes at once, where the result says; NULL when the bound
 * refuses it.  For those who append many small pieces.
 */
static inline char *buf_extend(struct buf *b, size_t n)
{
    if (n >= b->cap - b->len && !buf_reserve(b, n))
        return NULL;

    char *at = b->data + b->len;
    b->len += n;
    b->data[b->len] = '\0';
    return at;
}

/* Append text with XML's five special characters escaped (control characters dropped). */
bool buf_add_xml(struct buf *b, const char *s);

/* Append the base64 (RFC 4648, padded) of the bytes. */
bool buf_add_base64(struct buf *b, const void *data, size_t len);
extern const char buf_base64_digits[65];

/* Drop the first n bytes. */
void buf_consume(struct buf *b, size_t n);

/* Hand the string over (never NULL); the buffer is empty afterwards. */
char *buf_take(struct buf *b);

#endif
