/* SPDX-License-Identifier: Apache-2.0 */
/* Tables of VirtualMachinePreference and its cluster-wide twin. */
#include "openapi/types.h"

#include "openapi/rows.h"

// clang-format off
TYPE(clock_offset_type, "ClockOffset", "What the clock shows; one of the two.",
    STRING("timezone", "Local time of this zone, such as Europe/Berlin."),
    OBJECT("utc", clock_utc_type, "UTC, with an offset if one is given."));

TYPE(clock_preference_type, "ClockPreferences", "Clock and timers.",
    OBJECT("preferredClockOffset", clock_offset_type, "What the clock shows."),
    OBJECT("preferredTimer", timers_type, "Timers the guest finds."));

TYPE(spread_options_type, "SpreadOptions", "How processors are spread over the topology.",
    STRING("across", "SocketsCoresThreads, SocketsCores or CoresThreads; SocketsCores when absent."),
    INT32("ratio", "Of one level to the next; 2 when absent.", UNSIGNED));

TYPE(cpu_preference_type, "CPUPreferences", "What processors are like where the machine is silent.",
    LIST("preferredCPUFeatures", cpu_feature_type, "Features added to or taken from the model."),
    STRING("preferredCPUTopology", "What vCPUs become: sockets, cores, threads, spread or any."),
    OBJECT("spreadOptions", spread_options_type, "How processors are spread over the topology."));

TYPE(device_preference_type, "DevicePreferences", "What devices are like where the machine is silent.",
    BOOL("preferredAutoattachGraphicsDevice", "Give the guest a screen."),
    BOOL("preferredAutoattachInputDevice", "Give the guest a tablet."),
    BOOL("preferredAutoattachMemBalloon", "Give the guest a memory balloon."),
    BOOL("preferredAutoattachPodInterface", "Connect the guest to the pod's network when no interface is given."),
    BOOL("preferredAutoattachSerialConsole", "Give the guest a serial console."),
    BOOL("preferredBlockMultiQueue", "Give virtio disks a queue for each processor."),
    STRING("preferredCdromBus", "Bus of CD-ROMs."),
    BOOL("preferredDisableHotplug", "Leave no room for disks and interfaces added later."),
    OBJECT("preferredDiskBlockSize", disk_block_size_type, "Block sizes that the guest is told."),
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
    OBJECT("preferredTPM", tpm_type, "A trusted platform module."),
    BOOL("preferredUseVirtioTransitional", "Use virtio devices that very old guests understand."),
    STRING("preferredVideoType", "Type of the graphics card."),
    OBJECT("preferredVirtualGPUOptions", vgpu_options_type, "Settings of virtual GPUs."));

TYPE(feature_preference_type, "FeaturePreferences", "What the platform can do.",
    OBJECT("preferredAcpi", feature_switch_type, "ACPI tables."),
    OBJECT("preferredApic", apic_feature_type, "Interrupt controller."),
    OBJECT("preferredHyperv", hyperv_features_type, "Enlightenments for Windows guests."),
    OBJECT("preferredKvm", kvm_feature_type, "How KVM shows itself to the guest."),
    OBJECT("preferredPvspinlock", feature_switch_type, "Let waiting processors sleep instead of spin."),
    OBJECT("preferredSmm", feature_switch_type, "System management mode."));

TYPE(firmware_preference_type, "FirmwarePreferences", "What runs before the guest's system does.",
    OBJECT("preferredEfi", efi_type, "Boot with UEFI, with these settings."),
    BOOL("preferredUseBios", "Boot with SeaBIOS."),
    BOOL("preferredUseBiosSerial", "Show SeaBIOS' output on the serial console."),
    BOOL("preferredUseEfi", "Deprecated: preferredEfi."),
    BOOL("preferredUseSecureBoot", "Deprecated: preferredEfi."));

TYPE(machine_preference_type, "MachinePreferences", "Kind of machine that is emulated.",
    STRING("preferredMachineType", "Machine type of QEMU."));

TYPE(cpu_requirement_type, "CPUPreferenceRequirement", "Processors that the guest needs.",
    INT32("guest", "How many at least.", REQUIRED, UNSIGNED));

TYPE(memory_requirement_type, "MemoryPreferenceRequirement", "Memory that the guest needs.",
    QUANTITY("guest", "How much at least.", REQUIRED));

TYPE(preference_requirements_type, "PreferenceRequirements", "What the guest needs at least.",
    STRING("architecture", "Architecture that the guest needs."),
    OBJECT("cpu", cpu_requirement_type, "Processors that the guest needs."),
    OBJECT("memory", memory_requirement_type, "Memory that the guest needs."));

TYPE(volume_preference_type, "VolumePreferences", "What volumes are like where the machine is silent.",
    STRING("preferredStorageClassName", "Storage class of DataVolumes that name none."));

TYPE(preference_spec_type, "VirtualMachinePreferenceSpec", "What a kind of guest prefers; fills in what a machine leaves open.",
    STRING_MAP("annotations", "Annotations of the instance."),
    OBJECT("clock", clock_preference_type, "Clock and timers."),
    OBJECT("cpu", cpu_preference_type, "What processors are like."),
    OBJECT("devices", device_preference_type, "What devices are like."),
    OBJECT("features", feature_preference_type, "What the platform can do."),
    OBJECT("firmware", firmware_preference_type, "What runs before the guest's system does."),
    OBJECT("machine", machine_preference_type, "Kind of machine that is emulated."),
    INT32("preferSpreadSocketToCoreRatio", "Deprecated: cpu.spreadOptions.ratio.", UNSIGNED),
    STRING("preferredArchitecture", "Architecture of the machine."),
    OBJECT("preferredLaunchSecurity", launch_security_type, "Keep the guest's memory from the node."),
    STRING("preferredSubdomain", "Subdomain of the guest's full name."),
    INT64("preferredTerminationGracePeriodSeconds", "Seconds the guest has to shut down."),
    OBJECT("requirements", preference_requirements_type, "What the guest needs at least."),
    OBJECT("volumes", volume_preference_type, "What volumes are like."));

TYPE(preference_type, "VirtualMachinePreference", "What a kind of guest prefers, for one namespace.",
    KIND_META,
    OBJECT("spec", preference_spec_type, "What the guest prefers.", REQUIRED));

TYPE(cluster_preference_type, "VirtualMachineClusterPreference", "What a kind of guest prefers, for all namespaces.",
    KIND_META,
    OBJECT("spec", preference_spec_type, "What the guest prefers.", REQUIRED));
// clang-format on
