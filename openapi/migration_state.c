/* SPDX-License-Identifier: Apache-2.0 */
/* Tables of how a live migration goes and what governs it. */
#include "openapi/types.h"

#include "openapi/rows.h"

// clang-format off
TYPE(downtime_tuning_type, "MigrationDowntimeTuning", "Lengthen the allowed pause step by step.",
    INT32("cooldownSeconds", "Seconds between steps.", .min = 1),
    INT64("initialMs", "First allowed pause, in milliseconds.", .min = 1),
    INT64("startAfterIteration", "Rounds of copying before the first step.", .min = 1),
    INT32("steps", "How many steps.", .min = 1));

TYPE(stall_detector_type, "MigrationStallDetector", "Notice a migration that gets nowhere.",
    QUANTITY("completionTimeoutFactor", "Factor on the time that is allowed, at least 1."),
    QUANTITY("ewmaAlpha", "Weight of the newest measurement, above 0 and up to 1."),
    QUANTITY("patienceWindowDecayFactor", "How fast patience ends, 0 to 1."),
    QUANTITY("precopyPossibleFactor", "How far from possible still counts as possible, at least 1."),
    BOOL("searchLocalMinima", "Switch over when the rest is as small as it gets."),
    INT64("stallMargin", "Progress in per cent that does not count.", .has_min = true, .max = 100),
    INT64("stallProgressTimeout", "Seconds without progress.", .has_min = true),
    INT64("switchoverTimeout", "Seconds for the switch-over.", .has_min = true));

TYPE(migration_experimental_type, "MigrationExperimentalOptions", "Settings that may change or go.",
    STRING("compression", "How memory is packed on its way.", ONE_OF("none", "zstd")),
    OBJECT("downtimeTuning", downtime_tuning_type, "Lengthen the allowed pause step by step."),
    OBJECT("stallDetector", stall_detector_type, "Notice a migration that gets nowhere."));

#define MIGRATION_SETTINGS                                                                                         \
    BOOL("allowAutoConverge", "Slow the guest down when it changes memory too fast.", INERT),                      \
    BOOL("allowPostCopy", "Let the guest run on the target before all memory is there.", INERT),                   \
    BOOL("allowWorkloadDisruption", "Let a migration that gets nowhere pause the guest or use post-copy.", INERT), \
    QUANTITY("bandwidthPerMigration", "Bytes a second of one migration; 0 is no bound.", INERT),                   \
    INT64("completionTimeoutPerGiB", "Seconds for each GiB of memory before a migration is given up.", INERT),     \
    BOOL("disableTLS", "Do not encrypt migrations.", INERT)

#define MIGRATION_LIMITS                                                                                           \
    BOOL("matchSELinuxLevelOnMigration", "Use the source's SELinux level on the target.", INERT),                  \
    INT64("maxDowntimeMs", "The longest pause at switch-over, in milliseconds.", .min = 1, .max = 2000000, INERT), \
    STRING("network", "Network that migrations use, a NetworkAttachmentDefinition.", INERT),                       \
    STRING("nodeDrainTaintKey", "Taint that makes machines leave a node.", INERT),                                 \
    INT32("parallelMigrationsPerCluster", "Migrations at once in the cluster.", INERT, UNSIGNED),                            \
    INT32("parallelOutboundMigrationsPerNode", "Migrations at once away from one node.", INERT, UNSIGNED),                   \
    INT64("progressTimeout", "Seconds without progress before a migration is given up.", INERT),                   \
    BOOL("unsafeMigrationOverride", "Migrate also where libvirt finds it unsafe.", INERT),                         \
    INT64("utilityVolumesTimeout", "Seconds to wait for utility volumes to go.", INERT)

TYPE(migration_config_type, "MigrationConfiguration", "What governs live migrations.",
    MIGRATION_SETTINGS,
    MIGRATION_LIMITS);

TYPE(migration_config_used_type, "MigrationConfigurationUsed", "What governed this migration.",
    MIGRATION_SETTINGS,
    OBJECT("experimental", migration_experimental_type, "Settings that may change or go."),
    MIGRATION_LIMITS);

#define MIGRATION_END                                                             \
    STRING("domainName", "Name of the domain."),                                  \
    STRING("domainNamespace", "Namespace of the instance."),                      \
    STRING("migrationUID", "UID of the migration object."),                       \
    STRING("node", "Node of this end."),                                          \
    STRING("persistentStatePVCName", "Claim with the state of firmware and TPM."), \
    STRING("pod", "Launcher's pod of this end."),                                 \
    STRING("selinuxContext", "SELinux label of the launcher."),                   \
    STRING("syncAddress", "Where the other cluster reaches this end."),           \
    STRING("virtualMachineInstanceUID", "UID of the instance.")

TYPE(migration_source_type, "MigrationSourceState", "The end that a migration leaves.",
    MIGRATION_END,
    STRING_MAP("nodeSelectors", "Labels that the target's node must have."));

TYPE(migration_target_type, "MigrationTargetState", "The end that a migration goes to.",
    MIGRATION_END,
    STRING("attachmentPodUID", "UID of the pod that holds added volumes."),
    INTS("cpuSet", "Processors of the node that the guest is pinned to."),
    INT_MAP("directMigrationNodePorts", "Ports of the node, and what each carries."),
    BOOL("domainDetected", "The domain is there."),
    TIME("domainReadyTimestamp", "When the domain was there."),
    STRING("nodeAddress", "Address of the node."),
    STRING("nodeTopology", "Topology of the node, JSON."));

TYPE(migration_state_type, "VirtualMachineInstanceMigrationState", "How a live migration goes.",
    BOOL("abortRequested", "Someone asked to give it up."),
    STRING("abortStatus", "Succeeded, Failed or Aborting."),
    BOOL("completed", "It has ended."),
    TIME("endTimestamp", "When it ended.", NULLABLE),
    BOOL("failed", "It has failed."),
    STRING("failureReason", "Why it failed, for a person."),
    OBJECT("migrationConfiguration", migration_config_used_type, "What governs it."),
    STRING("migrationNetworkType", "Pod or Migration."),
    STRING("migrationPolicyName", "MigrationPolicy that was applied."),
    STRING("migrationUid", "UID of the migration object."),
    STRING("mode", "PreCopy, PostCopy or Paused."),
    STRING("sourceNode", "Node that it leaves."),
    STRING("sourcePersistentStatePVCName", "Claim of the source with the state of firmware and TPM."),
    STRING("sourcePod", "Launcher's pod that it leaves."),
    OBJECT("sourceState", migration_source_type, "The end that it leaves."),
    TIME("startTimestamp", "When it began.", NULLABLE),
    STRING("targetAttachmentPodUID", "UID of the pod that holds added volumes."),
    INTS("targetCPUSet", "Processors of the target that the guest is pinned to."),
    INT_MAP("targetDirectMigrationNodePorts", "Ports of the target, and what each carries."),
    QUANTITY("targetMemoryOverhead", "What the emulator needs on the target."),
    STRING("targetNode", "Node that it goes to."),
    STRING("targetNodeAddress", "Address of that node."),
    BOOL("targetNodeDomainDetected", "The domain is there on the target."),
    TIME("targetNodeDomainReadyTimestamp", "When the domain was there."),
    STRING("targetNodeTopology", "Topology of the target, JSON."),
    STRING("targetPersistentStatePVCName", "Claim of the target with the state of firmware and TPM."),
    STRING("targetPod", "Launcher's pod that it goes to."),
    OBJECT("targetState", migration_target_type, "The end that it goes to."));
// clang-format on
