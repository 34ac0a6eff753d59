/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The webhooks as rows (spec 02, sections 1 and 2): virt-api serves by them, and the webhook
 * configurations are made from them.
 */
#ifndef WEBHOOKS_HOOKS_H
#define WEBHOOKS_HOOKS_H

#include <stddef.h>

#include "webhooks/review.h"

enum {
    HOOK_MUTATES = 1, /* in the mutating configuration, else in the validating one */
    HOOK_ASKS = 2,    /* asks the API server, so it is decided on a worker, never on a loop */
    HOOK_WRITES = 4,  /* writes as well, unless the request is a dry run */
};

/* Lists are words with spaces between. */
struct webhook {
    const char *name;        /* unique */
    const char *path;        /* rows of one path are decided alike */
    const struct kind *kind; /* NULL: one of several of openapi/kinds.h, by the request */
    const char *versions;
    const char *resources;
    const char *operations;
    review_fn *decide;
    unsigned flags;
    bool (*asks)(const json_t *body);   /* some reviews do ask, if they may: which; or NULL */
    const char *condition, *expression; /* name and CEL of the one match condition, or NULL */
};

/* In the order of the configurations. */
extern const struct webhook webhook_rows[];
extern const size_t webhook_rows_len;

/* By path, or NULL. */
const struct webhook *webhook_find(const char *path);

/* Does the decision on this AdmissionReview ask the API server? */
bool webhook_asks(const struct webhook *hook, const json_t *body);

#endif
