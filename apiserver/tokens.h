/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whose is this bearer token?  A TokenReview, remembered for ten seconds either way (as
 * Kubernetes' own delegating servers do), under a digest of the token with a key of this process:
 * the token itself is not kept.  Any thread; only tokens_review blocks.
 */
#ifndef APISERVER_TOKENS_H
#define APISERVER_TOKENS_H

#include "apiserver/caller.h"
#include "base/clock.h"
#include "base/error.h"

struct tokens;
struct kube;

struct tokens *tokens_new(struct kube *k, const struct clock *clock);
void tokens_free(struct tokens *t);

/*
 * From memory: 1 and a new caller, 0 when it is not known, -ERR_UNAUTHORIZED when it was
 * refused.
 */
int tokens_recall(struct tokens *t, const char *token, struct caller *ret, struct error *e);

/*
 * Ask the API server, unless the answer has come meanwhile.  0 and a new caller;
 * -ERR_UNAUTHORIZED when it does not know the token; -ERR_UNAVAILABLE when it cannot be asked,
 * which is never taken for a refusal.
 */
int tokens_review(struct tokens *t, const char *token, struct caller *ret, struct error *e);

#endif
