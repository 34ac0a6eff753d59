/* SPDX-License-Identifier: Apache-2.0 */
/* Disks (spec 02, 4.3). */
#include "webhooks/rules.h"

const struct rule disk_rules[] = {
    { .check = NULL },
};
