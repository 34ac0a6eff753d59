/* SPDX-License-Identifier: Apache-2.0 */
/* The table of webhooks holds together. */
#include "base/str.h"
#include "rows.h"
#include "webhooks/hooks.h"

static void rows_are_whole(void **state)
{
    (void)state;
    for (size_t i = 0; i < webhook_rows_len; i++) {
        const struct webhook *h = &webhook_rows[i];

        assert_true(str_has_suffix(h->name, ".kubevirt.io"));
        assert_int_equal(h->path[0], '/');
        assert_non_null(h->decide);
        assert_true(*h->versions && *h->resources && *h->operations);
        assert_int_equal(!h->condition, !h->expression);
        if (h->kind && !strchr(h->resources, '/'))
            assert_string_equal(h->resources, h->kind->plural);
        if (h->flags & HOOK_WRITES)
            assert_true(h->flags & HOOK_ASKS);
    }
}

/* A path is served by its first row, so they must not differ. */
static void a_path_is_decided_in_one_way(void **state)
{
    (void)state;
    for (size_t i = 0; i < webhook_rows_len; i++) {
        const struct webhook *h = &webhook_rows[i];
        const struct webhook *first = webhook_find(h->path);

        assert_ptr_equal(first->decide, h->decide);
        assert_ptr_equal(first->kind, h->kind);
        assert_int_equal(first->flags, h->flags);
        for (size_t j = 0; j < i; j++)
            assert_string_not_equal(webhook_rows[j].name, h->name);
    }
    assert_null(webhook_find("/none"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_are_whole),
        cmocka_unit_test(a_path_is_decided_in_one_way),
    };

    return cmocka_run_group_tests_name("hooks", tests, NULL, NULL);
}
