/* SPDX-License-Identifier: Apache-2.0 */
/* Table of spec.domain: the machine itself. */
#include "openapi/types.h"

#include "openapi/rows.h"

// clang-format off
TYPE(io_threads_type, "DiskIOThreads", "Threads that do the disks' I/O.",
    INT32("supplementalPoolThreadCount", "Threads of the supplemental pool.", UNSIGNED));

TYPE(domain_type, "DomainSpec", "The machine that the guest runs on.",
    OBJECT("chassis", chassis_type, "Chassis the guest reads from SMBIOS."),
    OBJECT("clock", guest_clock_type, "Clock and timers.", .open = true),
    OBJECT("cpu", cpu_type, "Processors that the guest sees."),
    OBJECT("devices", devices_type, "Devices that the guest sees.", REQUIRED),
    OBJECT("features", features_type, "What the platform can do."),
    OBJECT("firmware", firmware_type, "What runs before the guest's system does."),
    OBJECT("ioThreads", io_threads_type, "Threads that do the disks' I/O."),
    STRING("ioThreadsPolicy", "How disks share I/O threads: shared, auto or supplementalPool."),
    OBJECT("launchSecurity", launch_security_type, "Keep the guest's memory from the node.", INERT),
    OBJECT("machine", machine_type, "Kind of machine that is emulated."),
    OBJECT("memory", memory_type, "Memory the guest sees."),
    STRING("rebootPolicy", "Whether a reboot by the guest restarts it in place or ends the instance.",
           ONE_OF("Reboot", "Terminate")),
    OBJECT("resources", domain_resources_type, "What the machine takes from its node."));
// clang-format on
