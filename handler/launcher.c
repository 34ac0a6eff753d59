/* SPDX-License-Identifier: Apache-2.0 */
/* Reaching a launcher, watching its domain, telling silence from death. */
#include "handler/launcher.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/jpath.h"
#include "base/log.h"
#include "base/must.h"
#include "base/str.h"
#include "handler/arrivals.h"
#include "handler/podfs.h"

enum {
    CALL_MS = 25 * 1000,        /* the launcher answers within 20 s */
    READ_MS = 8 * 1000,         /* and reads within 5 s */
    STREAM_IDLE_MS = 40 * 1000, /* it writes a line at least every 15 s */
    COMING_UP_MS = 3 * 60 * 1000,
    BACKOFF_MIN_MS = 200,
    BACKOFF_MAX_MS = 5000,
    DOMAIN_BYTES_MAX = 1024 * 1024,
};

struct launcher {
    atomic_int refs;
    char *key, *vmi_uid, *pod_uid;
    const char *pods_dir;
    int64_t watchdog_ms;
    const struct clock *clock;
    struct http_watcher *watcher;
    launcher_changed_fn *changed;
    void *ctx;

    /* of the worker that holds the key */
    int64_t first_look_ms;
    int64_t refused_since_ms; /* -1: not refused */
    bool was_ready, was_seen; /* its socket answered; its pod's directory was there */
    int pid_fd;               /* pidfd of the process that listens; -1 */

    pthread_mutex_t lock;
    /* guarded by lock */
    int socket_fd;              /* O_PATH; -1 until found */
    struct http_client *client; /* speaks to socket_fd; both stay until the end */
    struct http_watch *watch;
    int64_t next_watch_ms;
    int64_t backoff_ms;
    enum domain_knowledge knowledge;
    json_t *domain;
    bool is_stopped;
};

struct launcher *launcher_new(const struct launcher_options *o)
{
    struct launcher *l = must_calloc(1, sizeof(*l));

    atomic_init(&l->refs, 1);
    l->key = must_strdup(o->key);
    l->vmi_uid = must_strdup(o->vmi_uid);
    l->pod_uid = must_strdup(o->pod_uid);
    l->pods_dir = o->pods_dir;
    l->watchdog_ms = o->watchdog_ms;
    l->was_ready = o->was_ready;
    l->clock = o->clock;
    l->watcher = o->watcher;
    l->changed = o->changed;
    l->ctx = o->ctx;
    l->first_look_ms = clock_mono_ms(o->clock);
    l->refused_since_ms = -1;
    l->pid_fd = -1;
    l->socket_fd = -1;
    l->backoff_ms = BACKOFF_MIN_MS;
    must(pthread_mutex_init(&l->lock, NULL) == 0);
    return l;
}

struct launcher *launcher_ref(struct launcher *l)
{
    atomic_fetch_add(&l->refs, 1);
    return l;
}

void launcher_unref(struct launcher *l)
{
    if (!l || atomic_fetch_sub(&l->refs, 1) != 1)
        return;
    http_client_free(l->client);
    if (l->socket_fd >= 0)
        (void)close(l->socket_fd);
    if (l->pid_fd >= 0)
        (void)close(l->pid_fd);
    json_decref(l->domain);
    pthread_mutex_destroy(&l->lock);
    free(l->key);
    free(l->vmi_uid);
    free(l->pod_uid);
    free(l);
}

void launcher_stop(struct launcher *l)
{
    if (!l)
        return;
    pthread_mutex_lock(&l->lock);
    l->is_stopped = true;
    if (l->watch)
        http_watch_stop(l->watch);
    pthread_mutex_unlock(&l->lock);
    launcher_unref(l);
}

const char *launcher_key(const struct launcher *l)
{
    return l->key;
}

const char *launcher_vmi_uid(const struct launcher *l)
{
    return l->vmi_uid;
}

const char *launcher_pod_uid(const struct launcher *l)
{
    return l->pod_uid;
}

/* ---- the domain's state ---- */

/* Take over what was said, unless something newer is known. */
static bool remember(struct launcher *l, json_t *domain)
{
    bool is_news = false;

    if (!jpath_has(domain, "state"))
        return false;
    pthread_mutex_lock(&l->lock);
    json_int_t known = jpath_int(l->domain, "revision", -1);
    if (!l->domain || jpath_int(domain, "revision", 0) >= known) {
        is_news = !l->domain || !json_equal(l->domain, domain);
        json_decref(l->domain);
        l->domain = json_incref(domain);
        l->knowledge = DOMAIN_KNOWN;
    }
    pthread_mutex_unlock(&l->lock);
    return is_news;
}

static void on_line(const char *line, size_t len, void *ctx)
{
    struct launcher *l = ctx;
    json_auto_t *domain = NULL;
    struct error e;

    pthread_mutex_lock(&l->lock);
    l->backoff_ms = BACKOFF_MIN_MS;
    pthread_mutex_unlock(&l->lock);
    if (len == 0)
        return;
    if (len > DOMAIN_BYTES_MAX || json_parse(&domain, line, len, &e) < 0) {
        log_warn("launcher said what is not a domain; ignored", "vmi", l->key);
        return;
    }
    if (remember(l, domain))
        l->changed(l->key, l->ctx);
}

static void on_end(int status, const struct error *why, void *ctx)
{
    struct launcher *l = ctx;

    pthread_mutex_lock(&l->lock);
    l->watch = NULL;
    l->next_watch_ms = clock_mono_ms(l->clock) + l->backoff_ms;
    l->backoff_ms = l->backoff_ms * 2 > BACKOFF_MAX_MS ? BACKOFF_MAX_MS : l->backoff_ms * 2;
    bool is_stopped = l->is_stopped;
    pthread_mutex_unlock(&l->lock);

    if (!is_stopped)
        l->changed(l->key, l->ctx);
    launcher_unref(l);
}

static const struct http_watch_events stream_events = { .on_line = on_line, .on_end = on_end };

static void watch_if_due(struct launcher *l)
{
    const struct http_request q = { .method = HTTP_GET, .path = "/v1/events", .timeout_ms = 0 };

    pthread_mutex_lock(&l->lock);
    if (!l->watch && !l->is_stopped && l->client && clock_mono_ms(l->clock) >= l->next_watch_ms) {
        l->watch = http_watch_start(l->watcher, l->client, &q, STREAM_IDLE_MS, &stream_events,
                                    launcher_ref(l));
    }
    pthread_mutex_unlock(&l->lock);
}

bool launcher_is_watched(struct launcher *l)
{
    pthread_mutex_lock(&l->lock);
    bool is_watched = l->watch != NULL;
    pthread_mutex_unlock(&l->lock);
    return is_watched;
}

json_t *launcher_last_domain(struct launcher *l)
{
    pthread_mutex_lock(&l->lock);
    json_t *domain = json_incref(l->domain);
    pthread_mutex_unlock(&l->lock);
    return domain;
}

enum domain_knowledge launcher_domain(struct launcher *l, json_t **ret)
{
    pthread_mutex_lock(&l->lock);
    enum domain_knowledge knowledge = l->knowledge;
    *ret = json_incref(l->domain);
    pthread_mutex_unlock(&l->lock);
    if (knowledge == DOMAIN_KNOWN)
        return knowledge;

    struct error e;
    json_auto_t *answer = NULL;
    int r = launcher_call(l, HTTP_GET, "/v1/domain", NULL, &answer, &e);
    if (r < 0)
        return e.code == ERR_NOT_FOUND ? DOMAIN_NONE : DOMAIN_UNKNOWN;
    (void)remember(l, answer);
    *ret = launcher_last_domain(l);
    return *ret ? DOMAIN_KNOWN : DOMAIN_UNKNOWN;
}

/* ---- is it there? ---- */

/* Keep hold of the process behind a connection, so that its end is seen as a fact. */
static void hold_process(struct launcher *l, int connection)
{
    struct ucred peer;
    socklen_t len = sizeof(peer);

    if (l->pid_fd >= 0 || getsockopt(connection, SOL_SOCKET, SO_PEERCRED, &peer, &len) < 0)
        return;
    if (peer.pid > 0)
        l->pid_fd = (int)syscall(SYS_pidfd_open, peer.pid, 0);
}

static bool process_is_gone(const struct launcher *l)
{
    struct pollfd p = { .fd = l->pid_fd, .events = POLLIN };

    return l->pid_fd >= 0 && poll(&p, 1, 0) == 1 && (p.revents & POLLIN);
}

static int find_socket(struct launcher *l, struct error *e)
{
    char path[PODFS_SOCKET_PATH_MAX];

    if (l->socket_fd >= 0)
        return 0;
    scoped_fd int dir = podfs_open_volume(l->pods_dir, l->pod_uid, "sockets", e);
    if (dir < 0)
        return dir;
    int fd = podfs_open_socket(dir, "launcher-sock", e);
    if (fd < 0)
        return fd;

    const struct http_client_options o = {
        .base_url = "http://launcher",
        .unix_path = podfs_socket_path(fd, path),
        .user_agent = "virt-handler",
        .connect_timeout_ms = 5000,
    };
    pthread_mutex_lock(&l->lock);
    l->client = http_client_new(&o);
    l->socket_fd = fd;
    pthread_mutex_unlock(&l->lock);
    return 0;
}

/* Its socket is not there: before it ever was, that is a launcher coming up. */
static enum launcher_state without_socket(struct launcher *l, int64_t now)
{
    struct error why;
    int exists = podfs_pod_exists(l->pods_dir, l->pod_uid, &why);

    if (exists == 1)
        l->was_seen = true;
    /* A directory that was never there says more of our view of the node than of the pod. */
    if (exists == 0 && (l->was_seen || l->was_ready))
        return LAUNCHER_GONE;
    if (!l->was_ready)
        return now - l->first_look_ms > COMING_UP_MS ? LAUNCHER_UNRESPONSIVE : LAUNCHER_ABSENT;
    if (l->refused_since_ms < 0)
        l->refused_since_ms = now;
    return now - l->refused_since_ms > l->watchdog_ms ? LAUNCHER_UNRESPONSIVE : LAUNCHER_SILENT;
}

static enum launcher_state refused(struct launcher *l, int64_t now)
{
    struct error why;

    if (process_is_gone(l) || podfs_pod_exists(l->pods_dir, l->pod_uid, &why) == 0)
        return LAUNCHER_GONE;
    if (l->refused_since_ms < 0)
        l->refused_since_ms = now;
    return now - l->refused_since_ms > l->watchdog_ms ? LAUNCHER_UNRESPONSIVE : LAUNCHER_SILENT;
}

enum launcher_state launcher_look(struct launcher *l, struct error *e)
{
    int64_t now = clock_mono_ms(l->clock);

    if (find_socket(l, e) < 0)
        return e->code == ERR_NOT_FOUND ? without_socket(l, now) : LAUNCHER_SILENT;

    scoped_fd int connection = podfs_connect(l->socket_fd, e);
    if (connection < 0 && e->code == ERR_UNAVAILABLE)
        return refused(l, now);
    /* A full backlog is a busy launcher: it is alive, and no watchdog runs. */
    l->refused_since_ms = -1;
    if (connection < 0)
        return LAUNCHER_SILENT;
    l->was_ready = true;
    hold_process(l, connection);
    watch_if_due(l);
    return LAUNCHER_READY;
}

void launcher_await(struct launcher *l, struct arrivals *a)
{
    struct error e;
    scoped_fd int dir = podfs_open_volume(l->pods_dir, l->pod_uid, "sockets", &e);

    if (dir >= 0)
        arrivals_watch(a, dir, l->key);
}

int launcher_open_proc(struct launcher *l, struct error *e)
{
    char path[40];
    struct ucred peer;
    socklen_t len = sizeof(peer);

    if (l->socket_fd < 0)
        return error_set(e, ERR_UNAVAILABLE, "launcher's socket is not there yet");
    scoped_fd int connection = podfs_connect(l->socket_fd, e);
    if (connection < 0)
        return error_wrap(e, "launcher");
    if (getsockopt(connection, SOL_SOCKET, SO_PEERCRED, &peer, &len) < 0 || peer.pid <= 0)
        return error_set(e, ERR_INTERNAL, "launcher's process is not visible from here");

    (void)snprintf(path, sizeof(path), "/proc/%d", (int)peer.pid);
    scoped_fd int proc = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (proc < 0)
        return error_set(e, ERR_UNAVAILABLE, "open '%s': %s", path, strerror(errno));
    hold_process(l, connection);
    if (process_is_gone(l))
        return error_set(e, ERR_UNAVAILABLE, "launcher's process has ended");
    return TAKE_FD(proc);
}

/* ---- calls ---- */

static struct http_client *client_of(struct launcher *l, struct error *e)
{
    pthread_mutex_lock(&l->lock);
    struct http_client *client = l->client;
    pthread_mutex_unlock(&l->lock);
    if (!client)
        error_set(e, ERR_UNAVAILABLE, "launcher's socket is not there yet");
    return client;
}

static int refusal(const struct http_response *r, struct error *e)
{
    json_auto_t *status = NULL;
    struct error ignored;

    (void)json_parse(&status, r->body.data, r->body.len, &ignored);
    return error_set(e, error_from_http(r->status, jpath_str(status, "reason", NULL)),
                     "launcher: %s", jpath_str(status, "message", http_status_text(r->status)));
}

int launcher_fetch(struct launcher *l, const char *path, struct http_response *ret, struct error *e)
{
    const struct http_request q = { .method = HTTP_GET, .path = path, .timeout_ms = CALL_MS };
    struct http_client *client = client_of(l, e);
    *ret = (struct http_response){ 0 };

    if (!client)
        return -(int)e->code;
    int r = http_client_do(client, &q, ret, e);
    if (r < 0)
        return error_wrap(e, "launcher");
    return ret->status / 100 == 2 ? 0 : refusal(ret, e);
}

int launcher_call(struct launcher *l, enum http_method method, const char *path, const json_t *body,
                  json_t **ret, struct error *e)
{
    scoped(free) char *text = body ? must_dumps(body, 0) : NULL;
    const struct http_request q = {
        .method = method,
        .path = path,
        .body = text,
        .body_len = text ? strlen(text) : 0,
        .content_type = text ? "application/json" : NULL,
        .timeout_ms = method == HTTP_GET ? READ_MS : CALL_MS,
        .response_max_bytes = 4 * (size_t)DOMAIN_BYTES_MAX,
    };
    __attribute__((cleanup(http_response_done))) struct http_response answer = { 0 };
    json_auto_t *value = NULL;
    struct http_client *client = client_of(l, e);

    if (!client)
        return -(int)e->code;
    int r = http_client_do(client, &q, &answer, e);
    if (r < 0)
        return error_wrap(e, "launcher");
    if (answer.status / 100 != 2)
        return refusal(&answer, e);
    if (answer.body.len > 0 && json_parse(&value, answer.body.data, answer.body.len, e) < 0)
        return error_wrap(e, "launcher's answer");
    if (streq(path, "/v1/sync") && value)
        (void)remember(l, value);
    if (ret)
        *ret = TAKE(value);
    return 0;
}
