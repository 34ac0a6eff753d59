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
    { CONNECT, "port-forward", "vm|vmi/NAME [PROTOCOL/]LOCAL[:REMOTE]...", 2, 64, port_forward_flags, run_port_forward, .summary = "Carry local ports to ports of a machine.", .traits = WITHOUT_CLUSTER },
    { CONNECT, "scp",         "SOURCE DESTINATION", 2, 2, scp_flags, run_scp, .summary = "Copy files from or to a machine with OpenSSH." },
    { CONNECT, "ssh",         "[USER@]vm|vmi/NAME", 1, 1, ssh_flags, run_ssh, .summary = "Log in to a machine with OpenSSH." },
    { CONNECT, "usbredir",    "[DEVICE] VMI",  1, 2, usbredir_flags, run_usbredir, .summary = "Give a USB device of this host to a machine." },
    { CONNECT, "vnc",         "VMI",           1, 1, vnc_flags,      run_vnc, .summary = "Open the screen of a machine." },
    { CONNECT, "vnc screenshot", "VMI",        1, 1, screenshot_flags, run_vnc_screenshot, .summary = "Take a picture of the screen of a machine." },

    { GUEST,   "fslist",      "VMI",           1, 1, guest_flags,          run_fslist, .summary = "List the file systems that the guest has mounted." },
    { GUEST,   "guestosinfo", "VMI",           1, 1, guest_flags,    run_guestosinfo, .summary = "Show what the guest agent says of its system." },
    { GUEST,   "userlist",    "VMI",           1, 1, guest_flags,          run_userlist, .summary = "List who is logged in to the guest." },

    { MIGRATION, "migrate",         "VM",          1, 1, migrate_flags,  run_migrate,         .summary = "Move a running machine to another node." },
    { MIGRATION, "migrate-cancel",  "VM",          1, 1, dry_run_flags,  run_migrate_cancel,  .summary = "Call off the migration of a machine." },
    { MIGRATION, "evacuate-cancel", "vm|vmi NAME", 2, 2, dry_run_flags,  run_evacuate_cancel, .summary = "Let a machine stay on a node that is being drained." },

    { DEVICES, "addvolume",         "VMI",         1, 1, addvolume_flags,    run_addvolume,    .summary = "Plug a volume into a running machine." },
    { DEVICES, "removevolume",      "VMI",         1, 1, removevolume_flags, run_removevolume, .summary = "Unplug a volume from a running machine." },
    { DEVICES, "permitted-devices", "",            0, 0, NULL,           run_permitted_devices, .summary = "List the host devices that machines may use." },
    { DEVICES, "expose",            "vmi|vm|vmirs NAME", 2, 2, expose_flags, run_expose,       .summary = "Make a service that leads to a machine." },

    { MANIFEST, "create vm",           "", 0, 0, create_vm_flags,           run_create_vm,           .summary = "Print the manifest of a machine.", .traits = WITHOUT_CLUSTER },
    { MANIFEST, "create instancetype", "", 0, 0, create_instancetype_flags, run_create_instancetype, .summary = "Print the manifest of an instance type.", .traits = WITHOUT_CLUSTER },
    { MANIFEST, "create preference",   "", 0, 0, create_preference_flags,   run_create_preference,   .summary = "Print the manifest of a preference.", .traits = WITHOUT_CLUSTER },
    { MANIFEST, "create clone",        "", 0, 0, create_clone_flags,        run_create_clone,        .summary = "Print the manifest of a clone.", .traits = WITHOUT_CLUSTER },
    { MANIFEST, "expand",           "",            0, 0, expand_flags,   run_expand,      .summary = "Show a machine with its instance type and preference written out." },
    { MANIFEST, "objectgraph",      "NAME",        1, 1, objectgraph_flags, run_objectgraph, .summary = "Show what a machine depends on." },
    { MANIFEST, "preset preview", "[VMI]",     0, 1, preset_flags,   run_preset_preview, .summary = "Show what presets make of an instance, without creating it." },

    { ADMIN,   "credentials add-ssh-key",    "VM", 1, 1, add_ssh_key_flags,    run_add_ssh_key,    .summary = "Let a user of the guest log in with an SSH key." },
    { ADMIN,   "credentials remove-ssh-key", "VM", 1, 1, remove_ssh_key_flags, run_remove_ssh_key, .summary = "Take an SSH key back." },
    { ADMIN,   "credentials set-password",   "VM", 1, 1, set_password_flags,   run_set_password,   .summary = "Change the password of a user of the guest." },
    { ADMIN,   "adm log-verbosity", "",            0, 0, log_verbosity_flags, run_log_verbosity, .summary = "Show or set how much the components log." },

    { OTHER,   "completion",  "bash|zsh|fish", 1, 1, NULL,           run_completion,  .summary = "Print a script that completes commands in a shell.", .traits = WITHOUT_CLUSTER },
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
