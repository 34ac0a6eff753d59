/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a VirtualMachine's run strategy asks for now: pure functions of the
 * machine, its instance and the time.  The VM controller acts on the answer.
 * Any thread.
 */
#ifndef CONTROLLER_VM_DECIDE_H
#define CONTROLLER_VM_DECIDE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

enum run_strategy {
    STRATEGY_HALTED,
    STRATEGY_ALWAYS,
    STRATEGY_RERUN_ON_FAILURE,
    STRATEGY_MANUAL,
    STRATEGY_ONCE,
    STRATEGY_WAIT_AS_RECEIVER,
};

/* spec.runStrategy, else spec.running; a strategy that is not known counts as Halted without acting
 * on it. */
enum run_strategy vm_strategy(const json_t *vm);
const char *run_strategy_name(enum run_strategy s);

/* First of status.stateChangeRequests, or NULL: the only one that counts. */
const json_t *vm_first_request(const json_t *vm);

enum vm_action {
    VM_KEEP, /* nothing to do */
    VM_WAIT, /* something is under way, or back-off: come back after wait_ms (0: an event will tell)
              */
    VM_START,      /* create the instance */
    VM_STOP,       /* delete the instance */
    VM_SET_ALWAYS, /* a start request turns a halted machine on */
    VM_RELEASE,    /* being deleted and nothing is left: take the finalizer off */
};

struct vm_decision {
    enum vm_action action;
    int64_t wait_ms;        /* with VM_WAIT */
    bool wants_start_after; /* with VM_STOP: queue a Start request for what follows */
    bool starts_paused;     /* with VM_START */
};

/* `vmi` is the machine's own instance or NULL. */
struct vm_decision vm_decide(const json_t *vm, const json_t *vmi, int64_t now_ms);

/*
 * What becomes of status.startFailure and status.stateChangeRequests in
 * `status` (the machine's status, a copy that is changed): failed starts are
 * counted once an instance, requests that are fulfilled are dropped.
 * `jitter` is 0..1.
 */
void vm_count_start_failure(json_t *status, const json_t *vm, const json_t *vmi, int64_t now_ms,
                            double jitter);
void vm_drop_done_requests(json_t *status, const json_t *vmi);

/* ms until a machine whose starts fail may start again; 0: now. */
int64_t vm_backoff_left_ms(const json_t *vm, int64_t now_ms);

#endif
