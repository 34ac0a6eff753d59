/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rows of test/rules about a webhook's call itself: {"http": {method, path, type, body}}, where a
 * body that is no text is sent as JSON.  Served over HTTP on loopback, as virt-api serves it.
 */
#ifndef TEST_UNIT_SHEET_HTTP_H
#define TEST_UNIT_SHEET_HTTP_H

#include "base/pool.h"
#include "http/client.h"
#include "http/server.h"
#include "sheet_subjects.h"
#include "test/fake/kube.h"
#include "webhooks/webhooks.h"

/* Started by the first row that asks. */
static struct sheet_server {
    struct fake_kube *kube;
    struct http_watcher *watcher;
    struct pool *workers;
    struct webhooks *webhooks;
    struct http_server *http;
    struct http_client *client;
} sheet_server;

static void sheet_serve(struct http_call *c, void *ctx)
{
    struct sheet_server *s = ctx;
    struct error e;

    if (webhooks_serve(s->webhooks, c))
        return;
    error_set(&e, ERR_NOT_FOUND, "not a webhook");
    http_reply_error(c, &e, NULL);
}

static struct sheet_server *sheet_server_get(void)
{
    struct sheet_server *s = &sheet_server;
    struct error e = { 0 };

    if (s->http)
        return s;
    s->kube = fake_kube_start();
    s->watcher = http_watcher_new("watch");
    s->workers = pool_new("review", 1, 1);
    s->webhooks = webhooks_start(fake_kube_client(s->kube), s->watcher, s->workers, "kubevirt");
    const struct http_server_options o = {
        .name = "webhooks", .address = "127.0.0.1", .handler = sheet_serve, .ctx = s
    };
    assert_int_equal(http_server_start(&s->http, &o, &e), 0);

    scoped(free) char *url = must_asprintf("http://127.0.0.1:%d", http_server_port(s->http));
    s->client = http_client_new(&(struct http_client_options){ .base_url = url });
    return s;
}

static void sheet_server_done(void)
{
    struct sheet_server *s = &sheet_server;

    if (!s->http)
        return;
    http_client_free(s->client);
    http_server_drain(s->http, 100);
    pool_free(s->workers);
    http_server_free(s->http);
    webhooks_stop(s->webhooks);
    http_watcher_free(s->watcher);
    fake_kube_free(s->kube);
}

/* {"status", "body"}, the body as JSON if it is. */
static json_t *call_of(const json_t *ask)
{
    const json_t *body = json_object_get(ask, "body");
    scoped(free) char *text = json_is_string(body) ? must_strdup(json_string_value(body))
                              : body               ? must_dumps(body, 0)
                                                   : must_strdup("");
    bool is_post = streq(jpath_str(ask, "method", "POST"), "POST");
    const struct http_request q = { .method = is_post ? HTTP_POST : HTTP_GET,
                                    .path = jpath_str(ask, "path", ""),
                                    .body = is_post ? text : NULL,
                                    .body_len = is_post ? strlen(text) : 0,
                                    .content_type = jpath_str(ask, "type", "application/json") };
    struct http_response r;
    struct error e = { 0 };

    if (http_client_do(sheet_server_get()->client, &q, &r, &e) < 0)
        fail_msg("no answer: %s", e.msg);
    json_t *got = must_pack("{s:i}", "status", r.status);
    json_t *answer = json_loadb(r.body.data ? r.body.data : "", r.body.len, 0, NULL);
    if (answer)
        must_set(got, "body", answer);
    http_response_done(&r);
    return got;
}

static void http_row_holds(const json_t *row)
{
    json_auto_t *got = call_of(json_object_get(row, "http"));

    compare_values(json_object_get(row, "is"), got);
    compare_words(json_object_get(row, "says"), got);
}

#endif
