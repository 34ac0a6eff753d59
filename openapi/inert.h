/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fields that are accepted and kept although nothing acts on them yet (rows marked INERT): which of
 * them an object uses is gathered while it is validated, so that its user can be told.
 * Lives on the stack of the one who asks; costs nothing while there are none.  One thread at a
 * time.
 */
#ifndef OPENAPI_INERT_H
#define OPENAPI_INERT_H

#include <jansson.h>

#include "openapi/findings.h"

enum { INERT_SHOWN = 10 };

struct inert_use {
    const json_t *old;        /* given: what stands there alike is not gathered; NULL for none */
    const json_t *obj;        /* the walk's own: what is looked at */
    size_t len;               /* how many there are */
    char *field[INERT_SHOWN]; /* the first of them: "spec.domain.devices.gpus" */
};

void inert_use_done(struct inert_use *u);

/* struct inert_use with the old object (or NULL). */
#define scoped_inert_use __attribute__((cleanup(inert_use_done))) struct inert_use

/* For the walk: an inert row's value.  One that asks for nothing (null, false, empty text or list,
 * "enabled" that is false) is no use. */
void inert_use_note(struct inert_use *u, const json_t *v, const struct at *at);

#endif
