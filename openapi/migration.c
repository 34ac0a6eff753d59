/* SPDX-License-Identifier: Apache-2.0 */
/* Table of a VirtualMachineInstanceMigration. */
#include "openapi/types.h"

#include "openapi/rows.h"

// clang-format off
TYPE(migration_receive, "VirtualMachineInstanceMigrationTarget", "The machine comes from another cluster.",
    STRING("migrationID", "The same on both clusters.", REQUIRED));

TYPE(migration_send, "VirtualMachineInstanceMigrationSource", "The machine goes to another cluster.",
    STRING("connectURL", "Where the other cluster is reached.", REQUIRED),
    STRING("migrationID", "The same on both clusters.", REQUIRED));

TYPE(migration_spec, "VirtualMachineInstanceMigrationSpec", "Which machine is to move.",
    STRING_MAP("addedNodeSelector", "Further labels that the target's node must have.", INERT),
    STRING("priority", "system-critical, user-triggered or system-maintenance.", INERT),
    OBJECT("receive", migration_receive, "The machine comes from another cluster.", INERT),
    OBJECT("sendTo", migration_send, "The machine goes to another cluster.", INERT),
    STRING("vmiName", "Instance of the same namespace.", INERT));

TYPE(migration_status, "VirtualMachineInstanceMigrationStatus", "How the move goes.",
    LIST("conditions", condition, "What is known about the move."),
    OBJECT("migrationState", migration_state, "Details of the move."),
    STRING("phase", "Pending, Scheduling, Scheduled, PreparingTarget, TargetReady, Running, Succeeded or Failed."),
    LIST("phaseTransitionTimestamps", phase_transition, "When each phase was reached."),
    STRINGS("synchronizationAddresses", "Where another cluster reaches this one."));

TYPE(migration, "VirtualMachineInstanceMigration", "Asks for a running machine to move to another node.",
    KIND_META,
    OBJECT("spec", migration_spec, "Which machine is to move.", REQUIRED),
    OBJECT("status", migration_status, "How the move goes.", .lenient = true));
// clang-format on
