/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An answer made once at start: discovery and OpenAPI.  Served with a strong
 * ETag; If-None-Match gives 304.  Immutable; any thread.
 */
#ifndef APISERVER_DOCUMENT_H
#define APISERVER_DOCUMENT_H

#include <jansson.h>
#include <stddef.h>

#include "http/server.h"

struct document {
    const char *content_type; /* static */
    char *body;
    size_t len;
    char etag[40]; /* quoted */
};

/* Takes `v`. */
void document_init(struct document *d, const char *content_type, json_t *v);
void document_done(struct document *d);
void document_serve(const struct document *d, struct http_call *c);

#endif
