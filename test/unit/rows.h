/* SPDX-License-Identifier: Apache-2.0 */
/* What table-driven tests share: cmocka, JSON with ' for ", and running a table as one test a row.
 */
#ifndef TEST_UNIT_ROWS_H
#define TEST_UNIT_ROWS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "base/must.h"
#include "base/scope.h"

/* JSON written with ' for "; NULL stays NULL.  New. */
static inline json_t *json_q(const char *text)
{
    if (!text)
        return NULL;

    char *quoted = must_strdup(text);
    for (char *at = quoted; *at; at++)
        if (*at == '\'')
            *at = '"';
    json_error_t why;
    json_t *v = json_loads(quoted, JSON_DECODE_ANY, &why);
    if (!v)
        print_error("not JSON: %s: %s\n", quoted, why.text);
    free(quoted);
    assert_non_null(v);
    return v;
}

/* Two values are equal, or both texts are shown. */
static inline void assert_json(const json_t *got, const json_t *want)
{
    if ((!got && !want) || json_equal(got, want))
        return;
    char *got_text = got ? must_dumps(got, JSON_SORT_KEYS) : must_strdup("nothing");
    char *want_text = want ? must_dumps(want, JSON_SORT_KEYS) : must_strdup("nothing");
    print_error("got  %s\nwant %s\n", got_text, want_text);
    free(got_text);
    free(want_text);
    fail();
}

/* One test a row of an array whose first member is `const char *name`; the row is its state. */
#define ROW_TESTS(tests, cases, fn)                        \
    struct CMUnitTest tests[countof(cases)];               \
    for (size_t row_ = 0; row_ < countof(cases); row_++)   \
        tests[row_] = (struct CMUnitTest)                  \
        {                                                  \
            .name = (cases)[row_].name, .test_func = (fn), \
            .initial_state = (void *)&(cases)[row_],       \
        }

/* Run a table of rows; the number of failures. */
#define RUN_ROWS(group, cases, fn)                                  \
    ({                                                              \
        ROW_TESTS(row_tests_, cases, fn);                           \
        cmocka_run_group_tests_name(group, row_tests_, NULL, NULL); \
    })

#endif
