/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One pass over the text, each byte looked at once, values made on the way.  A step that does not
 * take what it sees answers NULL, and so do all above it.
 */
#include "base/jread.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/jplain.h"
#include "base/must.h"

enum {
    DIGITS_MAX = 18, /* any such number fits */
    UNREAD_MAX = 16, /* names of members that nobody reads */
    TEXTS_MAX = 8,   /* members of a value that is left out */
};

struct reader {
    const char *at, *end;
    int depth_left;
    size_t containers_left;
    const char *const *unread; /* NULL-terminated */
    unsigned unread_seen;      /* a bit for each of these names */
    int unread_depth;          /* depth_left inside of the objects that have such members */
    char *scratch;             /* a string without its escapes; owned */
    size_t scratch_cap;
};

/* A string's bytes, borrowed from the text or from the scratch. */
struct text {
    const char *data;
    size_t len;
    bool is_ascii;
};

static void skip_blanks(struct reader *r)
{
    while (r->at < r->end && (*r->at == ' ' || *r->at == '\n' || *r->at == '\r' || *r->at == '\t'))
        r->at++;
}

/* The next byte that is no blank, taken; 0 at the end. */
static char next(struct reader *r)
{
    skip_blanks(r);
    return r->at < r->end ? *r->at++ : '\0';
}

/* ---- strings ---- */

/* Four hexadecimal digits of a character that is neither NUL nor half of a pair; 0 otherwise. */
static unsigned read_unicode(struct reader *r)
{
    unsigned c = 0;

    if (r->end - r->at < 4)
        return 0;
    for (int i = 0; i < 4; i++) {
        const char digit = *r->at++;

        if (digit >= '0' && digit <= '9')
            c = c << 4 | (unsigned)(digit - '0');
        else if ((digit | 0x20) >= 'a' && (digit | 0x20) <= 'f')
            c = c << 4 | (unsigned)((digit | 0x20) - 'a' + 10);
        else
            return 0;
    }
    return c >= 0xd800 && c <= 0xdfff ? 0 : c;
}

static char *put_utf8(char *out, unsigned c)
{
    if (c < 0x80) {
        *out++ = (char)c;
    } else if (c < 0x800) {
        *out++ = (char)(0xc0 | c >> 6);
        *out++ = (char)(0x80 | (c & 0x3f));
    } else {
        *out++ = (char)(0xe0 | c >> 12);
        *out++ = (char)(0x80 | (c >> 6 & 0x3f));
        *out++ = (char)(0x80 | (c & 0x3f));
    }
    return out;
}

/* What stands behind a backslash; 0 when that is not taken. */
static unsigned read_escape(struct reader *r)
{
    if (r->at == r->end)
        return 0;
    switch (*r->at++) {
    case '"':
        return '"';
    case '\\':
        return '\\';
    case '/':
        return '/';
    case 'b':
        return '\b';
    case 'f':
        return '\f';
    case 'n':
        return '\n';
    case 'r':
        return '\r';
    case 't':
        return '\t';
    case 'u':
        return read_unicode(r);
    default:
        return 0;
    }
}

/* The text is as long as its escapes or shorter. */
static char *scratch_of(struct reader *r, size_t need)
{
    if (need > r->scratch_cap) {
        r->scratch_cap = need > 2 * r->scratch_cap ? need : 2 * r->scratch_cap;
        r->scratch = must_realloc(r->scratch, r->scratch_cap);
    }
    return r->scratch;
}

/* The end of the literal, its closing quote, when the reader is inside of it; NULL without one. */
static const char *literal_end(const struct reader *r)
{
    const char *at = r->at;

    while (at < r->end && *at != '"')
        at += *at == '\\' && r->end - at > 1 ? 2 : 1;
    return at < r->end ? at : NULL;
}

/* The reader is at the first backslash of the literal that began at `start`. */
static bool read_escaped(struct reader *r, const char *start, struct text *ret)
{
    const char *end = literal_end(r);
    if (!end)
        return false;

    char *const text = scratch_of(r, (size_t)(end - start));
    const size_t plain = (size_t)(r->at - start);
    memcpy(text, start, plain);
    char *out = text + plain;
    while (r->at < end) {
        const unsigned char c = (unsigned char)*r->at++;
        if (c == '\\') {
            const unsigned meant = read_escape(r);
            if (meant == 0)
                return false;
            ret->is_ascii &= meant < 0x80;
            out = put_utf8(out, meant);
        } else if (c < ' ') {
            return false;
        } else {
            ret->is_ascii &= c < 0x80;
            *out++ = (char)c;
        }
    }
    r->at = end + 1;
    ret->data = text;
    ret->len = (size_t)(out - text);
    return true;
}

/* Behind the opening quote.  The bytes are good until the next string is read. */
static bool read_string(struct reader *r, struct text *ret)
{
    const char *const start = r->at;
    const char *at = jplain_end(start, r->end);

    ret->is_ascii = true;
    while (at < r->end && (unsigned char)*at >= 0x80) {
        ret->is_ascii = false;
        at = jplain_end(at + 1, r->end);
    }
    r->at = at;
    if (at == r->end)
        return false;
    if (*at == '\\')
        return read_escaped(r, start, ret);
    ret->data = start;
    ret->len = (size_t)(at - start);
    r->at++;
    return *at == '"';
}

/* NULL when the bytes are not UTF-8, which jansson sees to. */
static json_t *string_of(const struct text *t)
{
    return t->is_ascii ? json_stringn_nocheck(t->data, t->len) : json_stringn(t->data, t->len);
}

/* ---- numbers and words ---- */

static bool is_at_digit(const struct reader *r, const char *at)
{
    return at < r->end && *at >= '0' && *at <= '9';
}

/* `first` is taken already. */
static json_t *read_number(struct reader *r, char first)
{
    const bool is_negative = first == '-';
    const char *digits = is_negative ? r->at : r->at - 1;
    const char *at = digits;
    json_int_t n = 0;

    while (is_at_digit(r, at) && at - digits < DIGITS_MAX)
        n = n * 10 + (*at++ - '0');
    if (at == digits || (*digits == '0' && at - digits > 1))
        return NULL;
    if (is_at_digit(r, at) || (at < r->end && (*at == '.' || *at == 'e' || *at == 'E')))
        return NULL;
    r->at = at;
    return json_integer(is_negative ? -n : n);
}

/* `rest` of a word, whose first letter is taken; `value` is one of jansson's constants. */
static json_t *read_word(struct reader *r, const char *rest, json_t *value)
{
    const size_t len = strlen(rest);

    if ((size_t)(r->end - r->at) < len || memcmp(r->at, rest, len) != 0)
        return NULL;
    r->at += len;
    return value;
}

/* ---- what nobody reads ---- */

static bool is_same(const struct text *t, const char *data, size_t len)
{
    return t->len == len && memcmp(t->data, data, len) == 0;
}

/* Its place among the names, or -1. */
static int unread_index(const struct reader *r, const struct text *key)
{
    if (!r->unread || r->depth_left != r->unread_depth)
        return -1;
    for (int i = 0; i < UNREAD_MAX && r->unread[i]; i++)
        if (is_same(key, r->unread[i], strlen(r->unread[i])))
            return i;
    return -1;
}

/* Behind the opening quote: a text of which no byte needs more than a look. */
static bool read_plain(struct reader *r, struct text *ret)
{
    return read_string(r, ret) && ret->is_ascii && ret->data != r->scratch;
}

/* A member of an object of plain texts, whose key is none of the `n` before. */
static bool skip_member(struct reader *r, struct text *keys, size_t n)
{
    struct text value;

    if (next(r) != '"' || !read_plain(r, &keys[n]))
        return false;
    for (size_t i = 0; i < n; i++)
        if (is_same(&keys[i], keys[n].data, keys[n].len))
            return false;
    return next(r) == ':' && next(r) == '"' && read_plain(r, &value);
}

/* Go over an object of a few plain texts, behind its brace; false when it is not one. */
static bool skip_texts(struct reader *r)
{
    struct text keys[TEXTS_MAX];

    for (size_t n = 0; n < TEXTS_MAX && skip_member(r, keys, n); n++) {
        const char c = next(r);

        if (c == '}')
            return true;
        if (c != ',')
            return false;
    }
    return false;
}

/* ---- values ---- */

static json_t *read_value(struct reader *r, char first);

static bool set_member(json_t *object, const struct text *key, json_t *value)
{
    if (key->is_ascii)
        return json_object_setn_new_nocheck(object, key->data, key->len, value) == 0;
    return json_object_setn_new(object, key->data, key->len, value) == 0;
}

/* The value of a key that nobody reads, if it is an object of a few plain texts. */
static bool leave_out(struct reader *r)
{
    const char *const start = r->at;
    const bool may = r->depth_left > 0 && r->containers_left > 0;

    if (may && next(r) == ':' && next(r) == '{' && skip_texts(r)) {
        r->containers_left--;
        return true;
    }
    r->at = start;
    return false;
}

/* Into the object, unless it is left out; *members counts those that are there. */
static bool read_member(struct reader *r, json_t *object, size_t *members)
{
    struct text key;

    if (!read_string(r, &key))
        return false;

    const int unread = unread_index(r, &key);
    if (unread >= 0) {
        /* A second one would not be found by counting. */
        if (r->unread_seen & 1u << unread || key.data == r->scratch)
            return false;
        r->unread_seen |= 1u << unread;
        if (leave_out(r))
            return true;
    }
    (*members)++;
    /* The value's own strings may need the scratch. */
    char *const kept = key.data == r->scratch ? must_strndup(key.data, key.len) : NULL;
    if (kept)
        key.data = kept;

    json_t *value = next(r) == ':' ? read_value(r, next(r)) : NULL;
    const bool is_set = value && set_member(object, &key, value);
    free(kept);
    return is_set;
}

static bool read_members(struct reader *r, json_t *object)
{
    size_t members = 0;
    char c = next(r);

    if (c == '}')
        return true;
    while (c == '"') {
        if (!read_member(r, object, &members))
            return false;
        c = next(r);
        if (c == '}')
            return json_object_size(object) == members; /* no key twice */
        if (c != ',')
            return false;
        c = next(r);
    }
    return false;
}

static bool read_items(struct reader *r, json_t *array)
{
    char c = next(r);

    if (c == ']')
        return true;
    for (;;) {
        json_t *item = read_value(r, c);
        if (!item)
            return false;
        must_append(array, item);
        c = next(r);
        if (c == ']')
            return true;
        if (c != ',')
            return false;
        c = next(r);
    }
}

static json_t *read_container(struct reader *r, char first)
{
    if (r->depth_left == 0 || r->containers_left == 0)
        return NULL;
    r->depth_left--;
    r->containers_left--;

    json_t *v = first == '{' ? json_object() : json_array();
    must(v != NULL);
    if (!(first == '{' ? read_members(r, v) : read_items(r, v))) {
        json_decref(v);
        return NULL;
    }
    r->depth_left++;
    return v;
}

static json_t *read_value(struct reader *r, char first)
{
    struct text text;

    switch (first) {
    case '{':
    case '[':
        return read_container(r, first);
    case '"':
        return read_string(r, &text) ? string_of(&text) : NULL;
    case 't':
        return read_word(r, "rue", json_true());
    case 'f':
        return read_word(r, "alse", json_false());
    case 'n':
        return read_word(r, "ull", json_null());
    default:
        return first == '-' || (first >= '0' && first <= '9') ? read_number(r, first) : NULL;
    }
}

json_t *jread_but(const char *text, size_t len, int depth_max, size_t containers_max,
                  const char *const *unread)
{
    struct reader r = {
        .at = text,
        .end = text + len,
        .depth_left = depth_max,
        .containers_left = containers_max,
        .unread = unread,
        .unread_depth = depth_max - 2,
    };
    json_t *v = read_value(&r, next(&r));

    skip_blanks(&r);
    if (v && r.at < r.end) {
        json_decref(v);
        v = NULL;
    }
    free(r.scratch);
    return v;
}

json_t *jread(const char *text, size_t len, int depth_max, size_t containers_max)
{
    return jread_but(text, len, depth_max, containers_max, NULL);
}
