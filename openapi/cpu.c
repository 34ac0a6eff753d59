/* SPDX-License-Identifier: Apache-2.0 */
/* Table of spec.domain.cpu. */
#include "openapi/types.h"

#include "openapi/rows.h"

// clang-format off
TYPE(cpu_feature_type, "CPUFeature", "One feature added to or taken from the processor model.",
    STRING("name", "Name of the feature, as libvirt lists it.", REQUIRED),
    STRING("policy", "How the feature is treated: force, require, optional, disable or forbid; require when absent."));

TYPE(numa_type, "NUMA", "How the guest's memory nodes follow the host's.",
    PRESENCE("guestMappingPassthrough", "Give the guest the nodes that its pinned processors have on the host.", INERT));

TYPE(realtime_type, "Realtime", "Settings for guests with real-time duties.",
    STRING("mask", "Processors that run in real time, as libvirt writes sets (0-3,^1); all when absent."));

TYPE(cpu_type, "CPU", "The processors that the guest sees.",
    INT32("cores", "Cores in each socket.", UNSIGNED),
    BOOL("dedicatedCpuPlacement", "Pin every virtual processor to a processor of its own."),
    LIST("features", cpu_feature_type, "Features added to or taken from the model."),
    BOOL("isolateEmulatorThread", "Give the emulator one more processor of its own.", INERT),
    INT32("maxSockets", "Sockets that may be reached by adding some while the guest runs.", UNSIGNED),
    STRING("model", "A named model, host-model or host-passthrough."),
    OBJECT("numa", numa_type, "How the guest's memory nodes follow the host's."),
    OBJECT("realtime", realtime_type, "Schedule the processors in real time.", INERT),
    INT32("sockets", "Sockets the guest sees.", UNSIGNED),
    INT32("threads", "Threads in each core.", UNSIGNED));
// clang-format on
