/* SPDX-License-Identifier: Apache-2.0 */
/* The real clock, the fake one, and RFC 3339. */
#include "base/clock.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/must.h"

enum { MS_PER_S = 1000 };

static int64_t read_ms(clockid_t id)
{
    struct timespec now;

    must(clock_gettime(id, &now) == 0);
    return (int64_t)now.tv_sec * MS_PER_S + now.tv_nsec / 1000000;
}

static int64_t real_wall_ms(const struct clock *c)
{
    return read_ms(CLOCK_REALTIME);
}

static int64_t real_mono_ms(const struct clock *c)
{
    return read_ms(CLOCK_MONOTONIC);
}

const struct clock clock_real = { .wall_ms = real_wall_ms, .mono_ms = real_mono_ms };

static int64_t fake_ms(const struct clock *c)
{
    return ((const struct clock_fake *)c)->now_ms;
}

void clock_fake_init(struct clock_fake *f, int64_t now_ms)
{
    *f = (struct clock_fake){
        .clock = { .wall_ms = fake_ms, .mono_ms = fake_ms },
        .now_ms = now_ms,
    };
}

/* ---- RFC 3339 ---- */

/* Format up to the seconds; returns the milliseconds that are left. */
static int format_seconds(int64_t wall_ms, char out[RFC3339_MAX])
{
    static const int64_t year_0_ms = -62167219200000, year_9999_ms = 253402300799999;
    if (wall_ms < year_0_ms)
        wall_ms = year_0_ms;
    if (wall_ms > year_9999_ms)
        wall_ms = year_9999_ms;

    int64_t seconds = wall_ms / MS_PER_S;
    int ms = (int)(wall_ms % MS_PER_S);
    if (ms < 0) {
        ms += MS_PER_S;
        seconds--;
    }

    const time_t at = (time_t)seconds;
    struct tm tm;
    must(gmtime_r(&at, &tm) != NULL);
    const int n = snprintf(out, RFC3339_MAX, "%04d-%02d-%02dT%02d:%02d:%02d", tm.tm_year + 1900,
                           tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);
    must(n > 0 && n < RFC3339_MAX);
    return ms;
}

const char *rfc3339(int64_t wall_ms, char out[RFC3339_MAX])
{
    (void)format_seconds(wall_ms, out);
    const size_t len = strlen(out);
    (void)snprintf(out + len, RFC3339_MAX - len, "Z");
    return out;
}

const char *rfc3339_milli(int64_t wall_ms, char out[RFC3339_MAX])
{
    const int ms = format_seconds(wall_ms, out);
    const size_t len = strlen(out);
    (void)snprintf(out + len, RFC3339_MAX - len, ".%03dZ", ms);
    return out;
}

const char *rfc3339_micro(int64_t wall_ms, char out[RFC3339_MAX])
{
    const int ms = format_seconds(wall_ms, out);
    const size_t len = strlen(out);
    (void)snprintf(out + len, RFC3339_MAX - len, ".%03d000Z", ms);
    return out;
}

/* Exactly n digits at *s, moved past; -1 otherwise. */
static int take_digits(const char **s, int n)
{
    int value = 0;

    for (int i = 0; i < n; i++) {
        if (!isdigit((unsigned char)**s))
            return -1;
        value = value * 10 + (*(*s)++ - '0');
    }
    return value;
}

static bool take_char(const char **s, const char *any_of)
{
    if (**s == '\0' || !strchr(any_of, **s))
        return false;
    (*s)++;
    return true;
}

/* The optional fraction as milliseconds (cut, not rounded); -1 when a dot has no digits. */
static int take_fraction_ms(const char **s)
{
    int ms = 0;
    int digits = 0;

    if (!take_char(s, "."))
        return 0;
    for (; isdigit((unsigned char)**s); (*s)++, digits++)
        if (digits < 3)
            ms = ms * 10 + (**s - '0');
    for (int i = digits; i < 3; i++)
        ms *= 10;
    return digits > 0 ? ms : -1;
}

/* "Z" or "+hh:mm"; 0 or -1. */
static int take_offset(const char **s, int *ret_minutes)
{
    *ret_minutes = 0;
    if (take_char(s, "Zz"))
        return 0;

    const bool is_west = **s == '-';
    if (!take_char(s, "+-"))
        return -1;
    const int hours = take_digits(s, 2);
    if (hours < 0 || hours > 23 || !take_char(s, ":"))
        return -1;
    const int minutes = take_digits(s, 2);
    if (minutes < 0 || minutes > 59)
        return -1;
    *ret_minutes = (hours * 60 + minutes) * (is_west ? -1 : 1);
    return 0;
}

static int days_in_month(int year, int month)
{
    static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    const bool is_leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

    return days[month - 1] + (month == 2 && is_leap);
}

int rfc3339_parse(const char *s, int64_t *ret_wall_ms)
{
    static const struct {
        int digits, min, max;
        const char *then; /* separators that may follow */
    } parts[] = {
        { 4, 0, 9999, "-" }, { 2, 1, 12, "-" }, { 2, 1, 31, "Tt" },
        { 2, 0, 23, ":" },   { 2, 0, 59, ":" }, { 2, 0, 59, NULL },
    };
    int at[6];

    if (!s)
        return -1;
    for (int i = 0; i < 6; i++) {
        at[i] = take_digits(&s, parts[i].digits);
        if (at[i] < parts[i].min || at[i] > parts[i].max)
            return -1;
        if (parts[i].then && !take_char(&s, parts[i].then))
            return -1;
    }
    if (at[2] > days_in_month(at[0], at[1]))
        return -1;

    const int ms = take_fraction_ms(&s);
    int offset_minutes;
    if (ms < 0 || take_offset(&s, &offset_minutes) < 0 || *s != '\0')
        return -1;

    struct tm tm = {
        .tm_year = at[0] - 1900,
        .tm_mon = at[1] - 1,
        .tm_mday = at[2],
        .tm_hour = at[3],
        .tm_min = at[4],
        .tm_sec = at[5],
    };
    const int64_t seconds = (int64_t)timegm(&tm) - (int64_t)offset_minutes * 60;
    *ret_wall_ms = seconds * MS_PER_S + ms;
    return 0;
}
