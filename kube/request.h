/* SPDX-License-Identifier: Apache-2.0 */
/* Inside kube/: one request as the public calls make it, and what is counted of each. */
#ifndef KUBE_REQUEST_H
#define KUBE_REQUEST_H

#include <jansson.h>
#include <stdint.h>

#include "kube/client.h"

struct kube_request {
    enum http_method method;
    const char *path;
    const json_t *body;       /* NULL: none */
    const char *content_type; /* NULL: application/json */
    int64_t timeout_ms;       /* 0: the client's */
    bool is_urgent; /* an old answer is of no use: no retries, no waiting for the rate limit */
};

/* *ret may be NULL.  Retries where the server asks for it, and once with fresh credentials after a
 * 401. */
int kube_do(struct kube *k, const struct kube_request *q, json_t **ret, struct error *e);

/*
 * Turn an answer of 400 or more into *e: code and message of the Status.  A 404 that is no Status
 * of an API server becomes -ERR_UNAVAILABLE: whoever said it does not know the object.
 */
int kube_status_error(int status, const char *body, size_t len, struct error *e);

/* The server said something sensible just now, and when (monotonic ms, 0: never) it last did. */
void kube_note_answer(struct kube *k);
int64_t kube_answered_ms(const struct kube *k);

/* apiVersion and kind, where a list left them out. */
void kube_stamp(json_t *obj, const struct kube_kind *kind);

/* The collection's path with "limit=..&continue=.." or a watch's parameters after it.  New. */
char *kube_list_path(const struct kube_kind *kind, const char *ns, const char *query, size_t limit,
                     const char *continue_token);

/* kubevirt_rest_client_*: status 0 is a failure of transport.  `path` as sent, query included. */
void rest_measure(enum http_method method, const char *server, const char *path, int status,
                  double seconds);
void rest_measure_limiter(enum http_method method, const char *server, const char *path,
                          double seconds);

#endif
