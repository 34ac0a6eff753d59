/* SPDX-License-Identifier: Apache-2.0 */
/* "vm", "vmis", "VirtualMachine" ...: the kinds of machines by the words that users write.  Pure.
 */
#ifndef CLI_MACHINE_KIND_H
#define CLI_MACHINE_KIND_H

#include "kube/kind.h"

struct machine_kind {
    const struct kube_kind *kind;
    const char *label; /* "VM", "VMI", "VMIRS" */
};

/* By short name, singular or plural in any case; NULL for other words. */
const struct machine_kind *machine_kind(const char *word);

#endif
