/* SPDX-License-Identifier: Apache-2.0 */
/* The dialler against our own server and against peers that misbehave. */
#include "tls_fixture.h"

#include <pthread.h>
#include <stdatomic.h>

#include "base/clock.h"
#include "base/scope.h"
#include "base/str.h"
#include "http/dial.h"
#include "http/server.h"
#include "raw_server.h"

static struct test_pki pki;
static struct tls_keys *keys;
static struct http_server *server;
static struct loop *loop;

static void handler(struct http_call *c, void *ctx)
{
    size_t len;
    const void *body = http_call_body(c, &len);
    json_auto_t *v =
        must_pack("{s:s,s:s,s:s%,s:s,s:s}", "method", http_method_name(http_call_method(c)), "path",
                  http_call_path(c), "body", body, len, "cn", http_call_peer(c)->cn, "extra",
                  http_call_header(c, "X-Extra") ? http_call_header(c, "X-Extra") : "");

    http_reply_json(c, 200, v);
}

/* ---- one exchange, waited for ---- */

struct outcome {
    const struct dial_request *q;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool is_over;
    int status;
    enum error_code code;
    char why[ERROR_MSG_MAX];
    char body[4096];
    char early[64]; /* first bytes of an upgraded stream */
};

static void on_done(const struct dial_answer *a, void *arg)
{
    struct outcome *o = arg;

    pthread_mutex_lock(&o->lock);
    assert_false(o->is_over);
    o->status = a->status;
    if (a->why) {
        o->code = a->why->code;
        (void)snprintf(o->why, sizeof(o->why), "%s", a->why->msg);
    }
    (void)snprintf(o->body, sizeof(o->body), "%.*s", (int)a->body_len,
                   a->body ? (const char *)a->body : "");
    if (a->upgraded) {
        ssize_t n = stream_read(a->upgraded, o->early, sizeof(o->early) - 1);
        o->early[n > 0 ? n : 0] = '\0';
        stream_close(a->upgraded);
    }
    o->is_over = true;
    pthread_cond_broadcast(&o->changed);
    pthread_mutex_unlock(&o->lock);
}

static void start(void *arg)
{
    struct outcome *o = arg;

    (void)dial_start(loop, o->q, on_done, o);
}

static struct outcome dial(const struct dial_request *q)
{
    struct outcome o = { .q = q };

    must(pthread_mutex_init(&o.lock, NULL) == 0 && pthread_cond_init(&o.changed, NULL) == 0);
    loop_post(loop, start, &o);
    pthread_mutex_lock(&o.lock);
    while (!o.is_over)
        pthread_cond_wait(&o.changed, &o.lock);
    pthread_mutex_unlock(&o.lock);
    return o;
}

/* ---- tests ---- */

static void request_arrives_as_given(void **state)
{
    struct http_headers h = { 0 };
    assert_true(http_headers_add(&h, "X-Extra", "yes"));
    assert_true(http_headers_add(&h, "Host", "spoofed"));
    assert_true(http_headers_add(&h, "Content-Length", "12345"));
    struct dial_request q = {
        .host = "127.0.0.1",
        .port = http_server_port(server),
        .keys = keys,
        .policy = { .peer = TLS_PEER_REQUIRED, .cn = { "other", "the-server" }, .cn_len = 2 },
        .method = HTTP_PUT,
        .path = "/v1/pause?x=1",
        .headers = &h,
        .body = "{}",
        .body_len = 2,
    };
    struct outcome o = dial(&q);
    assert_int_equal(o.status, 200);
    json_auto_t *v = json_loads(o.body, 0, NULL);
    assert_string_equal(json_string_value(json_object_get(v, "method")), "PUT");
    assert_string_equal(json_string_value(json_object_get(v, "path")), "/v1/pause");
    assert_string_equal(json_string_value(json_object_get(v, "body")), "{}");
    assert_string_equal(json_string_value(json_object_get(v, "extra")), "yes");
    assert_string_equal(json_string_value(json_object_get(v, "cn")), "the-dialler");
    http_headers_done(&h);
}

static void peers_are_verified(void **state)
{
    struct tls_keys *strangers = tls_keys_new();
    struct tls_keys *nobody = tls_keys_new();
    struct error e;
    assert_int_equal(tls_keys_set_pair(strangers, pki.client.cert_pem, pki.client.key_pem, &e), 0);
    assert_int_equal(tls_keys_set_ca(strangers, pki.other_ca.cert_pem, &e), 0);
    assert_int_equal(tls_keys_set_ca(nobody, pki.ca.cert_pem, &e), 0);
    const struct {
        const char *name;
        struct tls_keys *keys;
        struct tls_policy policy;
        int status;
        const char *why;
    } rows[] = {
        { "right",
          keys,
          { .peer = TLS_PEER_REQUIRED, .cn = { "the-server" }, .cn_len = 1 },
          200,
          "" },
        { "any name", keys, { .peer = TLS_PEER_REQUIRED }, 200, "" },
        { "other name",
          keys,
          { .peer = TLS_PEER_REQUIRED, .cn = { "x" }, .cn_len = 1 },
          0,
          "common name" },
        { "other CA", strangers, { .peer = TLS_PEER_REQUIRED }, 0, "certificate" },
        { "not verified", strangers, { .peer = TLS_PEER_ANY }, 200, "" },
        { "we have no certificate, and none is required",
          nobody,
          { .peer = TLS_PEER_REQUIRED },
          200,
          "" },
    };

    for (size_t i = 0; i < countof(rows); i++) {
        struct dial_request q = { .host = "127.0.0.1",
                                  .port = http_server_port(server),
                                  .keys = rows[i].keys,
                                  .policy = rows[i].policy,
                                  .path = "/" };
        struct outcome o = dial(&q);
        if (o.status != rows[i].status || !strstr(o.why, rows[i].why))
            fail_msg("%s: %d %s", rows[i].name, o.status, o.why);
        if (!o.status)
            assert_int_equal(o.code, ERR_UNAVAILABLE);
    }
    tls_keys_unref(strangers);
    tls_keys_unref(nobody);
}

static void answers_of_odd_peers(void **state)
{
    static const struct {
        const char *name;
        const char *piece[RAW_PIECES_MAX];
        int status;
        const char *body, *early;
    } rows[] = {
        { "in pieces",
          { "HTTP/1.1 409 Con", "flict\r\nContent-Length: 5\r\n", "\r\nhe", "llo" },
          409,
          "hello",
          "" },
        { "until the end", { "HTTP/1.1 200 OK\r\n\r\nall", " of it" }, 200, "all of it", "" },
        { "upgrade with early bytes",
          { "HTTP/1.1 101 Switching\r\nUpgrade: x\r\n\r\nearly" },
          101,
          "",
          "early" },
        { "closed at once", { NULL }, 0, "", "" },
        { "rubbish", { "220 smtp ready\r\n\r\n" }, 0, "", "" },
        { "cut off", { "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhel" }, 0, "", "" },
    };

    for (size_t i = 0; i < countof(rows); i++) {
        struct raw_server peer = { 0 };
        memcpy(peer.piece, rows[i].piece, sizeof(rows[i].piece));
        raw_server_start(&peer);
        struct dial_request q = { .host = "127.0.0.1", .port = peer.port, .path = "/" };
        struct outcome o = dial(&q);
        if (o.status != rows[i].status || !streq(o.body, rows[i].body) ||
            !streq(o.early, rows[i].early))
            fail_msg("%s: %d \"%s\" \"%s\" %s", rows[i].name, o.status, o.body, o.early, o.why);
        if (!o.status)
            assert_int_equal(o.code, ERR_UNAVAILABLE);
        raw_server_stop(&peer);
    }
}

static void silence_times_out(void **state)
{
    struct raw_server peer = { .holds = true };

    raw_server_start(&peer);
    struct tls_keys *const with[] = { NULL, keys }; /* no answer; no handshake */
    for (size_t i = 0; i < countof(with); i++) {
        struct dial_request q = { .host = "127.0.0.1",
                                  .port = peer.port,
                                  .path = "/",
                                  .keys = with[i],
                                  .connect_timeout_ms = 300,
                                  .answer_timeout_ms = 600 };
        int64_t began = clock_mono_ms(&clock_real);
        struct outcome o = dial(&q);
        assert_int_equal(o.status, 0);
        assert_int_equal(o.code, ERR_TIMEOUT);
        assert_in_range(clock_mono_ms(&clock_real) - began, 250, 5000);
    }
    raw_server_stop(&peer);
}

static void what_cannot_be_dialled(void **state)
{
    static const struct dial_request rows[] = {
        { .host = "127.0.0.1", .port = 1, .path = "/" },
        { .host = "not-an-address", .port = 1, .path = "/" },
        { .unix_path = "/nowhere/socket", .path = "/" },
        { .host = "127.0.0.1", .port = 1, .path = "/a b" },
        { .host = "127.0.0.1", .port = 1, .path = "/\r\nX: y" },
    };

    for (size_t i = 0; i < countof(rows); i++) {
        struct outcome o = dial(&rows[i]);
        assert_int_equal(o.status, 0);
        assert_int_equal(o.code, ERR_UNAVAILABLE);
        assert_true(o.why[0] != '\0');
    }
}

static void answers_are_bounded(void **state)
{
    struct raw_server peer = { .piece = { "HTTP/1.1 200 OK\r\nContent-Length: 101\r\n\r\n" } };

    raw_server_start(&peer);
    struct dial_request q = {
        .host = "127.0.0.1", .port = peer.port, .path = "/", .response_max_bytes = 100
    };
    struct outcome o = dial(&q);
    assert_int_equal(o.status, 0);
    assert_non_null(strstr(o.why, "larger than 100"));
    raw_server_stop(&peer);
}

static void cancel_all(void *arg)
{
    struct dial **d = arg;

    dial_cancel(*d);
    *d = NULL;
}

struct cancelled {
    struct dial_request q;
    struct dial *dial;
    struct outcome o;
};

static void start_to_cancel(void *arg)
{
    struct cancelled *c = arg;

    c->dial = dial_start(loop, &c->q, on_done, &c->o);
}

static void cancelled_exchange_says_nothing(void **state)
{
    struct raw_server peer = { .holds = true };
    raw_server_start(&peer);
    struct cancelled c = { .q = { .host = "127.0.0.1", .port = peer.port, .path = "/" } };

    must(pthread_mutex_init(&c.o.lock, NULL) == 0 && pthread_cond_init(&c.o.changed, NULL) == 0);
    loop_post(loop, start_to_cancel, &c);
    usleep(50 * 1000);
    loop_post(loop, cancel_all, &c.dial);
    struct dial_request q = { .host = "127.0.0.1", .port = 1, .path = "/" };
    (void)dial(&q); /* after it in the loop */
    assert_false(c.o.is_over);
    raw_server_stop(&peer);
}

static int group_setup(void **state)
{
    struct error e;

    test_pki_init(&pki);
    struct test_cert dialler = test_cert_new(&pki.ca, "the-dialler", FOR_CLIENT, 86400);
    keys = tls_keys_new();
    must(tls_keys_set_pair(keys, dialler.cert_pem, dialler.key_pem, &e) == 0);
    must(tls_keys_set_ca(keys, pki.ca.cert_pem, &e) == 0);
    test_cert_done(&dialler);
    struct tls_keys *served = tls_keys_new();
    must(tls_keys_set_pair(served, pki.server.cert_pem, pki.server.key_pem, &e) == 0);
    must(tls_keys_set_ca(served, pki.ca.cert_pem, &e) == 0);
    struct http_server_options o = { .name = "test",
                                     .address = "127.0.0.1",
                                     .keys = served,
                                     .policy = { .peer = TLS_PEER_OPTIONAL },
                                     .handler = handler };
    must(http_server_start(&server, &o, &e) == 0);
    tls_keys_unref(served);
    loop = loop_new("dial");
    loop_start(loop);
    return 0;
}

static int group_teardown(void **state)
{
    loop_free(loop);
    http_server_free(server);
    tls_keys_unref(keys);
    test_pki_done(&pki);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(request_arrives_as_given),
        cmocka_unit_test(peers_are_verified),
        cmocka_unit_test(answers_of_odd_peers),
        cmocka_unit_test(silence_times_out),
        cmocka_unit_test(what_cannot_be_dialled),
        cmocka_unit_test(answers_are_bounded),
        cmocka_unit_test(cancelled_exchange_says_nothing),
    };
    return cmocka_run_group_tests_name("dial", tests, group_setup, group_teardown);
}
