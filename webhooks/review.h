/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One admission review while it is decided.  Lives on the stack of the loop
 * thread that received it.  Everything borrowed is from the request's JSON.
 */
#ifndef WEBHOOKS_REVIEW_H
#define WEBHOOKS_REVIEW_H

#include <jansson.h>
#include <stdbool.h>

#include "base/error.h"
#include "kube/cluster_config.h"
#include "openapi/findings.h"
#include "openapi/kinds.h"

struct buf;
struct kube;
struct presets;
struct kube_kind;

/* An object of a kind as the stores have it, by "ns/name" or "name": a new reference, or NULL. */
typedef json_t *stored_fn(void *ctx, const struct kube_kind *kind, const char *key);

struct review {
    /* What is asked */
    const json_t *request; /* AdmissionReview.request */
    const char *uid;
    const char *operation; /* CREATE, UPDATE, DELETE */
    const char *namespace;
    const char *user;     /* userInfo.username */
    const json_t *object; /* NULL when absent: a deletion has only oldObject */
    const json_t *old;    /* oldObject, NULL when absent */
    bool is_create, is_update, is_delete;
    bool is_status; /* of the status subresource */
    bool is_dry_run;
    bool is_own_account; /* one of the installation's service accounts */

    /* What it is decided by */
    const struct kind *kind;
    const struct cluster_config *config;
    struct presets *presets;
    stored_fn *stored; /* instance types and preferences; NULL: there are none */
    void *stored_ctx;
    struct kube *kube;        /* for those that ask the API server, else NULL */
    bool takes_deletion;      /* set before review_read: DELETE is reviewed as well */
    const char *installation; /* namespace of the installation */

    /* The outcome: refused when findings_any() or denied.code */
    struct findings findings; /* 422 with causes */
    struct error denied;      /* any other refusal */
    json_t *changed;          /* mutators: the new object, owned; NULL: unchanged */
    json_t *warnings;         /* array of strings or NULL, owned */
};

void review_warn(struct review *rv, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Is an update's object different from the old one at this path?  Both may lack it. */
bool review_is_changed(const struct review *rv, const char *path);

/* Has the outcome been decided against the object? */
static inline bool review_is_refused(const struct review *rv)
{
    return rv->denied.code != ERR_NONE || findings_any(&rv->findings);
}

/*
 * Read the request part of an AdmissionReview (borrowed) into *rv and check what every
 * webhook asks for: uid, operation, an object of kind `kind`.  -ERR_BAD_REQUEST otherwise.
 */
int review_read(struct review *rv, const json_t *body, const struct kind *kind, struct error *e);
/* Append the AdmissionReview to answer with, as JSON text. */
void review_answer(const struct review *rv, const json_t *body, struct buf *out);
void review_done(struct review *rv);

/* A webhook's decision: look at rv, fill the outcome. */
typedef void review_fn(struct review *rv);

#endif
