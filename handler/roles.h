/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who of a machine's viewers writes (types): docs/STREAMS.md's table of several viewers as pure
 * functions over the parts of those that are there, oldest first.
 */
#ifndef HANDLER_ROLES_H
#define HANDLER_ROLES_H

#include <stdbool.h>
#include <stddef.h>

/* What a viewer asked for by its query; the later one of those that it named. */
enum role_ask { ASK_NOTHING, ASK_PRESERVE, ASK_SHARED, ASK_TAKE_OVER, ASK_OBSERVE };

struct role {
    enum role_ask ask;
    bool writes;
    bool is_replaced; /* its session is to be closed */
};

/* Give the last of them, who has just come, its part, and take from the others what it takes. */
void roles_join(struct role *const roles[], size_t count, bool one_writer);
/* Somebody left: when nobody writes, who may do (only the oldest, with one_writer). */
void roles_leave(struct role *const roles[], size_t count, bool one_writer);

/* Did it send one of the parameters that upstream's clients do not know?  It is told its part. */
bool role_is_told(enum role_ask ask);

#endif
