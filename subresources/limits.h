/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How many streams one user, and one machine, may have open through this
 * virt-api.  Counted from before the dial to the end of the stream.  Any thread.
 */
#ifndef SUBRESOURCES_LIMITS_H
#define SUBRESOURCES_LIMITS_H

#include "base/error.h"

struct limits;

/* 0: no limit. */
struct limits *limits_new(long long per_user, long long per_vmi);
void limits_free(struct limits *l); /* nothing is given back afterwards */

/* One stream's share; zero-initialised has none. */
struct limits_share {
    struct limits *limits;
    struct limits_count *user, *vmi;
};

/*
 * Take a share; -ERR_TOO_MANY with which flag refuses it and what to do.  Without limits (NULL) it
 * is always granted.
 */
int limits_take(struct limits *l, const char *user, const char *vmi_uid, struct limits_share *ret,
                struct error *e);
void limits_give_back(struct limits_share *s); /* once; of none is fine */

#endif
