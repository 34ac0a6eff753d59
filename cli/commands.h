/* SPDX-License-Identifier: Apache-2.0 */
/* The commands, by the file that implements them. */
#ifndef CLI_COMMANDS_H
#define CLI_COMMANDS_H

#include "cli/cli.h"

/* power.c */
command_fn run_start;
command_fn run_stop;
command_fn run_restart;
command_fn run_pause;
command_fn run_unpause;
command_fn run_soft_reboot;
command_fn run_reset;

/* guest.c */
command_fn run_guestosinfo;
command_fn run_userlist;
command_fn run_fslist;

command_fn run_console;        /* console.c */
command_fn run_port_forward;   /* portforward.c */
command_fn run_scp, run_ssh;   /* ssh.c */
command_fn run_usbredir;       /* usbredir.c */
command_fn run_vnc;            /* vnc.c */
command_fn run_vnc_screenshot; /* screenshot.c */
command_fn run_version;        /* version.c */

command_fn run_preset_preview; /* preset.c */

/* help.c */
command_fn run_help;
command_fn run_options;
command_fn run_man;

/* Rows that several commands share. */
#define DRY_RUN_FLAG                                                                      \
    {                                                                                     \
        "dry-run", 0, OPTION_BOOL, FLAG(is_dry_run),                                      \
            .dflt = "false", .help = "Let the server check the request without doing it." \
    }

/* expand.c */
command_fn run_expand;
command_fn run_objectgraph;
command_fn run_permitted_devices;

/* migrate.c */
command_fn run_migrate;
command_fn run_migrate_cancel;
command_fn run_evacuate_cancel;

/* volumes.c */
command_fn run_addvolume;
command_fn run_removevolume;

command_fn run_expose;        /* expose.c */
command_fn run_log_verbosity; /* log_verbosity.c */

/* credentials.c */
command_fn run_add_ssh_key;
command_fn run_remove_ssh_key;
command_fn run_set_password;

command_fn run_create_vm; /* create_vm.c */

/* create_type.c */
command_fn run_create_instancetype;
command_fn run_create_preference;

command_fn run_create_clone; /* create_clone.c */

command_fn run_completion; /* completion.c */

extern const struct option dry_run_flags[], expand_flags[], objectgraph_flags[], migrate_flags[],
    addvolume_flags[], removevolume_flags[], expose_flags[], log_verbosity_flags[],
    add_ssh_key_flags[], remove_ssh_key_flags[], set_password_flags[], create_vm_flags[],
    create_instancetype_flags[], create_preference_flags[], create_clone_flags[], guest_flags[];
extern const struct option start_flags[], stop_flags[], pause_flags[], console_flags[], vnc_flags[],
    version_flags[], preset_flags[], port_forward_flags[], ssh_flags[], scp_flags[],
    usbredir_flags[], screenshot_flags[];

/*
 * After a failure: tell when client and server differ in their minor version, on
 * stderr (spec 06, section 1.3).
 */
void version_compare(struct cli *c);

#endif
