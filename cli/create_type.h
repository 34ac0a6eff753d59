/* SPDX-License-Identifier: Apache-2.0 */
/* create instancetype, preference and clone: from flags to manifests (spec 06, section 3.8).  Pure
 * but for random names where none was given; `namespace` is NULL unless given explicitly. */
#ifndef CLI_CREATE_TYPE_H
#define CLI_CREATE_TYPE_H

#include <jansson.h>

#include "base/error.h"
#include "cli/flags.h"

int create_instancetype(const struct create_type_flags *f, const char *namespace, json_t **ret,
                        struct error *e);
int create_preference(const struct create_type_flags *f, const char *namespace, json_t **ret,
                      struct error *e);
int create_clone(const struct create_clone_flags *f, const char *namespace, json_t **ret,
                 struct error *e);

#endif
