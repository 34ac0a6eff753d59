/* SPDX-License-Identifier: Apache-2.0 */
#include "base/metrics.h"

#include <math.h>
#include <pthread.h>
#include <stdio.h>

#include "base/str.h"
#include "base/thread.h"
#include "rows.h"

/* The exposition's lines that begin with `prefix` or "# ... prefix"; new. */
static char *lines_of(const char *prefix)
{
    scoped_buf all = BUF_INIT(0);
    scoped_buf some = BUF_INIT(0);

    metrics_write(&all);
    for (char *at = all.data; *at;) {
        char *end = strchr(at, '\n');
        const char *name = *at == '#' ? at + strlen("# HELP ") : at;
        assert_non_null(end);
        if (str_has_prefix(name, prefix))
            (void)buf_add(&some, at, (size_t)(end + 1 - at));
        at = end + 1;
    }
    return buf_take(&some);
}

static void assert_lines(const char *prefix, const char *want)
{
    scoped(free) char *got = lines_of(prefix);
    assert_string_equal(got, want);
}

static void counts(void **state)
{
    static struct metric m = { .name = "requests_total",
                               .type = METRIC_COUNTER,
                               .help = "Requests,\nby \\ code.",
                               .labels = { "verb", "code" } };
    metric_add(&m, 1, "GET", "200");
    metric_add(&m, 2, "GET", "200");
    metric_add(&m, 1, "PUT", NULL);
    assert_lines("requests_total", "# HELP requests_total Requests,\\nby \\\\ code.\n"
                                   "# TYPE requests_total counter\n"
                                   "requests_total{verb=\"GET\",code=\"200\"} 3\n"
                                   "requests_total{verb=\"PUT\",code=\"\"} 1\n");
    metric_remove(&m, "GET", "200");
    metric_remove(&m, "GET", "absent");
    assert_lines("requests_total{", "requests_total{verb=\"PUT\",code=\"\"} 1\n");
}

static void escapes_label_values(void **state)
{
    static struct metric m = {
        .name = "escaped", .type = METRIC_GAUGE, .help = "", .labels = { "l" }
    };
    metric_set(&m, 1, "a\"b\\c\nd\xff");
    assert_lines("escaped{", "escaped{l=\"a\\\"b\\\\c\\nd?\"} 1\n");
}

static void shows_at_registration(void **state)
{
    static struct metric plain = { .name = "plain_total", .type = METRIC_COUNTER, .help = "x" };
    static struct metric labelled = {
        .name = "labelled_total", .type = METRIC_COUNTER, .help = "x", .labels = { "a" }
    };
    metric_register(&plain);
    metric_register(&plain);
    metric_register(&labelled);
    assert_lines("plain_total",
                 "# HELP plain_total x\n# TYPE plain_total counter\nplain_total 0\n");
    assert_lines("labelled_total", "");
}

static void histograms_are_cumulative(void **state)
{
    static struct metric m = { .name = "seconds",
                               .type = METRIC_HISTOGRAM,
                               .help = "h",
                               .labels = { "q" },
                               .buckets = { 1e-08, 0.005, 1, 1000, 1e6 } };
    metric_observe(&m, 0.005, "a");
    metric_observe(&m, 0.5, "a");
    metric_observe(&m, 0.25, "a");
    metric_observe(&m, 1e9, "a");
    assert_lines("seconds", "# HELP seconds h\n# TYPE seconds histogram\n"
                            "seconds_bucket{q=\"a\",le=\"1e-08\"} 0\n"
                            "seconds_bucket{q=\"a\",le=\"0.005\"} 1\n"
                            "seconds_bucket{q=\"a\",le=\"1\"} 3\n"
                            "seconds_bucket{q=\"a\",le=\"1000\"} 3\n"
                            "seconds_bucket{q=\"a\",le=\"1e+06\"} 3\n"
                            "seconds_bucket{q=\"a\",le=\"+Inf\"} 4\n"
                            "seconds_sum{q=\"a\"} 1.000000000755e+09\n"
                            "seconds_count{q=\"a\"} 4\n");
}

static const struct number_case {
    const char *name; /* the text */
    double value;
} number_cases[] = {
    { "0", 0 },
    { "-1", -1 },
    { "0.1", 0.1 },
    { "100000", 100000 },
    { "123456", 123456 },
    { "123456.7", 123456.7 },
    { "1e+06", 1e6 },
    { "1.234567e+06", 1234567 },
    { "1.7179869184e+10", 17179869184.0 },
    { "0.0001", 0.0001 },
    { "1e-05", 0.00001 },
    { "1.5e-07", 1.5e-7 },
    { "0.30000000000000004", 0.1 + 0.2 },
    { "1e+100", 1e100 },
    { "9.007199254740992e+15", 9007199254740992.0 },
    { "+Inf", INFINITY },
    { "-Inf", -INFINITY },
    { "NaN", NAN },
};

static void writes_numbers_as_go_does(void **state)
{
    static struct metric m = { .name = "number", .type = METRIC_GAUGE, .help = "n" };
    const struct number_case *c = *state;
    scoped(free) char *want = must_asprintf("number %s\n", c->name);

    metric_set(&m, c->value);
    scoped(free) char *got = lines_of("number ");
    assert_non_null(strstr(got, want));
}

static struct metric collected = { .name = "collected", .type = METRIC_GAUGE, .help = "c" };

static void collect(void *ctx)
{
    metric_set(&collected, ++*(int *)ctx);
}

static void collectors_run_at_each_scrape(void **state)
{
    static int scrapes;
    metrics_on_scrape(collect, &scrapes);
    scoped(free) char *first = lines_of("collected ");
    scoped(free) char *second = lines_of("collected ");
    assert_non_null(strstr(second, "collected 2\n"));
    assert_int_equal(scrapes, 2);
}

static void shows_the_process(void **state)
{
    static const char *const names[] = {
        "process_cpu_seconds_total ",
        "process_open_fds ",
        "process_max_fds ",
        "process_resident_memory_bytes ",
        "process_virtual_memory_bytes ",
        "process_start_time_seconds ",
    };
    for (size_t i = 0; i < countof(names); i++) {
        scoped(free) char *text = lines_of(names[i]);
        const char *value = strstr(text, names[i]);
        assert_non_null(value);
        assert_true(strtod(strrchr(text, ' '), NULL) >= 0);
    }
    scoped(free) char *memory = lines_of("process_resident_memory_bytes ");
    assert_true(strtod(strrchr(memory, ' '), NULL) > 100000);
    scoped(free) char *start = lines_of("process_start_time_seconds ");
    assert_true(strtod(strrchr(start, ' '), NULL) > 1.7e9);
}

static void series_are_bounded(void **state)
{
    static struct metric m = {
        .name = "many", .type = METRIC_GAUGE, .help = "m", .labels = { "i" }
    };
    char text[16];
    for (int i = 0; i < METRIC_SERIES_MAX + 10; i++) {
        (void)snprintf(text, sizeof(text), "%d", i);
        metric_set(&m, 1, text);
    }
    metric_set(&m, 5, "0");
    scoped(free) char *got = lines_of("many{");
    size_t lines = 0;
    for (const char *at = got; *at; at++)
        lines += *at == '\n';
    assert_int_equal(lines, METRIC_SERIES_MAX);
    assert_non_null(strstr(got, "many{i=\"0\"} 5\n"));
    for (int i = 0; i < METRIC_SERIES_MAX; i++) {
        (void)snprintf(text, sizeof(text), "%d", i);
        metric_remove(&m, text);
    }
    assert_lines("many", "");
}

static struct metric shared = {
    .name = "shared_total", .type = METRIC_COUNTER, .help = "s", .labels = { "t" }
};

static void *add_many(void *arg)
{
    for (int i = 0; i < 5000; i++)
        metric_add(&shared, 1, i % 2 ? "a" : "b");
    return NULL;
}

static void threads_lose_no_count(void **state)
{
    pthread_t threads[4];
    for (size_t i = 0; i < countof(threads); i++)
        thread_start(&threads[i], "adder", add_many, NULL);
    for (int i = 0; i < 20; i++) {
        scoped_buf text = BUF_INIT(0);
        metrics_write(&text);
    }
    for (size_t i = 0; i < countof(threads); i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    scoped(free) char *got = lines_of("shared_total{");
    assert_non_null(strstr(got, "{t=\"a\"} 10000\n"));
    assert_non_null(strstr(got, "{t=\"b\"} 10000\n"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts),
        cmocka_unit_test(escapes_label_values),
        cmocka_unit_test(shows_at_registration),
        cmocka_unit_test(histograms_are_cumulative),
        cmocka_unit_test(collectors_run_at_each_scrape),
        cmocka_unit_test(shows_the_process),
        cmocka_unit_test(series_are_bounded),
        cmocka_unit_test(threads_lose_no_count),
    };
    return RUN_ROWS("metric numbers", number_cases, writes_numbers_as_go_does) +
           cmocka_run_group_tests_name("metrics", tests, NULL, NULL);
}
