/* SPDX-License-Identifier: Apache-2.0 */
/* A machine as it would start: with what its instance type and preference give (spec 01,
 * expand-spec). */
#ifndef SUBRESOURCES_EXPAND_H
#define SUBRESOURCES_EXPAND_H

#include "subresources/routes.h"

subresource_fn vm_expand_spec;  /* of a stored machine */
subresource_fn vm_expand_given; /* of one that is sent */

#endif
