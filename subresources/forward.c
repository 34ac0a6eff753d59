/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The way to virt-handler: one exchange on the event loop of the client's own
 * connection, so that a node which does not answer holds no thread.  For a
 * stream the client's upgrade request is passed on as it is, and after both
 * handshakes bytes are copied without looking at frames (spec 01, section 5).
 */
#include <stddef.h>

#include "base/jpath.h"
#include "base/must.h"
#include "base/scope.h"
#include "base/str.h"
#include "http/dial.h"
#include "http/wsframe.h"
#include "subresources/call.h"
#include "subresources/inflight.h"
#include "subresources/limits.h"
#include "subresources/metrics.h"
#include "subresources/nodes.h"

struct forward {
    struct inflight_item item;
    struct inflight *inflight;
    struct sub_call *call; /* until it is answered or upgraded */
    struct dial *dial;     /* from forward_dial to the answer */
    struct relay *relay;   /* from both handshakes to the end */
    struct node_target target;
    char *path;
    char *uid;     /* of the instance, sent so that a namesake is never reached */
    int ok_status; /* for an answer without a body */
    bool is_stream;
    struct stream *node_side;
    struct stream_gauge gauge;
    struct limits_share share; /* of a stream */
};

static void forward_free(struct forward *f)
{
    limits_give_back(&f->share);
    inflight_remove(f->inflight, &f->item);
    free(f->path);
    free(f->uid);
    free(f);
}

/* virt-handler answered, but not with success. */
static void reply_refusal(struct forward *f, const struct dial_answer *a)
{
    json_auto_t *status = NULL;
    struct error e = { 0 }, ignored;
    int len = (int)(a->body_len > 300 ? 300 : a->body_len);

    if (json_parse(&status, a->body, a->body_len, &ignored) == 0 &&
        streq(jpath_str(status, "kind", ""), "Status"))
        error_set(&e, error_from_http(a->status, jpath_str(status, "reason", NULL)), "%s",
                  jpath_str(status, "message", "virt-handler refused the request"));
    else
        error_set(&e, error_from_http(a->status, NULL), "virt-handler answered %d: %.*s", a->status,
                  len, a->body ? (const char *)a->body : "");
    sub_reply_error(f->call, &e);
}

static void reply_unreachable(struct forward *f, const struct error *why)
{
    struct error e = *why;

    error_wrap(&e, "virt-handler of this instance's node (%s)", f->target.host);
    sub_reply_error(f->call, &e);
}

static void reply_stopping(struct forward *f)
{
    struct error e;

    error_set(&e, ERR_UNAVAILABLE, "%s", sub_shutting_down);
    sub_reply_error(f->call, &e);
    forward_free(f);
}

static void call_answered(const struct dial_answer *a, void *arg)
{
    struct forward *f = arg;
    const char *type = a->status ? http_headers_get(a->headers, "Content-Type") : NULL;

    f->dial = NULL;
    if (a->status == 0) {
        reply_unreachable(f, a->why);
    } else if (a->status < 200 || a->status > 299) {
        reply_refusal(f, a);
    } else if (a->body_len == 0) {
        sub_reply_empty(f->call, f->ok_status);
    } else {
        http_reply(f->call->http, 200, type ? type : "application/json", a->body, a->body_len);
        sub_call_free(f->call);
    }
    forward_free(f);
}

static void stream_ended(void *arg)
{
    struct forward *f = arg;

    stream_gauge_close(&f->gauge);
    forward_free(f);
}

static void stream_taken(struct stream *client, void *arg)
{
    struct forward *f = arg;

    if (!client) {
        stream_close(f->node_side);
        stream_ended(f);
        return;
    }
    stream_tune(client);
    stream_tune(f->node_side);
    f->relay = relay_start_websocket(client, f->node_side,
                                     "the connection to the machine's node was lost: try again",
                                     stream_ended, f);
    if (f->item.is_cut)
        relay_say_goodbye(f->relay, WS_CODE_GOING_AWAY, sub_shutting_down);
}

static void stream_answered(const struct dial_answer *a, void *arg)
{
    struct forward *f = arg;
    struct sub_call *c = f->call;

    if (a->status != 101 || !a->upgraded) {
        call_answered(a, arg);
        return;
    }
    f->dial = NULL;
    if (http_call_is_gone(c->http)) {
        struct error e;

        stream_close(a->upgraded);
        error_set(&e, ERR_UNAVAILABLE, "the client went away");
        sub_reply_error(c, &e);
        forward_free(f);
        return;
    }
    f->call = NULL;

    static const char *const passed_on[] = { "Sec-WebSocket-Accept", "Sec-WebSocket-Protocol" };
    struct http_headers headers = { 0 };

    for (size_t i = 0; i < countof(passed_on); i++) {
        const char *value = http_headers_get(a->headers, passed_on[i]);

        if (value)
            http_headers_add(&headers, passed_on[i], value);
    }
    f->node_side = a->upgraded;
    stream_gauge_open(&f->gauge, c->match.subresource, c->match.namespace, c->match.name);
    http_upgrade(c->http, &headers, stream_taken, f);
    http_headers_done(&headers);
    sub_call_free(c);
}

/* What a websocket handshake is made of; everything else stays on this side. */
static void copy_upgrade_headers(const struct sub_call *c, struct http_headers *out)
{
    static const char *const passed_on[] = { "Sec-WebSocket-Key", "Sec-WebSocket-Version" };

    for (size_t i = 0; i < countof(passed_on); i++) {
        const char *value = http_call_header(c->http, passed_on[i]);

        if (value)
            http_headers_add(out, passed_on[i], value);
    }
    /* The bearer token that a browser sends as a protocol is for the API server, not for the node.
     */
    if (http_headers_has_token(http_call_headers(c->http), "Sec-WebSocket-Protocol",
                               "plain.kubevirt.io"))
        http_headers_add(out, "Sec-WebSocket-Protocol", "plain.kubevirt.io");
    http_headers_add(out, "Upgrade", "websocket");
    http_headers_add(out, "Connection", "Upgrade");
}

/* The server ends. */
static void forward_cut(struct inflight_item *item)
{
    struct forward *f = (struct forward *)((char *)item - offsetof(struct forward, item));

    if (f->relay) {
        relay_say_goodbye(f->relay, WS_CODE_GOING_AWAY, sub_shutting_down);
    } else if (f->dial) {
        dial_cancel(f->dial);
        reply_stopping(f);
    }
    /* Else forward_dial or stream_taken is about to be called, and looks at is_cut. */
}

/* On the loop of the client's connection. */
static void forward_dial(void *arg)
{
    struct forward *f = arg;
    struct sub_call *c = f->call;

    if (f->item.is_cut) {
        reply_stopping(f);
        return;
    }

    struct http_headers headers = { 0 };
    /* Only options that were checked, and as JSON whatever the client wrote. */
    bool has_body = c->match.route->body && json_object_size(c->body) > 0;
    scoped(free) char *body = has_body ? must_dumps(c->body, JSON_COMPACT) : NULL;

    if (f->is_stream)
        copy_upgrade_headers(c, &headers);
    http_headers_add(&headers, "X-Kubevirt-Vmi-Uid", f->uid);
    if (body)
        http_headers_add(&headers, "Content-Type", "application/json");

    struct dial_request q = {
        .host = f->target.host,
        .port = f->target.port,
        .keys = f->target.keys,
        .policy = f->target.policy,
        .method = c->match.route->method,
        .path = f->path,
        .headers = &headers,
        .body = body,
        .body_len = body ? strlen(body) : 0,
    };
    f->dial = dial_start(f->item.loop, &q, f->is_stream ? stream_answered : call_answered, f);
    http_headers_done(&headers);
}

static void forward_start(struct sub_call *c, const json_t *vmi, const char *path_tail,
                          int ok_status, bool is_stream)
{
    struct error e;
    struct node_target target;
    struct limits_share share = { 0 };

    if (nodes_find(c->env->nodes, vmi, &target, &e) < 0 ||
        (is_stream &&
         limits_take(c->env->limits, sub_caller_name(c), meta_uid(vmi), &share, &e) < 0)) {
        sub_reply_error(c, &e);
        return;
    }

    struct forward *f = must_calloc(1, sizeof(*f));
    f->item = (struct inflight_item){ .loop = http_call_loop(c->http), .cut = forward_cut };
    f->inflight = c->env->inflight;
    f->call = c;
    f->target = target;
    f->ok_status = ok_status;
    f->is_stream = is_stream;
    f->share = share;
    f->uid = must_strdup(meta_uid(vmi));
    f->path = must_asprintf("/v1/namespaces/%s/virtualmachineinstances/%s/%s", c->match.namespace,
                            c->match.name, path_tail);
    inflight_add(f->inflight, &f->item);
    loop_post(f->item.loop, forward_dial, f);
}

void sub_forward(struct sub_call *c, const json_t *vmi, const char *path_tail, int ok_status)
{
    forward_start(c, vmi, path_tail, ok_status, false);
}

void sub_stream(struct sub_call *c, const json_t *vmi, const char *path_tail)
{
    struct error e;

    if (sub_check_websocket(c, &e) < 0)
        sub_reply_error(c, &e);
    else
        forward_start(c, vmi, path_tail, 200, true);
}
