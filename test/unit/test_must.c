/* SPDX-License-Identifier: Apache-2.0 */
#include "base/must.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/jpath.h"
#include "rows.h"

static void broken_condition(void)
{
    must(1 == 2);
}

static void bad_format(void)
{
    (void)must_pack("{s:", "a");
}

static void text_that_is_not_utf8(void)
{
    (void)must_pack("{s:s}", "a", "\xff");
}

static void set_of_nothing(void)
{
    json_auto_t *v = json_object();
    must_set(v, "a", NULL);
}

static void malformed_path(void)
{
    json_auto_t *v = json_object();
    jpath_set_int(v, "a..b", 1);
}

static void step_through_a_string(void)
{
    json_auto_t *v = json_pack("{s:s}", "a", "b");
    jpath_set_int(v, "a.b", 1);
}

static const struct death_case {
    const char *name;
    void (*fn)(void);
} death_cases[] = {
    { "a broken condition", broken_condition },
    { "a bad json_pack format", bad_format },
    { "json_pack of text that is not UTF-8", text_that_is_not_utf8 },
    { "setting nothing", set_of_nothing },
    { "writing to a malformed path", malformed_path },
    { "writing through a string", step_through_a_string },
};

static void aborts(void **state)
{
    const struct death_case *c = *state;
    pid_t pid = fork();

    assert_true(pid >= 0);
    if (pid == 0) {
        const int null = open("/dev/null", O_WRONLY);
        (void)dup2(null, STDERR_FILENO);
        (void)signal(SIGABRT, SIG_DFL);
        c->fn();
        _exit(0);
    }
    int status = 0;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGABRT);
}

static void nothing_is_asked_of_the_caller(void **state)
{
    scoped(free) char *empty = must_malloc(0);
    scoped(free) char *text = must_asprintf("%s-%d", "a", 7);
    scoped(free) char *part = must_strndup("abcdef", 3);
    assert_non_null(empty);
    assert_string_equal(text, "a-7");
    assert_string_equal(part, "abc");
}

static void dumps_are_compact_unless_indented(void **state)
{
    json_auto_t *v = must_pack("{s:[i,i]}", "a", 1, 2);
    scoped(free) char *compact = must_dumps(v, 0);
    scoped(free) char *wide = must_dumps(v, JSON_INDENT(2));
    json_auto_t *scalar = json_string("x");
    scoped(free) char *one = must_dumps(scalar, 0);
    assert_string_equal(compact, "{\"a\":[1,2]}");
    assert_string_equal(wide, "{\n  \"a\": [\n    1,\n    2\n  ]\n}");
    assert_string_equal(one, "\"x\"");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_asked_of_the_caller),
        cmocka_unit_test(dumps_are_compact_unless_indented),
    };
    return RUN_ROWS("must aborts", death_cases, aborts) +
           cmocka_run_group_tests_name("must", tests, NULL, NULL);
}
