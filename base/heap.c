/* SPDX-License-Identifier: Apache-2.0 */
#include "base/heap.h"

#include <malloc.h>

enum { THRESHOLD = 128 * 1024 }; /* where glibc starts; named, it stays (mallopt(3)) */

void heap_stay_small(int arenas)
{
    (void)mallopt(M_TRIM_THRESHOLD, THRESHOLD);
    (void)mallopt(M_MMAP_THRESHOLD, THRESHOLD);
    if (arenas != HEAP_ARENAS_DEFAULT)
        (void)mallopt(M_ARENA_MAX, arenas);
}

void heap_give_back(void)
{
    (void)malloc_trim(0);
}
