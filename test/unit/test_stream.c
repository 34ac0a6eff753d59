/* SPDX-License-Identifier: Apache-2.0 */
/* Upgrades, streams and the relay, over real sockets and two TLS hops. */
#include "tls_fixture.h"

#include <pthread.h>
#include <stdatomic.h>

#include "base/scope.h"
#include "base/str.h"
#include "http/dial.h"
#include "http/server.h"

enum { BULK_BYTES = 10 * 1024 * 1024 };

static struct test_pki pki;

/* ---- a stream that says everything back ---- */

struct echo {
    char data[16 * 1024];
    size_t len, off;
    atomic_int *ended;
    bool is_polite; /* "bye" makes it say goodbye and close */
};

static void echo_event(struct stream *s, int events, void *arg)
{
    struct echo *e = arg;

    for (;;) {
        while (e->off < e->len) {
            ssize_t n = stream_write(s, e->data + e->off, e->len - e->off);
            if (n == STREAM_AGAIN) {
                stream_want(s, LOOP_WRITE, echo_event, e);
                return;
            }
            if (n <= 0)
                goto over;
            e->off += (size_t)n;
        }
        e->off = e->len = 0;
        ssize_t n = stream_read(s, e->data, sizeof(e->data));
        if (n == STREAM_AGAIN) {
            stream_want(s, LOOP_READ, echo_event, e);
            return;
        }
        if (n <= 0)
            goto over;
        e->len = (size_t)n;
        if (n >= 3 && memcmp(e->data + n - 3, "bye", 3) == 0) {
            (void)stream_write(s, "goodbye", 7);
            goto over;
        }
    }
over:
    atomic_fetch_add(e->ended, 1);
    stream_close(s);
    free(e);
}

static void echo_taken(struct stream *s, void *arg)
{
    struct echo *e = must_calloc(1, sizeof(*e));

    e->ended = arg;
    if (!s) {
        atomic_fetch_add(e->ended, 1);
        free(e);
        return;
    }
    stream_want(s, LOOP_READ, echo_event, e);
}

/* ---- servers: one that echoes, one that relays to it ---- */

struct world {
    struct tls_keys *keys;
    struct http_server *far, *near;
    bool is_far_plain;
    atomic_int ended;   /* echoes */
    atomic_int relayed; /* relays that are done */
    struct http_call *late;
    pthread_t late_thread;
    atomic_int is_late;
};

static void *upgrade_when_gone(void *arg)
{
    struct world *w = arg;

    for (int i = 0; i < 3000 && !http_call_is_gone(w->late); i++)
        usleep(10 * 1000);
    http_upgrade(w->late, NULL, echo_taken, &w->ended);
    return NULL;
}

static void far_handler(struct http_call *c, void *ctx)
{
    struct world *w = ctx;
    struct http_headers h = { 0 };

    if (streq(http_call_path(c), "/late")) {
        http_keep(c);
        w->late = c;
        must(pthread_create(&w->late_thread, NULL, upgrade_when_gone, w) == 0);
        atomic_store(&w->is_late, 1);
        return;
    }
    if (!streq(http_call_path(c), "/echo")) {
        struct error e = { .code = ERR_CONFLICT, .msg = "not running" };
        http_reply_error(c, &e, NULL);
        return;
    }
    assert_true(http_headers_add(&h, "Sec-WebSocket-Protocol", "plain.kubevirt.io"));
    http_upgrade(c, &h, echo_taken, &w->ended);
    http_headers_done(&h);
}

struct hop {
    struct world *w;
    struct http_call *call;
    struct stream *far;
};

static void relay_over(void *arg)
{
    struct hop *h = arg;

    atomic_fetch_add(&h->w->relayed, 1);
    free(h);
}

static void near_taken(struct stream *s, void *arg)
{
    struct hop *h = arg;

    if (!s) {
        stream_close(h->far);
        relay_over(h);
        return;
    }
    (void)relay_start(s, h->far, relay_over, h);
}

static void near_dialled(const struct dial_answer *a, void *arg)
{
    struct hop *h = arg;

    if (a->status == 101) {
        h->far = a->upgraded;
        http_upgrade(h->call, a->headers, near_taken, h);
        return;
    }
    http_reply(h->call, a->status ? a->status : 502, "application/json", a->body, a->body_len);
    free(h);
}

static void near_handler(struct http_call *c, void *ctx)
{
    struct world *w = ctx;
    struct hop *h = must_calloc(1, sizeof(*h));

    *h = (struct hop){ .w = w, .call = c };
    http_keep(c);
    struct dial_request q = {
        .host = "127.0.0.1",
        .port = http_server_port(w->far),
        .keys = w->is_far_plain ? NULL : w->keys,
        .policy = { .peer = TLS_PEER_REQUIRED, .cn = { "the-server" }, .cn_len = 1 },
        .method = HTTP_GET,
        .path = http_call_path(c),
        .headers = http_call_headers(c),
    };
    (void)dial_start(http_call_loop(c), &q, near_dialled, h);
}

struct kind {
    bool is_near_plain, is_far_plain;
};

static void open_world(struct world *w, struct kind k)
{
    struct error e;

    *w = (struct world){ .is_far_plain = k.is_far_plain };
    w->keys = tls_keys_new();
    assert_int_equal(tls_keys_set_pair(w->keys, pki.server.cert_pem, pki.server.key_pem, &e), 0);
    assert_int_equal(tls_keys_set_ca(w->keys, pki.ca.cert_pem, &e), 0);
    struct http_server_options o = { .name = "far",
                                     .address = "127.0.0.1",
                                     .handler = far_handler,
                                     .ctx = w,
                                     .keys = k.is_far_plain ? NULL : w->keys };
    assert_int_equal(http_server_start(&w->far, &o, &e), 0);
    o.name = "near";
    o.handler = near_handler;
    o.threads = 2;
    o.keys = k.is_near_plain ? NULL : w->keys;
    assert_int_equal(http_server_start(&w->near, &o, &e), 0);
}

static void close_world(struct world *w)
{
    http_server_free(w->near);
    http_server_free(w->far);
    tls_keys_unref(w->keys);
}

static void wait_for(atomic_int *n, int wanted)
{
    for (int i = 0; i < 3000 && atomic_load(n) < wanted; i++)
        usleep(10 * 1000);
    assert_int_equal(atomic_load(n), wanted);
}

/* ---- the client ---- */

static const char upgrade[] =
    "GET /echo HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";

static struct raw connect_to(struct http_server *s, bool is_plain)
{
    struct raw r;

    if (is_plain)
        return raw_plain(http_server_port(s));
    assert_true(raw_tls(&r, http_server_port(s), NULL, NULL));
    return r;
}

static void expect_upgraded(struct raw *r)
{
    char head[4096];

    assert_true(raw_until(r, "\r\n\r\n", head, sizeof(head)));
    assert_memory_equal(head, "HTTP/1.1 101 ", 13);
    assert_non_null(strcasestr(head, "upgrade: websocket"));
    assert_non_null(strcasestr(head, "connection: upgrade"));
    assert_non_null(strcasestr(head, "Sec-WebSocket-Protocol: plain.kubevirt.io"));
}

/* Bytes that tell of a lost, doubled or swapped piece. */
static char pattern(size_t i)
{
    return (char)((i * 2654435761u) >> 13);
}

struct sender {
    struct raw *r;
    size_t from;
};

static void *send_bulk(void *arg)
{
    struct sender *s = arg;
    char chunk[10000];

    for (size_t at = s->from; at < BULK_BYTES;) {
        size_t n = BULK_BYTES - at < sizeof(chunk) ? BULK_BYTES - at : sizeof(chunk);
        for (size_t i = 0; i < n; i++)
            chunk[i] = pattern(at + i);
        if (!raw_send(s->r, chunk, n))
            break;
        at += n;
    }
    return NULL;
}

/* `early` bytes go with the request itself; then all of them must come back. */
static void exchange_bulk(struct raw *r, size_t early)
{
    char chunk[8192];
    pthread_t thread;
    size_t len = sizeof(upgrade) - 1;
    scoped(free) char *first = must_malloc(len + early);

    memcpy(first, upgrade, len);
    for (size_t i = 0; i < early; i++)
        first[len + i] = pattern(i);
    assert_true(raw_send(r, first, len + early));
    expect_upgraded(r);
    struct sender s = { r, early };
    must(pthread_create(&thread, NULL, send_bulk, &s) == 0);
    size_t at = 0;
    while (at < BULK_BYTES) {
        ssize_t n = raw_recv(r, chunk, sizeof(chunk));
        if (n <= 0)
            fail_msg("ended after %zu bytes", at);
        for (ssize_t i = 0; i < n; i++)
            if (chunk[i] != pattern(at + (size_t)i))
                fail_msg("byte %zu is wrong", at + (size_t)i);
        at += (size_t)n;
    }
    must(pthread_join(thread, NULL) == 0);
}

/* ---- tests ---- */

static void upgrade_keeps_every_byte(void **state)
{
    static const size_t early[] = { 0, 1, 5000, 100000 };

    for (int plain = 0; plain < 2; plain++) {
        struct world w;
        open_world(&w, (struct kind){ .is_far_plain = plain });
        for (size_t i = 0; i < countof(early); i++) {
            struct raw r = connect_to(w.far, plain);
            exchange_bulk(&r, early[i]);
            raw_close(&r);
            wait_for(&w.ended, (int)i + 1);
        }
        close_world(&w);
    }
}

static void relay_keeps_every_byte(void **state)
{
    static const struct kind kinds[] = { { false, false }, { true, false }, { false, true } };

    for (size_t i = 0; i < countof(kinds); i++) {
        struct world w;
        open_world(&w, kinds[i]);
        struct raw r = connect_to(w.near, kinds[i].is_near_plain);
        exchange_bulk(&r, 100);
        raw_close(&r);
        wait_for(&w.ended, 1);
        wait_for(&w.relayed, 1);
        close_world(&w);
    }
}

static void last_words_come_through_the_relay(void **state)
{
    struct world w;
    char words[32] = { 0 };

    open_world(&w, (struct kind){ 0 });
    struct raw r = connect_to(w.near, false);
    assert_true(raw_say(&r, upgrade));
    expect_upgraded(&r);
    assert_true(raw_say(&r, "bye"));
    assert_int_equal(raw_recv_all(&r, words, sizeof(words) - 1), 7);
    assert_string_equal(words, "goodbye");
    raw_close(&r);
    wait_for(&w.relayed, 1);
    close_world(&w);
}

static void relay_ends_when_the_client_vanishes(void **state)
{
    struct world w;

    open_world(&w, (struct kind){ 0 });
    for (int i = 0; i < 5; i++) {
        struct raw r = connect_to(w.near, false);
        assert_true(raw_say(&r, upgrade));
        expect_upgraded(&r);
        struct linger hard = { .l_onoff = 1 };
        (void)setsockopt(r.fd, SOL_SOCKET, SO_LINGER, &hard,
                         sizeof(hard)); /* a reset instead of a FIN */
        raw_close(&r);
        wait_for(&w.relayed, i + 1);
        wait_for(&w.ended, i + 1);
    }
    close_world(&w);
}

static void reader_that_stops_holds_the_writer_back(void **state)
{
    struct world w;
    struct timeval short_patience = { .tv_usec = 500 * 1000 };
    char chunk[16384];
    size_t sent = 0;

    open_world(&w, (struct kind){ 0 });
    struct raw r = connect_to(w.near, false);
    assert_true(raw_say(&r, upgrade));
    expect_upgraded(&r);
    assert_int_equal(
        setsockopt(r.fd, SOL_SOCKET, SO_SNDTIMEO, &short_patience, sizeof(short_patience)), 0);
    memset(chunk, 'x', sizeof(chunk));
    /* Nobody reads the echo: the kernel's buffers fill up, ours do not. */
    while (sent < 200u * 1024 * 1024 && gnutls_record_send(r.session, chunk, sizeof(chunk)) > 0)
        sent += sizeof(chunk);
    assert_in_range(sent, 64 * 1024, 100u * 1024 * 1024);
    raw_close(&r);
    wait_for(&w.relayed, 1);
    wait_for(&w.ended, 1);
    close_world(&w);
}

static void upgrade_of_a_client_that_left(void **state)
{
    static const char late[] =
        "GET /late HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";

    for (int i = 0; i < 4; i++) {
        bool is_plain = i & 1, is_reset = i & 2;
        struct world w;
        open_world(&w, (struct kind){ .is_far_plain = is_plain });
        struct raw r = connect_to(w.far, is_plain);
        assert_true(raw_say(&r, late));
        wait_for(&w.is_late, 1);
        struct linger hard = { .l_onoff = is_reset };
        (void)setsockopt(r.fd, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
        raw_close(&r);
        must(pthread_join(w.late_thread, NULL) == 0);
        wait_for(&w.ended, 1); /* told once, whichever way */
        close_world(&w);
    }
}

static void refusal_is_passed_on(void **state)
{
    struct world w;
    char head[4096], body[512] = { 0 };

    open_world(&w, (struct kind){ 0 });
    struct raw r = connect_to(w.near, false);
    assert_true(raw_say(
        &r, "GET /other HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"));
    assert_true(raw_until(&r, "\r\n\r\n", head, sizeof(head)));
    assert_memory_equal(head, "HTTP/1.1 409 ", 13);
    (void)raw_recv(&r, body, sizeof(body) - 1);
    assert_non_null(strstr(body, "not running"));
    raw_close(&r);
    close_world(&w);
}

static int group_setup(void **state)
{
    test_pki_init(&pki);
    /* One certificate for both ends: it serves, and it dials. */
    test_cert_done(&pki.server);
    pki.server = test_cert_new(&pki.ca, "the-server", FOR_SERVER | FOR_CLIENT, 86400);
    return 0;
}

static int group_teardown(void **state)
{
    test_pki_done(&pki);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(upgrade_keeps_every_byte),
        cmocka_unit_test(relay_keeps_every_byte),
        cmocka_unit_test(last_words_come_through_the_relay),
        cmocka_unit_test(relay_ends_when_the_client_vanishes),
        cmocka_unit_test(reader_that_stops_holds_the_writer_back),
        cmocka_unit_test(upgrade_of_a_client_that_left),
        cmocka_unit_test(refusal_is_passed_on),
    };
    return cmocka_run_group_tests_name("stream", tests, group_setup, group_teardown);
}
