/* SPDX-License-Identifier: Apache-2.0 */
/* A walk along the volume's sources; each step is one object, and the first that is labelled ends
 * it. */
#include "webhooks/vm_infer.h"

#include <stdio.h>
#include <strings.h>

#include "base/jpath.h"
#include "base/must.h"
#include "base/scope.h"
#include "base/str.h"
#include "kube/matcher.h"

#define ARCHITECTURE_LABEL "template.kubevirt.io/architecture"

/* ---- one inference ---- */

/* How a walk ended. */
enum found {
    FOUND,
    FOUND_NOTHING, /* there is nothing to infer from: may be ignored */
    FOUND_FAILED,  /* something that must be there is not, or cannot be read */
};

struct inference {
    const struct review *rv;
    const struct matcher_row *row;
    const json_t *vm;
    char name[254], kind[64]; /* the result */
    struct error e;           /* unless FOUND */
};

static enum found nothing(struct inference *f, const char *what, const char *name)
{
    (void)error_set(&f->e, ERR_BAD_REQUEST, "%s \"%s\" says nothing of its %s (label %s)", what,
                    name, f->row->noun, f->row->label);
    return FOUND_NOTHING;
}

/* Do the object's labels tell? */
static bool take_labels(struct inference *f, const json_t *object)
{
    const char *name = meta_label(object, f->row->label);
    const char *kind = meta_label(object, f->row->kind_label);

    if (!name || !*name)
        return false;
    (void)snprintf(f->name, sizeof(f->name), "%s", name);
    (void)snprintf(f->kind, sizeof(f->kind), "%s", kind ? kind : "");
    return true;
}

/* A kind that the cluster does not have is answered by no Status, as if the server were away. */
static bool is_absent(struct kube *k, const struct kube_kind *kind)
{
    scoped(free) char *crd = must_asprintf("%s.%s", kind->plural, kind->group);
    struct error e;

    return *kind->group && kube_get(k, &KIND_CRD, NULL, crd, NULL, &e) == -ERR_NOT_FOUND;
}

static int ask(struct inference *f, const struct kube_kind *kind, const char *ns, const char *name,
               json_t **ret)
{
    struct kube *k = f->rv->kube;
    int r = kube_get(k, kind, *ns ? ns : f->rv->namespace, name, ret, &f->e);

    if (r == -ERR_UNAVAILABLE && is_absent(k, kind))
        return error_set(&f->e, ERR_NOT_FOUND, "the cluster has no such kind");
    return r;
}

static json_t *get(struct inference *f, const struct kube_kind *kind, const char *ns,
                   const char *name)
{
    json_t *object = NULL;

    if (!*name)
        (void)error_set(&f->e, ERR_BAD_REQUEST, "a %s without a name", kind->kind);
    else if (!f->rv->kube)
        (void)error_set(&f->e, ERR_TOO_MANY, "too many requests in hand: try again in a second");
    else if (ask(f, kind, ns, name, &object) < 0)
        (void)error_wrap(&f->e, "%s \"%s\"", kind->kind, name);
    return object;
}

/* An object at whose labels the walk ends: {name, namespace}. */
static enum found from_end(struct inference *f, const struct kube_kind *kind, const json_t *ref)
{
    const char *name = jpath_str(ref, "name", "");
    json_auto_t *object = get(f, kind, jpath_str(ref, "namespace", ""), name);

    if (!object)
        return FOUND_FAILED;
    return take_labels(f, object) ? FOUND : nothing(f, kind->kind, name);
}

/* A DataSource may point to another one, which points to a volume. */
static enum found from_data_source(struct inference *f, const json_t *ref, bool is_nested)
{
    const char *name = jpath_str(ref, "name", "");
    json_auto_t *object = get(f, &KIND_DATA_SOURCE, jpath_str(ref, "namespace", ""), name);
    const json_t *source = jpath_obj(object, "spec.source");

    if (!object)
        return FOUND_FAILED;
    if (take_labels(f, object))
        return FOUND;
    if (jpath_obj(source, "pvc"))
        return from_end(f, &KIND_PVC, jpath_obj(source, "pvc"));
    if (jpath_obj(source, "snapshot"))
        return from_end(f, &KIND_VOLUME_SNAPSHOT, jpath_obj(source, "snapshot"));
    if (jpath_obj(source, "dataSource") && !is_nested)
        return from_data_source(f, jpath_obj(source, "dataSource"), true);
    return nothing(f, "DataSource", name);
}

/* What a DataVolume, or a template of one, comes from. */
static enum found from_sources(struct inference *f, const json_t *volume)
{
    const json_t *spec = jpath_obj(volume, "spec");
    const json_t *ref = jpath_obj(spec, "sourceRef");

    if (take_labels(f, volume))
        return FOUND;
    if (jpath_obj(spec, "source.pvc"))
        return from_end(f, &KIND_PVC, jpath_obj(spec, "source.pvc"));
    if (jpath_obj(spec, "source.snapshot"))
        return from_end(f, &KIND_VOLUME_SNAPSHOT, jpath_obj(spec, "source.snapshot"));
    if (ref && strcasecmp(jpath_str(ref, "kind", ""), KIND_DATA_SOURCE.kind) == 0)
        return from_data_source(f, ref, false);
    return nothing(f, "DataVolume", meta_name(volume));
}

static const json_t *template_of(const json_t *vm, const char *name)
{
    size_t i;
    json_t *template;

    json_array_foreach(jpath_arr(vm, "spec.dataVolumeTemplates"), i, template)
        if (streq(meta_name(template), name))
            return template;
    return NULL;
}

/* The DataVolume may be gone already: its claim has its name. */
static enum found from_data_volume(struct inference *f, const char *name)
{
    const json_t *template = template_of(f->vm, name);
    json_auto_t *ref = must_pack("{s:s}", "name", name);

    if (template)
        return from_sources(f, template);

    json_auto_t *object = get(f, &KIND_DATA_VOLUME, "", name);
    if (object)
        return from_sources(f, object);
    return f->e.code == ERR_NOT_FOUND ? from_end(f, &KIND_PVC, ref) : FOUND_FAILED;
}

static enum found from_volume(struct inference *f, const char *name)
{
    const json_t *volume = jarr_find(jpath_arr(f->vm, "spec.template.spec.volumes"), "name", name);
    const char *claim = jpath_str(volume, "persistentVolumeClaim.claimName", NULL);
    const char *data_volume = jpath_str(volume, "dataVolume.name", NULL);
    json_auto_t *ref = must_pack("{s:s}", "name", claim ? claim : "");

    if (!volume) {
        (void)error_set(&f->e, ERR_BAD_REQUEST, "there is no volume \"%s\" in the template", name);
        return FOUND_FAILED;
    }
    if (claim)
        return from_end(f, &KIND_PVC, ref);
    if (data_volume)
        return from_data_volume(f, data_volume);
    return nothing(f, "volume", name);
}

/* ---- matchers ---- */

bool vm_infers_types(const json_t *vm)
{
    for (size_t m = 0; m < MATCHERS; m++)
        if (*jpath_str(matcher_of((enum matcher)m, vm), "inferFromVolume", ""))
            return true;
    return false;
}

static void set_matcher(struct inference *f, json_t *vm)
{
    json_t *matcher = json_object();

    jpath_set_str(matcher, "name", f->name);
    if (*f->kind)
        jpath_set_str(matcher, "kind", f->kind);
    jpath_set(vm, f->row->path, matcher);
}

/* Of a machine that may do without, the memory it names is for that case only. */
static void drop_memory(json_t *vm)
{
    jpath_del(vm, "spec.template.spec.domain.memory");
}

static bool infer_type(struct review *rv, enum matcher m, json_t *vm)
{
    const json_t *matcher = matcher_of(m, vm);
    const char *volume = jpath_str(matcher, "inferFromVolume", "");
    bool may_ignore = streq(jpath_str(matcher, "inferFromVolumeFailurePolicy", ""), "Ignore");
    struct inference f = { .rv = rv, .row = &matcher_rows[m], .vm = vm };

    if (!*volume)
        return true;
    switch (from_volume(&f, volume)) {
    case FOUND:
        set_matcher(&f, vm);
        if (may_ignore && m == MATCHER_INSTANCETYPE)
            drop_memory(vm);
        return true;
    case FOUND_NOTHING:
        if (may_ignore) {
            jpath_del(vm, matcher_rows[m].path);
            return true;
        }
        break;
    case FOUND_FAILED:
        break;
    }
    (void)error_set(&rv->denied, f.e.code == ERR_TOO_MANY ? ERR_TOO_MANY : ERR_BAD_REQUEST,
                    "%s.inferFromVolume: %s", matcher_rows[m].path, f.e.msg);
    return false;
}

bool vm_infer_types(struct review *rv, json_t *vm)
{
    for (size_t m = 0; m < MATCHERS; m++)
        if (!infer_type(rv, (enum matcher)m, vm))
            return false;
    return true;
}

/* ---- architecture ---- */

/* The reference to the first DataSource among the templates, or NULL. */
static const json_t *first_data_source(const json_t *vm)
{
    size_t i;
    json_t *template;

    json_array_foreach(jpath_arr(vm, "spec.dataVolumeTemplates"), i, template) {
        const json_t *ref = jpath_obj(template, "spec.sourceRef");

        if (ref && strcasecmp(jpath_str(ref, "kind", ""), KIND_DATA_SOURCE.kind) == 0)
            return ref;
    }
    return NULL;
}

bool vm_infers_architecture(const json_t *vm)
{
    return !*jpath_str(vm, "spec.template.spec.architecture", "") && first_data_source(vm);
}

static bool is_architecture(const char *label)
{
    static const char *const known[] = { "amd64", "arm64", "s390x" };

    for (size_t i = 0; i < countof(known); i++)
        if (streq(label, known[i]))
            return true;
    return false;
}

void vm_infer_architecture(const struct review *rv, json_t *vm)
{
    struct inference f = { .rv = rv, .row = &matcher_rows[MATCHER_INSTANCETYPE], .vm = vm };
    const json_t *ref = vm_infers_architecture(vm) && rv->kube ? first_data_source(vm) : NULL;
    json_auto_t *nested = NULL;

    if (!ref)
        return;
    json_auto_t *source =
        get(&f, &KIND_DATA_SOURCE, jpath_str(ref, "namespace", ""), jpath_str(ref, "name", ""));
    const char *label = meta_label(source, ARCHITECTURE_LABEL);

    ref = jpath_obj(source, "spec.source.dataSource");
    if (!label && ref) {
        nested =
            get(&f, &KIND_DATA_SOURCE, jpath_str(ref, "namespace", ""), jpath_str(ref, "name", ""));
        label = meta_label(nested, ARCHITECTURE_LABEL);
    }
    if (is_architecture(label))
        jpath_set_str(vm, "spec.template.spec.architecture", label);
}
