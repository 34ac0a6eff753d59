/* SPDX-License-Identifier: Apache-2.0 */
/* Start a thread as every one starts here: named, and deaf to signals (main has a signalfd). */
#ifndef BASE_THREAD_H
#define BASE_THREAD_H

#include <pthread.h>

typedef void *thread_fn(void *arg);

/* The caller joins *ret.  The name is cut at 15 bytes.  Aborts when no thread can be made. */
void thread_start(pthread_t *ret, const char *name, thread_fn *fn, void *arg);

#endif
