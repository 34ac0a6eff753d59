/* SPDX-License-Identifier: Apache-2.0 */
/*
 * virt-api's handler as it is served: TLS on loopback, a fake API server, and
 * virt-handlers of several characters, each on a loopback address of its own
 * (they share virt-handler's port).
 */
#ifndef TEST_VIRT_API_FIXTURE_H
#define TEST_VIRT_API_FIXTURE_H

#include "tls_fixture.h"

#include <stdatomic.h>

#include "apiserver/server.h"
#include "base/jpath.h"
#include "base/pool.h"
#include "base/scope.h"
#include "base/str.h"
#include "http/client.h"
#include "subresources/inflight.h"
#include "subresources/limits.h"
#include "subresources/nodes.h"
#include "subresources/pods.h"
#include "test/fake/kube.h"
#include "test/unit/rows.h"
#include "webhooks/mutators.h"
#include "webhooks/webhooks.h"

/* Certificates, made once a program. */
struct api_pki {
    struct test_cert proxy_ca, proxy, stranger;
    struct test_cert kubevirt_ca, api, to_node, node, wrong_node;
};

static void api_pki_init(struct api_pki *p)
{
    p->proxy_ca = test_cert_new(NULL, "front proxy CA", 0, 86400);
    p->proxy = test_cert_new(&p->proxy_ca, "front-proxy-client", FOR_CLIENT, 86400);
    p->stranger = test_cert_new(&p->proxy_ca, "somebody", FOR_CLIENT, 86400);
    p->kubevirt_ca = test_cert_new(NULL, "kubevirt CA", 0, 86400);
    p->api = test_cert_new(&p->kubevirt_ca, "virt-api", FOR_SERVER, 86400);
    p->to_node =
        test_cert_new(&p->kubevirt_ca, "kubevirt.io:system:client:virt-handler", FOR_CLIENT, 86400);
    p->node =
        test_cert_new(&p->kubevirt_ca, "kubevirt.io:system:node:virt-handler", FOR_SERVER, 86400);
    p->wrong_node = test_cert_new(&p->kubevirt_ca, "virt-operator", FOR_SERVER, 86400);
}

static void api_pki_done(struct api_pki *p)
{
    test_cert_done(&p->proxy_ca);
    test_cert_done(&p->proxy);
    test_cert_done(&p->stranger);
    test_cert_done(&p->kubevirt_ca);
    test_cert_done(&p->api);
    test_cert_done(&p->to_node);
    test_cert_done(&p->node);
    test_cert_done(&p->wrong_node);
}

/* ---- virt-handler: what it does hangs on the instance's name ---- */

static void echo(struct stream *s, int events, void *arg)
{
    char chunk[4096];
    ssize_t n = stream_read(s, chunk, sizeof(chunk));

    if (n == STREAM_AGAIN)
        return;
    if (n > 0)
        n = stream_write(s, chunk, (size_t)n) == n ? n : 0;
    if (n <= 0)
        stream_close(s);
}

static void echo_taken(struct stream *s, void *arg)
{
    if (s)
        stream_want(s, LOOP_READ, echo, NULL);
}

/* The handshake's headers come back, so that a test sees what was passed on. */
static void accept_stream(struct http_call *c)
{
    struct http_headers h = { 0 };
    const char *protocol = http_call_header(c, "Sec-WebSocket-Protocol");
    const char *key = http_call_header(c, "Sec-WebSocket-Key");

    http_headers_add(&h, "Sec-WebSocket-Accept", key ? key : "none");
    if (protocol)
        http_headers_add(&h, "Sec-WebSocket-Protocol", protocol);
    http_headers_add(&h, "X-Secret", "of the node");
    http_upgrade(c, &h, echo_taken, NULL);
    http_headers_done(&h);
}

static void serve_node(struct http_call *c, void *ctx)
{
    const char *path = http_call_path(c);
    size_t len;
    const char *body = http_call_body(c, &len);
    struct error e;

    if (strstr(path, "/refusing/")) {
        error_set(&e, ERR_CONFLICT, "the guest does not want to");
        http_reply_error(c, &e, NULL);
    } else if (strstr(path, "/rambling/")) {
        http_reply(c, 500, "text/plain", "half a character: \xc3", 19);
    } else if (http_call_header(c, "Upgrade")) {
        accept_stream(c);
    } else if (http_call_method(c) == HTTP_GET) {
        json_auto_t *v = must_pack("{s:s, s:s, s:s}", "path", path, "uid",
                                   http_call_header(c, "X-Kubevirt-Vmi-Uid"), "method",
                                   http_method_name(http_call_method(c)));
        http_reply_json(c, 200, v);
    } else if (len > 0) {
        http_reply(c, 200, http_call_header(c, "Content-Type"), body, len);
    } else {
        http_reply(c, 202, NULL, NULL, 0);
    }
}

static struct http_server *start_node(const struct api_pki *p, const struct test_cert *cert,
                                      const char *address, int port)
{
    static const char client_cn[] = "kubevirt.io:system:client:virt-handler";
    struct tls_keys *keys = tls_keys_new();
    struct error e = { 0 };
    struct http_server *s = NULL;

    must(tls_keys_set_pair(keys, cert->cert_pem, cert->key_pem, &e) == 0);
    must(tls_keys_set_ca(keys, p->kubevirt_ca.cert_pem, &e) == 0);
    struct http_server_options o = {
        .name = "node",
        .address = address,
        .port = port,
        .keys = keys,
        .policy = { .peer = TLS_PEER_REQUIRED, .cn = { client_cn }, .cn_len = 1 },
        .handler = serve_node,
    };
    must(http_server_start(&s, &o, &e) == 0);
    tls_keys_unref(keys);
    return s;
}

/* Connections are taken by the kernel, and nobody ever says a word. */
static int start_mute(const char *address, int port)
{
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    must(inet_pton(AF_INET, address, &a.sin_addr) == 1);
    must(fd >= 0 && bind(fd, (struct sockaddr *)&a, sizeof(a)) == 0 && listen(fd, 16) == 0);
    return fd;
}

/* ---- the whole ---- */

struct api {
    const struct api_pki *pki;
    struct fake_kube *kube;
    struct http_server *node, *wrong_node;
    int mute_fd;
    struct http_watcher *watcher;
    struct tls_keys *serving, *to_node;
    struct pool *reviewers;
    struct server server;
    struct http_server *http;
    int port;
};

static bool api_probe(void *ctx, struct error *why)
{
    return true;
}

static json_t *api_health(void *ctx, bool *ret_ok)
{
    *ret_ok = true;
    return must_pack("{s:{s:s}}", "apiserver", "connectivity", "ok");
}

static void put_instance(struct fake_kube *f, const char *name, const char *node, const char *phase)
{
    (void)fake_kube_put(f, &KIND_VMI,
                        must_pack("{s:{s:s, s:s, s:s}, s:{}, s:{s:s, s:s}}", "metadata", "name",
                                  name, "namespace", "ns", "uid", "uid-of-it", "spec", "status",
                                  "phase", phase, "nodeName", node));
}

static void put_node_pod(struct fake_kube *f, const char *node, const char *address)
{
    (void)fake_kube_put(f, &KIND_POD,
                        must_pack("{s:{s:s, s:s, s:{s:s}}, s:{s:s}, s:{s:s, s:s}}", "metadata",
                                  "name", node, "namespace", "kubevirt", "labels", "kubevirt.io",
                                  "virt-handler", "spec", "nodeName", node, "status", "podIP",
                                  address, "phase", "Running"));
}

/* A machine of an instance type. */
static void put_sized(struct fake_kube *f, const char *name, const char *type, const char *domain)
{
    json_t *vm = json_q("{'metadata':{'namespace':'ns'},'spec':{'runStrategy':'Halted','template':"
                        "{'spec':{'volumes':[{'name':'root','emptyDisk':{}}]}}}}");

    jpath_set_str(vm, "metadata.name", name);
    jpath_set(vm, "spec.instancetype", json_q(type));
    jpath_set(vm, "spec.template.spec.domain", json_q(domain));
    (void)fake_kube_put(f, &KIND_VM, vm);
}

static void fill_cluster(struct api *a)
{
    static const struct {
        const char *name, *node, *phase;
    } instances[] = {
        { "vm", "good", "Running" },       { "refusing", "good", "Running" },
        { "rambling", "good", "Running" }, { "ended", "good", "Failed" },
        { "on-mute", "mute", "Running" },  { "on-wrong", "wrong", "Running" },
        { "on-dead", "dead", "Running" },  { "on-lost", "lost", "Running" },
    };
    struct fake_kube *f = a->kube;

    (void)fake_kube_put(f, &KIND_CONFIGMAP,
                        must_pack("{s:{s:s, s:s}, s:{s:s, s:s}}", "metadata", "name",
                                  "extension-apiserver-authentication", "namespace", "kube-system",
                                  "data", "requestheader-client-ca-file", a->pki->proxy_ca.cert_pem,
                                  "requestheader-allowed-names", "[\"front-proxy-client\"]"));
    for (size_t i = 0; i < countof(instances); i++)
        put_instance(f, instances[i].name, instances[i].node, instances[i].phase);
    (void)fake_kube_put(f, &KIND_VM,
                        json_q("{'metadata':{'name':'halted','namespace':'ns'},"
                               "'spec':{'runStrategy':'Halted'},'status':{'ready':false}}"));
    put_sized(f, "sized", "{'name':'two'}", "{}");
    put_sized(f, "unsized", "{'name':'none'}", "{}");
    put_sized(f, "oversized", "{'name':'two'}", "{'cpu':{'cores':4}}");
    (void)fake_kube_put(f, &KIND_CLUSTER_INSTANCETYPE,
                        json_q("{'metadata':{'name':'two','uid':'t'},'spec':{'cpu':{'guest':2},"
                               "'memory':{'guest':'192Mi'}}}"));
    put_node_pod(f, "good", "127.0.0.1");
    put_node_pod(f, "mute", "127.0.0.2");
    put_node_pod(f, "wrong", "127.0.0.3");
    put_node_pod(f, "dead", "127.0.0.4");
}

static bool api_is_ready(void *ctx)
{
    struct api *a = ctx;

    return frontproxy_is_ready(a->server.frontproxy) && nodes_is_synced(a->server.env.nodes) &&
           webhooks_is_synced(a->server.webhooks);
}

/* A page of a few bytes. */
static const char api_page[] = "<!doctype html>", api_script[] = "let a = 1", api_packed[] = "gz";
static const struct web_file api_files[] = {
    { "index.html", "\"i\"", api_page, api_page + sizeof(api_page) - 1, NULL, NULL },
    { "app-1a2b3c4d.js", "\"a\"", api_script, api_script + sizeof(api_script) - 1, api_packed,
      api_packed + sizeof(api_packed) - 1 },
    { .name = NULL },
};
static const struct option_list api_friends = { .item = { "https://friend.example:8443" },
                                                .len = 1 };

/* One worker, and one call that may wait for it. */
static struct api *api_start(const struct api_pki *p)
{
    struct api *a = must_calloc(1, sizeof(*a));
    struct error e = { 0 };

    a->pki = p;
    a->kube = fake_kube_start();
    fill_cluster(a);
    a->node = start_node(p, &p->node, "127.0.0.1", 0);
    int node_port = http_server_port(a->node);
    a->mute_fd = start_mute("127.0.0.2", node_port);
    a->wrong_node = start_node(p, &p->wrong_node, "127.0.0.3", node_port);

    struct kube *k = fake_kube_client(a->kube);
    a->watcher = http_watcher_new("watch");
    a->serving = tls_keys_new();
    a->to_node = tls_keys_new();
    must(tls_keys_set_pair(a->serving, p->api.cert_pem, p->api.key_pem, &e) == 0);
    must(tls_keys_set_pair(a->to_node, p->to_node.cert_pem, p->to_node.key_pem, &e) == 0);
    must(tls_keys_set_ca(a->to_node, p->kubevirt_ca.cert_pem, &e) == 0);

    struct nodes_options no = { .namespace = "kubevirt", .port = node_port, .keys = a->to_node };
    a->reviewers = pool_new("review", 1, 1);
    a->server = (struct server){
        .local = local_new(&(struct local_probes){ api_probe, api_health, NULL }),
        .webhooks = webhooks_start(k, a->watcher, a->reviewers, "kubevirt"),
        .frontproxy = frontproxy_start(k, a->watcher, a->serving),
        .authz = authz_new(k, &clock_real),
        .workers = pool_new("call", 1, 1),
        .env = { .kube = k, .nodes = nodes_start(k, a->watcher, &no), .inflight = inflight_new() },
    };
    a->server.env.limits = limits_new(0, 3);
    a->server.env.pods = pod_addresses_new(&clock_real);
    a->server.direct = direct_new(&(struct direct_options){
        .kube = k, .clock = &clock_real, .keys = a->serving, .allowed_origins = &api_friends });
    a->server.env.links =
        (struct link_settings){ .keys = a->serving, .external_url = "https://vms.example" };
    a->server.files = api_files;
    a->server.env.config = webhooks_peek_config(a->server.webhooks);
    a->server.env.vmi_defaults = vmi_spec_defaults;
    must(fake_wait(api_is_ready, a, FAKE_PATIENCE_MS));
    struct http_server_options ho = { .name = "api",
                                      .address = "127.0.0.1",
                                      .keys = a->serving,
                                      .policy = { .peer = TLS_PEER_OPTIONAL },
                                      .threads = 2,
                                      .handler = server_handle,
                                      .ctx = &a->server };
    must(http_server_start(&a->http, &ho, &e) == 0);
    a->port = http_server_port(a->http);
    return a;
}

/* The end as virt-api's main goes about it. */
static unused_ void api_end_calls(struct api *a)
{
    http_server_drain(a->http, 100);
    direct_stop(a->server.direct);
    pool_free(a->server.workers);
    pool_free(a->reviewers);
    a->server.workers = NULL;
    must(inflight_cut(a->server.env.inflight, 5 * 1000));
}

static void api_free(struct api *a)
{
    if (a->server.workers)
        api_end_calls(a);
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
    http_watcher_free(a->watcher);
    tls_keys_unref(a->serving);
    tls_keys_unref(a->to_node);
    http_server_free(a->node);
    http_server_free(a->wrong_node);
    (void)close(a->mute_fd);
    fake_kube_free(a->kube);
    free(a);
}

/* ---- asking ---- */

enum as { AS_PROXY, AS_STRANGER, AS_NOBODY };

struct ask {
    enum as as;
    const char *user; /* NULL: "ann" */
    const char *group;
    enum http_method method;
    const char *path;
    const char *content_type, *accept;
    const void *body;
    size_t body_len;
    const char *headers[6]; /* name, value, ... */
};

static unused_ void api_ask(const struct api *a, const struct ask *q, struct http_response *ret)
{
    const struct test_cert *cert = q->as == AS_PROXY      ? &a->pki->proxy
                                   : q->as == AS_STRANGER ? &a->pki->stranger
                                                          : NULL;
    scoped(free) char *url = must_asprintf("https://127.0.0.1:%d", a->port);
    struct http_client *c = http_client_new(&(struct http_client_options){
        .base_url = url,
        .ca_pem = a->pki->kubevirt_ca.cert_pem,
        .cert_pem = cert ? cert->cert_pem : NULL,
        .key_pem = cert ? cert->key_pem : NULL,
    });
    struct http_headers headers = { 0 };
    struct error e = { 0 };

    http_headers_add(&headers, "X-Remote-User", q->user ? q->user : "ann");
    if (q->group)
        http_headers_add(&headers, "X-Remote-Group", q->group);
    for (size_t i = 0; i + 1 < countof(q->headers) && q->headers[i]; i += 2)
        http_headers_add(&headers, q->headers[i], q->headers[i + 1]);
    struct http_request hq = { .method = q->method,
                               .path = q->path,
                               .headers = &headers,
                               .body = q->body,
                               .body_len = q->body_len,
                               .content_type = q->content_type,
                               .accept = q->accept };

    if (http_client_do(c, &hq, ret, &e) < 0)
        print_error("%s: %s\n", q->path, e.msg);
    http_headers_done(&headers);
    http_client_free(c);
}

#endif
