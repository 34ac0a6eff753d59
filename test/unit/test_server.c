/* SPDX-License-Identifier: Apache-2.0 */
/* The server over real sockets: TLS, plain and unix. */
#include "server_world.h"

/* ---- requests and replies ---- */

static void answers(void **state)
{
    for_each_kind(k)
    {
        struct world w;
        struct http_response r;
        open_world(&w, k);
        assert_int_equal(get(w.client, "/static", &r), 0);
        assert_int_equal(r.status, 200);
        assert_string_equal(r.body.data, "{\"static\":true}");
        assert_string_equal(http_headers_get(&r.headers, "X-Content-Type-Options"), "nosniff");
        assert_string_equal(http_headers_get(&r.headers, "Content-Type"), "application/json");
        http_response_done(&r);

        assert_int_equal(get(w.client, "/no\xff%00thing", &r), 0);
        assert_int_equal(r.status, 404);
        json_auto_t *status = json_loads(r.body.data, 0, NULL);
        assert_string_equal(json_string_value(json_object_get(status, "kind")), "Status");
        http_response_done(&r);
        close_world(&w);
    }
}

static void what_can_wait_is_done_after_the_reply(void **state)
{
    for_each_kind(k)
    {
        struct world w;
        struct http_response r;
        open_world(&w, k);
        for (int n = 1; n <= 20; n++) {
            assert_int_equal(get(w.client, "/after", &r), 0);
            assert_string_equal(r.body.data, "taken");
            http_response_done(&r);
            for (int i = 0; i < 3000 && atomic_load(&w.after) < n; i++)
                usleep(10 * 1000);
            assert_int_equal(atomic_load(&w.after), n);
        }
        close_world(&w);
    }
}

static void query_is_decoded(void **state)
{
    struct world w;
    struct http_response r;

    open_world(&w, &kinds[1]);
    assert_int_equal(get(w.client, "/query?x=1&a%20b=c%2Fd+e&flag", &r), 0);
    assert_string_equal(r.body.data, "c/d e");
    assert_string_equal(http_headers_get(&r.headers, "X-Raw"), "x=1&a%20b=c%2Fd+e&flag");
    http_response_done(&r);
    close_world(&w);
}

static void connection_is_kept(void **state)
{
    for_each_kind(k)
    {
        struct world w;
        char head[2048], body[16];
        open_world(&w, k);
        struct raw r = raw_to(&w);
        for (int i = 0; i < 5; i++) {
            assert_true(raw_say(&r, "GET /static HTTP/1.1\r\nHost: x\r\n\r\n"));
            assert_true(raw_until(&r, "\r\n\r\n", head, sizeof(head)));
            assert_non_null(strstr(head, "200 OK"));
            assert_int_equal(raw_recv_all(&r, body, 15), 15);
        }
        raw_close(&r);
        close_world(&w);
    }
}

static void pipelined_requests_are_answered(void **state)
{
    for_each_kind(k)
    {
        struct world w;
        char head[2048], body[16];
        open_world(&w, k);
        struct raw r = raw_to(&w);
        assert_true(raw_say(
            &r, "GET /static HTTP/1.1\r\nHost: x\r\n\r\nGET /static HTTP/1.1\r\nHost: x\r\n\r\n"));
        for (int i = 0; i < 2; i++) {
            assert_true(raw_until(&r, "\r\n\r\n", head, sizeof(head)));
            assert_int_equal(raw_recv_all(&r, body, 15), 15);
        }
        raw_close(&r);
        close_world(&w);
    }
}

struct crowd {
    struct world *w;
    int failures;
};

static void *one_of_many(void *arg)
{
    struct crowd *c = arg;
    char body[3000];

    for (int i = 0; i < 20; i++) {
        struct http_response r;
        struct error e;
        memset(body, 'a' + i, sizeof(body));
        struct http_request q = { .method = HTTP_POST,
                                  .path = "/echo",
                                  .body = body,
                                  .body_len = sizeof(body),
                                  .content_type = "application/octet-stream" };
        if (http_client_do(c->w->client, &q, &r, &e) < 0 || r.body.len != sizeof(body) ||
            memcmp(r.body.data, body, sizeof(body)) != 0)
            c->failures++;
        http_response_done(&r);
    }
    return NULL;
}

static void many_clients_at_once(void **state)
{
    struct world w;
    struct crowd crowd[25];
    pthread_t thread[25];

    open_world(&w, &(struct kind){ .is_tls = true, .threads = 3 });
    for (size_t i = 0; i < countof(crowd); i++) {
        crowd[i] = (struct crowd){ .w = &w };
        must(pthread_create(&thread[i], NULL, one_of_many, &crowd[i]) == 0);
    }
    for (size_t i = 0; i < countof(crowd); i++) {
        must(pthread_join(thread[i], NULL) == 0);
        assert_int_equal(crowd[i].failures, 0);
    }
    assert_int_equal(atomic_load(&w.handled), 500);
    close_world(&w);
}

static void head_has_no_body(void **state)
{
    struct world w;
    char head[2048];

    open_world(&w, &kinds[1]);
    struct raw r = raw_to(&w);
    assert_true(raw_say(&r, "HEAD /static HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"));
    assert_true(raw_until(&r, "\r\n\r\n", head, sizeof(head)));
    assert_non_null(strstr(head, "Content-Length: 15"));
    assert_int_equal(raw_recv_all(&r, head, sizeof(head)), 0);
    raw_close(&r);
    close_world(&w);
}

static void forgotten_answer_is_500(void **state)
{
    struct world w;
    struct http_response r;

    open_world(&w, &kinds[1]);
    assert_int_equal(get(w.client, "/nothing", &r), 0);
    assert_int_equal(r.status, 500);
    http_response_done(&r);
    close_world(&w);
}

/* ---- bodies ---- */

static int post_size(struct http_client *c, size_t len, struct http_response *r)
{
    struct error e;
    scoped(free) char *body = must_calloc(1, len + 1);
    struct http_request q = { .method = HTTP_POST,
                              .path = "/size",
                              .body = body,
                              .body_len = len,
                              .content_type = "application/octet-stream" };
    return http_client_do(c, &q, r, &e);
}

static void body_is_bounded(void **state)
{
    static const struct {
        size_t len;
        int status;
    } rows[] = { { 0, 200 },
                 { 1, 200 },
                 { BODY_LIMIT, 200 },
                 { BODY_LIMIT + 1, 413 },
                 { BODY_LIMIT * 3, 413 } };

    for_each_kind(k)
    {
        struct world w;
        open_world(&w, k);
        for (size_t i = 0; i < countof(rows); i++) {
            struct http_response r;
            assert_int_equal(post_size(w.client, rows[i].len, &r), 0);
            assert_int_equal(r.status, rows[i].status);
            json_auto_t *v = json_loads(r.body.data, 0, NULL);
            if (rows[i].status == 200)
                assert_int_equal(json_integer_value(json_object_get(v, "size")), rows[i].len);
            else
                assert_string_equal(json_string_value(json_object_get(v, "kind")), "Status");
            http_response_done(&r);
        }
        close_world(&w);
    }
}

static void chunked_body(void **state)
{
    for_each_kind(k)
    {
        struct world w;
        char head[2048], body[64] = { 0 };
        open_world(&w, k);
        struct raw r = raw_to(&w);
        assert_true(raw_say(
            &r, "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel"));
        usleep(20 * 1000);
        assert_true(raw_say(&r, "lo\r\n7\r\n, world\r\n0\r\n\r\n"));
        assert_true(raw_until(&r, "\r\n\r\n", head, sizeof(head)));
        assert_int_equal(raw_recv_all(&r, body, 12), 12);
        assert_string_equal(body, "hello, world");
        raw_close(&r);
        close_world(&w);
    }
}

static void endless_chunked_body_is_cut(void **state)
{
    struct world w;
    char chunk[8 + 4096];

    open_world(&w, &kinds[1]);
    struct raw r = raw_to(&w);
    assert_true(
        raw_say(&r, "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"));
    memcpy(chunk, "1000\r\n", 6);
    memset(chunk + 6, 'x', 4096);
    memcpy(chunk + 6 + 4096, "\r\n", 2);
    int64_t began = clock_mono_ms(&clock_real);
    while (clock_mono_ms(&clock_real) - began < 10000 && raw_send(&r, chunk, 6 + 4096 + 2))
        ;
    assert_in_range(clock_mono_ms(&clock_real) - began, 0, 9000);
    assert_int_equal(atomic_load(&w.handled), 0);
    raw_close(&r);
    close_world(&w);
}

static void expect_continue(void **state)
{
    for_each_kind(k)
    {
        struct world w;
        char head[2048], body[8] = { 0 };
        open_world(&w, k);
        struct raw r = raw_to(&w);
        assert_true(raw_say(
            &r,
            "POST /echo HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n"));
        assert_true(raw_until(&r, "\r\n\r\n", head, sizeof(head)));
        assert_non_null(strstr(head, "100 Continue"));
        assert_true(raw_say(&r, "hello"));
        assert_true(raw_until(&r, "\r\n\r\n", head, sizeof(head)));
        assert_int_equal(raw_recv_all(&r, body, 5), 5);
        assert_string_equal(body, "hello");
        raw_close(&r);

        /* Too large: refused before the body is sent. */
        r = raw_to(&w);
        assert_true(raw_say(
            &r,
            "POST /echo HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 99999999\r\n\r\n"));
        assert_true(raw_until(&r, "\r\n\r\n", head, sizeof(head)));
        assert_non_null(strstr(head, " 413 "));
        raw_close(&r);
        close_world(&w);
    }
}

/* ---- heads ---- */

static void long_heads_are_taken(void **state)
{
    static const struct {
        size_t len;
        bool is_taken;
    } rows[] = {
        { 10, true }, { 9000, true }, { 20000, true }, { 60000, true }, { 200000, false }
    };

    for_each_kind(k)
    {
        struct world w;
        open_world(&w, k);
        for (size_t i = 0; i < countof(rows); i++) {
            char head[2048], body[8] = { 0 }, want[16];
            scoped(free) char *value = must_calloc(1, rows[i].len + 1);
            memset(value, 'v', rows[i].len);
            scoped(free) char *text = must_asprintf(
                "GET /header HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX-Long: %s\r\n\r\n",
                value);
            struct raw r = raw_to(&w);
            (void)raw_say(&r, text);
            bool ok = raw_until(&r, "\r\n\r\n", head, sizeof(head)) && strstr(head, " 200 ");
            assert_int_equal(ok, rows[i].is_taken);
            (void)raw_recv_all(&r, body, sizeof(body) - 1);
            (void)snprintf(want, sizeof(want), "%zu", rows[i].len);
            if (ok)
                assert_string_equal(body, want);
            raw_close(&r);
        }
        close_world(&w);
    }
}

static void heads_of_all_sizes_on_one_connection(void **state)
{
    static const size_t lens[] = { 10, 60000, 10, 7000, 20000, 1 };

    for_each_kind(k)
    {
        struct world w;
        open_world(&w, k);
        struct raw r = raw_to(&w);
        for (size_t i = 0; i < countof(lens); i++) {
            char head[2048], body[16] = { 0 }, want[16];
            scoped(free) char *value = must_calloc(1, lens[i] + 1);
            memset(value, 'v', lens[i]);
            /* The first rows have many headers, too. */
            struct buf text = BUF_INIT(0);
            (void)buf_addf(&text, "GET /header HTTP/1.1\r\nHost: x\r\nX-Long: %s\r\n", value);
            for (int n = 0; i < 3 && n < 200; n++)
                (void)buf_addf(&text, "X-%d: y\r\n", n);
            (void)buf_adds(&text, "\r\n");
            assert_true(raw_send(&r, text.data, text.len));
            buf_done(&text);
            assert_true(raw_until(&r, "\r\n\r\n", head, sizeof(head)));
            assert_non_null(strstr(head, " 200 "));
            (void)snprintf(want, sizeof(want), "%zu", lens[i]);
            assert_int_equal(raw_recv_all(&r, body, strlen(want)), strlen(want));
            assert_string_equal(body, want);
        }
        raw_close(&r);
        close_world(&w);
    }
}

static void refused_heads(void **state)
{
    static const struct {
        const char *request;
        const char *status;
    } rows[] = {
        { "BREW /static HTTP/1.1\r\nHost: x\r\n\r\n", " 405 " },
        { "TRACE /static HTTP/1.1\r\nHost: x\r\n\r\n", " 405 " },
        { "GET /static HTTP/9.9\r\nHost: x\r\n\r\n", " 505 " },
        { "rubbish\r\n\r\n", "" },
    };
    struct world w;

    open_world(&w, &kinds[1]);
    for (size_t i = 0; i < countof(rows); i++) {
        char head[2048];
        struct raw r = raw_to(&w);
        assert_true(raw_say(&r, rows[i].request));
        (void)raw_until(&r, "\r\n\r\n", head, sizeof(head));
        if (!strstr(head, rows[i].status))
            fail_msg("%s: %s", rows[i].request, head);
        raw_close(&r);
    }
    /* More headers than any client needs. */
    struct buf many = BUF_INIT(0);
    (void)buf_adds(&many, "GET /static HTTP/1.1\r\nHost: x\r\n");
    for (int i = 0; i < 300; i++)
        (void)buf_addf(&many, "X-%d: y\r\n", i);
    (void)buf_adds(&many, "\r\n");
    char head[2048];
    struct raw r = raw_to(&w);
    assert_true(raw_send(&r, many.data, many.len));
    assert_true(raw_until(&r, "\r\n\r\n", head, sizeof(head)));
    assert_non_null(strstr(head, " 431 "));
    buf_done(&many);
    raw_close(&r);
    close_world(&w);
}

/* ---- limits in time and number ---- */

static void slow_clients_are_cut(void **state)
{
    static const char *const beginnings[] = {
        "", /* a handshake that does not come, or nothing after it: only the former is slow */
        "GET /st",
        "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhello",
    };
    struct world w;

    open_world(&w, &(struct kind){ .is_tls = true, .head_timeout_ms = 300 });
    for (size_t i = 0; i < countof(beginnings); i++) {
        char byte;
        int64_t began = clock_mono_ms(&clock_real);
        struct raw r = i == 0 ? raw_plain(http_server_port(w.server)) : raw_to(&w);
        (void)raw_say(&r, beginnings[i]);
        assert_int_not_equal(raw_recv(&r, &byte, 1), 1);
        assert_in_range(clock_mono_ms(&clock_real) - began, 250, 5000);
        raw_close(&r);
    }
    close_world(&w);
}

static void dripping_client_is_cut(void **state)
{
    for (int tls = 0; tls < 2; tls++) {
        struct world w;
        open_world(&w,
                   &(struct kind){ .is_tls = tls, .head_timeout_ms = 400, .idle_timeout_ms = 800 });
        struct raw r = raw_to(&w);
        int64_t began = clock_mono_ms(&clock_real);
        while (raw_send(&r, "x", 1) && clock_mono_ms(&clock_real) - began < 5000)
            usleep(50 * 1000);
        assert_in_range(clock_mono_ms(&clock_real) - began, 300, 3000);
        raw_close(&r);
        close_world(&w);
    }
}

static void idle_connections_are_closed(void **state)
{
    for (int tls = 0; tls < 2; tls++) {
        struct world w;
        char head[2048], body[16];
        open_world(&w, &(struct kind){ .is_tls = tls, .idle_timeout_ms = 300 });
        struct raw r = raw_to(&w);
        assert_true(raw_say(&r, "GET /static HTTP/1.1\r\nHost: x\r\n\r\n"));
        assert_true(raw_until(&r, "\r\n\r\n", head, sizeof(head)));
        assert_int_equal(raw_recv_all(&r, body, 15), 15);
        int64_t began = clock_mono_ms(&clock_real);
        assert_int_not_equal(raw_recv(&r, body, 1), 1);
        assert_in_range(clock_mono_ms(&clock_real) - began, 200, 4000);
        raw_close(&r);
        close_world(&w);
    }
}

static void connections_are_counted(void **state)
{
    struct world w;
    char byte;

    open_world(&w, &(struct kind){ .connections_max = 2 });
    struct raw a = raw_to(&w), b = raw_to(&w);
    usleep(50 * 1000);
    struct raw c = raw_to(&w);
    assert_true(raw_recv(&c, &byte, 1) <= 0);
    raw_close(&a);
    raw_close(&b);
    raw_close(&c);
    usleep(100 * 1000);
    struct http_response r;
    assert_int_equal(get(w.client, "/static", &r), 0);
    http_response_done(&r);
    close_world(&w);
}

/* ---- kept calls and pieces ---- */

static void reply_from_another_thread(void **state)
{
    for_each_kind(k)
    {
        struct world w;
        open_world(&w, k);
        for (int i = 0; i < 3; i++) {
            struct http_response r;
            assert_int_equal(get(w.client, "/later", &r), 0);
            assert_int_equal(r.status, 200);
            assert_string_equal(r.body.data, "/later");
            http_response_done(&r);
            must(pthread_join(w.replier, NULL) == 0);
        }
        close_world(&w);
    }
}

static void kept_call_notices_that_its_client_left(void **state)
{
    for_each_kind(k)
    {
        struct world w;
        open_world(&w, k);
        struct raw r = raw_to(&w);
        assert_true(raw_say(&r, "GET /gone HTTP/1.1\r\nHost: x\r\n\r\n"));
        while (atomic_load(&w.handled) == 0)
            usleep(1000);
        raw_close(&r);
        must(pthread_join(w.replier, NULL) == 0);
        assert_int_equal(atomic_load(&w.gone_seen), 1);
        struct http_response again;
        assert_int_equal(get(w.client, "/static", &again), 0);
        http_response_done(&again);
        close_world(&w);
    }
}

static void kept_call_outlives_the_server(void **state)
{
    for_each_kind(k)
    {
        struct world w;
        open_world(&w, k);
        struct raw r = raw_to(&w);
        assert_true(raw_say(&r, "GET /forgotten HTTP/1.1\r\nHost: x\r\nX-A: b\r\n\r\n"));
        while (atomic_load(&w.handled) == 0)
            usleep(1000);
        usleep(10 * 1000);
        struct http_call *kept = w.kept;
        close_world(&w);
        assert_string_equal(http_call_header(kept, "x-a"), "b");
        assert_true(http_call_is_gone(kept));
        http_reply(kept, 200, "text/plain", "x", 1);
        raw_close(&r);
    }
}

static void pieces_arrive_in_order(void **state)
{
    for_each_kind(k)
    {
        struct world w;
        struct http_response r;
        struct buf want = BUF_INIT(0);
        open_world(&w, k);
        assert_int_equal(get(w.client, "/pieces", &r), 0);
        for (int i = 0; i < 100; i++)
            (void)buf_addf(&want, "line %d\n", i);
        assert_string_equal(r.body.data, want.data);
        buf_done(&want);
        http_response_done(&r);
        must(pthread_join(w.replier, NULL) == 0);
        close_world(&w);
    }
}

/* ---- TLS ---- */

static void client_certificates(void **state)
{
    const struct test_cert *none = NULL;
    const struct {
        const char *name;
        enum tls_peer peer;
        const struct test_cert *cert;
        const char *cn;
        bool is_served, is_verified;
    } rows[] = {
        { "not asked for", TLS_PEER_ANY, &pki.client, NULL, true, false },
        { "optional and absent", TLS_PEER_OPTIONAL, none, NULL, true, false },
        { "optional and good", TLS_PEER_OPTIONAL, &pki.client, NULL, true, true },
        { "optional of another CA", TLS_PEER_OPTIONAL, &pki.wrong_client, NULL, false, false },
        { "optional and expired", TLS_PEER_OPTIONAL, &pki.expired_client, NULL, false, false },
        { "optional for another purpose", TLS_PEER_OPTIONAL, &pki.server, NULL, false, false },
        { "required and absent", TLS_PEER_REQUIRED, none, NULL, false, false },
        { "required and good", TLS_PEER_REQUIRED, &pki.client, NULL, true, true },
        { "required with the right name", TLS_PEER_REQUIRED, &pki.client, "the-client", true,
          true },
        { "required with another name", TLS_PEER_REQUIRED, &pki.client, "someone", false, false },
        { "required of another CA", TLS_PEER_REQUIRED, &pki.wrong_client, NULL, false, false },
    };

    static const char *const versions[] = { "NORMAL:-VERS-ALL:+VERS-TLS1.2",
                                            "NORMAL:-VERS-ALL:+VERS-TLS1.3" };

    for (size_t i = 0; i < countof(rows) * countof(versions); i++) {
        size_t row = i / countof(versions);
        struct world w;
        struct raw r;
        char head[2048], body[256] = { 0 };
        open_world(&w,
                   &(struct kind){ .is_tls = true, .peer = rows[row].peer, .cn = rows[row].cn });
        bool is_served =
            raw_tls(&r, http_server_port(w.server), rows[row].cert,
                    versions[i % countof(versions)]) &&
            raw_say(&r, "GET /peer HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n") &&
            raw_until(&r, "\r\n\r\n", head, sizeof(head));
        if (is_served != rows[row].is_served)
            fail_msg("%s, %s", rows[row].name, versions[i % countof(versions)]);
        if (is_served) {
            (void)raw_recv_all(&r, body, sizeof(body) - 1);
            bool is_verified =
                strstr(body, "\"verified\":true") && strstr(body, "\"cn\":\"the-client\"");
            if (is_verified != rows[row].is_verified)
                fail_msg("%s: %s", rows[row].name, body);
        }
        raw_close(&r);
        close_world(&w);
    }
}

static void old_tls_is_refused(void **state)
{
    struct world w;
    struct raw r;

    open_world(&w, &kinds[1]);
    assert_false(raw_tls(&r, http_server_port(w.server), NULL,
                         "NORMAL:-VERS-ALL:+VERS-TLS1.1:+VERS-TLS1.0"));
    raw_close(&r);
    close_world(&w);
}

static void keys_change_under_traffic(void **state)
{
    struct world w;
    struct http_response r;
    struct error e;

    open_world(&w, &(struct kind){ .is_tls = true, .peer = TLS_PEER_OPTIONAL });
    struct raw old = raw_to(&w);
    struct test_cert ca2 = test_cert_new(NULL, "next CA", 0, 86400);
    struct test_cert pair2 = test_cert_new(&ca2, "next server", FOR_SERVER, 86400);
    struct test_cert client2 = test_cert_new(&ca2, "next client", FOR_CLIENT, 86400);
    assert_int_equal(tls_keys_set_pair(w.keys, pair2.cert_pem, pair2.key_pem, &e), 0);
    assert_int_equal(tls_keys_set_ca(w.keys, ca2.cert_pem, &e), 0);

    /* What was open goes on. */
    char head[2048];
    assert_true(raw_say(&old, "GET /static HTTP/1.1\r\nHost: x\r\n\r\n"));
    assert_true(raw_until(&old, "\r\n\r\n", head, sizeof(head)));
    raw_close(&old);
    /* What opens now sees the new pair, and is judged by the new CA. */
    assert_true(http_client_do(w.client, &(struct http_request){ .path = "/static" }, &r, &e) < 0);
    assert_int_equal(e.code, ERR_INTERNAL);
    struct http_client *next =
        http_client_new(&(struct http_client_options){ .base_url = w.url,
                                                       .ca_pem = ca2.cert_pem,
                                                       .cert_pem = client2.cert_pem,
                                                       .key_pem = client2.key_pem });
    assert_int_equal(get(next, "/peer", &r), 0);
    assert_non_null(strstr(r.body.data, "next client"));
    http_response_done(&r);
    http_client_free(next);
    test_cert_done(&ca2);
    test_cert_done(&pair2);
    test_cert_done(&client2);
    close_world(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers),
        cmocka_unit_test(what_can_wait_is_done_after_the_reply),
        cmocka_unit_test(query_is_decoded),
        cmocka_unit_test(connection_is_kept),
        cmocka_unit_test(pipelined_requests_are_answered),
        cmocka_unit_test(many_clients_at_once),
        cmocka_unit_test(head_has_no_body),
        cmocka_unit_test(forgotten_answer_is_500),
        cmocka_unit_test(body_is_bounded),
        cmocka_unit_test(chunked_body),
        cmocka_unit_test(endless_chunked_body_is_cut),
        cmocka_unit_test(expect_continue),
        cmocka_unit_test(long_heads_are_taken),
        cmocka_unit_test(heads_of_all_sizes_on_one_connection),
        cmocka_unit_test(refused_heads),
        cmocka_unit_test(slow_clients_are_cut),
        cmocka_unit_test(dripping_client_is_cut),
        cmocka_unit_test(idle_connections_are_closed),
        cmocka_unit_test(connections_are_counted),
        cmocka_unit_test(reply_from_another_thread),
        cmocka_unit_test(kept_call_notices_that_its_client_left),
        cmocka_unit_test(kept_call_outlives_the_server),
        cmocka_unit_test(pieces_arrive_in_order),
        cmocka_unit_test(client_certificates),
        cmocka_unit_test(old_tls_is_refused),
        cmocka_unit_test(keys_change_under_traffic),
    };
    return cmocka_run_group_tests_name("server", tests, group_setup, group_teardown);
}
