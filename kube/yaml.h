/* SPDX-License-Identifier: Apache-2.0 */
/*
 * YAML to JSON values and back, as Kubernetes' own tools read and write it
 * (sigs.k8s.io/yaml): YAML 1.1 booleans (yes, on ...), decimal, hex, octal and
 * binary integers, merge keys; timestamps and whatever is quoted stay strings.
 * JSON is YAML too.  Pure; any thread.
 */
#ifndef KUBE_YAML_H
#define KUBE_YAML_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

enum {
    YAML_TEXT_MAX = 16 * 1024 * 1024,
    YAML_ALIAS_BYTES_MAX = 1024 * 1024, /* what all aliases of a document may grow into */
};

/*
 * The first document of a text (new); JSON null for an empty one.  -ERR_BAD_REQUEST with line and
 * column for bad syntax, nesting deeper than JSON_DEPTH_MAX, duplicate keys, unknown tags, NaN,
 * alias bombs.
 */
int yaml_parse(json_t **ret, const char *text, size_t len, struct error *e);

/* Every document that is not empty, in an array. */
int yaml_parse_all(json_t **ret, const char *text, size_t len, struct error *e);

/* Block style, keys sorted, as `kubectl -o yaml` prints.  New string that ends with a newline. */
char *yaml_dump(const json_t *v);

/* Would this text, written plain, be read as something else than this string? */
bool yaml_needs_quotes(const char *s);

#endif
