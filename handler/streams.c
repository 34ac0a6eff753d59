/* SPDX-License-Identifier: Apache-2.0 */
/* The routes of port 8186. */
#include "handler/streams.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/jpath.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/must.h"
#include "base/pool.h"
#include "base/scope.h"
#include "base/str.h"
#include "handler/dial.h"
#include "handler/handshake.h"
#include "handler/launcher.h"
#include "handler/vmi.h"
#include "handler/vsock.h"
#include "handler/ws.h"
#include "http/server.h"
#include "kube/event.h"
#include "kube/kind.h"

enum {
    CALL_THREADS = 8,
    CALL_QUEUE_MAX = 64,
    CALL_CONNECTIONS_MAX = 1024,
    DIAL_THREADS = 8,
    DIAL_QUEUE_MAX = 256,
    DRAIN_MS = 2000,
    NAME_MAX_LEN = 253,
};

struct streams {
    struct streams_options o;
    struct http_server *server;
    struct pool *pool, *dials;
    struct ws *ws;
    struct handshakes *handshakes;
    struct vsock *vsock;
};

/* ---- routes ---- */

enum route_kind { ROUTE_CALL, ROUTE_CALL_WITH_BODY, ROUTE_FETCH };

static const struct route {
    enum http_method method;
    const char *sub;
    enum route_kind kind;
    const char *target; /* the launcher's path */
    int good, bad;      /* HTTP status of success and of the launcher's refusal */
} routes[] = {
    // clang-format off
    { HTTP_GET, "vnc/screenshot", ROUTE_FETCH,          "/v1/screenshot",  200, 500 },
    { HTTP_GET, "guestosinfo",    ROUTE_FETCH,          "/v1/guest-info",  200, 500 },
    { HTTP_GET, "userlist",       ROUTE_FETCH,          "/v1/users",       200, 500 },
    { HTTP_GET, "filesystemlist", ROUTE_FETCH,          "/v1/filesystems", 200, 500 },
    { HTTP_PUT, "pause",          ROUTE_CALL,           "/v1/pause",       202, 500 },
    { HTTP_PUT, "unpause",        ROUTE_CALL,           "/v1/unpause",     202, 500 },
    { HTTP_PUT, "reset",          ROUTE_CALL,           "/v1/reset",       202, 500 },
    { HTTP_PUT, "softreboot",     ROUTE_CALL,           "/v1/softreboot",  202, 500 },
    { HTTP_PUT, "freeze",         ROUTE_CALL_WITH_BODY, "/v1/freeze",      202, 400 },
    { HTTP_PUT, "unfreeze",       ROUTE_CALL,           "/v1/unfreeze",    202, 400 },
    // clang-format on
};

/* GET with a websocket upgrade.  A refusal's status is that of the error (handler/dial.h). */
static const struct stream_route {
    const char *sub;
    enum hub_kind kind;
    const char *socket; /* QEMU's, in the pod's private directory */
    unsigned slots;     /* sockets SOCKET-0 and so on: the first one that is free */
    dial_fn *dial;
} stream_routes[] = {
    // clang-format off
    { "console",  HUB_CONSOLE, "virt-serial0",  0, dial_socket },
    { "vnc",      HUB_SCREEN,  "virt-vnc",      0, dial_socket },
    { "usbredir", HUB_SINGLE,  "virt-usbredir", 4, dial_socket },
    { "vsock",    HUB_FREE,    NULL,            0, dial_vsock },
    // clang-format on
};

/* The events that a success leaves on the VMI. */
static const struct telling {
    const char *sub, *reason, *text;
} tellings[] = {
    { "pause", "Paused", "VirtualMachineInstance paused" },
    { "unpause", "Unpaused", "VirtualMachineInstance unpaused" },
    { "reset", "Reset", "VirtualMachineInstance reset" },
    { "softreboot", "SoftRebooted", "VirtualMachineInstance soft rebooted" },
};

struct target {
    char key[2 * NAME_MAX_LEN + 2];
};

/* Copy one path segment; -1 when it is empty or too long. */
static int segment(const char **at, char *out, size_t size)
{
    size_t len = strcspn(*at, "/");

    if (len == 0 || len >= size)
        return -1;
    memcpy(out, *at, len);
    out[len] = '\0';
    *at += len;
    return 0;
}

/* "/v1/namespaces/NS/virtualmachineinstances/NAME/SUB" */
static int read_path(const char *path, struct target *ret, const char **ret_sub)
{
    static const char before[] = "/v1/namespaces/", between[] = "/virtualmachineinstances/";
    char ns[NAME_MAX_LEN + 1], name[NAME_MAX_LEN + 1];
    const char *at = path;

    if (!str_has_prefix(at, before))
        return -1;
    at += strlen(before);
    if (segment(&at, ns, sizeof(ns)) < 0 || !str_has_prefix(at, between))
        return -1;
    at += strlen(between);
    if (segment(&at, name, sizeof(name)) < 0 || *at != '/')
        return -1;
    if (!is_dns_label(ns) || !is_dns_subdomain(name))
        return -1;
    (void)snprintf(ret->key, sizeof(ret->key), "%s/%s", ns, name);
    *ret_sub = at + 1;
    return 0;
}

static void reply_text(struct http_call *c, int status, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
static void reply_text(struct http_call *c, int status, const char *fmt, ...)
{
    char text[ERROR_MSG_MAX + NAME_MAX_LEN * 2];
    va_list ap;

    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    http_reply(c, status, "text/plain; charset=utf-8", text, strlen(text));
}

/* ---- calls ---- */

struct job {
    struct streams *s;
    struct http_call *call;
    const struct route *route;
    struct launcher *launcher;
    json_t *vmi;
};

static void job_free(struct job *j)
{
    launcher_unref(j->launcher);
    json_decref(j->vmi);
    free(j);
}

static int run_fetch(struct job *j, struct error *e)
{
    __attribute__((cleanup(http_response_done))) struct http_response answer = { 0 };
    int r = launcher_fetch(j->launcher, j->route->target, &answer, e);

    if (r < 0)
        return r;
    const char *type = http_headers_get(&answer.headers, "Content-Type");
    http_reply(j->call, j->route->good, type ? type : "application/json", answer.body.data,
               answer.body.len);
    return 0;
}

static void tell(const struct job *j)
{
    for (size_t i = 0; i < countof(tellings); i++) {
        if (streq(j->route->sub, tellings[i].sub))
            event_record(j->s->o.events, &KIND_VMI, j->vmi, EVENT_NORMAL, tellings[i].reason, "%s",
                         tellings[i].text);
    }
}

static int run_call(struct job *j, struct error *e)
{
    json_auto_t *body = NULL;
    size_t len = 0;
    const void *data = http_call_body(j->call, &len);

    if (j->route->kind == ROUTE_CALL_WITH_BODY && json_parse(&body, data, len, e) < 0)
        return error_wrap(e, "body");
    int r = launcher_call(j->launcher, HTTP_PUT, j->route->target, body, NULL, e);
    if (r < 0)
        return r;
    tell(j);
    http_reply(j->call, j->route->good, NULL, NULL, 0);
    return 0;
}

static void run_job(void *arg)
{
    struct job *j = arg;
    struct error e;
    int r = j->route->kind == ROUTE_FETCH ? run_fetch(j, &e) : run_call(j, &e);

    if (r < 0)
        reply_text(j->call, j->route->bad, "%s", e.msg);
    job_free(j);
}

static void start_call(struct streams *s, struct http_call *c, const struct route *route,
                       json_t *vmi, struct launcher *launcher)
{
    struct job *j = must_calloc(1, sizeof(*j));

    *j = (struct job){ s, c, route, launcher_ref(launcher), json_incref(vmi) };
    http_keep(c);
    if (pool_run(s->pool, run_job, j))
        return;
    reply_text(c, 503, "too many calls at once, try again");
    job_free(j);
}

/* ---- streams ---- */

/* A stream on its way: it joins on the loop, is dialled on the pool, upgraded on the loop. */
struct opening {
    struct streams *s;
    struct http_call *call;
    const struct stream_route *route;
    struct launcher *launcher;
    json_t *vmi;
    struct ws_session *session; /* until it is given away */
    unsigned slot;
    int fd;
};

static void opening_free(struct opening *o)
{
    if (o->session)
        ws_session_drop(o->session);
    launcher_unref(o->launcher);
    json_decref(o->vmi);
    if (o->fd >= 0)
        (void)close(o->fd);
    free(o);
}

static void run_upgrade(void *arg)
{
    struct opening *o = arg;

    handshake_start(o->s->handshakes, o->call, TAKE(o->session), TAKE_FD(o->fd));
    opening_free(o);
}

static void run_dial(void *arg)
{
    struct opening *o = arg;
    struct error e;
    char socket[32];
    const struct dial d = {
        .pods_dir = o->s->o.pods_dir,
        .socket = socket,
        .launcher = o->launcher,
        .vmi = o->vmi,
        .call = o->call,
        .vsock = o->s->vsock,
    };

    if (o->route->slots > 0)
        (void)snprintf(socket, sizeof(socket), "%s-%u", o->route->socket, o->slot);
    else
        (void)snprintf(socket, sizeof(socket), "%s", o->route->socket ? o->route->socket : "");
    bool wants_guest = ws_session_wants_guest(o->session);
    if (wants_guest)
        o->fd = o->route->dial(&d, &e);
    /* Another one may have brought it along meanwhile. */
    if (!wants_guest || o->fd >= 0 || !ws_session_wants_guest(o->session)) {
        loop_post(http_call_loop(o->call), run_upgrade, o);
        return;
    }
    reply_text(o->call, error_http(e.code), "%s: %s", o->route->sub, e.msg);
    opening_free(o);
}

/* What the query asks for: docs/STREAMS.md's parameters, the strongest of them. */
static enum role_ask read_ask(const struct http_call *c)
{
    static const struct {
        const char *key;
        enum role_ask ask;
    } keys[] = {
        { "observe", ASK_OBSERVE },
        { "takeOver", ASK_TAKE_OVER },
        { "shared", ASK_SHARED },
        { "preserveSession", ASK_PRESERVE },
    };

    for (size_t i = 0; i < countof(keys); i++) {
        if (streq(http_call_query(c, keys[i].key), "true"))
            return keys[i].ask;
    }
    return ASK_NOTHING;
}

/* A place for it; with slots, in the first one that is free. */
static enum hub_answer join(struct opening *o)
{
    const struct stream_route *route = o->route;
    const char *uid = launcher_vmi_uid(o->launcher);
    enum role_ask ask = read_ask(o->call);
    enum hub_answer answer = HUB_IS_USED;
    char name[HUB_NAME_MAX];

    if (route->slots == 0) {
        (void)snprintf(name, sizeof(name), "%s/%s", uid, route->sub);
        return ws_join(o->s->ws, name, route->kind, ask, &o->session);
    }
    for (unsigned i = 0; i < route->slots && answer == HUB_IS_USED; i++) {
        (void)snprintf(name, sizeof(name), "%s/%s-%u", uid, route->sub, i);
        answer = ws_join(o->s->ws, name, route->kind, ask, &o->session);
        o->slot = i;
    }
    return answer;
}

static void refuse(struct http_call *c, const struct stream_route *route, enum hub_answer answer)
{
    switch (answer) {
    case HUB_JOINED:
        break;
    case HUB_IS_USED:
        if (route->slots > 0)
            reply_text(c, 503, "%s: all %u are in use", route->sub, route->slots);
        else
            reply_text(c, 503, "Active VNC connection. Request denied.");
        break;
    case HUB_IS_FULL:
        reply_text(c, 429, "%s: there are too many sessions of this machine; close one first",
                   route->sub);
        break;
    case HUB_NO_MORE:
        reply_text(c, 503, "%s: this node carries no more streams, try again later", route->sub);
        break;
    }
}

static void start_stream(struct streams *s, struct http_call *c, const struct stream_route *route,
                         json_t *vmi, struct launcher *l)
{
    if (!handshake_is_wanted(c)) {
        reply_text(c, 400, "a websocket upgrade is expected");
        return;
    }
    struct opening *o = must_calloc(1, sizeof(*o));

    *o = (struct opening){ s, c, route, launcher_ref(l), json_incref(vmi), .fd = -1 };
    enum hub_answer answer = join(o);
    if (answer != HUB_JOINED) {
        refuse(c, route, answer);
        opening_free(o);
        return;
    }
    http_keep(c);
    if (pool_run(s->dials, run_dial, o))
        return;
    reply_text(c, 503, "too many streams are being opened, try again");
    opening_free(o);
}

/* ---- dispatch ---- */

static const struct stream_route *find_stream(const char *sub)
{
    for (size_t i = 0; i < countof(stream_routes); i++) {
        if (streq(sub, stream_routes[i].sub))
            return &stream_routes[i];
    }
    return NULL;
}

static const struct route *find_route(enum http_method method, const char *sub, bool *ret_known)
{
    for (size_t i = 0; i < countof(routes); i++) {
        if (!streq(sub, routes[i].sub))
            continue;
        *ret_known = true;
        if (routes[i].method == method)
            return &routes[i];
    }
    return NULL;
}

static void on_call(struct http_call *c, void *ctx)
{
    struct streams *s = ctx;
    struct target t = { 0 };
    const char *sub = "";

    if (read_path(http_call_path(c), &t, &sub) < 0) {
        reply_text(c, 404, "no such page");
        return;
    }
    const struct stream_route *stream = find_stream(sub);
    bool is_known = stream != NULL;
    const struct route *route = find_route(http_call_method(c), sub, &is_known);
    if (http_call_method(c) != HTTP_GET)
        stream = NULL;
    if (!route && !stream) {
        reply_text(c, is_known ? 405 : 404, "%s",
                   is_known ? "method not allowed" : "no such subresource");
        return;
    }
    json_auto_t *vmi = vmi_controller_get(s->o.vmis, t.key);
    if (!vmi) {
        reply_text(c, 404, "VMI %s does not exist", t.key);
        return;
    }
    scoped(launcher_unref) struct launcher *l = vmi_controller_launcher(s->o.vmis, meta_uid(vmi));
    if (!l) {
        reply_text(c, 500, "the launcher of %s is not reachable", t.key);
        return;
    }
    log_debug("asked", "vmi", t.key, "for", sub);
    if (stream)
        start_stream(s, c, stream, vmi, l);
    else
        start_call(s, c, route, vmi, l);
}

int streams_start(struct streams **ret, const struct streams_options *o, struct error *e)
{
    struct streams *s = must_calloc(1, sizeof(*s));
    const struct http_server_options server = {
        .name = "streams",
        .address = o->address,
        .port = o->port,
        .keys = o->keys,
        .policy = { .peer = TLS_PEER_REQUIRED,
                    .cn = { "kubevirt.io:system:client:virt-handler" },
                    .cn_len = o->any_cn ? 0 : 1 },
        .connections_max = WS_SESSIONS_MAX + CALL_CONNECTIONS_MAX,
        .handler = on_call,
        .ctx = s,
    };

    const struct ws_options ws = { .viewers_max = o->viewers_max };

    s->o = *o;
    s->pool = pool_new("calls", CALL_THREADS, CALL_QUEUE_MAX);
    s->dials = pool_new("dials", DIAL_THREADS, DIAL_QUEUE_MAX);
    s->vsock = vsock_new(o->vsock_keys, NULL);
    s->ws = ws_start(&ws);
    s->handshakes = handshakes_new();
    int r = http_server_start(&s->server, &server, e);
    if (r < 0) {
        streams_stop(s);
        return error_wrap(e, "streams");
    }
    *ret = s;
    return 0;
}

int streams_port(const struct streams *s)
{
    return http_server_port(s->server);
}

void streams_stop(struct streams *s)
{
    if (!s)
        return;
    if (s->server)
        http_server_drain(s->server, DRAIN_MS);
    pool_free(s->dials);
    ws_stop(s->ws);
    handshakes_wait(s->handshakes, DRAIN_MS);
    vsock_free(s->vsock);
    pool_free(s->pool);
    if (s->server)
        http_server_free(s->server);
    ws_free(s->ws);
    handshakes_free(s->handshakes);
    free(s);
}
