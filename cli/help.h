/* SPDX-License-Identifier: Apache-2.0 */
/* What is printed of the commands: lists, --help and manual pages, all from the tables. */
#ifndef CLI_HELP_H
#define CLI_HELP_H

#include "cli/cli.h"

/* What base/options.h parses and prints a command by; the texts live in the struct. */
struct command_program {
    char name[64], usage[96];
    struct option_section sections[8];
    struct option_program program;
};
void command_program(struct command_program *ret, const char *program, const struct command *c);

/* Every command by group, or those that begin with the word `group` ("create"). */
void help_list(const char *program, const char *group);

/* The examples of a command: lines that begin with two blanks and "%s" for the program; or NULL. */
const char *command_examples(const char *name);

#endif
