// SPDX-License-Identifier: Apache-2.0
/* The Domain value; see machine.h. */
#include "launcher/machine.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/must.h"
#include "base/scope.h"

struct machine {
    machine_change_fn *fn;
    void *arg;

    pthread_mutex_t lock;
    json_t *value;    /* guarded by lock; never changed in place */
    bool is_shown;    /* guarded by lock */
    json_int_t count; /* guarded by lock: the revision */
};

struct machine *machine_new(const char *name, const char *uid, machine_change_fn *fn, void *arg)
{
    struct machine *m = must_calloc(1, sizeof(*m));

    m->fn = fn;
    m->arg = arg;
    must(pthread_mutex_init(&m->lock, NULL) == 0);
    m->value = must_pack("{s:s,s:s,s:s,s:s,s:b,s:i}", "name", name, "uid", uid, "state", "NoState",
                         "reason", "Unknown", "agentConnected", 0, "revision", 0);
    return m;
}

void machine_free(struct machine *m)
{
    if (!m)
        return;
    json_decref(m->value);
    (void)pthread_mutex_destroy(&m->lock);
    free(m);
}

/* Called with the lock held.  True when `members` say something new. */
static bool replace(struct machine *m, json_t *members)
{
    const char *key;
    json_t *member;
    bool differs = false;
    json_t *next = json_copy(m->value);

    must(next != NULL);
    json_object_foreach(members, key, member) {
        json_t *old = json_object_get(next, key);
        if (json_is_null(member) ? !old : (old && json_equal(old, member)))
            continue;
        differs = true;
        if (json_is_null(member))
            (void)json_object_del(next, key);
        else
            must_set(next, key, json_incref(member));
    }
    if (!differs) {
        json_decref(next);
        return false;
    }
    must_set(next, "revision", json_integer(++m->count));
    json_decref(m->value);
    m->value = next;
    return true;
}

void machine_update(struct machine *m, json_t *members)
{
    (void)pthread_mutex_lock(&m->lock);
    bool is_told = replace(m, members) && m->is_shown;
    (void)pthread_mutex_unlock(&m->lock);
    json_decref(members);
    if (is_told)
        m->fn(m->arg);
}

void machine_show(struct machine *m)
{
    (void)pthread_mutex_lock(&m->lock);
    bool is_new = !m->is_shown;
    m->is_shown = true;
    (void)pthread_mutex_unlock(&m->lock);
    if (is_new)
        m->fn(m->arg);
}

bool machine_is_shown(struct machine *m)
{
    (void)pthread_mutex_lock(&m->lock);
    bool is_shown = m->is_shown;
    (void)pthread_mutex_unlock(&m->lock);
    return is_shown;
}

json_t *machine_get(struct machine *m)
{
    (void)pthread_mutex_lock(&m->lock);
    json_t *value = m->is_shown ? json_incref(m->value) : NULL;
    (void)pthread_mutex_unlock(&m->lock);
    return value;
}
