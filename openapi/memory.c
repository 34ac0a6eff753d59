/* SPDX-License-Identifier: Apache-2.0 */
/* Tables of spec.domain.memory and spec.domain.resources. */
#include "openapi/types.h"

#include "openapi/rows.h"

// clang-format off
TYPE(hugepages_type, "Hugepages", "Back the guest's memory with large pages of the node.",
    STRING("pageSize", "Size of the pages, such as 2Mi or 1Gi."));

TYPE(reserved_overhead_type, "ReservedOverhead", "Memory set aside beside the guest's own.",
    QUANTITY("addedOverhead", "Memory added to what the emulator is expected to need."),
    STRING("memLock", "Whether all of the guest's memory must be locked.", ONE_OF("NotRequired", "Required"), INERT));

TYPE(memory_type, "Memory", "The memory that the guest sees.",
    QUANTITY("guest", "Memory the guest sees when it boots."),
    OBJECT("hugepages", hugepages_type, "Back the memory with large pages of the node."),
    QUANTITY("maxGuest", "Memory that may be reached by adding some while the guest runs."),
    OBJECT("reservedOverhead", reserved_overhead_type, "Memory set aside beside the guest's own."));

TYPE(domain_resources_type, "ResourceRequirements", "What the machine takes from its node.",
    QUANTITY_MAP("limits", "The most that may be used, by resource."),
    BOOL("overcommitGuestOverhead", "Do not ask the node for the emulator's own memory."),
    QUANTITY_MAP("requests", "What is set aside, by resource."));
// clang-format on
