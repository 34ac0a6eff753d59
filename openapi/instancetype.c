/* SPDX-License-Identifier: Apache-2.0 */
/* Tables of VirtualMachineInstancetype and its cluster-wide twin. */
#include "openapi/types.h"

#include "openapi/rows.h"

// clang-format off
TYPE(instancetype_cpu_type, "CPUInstancetype", "Processors that the instance type gives.",
    BOOL("dedicatedCPUPlacement", "Pin every virtual processor to a processor of its own."),
    INT32("guest", "Processors the guest sees.", REQUIRED, UNSIGNED),
    BOOL("isolateEmulatorThread", "Give the emulator one more processor of its own."),
    INT32("maxSockets", "Sockets that may be reached by adding some while the guest runs.", UNSIGNED),
    STRING("model", "A named model, host-model or host-passthrough."),
    OBJECT("numa", numa_type, "How the guest's memory nodes follow the host's."),
    OBJECT("realtime", realtime_type, "Schedule the processors in real time."));

TYPE(instancetype_memory_type, "MemoryInstancetype", "Memory that the instance type gives.",
    QUANTITY("guest", "Memory the guest sees.", REQUIRED),
    OBJECT("hugepages", hugepages_type, "Back the memory with large pages of the node."),
    QUANTITY("maxGuest", "Memory that may be reached by adding some while the guest runs."),
    INT("overcommitPercent", "Per cent of the memory that is not asked of the node.", .has_min = true, .max = 100));

TYPE(instancetype_spec_type, "VirtualMachineInstancetypeSpec", "What machines of this type are given.",
    STRING_MAP("annotations", "Annotations of the instance."),
    OBJECT("cpu", instancetype_cpu_type, "Processors of the machine.", REQUIRED),
    LIST("gpus", gpu_type, "Graphics processors given to the guest."),
    LIST("hostDevices", host_device_type, "Devices of the node given to the guest."),
    OBJECT("ioThreads", io_threads_type, "Threads that do the disks' I/O."),
    STRING("ioThreadsPolicy", "How disks share I/O threads: shared, auto or supplementalPool."),
    OBJECT("launchSecurity", launch_security_type, "Keep the guest's memory from the node."),
    OBJECT("memory", instancetype_memory_type, "Memory of the machine.", REQUIRED),
    STRING_MAP("nodeSelector", "Labels that the node must have."),
    STRING("schedulerName", "Scheduler that places the pod."));

TYPE(instancetype_type, "VirtualMachineInstancetype", "A size of machines, for one namespace.",
    KIND_META,
    OBJECT("spec", instancetype_spec_type, "What machines of this type are given.", REQUIRED));

TYPE(cluster_instancetype_type, "VirtualMachineClusterInstancetype", "A size of machines, for all namespaces.",
    KIND_META,
    OBJECT("spec", instancetype_spec_type, "What machines of this type are given.", REQUIRED));
// clang-format on
