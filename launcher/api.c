// SPDX-License-Identifier: Apache-2.0
/* The launcher's API; see api.h. */
#include "launcher/api.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/jpath.h"
#include "base/loop.h"
#include "base/must.h"
#include "base/pool.h"
#include "base/scope.h"
#include "base/str.h"
#include "http/server.h"
#include "launcher/beneath.h"
#include "launcher/guest_command.h"
#include "launcher/launcher.h"
#include "launcher/machine.h"

enum {
    CHANGE_DEADLINE_MS = 20 * 1000,
    READ_DEADLINE_MS = 5 * 1000,
    HEARTBEAT_MS = 15 * 1000,
    WATCHERS_MAX = 16,
    DRAIN_MS = 2000,
    PROBE_SLACK_MS = 200, /* the operation's own word about its time comes first */
};

// clang-format off
static const struct api_route {
    enum http_method method;
    const char *path;
    enum launcher_lane lane;
    int deadline_ms; /* 0 on LANE_PROBE: what the body says */
    operation_fn *run; /* NULL: the event stream */
    const char *doc;
} routes[] = {
    { HTTP_GET, "/v1/ping",        LANE_NOW,   0, operation_ping,        "Which machine this is." },
    { HTTP_GET, "/v1/domain",      LANE_NOW,   0, operation_domain,      "The Domain." },
    { HTTP_GET, "/v1/events",      LANE_NOW,   0, NULL,                  "The Domain at each change." },
    { HTTP_PUT, "/v1/sync",        LANE_JOB,   CHANGE_DEADLINE_MS, operation_sync,       "Make it as the VMI says." },
    { HTTP_PUT, "/v1/pause",       LANE_JOB,   CHANGE_DEADLINE_MS, operation_pause,      "Stop the vCPUs." },
    { HTTP_PUT, "/v1/unpause",     LANE_JOB,   CHANGE_DEADLINE_MS, operation_unpause,    "Let them run." },
    { HTTP_PUT, "/v1/reset",       LANE_JOB,   CHANGE_DEADLINE_MS, operation_reset,      "The reset button." },
    { HTTP_PUT, "/v1/softreboot",  LANE_JOB,   CHANGE_DEADLINE_MS, operation_softreboot, "Ask the guest to reboot." },
    { HTTP_PUT, "/v1/shutdown",    LANE_QUICK, CHANGE_DEADLINE_MS, operation_shutdown,   "Ask the guest to shut down." },
    { HTTP_PUT, "/v1/kill",        LANE_QUICK, CHANGE_DEADLINE_MS, operation_kill,       "End QEMU." },
    { HTTP_PUT, "/v1/delete",      LANE_JOB,   CHANGE_DEADLINE_MS, operation_delete,     "Forget a dead domain and end." },
    { HTTP_GET, "/v1/guest-info",  LANE_NOW,   0, operation_guest_info,  "What the guest agent says." },
    { HTTP_GET, "/v1/users",       LANE_NOW,   0, operation_users,       "Users logged in." },
    { HTTP_GET, "/v1/filesystems", LANE_NOW,   0, operation_filesystems, "File systems mounted." },
    { HTTP_GET, "/v1/screenshot",  LANE_QUICK, READ_DEADLINE_MS, operation_screenshot, "The screen as PNG." },
    { HTTP_PUT, "/v1/guest-ping",  LANE_PROBE, 0, operation_guest_ping,  "Does the guest agent answer?" },
    { HTTP_PUT, "/v1/guest-exec",  LANE_PROBE, 0, operation_guest_exec,  "Run a command in the guest." },
};
// clang-format on

struct api {
    struct launcher *launcher;
    struct http_server *server;
    char *init_path, *path;
    bool is_announced;
    struct loop_timer *heartbeat;
    struct http_call *watchers[WATCHERS_MAX]; /* on the main loop's thread */
    size_t watchers_len;
};

/* A call on its way through a pool.  Two hold it: the worker and the deadline. */
struct request {
    struct launcher *launcher;
    struct http_call *call; /* answered by who sets is_answered first */
    const struct api_route *route;
    json_t *body;
    int deadline_ms;
    struct loop_timer *deadline; /* on the main loop, which outlives the server's */
    atomic_bool is_answered;
};

/* ---- answers ---- */

static void answer_done(struct answer *a)
{
    json_decref(a->json);
    buf_done(&a->bytes);
}

static void reply(struct http_call *c, int result, const struct answer *a, const struct error *e)
{
    if (result < 0)
        http_reply_error(c, e, NULL);
    else if (a->json)
        http_reply_json(c, 200, a->json);
    else
        http_reply(c, 200, a->content_type, a->bytes.data, a->bytes.len);
}

static void request_free(void *arg)
{
    struct request *q = arg;

    if (q->deadline)
        loop_timer_free(q->deadline);
    json_decref(q->body);
    free(q);
}

static void on_deadline(void *arg)
{
    struct request *q = arg;
    struct error e;

    if (atomic_exchange(&q->is_answered, true))
        return;
    error_set(&e, ERR_TIMEOUT, "%s took longer than %d s; it may still happen", q->route->path,
              q->deadline_ms / 1000);
    http_reply_error(q->call, &e, NULL);
}

static void arm_deadline(void *arg)
{
    struct request *q = arg;
    q->deadline = loop_timer_new(launcher_loop(q->launcher), q->deadline_ms, on_deadline, q);
}

static void run_request(void *arg)
{
    struct request *q = arg;
    struct answer a = { 0 };
    struct error e;

    /* A probe whose time went by in the queue is one that nobody waits for: the next one is due. */
    if (q->route->lane != LANE_PROBE || !atomic_load(&q->is_answered)) {
        int r = q->route->run(q->launcher, q->body, &a, &e);
        if (!atomic_exchange(&q->is_answered, true))
            reply(q->call, r, &a, &e);
    }
    answer_done(&a);
    loop_post(launcher_loop(q->launcher), request_free, q);
}

static int deadline_of(const struct api_route *route, const json_t *body)
{
    json_int_t seconds = jpath_int(body, "timeoutSeconds", 1);

    if (route->lane != LANE_PROBE)
        return route->deadline_ms;
    if (seconds < 1 || seconds > GUEST_TIMEOUT_MAX_SECONDS)
        return READ_DEADLINE_MS; /* the operation refuses it */
    return (int)seconds * 1000 + PROBE_SLACK_MS;
}

static void run_later(struct api *a, struct http_call *c, const struct api_route *route,
                      json_t *body)
{
    struct request *q = must_calloc(1, sizeof(*q));
    struct error e;

    q->launcher = a->launcher;
    q->call = c;
    q->route = route;
    q->body = json_incref(body);
    q->deadline_ms = deadline_of(route, body);
    http_keep(c);
    loop_post(launcher_loop(a->launcher), arm_deadline, q); /* before the worker can post its end */
    if (pool_run(launcher_pool(a->launcher, route->lane), run_request, q))
        return;
    loop_post(launcher_loop(a->launcher), request_free, q);
    error_set(&e, ERR_TOO_MANY, "too many calls wait already");
    http_reply_error(c, &e, NULL);
}

static void run_now(struct api *a, struct http_call *c, const struct api_route *route)
{
    struct answer answer = { 0 };
    struct error e;

    int r = route->run(a->launcher, NULL, &answer, &e);
    reply(c, r, &answer, &e);
    answer_done(&answer);
}

/* ---- event streams ---- */

struct watcher {
    struct api *api;
    struct http_call *call;
};

/* False when its reader is gone. */
static bool tell(struct http_call *c, const json_t *domain)
{
    if (!domain)
        return http_stream_write(c, "\n", 1);
    scoped(free) char *text = must_dumps(domain, JSON_COMPACT);
    scoped(free) char *line = must_asprintf("%s\n", text);
    return http_stream_write(c, line, strlen(line));
}

static void tell_all(struct api *a, const json_t *domain)
{
    size_t kept = 0;

    for (size_t i = 0; i < a->watchers_len; i++) {
        if (tell(a->watchers[i], domain))
            a->watchers[kept++] = a->watchers[i];
        else
            http_stream_end(a->watchers[i]);
    }
    a->watchers_len = kept;
}

void api_publish(struct api *a)
{
    json_auto_t *domain = machine_get(launcher_machine(a->launcher));
    if (domain)
        tell_all(a, domain);
}

static void on_heartbeat(void *arg)
{
    struct api *a = arg;

    tell_all(a, NULL);
    loop_timer_set(a->heartbeat, HEARTBEAT_MS);
}

static void add_watcher(void *arg)
{
    scoped(free) struct watcher *w = arg;
    struct api *a = w->api;
    json_auto_t *domain = machine_get(launcher_machine(a->launcher));

    if (a->watchers_len == WATCHERS_MAX || !tell(w->call, domain)) {
        http_stream_end(w->call);
        return;
    }
    a->watchers[a->watchers_len++] = w->call;
}

static void begin_stream(struct api *a, struct http_call *c)
{
    struct watcher *w = must_calloc(1, sizeof(*w));

    w->api = a;
    w->call = c;
    http_stream_begin(c, 200, "application/x-ndjson");
    loop_post(launcher_loop(a->launcher), add_watcher, w);
}

/* ---- routing ---- */

static const struct api_route *find_route(const struct http_call *c, struct error *e)
{
    bool is_path = false;

    for (size_t i = 0; i < countof(routes); i++) {
        if (!streq(routes[i].path, http_call_path(c)))
            continue;
        is_path = true;
        if (routes[i].method == http_call_method(c))
            return &routes[i];
    }
    error_set(e, is_path ? ERR_METHOD_NOT_ALLOWED : ERR_NOT_FOUND, "%s %s",
              http_method_name(http_call_method(c)), http_call_path(c));
    return NULL;
}

static int read_body(const struct http_call *c, json_t **ret, struct error *e)
{
    size_t len;
    const void *body = http_call_body(c, &len);

    return len == 0 ? 0 : json_parse(ret, body, len, e);
}

bool api_may_call(enum api_caller caller, uid_t uid, pid_t pid)
{
    switch (caller) {
    case CALLER_PROBE:
        /* A process that this one's PID namespace does not hold is seen as 0. */
        return uid == geteuid() && pid > 0;
    case CALLER_NODE:
        return uid == 0 || uid == geteuid();
    }
    return false;
}

static int check_peer(const struct api_route *route, const struct http_call *c, struct error *e)
{
    enum api_caller caller = route->lane == LANE_PROBE ? CALLER_PROBE : CALLER_NODE;
    uid_t uid = http_call_peer_uid(c);

    if (api_may_call(caller, uid, http_call_peer_pid(c)))
        return 0;
    return error_set(e, ERR_FORBIDDEN, "user %d may not call %s%s", (int)uid, route->path,
                     caller == CALLER_PROBE ? " from outside of the container" : "");
}

static void on_call(struct http_call *c, void *ctx)
{
    struct api *a = ctx;
    json_auto_t *body = NULL;
    struct error e;

    const struct api_route *route = find_route(c, &e);
    int r = route ? check_peer(route, c, &e) : -(int)e.code;
    if (r >= 0)
        r = read_body(c, &body, &e);
    if (r < 0)
        http_reply_error(c, &e, NULL);
    else if (!route->run)
        begin_stream(a, c);
    else if (route->lane == LANE_NOW)
        run_now(a, c, route);
    else
        run_later(a, c, route, body);
}

/* ---- life ---- */

int api_start(struct api **ret, struct launcher *l, const char *dir, struct error *e)
{
    struct api *a = must_calloc(1, sizeof(*a));

    a->launcher = l;
    a->init_path = must_asprintf("%s/launcher-init-sock", dir);
    a->path = must_asprintf("%s/launcher-sock", dir);
    *ret = a;
    int r = make_dirs(dir, e);
    if (r < 0)
        return r;
    const struct http_server_options options = {
        .name = "api",
        .unix_path = a->init_path,
        .handler = on_call,
        .ctx = a,
        .connections_max = 64,
    };
    r = http_server_start(&a->server, &options, e);
    if (r < 0)
        return r;
    a->heartbeat = loop_timer_new(launcher_loop(l), HEARTBEAT_MS, on_heartbeat, a);
    return 0;
}

int api_announce(struct api *a, struct error *e)
{
    if (a->is_announced)
        return 0;
    if (rename(a->init_path, a->path) < 0)
        return error_set(e, ERR_INTERNAL, "rename \"%s\": %s", a->init_path, strerror(errno));
    a->is_announced = true;
    return 0;
}

void api_free(struct api *a)
{
    if (!a)
        return;
    for (size_t i = 0; i < a->watchers_len; i++)
        http_stream_end(a->watchers[i]);
    a->watchers_len = 0;
    if (a->server) {
        http_server_drain(a->server, DRAIN_MS);
        http_server_free(a->server);
    }
    if (a->is_announced)
        (void)unlink(a->path);
    if (a->heartbeat)
        loop_timer_free(a->heartbeat);
    free(a->init_path);
    free(a->path);
    free(a);
}
