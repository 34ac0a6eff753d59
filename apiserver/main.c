/* SPDX-License-Identifier: Apache-2.0 */
/*
 * virt-api: composition root.  Threads: main (signals, certificate files),
 * event loops of the server, a worker pool (calls that ask the API server), the watch
 * thread of all informers, and the prober of the API server.  See docs/THREADS.md.
 */
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/signalfd.h>

#include "apiserver/prober.h"
#include "apiserver/server.h"
#include "apiserver/settings.h"
#include "base/clock.h"
#include "base/heap.h"
#include "base/jpath.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/must.h"
#include "base/pool.h"
#include "base/scope.h"
#include "base/str.h"
#include "kube/informer.h"
#include "subresources/inflight.h"
#include "subresources/limits.h"
#include "subresources/nodes.h"
#include "subresources/pods.h"
#include "webhooks/mutators.h"
#include "webhooks/webhooks.h"

enum {
    WORKERS = 16,
    WORKERS_QUEUE_MAX = 2048,
    /* Reviews have 10 s and come from callers that nobody vouches for: not among the calls. */
    REVIEWERS = 4,
    REVIEWERS_QUEUE_MAX = 256,
    FILES_POLL_MS = 2000,
    SETTLE_MS = 8000, /* endpoints are told of our going before connections are refused */
    DRAIN_MS = 5000,
    CUT_MS = 1000, /* for streams to be told of the end, and closed */
};

static struct metric ready_status = {
    .name = "kubevirt_virt_api_ready_status",
    .type = METRIC_GAUGE,
    .help = "1 while requests are served.",
};

/* Everything that lives as long as the process. */
struct virt_api {
    const struct settings *settings;
    struct kube_config *config;
    struct kube *kube;
    struct http_watcher *watcher;
    struct tls_keys *serving_keys; /* own pair; CA of the front proxy */
    struct tls_keys *node_keys;    /* client pair towards virt-handler; CA of kubevirt */
    struct informer *ca_configmap;
    struct prober *prober;
    struct pool *reviewers; /* of webhooks that ask the API server */
    struct server server;
    struct http_server *http;
    atomic_bool is_stopping;
};

/* The kubevirt CA that virt-handler's certificate is checked against; on the watcher's thread. */
static void on_ca(const json_t *old, const json_t *obj, void *ctx)
{
    struct virt_api *a = ctx;
    const char *bundle = jpath_str(obj, "data.ca-bundle", NULL);
    struct error e;

    if (!bundle)
        log_warn("the CA bundle is not there, keeping the last one", "configmap",
                 a->settings->ca_configmap_name);
    else if (tls_keys_set_ca(a->node_keys, bundle, &e) < 0)
        log_error("the CA bundle cannot be read, keeping the last one", "error", e.msg);
}

static struct informer *watch_ca(struct virt_api *a)
{
    scoped(free) char *selector = must_asprintf("metadata.name=%s", a->settings->ca_configmap_name);
    struct informer_options io = {
        .kind = &KIND_CONFIGMAP,
        .namespace = kube_config_namespace(a->config),
        .field_selector = selector,
        .on_event = on_ca,
        .ctx = a,
    };

    return informer_start(a->kube, a->watcher, &io);
}

static bool is_ready(void *ctx, struct error *why)
{
    struct virt_api *a = ctx;
    const struct {
        bool holds;
        const char *otherwise;
    } needs[] = {
        { !a->is_stopping, "shutting down" },
        { tls_keys_has_pair(a->serving_keys), "no serving certificate yet" },
        { tls_keys_expiry_ms(a->serving_keys) > clock_wall_ms(&clock_real),
          "the serving certificate has expired" },
        { frontproxy_is_ready(a->server.frontproxy), "front proxy settings not read yet" },
        { webhooks_is_synced(a->server.webhooks), "configuration and presets not read yet" },
        { nodes_is_synced(a->server.env.nodes), "virt-handler pods not read yet" },
    };

    for (size_t i = 0; i < countof(needs); i++) {
        if (!needs[i].holds) {
            error_set(why, ERR_UNAVAILABLE, "%s", needs[i].otherwise);
            return false;
        }
    }
    return true;
}

static json_t *health(void *ctx, bool *ret_ok)
{
    struct virt_api *a = ctx;
    struct error why = { 0 };
    json_t *body = prober_report(a->prober, ret_ok);

    if (!is_ready(a, &why)) {
        must_set(json_object_get(body, "apiserver"), "error", json_string(why.msg));
        *ret_ok = false;
    }
    return body;
}

/* As upstream's files, which may come later than the process. */
static int watch_pair(struct tls_keys *k, const char *cert, const char *key, struct error *e)
{
    int r = tls_keys_watch_files(k, cert, key, e);

    if (r == 0)
        log_info("waiting for a certificate", "file", cert);
    return r;
}

static int start_clients(struct virt_api *a, struct error *e)
{
    const struct settings *s = a->settings;
    struct kube_config_request q = { .kubeconfig = s->kubeconfig,
                                     .master = s->master,
                                     .user_agent = "virt-api",
                                     .must_be_explicit = true };

    if (kube_config_load(&a->config, &q, e) < 0)
        return error_wrap(e, "connect to the API server");
    a->kube = kube_new(a->config);
    a->watcher = http_watcher_new("watch");
    a->serving_keys = tls_keys_new();
    a->node_keys = tls_keys_new();
    if (watch_pair(a->serving_keys, s->tls_cert_file, s->tls_key_file, e) < 0 ||
        watch_pair(a->node_keys, s->handler_cert_file, s->handler_key_file, e) < 0)
        return -(int)e->code;
    return 0;
}

static void start_direct(struct virt_api *a)
{
    struct direct_options o = { .kube = a->kube,
                                .clock = &clock_real,
                                .keys = a->serving_keys,
                                .allowed_origins = &a->settings->allowed_origins };

    a->server.direct = direct_new(&o);
    a->server.env.links = (struct link_settings){ .keys = a->serving_keys,
                                                  .external_url = a->settings->external_url };
}

static int start(struct virt_api *a, struct error *e)
{
    const struct settings *s = a->settings;
    int r = start_clients(a, e);
    if (r < 0)
        return r;

    const char *namespace = kube_config_namespace(a->config);
    struct nodes_options no = { .namespace = namespace,
                                .port = (int)s->console_server_port,
                                .keys = a->node_keys,
                                .is_externally_managed = s->is_externally_managed };

    a->ca_configmap = watch_ca(a);
    a->prober = prober_start(a->kube);
    a->server.frontproxy = frontproxy_start(a->kube, a->watcher, a->serving_keys);
    a->reviewers = pool_new("review", REVIEWERS, REVIEWERS_QUEUE_MAX);
    a->server.webhooks = webhooks_start(a->kube, a->watcher, a->reviewers, namespace);
    a->server.env = (struct sub_env){ .kube = a->kube,
                                      .nodes = nodes_start(a->kube, a->watcher, &no),
                                      .inflight = inflight_new(),
                                      .limits = limits_new(s->streams_per_user, s->streams_per_vmi),
                                      .pods = pod_addresses_new(&clock_real),
                                      .config = webhooks_peek_config(a->server.webhooks),
                                      .vmi_defaults = vmi_spec_defaults };
    a->server.authz = authz_new(a->kube, &clock_real);
    a->server.files = web_files;
    if (s->is_direct)
        start_direct(a);
    a->server.workers = pool_new("call", WORKERS, WORKERS_QUEUE_MAX);
    a->server.local = local_new(&(struct local_probes){ is_ready, health, a });

    struct http_server_options ho = {
        .name = "api",
        .address = s->listen,
        .port = (int)s->port,
        .keys = a->serving_keys,
        .policy = { .peer = TLS_PEER_OPTIONAL },
        .threads = (size_t)s->threads,
        .handler = server_handle,
        .ctx = &a->server,
    };
    r = http_server_start(&a->http, &ho, e);
    if (r < 0)
        return error_wrap(e, "listen on %s:%lld", s->listen, s->port);

    metric_set(&ready_status, 1);
    log_info("serving", "address", s->listen, "port", log_i(http_server_port(a->http)));
    return 0;
}

static void stop(struct virt_api *a)
{
    if (a->http) {
        a->is_stopping = true;
        metric_set(&ready_status, 0);
        http_server_retire(a->http);
        (void)poll(NULL, 0, SETTLE_MS);
        http_server_drain(a->http, DRAIN_MS);
    }
    direct_stop(a->server.direct); /* its jobs go on to the workers */
    if (a->server.workers)
        pool_free(a->server.workers);
    if (a->reviewers)
        pool_free(a->reviewers);
    if (a->http && !inflight_cut(a->server.env.inflight, CUT_MS))
        log_warn("streams are left behind");
    http_server_free(a->http);
    inflight_free(a->server.env.inflight);
    limits_free(a->server.env.limits);
    pod_addresses_free(a->server.env.pods);
    direct_free(a->server.direct);
    authz_free(a->server.authz);
    nodes_stop(a->server.env.nodes);
    webhooks_stop(a->server.webhooks);
    frontproxy_stop(a->server.frontproxy);
    local_free(a->server.local);
    prober_stop(a->prober);
    if (a->ca_configmap)
        informer_stop(a->ca_configmap);
    if (a->watcher)
        http_watcher_free(a->watcher);
    tls_keys_unref(a->serving_keys);
    tls_keys_unref(a->node_keys);
    kube_free(a->kube);
    kube_config_free(a->config);
}

/* Until a signal asks for the end; looks at the certificate files meanwhile. */
static void wait_for_signal(struct virt_api *a, const sigset_t *signals)
{
    scoped_fd int fd = signalfd(-1, signals, SFD_CLOEXEC);
    struct pollfd p = { .fd = fd, .events = POLLIN };

    must(fd >= 0);
    while (poll(&p, 1, FILES_POLL_MS) <= 0) {
        if (tls_keys_poll(a->serving_keys))
            log_info("serving certificate reloaded");
        if (tls_keys_poll(a->node_keys))
            log_info("certificate towards virt-handler reloaded");
        heap_give_back();
    }
    log_info("stopping on a signal");
}

int main(int argc, char **argv)
{
    struct settings s = { 0 };
    struct error e = { 0 };
    sigset_t signals;

    heap_stay_small(HEAP_ARENAS_DEFAULT);
    int r = options_parse(&settings_program, &s, argc, argv, NULL, &e);
    if (r == OPTIONS_DONE)
        return 0;
    if (r == 0)
        r = settings_check(&s, &e);
    if (r < 0) {
        (void)fprintf(stderr, "virt-api: %s\n", e.msg);
        return 2;
    }

    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGHUP);
    sigaddset(&signals, SIGQUIT);
    (void)pthread_sigmask(SIG_BLOCK, &signals, NULL);
    (void)signal(SIGPIPE, SIG_IGN);
    json_object_seed(0);
    log_init("virt-api", (int)s.verbosity);

    struct virt_api a = { .settings = &s };
    r = start(&a, &e);
    if (r < 0)
        log_error("cannot start", "error", e.msg);
    else
        wait_for_signal(&a, &signals);
    stop(&a);
    return r < 0 ? 1 : 0;
}
