/* SPDX-License-Identifier: Apache-2.0 */
/* Tables of VirtualMachinePreference and its cluster-wide twin. */
#include "openapi/types.h"

#include "openapi/rows.h"

// clang-format off
TYPE(clock_offset, "ClockOffset", "What the clock shows; one of the two.",
    STRING("timezone", "Local time of this zone, such as Europe/Berlin."),
    OBJECT("utc", clock_utc, "UTC, with an offset if one is given."));

TYPE(clock_preference, "ClockPreferences", "Clock and timers.",
    OBJECT("preferredClockOffset", clock_offset, "What the clock shows."),
    OBJECT("preferredTimer", timers, "Timers the guest finds."));

TYPE(spread_options, "SpreadOptions", "How processors are spread over the topology.",
    STRING("across", "SocketsCoresThreads, SocketsCores or CoresThreads; SocketsCores when absent."),
    INT32("ratio", "Of one level to the next; 2 when absent."));

TYPE(cpu_preference, "CPUPreferences", "Processors.",
    LIST("preferredCPUFeatures", cpu_feature, "Features added to or taken from the model."),
    STRING("preferredCPUTopology", "sockets, cores, threads, spread or any."),
    OBJECT("spreadOptions", spread_options, "How processors are spread over the topology."));

TYPE(device_preference, "DevicePreferences", "Devices.",
    BOOL("preferredAutoattachGraphicsDevice", "Give the guest a screen."),
    BOOL("preferredAutoattachInputDevice", "Give the guest a tablet."),
    BOOL("preferredAutoattachMemBalloon", "Give the guest a memory balloon."),
    BOOL("preferredAutoattachPodInterface", "Connect the guest to the pod's network when no interface is given."),
    BOOL("preferredAutoattachSerialConsole", "Give the guest a serial console."),
    BOOL("preferredBlockMultiQueue", "Give virtio disks a queue for each processor."),
    STRING("preferredCdromBus", "Bus of CD-ROMs."),
    BOOL("preferredDisableHotplug", "Leave no room for disks and interfaces added later."),
    OBJECT("preferredDiskBlockSize", disk_block_size, "Block sizes that the guest is told."),
    STRING("preferredDiskBus", "Bus of disks."),
    STRING("preferredDiskCache", "Host cache of disks."),
    BOOL("preferredDiskDedicatedIoThread", "Give virtio disks threads of their own."),
    STRING("preferredDiskIO", "How the host does the disks' I/O."),
    STRING("preferredInputBus", "Bus of input devices."),
    STRING("preferredInputType", "Type of input devices."),
    PRESENCE("preferredInterfaceMasquerade", "Connect by NAT behind the pod's address."),
    STRING("preferredInterfaceModel", "Model of network interfaces."),
    STRING("preferredLunBus", "Bus of SCSI devices."),
    BOOL("preferredNetworkInterfaceMultiQueue", "Give virtio interfaces a queue for each processor."),
    STRING("preferredPanicDeviceModel", "Model of panic devices."),
    PRESENCE("preferredRng", "Give the guest a source of random numbers."),
    STRING("preferredSoundModel", "Model of sound cards."),
    OBJECT("preferredTPM", tpm, "A trusted platform module."),
    BOOL("preferredUseVirtioTransitional", "Use virtio devices that very old guests understand."),
    STRING("preferredVideoType", "Type of the graphics card."),
    OBJECT("preferredVirtualGPUOptions", vgpu_options, "Settings of virtual GPUs."));

TYPE(feature_preference, "FeaturePreferences", "What the platform can do.",
    OBJECT("preferredAcpi", feature_switch, "ACPI tables."),
    OBJECT("preferredApic", apic_feature, "Interrupt controller."),
    OBJECT("preferredHyperv", hyperv_features, "Enlightenments for Windows guests."),
    OBJECT("preferredKvm", kvm_feature, "How KVM shows itself to the guest."),
    OBJECT("preferredPvspinlock", feature_switch, "Let waiting processors sleep instead of spin."),
    OBJECT("preferredSmm", feature_switch, "System management mode."));

TYPE(firmware_preference, "FirmwarePreferences", "What runs before the guest's system does.",
    OBJECT("preferredEfi", efi, "Boot with UEFI, with these settings."),
    BOOL("preferredUseBios", "Boot with SeaBIOS."),
    BOOL("preferredUseBiosSerial", "Show SeaBIOS' output on the serial console."),
    BOOL("preferredUseEfi", "Deprecated: preferredEfi."),
    BOOL("preferredUseSecureBoot", "Deprecated: preferredEfi."));

TYPE(machine_preference, "MachinePreferences", "Kind of machine that is emulated.",
    STRING("preferredMachineType", "Machine type of QEMU."));

TYPE(cpu_requirement, "CPUPreferenceRequirement", "Processors that the guest needs.",
    INT32("guest", "How many at least.", REQUIRED));

TYPE(memory_requirement, "MemoryPreferenceRequirement", "Memory that the guest needs.",
    QUANTITY("guest", "How much at least.", REQUIRED));

TYPE(preference_requirements, "PreferenceRequirements", "What the guest needs at least.",
    STRING("architecture", "Architecture."),
    OBJECT("cpu", cpu_requirement, "Processors."),
    OBJECT("memory", memory_requirement, "Memory."));

TYPE(volume_preference, "VolumePreferences", "Volumes.",
    STRING("preferredStorageClassName", "Storage class of DataVolumes that name none."));

TYPE(preference_spec, "VirtualMachinePreferenceSpec", "What a kind of guest prefers; fills in what a machine leaves open.",
    STRING_MAP("annotations", "Annotations of the instance."),
    OBJECT("clock", clock_preference, "Clock and timers."),
    OBJECT("cpu", cpu_preference, "Processors."),
    OBJECT("devices", device_preference, "Devices."),
    OBJECT("features", feature_preference, "What the platform can do."),
    OBJECT("firmware", firmware_preference, "What runs before the guest's system does."),
    OBJECT("machine", machine_preference, "Kind of machine that is emulated."),
    INT32("preferSpreadSocketToCoreRatio", "Deprecated: cpu.spreadOptions.ratio."),
    STRING("preferredArchitecture", "Architecture."),
    OBJECT("preferredLaunchSecurity", launch_security, "Keep the guest's memory from the node."),
    STRING("preferredSubdomain", "Subdomain of the guest's full name."),
    INT64("preferredTerminationGracePeriodSeconds", "Seconds the guest has to shut down."),
    OBJECT("requirements", preference_requirements, "What the guest needs at least."),
    OBJECT("volumes", volume_preference, "Volumes."));

TYPE(preference, "VirtualMachinePreference", "What a kind of guest prefers, for one namespace.",
    KIND_META,
    OBJECT("spec", preference_spec, "What the guest prefers.", REQUIRED, INERT));

TYPE(cluster_preference, "VirtualMachineClusterPreference", "What a kind of guest prefers, for all namespaces.",
    KIND_META,
    OBJECT("spec", preference_spec, "What the guest prefers.", REQUIRED, INERT));
// clang-format on
