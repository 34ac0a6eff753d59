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

command_fn run_console; /* console.c */
command_fn run_vnc;     /* vnc.c */
command_fn run_version; /* version.c */

command_fn run_preset_preview; /* preset.c */

/* help.c */
command_fn run_help;
command_fn run_options;
command_fn run_man;

extern const struct option start_flags[], stop_flags[], pause_flags[], console_flags[], vnc_flags[],
    version_flags[], preset_flags[];

/*
 * After a failure: tell when client and server differ in their minor version, on
 * stderr (spec 06, section 1.3).
 */
void version_compare(struct cli *c);

#endif
