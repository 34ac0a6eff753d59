/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory of JSON values for a program that makes and drops thousands of them a request.  malloc
 * keeps seven free blocks of a size for each thread; what a review drops beyond them is merged and
 * split again for the next one, a seventh of its time.  Here each thread keeps what a review needs,
 * at most 256 KiB.
 */
#ifndef BASE_JALLOC_H
#define BASE_JALLOC_H

/*
 * From now on jansson's memory comes this way, in every thread.  Once, before threads are started.
 * Blocks are malloc's own: values made earlier are freed as well, and free() takes what
 * jansson made.
 */
void jalloc_use(void);

#endif
