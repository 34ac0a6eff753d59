/* SPDX-License-Identifier: Apache-2.0 */
/*
 * virt-controller: options, client, listener, informers, then the lease.  The
 * main thread runs a loop for signals, the certificate's files and the wait for
 * warm stores; docs/THREADS.md lists the others.  A lost lease ends the process
 * at once: another one may be writing already.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/heap.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/must.h"
#include "base/scope.h"
#include "base/str.h"
#include "controller/controllers.h"
#include "controller/server.h"
#include "controller/settings.h"
#include "controller/vmi_metrics.h"
#include "kube/lease.h"

enum { CERT_POLL_MS = 5000, SYNC_POLL_MS = 50, HOST_MAX = 256 };

struct program {
    struct settings settings;
    struct context ctx;
    char namespace[254];
    char identity[HOST_MAX];
    struct loop *loop;
    struct loop_timer *cert_timer, *sync_timer;
    struct loop_io *signals;
    struct kube_config *config;
    struct server *server;
    struct controllers *controllers;
    struct lease *lease;
};

/* ---- leading ---- */

static void begin_leading(void *arg)
{
    struct program *p = arg;
    log_info("leading", "identity", p->identity);
    controllers_start(p->controllers);
    server_set_leading(p->server, true);
    controller_metrics_leading(true);
}

/* Workers are started and stopped by the main thread alone, so that an early SIGTERM finds either
 * none or all. */
static void on_started(void *arg)
{
    struct program *p = arg;
    loop_post(p->loop, begin_leading, p);
}

static void on_lost(void *arg)
{
    struct program *p = arg;
    log_error("lease lost, ending", "identity", p->identity);
    _exit(1);
}

static void stand_for_election(struct program *p)
{
    const struct lease_options options = {
        .namespace = p->namespace,
        .name = "virt-controller",
        .identity = p->identity,
        .duration_ms = p->settings.lease_duration_ms,
        .renew_deadline_ms = p->settings.renew_deadline_ms,
        .retry_ms = p->settings.retry_period_ms,
        .on_started = on_started,
        .on_lost = on_lost,
        .ctx = p,
    };
    controller_metrics_ready(true);
    log_info("stores are warm, standing for election", "ns", p->namespace);
    p->lease = lease_start(p->ctx.kube, &options);
}

/* ---- the main loop ---- */

static void on_sync_timer(void *arg)
{
    struct program *p = arg;
    if (controllers_are_synced(p->controllers))
        stand_for_election(p);
    else
        loop_timer_set(p->sync_timer, SYNC_POLL_MS);
}

static void on_cert_timer(void *arg)
{
    struct program *p = arg;
    server_poll_certificate(p->server);
    heap_give_back();
    loop_timer_set(p->cert_timer, CERT_POLL_MS);
}

static void on_signal(struct loop_io *io, int events, void *arg)
{
    struct program *p = arg;
    log_info("asked to end");
    loop_io_set(io, 0);
    loop_stop(p->loop);
}

static int block_signals(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    must(sigprocmask(SIG_BLOCK, &set, NULL) == 0);
    signal(SIGPIPE, SIG_IGN);
    int fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    must(fd >= 0);
    return fd;
}

/* ---- start ---- */

static int connect_api(struct program *p, struct error *e)
{
    const struct kube_config_request request = {
        .kubeconfig = p->settings.kubeconfig,
        .master = p->settings.master,
        .user_agent = "virt-controller",
        .must_be_explicit = true,
    };
    int r = kube_config_load(&p->config, &request, e);
    if (r < 0)
        return error_wrap(e, "credentials");
    p->ctx.kube = kube_new(p->config);
    return 0;
}

/* The service account's own, or what a kubeconfig says beyond the default, or upstream's name. */
static const char *installation_namespace(const struct program *p)
{
    const char *of_config = kube_config_namespace(p->config);
    if (p->settings.namespace[0])
        return p->settings.namespace;
    if (kube_config_is_in_cluster(p->config) || !streq(of_config, "default"))
        return of_config;
    return "kubevirt";
}

/* A pod's host name is its own; outside, several processes may share one. */
static void set_identity(struct program *p)
{
    char host[HOST_MAX] = "";
    char unique[37];
    (void)gethostname(host, sizeof(host) - 1);
    uuid_v4(unique);
    int n = kube_config_is_in_cluster(p->config) && host[0]
                ? snprintf(p->identity, sizeof(p->identity), "%s", host)
                : snprintf(p->identity, sizeof(p->identity), "%.200s_%s", host, unique);
    must(n > 0);
}

static int start(struct program *p, struct error *e)
{
    int r = connect_api(p, e);
    if (r < 0)
        return r;
    must(snprintf(p->namespace, sizeof(p->namespace), "%s", installation_namespace(p)) > 0);
    set_identity(p);

    r = server_start(&p->server, &p->settings, p->namespace, e);
    if (r < 0)
        return error_wrap(e, "listen on %s:%lld", p->settings.listen, p->settings.port);
    log_info("listening", "port", log_i(server_port(p->server)));

    p->ctx.settings = &p->settings;
    p->ctx.namespace = p->namespace;
    p->ctx.clock = &clock_real;
    p->controllers = controllers_new(&p->ctx);
    p->sync_timer = loop_timer_new(p->loop, 0, on_sync_timer, p);
    p->cert_timer = loop_timer_new(p->loop, CERT_POLL_MS, on_cert_timer, p);
    return 0;
}

static void finish(struct program *p)
{
    controllers_stop_working(p->controllers);
    if (p->lease)
        lease_stop(p->lease);
    controllers_free(p->controllers);
    server_stop(p->server);
    kube_free(p->ctx.kube);
    kube_config_free(p->config);
    loop_free(p->loop);
}

int main(int argc, char **argv)
{
    struct program p = { 0 };
    struct error e;

    heap_stay_small(HEAP_ARENAS_DEFAULT);
    int r = options_parse(&settings_program, &p.settings, argc, argv, NULL, &e);
    if (r == OPTIONS_DONE)
        return 0;
    if (r < 0) {
        (void)fprintf(stderr, "virt-controller: %s\n", e.msg);
        return 2;
    }
    log_init("virt-controller", (int)p.settings.verbosity);
    scoped_fd int fd = block_signals();
    p.loop = loop_new("main");
    p.signals = loop_io_new(p.loop, fd, LOOP_READ, on_signal, &p);

    r = start(&p, &e);
    if (r == 0)
        loop_run(p.loop);
    else
        log_error("cannot start", "error", e.msg);
    finish(&p);
    return r == 0 ? 0 : 1;
}
