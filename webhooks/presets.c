/* SPDX-License-Identifier: Apache-2.0 */
/* The stored presets, by namespace. */
#include "webhooks/presets.h"

#include <stdlib.h>

#include "base/must.h"
#include "kube/informer.h"
#include "openapi/presets_merge.h"

struct presets {
    struct informer *informer;
};

struct presets *presets_start(struct kube *k, struct http_watcher *w)
{
    struct presets *p = must_calloc(1, sizeof(*p));
    struct informer_options io = {
        .kind = &KIND_PRESET,
        .index = { { "namespace", index_by_namespace } },
        .may_be_absent = true,
    };

    p->informer = informer_start(k, w, &io);
    return p;
}

void presets_stop(struct presets *p)
{
    if (!p)
        return;
    informer_stop(p->informer);
    free(p);
}

bool presets_is_synced(const struct presets *p)
{
    return informer_is_synced(p->informer);
}

json_t *presets_of(struct presets *p, const char *namespace)
{
    json_auto_t *found = p ? informer_by_index(p->informer, "namespace", namespace) : NULL;

    return presets_in_order(found);
}
