/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The list and watch machine.  It runs on the watcher's thread only: step()
 * opens a list page or a watch, the stream's callbacks feed the store, the end
 * of the stream decides about the next step.  Other threads see the store, two
 * atomics and what stopping needs.
 */
#include "kube/informer.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/jpath.h"
#include "base/log.h"
#include "base/must.h"
#include "base/scope.h"
#include "base/str.h"
#include "http/client.h"
#include "kube/request.h"
#include "kube/store.h"

enum {
    WATCH_MIN_S = 300, /* the server ends each watch after this, up to twice as long */
    LIST_TIMEOUT_MS = 60 * 1000,
    IDLE_TIMEOUT_MS = 180 * 1000, /* bookmarks come every minute */
    PAGE_MIN = 10,
    LOST_LOOK_MS = 1000,   /* how often a back-off looks whether others got an answer */
    SHORT_WATCH_MS = 1000, /* one that ended sooner, without an event, was no watch */
};

struct informer {
    /* immutable */
    struct kube *kube;
    struct http_watcher *watcher;
    struct informer_options o;
    char *namespace;
    char *query; /* selectors, escaped; "" without */
    struct store *store;

    atomic_bool is_synced;
    atomic_llong heard_ms;

    pthread_mutex_t lock;
    /* guarded by lock */
    pthread_cond_t finished;
    bool is_stopping;
    bool is_finishing; /* the watcher's thread knows that we stop */
    bool is_finished;
    struct http_watch *stream;

    /* the watcher's thread only */
    struct buf page;
    char *version;        /* where the watch resumes; NULL: list first */
    char *continue_token; /* of the next page; NULL: first one */
    char *path;           /* of the open stream */
    size_t page_limit;
    unsigned failures;
    unsigned idle_relists; /* new lists since a watch last delivered something */
    int64_t opened_ms;
    bool is_watching; /* what the open stream is */
    bool has_event;   /* the open watch delivered something */
    bool is_lost;     /* the last failure brought no answer, or one of a server in trouble */
    int64_t failed_ms, retry_ms; /* when it failed, when its back-off ends */
};

/* Woken when any informer becomes synced. */
static pthread_mutex_t sync_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t sync_changed;
static pthread_once_t sync_once = PTHREAD_ONCE_INIT;

static void step(void *arg);
static void look_again(struct informer *i, int64_t left);
static void resync(void *arg);

static int64_t now_ms(void)
{
    return clock_mono_ms(&clock_real);
}

static const char *plural(const struct informer *i)
{
    return i->o.kind->plural;
}

/* ---- changes of the store, told ---- */

static void tell(struct informer *i, const json_t *old, const json_t *obj)
{
    if (i->o.on_event)
        i->o.on_event(old, obj, i->o.ctx);
}

static void forget_object(struct informer *i, const char *key, const json_t *last)
{
    json_auto_t *old = store_remove(i->store, key);

    if (old)
        tell(i, last ? last : old, NULL);
}

static void keep_object(struct informer *i, json_t *obj)
{
    json_t *metadata = jpath_obj(obj, "metadata");
    scoped(free) char *key = meta_key(obj);

    if (!metadata || !meta_name(obj)[0])
        return;
    if (store_has(i->store, key, jpath_str(obj, "metadata.resourceVersion", "")))
        return;
    (void)json_object_del(metadata, "managedFields");
    kube_stamp(obj, i->o.kind);
    if (i->o.trim)
        i->o.trim(obj);

    json_auto_t *old = store_put(i->store, key, obj);
    if (old && !streq(meta_uid(old), meta_uid(obj))) {
        tell(i, old, NULL);
        tell(i, NULL, obj);
    } else {
        tell(i, old, obj);
    }
}

static void sync_init(void)
{
    pthread_condattr_t attr;

    must(pthread_condattr_init(&attr) == 0);
    must(pthread_condattr_setclock(&attr, CLOCK_MONOTONIC) == 0);
    must(pthread_cond_init(&sync_changed, &attr) == 0);
    (void)pthread_condattr_destroy(&attr);
}

static void set_synced(struct informer *i)
{
    if (atomic_load(&i->is_synced))
        return;
    pthread_mutex_lock(&sync_lock);
    atomic_store(&i->is_synced, true);
    pthread_cond_broadcast(&sync_changed);
    pthread_mutex_unlock(&sync_lock);
}

/* ---- when to go on ---- */

static bool is_stopping(struct informer *i)
{
    pthread_mutex_lock(&i->lock);
    bool stopping = i->is_stopping;
    pthread_mutex_unlock(&i->lock);
    return stopping;
}

static void go_on_after(struct informer *i, int64_t ms)
{
    http_watcher_after(i->watcher, ms, step, i);
}

static int64_t backoff_ms(unsigned failures)
{
    uint32_t dice;
    int64_t ms = INFORMER_BACKOFF_FIRST_MS;

    while (--failures > 0 && ms < INFORMER_BACKOFF_MAX_MS / 2)
        ms *= 2;
    if (ms > INFORMER_BACKOFF_MAX_MS / 2)
        ms = INFORMER_BACKOFF_MAX_MS / 2;
    random_bytes(&dice, sizeof(dice));
    return ms + dice % ms;
}

/* Whoever gets an answer from a server that was lost spares the others the rest of their back-off.
 */
static void wait_on(void *arg)
{
    struct informer *i = arg;
    int64_t left = i->retry_ms - now_ms();

    if (left <= 0 || (i->is_lost && kube_answered_ms(i->kube) > i->failed_ms))
        step(i);
    else
        look_again(i, left);
}

static void look_again(struct informer *i, int64_t left)
{
    http_watcher_after(i->watcher, left < LOST_LOOK_MS ? left : LOST_LOOK_MS, wait_on, i);
}

static bool is_in_trouble(int status)
{
    return status == 0 || status >= 500;
}

/* Something went wrong: the store stays as it is, and the same is tried again.  status: the
 * answer's, 0 without one. */
static void back_off(struct informer *i, int status, const char *what, const char *why)
{
    char text[32];

    /* A server that is back and says no was not asked often yet. */
    if (i->is_lost && !is_in_trouble(status))
        i->failures = 0;
    i->is_lost = is_in_trouble(status);

    int64_t ms = backoff_ms(++i->failures);
    (void)snprintf(text, sizeof(text), "%lldms", (long long)ms);
    if (i->failures == 1)
        log_warn("API server lost, store kept, retrying", "kind", plural(i), "during", what,
                 "error", why, "in", text);
    else
        log_debug("still no API server, store kept, retrying", "kind", plural(i), "during", what,
                  "error", why, "in", text);
    i->failed_ms = now_ms();
    i->retry_ms = i->failed_ms + ms;
    look_again(i, ms);
}

static void heard(struct informer *i)
{
    atomic_store(&i->heard_ms, now_ms());
}

static void succeeded(struct informer *i)
{
    heard(i);
    kube_note_answer(i->kube);
    if (i->failures == 0)
        return;
    log_info("API server answers again", "kind", plural(i));
    i->failures = 0;
    i->is_lost = false;
}

/* ---- streams ---- */

/* The stream is over.  False when we stop: then nothing of *i may be touched any more. */
static bool stream_closed(struct informer *i)
{
    pthread_mutex_lock(&i->lock);
    i->stream = NULL;
    bool stopping = i->is_stopping;
    if (i->is_finishing) {
        i->is_finished = true;
        pthread_cond_signal(&i->finished);
    }
    pthread_mutex_unlock(&i->lock);
    return !stopping;
}

static void measure(const struct informer *i, int status)
{
    rest_measure(HTTP_GET, kube_config_server(kube_peek_config(i->kube)), i->path, status,
                 (double)(now_ms() - i->opened_ms) / 1000);
}

static void on_status(int status, void *ctx)
{
    struct informer *i = ctx;

    if (i->is_watching)
        measure(i, status);
    if (status == 200)
        succeeded(i);
    if (status == 401)
        (void)kube_config_distrust(kube_peek_config(i->kube));
}

static void open_stream(struct informer *i, char *path /* taken */, int64_t timeout_ms,
                        int64_t idle_ms, const struct http_watch_events *events)
{
    struct error ignored;

    free(i->path);
    i->path = path;
    i->opened_ms = now_ms();
    i->has_event = false;
    /* A plugin that cannot answer shows as the 401 that follows. */
    (void)kube_config_refresh(kube_peek_config(i->kube), &ignored);

    const struct http_request q = { .method = HTTP_GET, .path = path, .timeout_ms = timeout_ms };
    pthread_mutex_lock(&i->lock);
    if (!i->is_stopping)
        i->stream = http_watch_start(i->watcher, kube_peek_http(i->kube), &q, idle_ms, events, i);
    pthread_mutex_unlock(&i->lock);
}

/* ---- list ---- */

static void list_restart(struct informer *i)
{
    free(i->continue_token);
    i->continue_token = NULL;
    free(i->version);
    i->version = NULL;
}

static void list_line(const char *line, size_t len, void *ctx)
{
    struct informer *i = ctx;

    heard(i);
    (void)buf_add(&i->page, line, len);
    (void)buf_add(&i->page, "\n", 1);
}

static void list_complete(struct informer *i, const char *version)
{
    json_auto_t *gone = store_keys(i->store, true);
    json_t *key;
    size_t n;

    json_array_foreach(gone, n, key)
        forget_object(i, json_string_value(key), NULL);
    free(i->version);
    i->version = must_strdup(version);
    log_debug("listed", "kind", plural(i), "objects", log_i((long long)store_count(i->store)));
    set_synced(i);
}

/* False when the page makes no sense. */
static bool list_take_page(struct informer *i)
{
    json_auto_t *page = json_loadb(i->page.data ? i->page.data : "", i->page.len, 0, NULL);
    json_t *item;
    size_t n;

    bool is_whole = page && !i->page.truncated && jpath_has(page, "metadata.resourceVersion");
    buf_done(&i->page);
    if (!is_whole)
        return false;
    json_array_foreach(jpath_arr(page, "items"), n, item)
        keep_object(i, item);

    const char *token = jpath_str(page, "metadata.continue", "");
    free(i->continue_token);
    i->continue_token = *token ? must_strdup(token) : NULL;
    if (!i->continue_token)
        list_complete(i, jpath_str(page, "metadata.resourceVersion", ""));
    return true;
}

static void list_failed(struct informer *i, int status, const struct error *why)
{
    struct error e = *why;

    if (status >= 400)
        (void)kube_status_error(status, why->msg, strlen(why->msg), &e);
    if (status == 410 && i->continue_token) {
        list_restart(i); /* compacted between two pages */
        go_on_after(i, 0);
        return;
    }
    if (why->code == ERR_TOO_LARGE && i->page_limit > PAGE_MIN)
        i->page_limit /= 2;
    if (status == 404 && i->o.may_be_absent) {
        heard(i);
        set_synced(i);
        i->failures = 8; /* quiet, and not often */
        i->is_lost = false;
    }
    list_restart(i);
    back_off(i, status, "list", e.msg);
}

static void list_ended(int status, const struct error *why, void *ctx)
{
    struct informer *i = ctx;

    if (!stream_closed(i))
        return;
    measure(i, status);
    const struct error torn = { .code = ERR_UNAVAILABLE, .msg = "the list is cut short" };
    if (status != 200 || why->code != ERR_NONE)
        list_failed(i, status, why);
    else if (!list_take_page(i))
        list_failed(i, 0, &torn);
    else
        go_on_after(i, 0);
}

static void list_open(struct informer *i)
{
    static const struct http_watch_events events = { on_status, list_line, list_ended };

    if (!i->continue_token)
        store_mark(i->store);
    buf_done(&i->page);
    i->page = BUF_INIT(KUBE_ANSWER_MAX);
    i->is_watching = false;
    open_stream(i,
                kube_list_path(i->o.kind, i->namespace, i->query, i->page_limit, i->continue_token),
                LIST_TIMEOUT_MS, 0, &events);
}

/* ---- watch ---- */

enum watch_event { WATCH_PUT, WATCH_DELETED, WATCH_BOOKMARK, WATCH_ERROR };

static const struct {
    const char *type;
    enum watch_event event;
} watch_events[] = {
    { "ADDED", WATCH_PUT },
    { "MODIFIED", WATCH_PUT },
    { "DELETED", WATCH_DELETED },
    { "BOOKMARK", WATCH_BOOKMARK },
};

static enum watch_event event_of(const json_t *event)
{
    const char *type = jpath_str(event, "type", "");

    for (size_t n = 0; n < countof(watch_events); n++)
        if (streq(watch_events[n].type, type))
            return watch_events[n].event;
    return WATCH_ERROR;
}

static void resume_from(struct informer *i, const json_t *obj)
{
    const char *version = jpath_str(obj, "metadata.resourceVersion", "");

    if (!*version)
        return;
    free(i->version);
    i->version = must_strdup(version);
}

static void object_deleted(struct informer *i, json_t *obj)
{
    scoped(free) char *key = meta_key(obj);

    if (jpath_obj(obj, "metadata"))
        (void)json_object_del(jpath_obj(obj, "metadata"), "managedFields");
    kube_stamp(obj, i->o.kind);
    forget_object(i, key, obj);
}

static void watch_line(const char *line, size_t len, void *ctx)
{
    struct informer *i = ctx;

    heard(i);
    if (len == 0 || is_stopping(i))
        return;
    json_auto_t *event = json_loadb(line, len, 0, NULL);
    json_t *obj = jpath_obj(event, "object");
    if (event_of(event) != WATCH_ERROR) {
        i->has_event = true;
        i->idle_relists = 0;
    }
    switch (event_of(event)) {
    case WATCH_PUT:
        resume_from(i, obj);
        keep_object(i, obj);
        break;
    case WATCH_DELETED:
        resume_from(i, obj);
        object_deleted(i, obj);
        break;
    case WATCH_BOOKMARK:
        resume_from(i, obj);
        break;
    case WATCH_ERROR:
        /* Too old a version, or words that we do not know: only a new list helps. */
        log_debug("watch gave up, listing again", "kind", plural(i), "error",
                  jpath_str(obj, "message", ""));
        list_restart(i);
        break;
    }
}

/* The version to resume from is gone.  Twice in a row without any event between is worth a pause.
 */
static void relist(struct informer *i)
{
    list_restart(i);
    if (i->idle_relists++ == 0)
        go_on_after(i, 0);
    else
        back_off(i, 410, "watch", "the version of the last list is too old already");
}

static void watch_ended(int status, const struct error *why, void *ctx)
{
    struct informer *i = ctx;
    struct error e = *why;

    if (!stream_closed(i))
        return;
    if (status == 410 || !i->version) {
        relist(i);
        return;
    }
    bool was_short = !i->has_event && now_ms() - i->opened_ms < SHORT_WATCH_MS;
    if (status == 200 && !was_short) {
        go_on_after(i, 0); /* its time was over, or the connection broke: resume where it was */
        return;
    }
    if (status == 0)
        measure(i, 0);
    if (status == 404)
        list_restart(i); /* the kind is not served (any more): the list will tell */
    if (status >= 400)
        (void)kube_status_error(status, why->msg, strlen(why->msg), &e);
    back_off(i, status, "watch", e.code != ERR_NONE ? e.msg : "it ended at once");
}

static void watch_open(struct informer *i)
{
    static const struct http_watch_events events = { on_status, watch_line, watch_ended };
    scoped(free) char *path = kube_path(i->o.kind, i->namespace, NULL, NULL);
    scoped(free) char *version = http_escape(i->version);
    uint32_t dice;

    random_bytes(&dice, sizeof(dice));
    i->is_watching = true;
    open_stream(i,
                must_asprintf("%s?watch=true&allowWatchBookmarks=true&resourceVersion=%s"
                              "&timeoutSeconds=%u%s%s",
                              path, version, WATCH_MIN_S + dice % WATCH_MIN_S,
                              i->query[0] ? "&" : "", i->query),
                0, IDLE_TIMEOUT_MS, &events);
}

/* ---- the machine's clockwork ---- */

static void step(void *arg)
{
    struct informer *i = arg;

    if (is_stopping(i))
        return;
    if (i->version)
        watch_open(i);
    else
        list_open(i);
}

static void resync(void *arg)
{
    struct informer *i = arg;

    json_auto_t *keys = store_keys(i->store, false);
    json_t *key;
    size_t n;
    json_array_foreach(keys, n, key) {
        if (is_stopping(i))
            return;
        json_auto_t *obj = store_get(i->store, json_string_value(key));
        if (obj)
            tell(i, obj, obj);
    }
    http_watcher_after(i->watcher, i->o.resync_ms, resync, i);
}

/* On the watcher's thread: nothing else of this informer runs, so nothing can be started behind our
 * back. */
static void finish(void *arg)
{
    struct informer *i = arg;

    http_watcher_cancel(i->watcher, i);
    pthread_mutex_lock(&i->lock);
    i->is_finishing = true;
    if (i->stream) {
        http_watch_stop(i->stream);
    } else {
        i->is_finished = true;
        pthread_cond_signal(&i->finished);
    }
    pthread_mutex_unlock(&i->lock);
}

/* ---- public ---- */

static void add_selector(struct buf *query, const char *name, const char *value)
{
    if (!value || !*value)
        return;
    scoped(free) char *escaped = http_escape(value);
    (void)buf_addf(query, "%s%s=%s", query->len > 0 ? "&" : "", name, escaped);
}

struct informer *informer_start(struct kube *k, struct http_watcher *w,
                                const struct informer_options *o)
{
    struct informer *i = must_calloc(1, sizeof(*i));
    struct store_index index[INFORMER_INDEXES_MAX];
    struct buf query = BUF_INIT(0);
    size_t indexes = 0;

    (void)pthread_once(&sync_once, sync_init);
    i->kube = k;
    i->watcher = w;
    i->o = *o;
    i->namespace = o->namespace ? must_strdup(o->namespace) : NULL;
    add_selector(&query, "labelSelector", o->label_selector);
    add_selector(&query, "fieldSelector", o->field_selector);
    i->query = buf_take(&query);
    for (; indexes < INFORMER_INDEXES_MAX && o->index[indexes].fn; indexes++)
        index[indexes] = (struct store_index){ o->index[indexes].name, o->index[indexes].fn };
    i->store = store_new(index, indexes);
    i->page_limit = KUBE_PAGE;
    i->heard_ms = now_ms();
    must(pthread_mutex_init(&i->lock, NULL) == 0);
    must(pthread_cond_init(&i->finished, NULL) == 0);

    go_on_after(i, 0);
    if (o->resync_ms > 0)
        http_watcher_after(w, o->resync_ms, resync, i);
    return i;
}

void informer_stop(struct informer *i)
{
    if (!i)
        return;
    pthread_mutex_lock(&i->lock);
    i->is_stopping = true;
    pthread_mutex_unlock(&i->lock);
    http_watcher_after(i->watcher, 0, finish, i);
    pthread_mutex_lock(&i->lock);
    while (!i->is_finished)
        pthread_cond_wait(&i->finished, &i->lock);
    pthread_mutex_unlock(&i->lock);

    store_free(i->store);
    buf_done(&i->page);
    free(i->version);
    free(i->continue_token);
    free(i->path);
    free(i->namespace);
    free(i->query);
    (void)pthread_cond_destroy(&i->finished);
    (void)pthread_mutex_destroy(&i->lock);
    free(i);
}

bool informer_is_synced(const struct informer *i)
{
    return atomic_load(&i->is_synced);
}

static bool all_synced(struct informer *const *list, size_t n)
{
    for (size_t k = 0; k < n; k++)
        if (!informer_is_synced(list[k]))
            return false;
    return true;
}

bool informers_wait(struct informer *const *list, size_t n, int64_t timeout_ms)
{
    int64_t until = now_ms() + timeout_ms;
    struct timespec ts = { .tv_sec = until / 1000, .tv_nsec = until % 1000 * 1000000 };
    int r = 0;

    (void)pthread_once(&sync_once, sync_init);
    pthread_mutex_lock(&sync_lock);
    while (!all_synced(list, n) && r == 0)
        r = pthread_cond_timedwait(&sync_changed, &sync_lock, &ts);
    bool synced = all_synced(list, n);
    pthread_mutex_unlock(&sync_lock);
    return synced;
}

int64_t informer_quiet_ms(const struct informer *i)
{
    return now_ms() - atomic_load(&i->heard_ms);
}

json_t *informer_get(struct informer *i, const char *key)
{
    return store_get(i->store, key);
}

json_t *informer_list(struct informer *i)
{
    return store_list(i->store);
}

json_t *informer_by_index(struct informer *i, const char *index, const char *value)
{
    return store_by_index(i->store, index, value);
}

size_t informer_count(struct informer *i)
{
    return store_count(i->store);
}

char *index_by_controller_uid(const json_t *obj)
{
    const char *uid = jpath_str(meta_controller(obj), "uid", "");

    return *uid ? must_strdup(uid) : NULL;
}

char *index_by_namespace(const json_t *obj)
{
    return must_strdup(meta_namespace(obj));
}

char *index_by_node(const json_t *obj)
{
    const char *node = jpath_str(obj, "spec.nodeName", "");

    return *node ? must_strdup(node) : NULL;
}
