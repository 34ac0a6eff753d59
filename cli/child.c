/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/child.h"

#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>

#include "base/must.h"

extern char **environ;

int child_start(pid_t *ret, char *const argv[], struct error *e)
{
    posix_spawnattr_t attributes;
    sigset_t defaults;

    must(posix_spawnattr_init(&attributes) == 0);
    (void)sigemptyset(&defaults);
    (void)sigaddset(&defaults, SIGPIPE);
    (void)sigaddset(&defaults, SIGINT);
    (void)posix_spawnattr_setsigdefault(&attributes, &defaults);
    (void)posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);
    int r = posix_spawnp(ret, argv[0], NULL, &attributes, argv, environ);
    (void)posix_spawnattr_destroy(&attributes);
    if (r == 0)
        return 0;
    return error_set(e, r == ENOENT ? ERR_NOT_FOUND : ERR_INTERNAL, "run %s: %s", argv[0],
                     strerror(r));
}

int child_wait(pid_t pid, struct error *e)
{
    int status = 0;
    pid_t r;

    do
        r = waitpid(pid, &status, 0);
    while (r < 0 && errno == EINTR);
    if (r < 0)
        return error_set(e, ERR_INTERNAL, "wait: %s", strerror(errno));
    if (WIFSIGNALED(status))
        return error_set(e, ERR_INTERNAL, "signal: %s", strsignal(WTERMSIG(status)));
    if (WEXITSTATUS(status) != 0)
        return error_set(e, ERR_INTERNAL, "exit status %d", WEXITSTATUS(status));
    return 0;
}

int child_run(char *const argv[], struct error *e)
{
    struct sigaction old, ignore = { .sa_handler = SIG_IGN };
    pid_t pid = 0;

    (void)sigaction(SIGINT, &ignore, &old);
    int r = child_start(&pid, argv, e);
    if (r == 0)
        r = child_wait(pid, e);
    (void)sigaction(SIGINT, &old, NULL);
    return r;
}
