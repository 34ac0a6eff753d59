/* SPDX-License-Identifier: Apache-2.0 */
#include "kube/matcher.h"

#include <strings.h>

#include "base/jpath.h"
#include "base/must.h"
#include "base/str.h"

#define GROUP "instancetype.kubevirt.io/"

// clang-format off
const struct matcher_row matcher_rows[MATCHERS] = {
    [MATCHER_INSTANCETYPE] = {
        .path = "spec.instancetype", .status = "status.instancetypeRef", .noun = "instance type",
        .of_namespace = &KIND_INSTANCETYPE, .of_cluster = &KIND_CLUSTER_INSTANCETYPE,
        .label = GROUP "default-instancetype", .kind_label = GROUP "default-instancetype-kind",
        .annotation = "kubevirt.io/instancetype-name", .cluster_annotation = "kubevirt.io/cluster-instancetype-name",
    },
    [MATCHER_PREFERENCE] = {
        .path = "spec.preference", .status = "status.preferenceRef", .noun = "preference",
        .of_namespace = &KIND_PREFERENCE, .of_cluster = &KIND_CLUSTER_PREFERENCE,
        .label = GROUP "default-preference", .kind_label = GROUP "default-preference-kind",
        .annotation = "kubevirt.io/preference-name", .cluster_annotation = "kubevirt.io/cluster-preference-name",
    },
};
// clang-format on

const json_t *matcher_of(enum matcher m, const json_t *vm)
{
    return jpath_obj(vm, matcher_rows[m].path);
}

static bool is_kind(const struct kube_kind *kind, const char *name)
{
    return strcasecmp(name, kind->kind) == 0 || strcasecmp(name, kind->plural) == 0;
}

const struct kube_kind *matcher_kind(enum matcher m, const json_t *matcher)
{
    const struct matcher_row *row = &matcher_rows[m];
    const char *name = jpath_str(matcher, "kind", "");

    if (!*name || is_kind(row->of_cluster, name))
        return row->of_cluster;
    return is_kind(row->of_namespace, name) ? row->of_namespace : NULL;
}

char *matcher_key(enum matcher m, const json_t *matcher, const char *ns)
{
    const struct kube_kind *kind = matcher_kind(m, matcher);
    const char *name = jpath_str(matcher, "name", "");

    if (!kind || !*name)
        return NULL;
    return kind->is_cluster_scoped ? must_strdup(name) : must_asprintf("%s/%s", ns, name);
}

/* Is what the status holds what the matcher names? */
static bool is_same(enum matcher m, const json_t *matcher, const json_t *taken)
{
    return streq(jpath_str(matcher, "name", ""), jpath_str(taken, "name", "")) &&
           matcher_kind(m, matcher) == matcher_kind(m, taken);
}

const char *matcher_revision(enum matcher m, const json_t *vm)
{
    const json_t *matcher = matcher_of(m, vm);
    const json_t *taken = jpath_obj(vm, matcher_rows[m].status);
    const char *own = jpath_str(matcher, "revisionName", "");

    if (*own || !matcher || !taken || !is_same(m, matcher, taken))
        return own;
    return jpath_str(taken, "controllerRevisionRef.name", "");
}

static int get_revision(struct kube *k, enum matcher m, const char *ns, const char *name,
                        json_t **ret, struct error *e)
{
    json_auto_t *revision = NULL;
    int r = kube_get(k, &KIND_CONTROLLER_REVISION, ns, name, &revision, e);

    if (r < 0)
        return error_wrap(e, "revision \"%s\" of the %s", name, matcher_rows[m].noun);

    const json_t *data = jpath_obj(revision, "data");
    const char *kind = jpath_str(data, "kind", "");
    if (!jpath_obj(data, "spec") || (*kind && !is_kind(matcher_rows[m].of_namespace, kind) &&
                                     !is_kind(matcher_rows[m].of_cluster, kind)))
        return error_set(e, ERR_INVALID, "revision \"%s\" does not hold an %s", name,
                         matcher_rows[m].noun);
    *ret = json_incref((json_t *)data);
    return 1;
}

int matcher_get(struct kube *k, enum matcher m, const json_t *vm, const char *ns, json_t **ret,
                struct error *e)
{
    const json_t *matcher = matcher_of(m, vm);
    const struct kube_kind *kind = matcher_kind(m, matcher);
    const char *name = jpath_str(matcher, "name", "");
    const char *revision = matcher_revision(m, vm);

    if (!matcher)
        return 0;
    if (*revision)
        return get_revision(k, m, ns, revision, ret, e);
    if (!kind)
        return error_set(e, ERR_INVALID, "%s.kind \"%s\" is no kind of %s", matcher_rows[m].path,
                         jpath_str(matcher, "kind", ""), matcher_rows[m].noun);
    if (!*name)
        return error_set(e, ERR_INVALID, "%s names no %s", matcher_rows[m].path,
                         matcher_rows[m].noun);

    int r = kube_get(k, kind, kind->is_cluster_scoped ? NULL : ns, name, ret, e);
    return r < 0 ? error_wrap(e, "%s \"%s\"", matcher_rows[m].noun, name) : 1;
}
