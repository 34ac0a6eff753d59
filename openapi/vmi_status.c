/* SPDX-License-Identifier: Apache-2.0 */
/* Table of a VirtualMachineInstance's status; migrations have a file of their own. */
#include "openapi/types.h"

#include "openapi/rows.h"

#define CHECKSUM .has_min = true, .min = 0, .max = 4294967295

// clang-format off
TYPE(phase_transition_type, "PhaseTransitionTimestamp", "When a phase was reached.",
    STRING("phase", "The phase."),
    TIME("phaseTransitionTimestamp", "When it was reached."));

TYPE(backup_volume_type, "BackupVolumeInfo", "A volume of a backup.",
    STRING("volumeName", "Name of the volume.", REQUIRED));

TYPE(backup_status_type, "BackupStatus", "A backup that runs or ran.",
    STRING("backupMsg", "What went wrong, for a person."),
    STRING("backupName", "Name of the VirtualMachineBackup."),
    STRING("checkpointName", "Checkpoint that the backup made."),
    BOOL("completed", "It has ended."),
    TIME("endTimestamp", "When it ended."),
    BOOL("failed", "It has failed."),
    STRING("quiesceStatus", "Whether the guest's file systems stood still."),
    TIME("startTimestamp", "When it began."),
    LIST("volumes", backup_volume_type, "Volumes that are part of it."));

TYPE(change_tracking_type, "ChangedBlockTrackingStatus", "Whether changes of disks are kept track of.",
    OBJECT("backupStatus", backup_status_type, "The backup that runs or ran.", NULLABLE),
    STRING("state", "PendingRestart, Initializing, Enabled, Disabled or a reason why not.", REQUIRED));

TYPE(cpu_topology_type, "CPUTopology", "The processors that the guest has now.",
    INT32("cores", "Cores in each socket."),
    INT32("sockets", "Sockets the guest sees."),
    INT32("threads", "Threads in each core."));

TYPE(guest_os_type, "GuestOSInfo", "The guest's system, as its agent tells.",
    STRING("id", "Short name, such as debian."),
    STRING("kernelRelease", "Release of the kernel."),
    STRING("kernelVersion", "Version of the kernel."),
    STRING("machine", "Architecture of the kernel."),
    STRING("name", "Name of the system."),
    STRING("prettyName", "Name for people."),
    STRING("version", "Version for people."),
    STRING("versionId", "Version for programs."));

TYPE(interface_status_type, "NetworkInterfaceStatus", "An interface of the guest as it is.",
    STRING("infoSource", "Who told: domain, guest-agent, multus-status, several joined by commas."),
    STRING("interfaceName", "Name in the guest."),
    STRING("ipAddress", "First address."),
    STRINGS("ipAddresses", "All addresses."),
    STRING("linkState", "State of the link: up or down."),
    STRING("mac", "Hardware address."),
    STRING("name", "Name in the spec."),
    STRING("podInterfaceName", "Name in the pod."),
    INT32("queueCount", "Queues of a virtio interface."));

TYPE(boot_file_type, "BootFileInfo", "A file that the guest was booted from.",
    INT64("checksum", "CRC-32 of the file.", CHECKSUM));

TYPE(kernel_boot_status_type, "KernelBootStatus", "What a straight kernel boot used.",
    OBJECT("initrdInfo", boot_file_type, "The initrd."),
    OBJECT("kernelInfo", boot_file_type, "The kernel."));

TYPE(memory_status_type, "MemoryStatus", "The memory that the guest has now.",
    QUANTITY("guestAtBoot", "What it booted with."),
    QUANTITY("guestCurrent", "What it has."),
    QUANTITY("guestRequested", "What it is to have."),
    QUANTITY("memoryOverhead", "What the emulator needs beside."));

TYPE(claim_info_type, "PersistentVolumeClaimInfo", "What is known of a claim.",
    STRINGS("accessModes", "How it may be mounted."),
    QUANTITY_MAP("capacity", "What it holds."),
    STRING("claimName", "Name of the claim."),
    STRING("filesystemOverhead", "Share of it that its file system takes.", .pattern = "^(0(?:\\.\\d{1,3})?|1)$"),
    BOOL("preallocated", "Its space is taken already."),
    QUANTITY_MAP("requests", "What was asked for."),
    STRING("volumeMode", "Block or Filesystem."));

TYPE(migrated_volume_type, "StorageMigratedVolumeInfo", "A volume that moves to another claim.",
    OBJECT("destinationPVCInfo", claim_info_type, "Where it goes."),
    OBJECT("sourcePVCInfo", claim_info_type, "Where it comes from."),
    STRING("volumeName", "Name of the volume.", REQUIRED));

TYPE(topology_hints_type, "TopologyHints", "What a node must offer.",
    INT64("tscFrequency", "Frequency of the time-stamp counter."));

TYPE(container_disk_status_type, "ContainerDiskInfo", "The disk out of an image.",
    INT64("checksum", "CRC-32 of the image's disk.", CHECKSUM));

TYPE(hotplug_status_type, "HotplugVolumeStatus", "The pod that holds an added volume.",
    STRING("attachPodName", "Name of the pod."),
    STRING("attachPodUID", "UID of the pod."));

TYPE(memory_dump_status_type, "DomainMemoryDumpInfo", "A dump of the guest's memory.",
    STRING("claimName", "Claim that it went to."),
    TIME("endTimestamp", "When it ended."),
    TIME("startTimestamp", "When it began."),
    STRING("targetFileName", "File that holds it."));

TYPE(volume_status_type, "VolumeStatus", "A volume as it is.",
    OBJECT("containerDiskVolume", container_disk_status_type, "The disk out of an image."),
    OBJECT("hotplugVolume", hotplug_status_type, "The pod that holds an added volume."),
    OBJECT("memoryDumpVolume", memory_dump_status_type, "A dump of the guest's memory."),
    STRING("message", "What it means, for a person."),
    STRING("name", "Name of the volume.", REQUIRED),
    OBJECT("persistentVolumeClaimInfo", claim_info_type, "The claim behind it."),
    STRING("phase", "How far an added volume is."),
    STRING("reason", "What it means, in one word."),
    INT64("size", "Size in bytes."),
    STRING("target", "Name that the guest's platform gives the disk, such as vda.", REQUIRED));

TYPE(vmi_status_type, "VirtualMachineInstanceStatus", "How a machine is.",
    INT64("VSOCKCID", "VSOCK address of the guest.", CHECKSUM),
    STRING_MAP("activePods", "Node of each pod of this instance, by the pod's UID."),
    OBJECT("changedBlockTracking", change_tracking_type, "Whether changes of disks are kept track of.", NULLABLE),
    LIST("conditions", condition_type, "What is known about the machine."),
    OBJECT("currentCPUTopology", cpu_topology_type, "Processors it has now."),
    STRING("evacuationNodeName", "Node that it is to leave."),
    STRING("fsFreezeStatus", "Reads frozen while the guest's file systems stand still."),
    OBJECT("guestOSInfo", guest_os_type, "The guest's system, as its agent tells."),
    LIST("interfaces", interface_status_type, "Network interfaces as they are."),
    OBJECT("kernelBootStatus", kernel_boot_status_type, "What a straight kernel boot used."),
    STRING("launcherContainerImageVersion", "Image that the launcher runs."),
    OBJECT("machine", machine_type, "Machine type that the guest really has."),
    OBJECT("memory", memory_status_type, "Memory it has now."),
    LIST("migratedVolumes", migrated_volume_type, "Volumes that move to other claims."),
    STRING("migrationMethod", "BlockMigration or LiveMigration."),
    OBJECT("migrationState", migration_state_type, "The migration that runs or ran last."),
    STRING("migrationTransport", "How the source reaches the target: Unix."),
    STRING("nodeName", "Node that it runs on."),
    STRING("phase", "Pending, Scheduling, Scheduled, Running, Succeeded, Failed or Unknown."),
    LIST("phaseTransitionTimestamps", phase_transition_type, "When each phase was reached."),
    STRING("qosClass", "Quality of service of the pod."),
    STRING("reason", "Why it is as it is, in one word."),
    INT64("runtimeUser", "User that the launcher runs as."),
    STRING("selinuxContext", "SELinux label of the launcher."),
    OBJECT("topologyHints", topology_hints_type, "What a node must offer."),
    STRING("virtualMachineRevisionName", "ControllerRevision of the VirtualMachine it was made from."),
    LIST("volumeStatus", volume_status_type, "Volumes as they are."));
// clang-format on
