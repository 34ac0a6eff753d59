/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Direct access: requests that come through virt-api's own Service or an Ingress, not
 * through kube-apiserver (docs/STREAMS.md).  Here is decided who they come from; what
 * that caller may do is asked as for everybody (authz.h).
 *
 * A loop recognises a caller from memory (or by a ticket's seal); a token that is new is
 * asked about on a few threads of our own, with a short queue: people whom nobody
 * knows can neither flood the API server nor keep the workers from those who are known.
 */
#ifndef APISERVER_DIRECT_H
#define APISERVER_DIRECT_H

#include "apiserver/caller.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/options.h"
#include "base/pool.h"
#include "http/server.h"

struct direct;
struct kube;

struct direct_options {
    struct kube *kube;
    const struct clock *clock;
    struct tls_keys *keys;                     /* of the tickets: the serving pair; referenced */
    const struct option_list *allowed_origins; /* borrowed, outlives it */
};

struct direct *direct_new(const struct direct_options *o);
void direct_stop(struct direct *d); /* what is queued is run; nothing more is taken */
void direct_free(struct direct *d); /* after direct_stop; NULL is allowed */

/*
 * On the loop, for every request of direct access: let pages of the allowed origins read the
 * answer (CORS).  True when it was only the browser asking beforehand: it has been answered.
 */
bool direct_share(struct direct *d, struct http_call *c);

/*
 * On the loop.  1 and a caller; 0 and a token (new; token_wipe it) that has to be asked about;
 * -ERR_FORBIDDEN for a foreign origin, -ERR_UNAUTHORIZED, -ERR_BAD_REQUEST with the reason.
 */
int direct_recognise(struct direct *d, const struct http_call *c, struct caller *ret,
                     char **ret_token, struct error *e);

/* Run a job that may call direct_ask; false when too many wait already (429). */
bool direct_queue(struct direct *d, pool_fn *fn, void *arg);
/* In such a job: as tokens_review (tokens.h). */
int direct_ask(struct direct *d, const char *token, struct caller *ret, struct error *e);

#endif
