/* SPDX-License-Identifier: Apache-2.0 */
/* Table of a VirtualMachineInstancePreset. */
#include "openapi/types.h"

#include "openapi/rows.h"

// clang-format off
TYPE(preset_spec_type, "VirtualMachineInstancePresetSpec", "What is filled in, and where.",
    OBJECT("domain", domain_type, "What is filled in where an instance says nothing."),
    OBJECT("selector", label_selector_type, "Instances that it applies to; an empty one is all.", REQUIRED));

TYPE(preset_type, "VirtualMachineInstancePreset", "Deprecated: fills in parts of instances when they are created.",
    KIND_META,
    OBJECT("spec", preset_spec_type, "What is filled in, and where."));
// clang-format on
