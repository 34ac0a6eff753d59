/* SPDX-License-Identifier: Apache-2.0 */
/* create vm: containerdisks, claims, imported volumes, sysprep. */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/jpath.h"
#include "base/must.h"
#include "base/scope.h"
#include "base/str.h"
#include "cli/create_vm.h"
#include "cli/params.h"

enum { SUFFIX = 5 };

static const struct param source_params[] = {
    { "src", PARAM_TEXT }, { "name", PARAM_TEXT }, { "bootorder", PARAM_NUMBER }, { 0 }
};

int draft_add_volume(struct vm_draft *d, const char *flag, const char *name, json_t *source,
                     struct error *e)
{
    json_auto_t *volume = source;

    if (!is_dns_label(name))
        return params_error(e, flag, "invalid name \"%s\": it is no DNS label", name);
    if (jarr_find(d->volumes, "name", name))
        return params_error(e, flag, "there is already a volume with name '%s'", name);
    if (!d->volumes)
        d->volumes = jpath_make_arr(d->pod_spec, "volumes");
    must_set(volume, "name", must_pack("s", name));
    must_append(d->volumes, json_incref(volume));
    return 0;
}

/* A disk for a volume whose place in the boot order was given. */
static int add_boot_order(struct vm_draft *d, const char *flag, const char *name,
                          const json_t *params, struct error *e)
{
    const json_int_t order = jpath_int(params, "bootorder", -1);
    size_t i;
    json_t *disk;

    if (order < 0)
        return 0;
    if (order == 0)
        return params_error(e, flag, "bootorder must be greater than 0");
    json_array_foreach(d->disks, i, disk)
        if (jpath_int(disk, "bootOrder", 0) == order)
            return params_error(e, flag, "bootorder %lld was specified multiple times",
                                (long long)order);
    if (!d->disks)
        d->disks = jpath_make_arr(d->pod_spec, "domain.devices.disks");
    must_append(d->disks, must_pack("{s:I, s:s}", "bootOrder", order, "name", name));
    return 0;
}

static int need_source(const char *flag, const json_t *params, const char **ret, struct error *e)
{
    *ret = jpath_str(params, "src", "");
    return **ret ? 0 : params_error(e, flag, "src must be specified");
}

/* A source in the machine's own namespace: a plain name. */
static int need_local_source(const char *flag, const json_t *params, const char *what,
                             const char **ret, struct error *e)
{
    scoped(free) char *prefix = NULL;
    scoped(free) char *name = NULL;

    if (need_source(flag, params, ret, e) < 0 ||
        params_split_name(flag, *ret, &prefix, &name, e) < 0)
        return -(int)e->code;
    if (*prefix)
        return params_error(e, flag, "not allowed to specify namespace of %s \"%s\"", what, name);
    return 0;
}

static int add_containerdisks(struct vm_draft *d, struct error *e)
{
    static const char flag[] = "volume-containerdisk";

    for (size_t i = 0; i < d->f->containerdisks.len; i++) {
        scoped(free) char *fallback = must_asprintf("%s-containerdisk-%zu", d->name, i);
        json_auto_t *params = NULL;
        const char *src = NULL;

        if (params_parse(flag, d->f->containerdisks.item[i], source_params, NULL, &params, e) < 0 ||
            need_source(flag, params, &src, e) < 0)
            return -(int)e->code;
        const char *name = jpath_str(params, "name", fallback);
        json_t *source = must_pack("{s:{s:s}}", "containerDisk", "image", src);
        if (draft_add_volume(d, flag, name, source, e) < 0 ||
            add_boot_order(d, flag, name, params, e) < 0)
            return -(int)e->code;
    }
    return 0;
}

static int add_claims(struct vm_draft *d, struct error *e)
{
    static const char flag[] = "volume-pvc";

    for (size_t i = 0; i < d->f->pvcs.len; i++) {
        json_auto_t *params = NULL;
        const char *src = NULL;

        if (params_parse(flag, d->f->pvcs.item[i], source_params, NULL, &params, e) < 0 ||
            need_local_source(flag, params, "pvc", &src, e) < 0)
            return -(int)e->code;
        const char *name = jpath_str(params, "name", src);
        json_t *source = must_pack("{s:{s:s}}", "persistentVolumeClaim", "claimName", src);
        if (draft_add_volume(d, flag, name, source, e) < 0 ||
            add_boot_order(d, flag, name, params, e) < 0)
            return -(int)e->code;
    }
    return 0;
}

static int add_sysprep(struct vm_draft *d, struct error *e)
{
    static const char flag[] = "volume-sysprep";
    static const struct param rows[] = { { "src", PARAM_TEXT }, { "type", PARAM_TEXT }, { 0 } };
    json_auto_t *params = NULL;
    const char *src = NULL;

    if (!*d->f->sysprep)
        return 0;
    if (params_parse(flag, d->f->sysprep, rows, NULL, &params, e) < 0 ||
        need_local_source(flag, params, "configmap or secret", &src, e) < 0)
        return -(int)e->code;

    const char *type = jpath_str(params, "type", "configmap");
    const bool is_secret = strcasecmp(type, "secret") == 0;
    if (!is_secret && strcasecmp(type, "configmap") != 0)
        return params_error(e, flag,
                            "invalid sysprep source type \"%s\", supported values are: configmap, "
                            "secret",
                            type);
    return draft_add_volume(
        d, flag, "sysprepdisk",
        must_pack("{s:{s:{s:s}}}", "sysprep", is_secret ? "secret" : "configMap", "name", src), e);
}

/* ---- volumes that are imported: templates of DataVolumes ---- */

static const char import_flag[] = "volume-import";

enum { IMPORT_PARAMS = 8 };

static const struct import_type {
    const char *type;
    const char *source;                  /* below spec.source; NULL: spec.sourceRef */
    bool is_size_optional, has_name;     /* the latter: src is [namespace/]name */
    const char *required[IMPORT_PARAMS]; /* asked for in this order */
    struct param params[IMPORT_PARAMS];  /* of this type only */
    const char *fields[IMPORT_PARAMS];   /* where each param goes, in the same order */
} import_types[] = {
    { "blank", "blank", .params = { { 0 } } },
    { "gcs", "gcs", .required = { "url" },
      .params = { { "url", PARAM_TEXT }, { "secretref", PARAM_TEXT } },
      .fields = { "url", "secretRef" } },
    { "http", "http", .required = { "url" },
      .params = { { "url", PARAM_TEXT },
                  { "secretref", PARAM_TEXT },
                  { "certconfigmap", PARAM_TEXT },
                  { "extraheaders", PARAM_LIST },
                  { "secretextraheaders", PARAM_LIST } },
      .fields = { "url", "secretRef", "certConfigMap", "extraHeaders", "secretExtraHeaders" } },
    { "imageio", "imageio", .required = { "url", "diskid" },
      .params = { { "url", PARAM_TEXT },
                  { "diskid", PARAM_TEXT },
                  { "secretref", PARAM_TEXT },
                  { "certconfigmap", PARAM_TEXT } },
      .fields = { "url", "diskId", "secretRef", "certConfigMap" } },
    { "pvc", "pvc", .is_size_optional = true, .has_name = true,
      .params = { { "src", PARAM_TEXT } } },
    { "registry", "registry",
      .params = { { "url", PARAM_TEXT },
                  { "imagestream", PARAM_TEXT },
                  { "pullmethod", PARAM_TEXT },
                  { "secretref", PARAM_TEXT },
                  { "certconfigmap", PARAM_TEXT } },
      .fields = { "url", "imageStream", "pullMethod", "secretRef", "certConfigMap" } },
    { "s3", "s3", .required = { "url" },
      .params = { { "url", PARAM_TEXT },
                  { "secretref", PARAM_TEXT },
                  { "certconfigmap", PARAM_TEXT } },
      .fields = { "url", "secretRef", "certConfigMap" } },
    { "vddk", "vddk", .required = { "url", "uuid", "thumbprint", "secretref", "backingfile" },
      .params = { { "url", PARAM_TEXT },
                  { "uuid", PARAM_TEXT },
                  { "thumbprint", PARAM_TEXT },
                  { "secretref", PARAM_TEXT },
                  { "backingfile", PARAM_TEXT },
                  { "initimageurl", PARAM_TEXT } },
      .fields = { "url", "uuid", "thumbprint", "secretRef", "backingFile", "initImageURL" } },
    { "snapshot", "snapshot", .is_size_optional = true, .has_name = true,
      .params = { { "src", PARAM_TEXT } } },
    { "ds", NULL, .is_size_optional = true, .has_name = true, .params = { { "src", PARAM_TEXT } } },
};

static const struct param import_params[] = { { "type", PARAM_TEXT },
                                              { "name", PARAM_TEXT },
                                              { "size", PARAM_QUANTITY },
                                              { "bootorder", PARAM_NUMBER },
                                              { 0 } };

static const struct import_type *find_type(const char *type)
{
    for (size_t i = 0; i < countof(import_types); i++)
        if (streq(import_types[i].type, type))
            return &import_types[i];
    return NULL;
}

static int check_registry(const json_t *params, struct error *e)
{
    const char *method = jpath_str(params, "pullmethod", "");

    if (*method && !streq(method, "pod") && !streq(method, "node"))
        return params_error(e, import_flag, "pullmethod must be set to pod or node");
    if (!*jpath_str(params, "url", "") == !*jpath_str(params, "imagestream", ""))
        return params_error(e, import_flag, "exactly one of url or imagestream must be defined");
    return 0;
}

static int check_import(const struct import_type *t, const json_t *params, struct error *e)
{
    for (size_t i = 0; i < IMPORT_PARAMS && t->required[i]; i++)
        if (!*jpath_str(params, t->required[i], ""))
            return params_error(e, import_flag, "%s is required with %s volume source",
                                t->required[i], t->type);
    if (streq(t->type, "registry") && check_registry(params, e) < 0)
        return -(int)e->code;
    if (!t->is_size_optional && !jpath_has(params, "size"))
        return params_error(e, import_flag, "size must be specified");
    return 0;
}

/* {"name": ..., "namespace": ...} of src. */
static int named_source(const struct import_type *t, const json_t *params, json_t *source,
                        struct error *e)
{
    scoped(free) char *namespace = NULL;
    scoped(free) char *name = NULL;
    const char *src = NULL;

    if (need_source(import_flag, params, &src, e) < 0 ||
        params_split_name(import_flag, src, &namespace, &name, e) < 0)
        return -(int)e->code;
    if (!*namespace && t->source)
        return params_error(e, import_flag, "namespace of %s \"%s\" must be specified", t->type,
                            name);
    must_set(source, "name", must_pack("s", name));
    if (*namespace)
        must_set(source, "namespace", must_pack("s", namespace));
    return 0;
}

static int import_spec(const struct import_type *t, const json_t *params, json_t **ret,
                       struct error *e)
{
    json_auto_t *source = json_object();
    json_t *storage = json_object();
    json_auto_t *spec = must_pack("{s:{s:o}}", "storage", "resources", storage);

    if (check_import(t, params, e) < 0 || (t->has_name && named_source(t, params, source, e) < 0))
        return -(int)e->code;
    for (size_t i = 0; i < IMPORT_PARAMS && t->fields[i]; i++) {
        json_t *value = json_object_get(params, t->params[i].key);
        if (value && !(json_is_string(value) && !*json_string_value(value)))
            must_set(source, t->fields[i], json_incref(value));
    }
    if (!t->source)
        must_set(source, "kind", must_pack("s", "DataSource"));
    if (jpath_has(params, "size"))
        must_set(storage, "requests",
                 must_pack("{s:O}", "storage", json_object_get(params, "size")));
    must_set(spec, t->source ? "source" : "sourceRef",
             t->source ? must_pack("{s:O}", t->source, source) : json_incref(source));
    *ret = TAKE(spec);
    return 0;
}

static int add_import(struct vm_draft *d, const char *text, struct error *e)
{
    scoped(free) char *type = params_peek(text, "type");
    const struct import_type *t = type ? find_type(type) : NULL;
    char suffix[SUFFIX + 1];
    json_auto_t *params = NULL;
    json_t *spec = NULL;

    if (!*text)
        return params_error(e, import_flag, "params may not be empty");
    if (!type)
        return params_error(e, import_flag, "type must be specified");
    if (!t)
        return params_error(e, import_flag,
                            "invalid volume import type \"%s\", see help for supported values",
                            type);
    if (params_parse(import_flag, text, t->params, import_params, &params, e) < 0 ||
        import_spec(t, params, &spec, e) < 0)
        return -(int)e->code;

    random_suffix(suffix, SUFFIX);
    scoped(free) char *fallback = must_asprintf("imported-volume-%s", suffix);
    const char *name = jpath_str(params, "name", fallback);
    json_auto_t *template = must_pack("{s:{s:s}, s:o}", "metadata", "name", name, "spec", spec);
    if (draft_add_volume(d, import_flag, name, must_pack("{s:{s:s}}", "dataVolume", "name", name),
                         e) < 0)
        return -(int)e->code;
    must_append(jpath_make_arr(d->vm, "spec.dataVolumeTemplates"), json_incref(template));
    return add_boot_order(d, import_flag, name, params, e);
}

/* The older flags, one a source. */
static int add_aliased(struct vm_draft *d, const char *flag, const char *type,
                       const struct option_list *values, struct error *e)
{
    if (values->len > 0)
        (void)buf_addf(d->notices,
                       "Flag --%s has been deprecated, use flag --volume-import instead\n", flag);
    for (size_t i = 0; i < values->len; i++) {
        scoped(free) char *text = must_asprintf("type:%s,%s", type, values->item[i]);

        if (!*values->item[i])
            return params_error(e, flag, "params may not be empty");
        if (add_import(d, text, e) < 0)
            return -(int)e->code;
    }
    return 0;
}

int draft_add_volumes(struct vm_draft *d, struct error *e)
{
    if (add_containerdisks(d, e) < 0 || add_claims(d, e) < 0 ||
        add_aliased(d, "volume-datasource", "ds", &d->f->data_sources, e) < 0 ||
        add_aliased(d, "volume-clone-pvc", "pvc", &d->f->clone_pvcs, e) < 0 ||
        add_aliased(d, "volume-blank", "blank", &d->f->blanks, e) < 0)
        return -(int)e->code;
    for (size_t i = 0; i < d->f->imports.len; i++)
        if (add_import(d, d->f->imports.item[i], e) < 0)
            return -(int)e->code;
    return add_sysprep(d, e);
}
