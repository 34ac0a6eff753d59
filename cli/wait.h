/* SPDX-License-Identifier: Apache-2.0 */
/*
 * --wait: a command returns when the machine has reached what it was asked for.  Progress goes to
 * stderr: one line that changes on a terminal, a line for each state otherwise.  Ctrl+C ends the
 * wait, not what was asked for; the exit status is then 130.
 */
#ifndef CLI_WAIT_H
#define CLI_WAIT_H

#include <jansson.h>

#include "cli/cli.h"

enum wait_kind {
    WAIT_RUNNING,
    WAIT_STOPPED,
    WAIT_RESTARTED, /* another instance runs */
    WAIT_PAUSED,
    WAIT_UNPAUSED,
    WAIT_MIGRATED, /* a migration that began after wait_begin succeeded */
};

struct wait {
    enum wait_kind kind;
    const char *name;
    char before[64]; /* of the instance (its UID) or the last migration, before the request */
};

/* Look at the machine before the request.  Nothing without --wait. */
int wait_begin(struct wait *w, struct cli *c, struct error *e);

/* -ERR_TIMEOUT after --timeout; the machine's own words when it cannot get there. */
int wait_for(const struct wait *w, struct cli *c, struct error *e);

enum wait_state { WAIT_GOES_ON, WAIT_REACHED, WAIT_FAILED };

/*
 * Where is it?  vmi is NULL when there is no instance, vm when there is no VM.  *ret_text (borrowed
 * from the objects) is its state in a word or the reason of the failure.  Pure.
 */
enum wait_state wait_decide(const struct wait *w, const json_t *vm, const json_t *vmi,
                            const char **ret_text);

#define WAIT_FLAGS                                                                                   \
    {                                                                                                \
        "wait",          0,                                                                          \
        OPTION_BOOL,     FLAG(wait.is_wanted),                                                       \
        .dflt = "false", .help = "Return when the machine is there, not when the request was taken." \
    },                                                                                               \
    {                                                                                                \
        "timeout", 0, OPTION_DURATION, FLAG(wait.timeout_ms), .dflt = "5m", .arg = "DURATION",       \
                                                              .help = "How long --wait waits; "      \
                                                                      "0 is without end."            \
    }

#endif
