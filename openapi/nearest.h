/* SPDX-License-Identifier: Apache-2.0 */
/* The name that someone probably meant.  Pure; only called when something is wrong already. */
#ifndef OPENAPI_NEAREST_H
#define OPENAPI_NEAREST_H

#include "openapi/field.h"

/* The row whose name is at most two typing mistakes from `name`, or NULL. */
const char *nearest_field(const struct schema *s, const char *name);

#endif
