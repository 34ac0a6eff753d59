/* SPDX-License-Identifier: Apache-2.0 */
/* The worker pool: a bounded queue, and threads started when nobody is idle. */
#include "base/pool.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/must.h"
#include "base/thread.h"

struct job {
    struct job *next;
    pool_fn *fn;
    void *arg;
};

struct pool {
    char *name;
    size_t threads_max;
    size_t queue_max;
    pthread_mutex_t lock;
    pthread_cond_t changed; /* a job came, or is_stopping */
    /* guarded by lock */
    struct job *first;
    struct job **last;
    size_t queued;
    size_t idle; /* threads that wait for a job */
    size_t busy; /* threads that run one */
    size_t started;
    pthread_t *thread; /* started of threads_max */
    bool is_stopping;
};

struct pool *pool_new(const char *name, size_t threads, size_t queue_max)
{
    struct pool *p = must_calloc(1, sizeof(*p));

    must(threads > 0);
    p->name = must_strdup(name);
    p->threads_max = threads;
    p->queue_max = queue_max;
    p->last = &p->first;
    p->thread = must_calloc(threads, sizeof(*p->thread));
    must(pthread_mutex_init(&p->lock, NULL) == 0);
    must(pthread_cond_init(&p->changed, NULL) == 0);
    return p;
}

/* Wait for a job; NULL when there will be no more.  Lock held. */
static struct job *next_job(struct pool *p)
{
    while (!p->first && !p->is_stopping) {
        p->idle++;
        pthread_cond_wait(&p->changed, &p->lock);
        p->idle--;
    }

    struct job *job = p->first;
    if (job) {
        p->first = job->next;
        p->queued--;
        p->busy++;
        if (!p->first)
            p->last = &p->first;
    }
    return job;
}

static void *work(void *arg)
{
    struct pool *p = arg;

    pthread_mutex_lock(&p->lock);
    for (struct job *job = next_job(p); job; job = next_job(p)) {
        pthread_mutex_unlock(&p->lock);
        job->fn(job->arg);
        free(job);
        pthread_mutex_lock(&p->lock);
        p->busy--;
    }
    pthread_mutex_unlock(&p->lock);
    return NULL;
}

bool pool_run(struct pool *p, pool_fn *fn, void *arg)
{
    pthread_mutex_lock(&p->lock);
    /* A job for which a thread is free does not wait, so it does not count. */
    const size_t room = p->queue_max + p->threads_max - p->busy;
    const bool is_taken = !p->is_stopping && p->queued < room;

    if (is_taken) {
        struct job *job = must_malloc(sizeof(*job));
        *job = (struct job){ .fn = fn, .arg = arg };
        *p->last = job;
        p->last = &job->next;
        p->queued++;
        if (p->queued > p->idle && p->started < p->threads_max) {
            thread_start(&p->thread[p->started], p->name, work, p);
            p->started++;
        }
        pthread_cond_signal(&p->changed);
    }
    pthread_mutex_unlock(&p->lock);
    return is_taken;
}

void pool_free(struct pool *p)
{
    if (!p)
        return;

    pthread_mutex_lock(&p->lock);
    p->is_stopping = true;
    pthread_cond_broadcast(&p->changed);
    pthread_mutex_unlock(&p->lock);
    for (size_t i = 0; i < p->started; i++)
        must(pthread_join(p->thread[i], NULL) == 0);

    (void)pthread_cond_destroy(&p->changed);
    (void)pthread_mutex_destroy(&p->lock);
    free(p->thread);
    free(p->name);
    free(p);
}
