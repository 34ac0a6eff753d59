/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The paths that virt-api answers by itself, without credentials and without
 * asking anybody: discovery, OpenAPI, version, health, metrics.  All are answered
 * inline from memory, so nothing can hold them up (architecture, decision 7).
 */
#ifndef APISERVER_LOCAL_H
#define APISERVER_LOCAL_H

#include <stdbool.h>
#include <stddef.h>

#include "http/server.h"

struct local;

/* What health and version need to know; each is called on any thread and does not block. */
struct local_probes {
    bool (*is_ready)(void *ctx, struct error *why);
    /* A new {"apiserver": ...} body of S/healthz; *ret_ok false gives 500. */
    json_t *(*health)(void *ctx, bool *ret_ok);
    void *ctx;
};

struct local *local_new(const struct local_probes *p);
void local_free(struct local *l);

/* True when the path is one of these; the call has been answered then. */
bool local_serve(struct local *l, struct http_call *c);

struct local_route;
typedef void local_fn(const struct local_route *r, struct local *l, struct http_call *c);
struct local_route {
    const char *path;
    local_fn *serve;
    int document; /* which prepared document, where serve gives one */
    const char *doc;
};
extern const struct local_route local_routes[];
extern const size_t local_routes_len;

#endif
