/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Streaming answers: one thread and one curl multi for any number of them.
 * Other threads only append to the inbox and wake the thread up.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/must.h"
#include "base/scope.h"
#include "http/client_internal.h"

enum {
    LINE_BYTES_MAX = 16 * 1024 * 1024,
    LINE_KEEP_BYTES = 64 * 1024, /* a line buffer that grew beyond is given back */
    WAIT_MS_MAX = 60 * 1000,
};

struct http_watch {
    struct http_watch *next; /* of the watcher's live list; guarded by its lock */
    struct http_watcher *watcher;
    struct http_client *client; /* a reference */
    struct http_watch_events events;
    void *ctx;
    int64_t idle_timeout_ms;
    bool stop_wanted; /* guarded by the watcher's lock */

    /* the watcher's thread only, once started */
    CURL *curl;
    struct client_setup setup;
    char *body;
    struct buf line;
    int status;
    bool status_told;
    bool is_running; /* added to the multi */
    int64_t heard_ms;
    struct error why; /* a failure of our own making; code ERR_NONE without */
};

struct timer {
    struct timer *next;
    int64_t due_ms;
    void (*fn)(void *);
    void *ctx;
};

struct http_watcher {
    CURLM *multi;
    pthread_t thread;

    pthread_mutex_t lock;
    /* guarded by lock */
    struct http_watch *live; /* every watch whose on_end has not been called */
    struct timer *timers;    /* soonest first */
    bool is_stopping;
};

static int64_t now_ms(void)
{
    return clock_mono_ms(&clock_real);
}

/* ---- one stream ---- */

static void watch_free(struct http_watch *h)
{
    if (h->curl)
        curl_easy_cleanup(h->curl);
    client_setup_done(&h->setup);
    http_client_unref(h->client);
    buf_done(&h->line);
    free(h->body);
    free(h);
}

static bool is_success(int status)
{
    return status >= 200 && status < 300;
}

static void tell_status(struct http_watch *h)
{
    long status = 0;

    if (h->status_told)
        return;
    (void)curl_easy_getinfo(h->curl, CURLINFO_RESPONSE_CODE, &status);
    h->status = (int)status;
    h->status_told = true;
    if (h->events.on_status && h->status)
        h->events.on_status(h->status, h->ctx);
}

/* Whole lines out of one piece of the body; the rest of the last one is kept. */
static bool split_lines(struct http_watch *h, const char *data, size_t len)
{
    while (len > 0) {
        const char *end = memchr(data, '\n', len);
        size_t piece = end ? (size_t)(end - data) : len;
        bool is_whole = end && h->line.len == 0;

        if (!is_whole && !buf_add(&h->line, data, piece)) {
            (void)error_set(&h->why, ERR_TOO_LARGE, "a line is longer than %d bytes",
                            LINE_BYTES_MAX);
            return false;
        }
        if (is_whole) {
            h->events.on_line(data, piece, h->ctx);
        } else if (end) {
            h->events.on_line(h->line.data ? h->line.data : "", h->line.len, h->ctx);
            buf_clear(&h->line);
            if (h->line.cap > LINE_KEEP_BYTES) {
                buf_done(&h->line);
                h->line = BUF_INIT(LINE_BYTES_MAX);
            }
        }
        data += piece + (end ? 1 : 0);
        len -= piece + (end ? 1 : 0);
    }
    return true;
}

static size_t on_body(char *data, size_t one, size_t len, void *ctx)
{
    struct http_watch *h = ctx;

    h->heard_ms = now_ms();
    tell_status(h);
    if (!is_success(h->status)) {
        size_t room = ERROR_MSG_MAX - 1 - h->line.len; /* the start of the body says why */
        (void)buf_add(&h->line, data, len < room ? len : room);
        return len;
    }
    return split_lines(h, data, len) ? len : 0;
}

static size_t on_header(char *data, size_t one, size_t len, void *ctx)
{
    struct http_watch *h = ctx;
    long status = 0;

    h->heard_ms = now_ms();
    if (len > 2)
        return len;
    /* The empty line: the head is whole, though the body may stay away for long. */
    (void)curl_easy_getinfo(h->curl, CURLINFO_RESPONSE_CODE, &status);
    if (status >= 200)
        tell_status(h);
    return len;
}

static int watch_prepare(struct http_watch *h, const struct http_request *q, struct error *e)
{
    struct pem_set *pem = NULL;
    int r = http_client_pem(h->client, &pem, e);
    if (r < 0)
        return r;

    struct http_request mine = *q;
    if (q->body_len > 0) {
        h->body = must_malloc(q->body_len);
        memcpy(h->body, q->body, q->body_len);
        mine.body = h->body;
    }
    h->curl = curl_easy_init();
    must(h->curl);
    r = client_setup(&h->setup, h->curl, h->client, &mine, pem, e);
    if (r < 0)
        return r;

    curl_must(h->curl, CURLOPT_TIMEOUT_MS, (long)(q->timeout_ms > 0 ? q->timeout_ms : 0));
    curl_must(h->curl, CURLOPT_PRIVATE, h);
    curl_must(h->curl, CURLOPT_WRITEFUNCTION, on_body);
    curl_must(h->curl, CURLOPT_WRITEDATA, h);
    curl_must(h->curl, CURLOPT_HEADERFUNCTION, on_header);
    curl_must(h->curl, CURLOPT_HEADERDATA, h);
    return 0;
}

/* The last thing that happens to a watch: leave the lists, say why, free. */
static void watch_end(struct http_watch *h, const struct error *why)
{
    struct http_watcher *w = h->watcher;

    if (h->is_running)
        must(curl_multi_remove_handle(w->multi, h->curl) == CURLM_OK);
    (void)pthread_mutex_lock(&w->lock);
    struct http_watch **at = &w->live;
    while (*at != h)
        at = &(*at)->next;
    *at = h->next;
    (void)pthread_mutex_unlock(&w->lock);

    h->events.on_end(h->status, why, h->ctx);
    watch_free(h);
}

/* libcurl says that the transfer is over. */
static void watch_finished(struct http_watch *h, CURLcode code)
{
    struct error why = h->why;

    if (why.code == ERR_NONE)
        (void)client_result(h->curl, code, &h->setup, &why);
    if (code == CURLE_OK)
        tell_status(h);
    if (h->status && !is_success(h->status))
        (void)error_set(&why, error_from_http(h->status, NULL), "%s",
                        h->line.len > 0 ? h->line.data : http_status_text(h->status));
    else if (why.code == ERR_NONE && h->line.len > 0)
        h->events.on_line(h->line.data, h->line.len, h->ctx);
    watch_end(h, &why);
}

/* ---- the thread ---- */

static void finish_done(struct http_watcher *w)
{
    int left = 0;

    for (CURLMsg *m = curl_multi_info_read(w->multi, &left); m;
         m = curl_multi_info_read(w->multi, &left)) {
        struct http_watch *h = NULL;
        CURLcode code = m->data.result;
        if (m->msg != CURLMSG_DONE)
            continue;
        must(curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, &h) == CURLE_OK);
        watch_finished(h, code);
    }
}

enum verdict { GO_ON, START, STOPPED, SILENT, NOT_PREPARED, CLOSING };

static enum verdict judge(const struct http_watcher *w, const struct http_watch *h, int64_t now)
{
    if (h->stop_wanted)
        return STOPPED;
    if (w->is_stopping)
        return CLOSING;
    if (h->why.code != ERR_NONE && !h->is_running)
        return NOT_PREPARED;
    if (!h->is_running)
        return START;
    return h->idle_timeout_ms > 0 && now - h->heard_ms >= h->idle_timeout_ms ? SILENT : GO_ON;
}

/* The next watch that something must happen to; callbacks run without the lock, so look anew each
 * time. */
static struct http_watch *next_due(struct http_watcher *w, enum verdict *ret)
{
    int64_t now = now_ms();
    struct http_watch *h;

    *ret = GO_ON;
    (void)pthread_mutex_lock(&w->lock);
    for (h = w->live; h; h = h->next) {
        *ret = judge(w, h, now);
        if (*ret != GO_ON)
            break;
    }
    (void)pthread_mutex_unlock(&w->lock);
    return h;
}

static void act(struct http_watcher *w, struct http_watch *h, enum verdict verdict)
{
    struct error why = { 0 };

    switch (verdict) {
    case GO_ON:
        return;
    case START:
        must(curl_multi_add_handle(w->multi, h->curl) == CURLM_OK);
        h->is_running = true;
        h->heard_ms = now_ms();
        return;
    case STOPPED:
        break;
    case NOT_PREPARED:
        why = h->why;
        break;
    case CLOSING:
        (void)error_set(&why, ERR_UNAVAILABLE, "the watcher is stopping");
        break;
    case SILENT:
        (void)error_set(&why, ERR_TIMEOUT, "nothing heard for %lld ms",
                        (long long)h->idle_timeout_ms);
        http_client_distrust(h->client);
        break;
    }
    watch_end(h, &why);
}

static void act_on_all(struct http_watcher *w)
{
    enum verdict verdict;

    for (struct http_watch *h = next_due(w, &verdict); h; h = next_due(w, &verdict))
        act(w, h, verdict);
}

static void run_timers(struct http_watcher *w)
{
    const int64_t now = now_ms(); /* one that fn adds is for the next turn */

    for (;;) {
        (void)pthread_mutex_lock(&w->lock);
        struct timer *t = w->timers;
        if (t && t->due_ms > now)
            t = NULL;
        if (t)
            w->timers = t->next;
        (void)pthread_mutex_unlock(&w->lock);
        if (!t)
            return;
        t->fn(t->ctx);
        free(t);
    }
}

static int wait_ms(struct http_watcher *w)
{
    int64_t now = now_ms();

    (void)pthread_mutex_lock(&w->lock);
    int64_t wait = w->is_stopping ? 0 : WAIT_MS_MAX;
    if (w->timers && w->timers->due_ms - now < wait)
        wait = w->timers->due_ms - now;
    for (struct http_watch *h = w->live; h; h = h->next) {
        int64_t left = h->heard_ms + h->idle_timeout_ms - now;
        if (!h->is_running || h->stop_wanted)
            left = 0;
        else if (h->idle_timeout_ms <= 0)
            continue;
        if (left < wait)
            wait = left;
    }
    (void)pthread_mutex_unlock(&w->lock);
    return wait > 0 ? (int)wait : 0;
}

static bool is_over(struct http_watcher *w)
{
    (void)pthread_mutex_lock(&w->lock);
    bool over = w->is_stopping && !w->live;
    (void)pthread_mutex_unlock(&w->lock);
    return over;
}

static void *watcher_run(void *arg)
{
    struct http_watcher *w = arg;

    while (!is_over(w)) {
        int running = 0;
        act_on_all(w);
        must(curl_multi_perform(w->multi, &running) == CURLM_OK);
        finish_done(w);
        run_timers(w);
        must(curl_multi_poll(w->multi, NULL, 0, wait_ms(w), NULL) == CURLM_OK);
    }
    return NULL;
}

/* ---- any thread ---- */

struct http_watcher *http_watcher_new(const char *name)
{
    struct http_watcher *w = must_calloc(1, sizeof(*w));
    char title[16]; /* what the kernel keeps */

    w->multi = curl_multi_init();
    must(w->multi);
    must(curl_multi_setopt(w->multi, CURLMOPT_PIPELINING, (long)CURLPIPE_MULTIPLEX) == CURLM_OK);
    must(pthread_mutex_init(&w->lock, NULL) == 0);
    must(pthread_create(&w->thread, NULL, watcher_run, w) == 0);
    (void)snprintf(title, sizeof(title), "%s", name);
    (void)pthread_setname_np(w->thread, title);
    return w;
}

void http_watcher_free(struct http_watcher *w)
{
    if (!w)
        return;
    (void)pthread_mutex_lock(&w->lock);
    w->is_stopping = true;
    (void)pthread_mutex_unlock(&w->lock);
    (void)curl_multi_wakeup(w->multi);
    (void)pthread_join(w->thread, NULL);

    while (w->timers) {
        struct timer *t = w->timers;
        w->timers = t->next;
        free(t);
    }
    (void)curl_multi_cleanup(w->multi);
    (void)pthread_mutex_destroy(&w->lock);
    free(w);
}

struct http_watch *http_watch_start(struct http_watcher *w, struct http_client *c,
                                    const struct http_request *q, int64_t idle_timeout_ms,
                                    const struct http_watch_events *events, void *ctx)
{
    struct http_watch *h = must_calloc(1, sizeof(*h));

    h->watcher = w;
    h->client = http_client_ref(c);
    h->events = *events;
    h->ctx = ctx;
    h->idle_timeout_ms = idle_timeout_ms;
    h->line = BUF_INIT(LINE_BYTES_MAX);
    if (watch_prepare(h, q, &h->why) < 0)
        (void)error_wrap(&h->why, "%s %s", http_method_name(q->method), q->path);

    (void)pthread_mutex_lock(&w->lock);
    h->next = w->live;
    w->live = h;
    (void)pthread_mutex_unlock(&w->lock);
    (void)curl_multi_wakeup(w->multi);
    return h;
}

void http_watch_stop(struct http_watch *h)
{
    struct http_watcher *w = h->watcher;

    (void)pthread_mutex_lock(&w->lock);
    h->stop_wanted = true;
    (void)pthread_mutex_unlock(&w->lock);
    (void)curl_multi_wakeup(w->multi);
}

void http_watcher_after(struct http_watcher *w, int64_t ms, void (*fn)(void *), void *ctx)
{
    struct timer *t = must_calloc(1, sizeof(*t));

    *t = (struct timer){ .due_ms = now_ms() + ms, .fn = fn, .ctx = ctx };
    (void)pthread_mutex_lock(&w->lock);
    struct timer **at = &w->timers;
    while (*at && (*at)->due_ms <= t->due_ms)
        at = &(*at)->next;
    t->next = *at;
    *at = t;
    (void)pthread_mutex_unlock(&w->lock);
    (void)curl_multi_wakeup(w->multi);
}

void http_watcher_cancel(struct http_watcher *w, const void *ctx)
{
    (void)pthread_mutex_lock(&w->lock);
    for (struct timer **at = &w->timers; *at;) {
        struct timer *t = *at;
        if (t->ctx != ctx) {
            at = &t->next;
            continue;
        }
        *at = t->next;
        free(t);
    }
    (void)pthread_mutex_unlock(&w->lock);
}
