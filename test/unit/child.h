/* SPDX-License-Identifier: Apache-2.0 */
/* A program that a test runs beside itself, with its three streams in the test's hands. */
#ifndef TEST_UNIT_CHILD_H
#define TEST_UNIT_CHILD_H

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/must.h"

enum { CHILD_PATIENCE_MS = 60 * 1000 };

struct child {
    pid_t pid;
    int in, out, err;
};

static inline void child_spawn(struct child *c, char *const argv[], char *const env[])
{
    posix_spawn_file_actions_t actions;
    int pipes[3][2];

    must(posix_spawn_file_actions_init(&actions) == 0);
    for (int i = 0; i < 3; i++) {
        must(pipe2(pipes[i], O_CLOEXEC) == 0);
        must(posix_spawn_file_actions_adddup2(&actions, pipes[i][i == 0 ? 0 : 1], i) == 0);
    }
    must(posix_spawn(&c->pid, argv[0], &actions, NULL, argv, env) == 0);
    must(posix_spawn_file_actions_destroy(&actions) == 0);
    (void)close(pipes[0][0]);
    (void)close(pipes[1][1]);
    (void)close(pipes[2][1]);
    c->in = pipes[0][1];
    c->out = pipes[1][0];
    c->err = pipes[2][0];
}

/* Bytes up to and with the stop byte (or the end, or len - 1); NUL-terminated. */
static inline size_t child_read(int fd, char *out, size_t len, int stop)
{
    size_t n = 0;

    while (n + 1 < len) {
        struct pollfd p = { .fd = fd, .events = POLLIN };

        if (poll(&p, 1, CHILD_PATIENCE_MS) <= 0 || read(fd, out + n, 1) != 1)
            break;
        if (out[n++] == stop)
            break;
    }
    out[n] = '\0';
    return n;
}

/* The exit status, -1 when a signal ended it. */
static inline int child_end(struct child *c, int signal_number)
{
    int status;

    if (signal_number)
        (void)kill(c->pid, signal_number);
    if (c->in >= 0)
        (void)close(c->in);
    must(waitpid(c->pid, &status, 0) == c->pid);
    (void)close(c->out);
    (void)close(c->err);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

#endif
