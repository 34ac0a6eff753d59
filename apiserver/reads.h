/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the page reads on direct access, and the API server answers otherwise: machines
 * and instances of a namespace, and whether the caller may do something.  Each asks for
 * the caller's rights first and then uses ours.  Served on a worker thread.
 */
#ifndef APISERVER_READS_H
#define APISERVER_READS_H

#include <stdbool.h>

#include "apiserver/authz.h"
#include "apiserver/caller.h"
#include "http/server.h"

struct kube;
struct kube_kind;

enum { READS_PAGE_MAX = 500 }; /* objects of a list; more by metadata.continue */

/* What a path asks for. */
struct read_match {
    const struct kube_kind *kind; /* NULL: a SelfSubjectAccessReview */
    char namespace[254];
    char name[254]; /* "": the list */
};

/*
 * Match a path (without query, one trailing slash is taken): true when it is one of
 * /apis/kubevirt.io/v1/namespaces/NS/{virtualmachines,virtualmachineinstances}[/NAME] or
 * /apis/authorization.k8s.io/v1/selfsubjectaccessreviews.
 */
bool read_match(const char *path, struct read_match *ret);
/* "GET" or "POST". */
enum http_method read_method(const struct read_match *m);

/* Answers a kept call. */
void reads_serve(struct kube *k, struct authz *a, const struct caller *who,
                 const struct read_match *m, struct http_call *c);

#endif
