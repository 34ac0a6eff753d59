/* SPDX-License-Identifier: Apache-2.0 */
/* A server for a test, over TLS, plain or unix sockets, with pages that behave in their own ways.
 */
#ifndef TEST_SERVER_WORLD_H
#define TEST_SERVER_WORLD_H

#include "tls_fixture.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/scope.h"
#include "base/str.h"
#include "http/client.h"
#include "http/server.h"

enum { BODY_LIMIT = 256 * 1024 };

static struct test_pki pki;

/* One server for a test, and what its handler leaves behind. */
struct world {
    struct http_server *server;
    struct tls_keys *keys;
    struct http_client *client;
    char url[64];
    pthread_t replier;
    struct http_call *kept;
    atomic_int gone_seen;
    atomic_int handled; /* counted when the handler returns */
    atomic_int after;   /* what `handled` was when what could wait was done */
};

/* ---- the handler: what it does depends on the path ---- */

static void *reply_later(void *arg)
{
    struct world *w = arg;

    usleep(30 * 1000);
    http_reply(w->kept, 200, "text/plain", http_call_path(w->kept),
               strlen(http_call_path(w->kept)));
    return NULL;
}

static void *wait_for_gone(void *arg)
{
    struct world *w = arg;

    for (int i = 0; i < 3000 && !http_call_is_gone(w->kept); i++)
        usleep(10 * 1000);
    atomic_store(&w->gone_seen, http_call_is_gone(w->kept) ? 1 : 2);
    http_reply(w->kept, 200, "text/plain", "late", 4);
    return NULL;
}

static void *write_pieces(void *arg)
{
    struct world *w = arg;
    char line[64];

    for (int i = 0; i < 100; i++) {
        int n = snprintf(line, sizeof(line), "line %d\n", i);
        if (!http_stream_write(w->kept, line, (size_t)n))
            break;
        if (i % 10 == 0)
            usleep(2000);
    }
    http_stream_end(w->kept);
    return NULL;
}

static void start_thread(struct world *w, struct http_call *c, void *(*fn)(void *))
{
    w->kept = c;
    must(pthread_create(&w->replier, NULL, fn, w) == 0);
}

static void note_after(void *arg)
{
    struct world *w = arg;

    atomic_store(&w->after, atomic_load(&w->handled));
}

static void page_echo(struct world *w, struct http_call *c)
{
    size_t len;
    const void *body = http_call_body(c, &len);
    http_reply(c, 200, "application/octet-stream", body, len);
}

static void page_size(struct world *w, struct http_call *c)
{
    size_t len;
    (void)http_call_body(c, &len);
    json_auto_t *v = must_pack("{s:I}", "size", (json_int_t)len);
    http_reply_json(c, 200, v);
}

static void page_later(struct world *w, struct http_call *c)
{
    http_keep(c);
    start_thread(w, c, reply_later);
}

static void page_gone(struct world *w, struct http_call *c)
{
    http_keep(c);
    start_thread(w, c, wait_for_gone);
}

static void page_forgotten(struct world *w, struct http_call *c)
{
    http_keep(c);
    w->kept = c;
}

static void page_pieces(struct world *w, struct http_call *c)
{
    http_stream_begin(c, 200, "text/plain");
    start_thread(w, c, write_pieces);
}

static void page_peer(struct world *w, struct http_call *c)
{
    const struct tls_identity *id = http_call_peer(c);
    json_auto_t *v = must_pack("{s:b,s:s,s:i}", "verified", id->is_verified, "cn", id->cn, "uid",
                               (int)http_call_peer_uid(c));
    http_reply_json(c, 200, v);
}

static void page_query(struct world *w, struct http_call *c)
{
    const char *q = http_call_query(c, "a b");
    http_call_set_header(c, "X-Raw", http_call_query_string(c));
    http_reply(c, 200, "text/plain", q ? q : "none", strlen(q ? q : "none"));
}

static void page_header(struct world *w, struct http_call *c)
{
    const char *v = http_call_header(c, "x-long");
    char n[32];
    (void)snprintf(n, sizeof(n), "%zu", v ? strlen(v) : 0);
    http_reply(c, 200, "text/plain", n, strlen(n));
}

static void page_nothing(struct world *w, struct http_call *c)
{
    /* a handler that forgets to answer */
}

static void page_after(struct world *w, struct http_call *c)
{
    http_reply_taken(c, 200, "text/plain", must_strdup("taken"), 5);
    http_after_reply(c, note_after, w);
}

static void page_static(struct world *w, struct http_call *c)
{
    static const char text[] = "{\"static\":true}";
    http_reply_static(c, 200, "application/json", text, sizeof(text) - 1);
}

static const struct {
    const char *path;
    void (*serve)(struct world *w, struct http_call *c);
} pages[] = {
    { "/echo", page_echo },       { "/size", page_size },           { "/later", page_later },
    { "/gone", page_gone },       { "/forgotten", page_forgotten }, { "/pieces", page_pieces },
    { "/peer", page_peer },       { "/query", page_query },         { "/header", page_header },
    { "/nothing", page_nothing }, { "/after", page_after },         { "/static", page_static },
};

static void handler(struct http_call *c, void *ctx)
{
    struct world *w = ctx;

    size_t i = 0;

    while (i < countof(pages) && !streq(pages[i].path, http_call_path(c)))
        i++;
    if (i < countof(pages))
        pages[i].serve(w, c);
    else
        http_reply_error(c, &(struct error){ .code = ERR_NOT_FOUND, .msg = "no such path" }, NULL);
    atomic_fetch_add(&w->handled, 1);
}

/* ---- setting up ---- */

struct kind {
    bool is_tls;
    enum tls_peer peer;
    size_t threads;
    int64_t head_timeout_ms;
    int64_t idle_timeout_ms;
    size_t connections_max;
    const char *cn; /* the one allowed name */
};

static struct http_client *client_of(struct world *w, const struct test_cert *cert)
{
    return http_client_new(&(struct http_client_options){
        .base_url = w->url,
        .ca_pem = pki.ca.cert_pem,
        .cert_pem = cert ? cert->cert_pem : NULL,
        .key_pem = cert ? cert->key_pem : NULL,
    });
}

static void open_world(struct world *w, const struct kind *k)
{
    struct error e;

    *w = (struct world){ 0 };
    if (k->is_tls) {
        w->keys = tls_keys_new();
        assert_int_equal(tls_keys_set_pair(w->keys, pki.server.cert_pem, pki.server.key_pem, &e),
                         0);
        assert_int_equal(tls_keys_set_ca(w->keys, pki.ca.cert_pem, &e), 0);
    }
    struct http_server_options o = {
        .name = "test",
        .address = "127.0.0.1",
        .keys = w->keys,
        .policy = { .peer = k->peer },
        .threads = k->threads,
        .body_max_bytes = BODY_LIMIT,
        .head_timeout_ms = k->head_timeout_ms,
        .idle_timeout_ms = k->idle_timeout_ms,
        .connections_max = k->connections_max,
        .handler = handler,
        .ctx = w,
    };
    if (k->cn)
        o.policy.cn[o.policy.cn_len++] = k->cn;
    assert_int_equal(http_server_start(&w->server, &o, &e), 0);
    (void)snprintf(w->url, sizeof(w->url), "%s://127.0.0.1:%d", k->is_tls ? "https" : "http",
                   http_server_port(w->server));
    w->client = client_of(w, NULL);
}

static void close_world(struct world *w)
{
    http_client_free(w->client);
    http_server_free(w->server);
    tls_keys_unref(w->keys);
}

static struct raw raw_to(struct world *w)
{
    struct raw r;

    if (!w->keys)
        return raw_plain(http_server_port(w->server));
    assert_true(raw_tls(&r, http_server_port(w->server), NULL, NULL));
    return r;
}

static const struct kind kinds[] = { { .is_tls = false }, { .is_tls = true } };

#define for_each_kind(k) for (const struct kind *k = kinds; k < kinds + countof(kinds); k++)

static int get(struct http_client *c, const char *path, struct http_response *r)
{
    struct error e;
    struct http_request q = { .method = HTTP_GET, .path = path, .timeout_ms = 10000 };
    int n = http_client_do(c, &q, r, &e);

    if (n < 0)
        print_message("GET %s: %s\n", path, e.msg);
    return n;
}

static int group_setup(void **state)
{
    test_pki_init(&pki);
    return 0;
}

static int group_teardown(void **state)
{
    test_pki_done(&pki);
    return 0;
}

#endif
