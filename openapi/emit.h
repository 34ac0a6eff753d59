/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tables as other programs read them: OpenAPI schemas and CRD manifests.
 * Results are new references.  Pure; any thread.
 */
#ifndef OPENAPI_EMIT_H
#define OPENAPI_EMIT_H

#include <jansson.h>

#include "base/buf.h"
#include "openapi/field.h"
#include "openapi/kinds.h"

enum schema_dialect {
    SCHEMA_STRUCTURAL, /* of a CRD: everything in one piece */
    SCHEMA_V2,         /* "$ref": "#/definitions/v1.CPU" */
    SCHEMA_V3,         /* "$ref": "#/components/schemas/v1.CPU" */
};

/* One type. */
json_t *schema_json(const struct schema *s, enum schema_dialect dialect);

/*
 * Add the type and every type it refers to, by component name ("v1.CPU"), to
 * `components` (an object).  Only for V2 and V3.
 */
void schema_components(const struct schema *s, enum schema_dialect dialect, json_t *components);

/* apiextensions.k8s.io/v1 CustomResourceDefinition. */
json_t *crd_json(const struct kind *kind);

/* The page for people: every kind, every field (Markdown). */
void reference_write(struct buf *out);
/* The same of the fields that nothing acts on yet, by kind and path. */
void not_acted_on_write(struct buf *out);

#endif
