/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Children of PID 1.  Orphans that the kernel hands over are reaped and
 * forgotten; children that were started here are reaped too and their end is
 * told to who started them.  One waitpid() for the whole process, on the
 * thread that sees SIGCHLD, so that no exit status is stolen.
 *
 * SIGCHLD must be blocked in every thread.  All functions but reaper_collect
 * may be called from any thread.
 */
#ifndef LAUNCHER_REAPER_H
#define LAUNCHER_REAPER_H

#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "base/scope.h"

struct reaper;

struct reaper *reaper_new(void);
void reaper_free(struct reaper *r);

/* SIGCHLD came: take every status there is.  Calls the on_exit functions. */
void reaper_collect(struct reaper *r);

/* `status` as of waitpid().  On the thread of reaper_collect. */
typedef void child_exit_fn(pid_t pid, int status, void *arg);

/* Start argv[0] (a path) with the given NULL-terminated environment (NULL: ours); stdin is
 * /dev/null.  *ret_pid is set before on_exit can be called. */
int reaper_spawn(struct reaper *r, const char *const argv[], char *const env[],
                 child_exit_fn *on_exit, void *arg, pid_t *ret_pid, struct error *e);

/*
 * Run to the end and wait; killed after timeout_ms.  Not on the thread of
 * reaper_collect.  -ERR_INTERNAL with the last words of its stderr when it did not exit with
 * 0, -ERR_TIMEOUT.
 */
int reaper_run(struct reaper *r, const char *const argv[], int64_t timeout_ms, struct error *e);

#endif
