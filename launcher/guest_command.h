/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a probe has the guest agent do: answer a ping, run a command (spec 04,
 * section 7.3).  The order comes from virt-probe, the answer from inside the
 * guest: both are bounded.  No state; any thread that may block.
 */
#ifndef LAUNCHER_GUEST_COMMAND_H
#define LAUNCHER_GUEST_COMMAND_H

#include <jansson.h>
#include <stdbool.h>

#include "base/error.h"
#include "launcher/hypervisor.h"

enum {
    GUEST_ARGS_MAX = 64,
    GUEST_COMMAND_BYTES_MAX = 64 * 1024, /* program and arguments together */
    GUEST_OUTPUT_MAX = 4096,             /* kept of each of stdout and stderr */
    GUEST_TIMEOUT_MAX_SECONDS = 3600,
};

/* Ask the agent for one thing: hypervisor_agent_ask, or a test's. */
typedef int guest_ask_fn(void *arg, const json_t *request, int timeout_seconds, json_t **ret,
                         struct error *e);

/* The order in a call's body, all borrowed from it. */
struct guest_order {
    int timeout_ms;
    const char *command; /* NULL in a ping */
    const json_t *args;  /* NULL: none */
};

/*
 * {"domainName","timeoutSeconds"} and for a command {"command","args"}.  -ERR_BAD_REQUEST;
 * -ERR_CONFLICT when another domain than `domain` is meant.
 */
int guest_order_read(struct guest_order *ret, const json_t *body, bool is_command,
                     const char *domain, struct error *e);

/* 0 when the agent answered. */
int guest_ping(const struct guest_order *o, guest_ask_fn *ask, void *arg, struct error *e);

/*
 * Run the command and wait for its end: new {"exitCode","stdout","stderr"}.  A command that a
 * signal ended has 128 and the signal.  -ERR_TIMEOUT when it still runs (and goes on) in the guest;
 * else what the agent said.
 */
int guest_run(const struct guest_order *o, guest_ask_fn *ask, void *arg, json_t **ret,
              struct error *e);

/*
 * Does a machine in this state keep still on purpose?  Its agent cannot answer, and that is no
 * fault of the guest's: a liveness probe must not end what its user paused.
 */
bool guest_is_held(const struct hypervisor_state *s);

#endif
