/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One authorised subresource request on its way through a handler, and what
 * all handlers share.  A call lives on one worker thread until it is answered
 * or handed to virt-handler, whichever comes first.
 */
#ifndef SUBRESOURCES_CALL_H
#define SUBRESOURCES_CALL_H

#include <jansson.h>

#include "base/error.h"
#include "http/server.h"
#include "subresources/link.h"
#include "subresources/routes.h"

struct cluster_config;
struct cluster_config_store;
struct inflight;
struct kube;
struct limits;
struct nodes;
struct pod_addresses;

/* What the handlers work with; made once by virt-api, outlives every call. */
struct sub_env {
    struct kube *kube;
    struct nodes *nodes;        /* the virt-handler of each node */
    struct inflight *inflight;  /* what is on its way to them; cut before the server is freed */
    struct limits *limits;      /* of streams; NULL: none */
    struct pod_addresses *pods; /* where ports are forwarded to; NULL: asked anew each time */
    struct cluster_config_store *config;
    /* Fill in an instance's spec as admission would. */
    int (*vmi_defaults)(json_t *spec, const struct cluster_config *config, struct error *e);
    struct link_settings links;
};

struct sub_call {
    struct sub_env *env;
    struct http_call *http;
    struct route_match match;
    json_t *caller;  /* UserInfo (authentication.k8s.io/v1) of who asks; a reference */
    json_t *body;    /* the options object, {} without a body; owned */
    bool is_dry_run; /* options.dryRun is ["All"] */
};

/*
 * Decode and check the body, then run the row's handler.  Takes the http call
 * (kept).  On a worker thread.
 */
void sub_call_run(struct sub_env *env, struct http_call *http, const struct route_match *match,
                  json_t *caller);

/* ---- for handlers: each ends the call ---- */

void sub_reply_empty(struct sub_call *c, int status);
void sub_reply_json(struct sub_call *c, int status, const json_t *v);
/* A Status whose details name the object. */
void sub_reply_error(struct sub_call *c, const struct error *e);
void sub_call_free(struct sub_call *c);

/*
 * Forward to virt-handler: PUT or GET of `path_tail` (with query) for this instance.
 * On success the handler's answer is passed on with `ok_status` for an empty one.
 */
void sub_forward(struct sub_call *c, const json_t *vmi, const char *path_tail, int ok_status);
/* The same for a websocket: dial, hand the 101 to the client, relay. */
void sub_stream(struct sub_call *c, const json_t *vmi, const char *path_tail);

/*
 * ---- reading the objects; 404 with the object's name when absent, -ERR_FORBIDDEN when it is not
 * the machine that the caller's link was given for (match.machine_uid) ----
 */
int sub_get_vm(struct sub_call *c, json_t **ret, struct error *e);
int sub_get_vmi(struct sub_call *c, json_t **ret, struct error *e);

/* "Operation cannot be fulfilled on virtualmachine.kubevirt.io "x": why". Returns -ERR_CONFLICT. */
int sub_conflict(const struct sub_call *c, enum route_target t, struct error *e, const char *why);

/* Is it a websocket handshake, which "kubectl virt <verb>" sends?  -ERR_BAD_REQUEST otherwise. */
int sub_check_websocket(const struct sub_call *c, struct error *e);

/* The name by which limits count the caller. */
const char *sub_caller_name(const struct sub_call *c);

/* Reason of a close frame, and message of a Status, when virt-api ends. */
extern const char sub_shutting_down[];

bool vmi_is_running(const json_t *vmi);

#endif
