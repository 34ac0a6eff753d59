/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A VirtualMachine's status as a pure function of the machine, its instance and
 * what the controller has just done or failed to do.  Any thread.
 */
#ifndef CONTROLLER_VM_STATUS_H
#define CONTROLLER_VM_STATUS_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

struct vm_outcome {
    bool is_stopping;         /* the instance's deletion was asked for */
    bool holds_strategy;      /* the strategy is not yet carried out: status.runStrategy stays */
    bool queues_start;        /* add a Start request */
    bool clears_restart;      /* a start or stop made RestartRequired pointless */
    bool wants_restart;       /* the template no longer is what the instance was started from */
    const char *fault_reason; /* of condition Failure; NULL: none */
    const char *fault_message;
};

/* First match of the table of sheet rules; a constant string. */
const char *vm_printable_status(const json_t *vm, const json_t *vmi,
                                const struct vm_outcome *outcome);

/* The status to be: a new object.  Equal to vm.status when nothing is to be written. */
json_t *vm_next_status(const json_t *vm, const json_t *vmi, const struct vm_outcome *outcome,
                       int64_t now_ms, double jitter);

#endif
