/* SPDX-License-Identifier: Apache-2.0 */
/* Free blocks by size, lists of each thread: no lock.  A block stays with the thread that freed it.
 */
#include "base/jalloc.h"

#include <jansson.h>
#include <malloc.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/must.h"

/* Class k has blocks of at least 16 * k + 8 bytes, the sizes that malloc makes. */
enum { STEP = 16, BASE = 8, CLASSES = 17, KEPT_BYTES_MAX = 256 * 1024 /* for each thread */ };

struct block {
    struct block *next;
};

struct kept {
    struct block *first[CLASSES];
    size_t bytes;
};

static _Thread_local struct kept mine;
static _Thread_local bool is_registered;
static pthread_key_t at_exit;

static void free_kept(void *of_thread)
{
    struct kept *kept = of_thread;

    for (size_t k = 0; k < CLASSES; k++) {
        while (kept->first[k]) {
            struct block *block = kept->first[k];

            kept->first[k] = block->next;
            free(block);
        }
    }
    kept->bytes = KEPT_BYTES_MAX; /* what is freed from here on is not kept */
}

/* So that a thread that ends gives its blocks back. */
static void register_thread(void)
{
    is_registered = true;
    must(pthread_setspecific(at_exit, &mine) == 0);
}

static void *take(size_t size)
{
    const size_t k = size <= BASE ? 0 : (size - BASE + STEP - 1) / STEP;

    if (k >= CLASSES || !mine.first[k])
        return malloc(size);

    struct block *block = mine.first[k];
    mine.first[k] = block->next;
    mine.bytes -= k * STEP + BASE;
    return block;
}

static void give(void *memory)
{
    const size_t size = memory ? malloc_usable_size(memory) : 0;
    const size_t k = size < BASE ? CLASSES : (size - BASE) / STEP;

    if (k >= CLASSES || mine.bytes >= KEPT_BYTES_MAX) {
        free(memory);
        return;
    }
    if (!is_registered)
        register_thread();

    struct block *block = memory;
    block->next = mine.first[k];
    mine.first[k] = block;
    mine.bytes += k * STEP + BASE;
}

void jalloc_use(void)
{
    must(pthread_key_create(&at_exit, free_kept) == 0);
    json_set_alloc_funcs(take, give);
}
