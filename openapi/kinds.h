/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kinds that cvirt brings to a cluster, as rows: names, versions,
 * subresources, columns of kubectl get, and the table of the type itself.
 * Where they live in the API for a client is kube/kind.h's.
 */
#ifndef OPENAPI_KINDS_H
#define OPENAPI_KINDS_H

#include <stdbool.h>
#include <stddef.h>

#include "openapi/field.h"

struct kind_version {
    const char *name; /* NULL ends the list */
    bool is_served;
    bool is_storage;
    const char *deprecation; /* warning that clients are shown, or NULL */
};

struct kind_column {
    const char *name; /* NULL ends the list */
    const char *type; /* string, integer, date, boolean */
    const char *path;
    int priority; /* 1: only with -o wide */
    const char *doc;
};

struct kind {
    const char *group;
    const char *kind;
    const char *plural, *singular;
    const char *short_names[5]; /* NULL-terminated */
    bool in_category_all;
    bool is_cluster_scoped;
    bool has_status; /* status subresource */
    bool has_scale;  /* spec.replicas, status.replicas, status.labelSelector */
    const struct kind_version *versions;
    const struct kind_column *columns; /* NULL: kubectl's own */
    const struct schema *schema;
};

enum { KIND_VERSIONS_MAX = 4 };

/* All of them, in the order of deploy/crds. */
extern const struct kind *const all_kinds[];
extern const size_t all_kinds_len;

/* By group and kind ("kubevirt.io", "VirtualMachine"), or NULL. */
const struct kind *kind_find(const char *group, const char *kind);
/* By group and plural ("kubevirt.io", "virtualmachines"), or NULL. */
const struct kind *kind_find_plural(const char *group, const char *plural);

extern const struct kind kind_vmi, kind_vm, kind_vmirs, kind_preset, kind_migration, kind_kubevirt;
extern const struct kind kind_instancetype, kind_cluster_instancetype, kind_preference,
    kind_cluster_preference;

#endif
