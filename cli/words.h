/* SPDX-License-Identifier: Apache-2.0 */
/* Which command a command line means.  Flags may stand anywhere between its words.  Pure. */
#ifndef CLI_WORDS_H
#define CLI_WORDS_H

#include "cli/cli.h"

enum { COMMAND_WORDS_MAX = 2 };

struct words {
    const struct command *command; /* NULL: none of that name */
    const char *group;             /* a word that only begins commands ("create"), or "" */
    const char *unknown;           /* the word that is no command; NULL when there is none */
};

/* Look at argv[1..argc) and take the command's words out of it; *argc becomes less. */
struct words words_take(int *argc, char **argv);

/* The command of exactly this name ("create vm"), or NULL. */
const struct command *command_find(const char *name);
/* Do commands begin with this word and another ("create")? */
bool command_is_group(const char *word);

/*
 * The command that was probably meant by the word, within the group ("" for none); NULL when
 * nothing is near.
 */
const struct command *command_near(const char *group, const char *word);

/* Is this one of upstream's commands that cvirt does not have yet? */
bool command_is_missing(const char *word);

#endif
