/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A hash of entries, a hash of buckets for each index, and a list of the parsed
 * entries, last used first.  Parsing happens outside of the lock.
 */
#include "kube/store.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>
#include <utlist.h>

#include "base/jpath.h"
#include "base/must.h"
#include "base/scope.h"
#include "base/str.h"

enum {
    VERSION_MAX = 24
}; /* resource versions are 64-bit numbers; a longer one never compares equal */

/* The text of one version of an object; immutable. */
struct blob {
    atomic_int refs;
    size_t len;
    char text[];
};

struct entry;

/* All entries of one value of an index. */
struct group {
    UT_hash_handle hh;
    struct entry *first;
    size_t len;
    char value[];
};

/* Where an entry stands in one index. */
struct place {
    struct group *group; /* NULL: not in it */
    struct entry *next, *prev;
};

struct entry {
    UT_hash_handle hh;
    struct entry *next, *prev; /* of the parsed ones */
    struct blob *blob;
    json_t *parsed; /* NULL: cold */
    unsigned seen;
    char version[VERSION_MAX];
    char *key;
    struct place place[];
};

struct store {
    struct store_index index[INFORMER_INDEXES_MAX];
    size_t index_len;

    pthread_mutex_t lock;
    /* guarded by lock */
    struct entry *entries;
    struct group *groups[INFORMER_INDEXES_MAX];
    struct entry *hot;
    size_t hot_bytes;
    unsigned mark;
};

static struct blob *blob_new(const json_t *obj)
{
    size_t len = json_dumpb(obj, NULL, 0, JSON_COMPACT);
    struct blob *b = must_malloc(sizeof(*b) + len);

    b->refs = 1;
    b->len = json_dumpb(obj, b->text, len, JSON_COMPACT);
    return b;
}

static struct blob *blob_ref(struct blob *b)
{
    atomic_fetch_add(&b->refs, 1);
    return b;
}

static void blob_unref(struct blob *b)
{
    if (b && atomic_fetch_sub(&b->refs, 1) == 1)
        free(b);
}

static json_t *blob_parse(const struct blob *b)
{
    json_t *v = json_loadb(b->text, b->len, JSON_DECODE_ANY, NULL);

    must(v); /* we wrote it */
    return v;
}

/* ---- entries; all with the lock held ---- */

static struct entry *entry_find(struct store *s, const char *key)
{
    struct entry *en = NULL;

    HASH_FIND_STR(s->entries, key, en);
    return en;
}

static void entry_cool(struct store *s, struct entry *en)
{
    if (!en->parsed)
        return;
    DL_DELETE(s->hot, en);
    s->hot_bytes -= en->blob->len;
    json_decref(en->parsed);
    en->parsed = NULL;
}

static void entry_heat(struct store *s, struct entry *en, json_t *parsed)
{
    if (en->parsed) {
        DL_DELETE(s->hot, en);
        DL_PREPEND(s->hot, en);
        return;
    }
    en->parsed = json_incref(parsed);
    DL_PREPEND(s->hot, en);
    s->hot_bytes += en->blob->len;
    while (s->hot_bytes > STORE_HOT_BYTES && s->hot->prev != en)
        entry_cool(s, s->hot->prev); /* the head's prev is the last one */
}

static void place_leave(struct store *s, size_t n, struct entry *en)
{
    struct place *at = &en->place[n];
    struct group *g = at->group;

    if (!g)
        return;
    if (at->prev)
        at->prev->place[n].next = at->next;
    else
        g->first = at->next;
    if (at->next)
        at->next->place[n].prev = at->prev;
    *at = (struct place){ 0 };
    if (--g->len == 0) {
        HASH_DEL(s->groups[n], g);
        free(g);
    }
}

static struct group *group_make(struct store *s, size_t n, const char *value)
{
    struct group *g = NULL;
    size_t len = strlen(value);

    HASH_FIND(hh, s->groups[n], value, len, g);
    if (!g) {
        g = must_calloc(1, sizeof(*g) + len + 1);
        memcpy(g->value, value, len + 1);
        HASH_ADD_KEYPTR(hh, s->groups[n], g->value, len, g);
    }
    return g;
}

static void place_enter(struct store *s, size_t n, struct entry *en, const char *value)
{
    struct place *at = &en->place[n];

    if (value && at->group && streq(at->group->value, value))
        return;
    place_leave(s, n, en);
    if (!value)
        return;
    struct group *g = group_make(s, n, value);
    at->group = g;
    at->next = g->first;
    if (g->first)
        g->first->place[n].prev = en;
    g->first = en;
    g->len++;
}

static struct entry *entry_make(struct store *s, const char *key)
{
    struct entry *en = entry_find(s, key);
    if (en)
        return en;
    en = must_calloc(1, sizeof(*en) + s->index_len * sizeof(en->place[0]));
    en->key = must_strdup(key);
    HASH_ADD_KEYPTR(hh, s->entries, en->key, strlen(en->key), en);
    return en;
}

static void entry_free(struct store *s, struct entry *en)
{
    entry_cool(s, en);
    for (size_t n = 0; n < s->index_len; n++)
        place_leave(s, n, en);
    HASH_DEL(s->entries, en);
    blob_unref(en->blob);
    free(en->key);
    free(en);
}

static void entry_set_version(struct entry *en, const char *version)
{
    size_t len = strlen(version);

    memcpy(en->version, len < VERSION_MAX ? version : "", len < VERSION_MAX ? len + 1 : 1);
}

/* ---- taking objects out ---- */

/* An object on its way out: parsed already, or the text to parse once the lock is gone. */
struct pick {
    json_t *parsed;
    struct blob *blob;
};

static struct pick pick_entry(struct store *s, struct entry *en)
{
    if (!en->parsed)
        return (struct pick){ .blob = blob_ref(en->blob) };
    entry_heat(s, en, en->parsed);
    return (struct pick){ .parsed = json_incref(en->parsed) };
}

static json_t *pick_take(struct pick *p)
{
    json_t *v = p->parsed ? p->parsed : blob_parse(p->blob);

    blob_unref(p->blob);
    *p = (struct pick){ 0 };
    return v;
}

static json_t *picks_take(struct pick *p, size_t len)
{
    json_t *all = json_array();

    must(all);
    for (size_t i = 0; i < len; i++)
        must_append(all, pick_take(&p[i]));
    return all;
}

/* ---- public ---- */

struct store *store_new(const struct store_index *index, size_t len)
{
    struct store *s = must_calloc(1, sizeof(*s));

    must(len <= INFORMER_INDEXES_MAX);
    for (size_t n = 0; n < len; n++)
        s->index[n] = index[n];
    s->index_len = len;
    must(pthread_mutex_init(&s->lock, NULL) == 0);
    return s;
}

void store_free(struct store *s)
{
    if (!s)
        return;
    for (struct entry *en = s->entries, *next; en; en = next) {
        next = en->hh.next;
        entry_free(s, en);
    }
    (void)pthread_mutex_destroy(&s->lock);
    free(s);
}

json_t *store_put(struct store *s, const char *key, json_t *obj)
{
    char *value[INFORMER_INDEXES_MAX] = { 0 };
    struct blob *blob = blob_new(obj);
    struct pick old = { 0 };

    for (size_t n = 0; n < s->index_len; n++)
        value[n] = s->index[n].fn(obj);

    pthread_mutex_lock(&s->lock);
    struct entry *en = entry_make(s, key);
    bool was_there = en->blob != NULL;
    if (was_there)
        old = pick_entry(s, en);
    entry_cool(s, en);
    blob_unref(en->blob);
    en->blob = blob;
    en->seen = s->mark;
    entry_set_version(en, jpath_str(obj, "metadata.resourceVersion", ""));
    for (size_t n = 0; n < s->index_len; n++)
        place_enter(s, n, en, value[n]);
    entry_heat(s, en, obj); /* somebody will look at it soon */
    pthread_mutex_unlock(&s->lock);

    for (size_t n = 0; n < s->index_len; n++)
        free(value[n]);
    return was_there ? pick_take(&old) : NULL;
}

json_t *store_remove(struct store *s, const char *key)
{
    struct pick old = { 0 };

    pthread_mutex_lock(&s->lock);
    struct entry *en = entry_find(s, key);
    bool was_there = en != NULL;
    if (en) {
        old = pick_entry(s, en);
        entry_free(s, en);
    }
    pthread_mutex_unlock(&s->lock);
    return was_there ? pick_take(&old) : NULL;
}

/* Keep what was parsed outside of the lock, if the object is still the same. */
static void remember(struct store *s, const char *key, const struct blob *blob, json_t *parsed)
{
    pthread_mutex_lock(&s->lock);
    struct entry *en = entry_find(s, key);
    if (en && en->blob == blob)
        entry_heat(s, en, parsed);
    pthread_mutex_unlock(&s->lock);
}

json_t *store_get(struct store *s, const char *key)
{
    struct pick p = { 0 };

    pthread_mutex_lock(&s->lock);
    struct entry *en = entry_find(s, key);
    if (en)
        p = pick_entry(s, en);
    pthread_mutex_unlock(&s->lock);
    if (!p.blob)
        return p.parsed;
    struct blob *blob = blob_ref(p.blob); /* so that its address stays its own */
    json_t *v = pick_take(&p);
    remember(s, key, blob, v);
    blob_unref(blob);
    return v;
}

json_t *store_list(struct store *s)
{
    size_t len = 0;

    pthread_mutex_lock(&s->lock);
    scoped(free) struct pick *picks = must_calloc(HASH_COUNT(s->entries) + 1, sizeof(*picks));
    for (struct entry *en = s->entries; en; en = en->hh.next)
        picks[len++] = pick_entry(s, en);
    pthread_mutex_unlock(&s->lock);
    return picks_take(picks, len);
}

static size_t index_number(const struct store *s, const char *name)
{
    size_t n = 0;

    while (n < s->index_len && !streq(s->index[n].name, name))
        n++;
    must(n < s->index_len); /* a name that the caller never declared */
    return n;
}

json_t *store_by_index(struct store *s, const char *index, const char *value)
{
    size_t n = index_number(s, index);
    struct group *g = NULL;
    size_t len = 0;

    pthread_mutex_lock(&s->lock);
    HASH_FIND_STR(s->groups[n], value, g);
    scoped(free) struct pick *picks = must_calloc((g ? g->len : 0) + 1, sizeof(*picks));
    for (struct entry *en = g ? g->first : NULL; en; en = en->place[n].next)
        picks[len++] = pick_entry(s, en);
    pthread_mutex_unlock(&s->lock);
    return picks_take(picks, len);
}

size_t store_count(struct store *s)
{
    pthread_mutex_lock(&s->lock);
    size_t n = HASH_COUNT(s->entries);
    pthread_mutex_unlock(&s->lock);
    return n;
}

json_t *store_keys(struct store *s, bool only_unseen)
{
    json_t *keys = json_array();

    must(keys);
    pthread_mutex_lock(&s->lock);
    for (const struct entry *en = s->entries; en; en = en->hh.next)
        if (!only_unseen || en->seen != s->mark)
            must_append(keys, json_string(en->key));
    pthread_mutex_unlock(&s->lock);
    return keys;
}

void store_mark(struct store *s)
{
    pthread_mutex_lock(&s->lock);
    s->mark++;
    pthread_mutex_unlock(&s->lock);
}

bool store_has(struct store *s, const char *key, const char *resource_version)
{
    pthread_mutex_lock(&s->lock);
    struct entry *en = entry_find(s, key);
    bool is_same = en && en->version[0] && streq(en->version, resource_version);
    if (is_same)
        en->seen = s->mark;
    pthread_mutex_unlock(&s->lock);
    return is_same;
}
