// SPDX-License-Identifier: Apache-2.0
/* Words for states; see hypervisor_words.h. */
#include "launcher/hypervisor_words.h"

#include <stddef.h>

#include <libvirt/libvirt.h>

#include "base/scope.h"

static const struct {
    int state;
    const char *word;
} states[] = {
    { VIR_DOMAIN_NOSTATE, "NoState" },       { VIR_DOMAIN_RUNNING, "Running" },
    { VIR_DOMAIN_BLOCKED, "Blocked" },       { VIR_DOMAIN_PAUSED, "Paused" },
    { VIR_DOMAIN_SHUTDOWN, "ShuttingDown" }, { VIR_DOMAIN_SHUTOFF, "Shutoff" },
    { VIR_DOMAIN_CRASHED, "Crashed" },       { VIR_DOMAIN_PMSUSPENDED, "PMSuspended" },
};

static const struct {
    int state, reason;
    const char *word;
} reasons[] = {
    { VIR_DOMAIN_SHUTOFF, VIR_DOMAIN_SHUTOFF_SHUTDOWN, "Shutdown" },
    { VIR_DOMAIN_SHUTOFF, VIR_DOMAIN_SHUTOFF_DESTROYED, "Destroyed" },
    { VIR_DOMAIN_SHUTOFF, VIR_DOMAIN_SHUTOFF_CRASHED, "Crashed" },
    { VIR_DOMAIN_SHUTOFF, VIR_DOMAIN_SHUTOFF_MIGRATED, "Migrated" },
    { VIR_DOMAIN_SHUTOFF, VIR_DOMAIN_SHUTOFF_SAVED, "Saved" },
    { VIR_DOMAIN_SHUTOFF, VIR_DOMAIN_SHUTOFF_FAILED, "Failed" },
    { VIR_DOMAIN_SHUTOFF, VIR_DOMAIN_SHUTOFF_FROM_SNAPSHOT, "FromSnapshot" },
    { VIR_DOMAIN_CRASHED, VIR_DOMAIN_CRASHED_PANICKED, "Panicked" },
    { VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_USER, "User" },
    { VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_MIGRATION, "Migration" },
    { VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_SAVE, "Save" },
    { VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_DUMP, "Dump" },
    { VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_IOERROR, "IOError" },
    { VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_WATCHDOG, "Watchdog" },
    { VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_FROM_SNAPSHOT, "FromSnapshot" },
    { VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_SHUTTING_DOWN, "ShuttingDown" },
    { VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_SNAPSHOT, "Snapshot" },
    { VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_CRASHED, "Crashed" },
    { VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_STARTING_UP, "StartingUp" },
    { VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_POSTCOPY, "Postcopy" },
    { VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_POSTCOPY_FAILED, "PostcopyFailed" },
    { VIR_DOMAIN_SHUTDOWN, VIR_DOMAIN_SHUTDOWN_USER, "User" },
};

const char *hypervisor_state_word(int state)
{
    for (size_t i = 0; i < countof(states); i++)
        if (states[i].state == state)
            return states[i].word;
    return "Unknown";
}

const char *hypervisor_reason_word(int state, int reason)
{
    for (size_t i = 0; i < countof(reasons); i++)
        if (reasons[i].state == state && reasons[i].reason == reason)
            return reasons[i].word;
    return "Unknown";
}
