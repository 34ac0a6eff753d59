/* SPDX-License-Identifier: Apache-2.0 */
/* Informers against the fake API server: lists in pages, watches, and everything that can happen to
 * them. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/jpath.h"
#include "base/log.h"
#include "base/must.h"
#include "base/scope.h"
#include "base/str.h"
#include "http/client.h"
#include "kube/informer.h"
#include "test/fake/kube.h"

struct bench {
    struct fake_kube *fake;
    struct http_watcher *watcher;
    struct informer *informer;
    struct informer_options options;

    pthread_mutex_t lock;
    /* guarded by lock */
    char *told; /* "+a ~a -a " in order */
    /* what a wait looks for */
    const char *key, *path, *want, *want_told;
    size_t count;
};

static void on_event(const json_t *old, const json_t *obj, void *ctx)
{
    struct bench *b = ctx;

    pthread_mutex_lock(&b->lock);
    char *more = must_asprintf("%s%s%s ", b->told,
                               !old   ? "+"
                               : !obj ? "-"
                                      : "~",
                               meta_name(obj ? obj : old));
    free(b->told);
    b->told = more;
    pthread_mutex_unlock(&b->lock);
}

static bool is_told(void *ctx)
{
    struct bench *b = ctx;

    pthread_mutex_lock(&b->lock);
    bool same = streq(b->told, b->want_told);
    pthread_mutex_unlock(&b->lock);
    return same;
}

/* The store changes before its watcher is told, so what was seen in it may not have been told yet.
 */
static void assert_told(struct bench *b, const char *want)
{
    b->want_told = want;
    (void)fake_wait(is_told, b, FAKE_PATIENCE_MS);
    pthread_mutex_lock(&b->lock);
    scoped(free) char *told = b->told;
    b->told = must_strdup("");
    pthread_mutex_unlock(&b->lock);
    assert_string_equal(told, want);
}

static json_t *pod(const char *name, const char *node, const char *owner)
{
    json_t *p = must_pack("{s:{s:s, s:s, s:{s:s}}, s:{s:s}}", "metadata", "namespace", "ns", "name",
                          name, "labels", "app", "x", "spec", "nodeName", node);

    if (owner)
        jpath_set(p, "metadata.ownerReferences",
                  must_pack("[{s:s, s:s, s:b}]", "kind", "VMI", "uid", owner, "controller", 1));
    return p;
}

static int setup(void **state)
{
    struct bench *b = must_calloc(1, sizeof(*b));

    b->fake = fake_kube_start();
    b->watcher = http_watcher_new("watch");
    b->told = must_strdup("");
    must(pthread_mutex_init(&b->lock, NULL) == 0);
    b->options = (struct informer_options){
        .kind = &KIND_POD,
        .on_event = on_event,
        .ctx = b,
        .index = { { "owner", index_by_controller_uid }, { "node", index_by_node } },
    };
    *state = b;
    return 0;
}

static int teardown(void **state)
{
    struct bench *b = *state;

    informer_stop(b->informer);
    http_watcher_free(b->watcher);
    fake_kube_free(b->fake);
    (void)pthread_mutex_destroy(&b->lock);
    free(b->told);
    free(b);
    return 0;
}

static void start(struct bench *b)
{
    b->informer = informer_start(fake_kube_client(b->fake), b->watcher, &b->options);
    assert_true(informers_wait(&b->informer, 1, FAKE_PATIENCE_MS));
}

static bool value_is(void *ctx)
{
    struct bench *b = ctx;
    json_auto_t *obj = informer_get(b->informer, b->key);

    return b->path ? obj && streq(jpath_str(obj, b->path, ""), b->want) : !obj;
}

static void wait_value(struct bench *b, const char *key, const char *path, const char *want)
{
    b->key = key;
    b->path = path;
    b->want = want;
    if (!fake_wait(value_is, b, FAKE_PATIENCE_MS))
        fail_msg("%s %s never became '%s'", key, path ? path : "", want ? want : "absent");
}

static bool count_is(void *ctx)
{
    struct bench *b = ctx;

    return informer_count(b->informer) == b->count;
}

static bool is_watched(void *ctx)
{
    struct bench *b = ctx;

    return fake_kube_watches(b->fake) > 0;
}

static void wait_watched(struct bench *b)
{
    assert_true(fake_wait(is_watched, b, FAKE_PATIENCE_MS));
}

static void lists_then_follows(void **state)
{
    struct bench *b = *state;

    (void)fake_kube_put(b->fake, &KIND_POD, pod("a", "n1", NULL));
    start(b);
    wait_watched(b);
    assert_told(b, "+a ");
    (void)fake_kube_put(b->fake, &KIND_POD, pod("b", "n1", NULL));
    wait_value(b, "ns/b", "spec.nodeName", "n1");
    (void)fake_kube_put(b->fake, &KIND_POD, pod("b", "n2", NULL));
    wait_value(b, "ns/b", "spec.nodeName", "n2");
    fake_kube_remove(b->fake, &KIND_POD, "ns", "a");
    wait_value(b, "ns/a", NULL, NULL);
    assert_told(b, "+b ~b -a ");
    assert_int_equal(fake_kube_asked(b->fake, "limit=500"), 1);
    assert_true(informer_quiet_ms(b->informer) < 5000);
}

static void objects_are_stamped_and_trimmed(void **state)
{
    struct bench *b = *state;
    json_t *p = pod("a", "n", NULL);

    jpath_set(p, "metadata.managedFields", json_pack("[{}]"));
    (void)fake_kube_put(b->fake, &KIND_POD, p);
    start(b);
    json_auto_t *got = informer_get(b->informer, "ns/a");
    assert_string_equal(jpath_str(got, "kind", ""), "Pod");
    assert_string_equal(jpath_str(got, "apiVersion", ""), "v1");
    assert_false(jpath_has(got, "metadata.managedFields"));
    assert_null(informer_get(b->informer, "ns/none"));
}

static void many_pages_make_one_list(void **state)
{
    struct bench *b = *state;
    char name[32];

    for (int i = 0; i < 1234; i++) {
        (void)snprintf(name, sizeof(name), "p%d", i);
        (void)fake_kube_put(b->fake, &KIND_POD, pod(name, i % 2 ? "odd" : "even", NULL));
    }
    start(b);
    assert_int_equal(informer_count(b->informer), 1234);
    assert_int_equal(fake_kube_asked(b->fake, "limit=500"), 3);
    json_auto_t *odd = informer_by_index(b->informer, "node", "odd");
    assert_int_equal(json_array_size(odd), 617);
    json_auto_t *all = informer_list(b->informer);
    assert_int_equal(json_array_size(all), 1234);
}

static void indexes_follow_changes(void **state)
{
    struct bench *b = *state;

    (void)fake_kube_put(b->fake, &KIND_POD, pod("a", "n1", "uid-1"));
    (void)fake_kube_put(b->fake, &KIND_POD, pod("b", "n1", "uid-1"));
    start(b);
    wait_watched(b);
    json_auto_t *both = informer_by_index(b->informer, "owner", "uid-1");
    assert_int_equal(json_array_size(both), 2);
    (void)fake_kube_put(b->fake, &KIND_POD, pod("a", "n2", NULL));
    wait_value(b, "ns/a", "spec.nodeName", "n2");
    json_auto_t *one = informer_by_index(b->informer, "owner", "uid-1");
    assert_int_equal(json_array_size(one), 1);
    fake_kube_remove(b->fake, &KIND_POD, "ns", "b");
    wait_value(b, "ns/b", NULL, NULL);
    json_auto_t *none = informer_by_index(b->informer, "owner", "uid-1");
    assert_int_equal(json_array_size(none), 0);
    json_auto_t *moved = informer_by_index(b->informer, "node", "n2");
    assert_int_equal(json_array_size(moved), 1);
}

static void selectors_are_sent_and_leaving_them_is_a_deletion(void **state)
{
    struct bench *b = *state;

    b->options.namespace = "ns";
    b->options.label_selector = "app=x";
    b->options.field_selector = "spec.nodeName!=other";
    (void)fake_kube_put(b->fake, &KIND_POD, pod("a", "n", NULL));
    (void)fake_kube_put(b->fake, &KIND_POD, pod("b", "other", NULL));
    start(b);
    wait_watched(b);
    assert_int_equal(informer_count(b->informer), 1);
    (void)fake_kube_put(b->fake, &KIND_POD, pod("a", "other", NULL));
    wait_value(b, "ns/a", NULL, NULL);
    assert_told(b, "+a -a ");
    assert_int_equal(fake_kube_asked(b->fake, "GET /api/v1/namespaces/ns/pods?watch=true"), 1);
}

static void a_broken_watch_resumes_without_a_list(void **state)
{
    struct bench *b = *state;

    (void)fake_kube_put(b->fake, &KIND_POD, pod("a", "n1", NULL));
    start(b);
    wait_watched(b);
    (void)fake_kube_put(b->fake, &KIND_POD, pod("b", "n1", NULL));
    wait_value(b, "ns/b", "spec.nodeName", "n1");
    fake_kube_drop_watches(b->fake);
    (void)fake_kube_put(b->fake, &KIND_POD, pod("b", "n2", NULL));
    assert_int_equal(informer_count(b->informer), 2);
    wait_value(b, "ns/b", "spec.nodeName", "n2");
    assert_int_equal(fake_kube_asked(b->fake, "limit=500"), 1);
    assert_told(b, "+a +b ~b ");
}

static void a_bookmark_moves_the_place_to_resume_from(void **state)
{
    struct bench *b = *state;

    start(b);
    wait_watched(b);
    json_t *map = must_pack("{s:{s:s, s:s}}", "metadata", "namespace", "ns", "name", "m");
    long long version = fake_kube_put(b->fake, &KIND_CONFIGMAP, map);
    fake_kube_bookmark(b->fake);
    (void)fake_kube_put(b->fake, &KIND_POD,
                        pod("a", "n", NULL)); /* the bookmark was read before this */
    wait_value(b, "ns/a", "spec.nodeName", "n");
    fake_kube_remove(b->fake, &KIND_POD, "ns", "a");
    wait_value(b, "ns/a", NULL, NULL);
    long long last =
        fake_kube_put(b->fake, &KIND_CONFIGMAP,
                      must_pack("{s:{s:s, s:s}}", "metadata", "namespace", "ns", "name", "m"));
    assert_true(last > version);
    fake_kube_bookmark(b->fake);
    size_t asked = fake_kube_asked(b->fake, "watch=true");
    int64_t quiet = informer_quiet_ms(b->informer);
    assert_true(quiet < 5000);
    /* wait until the bookmark has certainly been read: an event behind it */
    (void)fake_kube_put(b->fake, &KIND_POD, pod("z", "n", NULL));
    wait_value(b, "ns/z", "spec.nodeName", "n");
    fake_kube_drop_watches(b->fake);
    wait_watched(b);
    assert_true(fake_kube_asked(b->fake, "watch=true") > asked);
    scoped(free) char *resumed = fake_kube_last(b->fake, "watch=true", NULL);
    assert_non_null(strstr(resumed, "allowWatchBookmarks=true"));
    assert_int_equal(fake_kube_asked(b->fake, "limit=500"), 1);
}

static void bookmarks_alone_let_it_survive_compaction(void **state)
{
    struct bench *b = *state;
    char want[64];

    start(b);
    wait_watched(b);
    fake_kube_compact(b->fake);
    fake_kube_bookmark(b->fake);
    (void)fake_kube_put(b->fake, &KIND_POD, pod("a", "n", NULL));
    wait_value(b, "ns/a", "spec.nodeName", "n");
    (void)snprintf(want, sizeof(want), "watch=true");
    fake_kube_drop_watches(b->fake);
    wait_watched(b);
    (void)fake_kube_put(b->fake, &KIND_POD, pod("a", "n2", NULL));
    wait_value(b, "ns/a", "spec.nodeName", "n2");
    assert_int_equal(fake_kube_asked(b->fake, "limit=500"), 1);
}

static void too_old_a_version_means_a_new_list_and_deletions_are_made_up(void **state)
{
    struct bench *b = *state;

    (void)fake_kube_put(b->fake, &KIND_POD, pod("a", "n", NULL));
    (void)fake_kube_put(b->fake, &KIND_POD, pod("b", "n", NULL));
    (void)fake_kube_put(b->fake, &KIND_POD, pod("c", "n", NULL));
    start(b);
    wait_watched(b);
    assert_told(b, "+a +b +c ");

    fake_kube_fail(b->fake, "watch=true", 503, -1, -1);
    fake_kube_drop_watches(b->fake);
    fake_kube_remove(b->fake, &KIND_POD, "ns", "b");
    (void)fake_kube_put(b->fake, &KIND_POD, pod("c", "n2", NULL));
    (void)fake_kube_put(b->fake, &KIND_POD, pod("d", "n", NULL));
    fake_kube_compact(b->fake);
    assert_int_equal(informer_count(b->informer), 3); /* the store is kept meanwhile */
    fake_kube_heal(b->fake);
    wait_value(b, "ns/d", "spec.nodeName", "n");
    wait_value(b, "ns/b", NULL, NULL);
    assert_told(b, "~c +d -b "); /* a did not change: not a word */
    assert_int_equal(fake_kube_asked(b->fake, "limit=500"), 2);
}

static void an_expired_event_means_a_new_list(void **state)
{
    struct bench *b = *state;

    (void)fake_kube_put(b->fake, &KIND_POD, pod("a", "n", NULL));
    start(b);
    wait_watched(b);
    fake_kube_send_line(b->fake, "{\"type\":\"ERROR\",\"object\":{\"kind\":\"Status\",\"code\":410,"
                                 "\"reason\":\"Expired\",\"message\":\"too old\"}}");
    fake_kube_drop_watches(b->fake);
    wait_watched(b);
    (void)fake_kube_put(b->fake, &KIND_POD, pod("b", "n", NULL));
    wait_value(b, "ns/b", "spec.nodeName", "n");
    assert_int_equal(fake_kube_asked(b->fake, "limit=500"), 2);
    assert_told(b, "+a +b ");
}

static void one_made_again_unseen_is_deleted_first(void **state)
{
    struct bench *b = *state;

    (void)fake_kube_put(b->fake, &KIND_POD, pod("a", "n", NULL));
    start(b);
    wait_watched(b);
    fake_kube_fail(b->fake, "watch=true", 503, -1, -1);
    fake_kube_drop_watches(b->fake);
    fake_kube_remove(b->fake, &KIND_POD, "ns", "a");
    (void)fake_kube_put(b->fake, &KIND_POD, pod("a", "n2", NULL));
    fake_kube_compact(b->fake);
    fake_kube_heal(b->fake);
    wait_value(b, "ns/a", "spec.nodeName", "n2");
    assert_told(b, "+a -a +a ");
}

static void a_server_that_goes_away_and_comes_back_is_found(void **state)
{
    struct bench *b = *state;

    (void)fake_kube_put(b->fake, &KIND_POD, pod("a", "n", NULL));
    start(b);
    wait_watched(b);
    fake_kube_down(b->fake);
    (void)fake_kube_put(b->fake, &KIND_POD, pod("b", "n", NULL));
    json_auto_t *kept = informer_get(b->informer, "ns/a");
    assert_non_null(kept);
    fake_kube_up(b->fake);
    wait_value(b, "ns/b", "spec.nodeName", "n");
    assert_int_equal(fake_kube_asked(b->fake, "limit=500"), 1);
    assert_told(b, "+a +b ");
}

static bool is_refused_often(void *ctx)
{
    return fake_kube_asked(((struct bench *)ctx)->fake, "watch=true") >= 4;
}

/* A call of somebody else comes between any two looks. */
static bool is_watched_after_a_call(void *ctx)
{
    struct bench *b = ctx;
    struct error e = { 0 };
    json_auto_t *got = NULL;

    assert_int_equal(kube_get(fake_kube_client(b->fake), &KIND_POD, "ns", "a", &got, &e), 0);
    return is_watched(b);
}

/* Watches are refused until the back-off is at least 6.4 s long. */
static void any_answer_ends_the_back_off_from_a_lost_server(void **state)
{
    struct bench *b = *state;

    (void)fake_kube_put(b->fake, &KIND_POD, pod("a", "n1", NULL));
    fake_kube_fail(b->fake, "watch=true", 503, -1, -1);
    start(b);
    assert_true(fake_wait(is_refused_often, b, FAKE_PATIENCE_MS));
    int64_t refused = clock_mono_ms(&clock_real);
    fake_kube_heal(b->fake);
    assert_true(fake_wait(is_watched_after_a_call, b, FAKE_PATIENCE_MS));
    assert_in_range(clock_mono_ms(&clock_real) - refused, 0, 6200);
}

static void a_list_that_fails_is_tried_again(void **state)
{
    struct bench *b = *state;

    (void)fake_kube_put(b->fake, &KIND_POD, pod("a", "n", NULL));
    fake_kube_fail(b->fake, "limit=500", 500, 1, -1);
    start(b);
    assert_told(b, "+a ");
    assert_int_equal(fake_kube_asked(b->fake, "limit=500"), 2);
}

static void a_list_that_expires_between_pages_starts_again(void **state)
{
    struct bench *b = *state;
    char name[32];

    for (int i = 0; i < 600; i++) {
        (void)snprintf(name, sizeof(name), "p%d", i);
        (void)fake_kube_put(b->fake, &KIND_POD, pod(name, "n", NULL));
    }
    fake_kube_fail(b->fake, "continue=", 410, 1, -1);
    start(b);
    assert_int_equal(informer_count(b->informer), 600);
    assert_int_equal(fake_kube_asked(b->fake, "limit=500"), 4);
}

static void a_kind_that_is_not_served_counts_as_empty_until_it_is(void **state)
{
    struct bench *b = *state;

    b->options.may_be_absent = true;
    fake_kube_fail(b->fake, "pods", 404, -1, -1);
    start(b);
    assert_int_equal(informer_count(b->informer), 0);
}

static void resync_tells_everything_again(void **state)
{
    struct bench *b = *state;

    b->options.resync_ms = 50;
    (void)fake_kube_put(b->fake, &KIND_POD, pod("a", "n", NULL));
    start(b);
    (void)fake_wait(is_watched, b, FAKE_PATIENCE_MS);
    for (int i = 0; i < 10000; i++) {
        pthread_mutex_lock(&b->lock);
        bool told = str_has_prefix(b->told, "+a ~a ~a ");
        pthread_mutex_unlock(&b->lock);
        if (told)
            return;
        (void)nanosleep(&(struct timespec){ .tv_nsec = 2000000 }, NULL);
    }
    fail_msg("not told again");
}

static void stopping_while_the_server_is_silent_is_quick(void **state)
{
    struct bench *b = *state;

    fake_kube_fail(b->fake, "pods", FAKE_KUBE_HANG, -1, -1);
    b->informer = informer_start(fake_kube_client(b->fake), b->watcher, &b->options);
    assert_false(informers_wait(&b->informer, 1, 50));
    int64_t began = clock_mono_ms(&clock_real);
    informer_stop(b->informer);
    b->informer = NULL;
    assert_true(clock_mono_ms(&clock_real) - began < 8000); /* a call may take 10 s and more */
}

static void readers_may_read_while_the_watch_writes(void **state)
{
    struct bench *b = *state;
    char name[32];

    start(b);
    wait_watched(b);
    for (int i = 0; i < 300; i++) {
        (void)snprintf(name, sizeof(name), "p%d", i % 50);
        (void)fake_kube_put(b->fake, &KIND_POD, pod(name, i % 3 ? "n1" : "n2", "u"));
        json_auto_t *one = informer_get(b->informer, "ns/p7");
        json_auto_t *some = informer_by_index(b->informer, "node", "n2");
        assert_true(json_array_size(some) <= 50);
    }
    b->count = 50;
    assert_true(fake_wait(count_is, b, FAKE_PATIENCE_MS));
}

static void big_objects_are_parsed_again_when_cold(void **state)
{
    struct bench *b = *state;
    scoped(free) char *filler = must_malloc(40001);
    char name[32];

    memset(filler, 'x', 40000);
    filler[40000] = '\0';
    for (int i = 0; i < 30; i++) {
        (void)snprintf(name, sizeof(name), "p%d", i);
        json_t *p = pod(name, "n", NULL);
        jpath_set_str(p, "metadata.annotations.filler", filler);
        (void)fake_kube_put(b->fake, &KIND_POD, p);
    }
    start(b);
    for (int i = 0; i < 60; i++) {
        (void)snprintf(name, sizeof(name), "ns/p%d", i % 30);
        json_auto_t *got = informer_get(b->informer, name);
        assert_string_equal(meta_name(got), name + 3);
        assert_int_equal(strlen(jpath_str(got, "metadata.annotations.filler", "")), 40000);
    }
}

#define CASE(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(lists_then_follows),
        CASE(objects_are_stamped_and_trimmed),
        CASE(many_pages_make_one_list),
        CASE(indexes_follow_changes),
        CASE(selectors_are_sent_and_leaving_them_is_a_deletion),
        CASE(a_broken_watch_resumes_without_a_list),
        CASE(a_bookmark_moves_the_place_to_resume_from),
        CASE(bookmarks_alone_let_it_survive_compaction),
        CASE(too_old_a_version_means_a_new_list_and_deletions_are_made_up),
        CASE(an_expired_event_means_a_new_list),
        CASE(one_made_again_unseen_is_deleted_first),
        CASE(a_server_that_goes_away_and_comes_back_is_found),
        CASE(any_answer_ends_the_back_off_from_a_lost_server),
        CASE(a_list_that_fails_is_tried_again),
        CASE(a_list_that_expires_between_pages_starts_again),
        CASE(a_kind_that_is_not_served_counts_as_empty_until_it_is),
        CASE(resync_tells_everything_again),
        CASE(stopping_while_the_server_is_silent_is_quick),
        CASE(readers_may_read_while_the_watch_writes),
        CASE(big_objects_are_parsed_again_when_cold),
    };

    log_init("test", 0);
    return cmocka_run_group_tests_name("informer", tests, NULL, NULL);
}
