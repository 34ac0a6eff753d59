/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The recorder: any thread appends to a bounded queue, one thread takes from it,
 * asks the correlator and writes.  While the server cannot be reached the queue
 * fills and its oldest events go.
 */
#include "kube/event.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "base/jpath.h"
#include "base/log.h"
#include "base/must.h"
#include "base/scope.h"
#include "base/thread.h"
#include "kube/correlator.h"
#include "kube/request.h"

enum {
    STOP_GRACE_MS = 2000,
    RETRY_FIRST_MS = 1000,
    RETRY_MAX_MS = 10 * 1000,
    CALL_TIMEOUT_MS = 5 * 1000
};

static const char *const type_names[] = { [EVENT_NORMAL] = "Normal", [EVENT_WARNING] = "Warning" };

struct waiting_event {
    struct waiting_event *next;
    json_t *involved;
    enum event_type type;
    int64_t wall_ms;
    char *reason;
    char *message;
};

struct event_recorder {
    struct kube *kube;
    char *component;
    char *host;
    pthread_t thread;
    struct correlator *correlator; /* the thread only */

    pthread_mutex_t lock;
    /* guarded by lock */
    pthread_cond_t changed;
    struct waiting_event *head, **tail;
    size_t len;
    bool is_stopping;
    int64_t stop_ms; /* when stopping: until then */
};

static int64_t now_ms(void)
{
    return clock_mono_ms(&clock_real);
}

static void event_free(struct waiting_event *ev)
{
    if (!ev)
        return;
    json_decref(ev->involved);
    free(ev->reason);
    free(ev->message);
    free(ev);
}
DEFINE_SCOPE(struct waiting_event, event_free)

/* With the lock held; the queue is not empty. */
static struct waiting_event *take_first(struct event_recorder *r)
{
    struct waiting_event *ev = r->head;

    r->head = ev->next;
    if (!r->head)
        r->tail = &r->head;
    r->len--;
    return ev;
}

/* ---- the thread ---- */

static struct waiting_event *wait_for_event(struct event_recorder *r)
{
    struct waiting_event *ev = NULL;

    pthread_mutex_lock(&r->lock);
    while (!r->head && !r->is_stopping)
        pthread_cond_wait(&r->changed, &r->lock);
    if (r->head && !(r->is_stopping && now_ms() >= r->stop_ms))
        ev = take_first(r);
    pthread_mutex_unlock(&r->lock);
    return ev;
}

/* What is left for a call; 0 when we stop and the time is over. */
static int64_t time_left(struct event_recorder *r)
{
    pthread_mutex_lock(&r->lock);
    int64_t left = r->is_stopping ? r->stop_ms - now_ms() : CALL_TIMEOUT_MS;
    pthread_mutex_unlock(&r->lock);
    return left > 0 ? left : 0;
}

/* Wait before the next try; stopping ends it early. */
static void pause_ms(struct event_recorder *r, int64_t ms)
{
    int64_t until = now_ms() + ms;
    struct timespec ts = { .tv_sec = until / 1000, .tv_nsec = until % 1000 * 1000000 };
    int result = 0;

    pthread_mutex_lock(&r->lock);
    while (!r->is_stopping && result == 0)
        result = pthread_cond_timedwait(&r->changed, &r->lock, &ts);
    pthread_mutex_unlock(&r->lock);
}

static int write_once(struct event_recorder *r, const struct event_verdict *v, int64_t timeout_ms,
                      struct error *e)
{
    bool is_new = v->fate == EVENT_NEW;
    scoped(free) char *path = kube_path(&KIND_EVENT, v->namespace, is_new ? NULL : v->name, NULL);
    const struct kube_request q = {
        .method = is_new ? HTTP_POST : HTTP_PATCH,
        .path = path,
        .body = v->event,
        .content_type = is_new ? NULL : "application/strategic-merge-patch+json",
        .timeout_ms = timeout_ms,
    };

    return kube_do(r->kube, &q, NULL, e);
}

static int write_verdict(struct event_recorder *r, const struct event_verdict *v, struct error *e)
{
    int result = 0;
    int64_t wait = RETRY_FIRST_MS;

    for (unsigned tries = 0; tries < EVENT_TRIES; tries++) {
        int64_t left = time_left(r);
        if (left == 0)
            return error_set(e, ERR_UNAVAILABLE, "stopping");
        result = write_once(r, v, left, e);
        if (!error_is_unanswered(result))
            return result;
        pause_ms(r, wait);
        wait = wait * 2 < RETRY_MAX_MS ? wait * 2 : RETRY_MAX_MS;
    }
    return result;
}

static void write_event(struct event_recorder *r, const struct waiting_event *ev)
{
    const struct event_facts facts = {
        .component = r->component,
        .host = r->host,
        .involved = ev->involved,
        .type = type_names[ev->type],
        .reason = ev->reason,
        .message = ev->message,
    };
    struct error e = { 0 };

    struct event_verdict v = correlator_judge(r->correlator, &facts, ev->wall_ms);
    int result = v.fate == EVENT_DROP ? 0 : write_verdict(r, &v, &e);
    if (result == -ERR_NOT_FOUND && v.fate == EVENT_REPEAT) {
        /* Its hour is over on the server: begin a new one. */
        correlator_forget(r->correlator, v.memory);
        event_verdict_done(&v);
        v = correlator_judge(r->correlator, &facts, ev->wall_ms);
        result = v.fate == EVENT_DROP ? 0 : write_verdict(r, &v, &e);
    }
    if (result < 0) {
        correlator_forget(r->correlator, v.memory);
        log_debug("event not written, dropped", "reason", ev->reason, "error", e.msg);
    }
    event_verdict_done(&v);
}

static void *recorder_run(void *arg)
{
    struct event_recorder *r = arg;

    for (;;) {
        scoped(event_free) struct waiting_event *ev = wait_for_event(r);
        if (!ev)
            return NULL;
        write_event(r, ev);
    }
}

/* ---- public ---- */

struct event_recorder *event_recorder_start(struct kube *k, const char *component, const char *host)
{
    struct event_recorder *r = must_calloc(1, sizeof(*r));
    pthread_condattr_t attr;

    r->kube = k;
    r->component = must_strdup(component);
    r->host = must_strdup(host ? host : "");
    r->tail = &r->head;
    r->correlator = correlator_new();
    must(pthread_mutex_init(&r->lock, NULL) == 0);
    must(pthread_condattr_init(&attr) == 0);
    must(pthread_condattr_setclock(&attr, CLOCK_MONOTONIC) == 0);
    must(pthread_cond_init(&r->changed, &attr) == 0);
    (void)pthread_condattr_destroy(&attr);
    thread_start(&r->thread, "events", recorder_run, r);
    return r;
}

void event_recorder_stop(struct event_recorder *r)
{
    if (!r)
        return;
    pthread_mutex_lock(&r->lock);
    r->is_stopping = true;
    r->stop_ms = now_ms() + STOP_GRACE_MS;
    pthread_cond_broadcast(&r->changed);
    pthread_mutex_unlock(&r->lock);
    (void)pthread_join(r->thread, NULL);

    while (r->head)
        event_free(take_first(r));
    correlator_free(r->correlator);
    free(r->component);
    free(r->host);
    (void)pthread_cond_destroy(&r->changed);
    (void)pthread_mutex_destroy(&r->lock);
    free(r);
}

static json_t *reference(const struct kube_kind *kind, const json_t *obj)
{
    char version[KUBE_API_VERSION_MAX];
    json_t *ref = must_pack("{s:s, s:s, s:s}", "apiVersion", kube_api_version(kind, version),
                            "kind", kind->kind, "name", meta_name(obj));

    if (meta_namespace(obj)[0])
        must_set(ref, "namespace", json_string(meta_namespace(obj)));
    if (meta_uid(obj)[0])
        must_set(ref, "uid", json_string(meta_uid(obj)));
    const char *resource_version = jpath_str(obj, "metadata.resourceVersion", "");
    if (*resource_version)
        must_set(ref, "resourceVersion", json_string(resource_version));
    return ref;
}

/* The text as valid UTF-8, whatever the guest or libvirt put into it. */
static char *format_message(const char *fmt, va_list ap)
{
    char text[4 * EVENT_MESSAGE_MAX];
    struct error clean;

    int n = vsnprintf(text, sizeof(text), fmt, ap);
    must(n >= 0);
    json_auto_t *probe = json_string(text);
    if (probe)
        return must_strdup(text);
    (void)error_set(&clean, ERR_INTERNAL, "%s", text); /* an error's text is always UTF-8 */
    return must_strdup(clean.msg);
}

void event_record(struct event_recorder *r, const struct kube_kind *kind, const json_t *obj,
                  enum event_type type, const char *reason, const char *fmt, ...)
{
    struct waiting_event *ev = must_calloc(1, sizeof(*ev));
    struct waiting_event *dropped = NULL;
    va_list ap;

    ev->involved = reference(kind, obj);
    ev->type = type;
    ev->wall_ms = clock_wall_ms(&clock_real);
    ev->reason = must_strdup(reason);
    va_start(ap, fmt);
    ev->message = format_message(fmt, ap);
    va_end(ap);

    pthread_mutex_lock(&r->lock);
    if (r->len >= EVENT_QUEUE_MAX)
        dropped = take_first(r);
    *r->tail = ev;
    r->tail = &ev->next;
    r->len++;
    pthread_cond_signal(&r->changed);
    pthread_mutex_unlock(&r->lock);
    event_free(dropped);
}
