/* SPDX-License-Identifier: Apache-2.0 */
#include "webhooks/instancetypes.h"

#include <stdlib.h>

#include "base/jpath.h"
#include "base/must.h"
#include "base/scope.h"
#include "kube/informer.h"
#include "kube/matcher.h"

static const struct kube_kind *const kinds[] = { &KIND_INSTANCETYPE, &KIND_CLUSTER_INSTANCETYPE,
                                                 &KIND_PREFERENCE, &KIND_CLUSTER_PREFERENCE };

struct instancetypes {
    struct informer *informer[countof(kinds)];
};

/* Only what is applied is kept. */
static void trim(json_t *obj)
{
    jpath_del(obj, "metadata.annotations");
    jpath_del(obj, "metadata.labels");
    json_object_del(obj, "status");
}

struct instancetypes *instancetypes_start(struct kube *k, struct http_watcher *w)
{
    struct instancetypes *t = must_calloc(1, sizeof(*t));

    for (size_t i = 0; i < countof(kinds); i++) {
        struct informer_options io = { .kind = kinds[i], .trim = trim, .may_be_absent = true };

        t->informer[i] = informer_start(k, w, &io);
    }
    return t;
}

void instancetypes_stop(struct instancetypes *t)
{
    if (!t)
        return;
    for (size_t i = 0; i < countof(kinds); i++)
        informer_stop(t->informer[i]);
    free(t);
}

bool instancetypes_is_synced(const struct instancetypes *t)
{
    for (size_t i = 0; i < countof(kinds); i++)
        if (!informer_is_synced(t->informer[i]))
            return false;
    return true;
}

json_t *instancetypes_find(void *ctx, const struct kube_kind *kind, const char *key)
{
    struct instancetypes *t = ctx;

    for (size_t i = 0; i < countof(kinds); i++)
        if (kinds[i] == kind)
            return informer_get(t->informer[i], key);
    return NULL;
}
