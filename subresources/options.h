/* SPDX-License-Identifier: Apache-2.0 */
/* The options objects that subresources take as their bodies. */
#ifndef SUBRESOURCES_OPTIONS_H
#define SUBRESOURCES_OPTIONS_H

#include "openapi/field.h"

extern const struct schema start_options, stop_options, restart_options, pause_options,
    link_options;

#endif
