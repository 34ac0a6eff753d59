/* SPDX-License-Identifier: Apache-2.0 */
/* Text: comparison, numbers, percent and base64 coding, UTF-8, random names. */
#include "base/str.h"

#include <ctype.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/random.h>

#include <uuid/uuid.h>

#include "base/buf.h"
#include "base/must.h"
#include "base/scope.h"

bool str_has_prefix(const char *s, const char *prefix)
{
    return s && strncmp(s, prefix, strlen(prefix)) == 0;
}

bool str_has_suffix(const char *s, const char *suffix)
{
    if (!s)
        return false;

    const size_t len = strlen(s);
    const size_t suffix_len = strlen(suffix);
    return len >= suffix_len && memcmp(s + len - suffix_len, suffix, suffix_len) == 0;
}

int str_to_int(const char *s, long long min, long long max, long long *ret_value)
{
    if (!s)
        return -1;
    const char *digits = s + (min < 0 && *s == '-');
    if (!isdigit((unsigned char)*digits))
        return -1;

    char *end = NULL;
    errno = 0;
    const long long value = strtoll(s, &end, 10);
    if (errno != 0 || *end != '\0' || value < min || value > max)
        return -1;
    *ret_value = value;
    return 0;
}

/* ---- percent ---- */

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

size_t str_distance(const char *a, const char *b)
{
    const size_t len = strlen(b);
    scoped(free) size_t *row = must_calloc(len + 1, sizeof(*row));

    for (size_t j = 0; j <= len; j++)
        row[j] = j;
    for (size_t i = 0; a[i]; i++) {
        size_t diagonal = row[0];

        row[0] = i + 1;
        for (size_t j = 0; j < len; j++) {
            const size_t changed = diagonal + (a[i] != b[j]);
            const size_t shorter = (row[j] < row[j + 1] ? row[j] : row[j + 1]) + 1;

            diagonal = row[j + 1];
            row[j + 1] = changed < shorter ? changed : shorter;
        }
    }
    return row[len];
}

char *str_percent_decode(const char *s)
{
    char *text = must_malloc(strlen(s) + 1);
    size_t len = 0;

    while (*s) {
        const int high = s[0] == '%' ? hex_value(s[1]) : -1;
        const int low = high >= 0 ? hex_value(s[2]) : -1;
        if (low >= 0 && (high | low) != 0) {
            text[len++] = (char)(high << 4 | low);
            s += 3;
        } else {
            text[len++] = *s++;
        }
    }
    text[len] = '\0';
    return text;
}

/* ---- UTF-8 ---- */

size_t str_utf8_len(const char *s)
{
    const unsigned char *u = (const unsigned char *)s;
    /* First bytes, and what the second may be (Unicode 15, table 3-7); the rest are 80..BF. */
    static const struct {
        unsigned char first, last, second_min, second_max, len;
    } forms[] = {
        { 0x01, 0x7f, 0x00, 0x00, 1 }, { 0xc2, 0xdf, 0x80, 0xbf, 2 }, { 0xe0, 0xe0, 0xa0, 0xbf, 3 },
        { 0xe1, 0xec, 0x80, 0xbf, 3 }, { 0xed, 0xed, 0x80, 0x9f, 3 }, { 0xee, 0xef, 0x80, 0xbf, 3 },
        { 0xf0, 0xf0, 0x90, 0xbf, 4 }, { 0xf1, 0xf3, 0x80, 0xbf, 4 }, { 0xf4, 0xf4, 0x80, 0x8f, 4 },
    };

    for (size_t i = 0; i < countof(forms); i++) {
        if (u[0] < forms[i].first || u[0] > forms[i].last)
            continue;
        if (forms[i].len > 1 && (u[1] < forms[i].second_min || u[1] > forms[i].second_max))
            return 0;
        for (size_t at = 2; at < forms[i].len; at++)
            if ((u[at] & 0xc0) != 0x80)
                return 0;
        return forms[i].len;
    }
    return 0;
}

bool str_is_utf8(const char *s)
{
    while (*s) {
        const size_t n = str_utf8_len(s);
        if (n == 0)
            return false;
        s += n;
    }
    return true;
}

void str_make_utf8(char *s)
{
    while (*s) {
        const size_t n = str_utf8_len(s);
        if (n == 0)
            *s = '?';
        s += n ? n : 1;
    }
}

/* ---- base64 ---- */

char *str_base64(const void *data, size_t len)
{
    struct buf text = BUF_INIT(0);

    (void)buf_add_base64(&text, data, len);
    return buf_take(&text);
}

/* The digit's value, or -1. */
static int base64_value(char c)
{
    const char *at = c ? strchr(buf_base64_digits, c) : NULL;
    return at ? (int)(at - buf_base64_digits) : -1;
}

/* Fetch the next character that is not a line break (Go's decoder skips them too). */
static char base64_next(const char **s)
{
    while (**s == '\r' || **s == '\n')
        (*s)++;
    return **s ? *(*s)++ : '\0';
}

/* Decode one group of four; its bytes (1 to 3) or -1.  *is_last is set by padding. */
static int base64_group(const char *four, unsigned char *out, bool *is_last)
{
    const int padding = four[3] != '=' ? 0 : four[2] != '=' ? 1 : 2;
    uint32_t bits = 0;

    for (int i = 0; i < 4; i++) {
        const int value = i < 4 - padding ? base64_value(four[i]) : 0;
        if (value < 0)
            return -1;
        bits = bits << 6 | (uint32_t)value;
    }
    out[0] = (unsigned char)(bits >> 16);
    out[1] = (unsigned char)(bits >> 8);
    out[2] = (unsigned char)bits;
    *is_last = padding > 0;
    return 3 - padding;
}

void *str_unbase64(const char *s, size_t *ret_len)
{
    scoped(free) unsigned char *data = must_malloc(strlen(s) / 4 * 3 + 4);
    size_t len = 0;
    bool is_last = false;

    for (char c = base64_next(&s); c; c = base64_next(&s)) {
        char four[4] = { c, base64_next(&s), 0, 0 };
        four[2] = four[1] ? base64_next(&s) : '\0';
        four[3] = four[2] ? base64_next(&s) : '\0';
        const int n = is_last ? -1 : base64_group(four, data + len, &is_last);
        if (n < 0)
            return NULL;
        len += (size_t)n;
    }
    data[len] = '\0';
    *ret_len = len;
    return TAKE(data);
}

/* ---- random ---- */

void random_bytes(void *out, size_t len)
{
    unsigned char *at = out;

    while (len > 0) {
        const ssize_t n = getrandom(at, len, 0);
        must(n > 0 || errno == EINTR);
        if (n > 0) {
            at += n;
            len -= (size_t)n;
        }
    }
}

void uuid_v4(char out[37])
{
    enum { STOCK = 16 };
    /* The kernel takes longer to begin than to give.  For each thread; nobody forks. */
    static _Thread_local unsigned char stock[STOCK][16];
    static _Thread_local size_t left;

    if (left == 0) {
        random_bytes(stock, sizeof(stock));
        left = STOCK;
    }
    unsigned char *id = stock[--left];
    id[6] = (unsigned char)((id[6] & 0x0f) | 0x40);
    id[8] = (unsigned char)((id[8] & 0x3f) | 0x80);
    uuid_unparse_lower(id, out);
}

void uuid_v5(const char *namespace_uuid, const char *name, char out[37])
{
    uuid_t space;
    uuid_t id;

    must(uuid_parse(namespace_uuid, space) == 0);
    uuid_generate_sha1(id, space, name, strlen(name));
    uuid_unparse_lower(id, out);
}

void random_suffix(char *out, size_t n)
{
    static const char alphabet[] = "bcdfghjklmnpqrstvwxz2456789";
    enum { LETTERS = sizeof(alphabet) - 1, FAIR = 256 / LETTERS * LETTERS };

    for (size_t i = 0; i < n;) {
        unsigned char byte;
        random_bytes(&byte, 1);
        if (byte < FAIR)
            out[i++] = alphabet[byte % LETTERS];
    }
    out[n] = '\0';
}

/* ---- names ---- */

static bool is_name_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

/* The length of the label at s ([a-z0-9]([-a-z0-9]*[a-z0-9])?), 0 when there is none. */
static size_t label_span(const char *s)
{
    size_t n = 0;

    while (is_name_letter(s[n]) || s[n] == '-')
        n++;
    return n > 0 && s[0] != '-' && s[n - 1] != '-' ? n : 0;
}

bool is_dns_label(const char *s)
{
    const size_t n = s ? label_span(s) : 0;
    return n > 0 && n <= 63 && s[n] == '\0';
}

/* As Kubernetes checks it: the whole is bounded, a part is not. */
bool is_dns_subdomain(const char *s)
{
    if (!s || strnlen(s, 254) > 253)
        return false;
    for (;;) {
        const size_t n = label_span(s);
        if (n == 0)
            return false;
        if (s[n] == '\0')
            return true;
        if (s[n] != '.')
            return false;
        s += n + 1;
    }
}
