/* SPDX-License-Identifier: Apache-2.0 */
/*
 * On a worker thread: may this be done, and where is the machine?  On the loop
 * of the client's connection: dial, then upgrade, then copy.
 */
#include "subresources/portforward.h"

#include <stddef.h>
#include <stdio.h>

#include "base/jpath.h"
#include "base/must.h"
#include "base/scope.h"
#include "base/str.h"
#include "http/connect.h"
#include "http/mux.h"
#include "http/wsock.h"
#include "subresources/call.h"
#include "subresources/channels.h"
#include "subresources/inflight.h"
#include "subresources/limits.h"
#include "subresources/metrics.h"
#include "subresources/pods.h"
#include "subresources/vmi.h"

struct tunnel {
    struct inflight_item item;
    struct inflight *inflight;
    struct sub_call *call; /* until it is answered or upgraded */
    struct forwarded_port port;
    char address[POD_ADDRESS_MAX];
    char accept[WS_ACCEPT_MAX];
    char *uid; /* of the instance */
    struct pod_addresses *pods;
    struct connecting *connecting; /* then, or */
    struct channels *channels;     /* one for all that the client will ask for */
    struct stream *plain;          /* then, until the client's stream is there */
    struct wsock *wsock;
    struct stream_gauge gauge;
    struct limits_share share;
};

static void tunnel_free(struct tunnel *t)
{
    channels_free(t->channels);
    stream_gauge_close(&t->gauge);
    limits_give_back(&t->share);
    inflight_remove(t->inflight, &t->item);
    free(t->uid);
    free(t);
}

#define PLAIN_PROTOCOL "plain.kubevirt.io"

static bool offers(const struct sub_call *c, const char *protocol)
{
    return http_headers_has_token(http_call_headers(c->http), "Sec-WebSocket-Protocol", protocol);
}

/* ---- on the loop ---- */

static void tunnel_refuse(struct tunnel *t, const struct error *e)
{
    sub_reply_error(t->call, e);
    tunnel_free(t);
}

static void refuse_stopping(struct tunnel *t)
{
    struct error e;

    error_set(&e, ERR_UNAVAILABLE, "%s", sub_shutting_down);
    tunnel_refuse(t, &e);
}

static void tunnel_ended(void *arg)
{
    tunnel_free(arg);
}

static void tunnel_taken(struct stream *client, void *arg)
{
    struct tunnel *t = arg;

    if (!client) {
        stream_close(t->plain);
        tunnel_free(t);
        return;
    }
    stream_tune(client);
    const struct wsock_options o = { .is_datagrams = t->port.is_udp && !t->channels };
    t->wsock = wsock_start(client, TAKE(t->plain), &o, tunnel_ended, t);
    if (t->item.is_cut)
        wsock_say_goodbye(t->wsock, WS_CODE_GOING_AWAY, sub_shutting_down);
}

/* The dial's failure in upstream's words, then what it was (spec 01, section 5). */
static void refuse_dial(struct tunnel *t, const struct error *why)
{
    struct error e;

    pod_addresses_forget(t->pods, t->uid);
    error_set(&e, ERR_INTERNAL, "dialing VM: %s: port %d of %s", why->msg, t->port.port,
              t->address);
    tunnel_refuse(t, &e);
}

/* t->plain is there: the 101, with this protocol if the client offers it. */
static void upgrade(struct tunnel *t, const char *protocol)
{
    struct sub_call *c = TAKE(t->call);
    struct http_headers headers = { 0 };

    http_headers_add(&headers, "Sec-WebSocket-Accept", t->accept);
    if (offers(c, protocol))
        http_headers_add(&headers, "Sec-WebSocket-Protocol", protocol);
    stream_gauge_open(&t->gauge, c->match.subresource, c->match.namespace, c->match.name);
    http_upgrade(c->http, &headers, tunnel_taken, t);
    http_headers_done(&headers);
    sub_call_free(c);
}

static void dialled(struct stream *plain, const struct error *why, void *arg)
{
    struct tunnel *t = arg;

    t->connecting = NULL;
    if (!plain) {
        refuse_dial(t, why);
        return;
    }
    stream_tune(plain);
    t->plain = plain;
    upgrade(t, PLAIN_PROTOCOL);
}

/* Nothing is dialled yet: the client will say when. */
static void start_channels(struct tunnel *t)
{
    const struct channels_options o = { .limits = t->call->env->limits,
                                        .user = sub_caller_name(t->call),
                                        .vmi_uid = t->uid,
                                        .address = t->address,
                                        .port = t->port.port,
                                        .is_udp = t->port.is_udp };
    struct error e;

    if (channels_start(&t->channels, &t->plain, t->item.loop, &o, &e) < 0)
        tunnel_refuse(t, &e);
    else
        upgrade(t, MUX_PROTOCOL);
}

/* The server ends. */
static void tunnel_cut(struct inflight_item *item)
{
    struct tunnel *t = (struct tunnel *)((char *)item - offsetof(struct tunnel, item));

    if (t->wsock) {
        wsock_say_goodbye(t->wsock, WS_CODE_GOING_AWAY, sub_shutting_down);
    } else if (t->connecting) {
        connect_cancel(t->connecting);
        refuse_stopping(t);
    }
    /* Else tunnel_dial or tunnel_taken is about to be called, and looks at is_cut. */
}

static void tunnel_dial(void *arg)
{
    struct tunnel *t = arg;

    if (t->item.is_cut) {
        refuse_stopping(t);
        return;
    }
    if (offers(t->call, MUX_PROTOCOL)) {
        start_channels(t);
        return;
    }
    t->connecting = connect_start(
        t->item.loop,
        &(struct connect_to){ .host = t->address, .port = t->port.port, .is_udp = t->port.is_udp },
        dialled, t);
}

/* ---- on a worker thread ---- */

int forwarded_port_parse(const char *tail, struct forwarded_port *ret, struct error *e)
{
    const char *slash = strchr(tail, '/');
    const char *protocol = slash ? slash + 1 : "tcp";
    scoped(free) char *number = must_strndup(tail, slash ? (size_t)(slash - tail) : strlen(tail));
    long long port;

    if (str_to_int(number, 1, 65535, &port) < 0)
        return error_set(e, ERR_BAD_REQUEST, "\"%.40s\" is not a port (1 to 65535)", number);
    if (!streq(protocol, "tcp") && !streq(protocol, "udp"))
        return error_set(e, ERR_BAD_REQUEST, "protocol \"%.40s\" is neither tcp nor udp", protocol);
    *ret = (struct forwarded_port){ .port = (int)port, .is_udp = streq(protocol, "udp") };
    return 0;
}

static struct tunnel *tunnel_new(struct sub_call *c, const json_t *vmi)
{
    struct tunnel *t = must_calloc(1, sizeof(*t));

    t->item = (struct inflight_item){ .loop = http_call_loop(c->http), .cut = tunnel_cut };
    t->inflight = c->env->inflight;
    t->pods = c->env->pods;
    t->call = c;
    t->uid = must_strdup(meta_uid(vmi));
    inflight_add(t->inflight, &t->item);
    return t;
}

/* Everything that can be refused before the dial. */
static int prepare(struct tunnel *t, const json_t *vmi, struct error *e)
{
    struct sub_call *c = t->call;

    int r = forwarded_port_parse(c->match.tail, &t->port, e);
    if (r == 0)
        r = sub_check_websocket(c, e);
    if (r == 0 && !wsock_accept(http_call_headers(c->http), t->accept, e))
        r = -(int)e->code;
    if (r == 0)
        r = limits_take(c->env->limits, sub_caller_name(c), t->uid, &t->share, e);
    if (r == 0)
        r = pod_addresses_find(c->env->pods, c->env->kube, vmi, t->address, e);
    return r;
}

static void forward_port(struct sub_call *c, const json_t *vmi)
{
    struct error e = { 0 };

    int r = vmi_allows("portforward", vmi, NULL, &e);
    if (r < 0) {
        struct error why = e;

        sub_conflict(c, ROUTE_VMI, &e, why.msg);
        sub_reply_error(c, &e);
        return;
    }

    struct tunnel *t = tunnel_new(c, vmi);
    if (prepare(t, vmi, &e) < 0)
        tunnel_refuse(t, &e);
    else
        loop_post(t->item.loop, tunnel_dial, t);
}

void vmi_portforward(struct sub_call *c)
{
    struct error e = { 0 };
    json_auto_t *vmi = NULL;

    if (sub_get_vmi(c, &vmi, &e) < 0)
        sub_reply_error(c, &e);
    else
        forward_port(c, vmi);
}

static bool is_owned_by(const json_t *vmi, const json_t *vm)
{
    const json_t *owner =
        jarr_find(jpath_arr(vmi, "metadata.ownerReferences"), "uid", meta_uid(vm));

    return *meta_uid(vm) && owner && streq(jpath_str(owner, "kind", ""), "VirtualMachine");
}

/* The running instance of a machine. */
static int instance_of(struct sub_call *c, json_t **ret_vmi, struct error *e)
{
    json_auto_t *vm = NULL;

    int r = sub_get_vm(c, &vm, e);
    if (r < 0)
        return r;
    if (!jpath_bool(vm, "status.created", false))
        return sub_conflict(c, ROUTE_VM, e, "VMI is not started");
    r = sub_get_vmi(c, ret_vmi, e);
    if (r < 0)
        return r;
    if (!is_owned_by(*ret_vmi, vm))
        return error_set(e, ERR_INTERNAL,
                         "the instance \"%s\" is not this machine's, but another's of the name",
                         c->match.name);
    return 0;
}

void vm_portforward(struct sub_call *c)
{
    struct error e = { 0 };
    json_auto_t *vmi = NULL;

    if (instance_of(c, &vmi, &e) < 0)
        sub_reply_error(c, &e);
    else
        forward_port(c, vmi);
}
