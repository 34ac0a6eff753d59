/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Quantities.  Reading and canonical writing follow apimachinery's
 * resource.Quantity; where that goes on with unbounded numbers, this refuses.
 */
#include "base/quantity.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/scope.h"
#include "base/str.h"

enum {
    NANO_DIGITS = 9,
    INPUT_MAX = 256,
    EXPONENT_MAX = 100000,
    FRACTION_DIGITS = 20, /* of a binary quantity: 10^20 * 2^60 still fits in 127 bits */
};

#define NANO ((__int128)1000000000)
#define INT128_MAX ((__int128)(~(unsigned __int128)0 >> 1))
/* A binary quantity is cut at 2^63-1, silently. */
#define BINARY_MAX (INT64_MAX * NANO)

struct suffix {
    const char *text;
    int exponent; /* of 10, or of 2 */
    bool is_binary;
};

static const struct suffix suffixes[] = {
    { "n", -9, false }, { "u", -6, false }, { "m", -3, false }, { "", 0, false },
    { "k", 3, false },  { "M", 6, false },  { "G", 9, false },  { "T", 12, false },
    { "P", 15, false }, { "E", 18, false }, { "Ki", 10, true }, { "Mi", 20, true },
    { "Gi", 30, true }, { "Ti", 40, true }, { "Pi", 50, true }, { "Ei", 60, true },
};

/* The number's text taken apart: sign, digits before and after the point. */
struct decimal {
    bool is_negative;
    const char *whole, *fraction;
    int whole_len, fraction_len;
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static int digits_at(const char *s)
{
    return (int)strspn(s, "0123456789");
}

/* ---- 128 bit arithmetic; false when the result does not fit ---- */

static bool multiply(__int128 *n, __int128 by)
{
    return !__builtin_mul_overflow(*n, by, n);
}

static bool push_digit(__int128 *n, char digit)
{
    return multiply(n, 10) && !__builtin_add_overflow(*n, digit - '0', n);
}

static bool times_10_to(__int128 *n, long long power)
{
    if (*n == 0)
        return true;
    for (; power > 0; power--)
        if (!multiply(n, 10))
            return false;
    return true;
}

/* ---- parsing ---- */

static char digit_of(const struct decimal *d, int i)
{
    return i < d->whole_len ? d->whole[i] : d->fraction[i - d->whole_len];
}

/* digits * 10^exponent in nano, what is finer rounded away from zero. */
static int decimal_nano(const struct decimal *d, long long exponent, __int128 *ret)
{
    const int digits = d->whole_len + d->fraction_len;
    const long long power = exponent - d->fraction_len + NANO_DIGITS;
    const long long kept = power >= 0 ? digits : digits + power;
    bool has_rest = false;
    __int128 n = 0;

    for (int i = 0; i < digits; i++) {
        const char c = digit_of(d, i);
        if (i >= kept)
            has_rest |= c != '0';
        else if (!push_digit(&n, c))
            return -1;
    }
    if (has_rest && __builtin_add_overflow(n, 1, &n))
        return -1;
    if (!times_10_to(&n, power))
        return -1;
    *ret = n;
    return 0;
}

/* digits * 2^exponent in nano, rounded away from zero, cut at BINARY_MAX. */
static __int128 binary_nano(const struct decimal *d, int exponent)
{
    const __int128 unit = (__int128)1 << exponent;
    __int128 whole = 0;
    __int128 fraction = 0;
    bool has_rest = false;

    for (int i = 0; i < d->whole_len; i++)
        if (!push_digit(&whole, d->whole[i]) || whole > INT64_MAX)
            return BINARY_MAX;
    if (!multiply(&whole, unit) || !multiply(&whole, NANO) || whole > BINARY_MAX)
        return BINARY_MAX;

    for (int i = 0; i < d->fraction_len || i < FRACTION_DIGITS; i++) {
        const char c = i < d->fraction_len ? d->fraction[i] : '0';
        if (i < FRACTION_DIGITS)
            fraction = fraction * 10 + (c - '0');
        else
            has_rest |= c != '0';
    }
    __int128 scale = 1;
    (void)times_10_to(&scale, FRACTION_DIGITS - NANO_DIGITS);
    const __int128 product = fraction * unit;
    const __int128 nano = whole + product / scale + (product % scale != 0 || has_rest);
    return nano > BINARY_MAX ? BINARY_MAX : nano;
}

/* "e3", "E-6", "e+9"; 0 or -1. */
static int parse_exponent(const char *s, long long *ret)
{
    if (*s != 'e' && *s != 'E')
        return -1;
    s++;
    if (*s == '+' && is_digit(s[1]))
        s++;
    return str_to_int(s, -EXPONENT_MAX, EXPONENT_MAX, ret);
}

static const struct suffix *find_suffix(const char *text)
{
    for (size_t i = 0; i < countof(suffixes); i++)
        if (streq(suffixes[i].text, text))
            return &suffixes[i];
    return NULL;
}

/* Sign and digits; the text after them, or NULL when there is no digit. */
static const char *parse_digits(const char *s, struct decimal *ret)
{
    *ret = (struct decimal){ .is_negative = *s == '-' };
    s += *s == '-' || *s == '+';
    ret->whole = s;
    ret->whole_len = digits_at(s);
    s += ret->whole_len;

    const bool has_point = *s == '.';
    s += has_point;
    ret->fraction = s;
    ret->fraction_len = has_point ? digits_at(s) : 0;
    return ret->whole_len + ret->fraction_len > 0 ? s + ret->fraction_len : NULL;
}

int quantity_parse(const char *s, struct quantity *ret)
{
    struct decimal d;

    if (!s || *s == '\0' || strnlen(s, INPUT_MAX + 1) > INPUT_MAX)
        return -1;
    s = parse_digits(s, &d);
    if (!s)
        return -1;

    struct quantity q = { 0 };
    const struct suffix *suffix = find_suffix(s);
    long long exponent = suffix ? suffix->exponent : 0;
    if (!suffix) {
        if (parse_exponent(s, &exponent) < 0)
            return -1;
        q.is_exponent = true;
    }
    if (suffix && suffix->is_binary)
        q.nano = binary_nano(&d, suffix->exponent);
    else if (decimal_nano(&d, exponent, &q.nano) < 0)
        return -1;

    q.is_binary = suffix && suffix->is_binary && (q.nano == 0 || q.nano >= NANO);
    if (d.is_negative)
        q.nano = -q.nano;
    *ret = q;
    return 0;
}

int quantity_from_json(const json_t *v, struct quantity *ret)
{
    if (json_is_integer(v)) {
        *ret = (struct quantity){ .nano = json_integer_value(v) * NANO };
        return 0;
    }
    if (!json_is_string(v))
        return -1;

    /* Go's decoder trims blanks, its parser does not. */
    const char *s = json_string_value(v);
    while (isspace((unsigned char)*s))
        s++;
    size_t len = strnlen(s, INPUT_MAX + 1);
    while (len > 0 && isspace((unsigned char)s[len - 1]))
        len--;
    char text[INPUT_MAX + 1];
    if (len > INPUT_MAX)
        return -1;
    memcpy(text, s, len);
    text[len] = '\0';
    return quantity_parse(text, ret);
}

struct quantity quantity_from_bytes(int64_t bytes)
{
    return (struct quantity){ .nano = bytes * NANO, .is_binary = true };
}

struct quantity quantity_from_milli(int64_t milli)
{
    return (struct quantity){ .nano = milli * (NANO / 1000) };
}

/* ---- arithmetic ---- */

int quantity_cmp(struct quantity a, struct quantity b)
{
    return (a.nano > b.nano) - (a.nano < b.nano);
}

struct quantity quantity_add(struct quantity a, struct quantity b)
{
    struct quantity sum = a.nano == 0 ? b : a; /* the form of the first that is not zero */

    if (__builtin_add_overflow(a.nano, b.nano, &sum.nano))
        sum.nano = a.nano > 0 ? INT128_MAX : -INT128_MAX;
    return sum;
}

struct quantity quantity_sub(struct quantity a, struct quantity b)
{
    b.nano = -b.nano; /* -INT128_MAX - 1 never occurs */
    return quantity_add(a, b);
}

/* Divided, rounded away from zero, within int64. */
static int64_t scaled_value(__int128 nano, __int128 by)
{
    __int128 n = nano / by;

    if (nano % by != 0)
        n += nano > 0 ? 1 : -1;
    if (n > INT64_MAX)
        return INT64_MAX;
    return n < INT64_MIN ? INT64_MIN : (int64_t)n;
}

int64_t quantity_value(struct quantity q)
{
    return scaled_value(q.nano, NANO);
}

int64_t quantity_milli(struct quantity q)
{
    return scaled_value(q.nano, NANO / 1000);
}

/* ---- formatting ---- */

static const struct suffix *suffix_of(int exponent, bool is_binary)
{
    for (size_t i = 0; i < countof(suffixes); i++)
        if (suffixes[i].exponent == exponent &&
            (exponent == 0 || suffixes[i].is_binary == is_binary))
            return &suffixes[i];
    return NULL;
}

static const char *write_number(char *out, bool is_negative, unsigned __int128 n,
                                const struct suffix *suffix, int exponent)
{
    char digits[QUANTITY_TEXT_MAX];
    char *at = digits + sizeof(digits) - 1;

    *at = '\0';
    do {
        *--at = (char)('0' + (int)(n % 10));
        n /= 10;
    } while (n > 0);
    if (suffix || exponent == 0)
        (void)snprintf(out, QUANTITY_TEXT_MAX, "%s%s%s", is_negative ? "-" : "", at,
                       suffix ? suffix->text : "");
    else
        (void)snprintf(out, QUANTITY_TEXT_MAX, "%s%se%d", is_negative ? "-" : "", at, exponent);
    return out;
}

/* 1000s and 1024s are divided out; what cannot be said in binary without a fraction is decimal. */
const char *quantity_format(struct quantity q, char out[QUANTITY_TEXT_MAX])
{
    const bool is_negative = q.nano < 0;
    unsigned __int128 n = (unsigned __int128)(is_negative ? -q.nano : q.nano);
    const bool is_binary = q.is_binary && n % NANO == 0 && n >= 1024 * NANO;
    const unsigned factor = is_binary ? 1024 : 1000;
    int exponent = is_binary ? 0 : -NANO_DIGITS;

    if (n == 0)
        return write_number(out, false, 0, NULL, 0);
    if (is_binary)
        n /= NANO;
    while (n % factor == 0) {
        n /= factor;
        exponent += is_binary ? 10 : 3;
    }
    return write_number(out, is_negative, n, q.is_exponent ? NULL : suffix_of(exponent, is_binary),
                        exponent);
}
