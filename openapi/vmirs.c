/* SPDX-License-Identifier: Apache-2.0 */
/* Table of a VirtualMachineInstanceReplicaSet. */
#include "openapi/types.h"

#include "openapi/rows.h"

// clang-format off
TYPE(vmirs_spec_type, "VirtualMachineInstanceReplicaSetSpec", "How many instances, and what they look like.",
    BOOL("paused", "Leave the number as it is."),
    INT32("replicas", "How many; 1 when absent."),
    OBJECT("selector", label_selector_type, "Labels by which the set knows its instances; the template must have them.", REQUIRED),
    OBJECT("template", vmi_template_type, "What the instances look like.", REQUIRED));

TYPE(vmirs_status_type, "VirtualMachineInstanceReplicaSetStatus", "How the set is.",
    LIST("conditions", condition_type, "What is known about the set."),
    STRING("labelSelector", "The selector as text, for scaling."),
    INT32("readyReplicas", "Instances that are ready."),
    INT32("replicas", "Instances that exist."));

TYPE(vmirs_type, "VirtualMachineInstanceReplicaSet", "Keeps a number of equal instances running.",
    KIND_META,
    OBJECT("spec", vmirs_spec_type, "How many instances, and what they look like.", REQUIRED),
    OBJECT("status", vmirs_status_type, "How the set is.", NULLABLE, .lenient = true));
// clang-format on
