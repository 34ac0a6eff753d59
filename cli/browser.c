/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/browser.h"

#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>

#include "base/must.h"
#include "base/pool.h"
#include "base/scope.h"
#include "base/str.h"
#include "cli/browser_rules.h"
#include "cli/browser_stream.h"
#include "http/server.h"
#include "kube/client.h"
#include "kube/config.h"

enum {
    SECRET_BYTES = 32,
    SECRET_MAX = 2 * SECRET_BYTES + 1,
    CALLS_MAX = 16, /* to the API server at a time; browsers open 6 connections */
    CALLS_WAITING_MAX = 256,
    STREAMS_MAX = 32,
};

struct browser {
    struct cli *cli;
    struct http_server *server;
    struct pool *calls, *streams;
    char authority[32]; /* "127.0.0.1:40001" */
    char cookie_name[40];
    char cookie[SECRET_MAX];
    char secret[SECRET_MAX];
    atomic_bool is_secret_spent;
};

struct job {
    struct browser *browser;
    struct http_call *call;
    char *path; /* with query */
};

static void make_secret(char out[SECRET_MAX])
{
    unsigned char bytes[SECRET_BYTES];

    random_bytes(bytes, sizeof(bytes));
    for (size_t i = 0; i < sizeof(bytes); i++)
        (void)snprintf(out + 2 * i, 3, "%02x", bytes[i]);
}

static void refuse(struct http_call *call, enum error_code code, const char *why)
{
    struct error e;

    (void)error_set(&e, code, "%s", why);
    http_reply_error(call, &e, NULL);
}

/* ---- signing in ---- */

/* The browser keeps the fragment of the address over the redirect. */
static void login(struct browser *b, struct http_call *call)
{
    const char *given = http_call_query(call, "secret");

    if (!given || !browser_same_secret(given, b->secret) ||
        atomic_exchange(&b->is_secret_spent, true)) {
        refuse(call, ERR_FORBIDDEN,
               "this address is used up or not right: run the command again for a new one");
        return;
    }
    scoped(free) char *cookie =
        must_asprintf("%s=%s; Path=/; HttpOnly; SameSite=Strict", b->cookie_name, b->cookie);
    http_call_set_header(call, "Set-Cookie", cookie);
    http_call_set_header(call, "Location", "/ui/");
    http_call_set_header(call, "Cache-Control", "no-store");
    http_call_set_header(call, "Referrer-Policy", "no-referrer");
    http_reply(call, 303, NULL, NULL, 0);
}

/* ---- calls ---- */

static int ask(struct browser *b, const struct http_request *q, struct http_response *ret,
               struct error *e)
{
    struct http_client *client = kube_peek_http(b->cli->kube);
    int r = http_client_do(client, q, ret, e);

    if (r == 0 && ret->status == 401 && kube_config_distrust(b->cli->config)) {
        http_response_done(ret);
        r = http_client_do(client, q, ret, e);
    }
    return r;
}

static void pass_headers(struct http_call *call, const struct http_headers *h)
{
    static const char *const passed[] = { "Cache-Control",   "Content-Security-Policy",
                                          "Referrer-Policy", "ETag",
                                          "Retry-After",     "X-Frame-Options" };

    for (size_t i = 0; i < countof(passed); i++) {
        const char *value = http_headers_get(h, passed[i]);

        if (value)
            http_call_set_header(call, passed[i], value);
    }
}

static void job_free(struct job *j)
{
    free(j->path);
    free(j);
}

static void forward(void *arg)
{
    struct job *j = arg;
    struct http_response answer;
    struct error e;
    struct http_request q = { .method = http_call_method(j->call),
                              .path = j->path,
                              .content_type = http_call_header(j->call, "Content-Type"),
                              .accept = http_call_header(j->call, "Accept") };

    q.body = http_call_body(j->call, &q.body_len);
    if (ask(j->browser, &q, &answer, &e) < 0) {
        http_reply_error(j->call, &e, NULL);
    } else {
        pass_headers(j->call, &answer.headers);
        http_reply(j->call, answer.status, http_headers_get(&answer.headers, "Content-Type"),
                   answer.body.data, answer.body.len);
    }
    http_response_done(&answer);
    job_free(j);
}

static void stream(void *arg)
{
    struct job *j = arg;

    browser_stream(j->browser->cli, j->call, j->path);
    job_free(j);
}

static void queue(struct browser *b, struct http_call *call, struct pool *pool, pool_fn *fn,
                  const char *path)
{
    const char *query = http_call_query_string(call);
    struct job *j = must_calloc(1, sizeof(*j));

    j->browser = b;
    j->call = call;
    j->path = must_asprintf("%s%s%s", path, *query ? "?" : "", query);
    http_keep(call);
    if (pool_run(pool, fn, j))
        return;
    refuse(call, ERR_TOO_MANY, "too much is asked for at a time: try again");
    job_free(j);
}

static void handle(struct http_call *call, void *ctx)
{
    static const char config[] = "{\"auth\":\"none\"}";
    struct browser *b = ctx;
    const struct http_headers *h = http_call_headers(call);
    bool is_websocket = http_headers_has_token(h, "Connection", "upgrade");
    scoped(free) char *path = NULL;
    enum browser_verdict verdict = browser_rule(http_call_method(call), http_call_path(call),
                                                is_websocket, b->cli->namespace, &path);
    bool changes = verdict == BROWSER_STREAM || http_call_method(call) != HTTP_GET;

    if (!browser_is_ours(h, b->authority, changes)) {
        refuse(call, ERR_FORBIDDEN, "this proxy answers its own page only");
        return;
    }
    if (verdict == BROWSER_LOGIN) {
        login(b, call);
        return;
    }
    if (!browser_has_cookie(h, b->cookie_name, b->cookie)) {
        refuse(call, ERR_FORBIDDEN, "sign in by the address that the command has printed");
        return;
    }
    switch (verdict) {
    case BROWSER_CONFIG:
        http_call_set_header(call, "Cache-Control", "no-store");
        http_reply(call, 200, "application/json", config, strlen(config));
        break;
    case BROWSER_FORWARD:
        queue(b, call, b->calls, forward, path);
        break;
    case BROWSER_STREAM:
        queue(b, call, b->streams, stream, path);
        break;
    case BROWSER_LOGIN:
    case BROWSER_REFUSE:
        refuse(call, ERR_FORBIDDEN, "this proxy serves the page and its machines only");
        break;
    }
}

int browser_start(struct browser **ret, struct cli *c, int port, struct error *e)
{
    struct browser *b = must_calloc(1, sizeof(*b));
    const struct http_server_options o = {
        .name = "browser", .address = "127.0.0.1", .port = port, .handler = handle, .ctx = b
    };

    b->cli = c;
    make_secret(b->secret);
    make_secret(b->cookie);
    b->calls = pool_new("calls", CALLS_MAX, CALLS_WAITING_MAX);
    b->streams = pool_new("streams", STREAMS_MAX, 0);
    int r = http_server_start(&b->server, &o, e);
    if (r < 0) {
        pool_free(b->calls);
        pool_free(b->streams);
        free(b);
        return r;
    }
    /* Nobody asks before the address is printed. */
    (void)snprintf(b->authority, sizeof(b->authority), "127.0.0.1:%d", http_server_port(b->server));
    (void)snprintf(b->cookie_name, sizeof(b->cookie_name), "kubectl_virt_%d",
                   http_server_port(b->server));
    *ret = b;
    return 0;
}

void browser_stop(struct browser *b)
{
    pool_free(b->calls);
    pool_free(b->streams);
    http_server_free(b->server);
    free(b);
}

char *browser_url(const struct browser *b, const char *name, const char *view)
{
    scoped(free) char *ns = http_escape(b->cli->namespace);
    scoped(free) char *escaped = http_escape(name);

    return must_asprintf("http://%s/login?secret=%s#/%s/%s/%s", b->authority, b->secret, ns,
                         escaped, view);
}
