/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/machine_kind.h"

#include <strings.h>

#include "base/scope.h"

static const struct {
    const char *names[4];
    struct machine_kind kind;
} rows[] = {
    { { "vm", "vms", "virtualmachine", "virtualmachines" }, { &KIND_VM, "VM" } },
    { { "vmi", "vmis", "virtualmachineinstance", "virtualmachineinstances" },
      { &KIND_VMI, "VMI" } },
    { { "vmirs", "vmirss", "virtualmachineinstancereplicaset",
        "virtualmachineinstancereplicasets" },
      { &KIND_VMIRS, "VMIRS" } },
};

const struct machine_kind *machine_kind(const char *word)
{
    for (size_t i = 0; i < countof(rows); i++)
        for (size_t j = 0; j < countof(rows[i].names); j++)
            if (strcasecmp(rows[i].names[j], word) == 0)
                return &rows[i].kind;
    return NULL;
}
