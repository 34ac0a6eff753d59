/* SPDX-License-Identifier: Apache-2.0 */
/* What a plain YAML scalar means; shared by reader and writer, used by nobody else. */
#ifndef KUBE_YAML_SCALAR_H
#define KUBE_YAML_SCALAR_H

#include <jansson.h>
#include <stdbool.h>

/* The value of a plain scalar (new); NULL for NaN and infinities, which JSON cannot say. */
json_t *yaml_scalar(const char *text);
/* Is it a date or time of YAML 1.1?  Read as a string, but written quoted. */
bool yaml_is_timestamp(const char *text);

#endif
