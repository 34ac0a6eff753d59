/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One thread: candidate until the Lease is ours, then renewing it.  Nobody's
 * clock but our own is trusted: a record counts as alive for duration_ms from
 * the moment when we saw it change.
 */
#include "kube/lease.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "base/jpath.h"
#include "base/log.h"
#include "base/must.h"
#include "base/scope.h"
#include "base/str.h"
#include "base/thread.h"
#include "kube/request.h"

enum { DURATION_MS = 15 * 1000, RENEW_DEADLINE_MS = 10 * 1000, RETRY_MS = 2 * 1000 };

enum lease_state { LEASE_MINE, LEASE_OTHERS, LEASE_UNKNOWN };

struct lease {
    struct kube *kube;
    struct lease_options o;
    char *namespace, *name, *identity;
    pthread_t thread;

    atomic_bool is_leader;
    atomic_llong renewed_ms; /* when we last wrote the record */

    pthread_mutex_t lock;
    /* guarded by lock */
    pthread_cond_t changed;
    bool is_stopping;

    /* the lease's thread only */
    json_t *seen; /* the Lease as last seen, NULL: never */
    int64_t seen_ms;
};

static int64_t now_ms(void)
{
    return clock_mono_ms(&clock_real);
}

/* ---- the record ---- */

static const char *holder_of(const json_t *record)
{
    return jpath_str(record, "spec.holderIdentity", "");
}

static void see(struct lease *l, const json_t *record)
{
    if (!l->seen || !json_equal(json_object_get(l->seen, "spec"), json_object_get(record, "spec")))
        l->seen_ms = now_ms();
    json_t *mine = must_copy(record);
    json_decref(l->seen);
    l->seen = mine;
}

static json_t *make_record(const struct lease *l)
{
    if (l->seen)
        return must_copy(l->seen);
    return must_pack("{s:s, s:s, s:{s:s, s:s}, s:{}}", "apiVersion", "coordination.k8s.io/v1",
                     "kind", "Lease", "metadata", "name", l->name, "namespace", l->namespace,
                     "spec");
}

/* The record as it must be for us to hold it; acquired now unless it was ours already. */
static json_t *claim(const struct lease *l)
{
    json_t *record = make_record(l);
    char now[RFC3339_MAX];
    int64_t s = (l->o.duration_ms + 999) / 1000;

    rfc3339_micro(clock_wall_ms(&clock_real), now);
    if (!streq(holder_of(record), l->identity)) {
        if (l->seen)
            jpath_set_int(record, "spec.leaseTransitions",
                          jpath_int(record, "spec.leaseTransitions", 0) + 1);
        else
            jpath_set_int(record, "spec.leaseTransitions", 0);
        jpath_set_str(record, "spec.acquireTime", now);
    }
    jpath_set_str(record, "spec.holderIdentity", l->identity);
    jpath_set_int(record, "spec.leaseDurationSeconds", s);
    jpath_set_str(record, "spec.renewTime", now);
    return record;
}

static int send(struct lease *l, enum http_method method, const json_t *record, struct error *e)
{
    scoped(free) char *path =
        kube_path(&KIND_LEASE, l->namespace, method == HTTP_POST ? NULL : l->name, NULL);
    json_auto_t *answer = NULL;
    /* A call that hangs must not eat the whole deadline. */
    const struct kube_request q = {
        .method = method,
        .path = path,
        .body = record,
        .timeout_ms = l->o.renew_deadline_ms / 2,
        .is_urgent = true,
    };

    int64_t asked_ms = now_ms();
    int r = kube_do(l->kube, &q, &answer, e);
    if (r < 0)
        return r;
    see(l, answer);
    if (method != HTTP_GET)
        atomic_store(&l->renewed_ms, asked_ms); /* the server's time of it is not earlier */
    return 0;
}

/* ---- one attempt ---- */

static enum lease_state write_claim(struct lease *l, struct error *e)
{
    json_auto_t *record = claim(l);

    int r = send(l, l->seen ? HTTP_PUT : HTTP_POST, record, e);
    if (r == -ERR_NOT_FOUND) { /* somebody deleted it */
        json_decref(l->seen);
        l->seen = NULL;
    }
    return r < 0 ? LEASE_UNKNOWN : LEASE_MINE;
}

static enum lease_state attempt(struct lease *l, struct error *e)
{
    /* Ours, and nobody touched it: one call instead of two. */
    if (atomic_load(&l->is_leader) && l->seen) {
        enum lease_state state = write_claim(l, e);
        if (state == LEASE_MINE || (e->code != ERR_CONFLICT && e->code != ERR_NOT_FOUND))
            return state;
    }

    int r = send(l, HTTP_GET, NULL, e);
    if (r == -ERR_NOT_FOUND) {
        json_decref(l->seen);
        l->seen = NULL;
    } else if (r < 0) {
        return LEASE_UNKNOWN;
    }
    const char *holder = holder_of(l->seen);
    bool is_alive = holder[0] && now_ms() < l->seen_ms + l->o.duration_ms;
    if (is_alive && !streq(holder, l->identity))
        return LEASE_OTHERS;
    return write_claim(l, e);
}

/* ---- the thread ---- */

/* False when we stop. */
static bool pause_ms(struct lease *l, int64_t ms)
{
    int64_t until = now_ms() + ms;
    struct timespec ts = { .tv_sec = until / 1000, .tv_nsec = until % 1000 * 1000000 };
    int r = 0;

    pthread_mutex_lock(&l->lock);
    while (!l->is_stopping && r == 0)
        r = pthread_cond_timedwait(&l->changed, &l->lock, &ts);
    bool stopping = l->is_stopping;
    pthread_mutex_unlock(&l->lock);
    return !stopping;
}

static int64_t with_jitter(int64_t ms)
{
    uint32_t dice;

    random_bytes(&dice, sizeof(dice));
    return ms + (int64_t)((double)ms * 1.2 * dice / UINT32_MAX);
}

/* True once the lease is ours, false when we stop. */
static bool acquire(struct lease *l)
{
    bool was_told = false;

    for (;;) {
        struct error e = { 0 };
        enum lease_state state = attempt(l, &e);
        if (state == LEASE_MINE)
            return true;
        if (state == LEASE_UNKNOWN && e.code != ERR_CONFLICT && e.code != ERR_EXISTS)
            log_warn("lease cannot be read or written, retrying", "lease", l->name, "error", e.msg);
        if (state == LEASE_OTHERS && !was_told) {
            was_told = true;
            log_info("waiting for the lease", "lease", l->name, "holder", holder_of(l->seen));
        }
        if (!pause_ms(l, with_jitter(l->o.retry_ms)))
            return false;
    }
}

/* False when the lease is lost, true when we stop. */
static bool hold(struct lease *l)
{
    while (pause_ms(l, l->o.retry_ms)) {
        struct error e = { 0 };
        enum lease_state state = attempt(l, &e);
        if (state == LEASE_MINE)
            continue;
        bool is_late = now_ms() >= atomic_load(&l->renewed_ms) + l->o.renew_deadline_ms;
        if (state == LEASE_OTHERS || is_late) {
            log_error("lease lost", "lease", l->name, "holder", holder_of(l->seen), "error", e.msg);
            return false;
        }
        log_warn("lease not renewed, retrying", "lease", l->name, "error", e.msg);
    }
    return true;
}

/* So that the next candidate need not wait for our record to grow old. */
static void release(struct lease *l)
{
    struct error e = { 0 };
    json_auto_t *record = claim(l);

    jpath_set_str(record, "spec.holderIdentity", "");
    jpath_set_int(record, "spec.leaseDurationSeconds", 1);
    if (send(l, HTTP_PUT, record, &e) < 0)
        log_warn("lease not given up, the next leader waits for it", "lease", l->name, "error",
                 e.msg);
}

static void *lease_run(void *arg)
{
    struct lease *l = arg;

    if (!acquire(l))
        return NULL;
    atomic_store(&l->is_leader, true);
    log_info("lease taken", "lease", l->name, "identity", l->identity);
    if (l->o.on_started)
        l->o.on_started(l->o.ctx);

    bool was_kept = hold(l);
    atomic_store(&l->is_leader, false);
    if (was_kept)
        release(l);
    else if (l->o.on_lost)
        l->o.on_lost(l->o.ctx);
    return NULL;
}

/* ---- public ---- */

struct lease *lease_start(struct kube *k, const struct lease_options *o)
{
    struct lease *l = must_calloc(1, sizeof(*l));
    pthread_condattr_t attr;

    l->kube = k;
    l->o = *o;
    l->o.duration_ms = o->duration_ms ? o->duration_ms : DURATION_MS;
    l->o.renew_deadline_ms = o->renew_deadline_ms ? o->renew_deadline_ms : RENEW_DEADLINE_MS;
    l->o.retry_ms = o->retry_ms ? o->retry_ms : RETRY_MS;
    l->namespace = must_strdup(o->namespace);
    l->name = must_strdup(o->name);
    l->identity = must_strdup(o->identity);
    must(pthread_mutex_init(&l->lock, NULL) == 0);
    must(pthread_condattr_init(&attr) == 0);
    must(pthread_condattr_setclock(&attr, CLOCK_MONOTONIC) == 0);
    must(pthread_cond_init(&l->changed, &attr) == 0);
    (void)pthread_condattr_destroy(&attr);
    thread_start(&l->thread, "lease", lease_run, l);
    return l;
}

bool lease_is_leader(const struct lease *l)
{
    return atomic_load(&l->is_leader) && now_ms() < atomic_load(&l->renewed_ms) + l->o.duration_ms;
}

void lease_stop(struct lease *l)
{
    if (!l)
        return;
    pthread_mutex_lock(&l->lock);
    l->is_stopping = true;
    pthread_cond_signal(&l->changed);
    pthread_mutex_unlock(&l->lock);
    (void)pthread_join(l->thread, NULL);

    json_decref(l->seen);
    free(l->namespace);
    free(l->name);
    free(l->identity);
    (void)pthread_cond_destroy(&l->changed);
    (void)pthread_mutex_destroy(&l->lock);
    free(l);
}
