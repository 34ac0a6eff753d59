/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/jpath.h"
#include "base/str.h"
#include "base/thread.h"
#include "rows.h"

/* Standard error goes to a file while a test logs. */
static int saved_stderr = -1;
static FILE *file;

static int catch_stderr(void **state)
{
    file = tmpfile();
    saved_stderr = dup(STDERR_FILENO);
    if (!file || saved_stderr < 0)
        return -1;
    (void)dup2(fileno(file), STDERR_FILENO);
    log_init("test", 4);
    return 0;
}

static int release_stderr(void **state)
{
    (void)dup2(saved_stderr, STDERR_FILENO);
    (void)close(saved_stderr);
    (void)fclose(file);
    return 0;
}

/* All that was written; new. */
static char *caught(void)
{
    scoped_buf text = BUF_INIT(0);
    char part[4096];
    size_t n;

    rewind(file);
    while ((n = fread(part, 1, sizeof(part), file)) > 0)
        (void)buf_add(&text, part, n);
    return buf_take(&text);
}

static json_t *caught_line(void)
{
    scoped(free) char *text = caught();
    json_t *v = NULL;
    struct error e = { 0 };
    if (json_parse(&v, text, strlen(text), &e) < 0)
        fail_msg("%s: %s", e.msg, text);
    return v;
}

static void a_line_is_json(void **state)
{
    log_info("vmi handed over", "ns", "default", "n", log_i(-7), "empty", NULL);
    json_auto_t *line = caught_line();
    int64_t ms;

    assert_int_equal(rfc3339_parse(jpath_str(line, "ts", ""), &ms), 0);
    assert_true(clock_wall_ms(&clock_real) - ms < 60000);
    jpath_del(line, "ts");
    json_auto_t *want = json_q("{'level':'info','component':'test','msg':'vmi handed over',"
                               "'ns':'default','n':'-7','empty':''}");
    assert_json(line, want);
}

static void values_from_outside_cannot_break_a_line(void **state)
{
    log_error("refused", "v", "a\"b\\c\nd\te\x01\x7f\xff{}\xc3\xa4");
    scoped(free) char *text = caught();
    assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1);
    json_auto_t *line = caught_line();
    assert_string_equal(jpath_str(line, "v", ""), "a\"b\\c\nd\te\x01\x7f\xef\xbf\xbd{}\xc3\xa4");
}

static void long_values_are_cut(void **state)
{
    scoped(free) char *big = must_malloc(100001);
    memset(big, '\x01', 100000);
    big[100000] = '\0';
    log_warn("big", "v", big, "after", "x");
    json_auto_t *line = caught_line();
    const char *v = jpath_str(line, "v", "");
    assert_true(strlen(v) < 5000);
    assert_true(str_has_suffix(v, "..."));
    assert_string_equal(jpath_str(line, "after", ""), "x");
}

static void verbosity_selects(void **state)
{
    static const struct {
        int verbosity;
        bool info, debug;
    } rows[] = { { 0, false, false }, { 1, false, false }, { 2, true, false },
                 { 3, true, false },  { 4, true, true },   { 9, true, true } };

    for (size_t i = 0; i < countof(rows); i++) {
        log_set_verbosity(rows[i].verbosity);
        assert_int_equal(log_wanted(LOG_INFO), rows[i].info);
        assert_int_equal(log_wanted(LOG_DEBUG), rows[i].debug);
        assert_true(log_wanted(LOG_WARN));
    }
    log_set_verbosity(2);
    log_debug("not shown", "n", "1");
    scoped(free) char *text = caught();
    assert_string_equal(text, "");
}

static void several_numbers_in_one_line(void **state)
{
    log_info("numbers", "a", log_i(1), "b", log_i(22), "c", log_i(333));
    json_auto_t *line = caught_line();
    assert_string_equal(jpath_str(line, "a", ""), "1");
    assert_string_equal(jpath_str(line, "c", ""), "333");
}

enum { WRITERS = 4, LINES = 500 };

static void *write_lines(void *arg)
{
    for (int i = 0; i < LINES; i++)
        log_info("line", "i", log_i(i), "padding", "0123456789012345678901234567890123456789");
    return NULL;
}

static void lines_of_threads_do_not_mix(void **state)
{
    pthread_t writers[WRITERS];
    for (int i = 0; i < WRITERS; i++)
        thread_start(&writers[i], "writer", write_lines, NULL);
    for (int i = 0; i < WRITERS; i++)
        assert_int_equal(pthread_join(writers[i], NULL), 0);

    scoped(free) char *text = caught();
    int lines = 0;
    for (char *at = text; *at; lines++) {
        char *end = strchr(at, '\n');
        struct error e = { 0 };
        json_auto_t *v = NULL;
        assert_non_null(end);
        assert_int_equal(json_parse(&v, at, (size_t)(end - at), &e), 0);
        at = end + 1;
    }
    assert_int_equal(lines, WRITERS * LINES);
}

static void a_terminal_gets_readable_lines(void **state)
{
    /* log_init asks whether it is a terminal: one for it, the file for the line. */
    const int terminal = posix_openpt(O_RDWR | O_NOCTTY);
    if (terminal < 0 || grantpt(terminal) < 0 || unlockpt(terminal) < 0)
        skip();
    const int slave = open(ptsname(terminal), O_RDWR | O_NOCTTY);
    if (slave < 0)
        skip();
    (void)dup2(slave, STDERR_FILENO);
    log_init("test", 2);
    (void)dup2(fileno(file), STDERR_FILENO);
    log_info("started", "name", "a b", "ns", "default", "odd", "x\033[31m");
    scoped(free) char *text = caught();
    (void)close(slave);
    (void)close(terminal);
    assert_string_equal(text + strlen("12:00:00.000"),
                        " INFO  started  name=\"a b\"  ns=default  odd=\"x\\u001b[31m\"\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_line_is_json, catch_stderr, release_stderr),
        cmocka_unit_test_setup_teardown(values_from_outside_cannot_break_a_line, catch_stderr,
                                        release_stderr),
        cmocka_unit_test_setup_teardown(long_values_are_cut, catch_stderr, release_stderr),
        cmocka_unit_test_setup_teardown(verbosity_selects, catch_stderr, release_stderr),
        cmocka_unit_test_setup_teardown(several_numbers_in_one_line, catch_stderr, release_stderr),
        cmocka_unit_test_setup_teardown(lines_of_threads_do_not_mix, catch_stderr, release_stderr),
        cmocka_unit_test_setup_teardown(a_terminal_gets_readable_lines, catch_stderr,
                                        release_stderr),
    };
    return cmocka_run_group_tests_name("log", tests, NULL, NULL);
}
