/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an instance type gives to a VirtualMachine's template (spec 02, section 8).  Admission,
 * virt-controller and expand-spec all come here, so that they agree.  A type and a preference are
 * meant by their spec, a template is {metadata, spec} of the machine or the instance.  Pure; any
 * thread.
 */
#ifndef OPENAPI_INSTANCETYPE_APPLY_H
#define OPENAPI_INSTANCETYPE_APPLY_H

#include <jansson.h>
#include <stdbool.h>

#include "openapi/findings.h"

/*
 * The spec of a type or preference that may come from a revision, which no schema has passed: a new
 * one without members that are unknown, or NULL with findings when it is not of the schema's shape.
 * The functions below, and those of preference_apply.h, take such specs only.
 */
json_t *checked_type(const json_t *spec, struct findings *out);
json_t *checked_preference(const json_t *spec, struct findings *out);

/*
 * Everything that keeps the type from being applied: fields that the template must leave to it, at
 * "spec.template....", and processors that cannot be spread as the preference (or NULL) says.
 */
void instancetype_check(const json_t *type, const json_t *preference, const json_t *template,
                        struct findings *out);

/* Change `template` in place.  Asked only when instancetype_check() found nothing. */
void instancetype_apply(const json_t *type, const json_t *preference, json_t *template);

/* Add the annotations (object or NULL) that the template does not have.  Nothing is added to
 * metadata that is of a wrong type, which no schema tells. */
void template_annotate(json_t *template, const json_t *annotations);

#endif
