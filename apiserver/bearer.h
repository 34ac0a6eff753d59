/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a request of direct access shows of itself in its headers: a bearer token, an
 * origin.  Pure; any thread.
 */
#ifndef APISERVER_BEARER_H
#define APISERVER_BEARER_H

#include "base/error.h"
#include "base/options.h"
#include "http/message.h"

enum { BEARER_MAX = 16 * 1024 };

/*
 * The token of "Authorization: Bearer T"; else, of a websocket's handshake, that of the protocol
 * base64url.bearer.authorization.k8s.io.T64, by the rules of kube-apiserver: one of them, and
 * another protocol beside it that can be answered with.  1 with a new text (wipe it: http/token.h),
 * 0 without any, -ERR_UNAUTHORIZED for a malformed one.
 */
int bearer_read(const struct http_headers *headers, char **ret, struct error *e);

/* -ERR_BAD_REQUEST when the request asks to act as somebody else: only kube-apiserver does that. */
int bearer_refuse_impersonation(const struct http_headers *headers, struct error *e);

/*
 * A browser's request must come from a page of the host that it asks (https, same host and port),
 * or from one of `allowed` ("https://host[:port]").  0 also without Origin; -ERR_FORBIDDEN.
 */
int origin_check(const struct http_headers *headers, const struct option_list *allowed,
                 struct error *e);
/* The request's Origin when it is one of `allowed`, else NULL.  Borrowed. */
const char *origin_of_friend(const struct http_headers *headers, const struct option_list *allowed);

#endif
