/* SPDX-License-Identifier: Apache-2.0 */
/* CPU, memory, resources, machine (spec 02, 4.1). */
#include "webhooks/rules.h"

const struct rule compute_rules[] = {
    { .check = NULL },
};
