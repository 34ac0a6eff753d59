/* SPDX-License-Identifier: Apache-2.0 */
/* Health and metrics of virt-handler. */
#include "handler/status_page.h"

#include <string.h>

#include "base/buf.h"
#include "base/metrics.h"
#include "base/must.h"
#include "base/scope.h"
#include "base/str.h"
#include "http/server.h"
#include "kube/informer.h"

struct status_page {
    struct http_server *server;
    struct status_page_options o;
};

static struct metric ready_status = {
    .name = "kubevirt_virt_handler_ready_status",
    .type = METRIC_GAUGE,
    .help = "Is virt-handler ready: 1 when its list of machines is complete.",
};

static void collect(void *ctx)
{
    struct status_page *p = ctx;

    metric_set(&ready_status, informer_is_synced(p->o.vmis) ? 1 : 0);
}

/*
 * Alive is not the same as connected: while the API server is away the machines
 * run on, and a restart of this process would help nobody.
 */
static void answer_health(struct http_call *c, const struct status_page *p)
{
    json_auto_t *v = must_pack("{s:{s:s}}", "apiserver", "connectivity",
                               informer_is_synced(p->o.vmis) ? "ok" : "waiting");

    http_reply_json(c, 200, v);
}

static void answer_metrics(struct http_call *c)
{
    scoped_buf text = BUF_INIT(0);

    metrics_write(&text);
    http_reply(c, 200, "text/plain; version=0.0.4; charset=utf-8", text.data ? text.data : "",
               text.len);
}

/* One thread serves: scrapes never run side by side. */
static void on_call(struct http_call *c, void *ctx)
{
    struct status_page *p = ctx;
    const char *path = http_call_path(c);
    struct error e;

    if (http_call_method(c) != HTTP_GET) {
        error_set(&e, ERR_METHOD_NOT_ALLOWED, "only GET");
        http_reply_error(c, &e, NULL);
    } else if (streq(path, "/metrics")) {
        answer_metrics(c);
    } else if (streq(path, "/healthz")) {
        answer_health(c, p);
    } else {
        error_set(&e, ERR_NOT_FOUND, "no such page");
        http_reply_error(c, &e, NULL);
    }
}

int status_page_start(struct status_page **ret, const struct status_page_options *o,
                      struct error *e)
{
    struct status_page *p = must_calloc(1, sizeof(*p));
    const struct http_server_options server = {
        .name = "status",
        .address = o->address,
        .port = o->port,
        .keys = o->keys,
        .policy = { .peer = TLS_PEER_OPTIONAL },
        .connections_max = 64,
        .handler = on_call,
        .ctx = p,
    };

    p->o = *o;
    metric_register(&ready_status);
    metrics_on_scrape(collect, p);
    int r = http_server_start(&p->server, &server, e);
    if (r < 0) {
        free(p);
        return error_wrap(e, "status page");
    }
    *ret = p;
    return 0;
}

void status_page_stop(struct status_page *p)
{
    if (!p)
        return;
    http_server_drain(p->server, 0);
    http_server_free(p->server);
    free(p);
}
