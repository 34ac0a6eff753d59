/* SPDX-License-Identifier: Apache-2.0 */
/* Outstanding deeds of each key; see expectations.h. */
#include "controller/expectations.h"

#include <pthread.h>
#include <stdlib.h>
#include <uthash.h>

#include "base/jpath.h"
#include "base/must.h"
#include "base/scope.h"
#include "base/str.h"

struct token {
    char *text; /* "+name" or "-uid" */
    UT_hash_handle hh;
};

struct entry {
    char *key;
    struct token *tokens;
    long long version; /* 0: none */
    int64_t until_ms;
    UT_hash_handle hh;
};

struct expectations {
    const struct clock *clock;
    pthread_mutex_t lock;
    struct entry *entries; /* guarded by lock */
};

struct expectations *expectations_new(const struct clock *clock)
{
    struct expectations *x = must_calloc(1, sizeof(*x));
    x->clock = clock;
    pthread_mutex_init(&x->lock, NULL);
    return x;
}

static void token_drop(struct entry *entry, struct token *token)
{
    HASH_DEL(entry->tokens, token);
    free(token->text);
    free(token);
}

static void entry_drop(struct expectations *x, struct entry *entry)
{
    struct token *token;
    struct token *next;
    HASH_ITER(hh, entry->tokens, token, next) {
        token_drop(entry, token);
    }
    HASH_DEL(x->entries, entry);
    free(entry->key);
    free(entry);
}

void expectations_free(struct expectations *x)
{
    if (!x)
        return;
    struct entry *entry;
    struct entry *next;
    HASH_ITER(hh, x->entries, entry, next) {
        entry_drop(x, entry);
    }
    pthread_mutex_destroy(&x->lock);
    free(x);
}

static struct entry *entry_find(struct expectations *x, const char *key)
{
    struct entry *entry = NULL;
    HASH_FIND_STR(x->entries, key, entry);
    return entry;
}

static struct entry *entry_make(struct expectations *x, const char *key)
{
    struct entry *entry = entry_find(x, key);
    if (!entry) {
        entry = must_calloc(1, sizeof(*entry));
        entry->key = must_strdup(key);
        HASH_ADD_KEYPTR(hh, x->entries, entry->key, strlen(entry->key), entry);
    }
    entry->until_ms = clock_mono_ms(x->clock) + EXPECTATION_MAX_MS;
    return entry;
}

static void expect(struct expectations *x, const char *key, char *text /* taken */)
{
    pthread_mutex_lock(&x->lock);
    struct entry *entry = entry_make(x, key);
    struct token *token = NULL;
    HASH_FIND_STR(entry->tokens, text, token);
    if (token) {
        free(text);
    } else {
        token = must_calloc(1, sizeof(*token));
        token->text = text;
        HASH_ADD_KEYPTR(hh, entry->tokens, token->text, strlen(token->text), token);
    }
    pthread_mutex_unlock(&x->lock);
}

static void saw(struct expectations *x, const char *key, char *text /* taken */)
{
    pthread_mutex_lock(&x->lock);
    struct entry *entry = entry_find(x, key);
    struct token *token = NULL;
    if (entry)
        HASH_FIND_STR(entry->tokens, text, token);
    if (token)
        token_drop(entry, token);
    pthread_mutex_unlock(&x->lock);
    free(text);
}

void expect_birth(struct expectations *x, const char *key, const char *name)
{
    expect(x, key, must_asprintf("+%s", name));
}

void expect_death(struct expectations *x, const char *key, const char *uid)
{
    expect(x, key, must_asprintf("-%s", uid));
}

void saw_birth(struct expectations *x, const char *key, const char *name)
{
    saw(x, key, must_asprintf("+%s", name));
}

void saw_death(struct expectations *x, const char *key, const char *uid)
{
    saw(x, key, must_asprintf("-%s", uid));
}

void check_death(struct expectations *x, const char *key, struct informer *children,
                 const json_t *child)
{
    scoped(free) char *child_key = meta_key(child);
    json_auto_t *seen = informer_get(children, child_key);
    if (!seen || meta_is_deleting(seen) || !streq(meta_uid(seen), meta_uid(child)))
        saw_death(x, key, meta_uid(child));
}

void saw_child(struct expectations *x, const char *key, const json_t *old, const json_t *obj)
{
    const json_t *child = obj ? obj : old;
    saw_birth(x, key, meta_name(child));
    if (!obj || meta_is_deleting(obj))
        saw_death(x, key, meta_uid(child));
}

/* 0 when absent.  Kubernetes defines the order of versions of one kind since 1.35; etcd's always
 * had it. */
static long long version_of(const json_t *obj)
{
    long long version = 0;
    (void)str_to_int(jpath_str(obj, "metadata.resourceVersion", ""), 0, INT64_MAX, &version);
    return version;
}

void expect_version(struct expectations *x, const char *key, const json_t *answer)
{
    long long version = version_of(answer);
    if (version == 0)
        return;
    pthread_mutex_lock(&x->lock);
    struct entry *entry = entry_make(x, key);
    if (version > entry->version)
        entry->version = version;
    pthread_mutex_unlock(&x->lock);
}

bool expectations_are_met(struct expectations *x, const char *key, const json_t *own)
{
    pthread_mutex_lock(&x->lock);
    struct entry *entry = entry_find(x, key);
    bool met = true;
    if (entry) {
        met = (!entry->tokens && version_of(own) >= entry->version) ||
              clock_mono_ms(x->clock) >= entry->until_ms;
        if (met)
            entry_drop(x, entry);
    }
    pthread_mutex_unlock(&x->lock);
    return met;
}

void expectations_forget(struct expectations *x, const char *key)
{
    pthread_mutex_lock(&x->lock);
    struct entry *entry = entry_find(x, key);
    if (entry)
        entry_drop(x, entry);
    pthread_mutex_unlock(&x->lock);
}
