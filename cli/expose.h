/* SPDX-License-Identifier: Apache-2.0 */
/* The Service that leads to a machine.  Pure. */
#ifndef CLI_EXPOSE_H
#define CLI_EXPOSE_H

#include <jansson.h>

#include "base/error.h"
#include "cli/flags.h"

struct kube_kind;

/* *ret is new, in the object's namespace and owned by it. */
int expose_service(const struct expose_flags *f, const struct kube_kind *kind, const json_t *obj,
                   json_t **ret, struct error *e);

#endif
