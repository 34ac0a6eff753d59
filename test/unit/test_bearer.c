/* SPDX-License-Identifier: Apache-2.0 */
/* What headers show of a caller: tokens in either place, impersonation, origins. */
#include "apiserver/bearer.h"

#include "base/str.h"
#include "http/token.h"
#include "test/unit/rows.h"

#define P "base64url.bearer.authorization.k8s.io."
#define PROTOCOLS "Sec-WebSocket-Protocol"

static struct http_headers headers_of(const char *const *pairs)
{
    struct http_headers h = { 0 };

    for (; pairs[0]; pairs += 2)
        assert_true(http_headers_add(&h, pairs[0], pairs[1]));
    return h;
}

static const struct token_row {
    const char *name;
    const char *headers[9];
    const char *token; /* NULL: none */
    const char *why;   /* a part of the refusal */
} token_rows[] = {
    { "nothing is shown", { "Host", "a" }, .token = NULL },
    { "a header", { "Authorization", "Bearer abc.def" }, .token = "abc.def" },
    { "a scheme in small letters", { "authorization", "bearer abc" }, .token = "abc" },
    { "blanks before the token", { "Authorization", "Bearer   abc" }, .token = "abc" },
    { "another scheme", { "Authorization", "Basic YTpi" }, .why = "must be Bearer" },
    { "an empty token", { "Authorization", "Bearer " }, .why = "empty" },
    { "a token of two words", { "Authorization", "Bearer a b" }, .why = "a character" },
    { "a token that is not ASCII", { "Authorization", "Bearer \xc3\xa4" }, .why = "a character" },
    { "two headers",
      { "Authorization", "Bearer a", "Authorization", "Bearer b" },
      .why = "more than one Authorization" },

    { "a protocol, with a companion",
      { "Upgrade", "websocket", PROTOCOLS, P "YWJjLmRlZg, plain.kubevirt.io" },
      .token = "abc.def" },
    { "the companion first",
      { "Upgrade", "websocket", PROTOCOLS, "plain.kubevirt.io ," P "YWJj" },
      .token = "abc" },
    { "the companion in a header of its own",
      { "Upgrade", "websocket", PROTOCOLS, P "YWJj", PROTOCOLS, "plain.kubevirt.io" },
      .token = "abc" },
    { "no companion",
      { "Upgrade", "websocket", PROTOCOLS, P "YWJj" },
      .why = "needs another protocol beside it" },
    { "commas are no companion",
      { "Upgrade", "websocket", PROTOCOLS, ", " P "YWJj,," },
      .why = "needs another protocol beside it" },
    { "two tokens",
      { "Upgrade", "websocket", PROTOCOLS, P "YWJj, plain.kubevirt.io, " P "YWJk" },
      .why = "more than one bearer token" },
    { "padding", { "Upgrade", "websocket", PROTOCOLS, P "YWI=, x" }, .why = "not base64url" },
    { "the other base64's digits",
      { "Upgrade", "websocket", PROTOCOLS, P "YW+j, x" },
      .why = "not base64url" },
    { "a digit too many", { "Upgrade", "websocket", PROTOCOLS, P "YWJjY, x" }, .why = "base64url" },
    { "an empty one", { "Upgrade", "websocket", PROTOCOLS, P ", x" }, .why = "empty" },
    { "a NUL inside", { "Upgrade", "websocket", PROTOCOLS, P "YQBi, x" }, .why = "a character" },
    { "a protocol of what is no websocket", { PROTOCOLS, P "YWJj, x" }, .token = NULL },
    { "no token among the protocols",
      { "Upgrade", "websocket", PROTOCOLS, "plain.kubevirt.io" },
      .token = NULL },
    { "the header goes before the protocol",
      { "Authorization", "Bearer one", "Upgrade", "websocket", PROTOCOLS, P "YWJj, x" },
      .token = "one" },
};

static void token_is_read(void **state)
{
    const struct token_row *c = *state;
    struct http_headers h = headers_of(c->headers);
    struct error e = { 0 };
    scoped(token_wipe) char *token = NULL;
    int r = bearer_read(&h, &token, &e);

    if (c->why) {
        assert_int_equal(r, -ERR_UNAUTHORIZED);
        if (!strstr(e.msg, c->why))
            fail_msg("%s", e.msg);
        assert_null(token);
    } else {
        assert_int_equal(r, c->token ? 1 : 0);
        assert_true(streq(token, c->token));
    }
    http_headers_done(&h);
}

static const struct origin_row {
    const char *name;
    const char *origin, *host;
    bool is_good;
} origin_rows[] = {
    { "no page", NULL, "vms.example", true },
    { "the page of the same host", "https://vms.example", "vms.example", true },
    { "and port", "https://vms.example:30443", "vms.example:30443", true },
    { "the standard port is none", "https://vms.example", "vms.example:443", true },
    { "in other letters", "https://VMS.example", "vms.Example", true },
    { "an address", "https://[::1]:8443", "[::1]:8443", true },
    { "a friend", "https://friend.example:8443", "vms.example", true },

    { "another host", "https://evil.example", "vms.example", false },
    { "another port", "https://vms.example:8443", "vms.example", false },
    { "another port of the same length", "https://vms.example:8443", "vms.example:8444", false },
    { "a longer name", "https://vms.example.evil", "vms.example", false },
    { "a shorter name", "https://vms", "vms.example", false },
    { "a subdomain", "https://a.vms.example", "vms.example", false },
    { "without TLS", "http://vms.example", "vms.example", false },
    { "a friend on another port", "https://friend.example", "vms.example", false },
    { "null, as of a sandbox", "null", "vms.example", false },
    { "null to the host of that name", "null", "null", false },
    { "empty", "", "", false },
    { "no host", "https://", "", false },
    { "not text", "https://\xff", "vms.example", false },
};

static void origin_is_checked(void **state)
{
    const struct origin_row *c = *state;
    static const struct option_list friends = { .item = { "https://friend.example:8443" },
                                                .len = 1 };
    const char *pairs[] = { "Host",    c->host, "X-Forwarded-Host", "evil.example", "Origin",
                            c->origin, NULL };
    struct error e = { 0 };

    if (!c->origin)
        pairs[4] = NULL;
    struct http_headers h = headers_of(pairs);
    int r = origin_check(&h, &friends, &e);

    assert_int_equal(r, c->is_good ? 0 : -ERR_FORBIDDEN);
    if (!c->is_good)
        assert_non_null(strstr(e.msg, "--allowed-origins"));
    assert_true(str_is_utf8(e.msg));
    http_headers_done(&h);
}

static void impersonation_is_refused(void **state)
{
    static const char *const names[] = { "Impersonate-User", "impersonate-group",
                                         "Impersonate-Extra-x", "Impersonate-Uid" };
    struct error e = { 0 };

    for (size_t i = 0; i < countof(names); i++) {
        struct http_headers h = headers_of((const char *[]){ "Host", "a", names[i], "root", NULL });

        assert_int_equal(bearer_refuse_impersonation(&h, &e), -ERR_BAD_REQUEST);
        assert_non_null(strstr(e.msg, names[i]));
        http_headers_done(&h);
    }
    struct http_headers plain = headers_of((const char *[]){ "X-Remote-User", "a", NULL });
    assert_int_equal(bearer_refuse_impersonation(&plain, &e), 0);
    http_headers_done(&plain);
}

static void a_huge_token_is_refused(void **state)
{
    scoped(free) char *value = must_malloc(BEARER_MAX + 20);
    scoped(token_wipe) char *token = NULL;
    struct error e = { 0 };

    memcpy(value, "Bearer ", 7);
    memset(value + 7, 'a', BEARER_MAX + 1);
    value[7 + BEARER_MAX + 1] = '\0';
    struct http_headers h = headers_of((const char *[]){ "Authorization", value, NULL });
    assert_int_equal(bearer_read(&h, &token, &e), -ERR_UNAUTHORIZED);
    http_headers_done(&h);
    value[7 + BEARER_MAX] = '\0';
    h = headers_of((const char *[]){ "Authorization", value, NULL });
    assert_int_equal(bearer_read(&h, &token, &e), 1);
    http_headers_done(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(impersonation_is_refused),
        cmocka_unit_test(a_huge_token_is_refused),
    };

    return RUN_ROWS("bearer_read", token_rows, token_is_read) +
           RUN_ROWS("origin_check", origin_rows, origin_is_checked) +
           cmocka_run_group_tests_name("bearer", tests, NULL, NULL);
}
