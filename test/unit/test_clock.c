/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"

#include "rows.h"

static const struct parse_case {
    const char *name; /* the text */
    int want;
    int64_t ms;
} parse_cases[] = {
    { "1970-01-01T00:00:00Z", 0, 0 },
    { "2025-01-02T03:04:05Z", 0, 1735787045000 },
    { "2025-01-02t03:04:05z", 0, 1735787045000 },
    { "2025-01-02T03:04:05.123456Z", 0, 1735787045123 },
    { "2025-01-02T03:04:05.9999Z", 0, 1735787045999 },
    { "2025-01-02T03:04:05.5Z", 0, 1735787045500 },
    { "2025-01-02T05:04:05+02:00", 0, 1735787045000 },
    { "2025-01-01T21:34:05-05:30", 0, 1735787045000 },
    { "2024-02-29T00:00:00Z", 0, 1709164800000 },
    { "1969-12-31T23:59:59.5Z", 0, -500 },
    { "2023-02-29T00:00:00Z", -1, 0 },
    { "1900-02-29T00:00:00Z", -1, 0 },
    { "2025-04-31T00:00:00Z", -1, 0 },
    { "2025-13-01T00:00:00Z", -1, 0 },
    { "2025-00-01T00:00:00Z", -1, 0 },
    { "2025-01-01T24:00:00Z", -1, 0 },
    { "2025-01-01T00:00:60Z", -1, 0 },
    { "2025-01-01 00:00:00Z", -1, 0 },
    { "2025-01-01T00:00:00", -1, 0 },
    { "2025-01-01T00:00:00.Z", -1, 0 },
    { "2025-01-01T00:00:00Zx", -1, 0 },
    { "2025-01-01T00:00:00+2:00", -1, 0 },
    { "2025-01-01T00:00:00+24:00", -1, 0 },
    { "2025-1-1T00:00:00Z", -1, 0 },
    { "25-01-01T00:00:00Z", -1, 0 },
    { "", -1, 0 },
};

static void parses(void **state)
{
    const struct parse_case *c = *state;
    int64_t ms = 0;
    assert_int_equal(rfc3339_parse(c->name, &ms), c->want);
    assert_true(ms == c->ms);
}

static void formats(void **state)
{
    char text[RFC3339_MAX];
    assert_string_equal(rfc3339(1735787045123, text), "2025-01-02T03:04:05Z");
    assert_string_equal(rfc3339_milli(1735787045123, text), "2025-01-02T03:04:05.123Z");
    assert_string_equal(rfc3339_micro(1735787045007, text), "2025-01-02T03:04:05.007000Z");
    assert_string_equal(rfc3339_micro(-1, text), "1969-12-31T23:59:59.999000Z");
    assert_string_equal(rfc3339(INT64_MAX, text), "9999-12-31T23:59:59Z");
    assert_string_equal(rfc3339(INT64_MIN, text), "0000-01-01T00:00:00Z");
}

static void the_fake_stands_still(void **state)
{
    struct clock_fake f;
    clock_fake_init(&f, 1000);
    assert_int_equal(clock_wall_ms(&f.clock), 1000);
    f.now_ms = 2500;
    assert_int_equal(clock_mono_ms(&f.clock), 2500);
}

static void the_real_one_moves(void **state)
{
    const int64_t before = clock_mono_ms(&clock_real);
    assert_true(clock_wall_ms(&clock_real) > 1700000000000);
    assert_true(clock_mono_ms(&clock_real) >= before);
    int64_t unused;
    assert_int_equal(rfc3339_parse(NULL, &unused), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(formats),
        cmocka_unit_test(the_fake_stands_still),
        cmocka_unit_test(the_real_one_moves),
    };
    return RUN_ROWS("rfc3339", parse_cases, parses) +
           cmocka_run_group_tests_name("clock", tests, NULL, NULL);
}
