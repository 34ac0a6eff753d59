/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who is calling: one value, whichever way it was learned.  Today there is one
 * way, the front proxy (frontproxy.h).
 */
#ifndef APISERVER_CALLER_H
#define APISERVER_CALLER_H

#include <jansson.h>
#include <stdbool.h>

/* authentication.k8s.io/v1 UserInfo: username, uid, groups[], extra{key: [values]}. */
struct caller {
    json_t *info; /* owned */
};

void caller_done(struct caller *c);
bool caller_in_group(const struct caller *c, const char *group);

#endif
