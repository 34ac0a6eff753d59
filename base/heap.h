/* SPDX-License-Identifier: Apache-2.0 */
/* How the C library's allocator treats what a daemon frees. */
#ifndef BASE_HEAP_H
#define BASE_HEAP_H

enum { HEAP_ARENAS_DEFAULT = 0 };

/*
 * What was freed goes back to the system, also after a burst of large blocks, which would otherwise
 * raise glibc's thresholds for good.  arenas: at most so many heaps for all threads together
 * (fewer is smaller, and slower where threads allocate all the time).  First thing in main().
 */
void heap_stay_small(int arenas);

/*
 * Give whole free pages between blocks that are in use back as well: what a burst of calls leaves
 * in the heaps of its threads.  Under a millisecond for the heaps of a daemon; for its housekeeping
 * every some seconds.  Any thread.
 */
void heap_give_back(void);

#endif
