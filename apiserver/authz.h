/* SPDX-License-Identifier: Apache-2.0 */
/*
 * May this caller do that?  A SubjectAccessReview, remembered for ten seconds
 * either way (as Kubernetes' generic servers do).  Any thread; only
 * authz_review blocks.
 */
#ifndef APISERVER_AUTHZ_H
#define APISERVER_AUTHZ_H

#include "apiserver/caller.h"
#include "base/clock.h"
#include "base/error.h"
#include "subresources/routes.h"

struct authz;
struct kube;

struct authz *authz_new(struct kube *k, const struct clock *clock);
void authz_free(struct authz *a);

/* The review of a request: a new SubjectAccessReview spec.  Pure. */
json_t *authz_spec(const struct caller *who, const struct route_match *what);
/* The same of any resourceAttributes, which are taken. */
json_t *authz_spec_of(const struct caller *who, json_t *attributes);

enum authz_answer { AUTHZ_ALLOWED, AUTHZ_DENIED, AUTHZ_UNKNOWN };

/* From memory.  AUTHZ_DENIED fills *e (ERR_FORBIDDEN). */
enum authz_answer authz_recall(struct authz *a, const json_t *spec, struct error *e);

/* Ask the API server.  0 allowed; -ERR_FORBIDDEN with the reason; -ERR_UNAVAILABLE when it cannot
 * be asked. */
int authz_review(struct authz *a, const json_t *spec, struct error *e);

/* From memory or by asking: as authz_review. */
int authz_decide(struct authz *a, const json_t *spec, struct error *e);

#endif
