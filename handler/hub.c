/* SPDX-License-Identifier: Apache-2.0 */
/* Sessions that belong together. */
#include "handler/hub.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <uthash.h>

#include "base/must.h"
#include "base/scope.h"
#include "handler/guest.h"

struct hub {
    char name[HUB_NAME_MAX];
    struct hubs *all;
    enum hub_kind kind;
    UT_hash_handle hh; /* guarded by the hubs' lock, as what follows */
    size_t joined;     /* entered or not yet */
    size_t typing;     /* of those who write, or will */
    bool has_guest;

    struct member **members; /* the websocket thread's, oldest first */
    size_t count;
    struct guest *guest;
};

struct hubs {
    size_t sessions_max, viewers_max;
    pthread_mutex_t lock;
    /* guarded by lock */
    struct hub *by_name;
    size_t count;
    bool is_stopping;
};

static const struct kind {
    bool is_joint, has_roles, one_writer;
    size_t max; /* 0: viewers_max */
} kinds[] = {
    [HUB_CONSOLE] = { .is_joint = true, .has_roles = true, .one_writer = true },
    [HUB_SCREEN] = { .has_roles = true },
    [HUB_SINGLE] = { .max = 1 },
    [HUB_FREE] = { .max = HUB_FREE_MAX },
};

struct hubs *hubs_new(size_t sessions_max, size_t viewers_max)
{
    struct hubs *all = must_calloc(1, sizeof(*all));

    all->sessions_max = sessions_max;
    all->viewers_max = viewers_max;
    must(pthread_mutex_init(&all->lock, NULL) == 0);
    return all;
}

void hubs_free(struct hubs *all)
{
    must(!all->by_name);
    pthread_mutex_destroy(&all->lock);
    free(all);
}

void hubs_stop(struct hubs *all)
{
    pthread_mutex_lock(&all->lock);
    all->is_stopping = true;
    pthread_mutex_unlock(&all->lock);
}

size_t hubs_count(struct hubs *all)
{
    pthread_mutex_lock(&all->lock);
    size_t count = all->count;
    pthread_mutex_unlock(&all->lock);
    return count;
}

/* ---- joining; the lock is held in those that are static ---- */

static struct hub *find_or_make(struct hubs *all, const char *name, enum hub_kind kind)
{
    struct hub *h = NULL;

    HASH_FIND_STR(all->by_name, name, h);
    if (h)
        return h;
    h = must_calloc(1, sizeof(*h));
    (void)snprintf(h->name, sizeof(h->name), "%s", name);
    h->all = all;
    h->kind = kind;
    HASH_ADD_STR(all->by_name, name, h);
    return h;
}

static void count_typing(struct member *m, bool counts)
{
    if (m->counts_as_typing == counts)
        return;
    m->counts_as_typing = counts;
    m->hub->typing += counts ? 1 : (size_t)-1;
}

static enum hub_answer may_join(const struct hubs *all, const struct hub *h, enum role_ask ask)
{
    const struct kind *kind = &kinds[h->kind];
    size_t max = kind->max ? kind->max : all->viewers_max;

    if (all->is_stopping || all->count >= all->sessions_max)
        return HUB_NO_MORE;
    if (h->kind == HUB_SCREEN && ask == ASK_PRESERVE && h->typing > 0)
        return HUB_IS_USED;
    if (h->joined < max)
        return HUB_JOINED;
    return h->kind == HUB_SINGLE ? HUB_IS_USED : HUB_IS_FULL;
}

static void free_if_empty(struct hub *h)
{
    if (h->joined > 0)
        return;
    HASH_DEL(h->all->by_name, h);
    free(h->members);
    free(h);
}

enum hub_answer hub_join(struct hubs *all, const char *name, enum hub_kind kind, struct member *m)
{
    pthread_mutex_lock(&all->lock);
    struct hub *h = find_or_make(all, name, kind);
    enum hub_answer answer = may_join(all, h, m->role.ask);

    if (answer == HUB_JOINED) {
        m->hub = h;
        h->joined++;
        all->count++;
        count_typing(m, m->role.ask != ASK_OBSERVE);
    }
    free_if_empty(h);
    pthread_mutex_unlock(&all->lock);
    return answer;
}

bool hub_wants_guest(const struct member *m)
{
    struct hub *h = m->hub;

    if (!kinds[h->kind].is_joint)
        return true;
    pthread_mutex_lock(&h->all->lock);
    bool has_guest = h->has_guest;
    pthread_mutex_unlock(&h->all->lock);
    return !has_guest;
}

/* ---- on the websocket thread ---- */

/* Roles were given anew: count them, and tell. */
static void settle(struct hub *h)
{
    pthread_mutex_lock(&h->all->lock);
    for (size_t i = 0; i < h->count; i++)
        count_typing(h->members[i], h->members[i]->role.writes);
    pthread_mutex_unlock(&h->all->lock);
    for (size_t i = 0; i < h->count; i++)
        h->members[i]->on->is_changed(h->members[i]);
}

static struct member *find_replaced(const struct hub *h)
{
    for (size_t i = 0; i < h->count; i++) {
        if (h->members[i]->role.is_replaced)
            return h->members[i];
    }
    return NULL;
}

static void give_roles(struct hub *h,
                       void (*give)(struct role *const roles[], size_t count, bool one_writer))
{
    scoped(free) struct role **roles = must_calloc(h->count + 1, sizeof(struct role *));

    for (size_t i = 0; i < h->count; i++)
        roles[i] = &h->members[i]->role;
    give(roles, h->count, kinds[h->kind].one_writer);
}

void hub_enter(struct member *m)
{
    struct hub *h = m->hub;
    struct member *other;

    h->members = must_realloc(h->members, (h->count + 1) * sizeof(struct member *));
    h->members[h->count++] = m;
    m->is_entered = true;
    if (!kinds[h->kind].has_roles) {
        m->role.writes = true;
        return;
    }
    give_roles(h, roles_join);
    while ((other = find_replaced(h)) != NULL)
        other->on->is_replaced(other);
    settle(h);
}

static void forget_member(struct hub *h, const struct member *m)
{
    for (size_t i = 0; i < h->count; i++) {
        if (h->members[i] != m)
            continue;
        memmove(h->members + i, h->members + i + 1, (h->count - i - 1) * sizeof(struct member *));
        h->count--;
        return;
    }
}

void hub_leave(struct member *m)
{
    struct hub *h = m->hub;
    struct guest *unused = NULL;

    if (!h)
        return;
    struct hubs *all = h->all;

    if (m->is_entered) {
        forget_member(h, m);
        if (kinds[h->kind].has_roles) {
            give_roles(h, roles_leave);
            settle(h);
        }
    }
    pthread_mutex_lock(&all->lock);
    count_typing(m, false);
    m->hub = NULL;
    h->joined--;
    all->count--;
    if (h->joined == 0)
        unused = h->guest;
    free_if_empty(h);
    pthread_mutex_unlock(&all->lock);
    if (unused)
        guest_close(unused);
}

enum hub_kind hub_kind(const struct hub *h)
{
    return h->kind;
}

size_t hub_size(const struct hub *h)
{
    return h->count;
}

struct guest *hub_guest(const struct hub *h)
{
    return h->guest;
}

void hub_set_guest(struct hub *h, struct guest *g)
{
    struct guest *before = h->guest;

    h->guest = g;
    pthread_mutex_lock(&h->all->lock);
    h->has_guest = g != NULL;
    pthread_mutex_unlock(&h->all->lock);
    if (before)
        guest_close(before);
}

void hubs_close_guests(struct hubs *all)
{
    struct hub *h, *next;

    /* Those that are left only have members that are being turned away, by threads that free no
     * hub before they have the lock. */
    pthread_mutex_lock(&all->lock);
    HASH_ITER(hh, all->by_name, h, next) {
        if (h->guest)
            guest_close(TAKE(h->guest));
        h->has_guest = false;
    }
    pthread_mutex_unlock(&all->lock);
}
