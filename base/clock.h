/* SPDX-License-Identifier: Apache-2.0 */
/* Time as an argument, so that tests can hold it.  RFC 3339 text as Kubernetes writes it. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>

struct clock {
    int64_t (*wall_ms)(const struct clock *c); /* since the epoch */
    int64_t (*mono_ms)(const struct clock *c); /* never goes back */
};

extern const struct clock clock_real;

/* A clock that tests move by hand: set now_ms. */
struct clock_fake {
    struct clock clock; /* first */
    int64_t now_ms;
};
void clock_fake_init(struct clock_fake *f, int64_t now_ms);

static inline int64_t clock_wall_ms(const struct clock *c)
{
    return c->wall_ms(c);
}

static inline int64_t clock_mono_ms(const struct clock *c)
{
    return c->mono_ms(c);
}

enum { RFC3339_MAX = 32 };
/*
 * "2006-01-02T15:04:05Z"; _milli adds ".000", _micro ".000000" (MicroTime, used by Lease).  Cut to
 * the years 0 to 9999.
 */
const char *rfc3339(int64_t wall_ms, char out[RFC3339_MAX]);
const char *rfc3339_milli(int64_t wall_ms, char out[RFC3339_MAX]);
const char *rfc3339_micro(int64_t wall_ms, char out[RFC3339_MAX]);
/* 0 or -1; NULL is refused, offsets and fractions are understood. */
int rfc3339_parse(const char *s, int64_t *ret_wall_ms);

#endif
