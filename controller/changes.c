/* SPDX-License-Identifier: Apache-2.0 */
/* Minimal, locked writes; see changes.h. */
#include "controller/changes.h"

#include "base/jpatch.h"
#include "base/jpath.h"
#include "base/must.h"
#include "base/scope.h"
#include "base/str.h"

static const char *const compared_metadata[] = { "labels", "annotations", "finalizers",
                                                 "ownerReferences" };

static json_t *comparable(const json_t *obj, const char *sub)
{
    json_t *out = json_object();
    const json_t *status = json_object_get(obj, "status");
    if (status)
        json_object_set(out, "status", (json_t *)status);
    if (sub)
        return out;

    const json_t *spec = json_object_get(obj, "spec");
    if (spec)
        json_object_set(out, "spec", (json_t *)spec);
    json_t *metadata = json_object();
    for (size_t i = 0; i < countof(compared_metadata); i++) {
        json_t *v = json_object_get(json_object_get(obj, "metadata"), compared_metadata[i]);
        if (v)
            json_object_set(metadata, compared_metadata[i], v);
    }
    must_set(out, "metadata", metadata);
    return out;
}

json_t *changes_patch(const json_t *before, const json_t *after, const char *sub)
{
    json_auto_t *old = comparable(before, sub);
    json_auto_t *new = comparable(after, sub);
    json_t *patch = jmerge_make(old, new);
    if (json_object_size(patch) == 0) {
        json_decref(patch);
        return NULL;
    }
    jpath_set_str(patch, "metadata.resourceVersion",
                  jpath_str(before, "metadata.resourceVersion", ""));
    return patch;
}

int changes_write(struct kube *k, const struct kube_kind *kind, const char *sub,
                  const json_t *before, const json_t *after, json_t **ret, struct error *e)
{
    json_auto_t *patch = changes_patch(before, after, sub);
    if (!patch)
        return 0;
    int r = kube_patch(k, kind, meta_namespace(before), meta_name(before), sub, KUBE_PATCH_MERGE,
                       patch, NULL, ret, e);
    if (r == -ERR_NOT_FOUND)
        return 1;
    return r < 0 ? r : 1;
}

int delete_exactly(struct kube *k, const struct kube_kind *kind, const json_t *obj, int grace_s,
                   struct error *e)
{
    json_auto_t *options = must_pack("{s:s, s:s, s:{s:s}}", "apiVersion", "v1", "kind",
                                     "DeleteOptions", "preconditions", "uid", meta_uid(obj));
    if (grace_s >= 0)
        must_set(options, "gracePeriodSeconds", json_integer(grace_s));
    int r = kube_delete(k, kind, meta_namespace(obj), meta_name(obj), options, e);
    /* A conflict means that another object has taken the name: the one that was meant is gone. */
    return r == -ERR_NOT_FOUND || r == -ERR_CONFLICT ? 1 : r;
}

bool finalizer_remove(json_t *obj, const char *finalizer)
{
    json_t *list = jpath_arr(obj, "metadata.finalizers");
    for (size_t i = 0; i < json_array_size(list); i++) {
        if (!streq(json_string_value(json_array_get(list, i)), finalizer))
            continue;
        json_array_remove(list, i);
        if (json_array_size(list) == 0)
            jpath_del(obj, "metadata.finalizers");
        return true;
    }
    return false;
}
