/* SPDX-License-Identifier: Apache-2.0 */
/* "May I?" of the page on direct access: a SelfSubjectAccessReview about machines. */
#ifndef APISERVER_SELF_REVIEW_H
#define APISERVER_SELF_REVIEW_H

#include "apiserver/authz.h"
#include "apiserver/caller.h"
#include "http/server.h"

enum { SELF_REVIEW_BODY_MAX = 8 * 1024 };

/*
 * The answer to the body of a SelfSubjectAccessReview, new, in the form of the API server's.  Only
 * resourceAttributes of kubevirt.io and subresources.kubevirt.io are answered.  The bearer of a
 * link is answered for its machine, also where no name is given.  On a worker thread.
 * -ERR_BAD_REQUEST, -ERR_UNAVAILABLE; "no" is an answer.
 */
int self_review(struct authz *a, const struct caller *who, const struct http_call *c, json_t **ret,
                struct error *e);

#endif
