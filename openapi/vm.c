/* SPDX-License-Identifier: Apache-2.0 */
/* Table of a VirtualMachine. */
#include "openapi/types.h"

#include "openapi/rows.h"

// clang-format off
TYPE(matcher_type, "InstancetypeMatcher", "Names an instance type or a preference.",
    STRING("inferFromVolume", "Volume whose labels name it."),
    STRING("inferFromVolumeFailurePolicy", "What to do with a volume that names none: Reject or Ignore."),
    STRING("kind", "Kind of the object; the cluster-wide one when absent."),
    STRING("name", "Name of the object."),
    STRING("revisionName", "ControllerRevision that holds it as it was."));

TYPE(vm_spec_type, "VirtualMachineSpec", "A machine that outlives its runs.",
    LIST("dataVolumeTemplates", data_volume_template_type, "DataVolumes that are made for it and go with it.", NULLABLE, INERT),
    OBJECT("instancetype", matcher_type, "Instance type that gives processors and memory."),
    OBJECT("preference", matcher_type, "Preference that gives what the template leaves open."),
    STRING("runStrategy", "When it runs: Always, Halted, Manual, RerunOnFailure, Once or WaitAsReceiver; excludes running."),
    BOOL("running", "Deprecated: true is runStrategy Always, false is Halted."),
    OBJECT("template", vmi_template_type, "What the instance looks like.", REQUIRED),
    STRING("updateVolumesStrategy", "What becomes of volumes that are changed: Migration or Replacement.", INERT));

TYPE(revision_ref_type, "ControllerRevisionRef", "A ControllerRevision of the same namespace.",
    STRING("name", "Name of the revision."));

TYPE(matcher_status_type, "InstancetypeStatusRef", "The instance type or preference in use.",
    OBJECT("controllerRevisionRef", revision_ref_type, "It as it was when the machine took it."),
    STRING("inferFromVolume", "Volume whose labels named it."),
    STRING("inferFromVolumeFailurePolicy", "What was to be done with a volume that names none."),
    STRING("kind", "Kind of the object."),
    STRING("name", "Name of the object."));

TYPE(memory_dump_request_type, "VirtualMachineMemoryDumpRequest", "A dump of memory that was asked for.",
    STRING("claimName", "Claim that it goes to.", REQUIRED),
    TIME("endTimestamp", "When it ended."),
    STRING("fileName", "File that holds it."),
    STRING("message", "What went wrong, for a person."),
    STRING("phase", "Associating, InProgress, Unmounting, Completed, Dissociating or Failed.", REQUIRED),
    BOOL("remove", "Take the claim away from the machine."),
    TIME("startTimestamp", "When it began."));

TYPE(start_failure_type, "VirtualMachineStartFailure", "Starts that failed in a row.",
    INT("consecutiveFailCount", "How many."),
    STRING("lastFailedVMIUID", "UID of the last instance that failed."),
    TIME("retryAfterTimestamp", "When the next one is made."));

TYPE(state_change_type, "VirtualMachineStateChangeRequest", "A start or stop that was asked for.",
    STRING("action", "Start or Stop.", REQUIRED),
    STRING_MAP("data", "Settings of the action."),
    STRING("uid", "UID of the instance that is meant."));

TYPE(hotplug_source_type, "HotplugVolumeSource", "What is added; one of the two.",
    OBJECT("dataVolume", data_volume_ref_type, "The claim of a DataVolume."),
    OBJECT("persistentVolumeClaim", claim_volume_type, "A claim."));

TYPE(add_volume_options_type, "AddVolumeOptions", "A volume that is to be added.",
    OBJECT("disk", disk_type, "How the guest sees it.", REQUIRED),
    STRINGS("dryRun", "All: check only."),
    STRING("name", "Name of the volume.", REQUIRED),
    OBJECT("volumeSource", hotplug_source_type, "What is added.", REQUIRED));

TYPE(remove_volume_options_type, "RemoveVolumeOptions", "A volume that is to be taken away.",
    STRINGS("dryRun", "All: check only."),
    STRING("name", "Name of the volume.", REQUIRED));

TYPE(volume_request_type, "VirtualMachineVolumeRequest", "A change of volumes that was asked for; one of the two.",
    OBJECT("addVolumeOptions", add_volume_options_type, "Add one."),
    OBJECT("removeVolumeOptions", remove_volume_options_type, "Take one away."));

TYPE(volume_snapshot_status_type, "VolumeSnapshotStatus", "Whether snapshots of a volume can be made.",
    BOOL("enabled", "They can.", REQUIRED),
    STRING("name", "Name of the volume.", REQUIRED),
    STRING("reason", "Why not."));

TYPE(volume_migration_type, "VolumeMigrationState", "Volumes that move while the guest runs.",
    LIST("migratedVolumes", migrated_volume_type, "The volumes."));

TYPE(volume_update_type, "VolumeUpdateState", "How a change of volumes goes.",
    OBJECT("volumeMigrationState", volume_migration_type, "Volumes that move while the guest runs."));

TYPE(vm_status_type, "VirtualMachineStatus", "How the machine is.",
    OBJECT("changedBlockTracking", change_tracking_type, "Whether changes of disks are kept track of.", NULLABLE),
    LIST("conditions", condition_type, "What is known about the machine."),
    BOOL("created", "An instance of it exists."),
    INT64("desiredGeneration", "Generation of the spec."),
    OBJECT("instancetypeRef", matcher_status_type, "Instance type in use.", NULLABLE),
    OBJECT("memoryDumpRequest", memory_dump_request_type, "A dump of memory that was asked for.", NULLABLE),
    INT64("observedGeneration", "Generation of the spec that the running instance was made from."),
    OBJECT("preferenceRef", matcher_status_type, "Preference in use.", NULLABLE),
    STRING("printableStatus", "How it is, in one word for people.", .dflt = "\"Stopped\""),
    BOOL("ready", "The guest runs and is ready."),
    STRING("restoreInProgress", "Restore that has hold of it."),
    STRING("runStrategy", "Run strategy that was obeyed last."),
    STRING("snapshotInProgress", "Snapshot that has hold of it."),
    OBJECT("startFailure", start_failure_type, "Starts that failed in a row.", NULLABLE),
    LIST("stateChangeRequests", state_change_type, "Starts and stops that were asked for."),
    LIST("volumeRequests", volume_request_type, "Changes of volumes that were asked for."),
    LIST("volumeSnapshotStatuses", volume_snapshot_status_type, "Whether snapshots of volumes can be made."),
    OBJECT("volumeUpdateState", volume_update_type, "How a change of volumes goes."));

TYPE(vm_type, "VirtualMachine", "A machine that can be started and stopped, and outlives its runs.",
    KIND_META,
    OBJECT("spec", vm_spec_type, "What the machine is and whether it is to run.", REQUIRED),
    OBJECT("status", vm_status_type, "How the machine is.", .lenient = true));
// clang-format on
