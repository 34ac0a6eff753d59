/* SPDX-License-Identifier: Apache-2.0 */
#include "base/loop.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/thread.h"
#include "rows.h"

enum { GIVE_UP_MS = 10000 };

/* What a test's callbacks write down. */
struct seen {
    struct loop *loop;
    struct loop_io *io;
    struct loop_timer *timer, *other;
    int fd;
    int events;
    int count;
    int order[8];
    char text[64];
    size_t len;
};

static void give_up(void *arg)
{
    fail_msg("%s", "the loop did not end in time");
}

static void stop(void *arg)
{
    loop_stop(arg);
}

static void append_1(void *arg)
{
    struct seen *s = arg;
    s->order[s->count++] = 1;
}

static void append_2_and_post_3(void *arg)
{
    struct seen *s = arg;
    s->order[s->count++] = 2;
    if (s->count < 4)
        loop_post(s->loop, append_2_and_post_3, s);
    else
        loop_stop(s->loop);
}

static void posts_run_in_order(void **state)
{
    struct seen s = { .loop = loop_new("test") };

    assert_false(loop_is_here(s.loop));
    loop_post(s.loop, append_1, &s);
    loop_post(s.loop, append_2_and_post_3, &s);
    loop_run(s.loop);
    assert_int_equal(s.count, 4);
    assert_int_equal(s.order[0], 1);
    assert_int_equal(s.order[1], 2);
    assert_int_equal(s.order[3], 2);
    loop_free(s.loop);
}

static void posts_before_stop_are_run(void **state)
{
    struct seen s = { .loop = loop_new("test") };

    loop_post(s.loop, append_1, &s);
    loop_stop(s.loop);
    loop_run(s.loop);
    assert_int_equal(s.count, 1);
    loop_free(s.loop);
}

static void free_runs_what_is_posted(void **state)
{
    struct seen s = { .loop = loop_new("test") };
    loop_post(s.loop, append_1, &s);
    loop_free(s.loop);
    assert_int_equal(s.count, 1);
    loop_free(NULL);
}

static void a_loop_runs_again(void **state)
{
    struct seen s = { .loop = loop_new("test") };

    for (int i = 1; i <= 3; i++) {
        loop_post(s.loop, append_1, &s);
        loop_post(s.loop, stop, s.loop);
        loop_run(s.loop);
        assert_int_equal(s.count, i);
    }
    loop_free(s.loop);
}

/* ---- from other threads ---- */

enum { POSTERS = 4, POSTS = 2000 };

struct crowd {
    struct loop *loop;
    atomic_int wrong_thread;
    int count; /* loop's thread only */
};

static void count_post(void *arg)
{
    struct crowd *c = arg;
    if (!loop_is_here(c->loop))
        atomic_fetch_add(&c->wrong_thread, 1);
    c->count++;
}

static void *post_many(void *arg)
{
    struct crowd *c = arg;
    for (int i = 0; i < POSTS; i++)
        loop_post(c->loop, count_post, c);
    return NULL;
}

static void any_thread_posts(void **state)
{
    struct crowd c = { .loop = loop_new("crowd-with-a-very-long-name") };
    pthread_t posters[POSTERS];

    loop_start(c.loop);
    for (int i = 0; i < POSTERS; i++)
        thread_start(&posters[i], "poster", post_many, &c);
    for (int i = 0; i < POSTERS; i++)
        assert_int_equal(pthread_join(posters[i], NULL), 0);
    loop_stop(c.loop);
    loop_free(c.loop);
    assert_int_equal(c.count, POSTERS * POSTS);
    assert_int_equal(c.wrong_thread, 0);
}

/* ---- descriptors ---- */

static void read_once_and_leave(struct loop_io *io, int events, void *arg)
{
    struct seen *s = arg;
    s->events |= events;
    s->count++;
    const ssize_t n = read(s->fd, s->text, sizeof(s->text));
    s->len = n > 0 ? (size_t)n : 0;
    loop_io_free(io);
    (void)close(s->fd);
    loop_stop(s->loop);
}

static void reads_and_frees_inside_the_callback(void **state)
{
    int pair[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    struct seen s = { .loop = loop_new("test"), .fd = pair[0] };
    struct loop_timer *limit = loop_timer_new(s.loop, GIVE_UP_MS, give_up, NULL);

    s.io = loop_io_new(s.loop, pair[0], LOOP_READ, read_once_and_leave, &s);
    assert_int_equal(write(pair[1], "hello", 5), 5);
    loop_run(s.loop);
    assert_int_equal(s.count, 1);
    assert_int_equal(s.events, LOOP_READ);
    assert_memory_equal(s.text, "hello", 5);
    loop_timer_free(limit);
    loop_free(s.loop);
    (void)close(pair[1]);
}

static void note_and_pause(struct loop_io *io, int events, void *arg)
{
    struct seen *s = arg;
    s->events = events;
    s->count++;
    loop_io_set(io, 0);
    loop_timer_set(s->timer, 20);
}

static void paused_watchers_are_silent(void **state)
{
    int pair[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    struct seen s = { .loop = loop_new("test") };

    s.timer = loop_timer_new(s.loop, -1, stop, s.loop);
    s.io = loop_io_new(s.loop, pair[0], LOOP_WRITE, note_and_pause, &s);
    loop_run(s.loop);
    assert_int_equal(s.count, 1);
    assert_int_equal(s.events, LOOP_WRITE);

    loop_io_set(s.io, LOOP_HANGUP);
    (void)close(pair[1]);
    loop_run(s.loop);
    assert_int_equal(s.count, 2);
    assert_true(s.events & LOOP_HANGUP);
    loop_io_free(s.io);
    (void)close(pair[0]);
    loop_free(s.loop);
}

/* Three bytes at a time, until the end or an error. */
static void read_slowly(struct loop_io *io, int events, void *arg)
{
    struct seen *s = arg;
    s->count++;
    s->events |= events;
    assert_true(s->count < 20);
    const ssize_t n = read(s->fd, s->text + s->len, 3);
    if (n > 0) {
        s->len += (size_t)n;
        return;
    }
    if (n < 0 && s->order[0]++ == 0)
        return; /* the reset itself; the bytes are still there */
    loop_stop(s->loop);
}

static void bytes_behind_an_error_are_still_read(void **state)
{
    int pair[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    struct seen s = { .loop = loop_new("test"), .fd = pair[0] };
    struct loop_timer *limit = loop_timer_new(s.loop, GIVE_UP_MS, give_up, NULL);

    /* A peer that leaves with unread input makes EPOLLERR and ECONNRESET here. */
    assert_int_equal(write(pair[0], "unread", 6), 6);
    assert_int_equal(write(pair[1], "abcdefgh", 8), 8);
    (void)close(pair[1]);
    s.io = loop_io_new(s.loop, pair[0], LOOP_READ, read_slowly, &s);
    loop_run(s.loop);
    assert_int_equal(s.len, 8);
    assert_memory_equal(s.text, "abcdefgh", 8);
    loop_timer_free(limit);
    loop_io_free(s.io);
    loop_free(s.loop);
    (void)close(pair[0]);
}

/* ---- timers ---- */

static void free_itself_and_the_other(void *arg)
{
    struct seen *s = arg;
    s->count++;
    loop_timer_free(s->timer);
    loop_timer_free(s->other);
    loop_stop(s->loop);
}

static void timers_are_freed_inside_a_callback(void **state)
{
    struct seen s = { .loop = loop_new("test") };
    s.timer = loop_timer_new(s.loop, 1, free_itself_and_the_other, &s);
    s.other = loop_timer_new(s.loop, 1, give_up, NULL);
    loop_run(s.loop);
    assert_int_equal(s.count, 1);
    loop_free(s.loop);
}

static void arm_again_twice(void *arg)
{
    struct seen *s = arg;
    if (++s->count < 3)
        loop_timer_set(s->timer, 0);
    else
        loop_stop(s->loop);
}

static void timers_fire_once_for_each_time_armed(void **state)
{
    struct seen s = { .loop = loop_new("test") };
    const int64_t before = clock_mono_ms(&clock_real);

    s.timer = loop_timer_new(s.loop, 30, arm_again_twice, &s);
    struct loop_timer *off = loop_timer_new(s.loop, 1, give_up, NULL);
    loop_timer_set(off, -1);
    loop_run(s.loop);
    assert_int_equal(s.count, 3);
    assert_true(clock_mono_ms(&clock_real) - before >= 29);
    loop_timer_free(off);
    loop_timer_free(s.timer);
    loop_timer_free(NULL);
    loop_io_free(NULL);
    loop_free(s.loop);
}

static void free_closes_what_is_left(void **state)
{
    int pair[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    struct loop *l = loop_new("test");
    struct seen s = { .loop = l };

    (void)loop_timer_new(l, 100000, give_up, NULL);
    (void)loop_io_new(l, pair[0], LOOP_READ, read_slowly, &s);
    loop_io_free(loop_io_new(l, pair[1], LOOP_READ, read_slowly, &s));
    loop_start(l);
    loop_free(l);
    (void)close(pair[0]);
    (void)close(pair[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(posts_run_in_order),
        cmocka_unit_test(posts_before_stop_are_run),
        cmocka_unit_test(free_runs_what_is_posted),
        cmocka_unit_test(a_loop_runs_again),
        cmocka_unit_test(any_thread_posts),
        cmocka_unit_test(reads_and_frees_inside_the_callback),
        cmocka_unit_test(paused_watchers_are_silent),
        cmocka_unit_test(bytes_behind_an_error_are_still_read),
        cmocka_unit_test(timers_are_freed_inside_a_callback),
        cmocka_unit_test(timers_fire_once_for_each_time_armed),
        cmocka_unit_test(free_closes_what_is_left),
    };
    return cmocka_run_group_tests_name("loop", tests, NULL, NULL);
}
