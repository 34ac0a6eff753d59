/* SPDX-License-Identifier: Apache-2.0 */
/*
 * virt-probe: what the kubelet runs in the compute container for a probe of the
 * guest.  One call of the launcher's API, waited for, turned into an exit code.
 */
#ifndef LAUNCHER_PROBE_H
#define LAUNCHER_PROBE_H

#include <stdbool.h>
#include <stdio.h>

#include "base/error.h"
#include "base/options.h"

struct probe {
    const char *socket, *domain, *command;
    bool is_ping;
    long long timeout_seconds;
    struct option_list args; /* behind "--" */
};

/*
 * The command line (spec 05, section 3.1): texts point into argv.  OPTIONS_DONE, 0, or
 * -ERR_BAD_REQUEST: also without exactly one of --guestAgentPing and --command.
 */
int probe_parse(struct probe *ret, int argc, char **argv, struct error *e);

/*
 * Ask, for at most the timeout and half a second.  The guest command's exit code (1..255 when it is
 * not 0, whatever the guest says), with what it wrote on `out` and `err`; 0 for a ping that was
 * answered.  -code when it was not answered, or the launcher refused.
 */
int probe_run(const struct probe *p, FILE *out, FILE *err, struct error *e);

#endif
