// SPDX-License-Identifier: Apache-2.0
/* Children and orphans; see reaper.h. */
#include "launcher/reaper.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/must.h"

enum { LAST_WORDS_MAX = 300 };

struct child {
    struct child *next;
    pid_t pid;
    child_exit_fn *on_exit; /* NULL: somebody waits in reaper_run */
    void *arg;
    bool is_ended;
    int status;
};

struct reaper {
    pthread_mutex_t lock; /* guards all below; held over fork, so that no child ends unknown */
    pthread_cond_t ended;
    struct child *children;
};

struct reaper *reaper_new(void)
{
    struct reaper *r = must_calloc(1, sizeof(*r));
    pthread_condattr_t attr;

    must(pthread_condattr_init(&attr) == 0);
    must(pthread_condattr_setclock(&attr, CLOCK_MONOTONIC) == 0);
    must(pthread_mutex_init(&r->lock, NULL) == 0);
    must(pthread_cond_init(&r->ended, &attr) == 0);
    (void)pthread_condattr_destroy(&attr);
    return r;
}

void reaper_free(struct reaper *r)
{
    if (!r)
        return;
    for (struct child *c = r->children; c;) {
        struct child *next = c->next;
        free(c);
        c = next;
    }
    (void)pthread_cond_destroy(&r->ended);
    (void)pthread_mutex_destroy(&r->lock);
    free(r);
}

/* Called with the lock held. */
static struct child *take_out(struct reaper *r, pid_t pid)
{
    for (struct child **at = &r->children; *at; at = &(*at)->next) {
        struct child *c = *at;
        if (c->pid != pid)
            continue;
        *at = c->next;
        return c;
    }
    return NULL;
}

void reaper_collect(struct reaper *r)
{
    for (;;) {
        int status;
        (void)pthread_mutex_lock(&r->lock);
        pid_t pid = waitpid(-1, &status, WNOHANG);
        if (pid <= 0) {
            (void)pthread_mutex_unlock(&r->lock);
            return;
        }
        struct child *c = take_out(r, pid);
        if (c && !c->on_exit) {
            c->is_ended = true;
            c->status = status;
            (void)pthread_cond_broadcast(&r->ended);
            c = NULL; /* belongs to who waits */
        }
        (void)pthread_mutex_unlock(&r->lock);
        if (c) {
            c->on_exit(pid, status, c->arg);
            free(c);
        }
    }
}

static int spawn(const char *const argv[], char *const env[], int err_fd, pid_t *ret_pid)
{
    posix_spawnattr_t attr;
    posix_spawn_file_actions_t actions;
    sigset_t none, all;

    (void)sigemptyset(&none);
    (void)sigfillset(&all);
    must(posix_spawnattr_init(&attr) == 0);
    must(posix_spawn_file_actions_init(&actions) == 0);
    must(posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF) == 0);
    must(posix_spawnattr_setsigmask(&attr, &none) == 0);
    must(posix_spawnattr_setsigdefault(&attr, &all) == 0);
    must(posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0) == 0);
    if (err_fd >= 0) {
        must(posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0) == 0);
        must(posix_spawn_file_actions_adddup2(&actions, err_fd, 2) == 0);
    }
    int r =
        posix_spawn(ret_pid, argv[0], &actions, &attr, (char *const *)argv, env ? env : environ);
    (void)posix_spawn_file_actions_destroy(&actions);
    (void)posix_spawnattr_destroy(&attr);
    return r;
}

/*
 * The child belongs to who waits for it; with an on_exit it belongs to reaper_collect from the
 * moment the lock is given back, so NULL-or-not is all that the caller may look at.
 */
static struct child *start(struct reaper *r, const char *const argv[], char *const env[],
                           int err_fd, child_exit_fn *on_exit, void *arg, pid_t *ret_pid,
                           struct error *e)
{
    struct child *c = must_calloc(1, sizeof(*c));

    c->on_exit = on_exit;
    c->arg = arg;
    (void)pthread_mutex_lock(&r->lock);
    int failed = spawn(argv, env, err_fd, &c->pid);
    if (!failed) {
        c->next = r->children;
        r->children = c;
        *ret_pid = c->pid;
    }
    (void)pthread_mutex_unlock(&r->lock);
    if (!failed)
        return c;
    free(c);
    error_set(e, ERR_INTERNAL, "start %s: %s", argv[0], strerror(failed));
    return NULL;
}

int reaper_spawn(struct reaper *r, const char *const argv[], char *const env[],
                 child_exit_fn *on_exit, void *arg, pid_t *ret_pid, struct error *e)
{
    must(on_exit != NULL);
    return start(r, argv, env, -1, on_exit, arg, ret_pid, e) ? 0 : -ERR_INTERNAL;
}

/* Keep the end of what the child says until it closes its stderr or the time is over. */
static void listen_to(int fd, int64_t deadline_ms, char words[LAST_WORDS_MAX + 1])
{
    size_t len = 0;

    for (;;) {
        char piece[LAST_WORDS_MAX];
        int64_t left = deadline_ms - clock_mono_ms(&clock_real);
        struct pollfd p = { .fd = fd, .events = POLLIN };
        if (left <= 0 || (poll(&p, 1, (int)left) < 0 && errno != EINTR))
            break;
        if (!p.revents)
            continue;
        ssize_t n = read(fd, piece, sizeof(piece));
        if (n <= 0)
            break;
        size_t drop = len + (size_t)n > LAST_WORDS_MAX ? len + (size_t)n - LAST_WORDS_MAX : 0;
        drop = drop < len ? drop : len;
        memmove(words, words + drop, len - drop);
        memcpy(words + len - drop, piece, (size_t)n);
        len += (size_t)n - drop;
    }
    while (len > 0 && (unsigned char)words[len - 1] <= ' ')
        len--;
    words[len] = '\0';
    for (size_t i = 0; i < len; i++)
        if ((unsigned char)words[i] < ' ')
            words[i] = ' ';
}

/* True when it ended by itself; otherwise it was killed (and is reaped before this returns). */
static bool await(struct reaper *r, struct child *c, int64_t deadline_ms)
{
    struct timespec until = { .tv_sec = deadline_ms / 1000,
                              .tv_nsec = deadline_ms % 1000 * 1000000 };
    bool in_time = true;

    (void)pthread_mutex_lock(&r->lock);
    while (!c->is_ended) {
        if (!in_time)
            (void)pthread_cond_wait(&r->ended, &r->lock);
        else if (pthread_cond_timedwait(&r->ended, &r->lock, &until) == ETIMEDOUT) {
            in_time = c->is_ended;
            if (!in_time)
                (void)kill(c->pid, SIGKILL);
        }
    }
    (void)pthread_mutex_unlock(&r->lock);
    return in_time;
}

int reaper_run(struct reaper *r, const char *const argv[], int64_t timeout_ms, struct error *e)
{
    int64_t deadline_ms = clock_mono_ms(&clock_real) + timeout_ms;
    char words[LAST_WORDS_MAX + 1] = "";
    int ends[2];

    if (pipe2(ends, O_CLOEXEC) < 0)
        return error_set(e, ERR_INTERNAL, "pipe: %s", strerror(errno));
    scoped_fd int from_child = ends[0];
    scoped(free) struct child *c = start(r, argv, NULL, ends[1], NULL, NULL, &(pid_t){ 0 }, e);
    (void)close(ends[1]);
    if (!c)
        return -ERR_INTERNAL;
    listen_to(from_child, deadline_ms, words);
    if (!await(r, c, deadline_ms))
        return error_set(e, ERR_TIMEOUT, "%s took longer than %lld s", argv[0],
                         (long long)timeout_ms / 1000);
    if (!WIFEXITED(c->status) || WEXITSTATUS(c->status) != 0)
        return error_set(e, ERR_INTERNAL, "%s: %s", argv[0], *words ? words : "ended badly");
    return 0;
}
