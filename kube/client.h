/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calls to the API server.  Each blocks; any thread.  Status errors become
 * struct error with the server's code and message.  Objects passed in are
 * borrowed, objects returned are new references.
 */
#ifndef KUBE_CLIENT_H
#define KUBE_CLIENT_H

#include <jansson.h>
#include <stdint.h>

#include "base/error.h"
#include "kube/config.h"
#include "kube/kind.h"

struct kube; /* a client of one API server; shared by all threads */

struct kube *kube_new(struct kube_config *config /* borrowed, outlives it */);
void kube_free(struct kube *k);
struct kube_config *kube_peek_config(struct kube *k);
struct http_client *kube_peek_http(struct kube *k);
/* Calls wait so that no more than this is sent; 0 is no limit (the default).  Watches and lists of
 * informers pass. */
void kube_set_limits(struct kube *k, double per_second, double burst);
/* Every call gives up after this long; 0 is 30 s (the default).  Before the client is shared. */
void kube_set_timeout(struct kube *k, int64_t timeout_ms);

enum {
    KUBE_PAGE = 500,
    KUBE_RETRIES_MAX = 3,       /* after 429 or 5xx that come with Retry-After */
    KUBE_RETRY_AFTER_MAX_S = 5, /* what is waited at most before each */
    KUBE_ANSWER_MAX = 64 * 1024 * 1024,
};

enum kube_patch { KUBE_PATCH_JSON, KUBE_PATCH_MERGE, KUBE_PATCH_STRATEGIC, KUBE_PATCH_APPLY };

/* The path of a kind, object or subresource; ns/name/sub may be NULL.  New string, escaped. */
char *kube_path(const struct kube_kind *kind, const char *ns, const char *name, const char *sub);

/*
 * ret may be NULL where the answer is not wanted.  All of them: -ERR_UNAVAILABLE when the server
 * cannot be reached or something before it answered (never -ERR_NOT_FOUND, which is the API
 * server's own word only), -ERR_TIMEOUT, else the code and message of the Status.
 */
int kube_get(struct kube *k, const struct kube_kind *kind, const char *ns, const char *name,
             json_t **ret, struct error *e);
/* All pages (500 a page).  query: extra "labelSelector=..&fieldSelector=.." already escaped, or
 * NULL.  *ret is the items array. */
int kube_list(struct kube *k, const struct kube_kind *kind, const char *ns, const char *query,
              json_t **ret, struct error *e);
/* Namespace and name are the object's own metadata. */
int kube_create(struct kube *k, const struct kube_kind *kind, const json_t *obj, json_t **ret,
                struct error *e);
int kube_create_sub(struct kube *k, const struct kube_kind *kind, const char *ns, const char *name,
                    const char *sub, const json_t *body, json_t **ret, struct error *e);
int kube_update(struct kube *k, const struct kube_kind *kind,
                const char *sub /* NULL or "status" */, const json_t *obj, json_t **ret,
                struct error *e);
int kube_patch(struct kube *k, const struct kube_kind *kind, const char *ns, const char *name,
               const char *sub, enum kube_patch type, const json_t *patch,
               const char *query /* "dryRun=All", "fieldManager=x&force=true" or NULL */,
               json_t **ret, struct error *e);
/* options (DeleteOptions: gracePeriodSeconds, preconditions.uid, propagationPolicy) may be NULL. */
int kube_delete(struct kube *k, const struct kube_kind *kind, const char *ns, const char *name,
                const json_t *options, struct error *e);
/* Any other request: body may be NULL. *ret_status may be NULL. */
int kube_raw(struct kube *k, enum http_method method, const char *path, const json_t *body,
             json_t **ret, struct error *e);

#endif
