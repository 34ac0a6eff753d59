/* SPDX-License-Identifier: Apache-2.0 */
/* The client's calls and watches against our own server and peers that misbehave. */
#include "tls_fixture.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>

#include "base/clock.h"
#include "base/scope.h"
#include "base/str.h"
#include "http/client.h"
#include "http/server.h"
#include "raw_server.h"

static struct test_pki pki;
static struct tls_keys *keys;
static struct http_server *server;
static char url[64];

static void handler(struct http_call *c, void *ctx)
{
    const char *path = http_call_path(c);
    size_t len;

    if (streq(path, "/peer")) {
        http_reply(c, 200, "text/plain", http_call_peer(c)->cn, strlen(http_call_peer(c)->cn));
    } else if (streq(path, "/request")) {
        const void *body = http_call_body(c, &len);
        const char *type = http_call_header(c, "Content-Type");
        const char *accept = http_call_header(c, "Accept");
        const char *authorization = http_call_header(c, "Authorization");
        json_auto_t *v = must_pack(
            "{s:s,s:s%,s:s,s:s,s:s,s:s}", "method", http_method_name(http_call_method(c)), "body",
            body, len, "type", type ? type : "", "accept", accept ? accept : "", "authorization",
            authorization ? authorization : "", "host", http_call_header(c, "Host"));
        http_reply_json(c, 200, v);
    } else if (streq(path, "/big")) {
        static char big[100000];
        memset(big, 'x', sizeof(big));
        http_reply_static(c, 200, "text/plain", big, sizeof(big));
    } else if (streq(path, "/never")) {
        http_keep(c); /* answered when the server goes */
    } else {
        struct error e = { .code = ERR_EXPIRED, .msg = "too old resource version" };
        http_reply_error(c, &e, NULL);
    }
}

static struct http_client *client_with(const struct test_cert *cert)
{
    return http_client_new(&(struct http_client_options){
        .base_url = url,
        .ca_pem = pki.ca.cert_pem,
        .cert_pem = cert ? cert->cert_pem : NULL,
        .key_pem = cert ? cert->key_pem : NULL,
    });
}

static struct http_client *client_of_port(int port)
{
    char plain[64];

    (void)snprintf(plain, sizeof(plain), "http://127.0.0.1:%d", port);
    return http_client_new(
        &(struct http_client_options){ .base_url = plain, .connect_timeout_ms = 500 });
}

static void expect_peer(struct http_client *c, const char *cn)
{
    struct http_response r;
    struct error e;

    if (http_client_do(c, &(struct http_request){ .path = "/peer" }, &r, &e) < 0)
        fail_msg("%s", e.msg);
    assert_string_equal(r.body.data ? r.body.data : "", cn);
    http_response_done(&r);
}

/* ---- calls ---- */

static char *bearer(void *ctx)
{
    return must_asprintf("Bearer %s", (const char *)ctx);
}

static void requests_are_sent_as_given(void **state)
{
    static const struct {
        enum http_method method;
        const char *body, *type, *accept;
        const char *want_type, *want_accept;
    } rows[] = {
        { HTTP_GET, "", NULL, NULL, "", "application/json" },
        { HTTP_POST, "{}", "application/json", NULL, "application/json", "application/json" },
        { HTTP_POST, "", NULL, NULL, "", "application/json" },
        { HTTP_PUT, "x", "text/plain", "text/html", "text/plain", "text/html" },
        { HTTP_PATCH, "[]", "application/json-patch+json", NULL, "application/json-patch+json",
          "application/json" },
        { HTTP_DELETE, "", NULL, NULL, "", "application/json" },
        { HTTP_DELETE, "{}", "application/json", NULL, "application/json", "application/json" },
    };
    struct http_client *c =
        http_client_new(&(struct http_client_options){ .base_url = url,
                                                       .ca_pem = pki.ca.cert_pem,
                                                       .authorization = bearer,
                                                       .authorization_ctx = (char[]){ "abc" } });

    for (size_t i = 0; i < countof(rows); i++) {
        struct http_response r;
        struct error e;
        struct http_request q = { .method = rows[i].method,
                                  .path = "/request",
                                  .body = rows[i].body,
                                  .body_len = strlen(rows[i].body),
                                  .content_type = rows[i].type,
                                  .accept = rows[i].accept };
        assert_int_equal(http_client_do(c, &q, &r, &e), 0);
        json_auto_t *v = json_loads(r.body.data, 0, NULL);
        assert_string_equal(json_string_value(json_object_get(v, "method")),
                            http_method_name(rows[i].method));
        assert_string_equal(json_string_value(json_object_get(v, "body")), rows[i].body);
        assert_string_equal(json_string_value(json_object_get(v, "type")), rows[i].want_type);
        assert_string_equal(json_string_value(json_object_get(v, "accept")), rows[i].want_accept);
        assert_string_equal(json_string_value(json_object_get(v, "authorization")), "Bearer abc");
        http_response_done(&r);
    }
    http_client_free(c);
}

static void header_with_a_line_break_is_refused(void **state)
{
    struct http_client *c = http_client_new(
        &(struct http_client_options){ .base_url = url,
                                       .ca_pem = pki.ca.cert_pem,
                                       .authorization = bearer,
                                       .authorization_ctx = (char[]){ "a\r\nX: y" } });
    struct http_response r;
    struct error e;

    assert_int_equal(http_client_do(c, &(struct http_request){ .path = "/request" }, &r, &e),
                     -ERR_BAD_REQUEST);
    http_client_free(c);
}

static void failures_are_told_apart(void **state)
{
    struct raw_server mute = { .holds = true };
    struct raw_server broken = { .piece = {
                                     "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this" } };
    struct raw_server closes = { 0 };
    raw_server_start(&mute);
    raw_server_start(&broken);
    raw_server_start(&closes);
    int dead = raw_connect_fd(mute.port);
    (void)close(dead);
    const struct {
        const char *name;
        int port;
        enum error_code code;
    } rows[] = {
        { "nobody listens", 1, ERR_UNAVAILABLE },
        { "no answer", mute.port, ERR_TIMEOUT },
        { "half an answer", broken.port, ERR_UNAVAILABLE },
        { "closed without an answer", closes.port, ERR_UNAVAILABLE },
    };

    for (size_t i = 0; i < countof(rows); i++) {
        struct http_client *c = client_of_port(rows[i].port);
        struct http_response r;
        struct error e;
        int n = http_client_do(c, &(struct http_request){ .path = "/", .timeout_ms = 400 }, &r, &e);
        if (n != -(int)rows[i].code)
            fail_msg("%s: %d %s", rows[i].name, n, e.msg);
        assert_null(r.body.data);
        http_client_free(c);
    }
    raw_server_stop(&mute);
    raw_server_stop(&broken);
    raw_server_stop(&closes);
}

static void answers_are_bounded(void **state)
{
    struct http_client *c = client_with(NULL);
    struct http_response r;
    struct error e;

    assert_int_equal(
        http_client_do(c, &(struct http_request){ .path = "/big", .response_max_bytes = 99999 }, &r,
                       &e),
        -ERR_TOO_LARGE);
    assert_int_equal(
        http_client_do(c, &(struct http_request){ .path = "/big", .response_max_bytes = 100000 },
                       &r, &e),
        0);
    assert_int_equal(r.body.len, 100000);
    http_response_done(&r);
    http_client_free(c);
}

static void servers_are_verified(void **state)
{
    char by_name[64];
    (void)snprintf(by_name, sizeof(by_name), "https://localhost:%d", http_server_port(server));
    const struct {
        const char *name;
        struct http_client_options o;
        int result;
    } rows[] = {
        { "known CA and address", { .base_url = url, .ca_pem = pki.ca.cert_pem }, 0 },
        { "unknown CA", { .base_url = url, .ca_pem = pki.other_ca.cert_pem }, -ERR_INTERNAL },
        { "the system's CAs", { .base_url = url }, -ERR_INTERNAL },
        { "other name", { .base_url = by_name, .ca_pem = pki.ca.cert_pem }, -ERR_INTERNAL },
        { "name given",
          { .base_url = url, .ca_pem = pki.ca.cert_pem, .tls_server_name = "service.test" },
          0 },
        { "wrong name given",
          { .base_url = url, .ca_pem = pki.ca.cert_pem, .tls_server_name = "x.test" },
          -ERR_INTERNAL },
        { "not verified", { .base_url = by_name, .is_insecure = true }, 0 },
    };

    for (size_t i = 0; i < countof(rows); i++) {
        struct http_client *c = http_client_new(&rows[i].o);
        struct http_response r;
        struct error e = { 0 };
        int n = http_client_do(c, &(struct http_request){ .path = "/request" }, &r, &e);
        if (n != rows[i].result)
            fail_msg("%s: %d %s", rows[i].name, n, e.msg);
        if (n == 0) { /* Host names what was dialled, not what was verified */
            json_auto_t *v = json_loads(r.body.data, 0, NULL);
            assert_string_equal(json_string_value(json_object_get(v, "host")),
                                strstr(rows[i].o.base_url, "://") + 3);
        }
        http_response_done(&r);
        http_client_free(c);
    }
}

static void write_file(const char *path, const char *text)
{
    scoped(free) char *next = must_asprintf("%s.next", path);
    int fd = open(next, O_WRONLY | O_CREAT | O_TRUNC, 0600);

    must(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text) && close(fd) == 0);
    must(rename(next, path) == 0);
}

static void certificate_files_are_followed(void **state)
{
    char dir[] = "/tmp/test-client-XXXXXX";
    struct test_cert second = test_cert_new(&pki.ca, "second", FOR_CLIENT, 86400);

    assert_non_null(mkdtemp(dir));
    scoped(free) char *cert = must_asprintf("%s/tls.crt", dir);
    scoped(free) char *key = must_asprintf("%s/tls.key", dir);
    struct http_client *c = http_client_new(&(struct http_client_options){
        .base_url = url, .ca_pem = pki.ca.cert_pem, .cert_file = cert, .key_file = key });
    struct http_response r;
    struct error e;
    assert_int_equal(http_client_do(c, &(struct http_request){ .path = "/peer" }, &r, &e),
                     -ERR_INTERNAL);
    assert_non_null(strstr(e.msg, cert));

    write_file(cert, pki.client.cert_pem);
    write_file(key, pki.client.key_pem);
    expect_peer(c, "the-client");
    expect_peer(c, "the-client");
    usleep(1100 * 1000); /* files are looked at once a second */
    write_file(cert, second.cert_pem);
    write_file(key, second.key_pem);
    usleep(1100 * 1000);
    expect_peer(c, "second");
    http_client_free(c);
    (void)unlink(cert);
    (void)unlink(key);
    (void)rmdir(dir);
    test_cert_done(&second);
}

static void pair_can_be_replaced(void **state)
{
    struct http_client *c = client_with(NULL);

    expect_peer(c, "");
    http_client_set_pair(c, pki.client.cert_pem, pki.client.key_pem);
    expect_peer(c, "the-client");
    http_client_set_pair(c, NULL, NULL);
    expect_peer(c, "");
    http_client_free(c);
}

/* ---- watches ---- */

struct seen {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    char text[256]; /* lines, each ended by | */
    size_t line_bytes;
    int status;
    int ends;
    struct error why;
};

static void seen_init(struct seen *s)
{
    *s = (struct seen){ 0 };
    must(pthread_mutex_init(&s->lock, NULL) == 0);
    must(pthread_cond_init(&s->changed, NULL) == 0);
}

static void on_status(int status, void *ctx)
{
    struct seen *s = ctx;
    pthread_mutex_lock(&s->lock);
    s->status = status;
    pthread_cond_broadcast(&s->changed);
    pthread_mutex_unlock(&s->lock);
}

static void on_line(const char *line, size_t len, void *ctx)
{
    struct seen *s = ctx;
    pthread_mutex_lock(&s->lock);
    size_t have = strlen(s->text);
    s->line_bytes += len;
    if (len < 100)
        (void)snprintf(s->text + have, sizeof(s->text) - have, "%.*s|", (int)len, line);
    pthread_cond_broadcast(&s->changed);
    pthread_mutex_unlock(&s->lock);
}

static void on_end(int status, const struct error *why, void *ctx)
{
    struct seen *s = ctx;
    pthread_mutex_lock(&s->lock);
    s->status = status;
    s->why = *why;
    s->ends++;
    pthread_cond_broadcast(&s->changed);
    pthread_mutex_unlock(&s->lock);
}

static const struct http_watch_events events = { on_status, on_line, on_end };

static void wait_end(struct seen *s)
{
    struct timespec until;

    (void)clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += 10;
    pthread_mutex_lock(&s->lock);
    while (!s->ends && pthread_cond_timedwait(&s->changed, &s->lock, &until) == 0)
        ;
    int ends = s->ends;
    pthread_mutex_unlock(&s->lock);
    assert_int_equal(ends, 1);
}

#define CHUNKED "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"

static void watch_lines(void **state)
{
    static const struct {
        const char *name;
        const char *piece[RAW_PIECES_MAX];
        const char *text;
        enum error_code code;
        int status;
    } rows[] = {
        { "two lines in one packet",
          { CHUNKED "8\r\none\ntwo\n\r\n0\r\n\r\n" },
          "one|two|",
          ERR_NONE,
          200 },
        { "a line over three packets",
          { CHUNKED "2\r\non\r\n", "1\r\ne\r\n", "5\r\n\ntwo\n\r\n0\r\n\r\n" },
          "one|two|",
          ERR_NONE,
          200 },
        { "empty lines are lines", { CHUNKED "3\r\n\na\n\r\n0\r\n\r\n" }, "|a|", ERR_NONE, 200 },
        { "the last line needs no end",
          { CHUNKED "5\r\none\nt\r\n0\r\n\r\n" },
          "one|t|",
          ERR_NONE,
          200 },
        { "broken off: a torn line is none",
          { CHUNKED "5\r\none\nt\r\n" },
          "one|",
          ERR_UNAVAILABLE,
          200 },
        { "refused",
          { "HTTP/1.1 410 Gone\r\nContent-Length: 7\r\n\r\ntoo old" },
          "",
          ERR_EXPIRED,
          410 },
        { "refused without a body",
          { "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n" },
          "",
          ERR_FORBIDDEN,
          403 },
        { "no answer", { NULL }, "", ERR_UNAVAILABLE, 0 },
    };
    struct http_watcher *w = http_watcher_new("watch");

    for (size_t i = 0; i < countof(rows); i++) {
        struct raw_server peer = { 0 };
        struct seen s;
        memcpy(peer.piece, rows[i].piece, sizeof(rows[i].piece));
        raw_server_start(&peer);
        seen_init(&s);
        struct http_client *c = client_of_port(peer.port);
        (void)http_watch_start(w, c, &(struct http_request){ .path = "/w" }, 0, &events, &s);
        http_client_free(c); /* the watch has a reference of its own */
        wait_end(&s);
        if (!streq(s.text, rows[i].text) || s.why.code != rows[i].code ||
            s.status != rows[i].status)
            fail_msg("%s: \"%s\" %d %s", rows[i].name, s.text, s.status, s.why.msg);
        if (rows[i].code == ERR_EXPIRED)
            assert_string_equal(s.why.msg, "too old");
        raw_server_stop(&peer);
    }
    http_watcher_free(w);
}

static void silent_watch_is_broken(void **state)
{
    struct raw_server peer = { .piece = { CHUNKED "4\r\none\n\r\n" }, .holds = true };
    struct http_watcher *w = http_watcher_new("watch");
    struct seen s;

    raw_server_start(&peer);
    seen_init(&s);
    struct http_client *c = client_of_port(peer.port);
    int64_t began = clock_mono_ms(&clock_real);
    (void)http_watch_start(w, c, &(struct http_request){ .path = "/w" }, 300, &events, &s);
    wait_end(&s);
    assert_in_range(clock_mono_ms(&clock_real) - began, 250, 5000);
    assert_int_equal(s.why.code, ERR_TIMEOUT);
    assert_string_equal(s.text, "one|");
    http_watcher_free(w);
    http_client_free(c);
    raw_server_stop(&peer);
}

static void watch_can_be_stopped(void **state)
{
    struct raw_server peer = { .piece = { CHUNKED "4\r\none\n\r\n" }, .holds = true };
    struct http_watcher *w = http_watcher_new("watch");
    struct seen s;

    raw_server_start(&peer);
    seen_init(&s);
    struct http_client *c = client_of_port(peer.port);
    struct http_watch *h =
        http_watch_start(w, c, &(struct http_request){ .path = "/w" }, 0, &events, &s);
    pthread_mutex_lock(&s.lock);
    while (!s.text[0])
        pthread_cond_wait(&s.changed, &s.lock);
    assert_int_equal(s.status, 200);
    pthread_mutex_unlock(&s.lock);
    http_watch_stop(h);
    wait_end(&s);
    assert_int_equal(s.why.code, ERR_NONE);

    /* Freed with a watch on its way: that one hears of it too. */
    seen_init(&s);
    (void)http_watch_start(w, c, &(struct http_request){ .path = "/w" }, 0, &events, &s);
    http_watcher_free(w);
    assert_int_equal(s.ends, 1);
    assert_int_equal(s.why.code, ERR_UNAVAILABLE);
    http_client_free(c);
    raw_server_stop(&peer);
}

static void watch_without_credentials_ends(void **state)
{
    struct http_watcher *w = http_watcher_new("watch");
    struct seen s;
    struct http_client *c = http_client_new(
        &(struct http_client_options){ .base_url = url, .ca_file = "/nowhere/ca.crt" });

    seen_init(&s);
    (void)http_watch_start(w, c, &(struct http_request){ .path = "/w" }, 0, &events, &s);
    wait_end(&s);
    assert_int_equal(s.why.code, ERR_INTERNAL);
    assert_non_null(strstr(s.why.msg, "/nowhere/ca.crt"));
    http_watcher_free(w);
    http_client_free(c);
}

static atomic_int order;
static void first(void *ctx)
{
    *(int *)ctx = atomic_fetch_add(&order, 1);
}

static void later_functions_run_in_time_order(void **state)
{
    struct http_watcher *w = http_watcher_new("watch");
    int at[3] = { -1, -1, -1 };

    atomic_store(&order, 0);
    http_watcher_after(w, 60, first, &at[2]);
    http_watcher_after(w, 0, first, &at[0]);
    http_watcher_after(w, 30, first, &at[1]);
    for (int i = 0; i < 3000 && atomic_load(&order) < 3; i++)
        usleep(10 * 1000);
    http_watcher_free(w);
    assert_int_equal(at[0], 0);
    assert_int_equal(at[1], 1);
    assert_int_equal(at[2], 2);
}

static int group_setup(void **state)
{
    struct error e;

    test_pki_init(&pki);
    keys = tls_keys_new();
    must(tls_keys_set_pair(keys, pki.server.cert_pem, pki.server.key_pem, &e) == 0);
    must(tls_keys_set_ca(keys, pki.ca.cert_pem, &e) == 0);
    must(http_server_start(&server,
                           &(struct http_server_options){ .name = "test",
                                                          .address = "127.0.0.1",
                                                          .keys = keys,
                                                          .policy = { .peer = TLS_PEER_OPTIONAL },
                                                          .handler = handler },
                           &e) == 0);
    (void)snprintf(url, sizeof(url), "https://127.0.0.1:%d", http_server_port(server));
    return 0;
}

static int group_teardown(void **state)
{
    http_server_free(server);
    tls_keys_unref(keys);
    test_pki_done(&pki);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests_are_sent_as_given),
        cmocka_unit_test(header_with_a_line_break_is_refused),
        cmocka_unit_test(failures_are_told_apart),
        cmocka_unit_test(answers_are_bounded),
        cmocka_unit_test(servers_are_verified),
        cmocka_unit_test(certificate_files_are_followed),
        cmocka_unit_test(pair_can_be_replaced),
        cmocka_unit_test(watch_lines),
        cmocka_unit_test(silent_watch_is_broken),
        cmocka_unit_test(watch_can_be_stopped),
        cmocka_unit_test(watch_without_credentials_ends),
        cmocka_unit_test(later_functions_run_in_time_order),
    };
    return cmocka_run_group_tests_name("client", tests, group_setup, group_teardown);
}
