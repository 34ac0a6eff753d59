/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The subresource endpoints, one row each (spec 01, section 3).  The router,
 * discovery, OpenAPI, the authorisation attributes and the shipped roles are
 * all made from these rows.
 */
#ifndef SUBRESOURCES_ROUTES_H
#define SUBRESOURCES_ROUTES_H

#include <stdbool.h>
#include <stddef.h>

#include "http/message.h"

struct sub_call;
struct schema;

enum route_target {
    ROUTE_VM,
    ROUTE_VMI,
    ROUTE_VM_SPEC, /* a machine that is sent: of a namespace, without name and subresource */
};
enum route_flow {
    ROUTE_CALL,   /* answered once, on a worker thread or by virt-handler */
    ROUTE_STREAM, /* a websocket upgrade, relayed to virt-handler */
    ROUTE_TUNNEL, /* one to the machine's pod; PORT[/PROTOCOL] stands behind the subresource */
};

/* Validate, then answer or hand over; on a worker thread, after authorisation.  Exactly one reply.
 */
typedef void subresource_fn(struct sub_call *c);

struct route {
    enum http_method method; /* GET or PUT */
    enum route_target target;
    const char *subresource; /* "start", "vnc/screenshot"; "" of ROUTE_VM_SPEC */
    enum route_flow flow;
    subresource_fn *handler;
    const struct schema *body; /* of the options object; NULL: no body is read */
    const char *answer;        /* kind of a 200 body, or NULL */
    const char *doc;
};

extern const struct route subresource_routes[];
extern const size_t subresource_routes_len;

/* API group, and the versions served, preferred first. */
#define SUBRESOURCE_GROUP "subresources.kubevirt.io"
extern const char *const subresource_versions[];
enum { SUBRESOURCE_VERSION_COUNT = 2 };

/* "virtualmachines" / "virtualmachineinstances"; kind names; singular resource of messages. */
const char *route_plural(enum route_target t);
const char *route_kind(enum route_target t);
const char *route_singular(enum route_target t);

/* "virtualmachines/start"; without a subresource "expand-vm-spec".  New string. */
char *route_resource(const struct route *r);

/* "get" or "update": what RBAC must allow (spec 01, section 4). */
const char *route_verb(const struct route *r);

/* What a path asks for, before authorisation. */
struct route_match {
    const struct route *route; /* NULL when the method is not served: see allow */
    const char *version;       /* of subresource_versions */
    enum route_target target;
    char namespace[254];
    char name[254];
    char subresource[64]; /* without the tail, as authorisation names it */
    char tail[64];        /* "22/tcp" of a tunnel: one or two words, not looked at */
    char allow[32];       /* methods that this path does serve, for 405 */
    /* Not of the path: the machine_uid() (ticket.h) that the caller's link is for, "" without. */
    char machine_uid[64];
};

/*
 * Match a request path (without query; one trailing slash is taken).
 * 1 matched (look at route), 0 no such path.
 */
int route_match(enum http_method method, const char *path, struct route_match *ret);

#endif
