/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Request-header authentication as Kubernetes' extension API servers do it:
 * the CA, the allowed common names and the header names come from ConfigMap
 * kube-system/extension-apiserver-authentication, watched (spec 01, section 4;
 * spec 10, E4).  The last good value stays when the ConfigMap goes away.  Any thread.
 */
#ifndef APISERVER_FRONTPROXY_H
#define APISERVER_FRONTPROXY_H

#include "apiserver/caller.h"
#include "base/error.h"
#include "http/server.h"

struct frontproxy;
struct kube;
struct http_watcher;

/* `serving` gets the client CA whenever it changes. */
struct frontproxy *frontproxy_start(struct kube *k, struct http_watcher *w,
                                    struct tls_keys *serving);
void frontproxy_stop(struct frontproxy *f);

bool frontproxy_is_ready(const struct frontproxy *f);

/*
 * The caller that the front proxy vouches for.  -ERR_UNAUTHORIZED when the request did not come
 * through it: no certificate, a common name that is not allowed, no user header.
 */
int frontproxy_authenticate(struct frontproxy *f, const struct http_call *c, struct caller *ret,
                            struct error *e);

/* What the ConfigMap says, parsed; for tests. */
struct requestheader {
    json_t *allowed_names; /* arrays of strings, owned */
    json_t *username_headers, *uid_headers, *group_headers, *extra_prefixes;
    char *client_ca; /* PEM */
};
/* -ERR_INVALID names the key that is missing or malformed; *ret is empty then. */
int requestheader_parse(const json_t *configmap, struct requestheader *ret, struct error *e);
void requestheader_done(struct requestheader *r);
int requestheader_authenticate(const struct requestheader *r, const struct tls_identity *peer,
                               const struct http_headers *headers, struct caller *ret,
                               struct error *e);

#endif
