/* SPDX-License-Identifier: Apache-2.0 */
/* Devices other than disks and interfaces (spec 02, 4.1). */
#include "webhooks/rules.h"

const struct rule device_rules[] = {
    { .check = NULL },
};
