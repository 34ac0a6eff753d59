/* SPDX-License-Identifier: Apache-2.0 */
#include "apiserver/tokens.h"

#include <pthread.h>
#include <stdio.h>
#include <uthash.h>

#include "base/jpath.h"
#include "base/must.h"
#include "base/scope.h"
#include "base/str.h"
#include "http/token.h"
#include "kube/client.h"

enum { REMEMBERED_MS = 10 * 1000, REMEMBERED_MAX = 4096 };

struct verdict {
    UT_hash_handle hh;
    int64_t until_ms;
    json_t *info; /* UserInfo; NULL: refused */
    unsigned char digest[TOKEN_MAC_BYTES];
};

struct tokens {
    struct kube *kube;
    const struct clock *clock;
    unsigned char key[TOKEN_MAC_BYTES];

    pthread_mutex_t lock;
    struct verdict *verdicts; /* guarded by lock; insertion order is age */
};

struct tokens *tokens_new(struct kube *k, const struct clock *clock)
{
    struct tokens *t = must_calloc(1, sizeof(*t));

    t->kube = k;
    t->clock = clock;
    random_bytes(t->key, sizeof(t->key));
    must(pthread_mutex_init(&t->lock, NULL) == 0);
    return t;
}

static void forget(struct tokens *t, struct verdict *v)
{
    HASH_DEL(t->verdicts, v);
    json_decref(v->info);
    free(v);
}

void tokens_free(struct tokens *t)
{
    struct verdict *v, *next;

    if (!t)
        return;
    HASH_ITER(hh, t->verdicts, v, next)
        forget(t, v);
    pthread_mutex_destroy(&t->lock);
    free(t);
}

static int refused(struct error *e)
{
    return error_set(e, ERR_UNAUTHORIZED,
                     "the API server does not accept this bearer token: it may have expired");
}

/* With the lock held; NULL when nothing that still counts is known. */
static struct verdict *find(struct tokens *t, const unsigned char digest[TOKEN_MAC_BYTES])
{
    struct verdict *v;

    HASH_FIND(hh, t->verdicts, digest, TOKEN_MAC_BYTES, v);
    return v && v->until_ms > clock_mono_ms(t->clock) ? v : NULL;
}

static int recall(struct tokens *t, const unsigned char digest[TOKEN_MAC_BYTES], struct caller *ret,
                  struct error *e)
{
    int r = 0;

    pthread_mutex_lock(&t->lock);
    const struct verdict *v = find(t, digest);
    if (v && v->info)
        ret->info = json_incref(v->info);
    r = !v ? 0 : v->info ? 1 : -ERR_UNAUTHORIZED;
    pthread_mutex_unlock(&t->lock);
    return r < 0 ? refused(e) : r;
}

int tokens_recall(struct tokens *t, const char *token, struct caller *ret, struct error *e)
{
    unsigned char digest[TOKEN_MAC_BYTES];

    token_mac(t->key, token, strlen(token), digest);
    return recall(t, digest, ret, e);
}

static void remember(struct tokens *t, const unsigned char digest[TOKEN_MAC_BYTES], json_t *info)
{
    struct verdict *fresh = must_calloc(1, sizeof(*fresh));
    struct verdict *old;

    memcpy(fresh->digest, digest, sizeof(fresh->digest));
    fresh->info = json_incref(info);
    fresh->until_ms = clock_mono_ms(t->clock) + REMEMBERED_MS;

    pthread_mutex_lock(&t->lock);
    HASH_FIND(hh, t->verdicts, digest, TOKEN_MAC_BYTES, old);
    if (old)
        forget(t, old);
    while (HASH_COUNT(t->verdicts) >= REMEMBERED_MAX)
        forget(t, t->verdicts);
    HASH_ADD(hh, t->verdicts, digest, TOKEN_MAC_BYTES, fresh);
    pthread_mutex_unlock(&t->lock);
}

/* status.user as a caller's UserInfo, of which every part has its type; NULL without a name. */
static json_t *user_info(const json_t *answer)
{
    const json_t *user = jpath_obj(answer, "status.user");
    const json_t *extra = jpath_obj(user, "extra");
    const char *name = jpath_str(user, "username", "");
    const char *uid = jpath_str(user, "uid", "");
    json_t *groups = jpath_arr(user, "groups");

    if (!*name)
        return NULL;
    json_t *info = must_pack("{s:s, s:o, s:o}", "username", name, "groups",
                             groups ? must_copy(groups) : json_array(), "extra",
                             extra ? must_copy(extra) : json_object());
    if (*uid)
        must_set(info, "uid", json_string(uid));
    return info;
}

static int ask(struct tokens *t, const char *token, json_t **ret, struct error *e)
{
    json_t *text = json_string(token);
    json_auto_t *review =
        must_pack("{s:s, s:s, s:{}, s:{s:o}}", "apiVersion", "authentication.k8s.io/v1", "kind",
                  "TokenReview", "metadata", "spec", "token", text);
    int r = kube_create(t->kube, &KIND_TOKEN_REVIEW, review, ret, e);

    explicit_bzero((char *)json_string_value(text), json_string_length(text));
    if (r == 0)
        return 0;
    /* Not being able to ask is the server's trouble, never a verdict. */
    char why[ERROR_MSG_MAX];

    (void)snprintf(why, sizeof(why), "%s", e->msg);
    return error_set(e, ERR_UNAVAILABLE, "the bearer token cannot be asked about: %.400s", why);
}

int tokens_review(struct tokens *t, const char *token, struct caller *ret, struct error *e)
{
    unsigned char digest[TOKEN_MAC_BYTES];
    json_auto_t *answer = NULL;

    token_mac(t->key, token, strlen(token), digest);
    int r = recall(t, digest, ret, e);
    if (r != 0)
        return r < 0 ? r : 0;
    r = ask(t, token, &answer, e);
    if (r < 0)
        return r;

    json_auto_t *info =
        jpath_bool(answer, "status.authenticated", false) ? user_info(answer) : NULL;
    remember(t, digest, info);
    if (!info)
        return refused(e);
    ret->info = json_incref(info);
    return 0;
}
