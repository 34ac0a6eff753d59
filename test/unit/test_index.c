/* SPDX-License-Identifier: Apache-2.0 */
/* Names are found by perfect hash, whichever thread asks first; the name that was meant. */
#include "openapi/index.h"

#include <pthread.h>

#include "rows.h"

#include "openapi/kinds.h"
#include "openapi/nearest.h"
#include "openapi/rows.h"
#include "openapi/validate.h"

// clang-format off
TYPE(inner, "Inner", "Inner.", STRING("text", "Text.", .dflt = "\"x\""));

TYPE(outer, "Outer", "Outer.",
    OBJECT("must", presence_type, "Must.", REQUIRED),
    STRING("word", "Word.", REQUIRED),
    OBJECT("below", inner, "Below."),
    STRING("preferredAutoattachSerialConsole", "Long."),
    STRING("preferredAutoattachInputDevices_", "As long, and alike at both ends."));
// clang-format on

static void knows_rows_at_a_glance(void **state)
{
    const struct schema_index *index = schema_index(&outer);

    assert_int_equal(index->len, 5);
    assert_int_equal(index->required, 1 << 0); /* "word" counts as "" */
    assert_int_equal(index->defaults, 1 << 1 | 1 << 2);
    assert_ptr_equal(schema_index(&outer), index);
}

static void finds_only_whole_names(void **state)
{
    for (const struct field *f = outer.fields; f->name; f++) {
        assert_ptr_equal(schema_field(&outer, f->name, f->name_len), f);
        assert_null(schema_field(&outer, f->name, f->name_len - 1u));
    }
    assert_null(schema_field(&outer, "", 0));
    assert_null(schema_field(&outer, "musT", 4));
}

static void *validate_all(void *arg)
{
    json_t *object = json_loads("{\"spec\":{\"domain\":{\"devices\":{\"disks\":[{}]}}}}", 0, NULL);

    for (size_t i = 0; i < all_kinds_len; i++) {
        scoped_findings f;
        findings_init(&f);
        schema_validate(all_kinds[i], object, &f);
        *(size_t *)arg += f.len;
    }
    json_decref(object);
    return NULL;
}

static void many_threads_may_be_first(void **state)
{
    enum { THREADS = 8 };
    pthread_t threads[THREADS];
    size_t found[THREADS] = { 0 };

    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, validate_all, &found[i]), 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    assert_true(found[0] > 0);
    for (int i = 1; i < THREADS; i++)
        assert_int_equal(found[i], found[0]);
}

static const struct nearest_case {
    const char *name;
    const char *written, *meant;
} nearest[] = {
    { "a letter more", "mustt", "must" },
    { "a letter less", "belw", "below" },
    { "another letter", "wird", "word" },
    { "capitals", "WORD", "word" },
    { "too far", "wxyz", NULL },
    { "too short to tell", "mu", NULL },
    { "nothing", "", NULL },
    { "endless", "wordwordwordwordwordwordwordwordwordwordwordwordwordwordwordwordwordword", NULL },
};

static void guesses(void **state)
{
    const struct nearest_case *c = *state;
    const char *meant = nearest_field(&outer, c->written);

    if (c->meant)
        assert_string_equal(meant, c->meant);
    else
        assert_null(meant);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(many_threads_may_be_first),
        cmocka_unit_test(knows_rows_at_a_glance),
        cmocka_unit_test(finds_only_whole_names),
    };
    return cmocka_run_group_tests_name("index", tests, NULL, NULL) +
           RUN_ROWS("nearest", nearest, guesses);
}
