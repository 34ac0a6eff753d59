/* SPDX-License-Identifier: Apache-2.0 */
#include "base/quantity.h"

#include <stdio.h>

#include "rows.h"

/* The expected forms are apimachinery's. */
static const struct text_case {
    const char *name; /* the input */
    const char *want; /* canonical; NULL is refused */
} text_cases[] = {
    { "0", "0" },
    { "00", "0" },
    { "0n", "0" },
    { "0Ki", "0" },
    { "0.0", "0" },
    { "-0", "0" },
    { "0e5", "0" },
    { "1", "1" },
    { "+1", "1" },
    { "-1", "-1" },
    { "007", "7" },
    { "1.", "1" },
    { "1.G", "1G" },
    { ".001", "1m" },
    { ".0001k", "100m" },
    { "1.5", "1500m" },
    { "100m", "100m" },
    { "1000m", "1" },
    { "1100m", "1100m" },
    { "1000", "1k" },
    { "1001", "1001" },
    { "1000000", "1M" },
    { "50k", "50k" },
    { "1000M", "1G" },
    { "0.001T", "1G" },
    { "1.08", "1080m" },
    { "1080000000n", "1080m" },
    { "12E", "12E" },
    { "1000E", "1e21" },
    { "5000E", "5e21" },
    { "1000000E", "1e24" },
    { "100.035k", "100035" },
    { "10.035M", "10035k" },
    { "7.123456M", "7123456" },
    { "2.5P", "2500T" },
    { "1.01E", "1010P" },
    { "9223372036854775808", "9223372036854775808" },
    { "18446744073709551616", "18446744073709551616" },
    { "1.2345", "1234500u" },
    { "-9.01", "-9010m" },
    /* binary */
    { "1Ki", "1Ki" },
    { "1024Mi", "1Gi" },
    { "1.5Gi", "1536Mi" },
    { "0.5Mi", "512Ki" },
    { "0.5Gi", "512Mi" },
    { "1025024Mi", "1001Gi" },
    { "1Ti", "1Ti" },
    { "3Ei", "3Ei" },
    { "7.99Ei", "9211842821808707338240m" },
    { "8Ei", "9223372036854775807" },
    { "9Ei", "9223372036854775807" },
    { "-9Ei", "-9223372036854775807" },
    { "9223372036854775807Ki", "9223372036854775807" },
    { "99999999999999999999999999999999999999999999Ki", "9223372036854775807" },
    { "1000Ki", "1000Ki" },
    { "0.25Ki", "256" },
    { ".001Ki", "1024m" },
    { ".000001Ki", "1024u" },
    { ".000000001Ki", "1024n" },
    { ".000000000001Ki", "2n" },
    { "100.035Ki", "102435840m" },
    { "0.05Gi", "53687091200m" },
    { "-1.5Gi", "-1536Mi" },
    { "0.00000000000000000000000000000001Ki", "1n" },
    /* exponents */
    { "1e3", "1e3" },
    { "1E6", "1e6" },
    { "1e14", "100e12" },
    { "1.3E+6", "1300e3" },
    { "1E-3", "1e-3" },
    { "80e-3", "80e-3" },
    { ".001e12", "1e9" },
    { "1000e-12", "1e-9" },
    { "0.5e0", "500e-3" },
    { "0.5e-9", "1e-9" },
    { "1.1E-9", "2e-9" },
    { "1e0", "1" },
    { "1e-1000", "1e-9" },
    { "1E", "1E" },
    /* rounded away from zero, down to nano */
    { "3.001n", "4n" },
    { "-3.001n", "-4n" },
    { "0.9n", "1n" },
    { "0.0000000001", "1n" },
    { "0.00000012345", "124n" },
    { "0.0000000000000000000000000000000000000000000001", "1n" },
    /* refused */
    { "", NULL },
    { " 1", NULL },
    { "1 ", NULL },
    { "+", NULL },
    { "-", NULL },
    { ".", NULL },
    { "Gi", NULL },
    { "1.1.M", NULL },
    { "1+1.0M", NULL },
    { "0.1mi", NULL },
    { "0.1am", NULL },
    { "aoeu", NULL },
    { ".5i", NULL },
    { "1i", NULL },
    { "1ki", NULL },
    { "1K", NULL },
    { "1g", NULL },
    { "1GiB", NULL },
    { "-3.01i", NULL },
    { "-3.01e-", NULL },
    { "1e", NULL },
    { "1e+-3", NULL },
    { "1e1.5", NULL },
    { "--1", NULL },
    { "+-1", NULL },
    { "0x10", NULL },
    { "1e40", NULL },
    { "1e99999999999999999999", NULL },
    { "999999999999999999999999999999999999999", NULL },
};

static void reads_and_writes_canonically(void **state)
{
    const struct text_case *c = *state;
    struct quantity q = { 0 };
    char text[QUANTITY_TEXT_MAX];

    if (!c->want) {
        assert_int_equal(quantity_parse(c->name, &q), -1);
        return;
    }
    assert_int_equal(quantity_parse(c->name, &q), 0);
    assert_string_equal(quantity_format(q, text), c->want);

    /* The canonical form means the same and stays as it is. */
    struct quantity again = { 0 };
    char second[QUANTITY_TEXT_MAX];
    assert_int_equal(quantity_parse(text, &again), 0);
    assert_int_equal(quantity_cmp(q, again), 0);
    assert_string_equal(quantity_format(again, second), text);
}

static struct quantity of(const char *text)
{
    struct quantity q = { 0 };
    assert_int_equal(quantity_parse(text, &q), 0);
    return q;
}

static void assert_text(struct quantity q, const char *want)
{
    char text[QUANTITY_TEXT_MAX];
    assert_string_equal(quantity_format(q, text), want);
}

static void compares_across_forms(void **state)
{
    assert_int_equal(quantity_cmp(of("1Gi"), of("1073741824")), 0);
    assert_int_equal(quantity_cmp(of("1Gi"), of("1G")), 1);
    assert_int_equal(quantity_cmp(of("50m"), of("100m")), -1);
    assert_int_equal(quantity_cmp(of("-1"), of("0")), -1);
}

static void sums_keep_the_form_of_the_first_that_is_not_zero(void **state)
{
    assert_text(quantity_add(of("0"), of("1Gi")), "1Gi");
    assert_text(quantity_add(of("1Gi"), of("512M")), "1548576Ki");
    assert_text(quantity_add(of("512M"), of("1Gi")), "1585741824");
    assert_text(quantity_add(of("1Gi"), of("1073741824")), "2Gi");
    assert_text(quantity_sub(of("0"), of("100m")), "-100m");
    assert_text(quantity_sub(of("1Gi"), of("1Gi")), "0");
}

static void rounds_values_away_from_zero(void **state)
{
    assert_int_equal(quantity_value(of("1.1")), 2);
    assert_int_equal(quantity_value(of("-1.1")), -2);
    assert_int_equal(quantity_value(of("1n")), 1);
    assert_int_equal(quantity_milli(of("1.5")), 1500);
    assert_int_equal(quantity_milli(of("1u")), 1);
    assert_int_equal(quantity_value(of("2Gi")), 2147483648LL);
}

static void values_saturate(void **state)
{
    assert_true(quantity_value(of("1000E")) == INT64_MAX);
    assert_true(quantity_value(of("-1000E")) == INT64_MIN);
    assert_true(quantity_milli(of("9223372036854775807")) == INT64_MAX);

    struct quantity big = of("100000000000000000000000000000");
    for (int i = 0; i < 10; i++)
        big = quantity_add(big, big);
    assert_true(quantity_value(big) == INT64_MAX);
    char text[QUANTITY_TEXT_MAX];
    assert_true(strlen(quantity_format(big, text)) < QUANTITY_TEXT_MAX - 1);
    assert_true(strlen(quantity_format(quantity_sub(of("0"), big), text)) < QUANTITY_TEXT_MAX - 1);
}

static void comes_from_json(void **state)
{
    static const struct {
        const char *json, *want;
    } rows[] = {
        { "'1Gi'", "1Gi" }, { "' 1Gi '", "1Gi" }, { "2", "2" },     { "-3000", "-3k" },
        { "1.5", NULL },    { "null", NULL },     { "true", NULL }, { "{}", NULL },
        { "'1 Gi'", NULL }, { "''", NULL },
    };

    for (size_t i = 0; i < countof(rows); i++) {
        json_auto_t *v = json_q(rows[i].json);
        struct quantity q = { 0 };
        assert_int_equal(quantity_from_json(v, &q), rows[i].want ? 0 : -1);
        if (rows[i].want)
            assert_text(q, rows[i].want);
    }
    struct quantity q;
    assert_int_equal(quantity_from_json(NULL, &q), -1);
}

static void comes_from_numbers(void **state)
{
    assert_text(quantity_from_bytes(1536LL * 1024 * 1024), "1536Mi");
    assert_text(quantity_from_bytes(1000), "1k");
    assert_text(quantity_from_bytes(INT64_MAX), "9223372036854775807");
    assert_text(quantity_from_bytes(INT64_MIN), "-8Ei");
    assert_text(quantity_from_milli(1500), "1500m");
    assert_text(quantity_from_milli(2000), "2");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(compares_across_forms),
        cmocka_unit_test(sums_keep_the_form_of_the_first_that_is_not_zero),
        cmocka_unit_test(rounds_values_away_from_zero),
        cmocka_unit_test(values_saturate),
        cmocka_unit_test(comes_from_json),
        cmocka_unit_test(comes_from_numbers),
    };
    return RUN_ROWS("quantity text", text_cases, reads_and_writes_canonically) +
           cmocka_run_group_tests_name("quantity", tests, NULL, NULL);
}
