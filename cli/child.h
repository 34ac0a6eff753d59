/* SPDX-License-Identifier: Apache-2.0 */
/* Other programs of the user's: viewers, ssh, usbredirect, browsers.  Found in PATH. */
#ifndef CLI_CHILD_H
#define CLI_CHILD_H

#include <sys/types.h>

#include "base/error.h"

/* Start argv[0] with our stdio and signals as the shell gave them.  -ERR_NOT_FOUND when there is no
 * such program. */
int child_start(pid_t *ret, char *const argv[], struct error *e);

/* Wait for it.  0, or -ERR_INTERNAL with "exit status N" or "signal: NAME". */
int child_wait(pid_t pid, struct error *e);

/* Both; Ctrl-C is the child's while it runs. */
int child_run(char *const argv[], struct error *e);

#endif
