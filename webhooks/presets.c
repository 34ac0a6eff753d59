/* SPDX-License-Identifier: Apache-2.0 */
/* The stored presets, by namespace. */
#include "webhooks/presets.h"

#include <stdlib.h>

#include "base/buf.h"
#include "base/jpath.h"
#include "base/must.h"
#include "kube/informer.h"
#include "webhooks/review.h"

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

static void warn_of(struct review *rv, const struct preset_step *step, enum preset_outcome outcome,
                    const char *what)
{
    scoped_buf fields = BUF_INIT(0);

    for (size_t i = 0; i < step->len; i++)
        if (step->field[i].outcome == outcome)
            (void)buf_addf(&fields, "%sspec.domain.%s", fields.len ? ", " : "",
                           step->field[i].path);
    if (fields.len)
        review_warn(rv, "%s %s \"%s\"", fields.data, what, meta_name(step->preset));
}

void presets_warn(void *ctx, const struct preset_step *step)
{
    warn_of(ctx, step, PRESET_GAVE, "given by the preset");
    warn_of(ctx, step, PRESET_LOST, "kept, not as in the preset");
}
