/* SPDX-License-Identifier: Apache-2.0 */
/* What the stores keep of each kind, and the indexes that are not ready-made.  Pure; any thread. */
#ifndef CONTROLLER_TRIM_H
#define CONTROLLER_TRIM_H

#include <jansson.h>

/* Kinds of our own: everything but kubectl's copy of the last manifest. */
void trim_own(json_t *obj);
/* Only who it is. */
void trim_identity(json_t *obj);
/* A pod: who it is, where it runs, how it fares. */
void trim_pod(json_t *pod);
/* A node: its heartbeat and whether it takes machines. */
void trim_node(json_t *node);

/* status.nodeName; "namespace" of what nobody controls.  New strings or NULL. */
char *index_vmi_by_node(const json_t *vmi);
char *index_orphan_by_namespace(const json_t *obj);

#endif
