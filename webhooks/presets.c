/* SPDX-License-Identifier: Apache-2.0 */
/* The stored presets, by namespace. */
#include "webhooks/presets.h"

#include <stdlib.h>
#include <string.h>

#include "base/jpath.h"
#include "base/must.h"
#include "kube/informer.h"

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

static int by_name(const void *a, const void *b)
{
    return strcmp(meta_name(*(json_t *const *)a), meta_name(*(json_t *const *)b));
}

json_t *presets_of(struct presets *p, const char *namespace)
{
    json_auto_t *found = p ? informer_by_index(p->informer, "namespace", namespace) : NULL;
    size_t n = json_array_size(found);
    json_t **item = must_calloc(n + 1, sizeof(*item));
    json_t *sorted = json_array();

    for (size_t i = 0; i < n; i++)
        item[i] = json_array_get(found, i);
    qsort(item, n, sizeof(*item), by_name);
    for (size_t i = 0; i < n; i++)
        must_append(sorted, json_incref(item[i]));
    free(item);
    return sorted;
}
