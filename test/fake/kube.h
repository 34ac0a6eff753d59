/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A kube-apiserver for unit tests: objects in memory, served over http/ on
 * 127.0.0.1, any group and kind.  Lists in pages, watches with bookmarks,
 * optimistic locking, finalizers, selectors (equality), status subresource,
 * merge and JSON patches; and the faults that a real one does not produce on
 * demand.  No authentication, no schema.  Any thread.
 */
#ifndef TEST_FAKE_KUBE_H
#define TEST_FAKE_KUBE_H

#include <jansson.h>
#include <stddef.h>

#include "kube/client.h"

struct fake_kube;

struct fake_kube *fake_kube_start(void);
void fake_kube_free(struct fake_kube *f);

const char *fake_kube_url(const struct fake_kube *f);
/* A client of it; lives as long as the fake. */
struct kube *fake_kube_client(struct fake_kube *f);

/* ---- what somebody else does to the cluster; watchers hear of it ---- */

/* Create or replace; `obj` is stolen.  The new resourceVersion. */
long long fake_kube_put(struct fake_kube *f, const struct kube_kind *kind, json_t *obj);
/* Gone at once, finalizers or not. */
void fake_kube_remove(struct fake_kube *f, const struct kube_kind *kind, const char *ns,
                      const char *name);
/* New references; NULL when absent. */
json_t *fake_kube_get(struct fake_kube *f, const struct kube_kind *kind, const char *ns,
                      const char *name);
json_t *fake_kube_list(struct fake_kube *f, const struct kube_kind *kind);

/* SubjectAccessReviews are allowed, or denied with this reason from now on (NULL: allowed again).
 */
void fake_kube_deny(struct fake_kube *f, const char *reason);
/* The only user that SubjectAccessReviews are denied to then; NULL: everybody. */
void fake_kube_deny_user(struct fake_kube *f, const char *user);

/* TokenReviews know this token as that user's from now on; `user` (a UserInfo) is stolen. */
void fake_kube_token(struct fake_kube *f, const char *token, json_t *user);

/* ---- faults ---- */

enum { FAKE_KUBE_HANG = 0 }; /* as a status: no answer until fake_kube_release */

/*
 * The next `times` requests (-1: all) whose "METHOD /path?query" contains `match` are answered with
 * this status (a Status object; reason from the code).  retry_after_s >= 0 adds the header.
 */
void fake_kube_fail(struct fake_kube *f, const char *match, int status, int times,
                    int retry_after_s);
void fake_kube_heal(struct fake_kube *f);    /* forget all of these */
void fake_kube_release(struct fake_kube *f); /* let the hanging go on as if nothing had been */

void fake_kube_compact(struct fake_kube *f);      /* older versions answer 410 from now on */
void fake_kube_drop_watches(struct fake_kube *f); /* end every open one */
void fake_kube_bookmark(struct fake_kube *f);     /* one to every open watch that allows it */
/* An event of this text to every open watch. */
void fake_kube_send_line(struct fake_kube *f, const char *line);

/* Nobody listens until it is started again, on the same port. */
void fake_kube_down(struct fake_kube *f);
void fake_kube_up(struct fake_kube *f);

/* ---- what was asked ---- */

/* How many requests so far contain `match` in "METHOD /path?query". */
size_t fake_kube_asked(struct fake_kube *f, const char *match);
/* The last such request's "METHOD /path?query" (new) or NULL, and its body (new, may be NULL). */
char *fake_kube_last(struct fake_kube *f, const char *match, json_t **ret_body);
size_t fake_kube_watches(struct fake_kube *f); /* open now */

/* For what must come: long, since a busy machine under a sanitizer is slow. */
enum { FAKE_PATIENCE_MS = 30 * 1000 };
/* Wait until a condition holds, for tests: true when `fn(ctx)` became true within timeout_ms. */
bool fake_wait(bool (*fn)(void *ctx), void *ctx, int timeout_ms);

#endif
