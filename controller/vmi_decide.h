/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The life of an instance up to the hand-over to its node, and its end: pure
 * functions of the instance and its pod.  From Scheduled to a final phase the
 * instance belongs to virt-handler.  Any thread.
 */
#ifndef CONTROLLER_VMI_DECIDE_H
#define CONTROLLER_VMI_DECIDE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

/* The newest pod; once the instance is on a node, the newest one there.  Borrowed, NULL without
 * one. */
const json_t *vmi_current_pod(const json_t *vmi, const json_t *pods);

bool pod_is_down(const json_t *pod); /* ended, ending, or its compute container has ended */
bool pod_is_ready_to_hand_over(const json_t *pod);
/* A process of it may still run: not ended, and not every container has. */
bool pod_is_alive(const json_t *pod);

enum vmi_action { VMI_KEEP, VMI_CREATE_POD, VMI_DELETE_PODS };

enum vmi_action vmi_decide(const json_t *vmi, const json_t *pods);

struct vmi_view {
    const json_t *vmi;
    const json_t *pod;        /* current, or NULL */
    bool has_pods;            /* any pod of it is left, in whatever state */
    uint32_t vsock_cid;       /* to be given to it now; 0: none */
    bool owner_is_gone;       /* the VirtualMachine that controlled it does not exist any more */
    const char *fault_reason; /* of this round; NULL: none */
    const char *fault_message;
};

/* The instance to be: a new object.  Equal to `vmi` when nothing is to be written. */
json_t *vmi_next(const struct vmi_view *v, int64_t now_ms);

/* Does `after` end the instance because its pod is not there?  Then the pod's absence must be
 * proven first. */
bool vmi_ends_for_want_of_pod(const json_t *before, const json_t *after, const json_t *pod);

/*
 * What the pod must be told: its readiness gate (the guest is not paused) and
 * the labels that follow the instance.  A strategic merge patch for pods/status, or NULL.
 */
json_t *pod_patch_for(const json_t *vmi, const json_t *pod, int64_t now_ms);

#endif
