/* SPDX-License-Identifier: Apache-2.0 */
#include "controller/vm_types.h"

#include "base/digest.h"
#include "base/jpath.h"
#include "base/must.h"
#include "base/scope.h"
#include "base/str.h"
#include "controller/vm_start.h"
#include "openapi/findings.h"
#include "openapi/vm_expand.h"

enum { NAME_MAX_LEN = 253, LABEL_MAX_LEN = 63 };

#define LABEL "instancetype.kubevirt.io/object-"

/* ---- revision and status ---- */

static char *revision_name(const json_t *vm, const json_t *object, const struct kube_kind *kind)
{
    char *name =
        must_asprintf("%s-%s-%s-%s-%lld", meta_name(vm), meta_name(object), kind->version,
                      meta_uid(object), (long long)jpath_int(object, "metadata.generation", 0));
    char digest[SHA1_HEX_MAX];

    if (strlen(name) <= NAME_MAX_LEN)
        return name;
    sha1_hex(name, strlen(name), digest);
    free(name);
    return must_asprintf("%.*s-%s", 200, meta_name(vm), digest);
}

static json_t *revision_labels(const json_t *object, const struct kube_kind *kind)
{
    scoped(free) char *generation =
        must_asprintf("%lld", (long long)jpath_int(object, "metadata.generation", 0));
    json_t *labels =
        must_pack("{s:s, s:s, s:s, s:s}", LABEL "generation", generation, LABEL "kind", kind->kind,
                  LABEL "uid", meta_uid(object), LABEL "version", kind->version);

    if (strlen(meta_name(object)) <= LABEL_MAX_LEN)
        must_set(labels, LABEL "name", json_string(meta_name(object)));
    return labels;
}

json_t *type_revision(enum matcher m, const json_t *vm, const json_t *object)
{
    const struct kube_kind *kind = matcher_kind(m, matcher_of(m, vm));
    scoped(free) char *name = revision_name(vm, object, kind);
    char version[KUBE_API_VERSION_MAX];
    json_t *data = must_pack(
        "{s:s, s:s, s:{s:s, s:s, s:I}, s:O}", "apiVersion", kube_api_version(kind, version), "kind",
        kind->kind, "metadata", "name", meta_name(object), "uid", meta_uid(object), "generation",
        jpath_int(object, "metadata.generation", 0), "spec", json_object_get(object, "spec"));

    return must_pack("{s:s, s:s, s:{s:s, s:s, s:o, s:o}, s:o, s:I}", "apiVersion", "apps/v1",
                     "kind", "ControllerRevision", "metadata", "name", name, "namespace",
                     meta_namespace(vm), "labels", revision_labels(object, kind), "ownerReferences",
                     owner_of_vm(vm), "data", data, "revision", (json_int_t)0);
}

json_t *type_status(enum matcher m, const json_t *vm, const char *revision)
{
    static const char *const kept[] = { "name", "kind", "inferFromVolume",
                                        "inferFromVolumeFailurePolicy" };
    const json_t *matcher = matcher_of(m, vm);
    json_t *status = json_object();

    for (size_t i = 0; i < countof(kept); i++)
        if (*jpath_str(matcher, kept[i], ""))
            jpath_set_str(status, kept[i], jpath_str(matcher, kept[i], ""));
    jpath_set_str(status, "controllerRevisionRef.name", revision);
    return status;
}

/* ---- taking them ---- */

/* One that is there already is of this generation, so it has the same content.  But a machine of
 * the same name may have left it: it goes with that machine, and must have gone. */
static int check_owner(struct kube *k, const json_t *vm, const char *name, struct error *e)
{
    json_auto_t *revision = NULL;
    int r = kube_get(k, &KIND_CONTROLLER_REVISION, meta_namespace(vm), name, &revision, e);
    const json_t *owner = r < 0 ? NULL : meta_controller(revision);

    if (owner && !streq(jpath_str(owner, "uid", ""), meta_uid(vm)))
        return error_set(e, ERR_CONFLICT, "\"%s\" still belongs to an earlier machine", name);
    return r;
}

/* 1: *ret_name is the revision's, -code. */
static int take(struct kube *k, enum matcher m, const json_t *vm, char **ret_name, struct error *e)
{
    const char *given = matcher_revision(m, vm);
    json_auto_t *object = NULL;

    if (*given) {
        *ret_name = must_strdup(given);
        return 1;
    }
    int r = matcher_get(k, m, vm, meta_namespace(vm), &object, e);
    if (r < 0)
        return r;
    if (!jpath_obj(object, "spec"))
        return error_set(e, ERR_INVALID, "%s \"%s\" has no spec", matcher_rows[m].noun,
                         meta_name(object));

    json_auto_t *revision = type_revision(m, vm, object);
    r = kube_create(k, &KIND_CONTROLLER_REVISION, revision, NULL, e);
    if (r == -ERR_EXISTS)
        r = check_owner(k, vm, meta_name(revision), e);
    if (r < 0)
        return error_wrap(e, "revision of the %s", matcher_rows[m].noun);
    *ret_name = must_strdup(meta_name(revision));
    return 1;
}

/* Most machines name nothing, and took nothing. */
static bool has_none(const json_t *vm)
{
    for (size_t m = 0; m < MATCHERS; m++)
        if (matcher_of((enum matcher)m, vm) || jpath_has(vm, matcher_rows[m].status))
            return false;
    return true;
}

int vm_types_take(struct kube *k, const json_t *vm, json_t **ret, struct error *e)
{
    if (has_none(vm)) {
        *ret = json_incref((json_t *)vm);
        return 0;
    }

    json_auto_t *next = must_copy(vm);

    for (size_t i = 0; i < MATCHERS; i++) {
        const enum matcher m = (enum matcher)i;
        scoped(free) char *revision = NULL;

        if (!matcher_of(m, vm)) {
            jpath_del(next, matcher_rows[m].status);
            continue;
        }
        int r = take(k, m, vm, &revision, e);
        if (r < 0)
            return r;
        jpath_set(next, matcher_rows[m].status, type_status(m, vm, revision));
    }
    *ret = json_incref(next);
    return 0;
}

int vm_types_apply(struct kube *k, const json_t *vm, const char *binding, json_t **ret,
                   struct error *e)
{
    json_auto_t *type = NULL;
    json_auto_t *preference = NULL;
    scoped_findings faults;

    findings_init(&faults);
    if (!matcher_of(MATCHER_INSTANCETYPE, vm) && !matcher_of(MATCHER_PREFERENCE, vm)) {
        *ret = json_incref((json_t *)vm);
        return 0;
    }
    int r = matcher_get(k, MATCHER_INSTANCETYPE, vm, meta_namespace(vm), &type, e);
    if (r >= 0)
        r = matcher_get(k, MATCHER_PREFERENCE, vm, meta_namespace(vm), &preference, e);
    if (r < 0)
        return r;
    *ret =
        vm_with_types(vm, jpath_obj(type, "spec"), jpath_obj(preference, "spec"), binding, &faults);
    if (*ret)
        return 0;
    scoped(free) char *message = findings_message(&faults);
    return error_set(e, ERR_INVALID, "%s", message);
}

/* ---- values instead of references ---- */

bool vm_types_are_expanded(const json_t *vm, const struct cluster_config *config)
{
    const char *policy = jpath_str(config->configuration, "instancetype.referencePolicy", "");
    bool has_any = false;
    bool has_revision = false;

    for (size_t m = 0; m < MATCHERS; m++) {
        has_any |= matcher_of((enum matcher)m, vm) != NULL;
        has_revision |= *matcher_revision((enum matcher)m, vm) != '\0';
    }
    return has_any && (streq(policy, "expandAll") || (streq(policy, "expand") && !has_revision));
}

int vm_types_expand(struct kube *k, const json_t *vm, const char *binding, json_t **ret,
                    struct error *e)
{
    json_auto_t *applied = NULL;
    int r = vm_types_apply(k, vm, binding, &applied, e);

    if (r < 0)
        return r;
    *ret = must_copy(applied);
    for (size_t m = 0; m < MATCHERS; m++)
        jpath_del(*ret, matcher_rows[m].path);
    return 0;
}

/* ---- indexes ---- */

static char *index_by(enum matcher m, const json_t *vm)
{
    const json_t *matcher = matcher_of(m, vm);
    scoped(free) char *key = matcher ? matcher_key(m, matcher, meta_namespace(vm)) : NULL;

    return key ? must_asprintf("%s/%s", matcher_kind(m, matcher)->plural, key) : NULL;
}

char *index_vm_by_instancetype(const json_t *vm)
{
    return index_by(MATCHER_INSTANCETYPE, vm);
}

char *index_vm_by_preference(const json_t *vm)
{
    return index_by(MATCHER_PREFERENCE, vm);
}

char *type_index_value(const json_t *object)
{
    const char *kind = jpath_str(object, "kind", "");
    scoped(free) char *key = meta_key(object);

    for (size_t m = 0; m < MATCHERS; m++) {
        const struct kube_kind *const kinds[] = { matcher_rows[m].of_namespace,
                                                  matcher_rows[m].of_cluster };

        for (size_t i = 0; i < countof(kinds); i++)
            if (streq(kind, kinds[i]->kind))
                return must_asprintf("%s/%s", kinds[i]->plural, key);
    }
    return NULL;
}
