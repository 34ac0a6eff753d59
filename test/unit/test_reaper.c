// SPDX-License-Identifier: Apache-2.0
/* Children: who waits gets the end of its own, orphans are reaped beside. */
#include "launcher/reaper.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test/unit/rows.h"

static struct reaper *reaper;
static pthread_t collector;
static atomic_bool is_over;
static atomic_int ended_status = -1;

static void *collect(void *arg)
{
    sigset_t set;

    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGCHLD);
    while (!atomic_load(&is_over)) {
        siginfo_t info;
        (void)sigwaitinfo(&set, &info);
        reaper_collect(reaper);
    }
    return NULL;
}

static int set_up(void **state)
{
    sigset_t set;

    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGCHLD);
    (void)pthread_sigmask(SIG_BLOCK, &set, NULL);
    (void)prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
    reaper = reaper_new();
    return pthread_create(&collector, NULL, collect, NULL);
}

static int tear_down(void **state)
{
    atomic_store(&is_over, true);
    (void)pthread_kill(collector, SIGCHLD);
    (void)pthread_join(collector, NULL);
    reaper_free(reaper);
    return 0;
}

static const struct run_case {
    const char *name, *script;
    int code;
    const char *why;
} cases[] = {
    { "success", "exit 0", 0, NULL },
    { "failure says why", "echo bad image >&2; exit 1", ERR_INTERNAL, "bad image" },
    { "silent failure", "exit 3", ERR_INTERNAL, "ended badly" },
    { "killed", "kill -9 $$", ERR_INTERNAL, "ended badly" },
    { "too slow", "exec sleep 20", ERR_TIMEOUT, "longer" },
    { "much noise keeps the last words",
      "i=0; while [ $i -lt 200 ]; do echo line $i >&2; i=$((i+1)); done; exit 1", ERR_INTERNAL,
      "line 199" },
    { "leaves an orphan behind", "(sleep 0.05 &) 2>/dev/null; exit 0", 0, NULL },
};

static void runs(void **state)
{
    const struct run_case *c = *state;
    const char *const argv[] = { "/bin/sh", "-c", c->script, NULL };
    struct error e = { 0 };

    int r = reaper_run(reaper, argv, 500, &e);
    assert_int_equal(r, -c->code);
    if (c->why)
        assert_non_null(strstr(e.msg, c->why));
}

static void on_exit_here(pid_t pid, int status, void *arg)
{
    atomic_store((atomic_int *)arg, WEXITSTATUS(status));
}

static void supervised_child_is_told(void **state)
{
    const char *const argv[] = { "/bin/sh", "-c", "exit 7", NULL };
    struct error e;
    pid_t pid = 0;

    assert_int_equal(reaper_spawn(reaper, argv, NULL, on_exit_here, &ended_status, &pid, &e), 0);
    assert_true(pid > 0);
    for (int i = 0; i < 3000 && atomic_load(&ended_status) < 0; i++) {
        const char *const wait[] = { "/bin/sleep", "0.01", NULL };
        (void)reaper_run(reaper, wait, 1000, &e);
    }
    assert_int_equal(atomic_load(&ended_status), 7);
}

static void on_exit_pid(pid_t pid, int status, void *arg)
{
    atomic_store((atomic_int *)arg, pid);
}

/* A child that ends at once may be reaped, and forgotten, before reaper_spawn returns. */
static void pid_of_a_short_child_is_told(void **state)
{
    const char *const argv[] = { "/bin/true", NULL };
    static atomic_int ended;
    struct error e;

    for (int i = 0; i < 300; i++) {
        pid_t pid = 0;
        atomic_store(&ended, 0);
        assert_int_equal(reaper_spawn(reaper, argv, NULL, on_exit_pid, &ended, &pid, &e), 0);
        for (int tries = 0; tries < 10000 && atomic_load(&ended) == 0; tries++)
            (void)usleep(1000);
        assert_int_equal(atomic_load(&ended), pid);
    }
}

static void absent_program_is_an_error(void **state)
{
    const char *const argv[] = { "/nonexistent", NULL };
    struct error e;

    assert_int_equal(reaper_run(reaper, argv, 500, &e), -ERR_INTERNAL);
}

int main(void)
{
    ROW_TESTS(rows, cases, runs);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(supervised_child_is_told),
        cmocka_unit_test(pid_of_a_short_child_is_told),
        cmocka_unit_test(absent_program_is_an_error),
    };
    if (set_up(NULL) != 0)
        return 1;
    int bad = cmocka_run_group_tests_name("reaper runs", rows, NULL, NULL);
    bad += cmocka_run_group_tests_name("reaper", tests, NULL, NULL);
    (void)tear_down(NULL);
    return bad;
}
