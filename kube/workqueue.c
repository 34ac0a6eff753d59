/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One hash of items holds all three sets: a key is dirty (must run), queued
 * (dirty and not processing, linked in order) or processing.  Delayed keys sit
 * in a heap; whoever waits in get longest keeps the time for all, so that a
 * deadline wakes one worker and no thread is needed.
 */
#include "kube/workqueue.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <time.h>
#include <uthash.h>

#include "base/metrics.h"
#include "base/must.h"
#include "base/scope.h"
#include "kube/bucket.h"

enum { NS_PER_MS = 1000000, BACKOFF_FIRST_MS = 5, BACKOFF_MAX_MS = 1000 * 1000 };

struct item {
    UT_hash_handle hh;
    struct item *next; /* in the queue */
    int64_t added_ns;
    int64_t started_ns;
    int64_t ready_ms; /* when the delay ends */
    size_t heap_at;   /* place in the heap + 1; 0: not delayed */
    unsigned failures;
    bool is_dirty;
    bool is_processing;
    char key[];
};

struct workqueue {
    struct workqueue *next_queue; /* guarded by queues_lock */
    char *name;
    pthread_mutex_t lock;
    /* guarded by lock */
    pthread_cond_t changed;
    struct item *items;
    struct item *head, **tail;
    size_t len;
    struct item **heap; /* by ready_ms, least first */
    size_t heap_len, heap_cap;
    struct bucket bucket;
    bool has_timekeeper;
    bool is_stopped;
};

#define QUEUE_BUCKETS                                            \
    {                                                            \
        1e-8, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1, 10, 0 \
    }

static struct metric queue_depth = {
    .name = "kubevirt_workqueue_depth",
    .type = METRIC_GAUGE,
    .help = "Current depth of the work queue.",
    .labels = { "name" },
};
static struct metric queue_longest = {
    .name = "kubevirt_workqueue_longest_running_processor_seconds",
    .type = METRIC_GAUGE,
    .help = "How long the longest running worker of the queue has been busy with its key.",
    .labels = { "name" },
};
static struct metric queue_unfinished = {
    .name = "kubevirt_workqueue_unfinished_work_seconds",
    .type = METRIC_GAUGE,
    .help = "Seconds of work in progress that work_duration has not seen yet.",
    .labels = { "name" },
};
static struct metric queue_adds = {
    .name = "kubevirt_workqueue_adds_total",
    .type = METRIC_COUNTER,
    .help = "Keys added to the work queue.",
    .labels = { "name" },
};
static struct metric queue_retries = {
    .name = "kubevirt_workqueue_retries_total",
    .type = METRIC_COUNTER,
    .help = "Keys added again after a delay.",
    .labels = { "name" },
};
static struct metric queue_wait = {
    .name = "kubevirt_workqueue_queue_duration_seconds",
    .type = METRIC_HISTOGRAM,
    .help = "How long a key stayed in the work queue.",
    .labels = { "name" },
    .buckets = QUEUE_BUCKETS,
};
static struct metric queue_work = {
    .name = "kubevirt_workqueue_work_duration_seconds",
    .type = METRIC_HISTOGRAM,
    .help = "How long the work on a key took.",
    .labels = { "name" },
    .buckets = QUEUE_BUCKETS,
};

static pthread_mutex_t queues_lock = PTHREAD_MUTEX_INITIALIZER;
static struct workqueue *queues; /* guarded by queues_lock */
static pthread_once_t collect_once = PTHREAD_ONCE_INIT;

static int64_t now_ns(void)
{
    struct timespec ts;

    (void)clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

static double seconds(int64_t ns)
{
    return (double)ns / 1e9;
}

/* ---- metrics that are read at a scrape ---- */

struct queue_gauges {
    double depth, longest, unfinished;
};

static struct queue_gauges queue_measure(struct workqueue *q)
{
    struct queue_gauges g = { 0 };

    pthread_mutex_lock(&q->lock);
    int64_t now = now_ns();
    g.depth = (double)q->len;
    for (const struct item *it = q->items; it; it = it->hh.next) {
        double busy = it->is_processing ? seconds(now - it->started_ns) : 0;
        g.unfinished += busy;
        g.longest = busy > g.longest ? busy : g.longest;
    }
    pthread_mutex_unlock(&q->lock);
    return g;
}

static void collect(void *ctx)
{
    pthread_mutex_lock(&queues_lock);
    for (struct workqueue *q = queues; q; q = q->next_queue) {
        struct queue_gauges g = queue_measure(q);
        metric_set(&queue_depth, g.depth, q->name);
        metric_set(&queue_longest, g.longest, q->name);
        metric_set(&queue_unfinished, g.unfinished, q->name);
    }
    pthread_mutex_unlock(&queues_lock);
}

static void collect_start(void)
{
    metrics_on_scrape(collect, NULL);
}

static void queues_add(struct workqueue *q)
{
    (void)pthread_once(&collect_once, collect_start);
    pthread_mutex_lock(&queues_lock);
    q->next_queue = queues;
    queues = q;
    pthread_mutex_unlock(&queues_lock);
}

static void queues_remove(struct workqueue *q)
{
    pthread_mutex_lock(&queues_lock);
    struct workqueue **at = &queues;
    while (*at != q)
        at = &(*at)->next_queue;
    *at = q->next_queue;
    pthread_mutex_unlock(&queues_lock);
}

/* ---- items; all with the lock held ---- */

static struct item *item_find(struct workqueue *q, const char *key)
{
    struct item *it = NULL;

    HASH_FIND_STR(q->items, key, it);
    return it;
}

static struct item *item_make(struct workqueue *q, const char *key)
{
    struct item *it = item_find(q, key);
    if (it)
        return it;

    size_t len = strlen(key);
    it = must_calloc(1, sizeof(*it) + len + 1);
    memcpy(it->key, key, len + 1);
    HASH_ADD_KEYPTR(hh, q->items, it->key, len, it);
    return it;
}

/* Nothing is known of the key any more: drop it. */
static void item_settle(struct workqueue *q, struct item *it)
{
    if (it->is_dirty || it->is_processing || it->heap_at || it->failures)
        return;
    HASH_DEL(q->items, it);
    free(it);
}

static void heap_place(struct workqueue *q, size_t i, struct item *it)
{
    q->heap[i] = it;
    it->heap_at = i + 1;
}

static void heap_up(struct workqueue *q, size_t i)
{
    struct item *it = q->heap[i];

    while (i > 0 && q->heap[(i - 1) / 2]->ready_ms > it->ready_ms) {
        heap_place(q, i, q->heap[(i - 1) / 2]);
        i = (i - 1) / 2;
    }
    heap_place(q, i, it);
}

static void heap_down(struct workqueue *q, size_t i)
{
    struct item *it = q->heap[i];

    for (;;) {
        size_t least = 2 * i + 1;
        if (least >= q->heap_len)
            break;
        if (least + 1 < q->heap_len && q->heap[least + 1]->ready_ms < q->heap[least]->ready_ms)
            least++;
        if (q->heap[least]->ready_ms >= it->ready_ms)
            break;
        heap_place(q, i, q->heap[least]);
        i = least;
    }
    heap_place(q, i, it);
}

static void heap_add(struct workqueue *q, struct item *it)
{
    if (q->heap_len == q->heap_cap) {
        q->heap_cap = q->heap_cap ? q->heap_cap * 2 : 16;
        q->heap = must_realloc(q->heap, q->heap_cap * sizeof(*q->heap));
    }
    heap_place(q, q->heap_len++, it);
    heap_up(q, q->heap_len - 1);
}

static struct item *heap_pop(struct workqueue *q)
{
    struct item *it = q->heap[0];

    it->heap_at = 0;
    q->heap_len--;
    if (q->heap_len > 0) {
        heap_place(q, 0, q->heap[q->heap_len]);
        heap_down(q, 0);
    }
    return it;
}

static void queue_push(struct workqueue *q, struct item *it)
{
    it->next = NULL;
    *q->tail = it;
    q->tail = &it->next;
    q->len++;
    pthread_cond_signal(&q->changed);
}

static struct item *queue_pop(struct workqueue *q)
{
    struct item *it = q->head;

    q->head = it->next;
    if (!q->head)
        q->tail = &q->head;
    q->len--;
    return it;
}

/* True when the key was not waiting already. */
static bool item_add(struct workqueue *q, struct item *it)
{
    if (it->is_dirty)
        return false;
    it->is_dirty = true;
    it->added_ns = now_ns();
    if (!it->is_processing)
        queue_push(q, it);
    return true;
}

/* Move what is due from the heap to the queue; the number of keys that are new there. */
static size_t release_due(struct workqueue *q, int64_t now_ms)
{
    size_t n = 0;

    while (q->heap_len > 0 && q->heap[0]->ready_ms <= now_ms)
        n += item_add(q, heap_pop(q));
    return n;
}

static void item_delay(struct workqueue *q, struct item *it, int64_t ms)
{
    int64_t ready_ms = now_ns() / NS_PER_MS + ms;

    if (it->heap_at && it->ready_ms <= ready_ms)
        return; /* the earlier one counts */
    it->ready_ms = ready_ms;
    if (it->heap_at)
        heap_up(q, it->heap_at - 1);
    else
        heap_add(q, it);
    if (q->heap[0] == it)
        pthread_cond_broadcast(&q->changed); /* the timekeeper must look again */
}

/* ---- public ---- */

struct workqueue *workqueue_new(const char *name)
{
    struct workqueue *q = must_calloc(1, sizeof(*q));
    pthread_condattr_t attr;

    q->name = must_strdup(name);
    q->tail = &q->head;
    q->bucket = bucket_make(10, 100, now_ns() / NS_PER_MS);
    must(pthread_mutex_init(&q->lock, NULL) == 0);
    must(pthread_condattr_init(&attr) == 0);
    must(pthread_condattr_setclock(&attr, CLOCK_MONOTONIC) == 0);
    must(pthread_cond_init(&q->changed, &attr) == 0);
    (void)pthread_condattr_destroy(&attr);
    queues_add(q);
    metric_add(&queue_adds, 0, q->name);
    metric_add(&queue_retries, 0, q->name);
    return q;
}

void workqueue_free(struct workqueue *q)
{
    if (!q)
        return;
    queues_remove(q);
    for (struct item *it = q->items, *next; it; it = next) {
        next = it->hh.next;
        HASH_DEL(q->items, it);
        free(it);
    }
    free(q->heap);
    free(q->name);
    (void)pthread_cond_destroy(&q->changed);
    (void)pthread_mutex_destroy(&q->lock);
    free(q);
}

void workqueue_add(struct workqueue *q, const char *key)
{
    pthread_mutex_lock(&q->lock);
    bool is_new = !q->is_stopped && item_add(q, item_make(q, key));
    pthread_mutex_unlock(&q->lock);
    if (is_new)
        metric_add(&queue_adds, 1, q->name);
}

void workqueue_add_after(struct workqueue *q, const char *key, int64_t ms)
{
    bool is_new = false;

    pthread_mutex_lock(&q->lock);
    bool is_stopped = q->is_stopped;
    if (!is_stopped && ms <= 0)
        is_new = item_add(q, item_make(q, key));
    else if (!is_stopped)
        item_delay(q, item_make(q, key), ms);
    pthread_mutex_unlock(&q->lock);

    if (is_stopped)
        return;
    metric_add(&queue_retries, 1, q->name);
    if (is_new)
        metric_add(&queue_adds, 1, q->name);
}

static int64_t backoff_ms(unsigned failures)
{
    if (failures >= 18) /* 5 ms * 2^18 is past the bound */
        return BACKOFF_MAX_MS;
    int64_t ms = (int64_t)BACKOFF_FIRST_MS << failures;
    return ms < BACKOFF_MAX_MS ? ms : BACKOFF_MAX_MS;
}

void workqueue_add_limited(struct workqueue *q, const char *key)
{
    pthread_mutex_lock(&q->lock);
    struct item *it = item_make(q, key);
    int64_t own = backoff_ms(it->failures++);
    int64_t shared = bucket_reserve(&q->bucket, now_ns() / NS_PER_MS);
    pthread_mutex_unlock(&q->lock);
    workqueue_add_after(q, key, own > shared ? own : shared);
}

void workqueue_forget(struct workqueue *q, const char *key)
{
    pthread_mutex_lock(&q->lock);
    struct item *it = item_find(q, key);
    if (it) {
        it->failures = 0;
        item_settle(q, it);
    }
    pthread_mutex_unlock(&q->lock);
}

unsigned workqueue_retries(struct workqueue *q, const char *key)
{
    pthread_mutex_lock(&q->lock);
    const struct item *it = item_find(q, key);
    unsigned n = it ? it->failures : 0;
    pthread_mutex_unlock(&q->lock);
    return n;
}

size_t workqueue_len(struct workqueue *q)
{
    pthread_mutex_lock(&q->lock);
    size_t n = q->len;
    pthread_mutex_unlock(&q->lock);
    return n;
}

/* Wait for a change; one waiter of all also for the end of the next delay. */
static void wait_for_change(struct workqueue *q)
{
    if (q->heap_len == 0 || q->has_timekeeper) {
        pthread_cond_wait(&q->changed, &q->lock);
        return;
    }
    int64_t ms = q->heap[0]->ready_ms;
    struct timespec until = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * NS_PER_MS };

    q->has_timekeeper = true;
    (void)pthread_cond_timedwait(&q->changed, &q->lock, &until);
    q->has_timekeeper = false;
}

char *workqueue_get(struct workqueue *q)
{
    char *key = NULL;
    int64_t waited_ns = 0;
    size_t released = 0;

    pthread_mutex_lock(&q->lock);
    for (;;) {
        released += release_due(q, now_ns() / NS_PER_MS);
        if (q->is_stopped || q->head)
            break;
        wait_for_change(q);
    }
    if (!q->is_stopped) {
        struct item *it = queue_pop(q);
        it->is_dirty = false;
        it->is_processing = true;
        it->started_ns = now_ns();
        waited_ns = it->started_ns - it->added_ns;
        key = must_strdup(it->key);
    }
    if (q->heap_len > 0)
        pthread_cond_signal(&q->changed); /* someone else keeps the time now */
    pthread_mutex_unlock(&q->lock);

    if (released)
        metric_add(&queue_adds, (double)released, q->name);
    if (key)
        metric_observe(&queue_wait, seconds(waited_ns), q->name);
    return key;
}

void workqueue_done(struct workqueue *q, const char *key)
{
    int64_t worked_ns = -1;

    pthread_mutex_lock(&q->lock);
    struct item *it = item_find(q, key);
    if (it && it->is_processing) {
        it->is_processing = false;
        worked_ns = now_ns() - it->started_ns;
        if (it->is_dirty)
            queue_push(q, it);
        else
            item_settle(q, it);
    }
    pthread_mutex_unlock(&q->lock);
    if (worked_ns >= 0)
        metric_observe(&queue_work, seconds(worked_ns), q->name);
}

void workqueue_stop(struct workqueue *q)
{
    pthread_mutex_lock(&q->lock);
    q->is_stopped = true;
    pthread_cond_broadcast(&q->changed);
    pthread_mutex_unlock(&q->lock);
}
