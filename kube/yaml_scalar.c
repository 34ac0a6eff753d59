/* SPDX-License-Identifier: Apache-2.0 */
/* Resolve plain scalars by the tables of go-yaml v2, which kubectl uses. */
#include "kube/yaml_scalar.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "base/scope.h"
#include "base/str.h"

enum word { WORD_TRUE, WORD_FALSE, WORD_NULL, WORD_NOT_JSON };

static const struct {
    const char *text;
    enum word word;
} words[] = {
    // clang-format off
    { "y",    WORD_TRUE },  { "Y",    WORD_TRUE },  { "yes",   WORD_TRUE },  { "Yes",   WORD_TRUE },  { "YES",   WORD_TRUE },
    { "true", WORD_TRUE },  { "True", WORD_TRUE },  { "TRUE",  WORD_TRUE },
    { "on",   WORD_TRUE },  { "On",   WORD_TRUE },  { "ON",    WORD_TRUE },
    { "n",    WORD_FALSE }, { "N",    WORD_FALSE }, { "no",    WORD_FALSE }, { "No",    WORD_FALSE }, { "NO",    WORD_FALSE },
    { "false",WORD_FALSE }, { "False",WORD_FALSE }, { "FALSE", WORD_FALSE },
    { "off",  WORD_FALSE }, { "Off",  WORD_FALSE }, { "OFF",   WORD_FALSE },
    { "",     WORD_NULL },  { "~",    WORD_NULL },  { "null",  WORD_NULL },  { "Null",  WORD_NULL },  { "NULL",  WORD_NULL },
    { ".nan", WORD_NOT_JSON }, { ".NaN", WORD_NOT_JSON }, { ".NAN", WORD_NOT_JSON },
    { ".inf", WORD_NOT_JSON }, { ".Inf", WORD_NOT_JSON }, { ".INF", WORD_NOT_JSON },
    { "+.inf",WORD_NOT_JSON }, { "+.Inf",WORD_NOT_JSON }, { "+.INF",WORD_NOT_JSON },
    { "-.inf",WORD_NOT_JSON }, { "-.Inf",WORD_NOT_JSON }, { "-.INF",WORD_NOT_JSON },
    // clang-format on
};

enum { NUMBER_TEXT_MAX = 64 };

static const char *skip_digits(const char *s)
{
    while (isdigit((unsigned char)*s))
        s++;
    return s;
}

/* [-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)? */
static bool is_float(const char *s)
{
    if (*s == '-' || *s == '+')
        s++;
    const char *whole = skip_digits(s);
    bool has_whole = whole > s;
    s = whole;
    if (*s == '.') {
        const char *fraction = skip_digits(s + 1);
        if (!has_whole && fraction == s + 1)
            return false;
        s = fraction;
    } else if (!has_whole) {
        return false;
    }
    if (*s == 'e' || *s == 'E') {
        s += s[1] == '-' || s[1] == '+' ? 2 : 1;
        const char *exponent = skip_digits(s);
        if (exponent == s)
            return false;
        s = exponent;
    }
    return *s == '\0';
}

static json_t *real_value(double d)
{
    /* Go writes a float without fraction as an integer. */
    if (fabs(d) < 9007199254740992.0 && d == floor(d))
        return json_integer((json_int_t)d);
    return json_real(d);
}

/* The base that a leading zero names; *digits is moved past its mark. */
static int base_of(const char **digits)
{
    static const struct {
        char mark;
        int base;
    } bases[] = { { 'x', 16 }, { 'b', 2 }, { 'o', 8 } };
    const char *s = *digits;

    if (s[0] != '0' || s[1] == '\0')
        return 10;
    for (size_t i = 0; i < countof(bases); i++) {
        if (tolower((unsigned char)s[1]) == bases[i].mark) {
            *digits = s + 2;
            return bases[i].base;
        }
    }
    *digits = s + 1;
    return 8;
}

static json_t *integer_value(const char *s)
{
    const char *digits = s + (*s == '-' || *s == '+');
    const int base = base_of(&digits);

    if (!isxdigit((unsigned char)*digits))
        return NULL;

    char *end = NULL;
    errno = 0;
    unsigned long long u = strtoull(digits, &end, base);
    if (*end != '\0')
        return NULL;
    if (errno == ERANGE)
        return base == 10 ? json_real(strtod(s, NULL)) : NULL;
    if (*s == '-')
        return u <= (unsigned long long)INT64_MAX + 1 ? json_integer((json_int_t)(0 - u))
                                                      : json_real(-(double)u);
    return u <= INT64_MAX ? json_integer((json_int_t)u) : json_real((double)u);
}

/* NULL when it is no number. */
static json_t *number_value(const char *text)
{
    char plain[NUMBER_TEXT_MAX];
    size_t len = 0;

    if (!isdigit((unsigned char)text[0]) && !strchr("+-.", text[0]))
        return NULL;
    for (const char *s = text; *s; s++) {
        if (*s == '_')
            continue;
        if (len + 1 >= sizeof(plain))
            return NULL;
        plain[len++] = *s;
    }
    plain[len] = '\0';
    if (text[0] == '.' && strchr(text, '_'))
        return NULL;

    json_t *v = integer_value(plain);
    if (v || !is_float(plain))
        return v;
    double d = strtod(plain, NULL);
    return isfinite(d) ? real_value(d) : NULL;
}

/* YYYY-M-D, with or without a time after it. */
bool yaml_is_timestamp(const char *s)
{
    if (skip_digits(s) != s + 4 || s[4] != '-')
        return false;
    const char *month = s + 5;
    const char *at = skip_digits(month);
    if (at == month || at > month + 2 || *at != '-')
        return false;
    const char *day = at + 1;
    at = skip_digits(day);
    if (at == day || at > day + 2)
        return false;
    if (*at == '\0')
        return true;
    return strchr("Tt ", *at) && isdigit((unsigned char)at[1]) && strchr(at, ':') != NULL;
}

json_t *yaml_scalar(const char *text)
{
    for (size_t i = 0; i < countof(words); i++) {
        if (!streq(words[i].text, text))
            continue;
        switch (words[i].word) {
        case WORD_TRUE:
            return json_true();
        case WORD_FALSE:
            return json_false();
        case WORD_NULL:
            return json_null();
        case WORD_NOT_JSON:
            return NULL;
        }
    }
    json_t *v = yaml_is_timestamp(text) ? NULL : number_value(text);
    if (!v)
        v = json_string(text);
    must(v);
    return v;
}
