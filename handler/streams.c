/* SPDX-License-Identifier: Apache-2.0 */
/* The routes of port 8186. */
#include "handler/streams.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/jpath.h"
#include "base/log.h"
#include "base/must.h"
#include "base/pool.h"
#include "base/scope.h"
#include "base/str.h"
#include "handler/handshake.h"
#include "handler/launcher.h"
#include "handler/podfs.h"
#include "handler/vmi.h"
#include "handler/ws.h"
#include "http/server.h"
#include "kube/event.h"
#include "kube/kind.h"

enum {
    CALL_THREADS = 8,
    CALL_QUEUE_MAX = 64,
    DRAIN_MS = 2000,
    NAME_MAX_LEN = 253,
};

struct streams {
    struct streams_options o;
    struct http_server *server;
    struct pool *pool;
    struct ws *ws;
    struct handshakes *handshakes;
};

/* ---- routes ---- */

enum route_kind { ROUTE_CALL, ROUTE_CALL_WITH_BODY, ROUTE_FETCH, ROUTE_STREAM };

static const struct route {
    enum http_method method;
    const char *sub;
    enum route_kind kind;
    const char *target; /* launcher's path, or the socket's name */
    int good, bad;      /* HTTP status of success and of the launcher's refusal */
} routes[] = {
    // clang-format off
    { HTTP_GET, "console",        ROUTE_STREAM,         "virt-serial0",    101, 400 },
    { HTTP_GET, "vnc",            ROUTE_STREAM,         "virt-vnc",        101, 400 },
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
    const struct route *route;
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

/* A connection to one of QEMU's sockets in the pod's private directory. */
static int connect_qemu(const struct streams *s, const struct launcher *l, const char *socket,
                        struct error *e)
{
    scoped_fd int dir = podfs_open_volume(s->o.pods_dir, launcher_pod_uid(l), "private", e);
    if (dir < 0)
        return error_wrap(e, "pod");
    scoped(free) char *rel = must_asprintf("%s/%s", launcher_vmi_uid(l), socket);
    scoped_fd int at = podfs_open_socket(dir, rel, e);
    if (at < 0)
        return at;
    return podfs_connect(at, e);
}

static void start_stream(struct streams *s, struct http_call *c, const struct route *route,
                         const struct launcher *l)
{
    struct error e;
    char name[WS_NAME_MAX];

    if (!handshake_is_wanted(c)) {
        reply_text(c, 400, "a websocket upgrade is expected");
        return;
    }
    (void)snprintf(name, sizeof(name), "%s/%s", launcher_vmi_uid(l), route->sub);
    if (streq(route->sub, "vnc") && streq(http_call_query(c, "preserveSession"), "true") &&
        ws_is_used(s->ws, name)) {
        reply_text(c, 503, "Active VNC connection. Request denied.");
        return;
    }
    int fd = connect_qemu(s, l, route->target, &e);
    if (fd < 0) {
        reply_text(c, route->bad, "%s: %s", route->sub, e.msg);
        return;
    }
    handshake_start(s->handshakes, c, name, fd);
}

/* ---- dispatch ---- */

static const struct route *find_route(enum http_method method, const char *sub, bool *ret_known)
{
    *ret_known = false;
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
    bool is_known = false;

    if (read_path(http_call_path(c), &t, &sub) < 0) {
        reply_text(c, 404, "no such page");
        return;
    }
    const struct route *route = find_route(http_call_method(c), sub, &is_known);
    if (!route) {
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
    if (route->kind == ROUTE_STREAM)
        start_stream(s, c, route, l);
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
        .handler = on_call,
        .ctx = s,
    };

    s->o = *o;
    s->pool = pool_new("calls", CALL_THREADS, CALL_QUEUE_MAX);
    s->ws = ws_start();
    s->handshakes = handshakes_new(s->ws);
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
    ws_stop(s->ws);
    handshakes_wait(s->handshakes, DRAIN_MS);
    pool_free(s->pool);
    if (s->server)
        http_server_free(s->server);
    handshakes_free(s->handshakes);
    free(s);
}
