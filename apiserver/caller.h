/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who is calling: one value, whichever way it was learned: from the front proxy
 * (frontproxy.h), by a bearer token or by a link's ticket (direct.h).
 */
#ifndef APISERVER_CALLER_H
#define APISERVER_CALLER_H

#include <jansson.h>
#include <stdbool.h>

#include "base/error.h"

struct caller {
    /* authentication.k8s.io/v1 UserInfo: username, uid, groups[], extra{key: [values]}; owned. */
    json_t *info;
    /* The one machine that the bearer of a link may use; namespace "" for everybody else. */
    struct caller_limit {
        char namespace[254];
        char name[254];
        char machine_uid[64]; /* machine_uid() of subresources/ticket.h */
    } only;
};

void caller_done(struct caller *c);
bool caller_in_group(const struct caller *c, const char *group);

bool caller_has_link(const struct caller *c);
/* -ERR_FORBIDDEN when the caller's link is for another machine, or `name` is "". */
int caller_check_machine(const struct caller *c, const char *namespace, const char *name,
                         struct error *e);
/* The same once the object was read: a namesake that came later is another machine. */
int caller_check_object(const struct caller *c, const json_t *obj, struct error *e);

#endif
