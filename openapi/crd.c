/* SPDX-License-Identifier: Apache-2.0 */
/* CustomResourceDefinition of a kind. */
#include "base/must.h"
#include "base/scope.h"
#include "openapi/emit.h"

static json_t *names_json(const struct kind *k)
{
    json_t *names =
        must_pack("{s:s, s:s, s:s}", "kind", k->kind, "plural", k->plural, "singular", k->singular);
    json_t *short_names = json_array();

    for (const char *const *s = k->short_names; *s; s++)
        must_append(short_names, json_string(*s));
    must_set(names, "shortNames", short_names);
    if (k->in_category_all)
        must_set(names, "categories", must_pack("[s]", "all"));
    return names;
}

static json_t *columns_json(const struct kind *k)
{
    json_t *columns = json_array();

    for (const struct kind_column *c = k->columns; c->name; c++) {
        json_t *column =
            must_pack("{s:s, s:s, s:s}", "name", c->name, "type", c->type, "jsonPath", c->path);
        if (c->doc)
            must_set(column, "description", json_string(c->doc));
        if (c->priority)
            must_set(column, "priority", json_integer(c->priority));
        must_append(columns, column);
    }
    return columns;
}

static json_t *subresources_json(const struct kind *k)
{
    json_t *subresources = json_object();

    if (k->has_status)
        must_set(subresources, "status", json_object());
    if (k->has_scale)
        must_set(subresources, "scale",
                 must_pack("{s:s, s:s, s:s}", "specReplicasPath", ".spec.replicas",
                           "statusReplicasPath", ".status.replicas", "labelSelectorPath",
                           ".status.labelSelector"));
    return subresources;
}

static json_t *version_json(const struct kind *k, const struct kind_version *v)
{
    json_t *out = must_pack("{s:s, s:b, s:b}", "name", v->name, "served", v->is_served, "storage",
                            v->is_storage);

    if (v->deprecation) {
        must_set(out, "deprecated", json_true());
        must_set(out, "deprecationWarning", json_string(v->deprecation));
    }
    if (k->columns)
        must_set(out, "additionalPrinterColumns", columns_json(k));
    if (k->has_status || k->has_scale)
        must_set(out, "subresources", subresources_json(k));
    must_set(out, "schema",
             must_pack("{s:o}", "openAPIV3Schema", schema_json(k->schema, SCHEMA_STRUCTURAL)));
    return out;
}

json_t *crd_json(const struct kind *k)
{
    scoped(free) char *name = must_asprintf("%s.%s", k->plural, k->group);
    json_t *versions = json_array();

    for (const struct kind_version *v = k->versions; v->name; v++)
        must_append(versions, version_json(k, v));

    return must_pack("{s:s, s:s, s:{s:s, s:{s:s}}, s:{s:s, s:o, s:s, s:o, s:{s:s}}}", "apiVersion",
                     "apiextensions.k8s.io/v1", "kind", "CustomResourceDefinition", "metadata",
                     "name", name, "labels", "kubevirt.io", "", "spec", "group", k->group, "names",
                     names_json(k), "scope", k->is_cluster_scoped ? "Cluster" : "Namespaced",
                     "versions", versions, "conversion", "strategy", "None");
}
