/* SPDX-License-Identifier: Apache-2.0 */
/* The table of several viewers. */
#include "handler/roles.h"

bool role_is_told(enum role_ask ask)
{
    return ask == ASK_SHARED || ask == ASK_TAKE_OVER || ask == ASK_OBSERVE;
}

static bool somebody_writes(struct role *const roles[], size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (roles[i]->writes)
            return true;
    }
    return false;
}

/* Nobody but the newcomer writes: the others go, or only read from now on. */
static void displace(struct role *const roles[], size_t count, bool may_read_on)
{
    for (size_t i = 0; i < count; i++) {
        if (!roles[i]->writes)
            continue;
        roles[i]->writes = false;
        roles[i]->is_replaced = !may_read_on || !role_is_told(roles[i]->ask);
    }
}

void roles_join(struct role *const roles[], size_t count, bool one_writer)
{
    struct role *newest = roles[count - 1];

    switch (newest->ask) {
    case ASK_OBSERVE:
        break;
    case ASK_SHARED:
        newest->writes = !one_writer || !somebody_writes(roles, count - 1);
        break;
    case ASK_TAKE_OVER:
        displace(roles, count - 1, true);
        newest->writes = true;
        break;
    case ASK_NOTHING:
    case ASK_PRESERVE:
        displace(roles, count - 1, false);
        newest->writes = true;
        break;
    }
}

void roles_leave(struct role *const roles[], size_t count, bool one_writer)
{
    if (somebody_writes(roles, count))
        return;
    for (size_t i = 0; i < count; i++) {
        if (roles[i]->ask == ASK_OBSERVE || roles[i]->is_replaced)
            continue;
        roles[i]->writes = true;
        if (one_writer)
            return;
    }
}
