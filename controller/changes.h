/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writing what has changed and nothing else: a merge patch of the difference
 * that carries the resourceVersion it was made from, so that the API server
 * refuses it (409) when somebody else was faster.  Blocks; any worker.
 */
#ifndef CONTROLLER_CHANGES_H
#define CONTROLLER_CHANGES_H

#include <jansson.h>

#include "kube/client.h"

/* The patch, or NULL when there is nothing to write.  Only metadata.{labels,annotations,finalizers,
 * ownerReferences}, spec and status are compared; with `sub` "status" only the status. */
json_t *changes_patch(const json_t *before, const json_t *after, const char *sub);

/*
 * 1 written, 0 nothing to write, -code.  *ret (may be NULL) is the new object
 * when written.  An object that is gone by then counts as written.
 */
int changes_write(struct kube *k, const struct kube_kind *kind, const char *sub,
                  const json_t *before, const json_t *after, json_t **ret, struct error *e);

/* Delete exactly this object (by UID).  Gone already is success: 1 when it was, 0 when it has been
 * asked for.  grace_s < 0: the object's own grace period. */
int delete_exactly(struct kube *k, const struct kube_kind *kind, const json_t *obj, int grace_s,
                   struct error *e);

/* Take finalizers off in `obj` (a copy of the caller's); true when one was there. */
bool finalizer_remove(json_t *obj, const char *finalizer);

#endif
