/* SPDX-License-Identifier: Apache-2.0 */
/* Starting threads. */
#include "base/thread.h"

#include <signal.h>
#include <stdio.h>

#include "base/must.h"

enum { THREAD_NAME_MAX = 16 }; /* the kernel's limit, NUL included */

void thread_start(pthread_t *ret, const char *name, thread_fn *fn, void *arg)
{
    char short_name[THREAD_NAME_MAX];
    sigset_t all;
    sigset_t before;

    (void)sigfillset(&all);
    must(pthread_sigmask(SIG_SETMASK, &all, &before) == 0);
    must(pthread_create(ret, NULL, fn, arg) == 0);
    must(pthread_sigmask(SIG_SETMASK, &before, NULL) == 0);

    (void)snprintf(short_name, sizeof(short_name), "%s", name);
    (void)pthread_setname_np(*ret, short_name);
}
