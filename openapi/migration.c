/* SPDX-License-Identifier: Apache-2.0 */
/* Table of a VirtualMachineInstanceMigration. */
#include "openapi/types.h"

#include "openapi/rows.h"

// clang-format off
TYPE(migration_receive_type, "VirtualMachineInstanceMigrationTarget", "The machine comes from another cluster.",
    STRING("migrationID", "The same on both clusters.", REQUIRED));

TYPE(migration_send_type, "VirtualMachineInstanceMigrationSource", "The machine goes to another cluster.",
    STRING("connectURL", "Where the other cluster is reached.", REQUIRED),
    STRING("migrationID", "The same on both clusters.", REQUIRED));

TYPE(migration_spec_type, "VirtualMachineInstanceMigrationSpec", "Which machine is to move.",
    STRING_MAP("addedNodeSelector", "Further labels that the target's node must have.", INERT),
    STRING("priority", "How soon it runs: system-critical, user-triggered or system-maintenance.", INERT),
    OBJECT("receive", migration_receive_type, "The machine comes from another cluster.", INERT),
    OBJECT("sendTo", migration_send_type, "The machine goes to another cluster.", INERT),
    STRING("vmiName", "Instance of the same namespace.", INERT));

TYPE(migration_status_type, "VirtualMachineInstanceMigrationStatus", "How the move goes.",
    LIST("conditions", condition_type, "What is known about the move."),
    OBJECT("migrationState", migration_state_type, "Details of the move."),
    STRING("phase", "Pending, Scheduling, Scheduled, PreparingTarget, TargetReady, Running, Succeeded or Failed."),
    LIST("phaseTransitionTimestamps", phase_transition_type, "When each phase was reached."),
    STRINGS("synchronizationAddresses", "Where another cluster reaches this one."));

TYPE(migration_type, "VirtualMachineInstanceMigration", "Asks for a running machine to move to another node.",
    KIND_META,
    OBJECT("spec", migration_spec_type, "Which machine is to move.", REQUIRED),
    OBJECT("status", migration_status_type, "How the move goes.", .lenient = true));
// clang-format on
