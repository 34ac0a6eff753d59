/* SPDX-License-Identifier: Apache-2.0 */
/* Routes as a table; the certificate from files, or made in memory until they appear; see server.h.
 */
#include "controller/server.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/must.h"
#include "base/scope.h"
#include "base/str.h"
#include "certs/pki.h"
#include "http/server.h"
#include "http/tls.h"

enum { OWN_CERT_VALID_DAYS = 3650, CONNECTIONS_MAX = 64, BODY_MAX = 4096, DRAIN_MS = 1000 };

struct server {
    struct http_server *http;
    struct tls_keys *keys;
    atomic_bool is_leading;
};

/* ---- routes ---- */

static void get_metrics(struct server *s, struct http_call *call)
{
    scoped_buf text = BUF_INIT(0);
    metrics_write(&text);
    http_reply(call, 200, "text/plain; version=0.0.4; charset=utf-8", text.data, text.len);
}

/* Alive is what this process can answer for; an API server that is away is no reason to restart it.
 */
static void get_health(struct server *s, struct http_call *call)
{
    static const char body[] = "{\"healthz\":\"ok\"}";
    http_reply_static(call, 200, "application/json", body, sizeof(body) - 1);
}

static void get_leader(struct server *s, struct http_call *call)
{
    json_auto_t *body = must_pack("{s:{s:s}}", "apiserver", "leader",
                                  atomic_load(&s->is_leading) ? "true" : "false");
    http_reply_json(call, 200, body);
}

static const struct {
    const char *path;
    void (*get)(struct server *s, struct http_call *call);
} routes[] = {
    { "/metrics", get_metrics },
    { "/healthz", get_health },
    { "/leader", get_leader },
};

static void handle(struct http_call *call, void *ctx)
{
    struct error e;
    const char *path = http_call_path(call);

    if (http_call_method(call) != HTTP_GET && http_call_method(call) != HTTP_HEAD) {
        (void)error_set(&e, ERR_METHOD_NOT_ALLOWED, "only GET is served here");
        http_reply_error(call, &e, NULL);
        return;
    }
    for (size_t i = 0; i < countof(routes); i++) {
        if (streq(routes[i].path, path)) {
            routes[i].get(ctx, call);
            return;
        }
    }
    (void)error_set(&e, ERR_NOT_FOUND, "no such path: %.200s", path);
    http_reply_error(call, &e, NULL);
}

/* ---- certificate ---- */

static int use_own_certificate(struct tls_keys *keys, const char *namespace, struct error *e)
{
    const int64_t valid_ms = (int64_t)OWN_CERT_VALID_DAYS * 24 * 3600 * 1000;
    struct pki_pair ca = { 0 };
    struct pki_pair leaf = { 0 };
    scoped(free) char *cn = must_asprintf("virt-controller.%s.pod.cluster.local", namespace);
    const struct pki_leaf want = {
        .cn = cn, .dns = { cn, "virt-controller" }, .is_server = true, .valid_ms = valid_ms
    };

    int r = pki_make_ca(&ca, "virt-controller (in memory)", valid_ms, e);
    if (r == 0)
        r = pki_make_leaf(&leaf, &ca, &want, e);
    if (r == 0)
        r = tls_keys_set_pair(keys, leaf.cert_pem, leaf.key_pem, e);
    pki_pair_done(&leaf);
    pki_pair_done(&ca);
    return r < 0 ? r : 0;
}

static int load_certificate(struct tls_keys *keys, const struct settings *settings,
                            const char *namespace, struct error *e)
{
    int r = tls_keys_watch_files(keys, settings->cert_file, settings->key_file, e);
    if (r == 1)
        return 0;
    if (r < 0)
        log_warn("certificate unusable, serving one made in memory", "file", settings->cert_file,
                 "error", e->msg);
    return use_own_certificate(keys, namespace, e);
}

void server_poll_certificate(struct server *s)
{
    if (tls_keys_poll(s->keys))
        log_info("certificate reloaded");
}

/* ---- life ---- */

int server_start(struct server **ret, const struct settings *settings, const char *namespace,
                 struct error *e)
{
    struct server *s = must_calloc(1, sizeof(*s));
    s->keys = tls_keys_new();

    int r = load_certificate(s->keys, settings, namespace, e);
    if (r == 0) {
        const struct http_server_options options = {
            .name = "metrics",
            .address = settings->listen,
            .port = (int)settings->port,
            .keys = s->keys,
            .policy = { .peer = TLS_PEER_ANY },
            .body_max_bytes = BODY_MAX,
            .connections_max = CONNECTIONS_MAX,
            .handler = handle,
            .ctx = s,
        };
        r = http_server_start(&s->http, &options, e);
    }
    if (r < 0) {
        server_stop(s);
        return r;
    }
    *ret = s;
    return 0;
}

void server_stop(struct server *s)
{
    if (!s)
        return;
    if (s->http) {
        http_server_drain(s->http, DRAIN_MS);
        http_server_free(s->http);
    }
    tls_keys_unref(s->keys);
    free(s);
}

int server_port(const struct server *s)
{
    return http_server_port(s->http);
}

void server_set_leading(struct server *s, bool is_leading)
{
    atomic_store(&s->is_leading, is_leading);
}
