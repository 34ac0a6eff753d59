/* SPDX-License-Identifier: Apache-2.0 */
/* The table of commands.  Data only. */
#include "cli/commands.h"

#include <stddef.h>

#include "base/scope.h"

// clang-format off
const struct command commands[] = {
    { POWER,   "start",       "VM",            1, 1, start_flags,    run_start, .summary = "Start a machine." },
    { POWER,   "stop",        "VM",            1, 1, stop_flags,     run_stop, .summary = "Stop a machine." },
    { POWER,   "restart",     "VM",            1, 1, stop_flags,     run_restart, .summary = "Restart a machine." },
    { POWER,   "pause",       "vm|vmi NAME",   2, 2, pause_flags,    run_pause, .summary = "Stop the virtual CPUs of a machine; memory is kept." },
    { POWER,   "unpause",     "vm|vmi NAME",   2, 2, pause_flags,    run_unpause, .summary = "Let a paused machine go on." },
    { POWER,   "soft-reboot", "VMI",           1, 1, NULL,           run_soft_reboot, .summary = "Ask the guest to reboot." },
    { POWER,   "reset",       "VMI",           1, 1, NULL,           run_reset, .summary = "Reset the virtual hardware of a machine at once." },

    { CONNECT, "console",     "VMI",           1, 1, console_flags,  run_console, .summary = "Connect to the serial console of a machine." },
    { CONNECT, "vnc",         "VMI",           1, 2, vnc_flags,      run_vnc, .summary = "Open the screen of a machine; vnc screenshot VMI takes a picture." },

    { GUEST,   "fslist",      "VMI",           1, 1, NULL,           run_fslist, .summary = "List the file systems that the guest has mounted." },
    { GUEST,   "guestosinfo", "VMI",           1, 1, NULL,           run_guestosinfo, .summary = "Show what the guest agent says of its system." },
    { GUEST,   "userlist",    "VMI",           1, 1, NULL,           run_userlist, .summary = "List who is logged in to the guest." },

    { MANIFEST, "preset preview", "[VMI]",     0, 1, preset_flags,   run_preset_preview, .summary = "Show what presets make of an instance, without creating it." },

    { OTHER,   "help",        "[COMMAND]...",  0, 3, NULL,           run_help, .summary = "Show the help of a command.", .traits = WITHOUT_CLUSTER },
    { OTHER,   "options",     "",              0, 0, NULL,           run_options, .summary = "List the flags that every command takes.", .traits = WITHOUT_CLUSTER },
    { OTHER,   "version",     "",              0, 0, version_flags,  run_version, .summary = "Print the versions of client and server.", .traits = WITHOUT_CLUSTER },
    { OTHER,   "__man",       "FOLDER",        1, 1, NULL,           run_man, .summary = "Write the manual pages.", .traits = WITHOUT_CLUSTER | HIDDEN },
};

const char *const command_groups[] = {
    [POWER] = "Power",
    [CONNECT] = "Screens, consoles and tunnels",
    [GUEST] = "The guest",
    [MIGRATION] = "Migration",
    [DEVICES] = "Volumes and services",
    [MANIFEST] = "Manifests",
    [ADMIN] = "Access and administration",
    [OTHER] = "Other",
};
// clang-format on
const size_t commands_len = countof(commands);
const size_t command_groups_len = countof(command_groups);
