/* SPDX-License-Identifier: Apache-2.0 */
/*
 * virt-handler: one on each node.  Options, the parts in their order of start
 * and stop, signals.  What each part does is said in its header.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/heap.h"
#include "base/jpath.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/must.h"
#include "base/options.h"
#include "base/scope.h"
#include "base/str.h"
#include "handler/device_plugin.h"
#include "handler/node.h"
#include "handler/status_page.h"
#include "handler/streams.h"
#include "handler/vmi.h"
#include "http/tls.h"
#include "kube/client.h"
#include "kube/cluster_config.h"
#include "kube/event.h"
#include "kube/informer.h"

enum { VMI_WORKERS = 10, POLL_MS = 5000, SYNC_LOOK_MS = 500, DESCRIPTORS = 65536 };

struct settings {
    const char *listen, *kubeconfig, *master;
    long long port, verbosity, console_port, resync_s, max_devices;
    long long watchdog_ms, viewers_max;
    const char *node;
    const char *private_dir, *pods_dir, *kubelet_root;
    const char *cert_file, *key_file, *ca_configmap;
    const char *vsock_cert_file, *vsock_key_file;
    bool wants_labeller, is_externally_managed;
};

#define AT(member) OPTION_AT(struct settings, member)

static const char certificates[] = "/etc/virt-handler/servercertificates";
#define VSOCK_CERTIFICATES "/etc/virt-handler/vsockclientcertificates"

// clang-format off
static const struct option options[] = {
    { "listen", 0, OPTION_STRING, AT(listen), .dflt = "0.0.0.0", .arg = "ADDR", .help = "address of both listeners" },
    { "port", 0, OPTION_INT, AT(port), .dflt = "8185", .max = 65535, .arg = "N", .help = "port of /metrics and /healthz" },
    { "kubeconfig", 0, OPTION_STRING, AT(kubeconfig), .arg = "FILE", .help = "how to reach the API server outside a pod" },
    { "master", 0, OPTION_STRING, AT(master), .arg = "URL", .help = "the API server's address instead of the kubeconfig's" },
    { "v", 'v', OPTION_INT, AT(verbosity), .dflt = "2", .max = 9, .arg = "N", .help = "verbosity, 0 to 9" },
    { "hostname-override", 0, OPTION_STRING, AT(node), .arg = "NODE", .help = "name of this node; $NODE_NAME, else the host's" },
    { "console-server-port", 0, OPTION_INT, AT(console_port), .dflt = "8186", .max = 65535, .arg = "N", .help = "port of consoles and calls, for virt-api" },
    { "domain-resync-period-seconds", 0, OPTION_INT, AT(resync_s), .dflt = "300", .arg = "N", .help = "look at every machine this often" },
    { "watchdog-timeout", 0, OPTION_DURATION, AT(watchdog_ms), .dflt = "30s", .arg = "TIME", .help = "a launcher that refuses connections for longer is lost" },
    { "max-devices", 0, OPTION_INT, AT(max_devices), .dflt = "1000", .max = 10000, .arg = "N", .help = "how many machines may share /dev/kvm and the like" },
    { "viewers-max", 0, OPTION_INT, AT(viewers_max), .dflt = "16", .min = 1, .max = 256, .arg = "N", .help = "how many sessions one machine's console, and its screen, may have" },
    { "kubevirt-private-dir", 0, OPTION_STRING, AT(private_dir), .dflt = "/var/run/kubevirt-private", .arg = "DIR", .help = "records of this node's machines" },
    { "kubelet-pods-dir", 0, OPTION_STRING, AT(pods_dir), .dflt = "/var/lib/kubelet/pods", .arg = "DIR", .help = "the pods' directories, as seen from here" },
    { "kubelet-root", 0, OPTION_STRING, AT(kubelet_root), .dflt = "/var/lib/kubelet", .arg = "DIR", .help = "the kubelet's directory" },
    { "ca-configmap-name", 0, OPTION_STRING, AT(ca_configmap), .dflt = "kubevirt-ca", .arg = "NAME", .help = "ConfigMap with the CAs that clients are checked against" },
    { "tls-cert-file", 0, OPTION_STRING, AT(cert_file), .arg = "FILE", .help = "certificate of both listeners, re-read when it changes" },
    { "tls-key-file", 0, OPTION_STRING, AT(key_file), .arg = "FILE", .help = "its key" },
    { "vsock-client-cert-file", 0, OPTION_STRING, AT(vsock_cert_file), .dflt = VSOCK_CERTIFICATES "/tls.crt", .arg = "FILE", .help = "certificate shown to guests over VSOCK, re-read when it changes" },
    { "vsock-client-key-file", 0, OPTION_STRING, AT(vsock_key_file), .dflt = VSOCK_CERTIFICATES "/tls.key", .arg = "FILE", .help = "its key" },
    { "enable-node-labeller", 0, OPTION_BOOL, AT(wants_labeller), .dflt = "true", .help = "label the node with what its QEMU can do" },
    { "externally-managed", 0, OPTION_BOOL, AT(is_externally_managed), .dflt = "false", .help = "certificates come from elsewhere: names in them are not checked" },
    { "pod-ip-address", 0, OPTION_IGNORED, .arg = "IP", .help = "both listeners use --listen" },
    { "max-metric-requests", 0, OPTION_IGNORED, .arg = "N", .help = "scrapes are answered one after another" },
    { "graceful-shutdown-seconds", 0, OPTION_IGNORED, .arg = "N", .help = "nothing takes long at the end: machines run on" },
    { "kubevirt-share-dir", 0, OPTION_IGNORED, .arg = "DIR", .help = "launchers are reached in their pods' directories" },
    { "vmstats-server-port", 0, OPTION_IGNORED, .arg = "N", .help = "that server does not exist yet" },
    { "migration-client-cert-file", 0, OPTION_IGNORED, .arg = "FILE", .help = "there is no live migration yet" },
    { "migration-client-key-file", 0, OPTION_IGNORED, .arg = "FILE", .help = "there is no live migration yet" },
    { "migration-cn-types", 0, OPTION_IGNORED, .arg = "NAME", .help = "there is no live migration yet" },
    { .name = NULL },
};
// clang-format on

static const struct option_program program = {
    .name = "virt-handler",
    .summary = "runs the virtual machines of one Kubernetes node",
    .options = options,
};

struct handler {
    struct settings s;
    int signals;
    bool is_stopping;
    struct kube_config *config;
    struct kube *kube;
    struct http_watcher *watcher;
    struct event_recorder *events;
    struct tls_keys *keys, *vsock_keys;
    struct informer *ca, *kubevirts;
    struct cluster_config_store *cluster;
    struct vmi_controller *vmis;
    struct device_plugins *plugins;
    _Atomic(struct node_heart *) heart;
    struct streams *streams;
    struct status_page *page;
};

/* ---- settings ---- */

static void complete_settings(struct settings *s)
{
    static char host[256];

    if (!s->node || !*s->node)
        s->node = getenv("NODE_NAME");
    if ((!s->node || !*s->node) && gethostname(host, sizeof(host) - 1) == 0)
        s->node = host;
}

/* ---- what is followed in the cluster ---- */

static void on_ca(const json_t *old, const json_t *obj, void *ctx)
{
    struct handler *h = ctx;
    struct error e;
    const char *bundle = obj ? jpath_str(obj, "data['ca-bundle']", NULL) : NULL;

    if (!bundle)
        return; /* what was trusted last stays */
    if (tls_keys_set_ca(h->keys, bundle, &e) < 0)
        log_warn("CA bundle is not usable; the last good one stays", "why", e.msg);
}

static void on_kubevirt(const json_t *old, const json_t *obj, void *ctx)
{
    struct handler *h = ctx;
    struct error e;

    if (cluster_config_store_set(h->cluster, obj, &e) < 0)
        log_warn("configuration is not usable; the last good one stays", "why", e.msg);
    device_plugins_review(h->plugins);
}

static void follow_cluster(struct handler *h)
{
    const char *namespace = kube_config_namespace(h->config);
    scoped(free) char *name = must_asprintf("metadata.name=%s", h->s.ca_configmap);
    const struct informer_options ca = {
        .kind = &KIND_CONFIGMAP,
        .namespace = namespace,
        .field_selector = name,
        .on_event = on_ca,
        .ctx = h,
    };
    const struct informer_options kubevirts = {
        .kind = &KIND_KUBEVIRT,
        .on_event = on_kubevirt,
        .ctx = h,
        .may_be_absent = true,
    };

    h->ca = informer_start(h->kube, h->watcher, &ca);
    h->kubevirts = informer_start(h->kube, h->watcher, &kubevirts);
}

/* Streams take four descriptors each; libwebsockets has tables as long as the limit. */
static void raise_descriptors(void)
{
    struct rlimit r;

    must(getrlimit(RLIMIT_NOFILE, &r) == 0);
    r.rlim_cur = r.rlim_max < DESCRIPTORS ? r.rlim_max : DESCRIPTORS;
    if (setrlimit(RLIMIT_NOFILE, &r) < 0)
        log_warn("the limit of descriptors stays", "why", strerror(errno));
}

/* ---- signals ---- */

static int open_signals(void)
{
    sigset_t set;

    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGTERM);
    (void)sigaddset(&set, SIGINT);
    must(sigprocmask(SIG_BLOCK, &set, NULL) == 0);
    (void)signal(SIGPIPE, SIG_IGN);
    int fd = signalfd(-1, &set, SFD_CLOEXEC);
    must(fd >= 0);
    return fd;
}

/* Wait up to ms for a signal; true when it is time to stop. */
static bool wait_signal(struct handler *h, int ms)
{
    struct pollfd p = { .fd = h->signals, .events = POLLIN };
    struct signalfd_siginfo info;

    if (!h->is_stopping && poll(&p, 1, ms) > 0 &&
        read(h->signals, &info, sizeof(info)) == sizeof(info)) {
        log_info("stopping", "signal", log_i(info.ssi_signo));
        h->is_stopping = true;
    }
    return h->is_stopping;
}

/* ---- life ---- */

static bool plugins_are_ready(void *ctx)
{
    struct handler *h = ctx;

    return device_plugins_are_registered(h->plugins);
}

static void on_plugins_changed(void *ctx)
{
    struct handler *h = ctx;

    if (h->heart)
        node_heart_beat(h->heart);
}

static bool is_device_wanted(const struct plugin_device *d, void *ctx)
{
    struct handler *h = ctx;

    if (!d->gate)
        return true;
    struct cluster_config *config = cluster_config_store_get(h->cluster);
    bool is_on = cluster_config_gate(config, d->gate);
    cluster_config_unref(config);
    return is_on;
}

static int connect_cluster(struct handler *h, struct error *e)
{
    const struct kube_config_request request = {
        .kubeconfig = h->s.kubeconfig,
        .master = h->s.master,
        .user_agent = "virt-handler",
        .must_be_explicit = true,
    };
    int r = kube_config_load(&h->config, &request, e);

    if (r < 0)
        return error_wrap(e, "configuration");
    h->kube = kube_new(h->config);
    h->watcher = http_watcher_new("watch");
    h->events = event_recorder_start(h->kube, "virt-handler", h->s.node);
    h->cluster = cluster_config_store_new();
    return 0;
}

static int load_certificates(struct handler *h, struct error *e)
{
    scoped(free) char *cert = must_asprintf("%s/tls.crt", certificates);
    scoped(free) char *key = must_asprintf("%s/tls.key", certificates);
    const char *cert_path = h->s.cert_file ? h->s.cert_file : cert;
    const char *key_path = h->s.key_file ? h->s.key_file : key;
    int r = tls_keys_watch_files(h->keys, cert_path, key_path, e);

    if (r == 0)
        log_warn("no certificate yet; waiting for it", "file", cert_path);
    if (r < 0)
        return error_wrap(e, "certificate");
    /* Not there where nobody uses VSOCK with TLS. */
    r = tls_keys_watch_files(h->vsock_keys, h->s.vsock_cert_file, h->s.vsock_key_file, e);
    return r < 0 ? error_wrap(e, "certificate for VSOCK") : 0;
}

static int open_listeners(struct handler *h, struct error *e)
{
    const struct status_page_options page = {
        .address = h->s.listen,
        .port = (int)h->s.port,
        .keys = h->keys,
        .vmis = vmi_controller_informer(h->vmis),
    };
    const struct streams_options streams = {
        .address = h->s.listen,
        .port = (int)h->s.console_port,
        .keys = h->keys,
        .vsock_keys = h->vsock_keys,
        .any_cn = h->s.is_externally_managed,
        .pods_dir = h->s.pods_dir,
        .viewers_max = (size_t)h->s.viewers_max,
        .vmis = h->vmis,
        .events = h->events,
    };
    int r = status_page_start(&h->page, &page, e);

    return r < 0 ? r : streams_start(&h->streams, &streams, e);
}

/* Before the cluster is followed: a change of its configuration may bring or take devices. */
static void start_plugins(struct handler *h)
{
    scoped(free) char *dir = must_asprintf("%s/device-plugins", h->s.kubelet_root);
    const struct device_plugin_options plugins = {
        .plugins_dir = dir,
        .max_devices = (size_t)h->s.max_devices,
        .devices = plugin_devices,
        .count = PLUGIN_DEVICES,
        .is_wanted = is_device_wanted,
        .changed = on_plugins_changed,
        .ctx = h,
    };

    h->plugins = device_plugins_start(&plugins);
}

static void start_heart(struct handler *h)
{
    const struct node_options node = {
        .node = h->s.node,
        .kubelet_root = h->s.kubelet_root,
        .wants_labels = h->s.wants_labeller,
        .clock = &clock_real,
        .kube = h->kube,
        .is_ready = plugins_are_ready,
        .ctx = h,
    };

    h->heart = node_heart_start(&node);
}

static int start(struct handler *h, struct error *e)
{
    static char records[4096];
    int r = connect_cluster(h, e);

    if (r < 0)
        return r;
    h->keys = tls_keys_new();
    h->vsock_keys = tls_keys_new();
    r = load_certificates(h, e);
    if (r < 0)
        return r;
    (void)snprintf(records, sizeof(records), "%s/ghost-records", h->s.private_dir);
    const struct vmi_options vmis = {
        .node = h->s.node,
        .pods_dir = h->s.pods_dir,
        .records_dir = records,
        .watchdog_ms = h->s.watchdog_ms,
        .resync_ms = h->s.resync_s * 1000,
        .workers = VMI_WORKERS,
        .clock = &clock_real,
        .kube = h->kube,
        .watcher = h->watcher,
        .events = h->events,
        .config = h->cluster,
    };

    start_plugins(h);
    follow_cluster(h);
    h->vmis = vmi_controller_new(&vmis);
    r = open_listeners(h, e);
    if (r < 0)
        return r;
    start_heart(h);
    return 0;
}

static void run(struct handler *h)
{
    struct informer *const needed[] = { vmi_controller_informer(h->vmis), h->kubevirts };

    while (!informers_wait(needed, countof(needed), SYNC_LOOK_MS)) {
        if (wait_signal(h, 0))
            return;
    }
    vmi_controller_start(h->vmis);
    log_info("virt-handler is up", "node", h->s.node, "streams", log_i(streams_port(h->streams)));
    while (!wait_signal(h, POLL_MS)) {
        if (tls_keys_poll(h->keys))
            log_info("certificate reloaded");
        (void)tls_keys_poll(h->vsock_keys);
        heap_give_back();
    }
}

/* The reverse of start; tolerates what was not started. */
static void stop(struct handler *h)
{
    node_heart_stop(h->heart);
    if (h->kubevirts)
        informer_stop(h->kubevirts); /* its events reach the plugins */
    device_plugins_stop(h->plugins);
    streams_stop(h->streams);
    if (h->vmis)
        vmi_controller_stop(h->vmis);
    status_page_stop(h->page);
    if (h->ca)
        informer_stop(h->ca);
    if (h->watcher)
        http_watcher_free(h->watcher);
    vmi_controller_free(h->vmis);
    if (h->events)
        event_recorder_stop(h->events);
    cluster_config_store_free(h->cluster);
    kube_free(h->kube);
    kube_config_free(h->config);
    tls_keys_unref(h->keys);
    tls_keys_unref(h->vsock_keys);
}

int main(int argc, char **argv)
{
    static struct handler h;
    struct error e;
    enum option_result parsed;

    heap_stay_small(HEAP_ARENAS_DEFAULT);
    int r = options_parse(&program, &h.s, argc, argv, NULL, &e);

    if (r < 0) {
        (void)fprintf(stderr, "virt-handler: %s\n", e.msg);
        return 2;
    }
    parsed = (enum option_result)r;
    if (parsed == OPTIONS_DONE)
        return 0;
    complete_settings(&h.s);
    log_init("virt-handler", (int)h.s.verbosity);
    raise_descriptors();
    h.signals = open_signals();
    r = start(&h, &e);
    if (r < 0)
        log_error("cannot start", "why", e.msg);
    else
        run(&h);
    stop(&h);
    return r < 0 ? 1 : 0;
}
