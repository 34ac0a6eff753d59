/* SPDX-License-Identifier: Apache-2.0 */
#include "subresources/limits.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <uthash.h>

#include "base/must.h"

/* Of one user or one machine, while it has any. */
struct limits_count {
    UT_hash_handle hh;
    long long open;
    char key[];
};

struct limits {
    long long per_user, per_vmi;

    pthread_mutex_t lock;
    /* guarded by lock */
    struct limits_count *users;
    struct limits_count *vmis;
};

struct limits *limits_new(long long per_user, long long per_vmi)
{
    struct limits *l = must_calloc(1, sizeof(*l));

    l->per_user = per_user;
    l->per_vmi = per_vmi;
    must(pthread_mutex_init(&l->lock, NULL) == 0);
    return l;
}

static void free_all(struct limits_count **all)
{
    struct limits_count *c, *next;

    HASH_ITER(hh, *all, c, next) {
        HASH_DEL(*all, c);
        free(c);
    }
}

void limits_free(struct limits *l)
{
    if (!l)
        return;
    free_all(&l->users);
    free_all(&l->vmis);
    (void)pthread_mutex_destroy(&l->lock);
    free(l);
}

/* With the lock held; NULL when the bound refuses one more. */
static struct limits_count *add(struct limits_count **all, const char *key, long long max)
{
    struct limits_count *c;

    HASH_FIND_STR(*all, key, c);
    if (!c) {
        size_t size = strlen(key) + 1;

        c = must_calloc(1, sizeof(*c) + size);
        memcpy(c->key, key, size);
        HASH_ADD_STR(*all, key, c);
    }
    if (max > 0 && c->open >= max)
        return NULL;
    c->open++;
    return c;
}

static void drop(struct limits_count **all, struct limits_count *c)
{
    if (--c->open > 0)
        return;
    HASH_DEL(*all, c);
    free(c);
}

int limits_take(struct limits *l, const char *user, const char *vmi_uid, struct limits_share *ret,
                struct error *e)
{
    *ret = (struct limits_share){ .limits = l };
    if (!l)
        return 0;

    (void)pthread_mutex_lock(&l->lock);
    ret->user = add(&l->users, user, l->per_user);
    ret->vmi = ret->user ? add(&l->vmis, vmi_uid, l->per_vmi) : NULL;
    bool is_users = !ret->user;
    bool is_refused = !ret->vmi;
    if (is_refused && ret->user)
        drop(&l->users, ret->user);
    (void)pthread_mutex_unlock(&l->lock);

    if (!is_refused)
        return 0;
    *ret = (struct limits_share){ 0 };
    if (is_users)
        return error_set(e, ERR_TOO_MANY,
                         "user \"%.200s\" has %lld consoles, screens and forwarded connections "
                         "open here, and may have no more (--streams-per-user of virt-api): close "
                         "some, then try again",
                         user, l->per_user);
    return error_set(e, ERR_TOO_MANY,
                     "%lld consoles, screens and forwarded connections of this machine are open "
                     "here, and there may be no more (--streams-per-vmi of virt-api): close some, "
                     "then try again",
                     l->per_vmi);
}

void limits_give_back(struct limits_share *s)
{
    struct limits *l = s->limits;

    if (!l || !s->user)
        return;
    (void)pthread_mutex_lock(&l->lock);
    drop(&l->users, s->user);
    drop(&l->vmis, s->vmi);
    (void)pthread_mutex_unlock(&l->lock);
    *s = (struct limits_share){ 0 };
}
