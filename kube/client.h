/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calls to the API server.  Each blocks; any thread.  Status errors become
 * struct error with the server's code and message.  Objects passed in are
 * borrowed, objects returned are new references.
 */
#ifndef KUBE_CLIENT_H
#define KUBE_CLIENT_H

#include <jansson.h>

#include "base/error.h"
#include "kube/config.h"
#include "kube/kind.h"

struct kube; /* a client of one API server; shared by all threads */

struct kube *kube_new(struct kube_config *config /* borrowed, outlives it */);
void kube_free(struct kube *k);
struct kube_config *kube_peek_config(struct kube *k);
struct http_client *kube_peek_http(struct kube *k);

enum kube_patch { KUBE_PATCH_JSON, KUBE_PATCH_MERGE, KUBE_PATCH_STRATEGIC, KUBE_PATCH_APPLY };

/* The path of a kind, object or subresource; ns/name/sub may be NULL.  New string, escaped. */
char *kube_path(const struct kube_kind *kind, const char *ns, const char *name, const char *sub);

/* ret may be NULL where the answer is not wanted. */
int kube_get(struct kube *k, const struct kube_kind *kind, const char *ns, const char *name,
             json_t **ret, struct error *e);
/* All pages (500 a page).  query: extra "labelSelector=..&fieldSelector=.." already escaped, or NULL.  *ret is the items array. */
int kube_list(struct kube *k, const struct kube_kind *kind, const char *ns, const char *query,
              json_t **ret, struct error *e);
/* Namespace and name are the object's own metadata. */
int kube_create(struct kube *k, const struct kube_kind *kind, const json_t *obj, json_t **ret,
                struct error *e);
int kube_create_sub(struct kube *k, const struct kube_kind *kind, const char *ns, const char *name,
                    const char *sub, const json_t *body, json_t **ret, struct error *e);
int kube_update(struct kube *k, const struct kube_kind *kind, const char *sub /* NULL or "status" */,
                const json_t *obj, json_t **ret, struct error *e);
int kube_patch(struct kube *k, const struct kube_kind *kind, const char *ns, const char *name,
               const char *sub, enum kube_patch type, const json_t *patch,
               const char *query /* "dryRun=All", "fieldManager=x&force=true" or NULL */, json_t **ret,
               struct error *e);
/* options (DeleteOptions: gracePeriodSeconds, preconditions.uid, propagationPolicy) may be NULL. */
int kube_delete(struct kube *k, const struct kube_kind *kind, const char *ns, const char *name,
                const json_t *options, struct error *e);
/* Any other request: body may be NULL. *ret_status may be NULL. */
int kube_raw(struct kube *k, enum http_method method, const char *path, const json_t *body,
             json_t **ret, struct error *e);

#endif
