/* SPDX-License-Identifier: Apache-2.0 */
/* Serving devices to the kubelet. */
#include "handler/device_plugin.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "base/log.h"
#include "base/loop.h"
#include "base/must.h"
#include "base/scope.h"
#include "base/str.h"
#include "handler/grpc_client.h"
#include "handler/grpc_server.h"

enum { REGISTER_MS = 10 * 1000, SETTLE_MS = 200, SPARE_LEN = 6 };

/* Seconds to wait after the n-th registration in a row that did not succeed; the last stays. */
static const int64_t backoff_ms[] = { 1000, 2000, 5000, 10000 };

const struct plugin_device plugin_devices[PLUGIN_DEVICES] = {
    { "kvm", "/dev/kvm", "devices.kubevirt.io/kvm", NULL },
    { "tun", "/dev/net/tun", "devices.kubevirt.io/tun", NULL },
    { "vhost-net", "/dev/vhost-net", "devices.kubevirt.io/vhost-net", NULL },
    { "vhost-vsock", "/dev/vhost-vsock", "devices.kubevirt.io/vhost-vsock", "VSOCK" },
};

struct plugin {
    struct device_plugins *all;
    const struct plugin_device *device;
    char *endpoint; /* the socket's name */
    char *path;     /* and its path */
    struct grpc_server *server;
    struct grpc_call *registration; /* on its way */
    struct loop_timer *retry;
    size_t failures;
    bool is_offered;
    bool is_healthy;
    atomic_bool is_settled; /* registered, or not offered */
};

struct device_plugins {
    struct device_plugin_options o;
    struct loop *loop;
    char *plugins_dir, *kubelet_socket;
    const char *permissions;
    int inotify_fd;
    struct loop_io *inotify_io;
    sem_t is_done;
    struct plugin *plugins;
};

/* ---- what the kubelet asks ---- */

static void pack_list(const struct plugin *p, struct buf *out)
{
    plugin_pack_list(p->device, p->all->o.max_devices, p->is_healthy, out);
}

/* No option is set: an empty message is the answer. */
static enum grpc_status answer_options(const void *request, size_t len, struct buf *reply,
                                       void *ctx)
{
    return GRPC_OK;
}

static void on_list_opened(struct grpc_stream *s, void *ctx)
{
    scoped_buf list = BUF_INIT(0);

    pack_list(ctx, &list);
    grpc_stream_send(s, list.data ? list.data : "", list.len);
}

static enum grpc_status answer_allocate(const void *request, size_t len, struct buf *reply,
                                        void *ctx)
{
    const struct plugin *p = ctx;

    return plugin_pack_allocation(p->device, request, len, p->all->permissions, reply)
               ? GRPC_OK
               : GRPC_INVALID_ARGUMENT;
}

static const struct grpc_method methods[] = {
    { "/v1beta1.DevicePlugin/GetDevicePluginOptions", .unary = answer_options },
    { "/v1beta1.DevicePlugin/ListAndWatch", .opened = on_list_opened },
    { "/v1beta1.DevicePlugin/Allocate", .unary = answer_allocate },
    { "/v1beta1.DevicePlugin/PreStartContainer", .unary = answer_options },
    { "/v1beta1.DevicePlugin/GetPreferredAllocation", .unary = answer_options },
};

/* ---- registration ---- */

static void set_settled(struct plugin *p, bool is_settled)
{
    if (atomic_exchange(&p->is_settled, is_settled) != is_settled && p->all->o.changed)
        p->all->o.changed(p->all->o.ctx);
}

static void retry_later(struct plugin *p, const char *why)
{
    size_t step = p->failures < countof(backoff_ms) ? p->failures : countof(backoff_ms) - 1;

    p->failures++;
    log_warn("device plugin is not registered, tried again", "resource", p->device->resource, "why",
             why, "in_ms", log_i(backoff_ms[step]));
    loop_timer_set(p->retry, backoff_ms[step]);
}

/* kubevirt-NAME.sock, or kubevirt-NAME-xxxxxx.sock. */
static void name_endpoint(struct plugin *p, bool is_spare)
{
    char suffix[SPARE_LEN + 1] = "";

    if (is_spare)
        random_suffix(suffix, SPARE_LEN);
    free(p->endpoint);
    free(p->path);
    p->endpoint =
        must_asprintf("kubevirt-%s%s%s.sock", p->device->name, is_spare ? "-" : "", suffix);
    p->path = must_asprintf("%s/%s", p->all->plugins_dir, p->endpoint);
}

/*
 * The kubelet (seen with 1.37) refuses a socket that it believes to be connected,
 * and then forgets the client whose end would correct that belief: the name stays
 * unusable until the kubelet restarts.  Another name is all it takes.
 */
static bool name_is_spoilt(enum grpc_status status)
{
    return status != GRPC_UNAVAILABLE && status != GRPC_DEADLINE_EXCEEDED;
}

static void on_registered(enum grpc_status status, const char *message, void *arg)
{
    struct plugin *p = arg;

    p->registration = NULL;
    if (status != GRPC_OK) {
        retry_later(p, *message ? message : "refused by the kubelet");
        if (name_is_spoilt(status)) {
            grpc_server_stop(TAKE(p->server));
            name_endpoint(p, true);
        }
        return;
    }
    p->failures = 0;
    log_info("device plugin registered", "resource", p->device->resource);
    set_settled(p, true);
}

/* Listen anew and tell the kubelet: whatever was open belongs to a kubelet that is gone. */
static void serve_and_register(void *arg)
{
    struct plugin *p = arg;
    struct error e;
    scoped_buf request = BUF_INIT(0);

    set_settled(p, false);
    grpc_call_cancel(TAKE(p->registration));
    grpc_server_stop(TAKE(p->server));
    if (grpc_server_start(&p->server, p->all->loop, p->path, methods, countof(methods), p, &e) <
        0) {
        retry_later(p, e.msg);
        return;
    }
    plugin_pack_register(p->device, p->endpoint, &request);
    p->registration =
        grpc_call_start(p->all->loop, p->all->kubelet_socket, "/v1beta1.Registration/Register",
                        request.data, request.len, REGISTER_MS, on_registered, p);
}

/* ---- health and the kubelet's restarts ---- */

static bool device_is_there(const struct plugin_device *d)
{
    /* Opening a device node that the kernel announces in advance loads its module. */
    scoped_fd int fd = open(d->path, O_RDWR | O_CLOEXEC | O_NONBLOCK);

    return fd >= 0 || access(d->path, F_OK) == 0;
}

static void look_at_device(struct plugin *p)
{
    bool is_healthy = device_is_there(p->device);
    scoped_buf list = BUF_INIT(0);

    if (is_healthy == p->is_healthy)
        return;
    p->is_healthy = is_healthy;
    log_info("device changed", "resource", p->device->resource, "healthy",
             is_healthy ? "true" : "false");
    if (!p->server)
        return;
    pack_list(p, &list);
    grpc_server_broadcast(p->server, list.data ? list.data : "", list.len);
}

/* Closed now, registered a little later: the kubelet has to see the end of the old connection
 * first. */
static void start_over(struct plugin *p)
{
    set_settled(p, false);
    grpc_server_stop(TAKE(p->server));
    p->failures = 0;
    loop_timer_set(p->retry, SETTLE_MS);
}

/* Sockets under spare names that a killed process left behind. */
static void sweep(const struct device_plugins *ps)
{
    DIR *d = opendir(ps->plugins_dir);

    for (const struct dirent *entry = d ? readdir(d) : NULL; entry; entry = readdir(d)) {
        for (size_t i = 0; i < ps->o.count; i++) {
            scoped(free) char *prefix = must_asprintf("kubevirt-%s-", ps->o.devices[i].name);

            if (str_has_prefix(entry->d_name, prefix) && str_has_suffix(entry->d_name, ".sock"))
                (void)unlinkat(dirfd(d), entry->d_name, 0);
        }
    }
    if (d)
        (void)closedir(d);
}

static void on_file(struct device_plugins *ps, const struct inotify_event *event)
{
    bool is_kubelet = event->len > 0 && streq(event->name, "kubelet.sock");

    for (size_t i = 0; i < ps->o.count; i++) {
        struct plugin *p = &ps->plugins[i];
        bool is_own = event->len > 0 && streq(event->name, p->endpoint);

        if (!p->is_offered)
            continue;
        /* Our socket removed by another, or a new kubelet: start over, once things have settled. */
        if (is_kubelet && (event->mask & IN_CREATE)) {
            grpc_server_stop(TAKE(p->server));
            name_endpoint(p, false);
            start_over(p);
        } else if (is_own && (event->mask & IN_DELETE) && p->server && access(p->path, F_OK) < 0) {
            start_over(p);
        }
        look_at_device(p);
    }
}

static void on_inotify(struct loop_io *io, int events, void *arg)
{
    struct device_plugins *ps = arg;
    char data[4096] __attribute__((aligned(__alignof__(struct inotify_event))));
    ssize_t n = read(ps->inotify_fd, data, sizeof(data));

    for (ssize_t at = 0; at < n;) {
        const struct inotify_event *event = (const struct inotify_event *)(data + at);

        on_file(ps, event);
        at += (ssize_t)sizeof(*event) + event->len;
    }
}

static void watch_files(struct device_plugins *ps)
{
    ps->inotify_fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (ps->inotify_fd < 0 ||
        inotify_add_watch(ps->inotify_fd, ps->plugins_dir, IN_CREATE | IN_DELETE) < 0) {
        log_warn("restarts of the kubelet will not be noticed", "why", strerror(errno));
    }
    if (ps->inotify_fd < 0)
        return;
    for (size_t i = 0; i < ps->o.count; i++) {
        const char *path = ps->o.devices[i].path;
        scoped(free) char *dir = must_strndup(path, (size_t)(strrchr(path, '/') - path));

        (void)inotify_add_watch(ps->inotify_fd, dir,
                                IN_CREATE | IN_DELETE); /* absent: stays unhealthy */
    }
    ps->inotify_io = loop_io_new(ps->loop, ps->inotify_fd, LOOP_READ, on_inotify, ps);
}

/* ---- gates ---- */

static void offer(struct plugin *p)
{
    p->is_offered = true;
    p->is_healthy = device_is_there(p->device);
    p->failures = 0;
    serve_and_register(p);
}

/* The kubelet keeps the resource, with none of it, and forgets it at its next restart. */
static void withdraw(struct plugin *p)
{
    p->is_offered = false;
    loop_timer_set(p->retry, -1);
    grpc_call_cancel(TAKE(p->registration));
    if (p->server)
        grpc_server_broadcast(p->server, "", 0);
    grpc_server_stop(TAKE(p->server));
    set_settled(p, true);
}

static void review(void *arg)
{
    struct device_plugins *ps = arg;

    for (size_t i = 0; i < ps->o.count; i++) {
        struct plugin *p = &ps->plugins[i];
        bool is_wanted = !ps->o.is_wanted || ps->o.is_wanted(p->device, ps->o.ctx);

        if (is_wanted && !p->is_offered)
            offer(p);
        else if (!is_wanted && (p->is_offered || !atomic_load(&p->is_settled)))
            withdraw(p);
    }
}

void device_plugins_review(struct device_plugins *ps)
{
    loop_post(ps->loop, review, ps);
}

/* ---- life ---- */

static void begin(void *arg)
{
    struct device_plugins *ps = arg;

    sweep(ps);
    watch_files(ps);
    for (size_t i = 0; i < ps->o.count; i++)
        ps->plugins[i].retry = loop_timer_new(ps->loop, -1, serve_and_register, &ps->plugins[i]);
    review(ps);
}

struct device_plugins *device_plugins_start(const struct device_plugin_options *o)
{
    struct device_plugins *ps = must_calloc(1, sizeof(*ps));

    ps->o = *o;
    ps->inotify_fd = -1;
    ps->permissions = access("/sys/fs/cgroup/cgroup.controllers", F_OK) == 0 ? "rwm" : "rw";
    ps->plugins_dir = must_strdup(o->plugins_dir);
    ps->kubelet_socket = must_asprintf("%s/kubelet.sock", o->plugins_dir);
    must(sem_init(&ps->is_done, 0, 0) == 0);
    ps->plugins = must_calloc(o->count, sizeof(*ps->plugins));
    for (size_t i = 0; i < o->count; i++) {
        struct plugin *p = &ps->plugins[i];

        p->all = ps;
        p->device = &o->devices[i];
        name_endpoint(p, false);
    }
    ps->loop = loop_new("device-plugins");
    loop_start(ps->loop);
    loop_post(ps->loop, begin, ps);
    return ps;
}

static void end(void *arg)
{
    struct device_plugins *ps = arg;

    if (ps->inotify_io)
        loop_io_free(ps->inotify_io);
    for (size_t i = 0; i < ps->o.count; i++) {
        struct plugin *p = &ps->plugins[i];

        loop_timer_free(p->retry);
        grpc_call_cancel(p->registration);
        if (p->server)
            grpc_server_broadcast(p->server, "", 0); /* an empty list */
        grpc_server_stop(p->server);
    }
    must(sem_post(&ps->is_done) == 0);
}

void device_plugins_stop(struct device_plugins *ps)
{
    if (!ps)
        return;
    loop_post(ps->loop, end, ps);
    while (sem_wait(&ps->is_done) < 0 && errno == EINTR) {
    }
    loop_free(ps->loop);
    for (size_t i = 0; i < ps->o.count; i++) {
        free(ps->plugins[i].endpoint);
        free(ps->plugins[i].path);
    }
    if (ps->inotify_fd >= 0)
        (void)close(ps->inotify_fd);
    (void)sem_destroy(&ps->is_done);
    free(ps->plugins);
    free(ps->plugins_dir);
    free(ps->kubelet_socket);
    free(ps);
}

bool device_plugins_are_registered(struct device_plugins *ps)
{
    for (size_t i = 0; i < ps->o.count; i++) {
        if (!atomic_load(&ps->plugins[i].is_settled))
            return false;
    }
    return true;
}
