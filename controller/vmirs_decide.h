/* SPDX-License-Identifier: Apache-2.0 */
/* What a VirtualMachineInstanceReplicaSet asks for now: pure functions of it and its instances. Any
 * thread. */
#ifndef CONTROLLER_VMIRS_DECIDE_H
#define CONTROLLER_VMIRS_DECIDE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

enum { BURST_REPLICAS = 250 }; /* made or deleted in one round at most */

struct vmirs_plan {
    bool is_valid; /* the selector selects what the template makes; otherwise nothing is done */
    bool is_paused;
    size_t create;  /* instances to make */
    json_t *delete; /* active instances to delete: new array of shared objects */
    json_t *clear;  /* finished ones, deleted once the scale is right: new array */
    size_t active;
    size_t ready;
};

/* `vmis`: the instances it controls. */
struct vmirs_plan vmirs_decide(const json_t *rs, const json_t *vmis);
void vmirs_plan_done(struct vmirs_plan *p);

/* Not final, not deleting, and its pod is not going away. */
bool vmi_is_active(const json_t *vmi);

/* A new instance of the set with a name of its own; `suffix` makes it unique. */
json_t *vmi_from_vmirs(const json_t *rs, const char *suffix);

struct vmirs_outcome {
    const char *fault_reason; /* of condition ReplicaFailure; NULL: none */
    const char *fault_message;
};

/* The status to be: a new object. */
json_t *vmirs_next_status(const json_t *rs, const struct vmirs_plan *plan,
                          const struct vmirs_outcome *outcome, int64_t now_ms);

enum vmirs_claim { CLAIM_KEEP, CLAIM_ADOPT, CLAIM_RELEASE };
/* What becomes of an instance of the same namespace: adopted when it matches and is nobody's,
 * released when it no longer matches. */
enum vmirs_claim vmirs_claims(const json_t *rs, const json_t *vmi);

#endif
