/* SPDX-License-Identifier: Apache-2.0 */
#include "apiserver/prober.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <time.h>

#include "base/must.h"
#include "base/thread.h"
#include "kube/client.h"

enum { PROBE_PERIOD_S = 5 };

struct prober {
    struct kube *kube;
    pthread_t thread;

    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool is_stopping;  /* guarded by lock, as is all below */
    json_t *version;   /* last answer, immutable; NULL: none yet */
    struct error last; /* code ERR_NONE: the last probe succeeded */
};

static void probe_once(struct prober *p)
{
    json_t *version = NULL;
    struct error e = { 0 };

    int r = kube_raw(p->kube, HTTP_GET, "/version", NULL, &version, &e);

    pthread_mutex_lock(&p->lock);
    if (r >= 0) {
        json_decref(p->version);
        p->version = version;
        p->last = (struct error){ 0 };
    } else {
        p->last = e;
    }
    pthread_mutex_unlock(&p->lock);
}

static void *probe(void *arg)
{
    struct prober *p = arg;
    bool is_stopping = false;

    while (!is_stopping) {
        struct timespec until;

        probe_once(p);
        (void)clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_sec += PROBE_PERIOD_S;

        pthread_mutex_lock(&p->lock);
        while (!p->is_stopping && pthread_cond_timedwait(&p->wake, &p->lock, &until) != ETIMEDOUT)
            ;
        is_stopping = p->is_stopping;
        pthread_mutex_unlock(&p->lock);
    }
    return NULL;
}

struct prober *prober_start(struct kube *k)
{
    struct prober *p = must_calloc(1, sizeof(*p));
    pthread_condattr_t monotonic;

    p->kube = k;
    error_set(&p->last, ERR_UNAVAILABLE, "the API server has not answered yet");
    must(pthread_mutex_init(&p->lock, NULL) == 0);
    must(pthread_condattr_init(&monotonic) == 0);
    must(pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC) == 0);
    must(pthread_cond_init(&p->wake, &monotonic) == 0);
    (void)pthread_condattr_destroy(&monotonic);
    thread_start(&p->thread, "probe", probe, p);
    return p;
}

void prober_stop(struct prober *p)
{
    if (!p)
        return;
    pthread_mutex_lock(&p->lock);
    p->is_stopping = true;
    pthread_cond_signal(&p->wake);
    pthread_mutex_unlock(&p->lock);
    (void)pthread_join(p->thread, NULL);
    json_decref(p->version);
    pthread_cond_destroy(&p->wake);
    pthread_mutex_destroy(&p->lock);
    free(p);
}

json_t *prober_report(struct prober *p, bool *ret_ok)
{
    json_t *apiserver = json_object();

    pthread_mutex_lock(&p->lock);
    *ret_ok = p->last.code == ERR_NONE;
    must_set(apiserver, "connectivity", json_string(*ret_ok ? "ok" : "failed"));
    if (*ret_ok)
        must_set(apiserver, "version", must_copy(p->version));
    else
        must_set(apiserver, "error", json_string(p->last.msg));
    pthread_mutex_unlock(&p->lock);
    return must_pack("{s:o}", "apiserver", apiserver);
}
