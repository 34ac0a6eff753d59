/* SPDX-License-Identifier: Apache-2.0 */
/* Labels and annotations that are the installation's (spec 02, end of 4.1 and section 5). */
#include "base/jpath.h"
#include "base/must.h"
#include "base/scope.h"
#include "base/str.h"
#include "openapi/inert.h"
#include "openapi/validate.h"
#include "webhooks/rules_vmi.h"

static const char *const restricted_labels[] = {
    "kubevirt.io/created-by",  "kubevirt.io/migrationJobUID",
    "kubevirt.io/nodeName",    "kubevirt.io/migrationTargetNodeName",
    "kubevirt.io/schedulable", "kubevirt.io/install-strategy",
};

static const struct {
    const char *annotation, *gate;
} gated[] = {
    { "kubevirt.io/ignitiondata", "ExperimentalIgnitionSupport" },
    { "hooks.kubevirt.io/hookSidecars", "Sidecar" },
};

char *own_account_name(const struct review *rv, const char *name)
{
    return must_asprintf("system:serviceaccount:%s:%s", rv->installation, name);
}

/* ---- is it metadata at all?  The API server lets anything pass in a template's. ---- */

// clang-format off
static const struct meta_member {
    const char *name;
    enum { META_TEXT, META_NUMBER, META_TEXTS, META_TEXT_MAP, META_OBJECTS } shape;
} meta_members[] = {
    { "name",              META_TEXT },
    { "generateName",      META_TEXT },
    { "namespace",         META_TEXT },
    { "labels",            META_TEXT_MAP },
    { "annotations",       META_TEXT_MAP },
    { "finalizers",        META_TEXTS },
    { "uid",               META_TEXT },
    { "resourceVersion",   META_TEXT },
    { "generation",        META_NUMBER },
    { "creationTimestamp", META_TEXT },
    { "deletionTimestamp", META_TEXT },
    { "ownerReferences",   META_OBJECTS },
};
// clang-format on

static void expect(struct review *rv, bool is_fine, const struct at *at, const char *what)
{
    if (!is_fine)
        findings_add_at(&rv->findings, CAUSE_TYPE_INVALID, at, "must be %s", what);
}

static void check_items(struct review *rv, const struct at *at, const json_t *list, json_type type,
                        const char *what)
{
    size_t i;
    json_t *item;

    expect(rv, json_is_array(list), at, "a list");
    json_array_foreach(list, i, item)
        expect(rv, json_typeof(item) == type, &AT_INDEX(at, i), what);
}

static void check_texts(struct review *rv, const struct at *at, const json_t *map)
{
    const char *key;
    json_t *value;

    expect(rv, json_is_object(map), at, "an object");
    json_object_foreach((json_t *)map, key, value)
        expect(rv, json_is_string(value), &AT_KEY(at, key), "a string");
}

static void check_member(struct review *rv, const struct meta_member *m, const struct at *at,
                         const json_t *v)
{
    switch (m->shape) {
    case META_TEXT:
        expect(rv, json_is_string(v), at, "a string");
        break;
    case META_NUMBER:
        expect(rv, json_is_integer(v), at, "a whole number");
        break;
    case META_TEXTS:
        check_items(rv, at, v, JSON_STRING, "a string");
        break;
    case META_TEXT_MAP:
        check_texts(rv, at, v);
        break;
    case META_OBJECTS:
        check_items(rv, at, v, JSON_OBJECT, "an object");
        break;
    }
}

static void check_metadata_shape(struct review *rv, const char *path)
{
    const json_t *metadata = jpath_obj(rv->object, path);
    const struct at at = AT_NAME(NULL, path);

    for (size_t i = 0; metadata && i < countof(meta_members); i++) {
        const json_t *v = json_object_get(metadata, meta_members[i].name);
        if (v && !json_is_null(v))
            check_member(rv, &meta_members[i], &AT_NAME(&at, meta_members[i].name), v);
    }
}

static void check_shapes(struct review *rv)
{
    check_metadata_shape(rv, "metadata");
    check_metadata_shape(rv, "spec.template.metadata");
}

void check_schema_only(struct review *rv)
{
    schema_validate(rv->kind, rv->object, &rv->findings);
    check_shapes(rv);
}

bool check_shape(struct review *rv)
{
    check_schema_only(rv);
    if (findings_misshapen(&rv->findings))
        return false;
    findings_done(&rv->findings);
    findings_init(&rv->findings);
    return true;
}

/* The last warning counts those that there is no room for. */
static void warn_of_inert(struct review *rv, const struct inert_use *used)
{
    const size_t shown = used->len > INERT_SHOWN ? INERT_SHOWN - 1 : used->len;

    for (size_t i = 0; i < shown; i++)
        review_warn(rv, "%.190s: accepted and stored, but cvirt does not act on it yet",
                    used->field[i]);
    if (used->len > shown)
        review_warn(rv, "%zu more fields are stored, but cvirt does not act on them yet",
                    used->len - shown);
}

void check_schema(struct review *rv)
{
    scoped_inert_use used = { .old = rv->old };

    if (rv->is_own_account || rv->is_status) {
        check_schema_only(rv);
        return;
    }
    schema_validate_noting(rv->kind, rv->object, &rv->findings, &used);
    check_shapes(rv);
    warn_of_inert(rv, &used);
}

/* ---- what users may not say ---- */

void check_metadata(struct review *rv, const struct at *at, const json_t *metadata)
{
    const json_t *labels = json_object_get(metadata, "labels");
    const json_t *annotations = json_object_get(metadata, "annotations");
    const struct at at_labels = AT_NAME(at, "labels");
    const struct at at_annotations = AT_NAME(at, "annotations");

    for (size_t i = 0; labels && !rv->is_own_account && i < countof(restricted_labels); i++)
        if (json_object_get(labels, restricted_labels[i]))
            findings_add_at(&rv->findings, CAUSE_NOT_SUPPORTED, &at_labels,
                            "the label %s is set by the installation only: leave it out",
                            restricted_labels[i]);
    for (size_t i = 0; annotations && i < countof(gated); i++)
        if (json_object_get(annotations, gated[i].annotation) &&
            !cluster_config_gate(rv->config, gated[i].gate))
            findings_add_at(&rv->findings, CAUSE_INVALID, &at_annotations,
                            "the annotation %s needs the feature gate %s", gated[i].annotation,
                            gated[i].gate);
}

void check_restricted_labels_kept(struct review *rv)
{
    const json_t *now = jpath_obj(rv->object, "metadata.labels");
    const json_t *before = jpath_obj(rv->old, "metadata.labels");

    for (size_t i = 0; i < countof(restricted_labels); i++)
        if (!streq(json_string_value(json_object_get(now, restricted_labels[i])),
                   json_string_value(json_object_get(before, restricted_labels[i]))))
            findings_add(&rv->findings, CAUSE_NOT_SUPPORTED, "metadata.labels",
                         "the label %s is the installation's: leave it as it was",
                         restricted_labels[i]);
}
