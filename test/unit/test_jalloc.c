/* SPDX-License-Identifier: Apache-2.0 */
#include "base/jalloc.h"

#include <malloc.h>

#include "base/thread.h"
#include "rows.h"

enum { SIZE_MAX_TRIED = 400, VALUES = 5000 };

static json_malloc_t take;
static json_free_t give;

static int set_up(void **state)
{
    jalloc_use();
    json_get_alloc_funcs(&take, &give);
    return 0;
}

/* Dropped blocks of all sizes lie ready when the smaller or larger ones are asked for. */
static void blocks_are_large_enough(void **state)
{
    static char *block[SIZE_MAX_TRIED];

    for (int turn = 0; turn < 3; turn++) {
        for (size_t i = 0; i < SIZE_MAX_TRIED; i++) {
            const size_t size = turn == 1 ? SIZE_MAX_TRIED - i : i;
            block[i] = take(size);
            assert_true(malloc_usable_size(block[i]) >= size);
            memset(block[i], 'x', size);
        }
        for (size_t i = 0; i < SIZE_MAX_TRIED; i++)
            give(block[i]);
    }
    give(NULL);
}

static void a_dropped_block_is_next(void **state)
{
    void *first = take(40);
    give(first);
    void *second = take(33);
    assert_ptr_equal(second, first);
    give(second);
}

/* More than is kept, made by one thread and dropped by another, which then ends. */
static void *drop(void *value)
{
    json_decref(value);
    json_decref(json_pack("[{s:s}]", "made", "here"));
    return NULL;
}

static void values_change_threads(void **state)
{
    json_t *value = json_array();
    pthread_t thread;

    for (int i = 0; i < VALUES; i++)
        must_append(value, must_pack("{s:i, s:s}", "number", i, "text", "some text"));
    thread_start(&thread, "drop", drop, value);
    (void)pthread_join(thread, NULL);
}

static void free_takes_a_text(void **state)
{
    json_auto_t *value = must_pack("[s]", "text");
    free(must_dumps(value, 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks_are_large_enough),
        cmocka_unit_test(a_dropped_block_is_next),
        cmocka_unit_test(values_change_threads),
        cmocka_unit_test(free_takes_a_text),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
