/* SPDX-License-Identifier: Apache-2.0 */
/* Prepared answers over a real connection: the tag, and what a client that knows it is told. */
#include "apiserver/document.h"

#include <stdio.h>

#include "base/str.h"
#include "http/client.h"
#include "test/unit/rows.h"

static struct document doc;
static struct http_server *server;
static struct http_client *client;

static void serve(struct http_call *c, void *ctx)
{
    document_serve(&doc, c);
}

static int setup(void **state)
{
    struct http_server_options o = { .name = "doc", .address = "127.0.0.1", .handler = serve };
    struct error e = { 0 };

    document_init(&doc, "application/json", must_pack("{s:s}", "kind", "APIGroup"));
    must(http_server_start(&server, &o, &e) == 0);
    scoped(free) char *url = must_asprintf("http://127.0.0.1:%d", http_server_port(server));
    client = http_client_new(&(struct http_client_options){ .base_url = url });
    return 0;
}

static int teardown(void **state)
{
    http_client_free(client);
    http_server_free(server);
    document_done(&doc);
    return 0;
}

static void get(const char *if_none_match, struct http_response *ret)
{
    struct http_headers headers = { 0 };
    struct http_request q = { .method = HTTP_GET, .path = "/", .headers = &headers };
    struct error e = { 0 };

    if (if_none_match)
        http_headers_add(&headers, "If-None-Match", if_none_match);
    assert_int_equal(http_client_do(client, &q, ret, &e), 0);
    http_headers_done(&headers);
}

static void tag_is_quoted_and_follows_the_content(void **state)
{
    struct document same, other;

    document_init(&same, "application/json", must_pack("{s:s}", "kind", "APIGroup"));
    document_init(&other, "application/json", must_pack("{s:s}", "kind", "APIGroupList"));
    assert_string_equal(same.etag, doc.etag);
    assert_string_not_equal(other.etag, doc.etag);
    assert_true(doc.etag[0] == '"' && str_has_suffix(doc.etag, "\"") && strlen(doc.etag) > 10);
    document_done(&same);
    document_done(&other);
}

/* $ stands for the tag. */
static const struct row {
    const char *name, *if_none_match;
    int status;
} rows[] = {
    { "a client that knows nothing", NULL, 200 },
    { "a client that knows it", "$", 304 },
    { "a client that knows it weakly", "W/$", 304 },
    { "a client that knows several", "\"x\", $", 304 },
    { "a client that takes any", "*", 304 },
    { "a client that knows another", "\"00000000-0000-0000-0000-000000000000\"", 200 },
    { "a tag without quotes", "x", 200 },
};

static void is_served(void **state)
{
    const struct row *c = *state;
    char tag[100];
    const char *mark = c->if_none_match ? strchr(c->if_none_match, '$') : NULL;
    struct http_response r;

    if (mark)
        (void)snprintf(tag, sizeof(tag), "%.*s%s", (int)(mark - c->if_none_match), c->if_none_match,
                       doc.etag);
    get(mark ? tag : c->if_none_match, &r);
    assert_int_equal(r.status, c->status);
    assert_string_equal(http_headers_get(&r.headers, "ETag"), doc.etag);
    assert_string_equal(http_headers_get(&r.headers, "Vary"), "Accept");
    assert_string_equal(http_headers_get(&r.headers, "X-Content-Type-Options"), "nosniff");
    if (c->status == 200) {
        assert_string_equal(r.body.data, "{\"kind\":\"APIGroup\"}");
        assert_string_equal(http_headers_get(&r.headers, "Content-Type"), "application/json");
    } else {
        assert_int_equal(r.body.len, 0);
    }
    http_response_done(&r);
}

int main(void)
{
    const struct CMUnitTest tags[] = { cmocka_unit_test(tag_is_quoted_and_follows_the_content) };
    ROW_TESTS(served, rows, is_served);

    return cmocka_run_group_tests_name("tag", tags, setup, teardown) +
           cmocka_run_group_tests_name("document", served, setup, teardown);
}
