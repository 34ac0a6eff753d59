/* SPDX-License-Identifier: Apache-2.0 */
#include "apiserver/authz.h"

#include <pthread.h>
#include <stdio.h>
#include <uthash.h>

#include "base/jpath.h"
#include "base/must.h"
#include "base/scope.h"
#include "base/str.h"
#include "kube/client.h"

enum { REMEMBERED_MS = 10 * 1000, REMEMBERED_MAX = 4096 };

struct verdict {
    UT_hash_handle hh;
    int64_t until_ms;
    bool is_allowed;
    char reason[200];
    char key[]; /* the spec's text */
};

struct authz {
    struct kube *kube;
    const struct clock *clock;

    pthread_mutex_t lock;
    struct verdict *verdicts; /* guarded by lock; insertion order is age */
};

struct authz *authz_new(struct kube *k, const struct clock *clock)
{
    struct authz *a = must_calloc(1, sizeof(*a));

    a->kube = k;
    a->clock = clock;
    must(pthread_mutex_init(&a->lock, NULL) == 0);
    return a;
}

static void forget(struct authz *a, struct verdict *v)
{
    HASH_DEL(a->verdicts, v);
    free(v);
}

void authz_free(struct authz *a)
{
    struct verdict *v, *next;

    if (!a)
        return;
    HASH_ITER(hh, a->verdicts, v, next)
        forget(a, v);
    pthread_mutex_destroy(&a->lock);
    free(a);
}

json_t *authz_spec_of(const struct caller *who, json_t *attributes)
{
    json_t *spec = must_pack("{s:s, s:O, s:O, s:o}", "user", jpath_str(who->info, "username", ""),
                             "groups", jpath_arr(who->info, "groups"), "extra",
                             jpath_obj(who->info, "extra"), "resourceAttributes", attributes);
    const char *uid = jpath_str(who->info, "uid", NULL);

    if (uid)
        must_set(spec, "uid", json_string(uid));
    return spec;
}

json_t *authz_spec(const struct caller *who, const struct route_match *what)
{
    return authz_spec_of(who, must_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "group",
                                        SUBRESOURCE_GROUP, "version", what->version, "namespace",
                                        what->namespace, "resource", route_plural(what->target),
                                        "name", what->name, "subresource", what->subresource,
                                        "verb", route_verb(what->route)));
}

/* In the words of Kubernetes' own forbidden errors. */
static int forbidden(const json_t *spec, const char *reason, struct error *e)
{
    const json_t *what = jpath_obj(spec, "resourceAttributes");
    const char *resource = jpath_str(what, "resource", "");
    const char *group = jpath_str(what, "group", "");
    const char *sub = jpath_str(what, "subresource", "");

    return error_set(e, ERR_FORBIDDEN,
                     "%s.%s \"%s\" is forbidden: User \"%s\" cannot %s resource \"%s%s%s\" in API "
                     "group \"%s\" in the namespace \"%s\"%s%s",
                     resource, group, jpath_str(what, "name", ""), jpath_str(spec, "user", ""),
                     jpath_str(what, "verb", ""), resource, *sub ? "/" : "", sub, group,
                     jpath_str(what, "namespace", ""), *reason ? ": " : "", reason);
}

enum authz_answer authz_recall(struct authz *a, const json_t *spec, struct error *e)
{
    enum authz_answer answer = AUTHZ_UNKNOWN;
    scoped(free) char *key = must_dumps(spec, JSON_SORT_KEYS);
    char reason[sizeof(((struct verdict *)0)->reason)] = "";
    struct verdict *v;

    pthread_mutex_lock(&a->lock);
    HASH_FIND_STR(a->verdicts, key, v);
    if (v && v->until_ms > clock_mono_ms(a->clock)) {
        answer = v->is_allowed ? AUTHZ_ALLOWED : AUTHZ_DENIED;
        memcpy(reason, v->reason, sizeof(reason));
    }
    pthread_mutex_unlock(&a->lock);

    if (answer == AUTHZ_DENIED)
        forbidden(spec, reason, e);
    return answer;
}

static void remember(struct authz *a, const json_t *spec, bool is_allowed, const char *reason)
{
    scoped(free) char *key = must_dumps(spec, JSON_SORT_KEYS);
    size_t size = strlen(key) + 1;
    struct verdict *fresh = must_calloc(1, sizeof(*fresh) + size);
    struct verdict *old;

    memcpy(fresh->key, key, size);
    fresh->is_allowed = is_allowed;
    fresh->until_ms = clock_mono_ms(a->clock) + REMEMBERED_MS;
    (void)snprintf(fresh->reason, sizeof(fresh->reason), "%s", reason);

    pthread_mutex_lock(&a->lock);
    HASH_FIND_STR(a->verdicts, key, old);
    if (old)
        forget(a, old);
    while (HASH_COUNT(a->verdicts) >= REMEMBERED_MAX)
        forget(a, a->verdicts);
    HASH_ADD_STR(a->verdicts, key, fresh);
    pthread_mutex_unlock(&a->lock);
}

int authz_review(struct authz *a, const json_t *spec, struct error *e)
{
    json_auto_t *review =
        must_pack("{s:s, s:s, s:{}, s:O}", "apiVersion", "authorization.k8s.io/v1", "kind",
                  "SubjectAccessReview", "metadata", "spec", spec);
    json_auto_t *answer = NULL;

    int r = kube_create(a->kube, &KIND_SAR, review, &answer, e);
    if (r < 0) {
        /* Not being able to ask is the server's trouble, never a verdict. */
        char why[ERROR_MSG_MAX];

        (void)snprintf(why, sizeof(why), "%s", e->msg);
        return error_set(e, ERR_UNAVAILABLE, "authorisation cannot be asked for: %.400s", why);
    }

    bool is_allowed =
        jpath_bool(answer, "status.allowed", false) && !jpath_bool(answer, "status.denied", false);
    const char *reason = jpath_str(answer, "status.reason", "");

    remember(a, spec, is_allowed, reason);
    return is_allowed ? 0 : forbidden(spec, reason, e);
}

int authz_decide(struct authz *a, const json_t *spec, struct error *e)
{
    switch (authz_recall(a, spec, e)) {
    case AUTHZ_ALLOWED:
        return 0;
    case AUTHZ_DENIED:
        return -(int)e->code;
    case AUTHZ_UNKNOWN:
        break;
    }
    return authz_review(a, spec, e);
}
