/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Completion: `__complete WORDS...` (and the program under the name kubectl_complete-virt, which
 * kubectl calls) prints what the last word may become, a line each with a description after a tab,
 * then ":4", or ":0" where a file name is meant: the protocol of kubectl's own completion.
 * Failures are silent: nothing is offered then.
 */
#ifndef CLI_COMPLETE_H
#define CLI_COMPLETE_H

#include "cli/cli.h"

enum { COMPLETE_TIMEOUT_MS = 2500 /* a shell waits for it */ };

/* Is the program called to complete?  The words then begin at the result; 0 when it is not. */
int complete_is_asked(int argc, char **argv);

/* argv[0] is the program, the last one the word to complete.  The exit status. */
int complete_run(struct cli *c, int argc, char **argv);

#endif
