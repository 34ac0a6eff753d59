/* SPDX-License-Identifier: Apache-2.0 */
/* Whom the front proxy vouches for. */
#include "apiserver/frontproxy.h"

#include <stdio.h>

#include "base/str.h"
#include "test/unit/rows.h"

#define CA "'requestheader-client-ca-file':'PEM'"
#define NAMES "'requestheader-allowed-names':'[\\u0022front-proxy-client\\u0022]'"

static const struct parse_row {
    const char *name, *data;
    const char *fault; /* a part of the message; NULL: parsed */
    const char *usernames, *extras;
} parse_rows[] = {
    { "as kubeadm writes it",
      "{" CA "," NAMES ",'requestheader-username-headers':'[\\u0022X-U\\u0022]',"
      "'requestheader-extra-headers-prefix':'[\\u0022X-E-\\u0022]'}",
      .usernames = "['X-U']", .extras = "['X-E-']" },
    { "header names have defaults", "{" CA "," NAMES "}", .usernames = "['X-Remote-User']",
      .extras = "['X-Remote-Extra-']" },
    { "an empty list of names", "{" CA ",'requestheader-allowed-names':'[]'}", .fault = NULL },
    { "no CA: aggregation is off", "{" NAMES "}", .fault = "requestheader-client-ca-file" },
    { "an empty CA", "{'requestheader-client-ca-file':''," NAMES "}",
      .fault = "requestheader-client-ca-file" },
    { "no list of names", "{" CA "}", .fault = "requestheader-allowed-names" },
    { "names that are not JSON", "{" CA ",'requestheader-allowed-names':'front'}",
      .fault = "requestheader-allowed-names" },
    { "names that are not a list", "{" CA ",'requestheader-allowed-names':'{}'}",
      .fault = "not a list" },
    { "names that are not strings", "{" CA ",'requestheader-allowed-names':'[1]'}",
      .fault = "not a list of strings" },
    { "headers that are not a list", "{" CA "," NAMES ",'requestheader-uid-headers':'7'}",
      .fault = "requestheader-uid-headers" },
    { "nothing", "{}", .fault = "requestheader-client-ca-file" },
};

static void parses(void **state)
{
    const struct parse_row *c = *state;
    json_auto_t *configmap = must_pack("{s:o}", "data", json_q(c->data));
    json_auto_t *usernames = json_q(c->usernames);
    json_auto_t *extras = json_q(c->extras);
    struct requestheader r;
    struct error e = { 0 };

    int n = requestheader_parse(configmap, &r, &e);
    if (c->fault) {
        assert_int_equal(n, -ERR_INVALID);
        assert_non_null(strstr(e.msg, c->fault));
        assert_null(r.client_ca);
        assert_null(r.allowed_names);
        return;
    }
    assert_int_equal(n, 0);
    assert_string_equal(r.client_ca, "PEM");
    if (usernames)
        assert_json(r.username_headers, usernames);
    if (extras)
        assert_json(r.extra_prefixes, extras);
    requestheader_done(&r);
}

enum { HEADERS = 6 };

static const struct who_row {
    const char *name;
    const char *allowed; /* NULL: ["front-proxy-client"] */
    const char *cn;      /* NULL: no certificate; */
    const char *headers[HEADERS][2];
    const char *want;  /* NULL: refused */
    const char *fault; /* a part of the message */
} who_rows[] = {
    { "a user", .cn = "front-proxy-client", .headers = { { "X-Remote-User", "ann" } },
      .want = "{'username':'ann','groups':[],'extra':{}}" },
    { "header names in any case", .cn = "front-proxy-client",
      .headers = { { "x-rEMOTE-uSER", "ann" } },
      .want = "{'username':'ann','groups':[],'extra':{}}" },
    { "several groups, in order", .cn = "front-proxy-client",
      .headers = { { "X-Remote-User", "ann" },
                   { "X-Remote-Group", "b" },
                   { "x-remote-group", "a" },
                   { "X-Remote-Group", "" },
                   { "X-Remote-Group", "system:authenticated" } },
      .want = "{'username':'ann','groups':['b','a','system:authenticated'],'extra':{}}" },
    { "a UID", .cn = "front-proxy-client",
      .headers = { { "X-Remote-User", "ann" }, { "X-Remote-Uid", "42" } },
      .want = "{'username':'ann','groups':[],'extra':{},'uid':'42'}" },
    { "extra: lower case, decoded, several values", .cn = "front-proxy-client",
      .headers = { { "X-Remote-User", "ann" },
                   { "X-Remote-Extra-Acme.com%2FProject", "one" },
                   { "X-Remote-Extra-acme.com%2fproject", "two" },
                   { "X-Remote-Extra-Scopes", "" },
                   { "X-Remote-Extra-%zz", "raw" } },
      .want = "{'username':'ann','groups':[],'extra':{'acme.com/project':['one','two'],"
              "'scopes':[''],'%zz':['raw']}}" },
    { "extra whose key or value is not UTF-8 is nobody's", .cn = "front-proxy-client",
      .headers = { { "X-Remote-User", "ann" },
                   { "X-Remote-Extra-%ff", "x" },
                   { "X-Remote-Extra-a", "\xff" } },
      .want = "{'username':'ann','groups':[],'extra':{}}" },
    { "any name, when none is listed", .allowed = "[]", .cn = "somebody",
      .headers = { { "X-Remote-User", "ann" } },
      .want = "{'username':'ann','groups':[],'extra':{}}" },
    { "any name, when none is listed, but a certificate", .allowed = "[]",
      .headers = { { "X-Remote-User", "ann" } }, .fault = "no client certificate" },
    { "no certificate", .headers = { { "X-Remote-User", "ann" } },
      .fault = "no client certificate" },
    { "a certificate of another name", .cn = "ann", .headers = { { "X-Remote-User", "ann" } },
      .fault = "\"ann\" is not one of" },
    { "a certificate without a name", .cn = "", .headers = { { "X-Remote-User", "ann" } },
      .fault = "is not one of" },
    { "a name that begins alike", .cn = "front-proxy-client2",
      .headers = { { "X-Remote-User", "ann" } }, .fault = "is not one of" },
    { "a name that is not UTF-8", .cn = "\xff\xfe", .headers = { { "X-Remote-User", "ann" } },
      .fault = "\"\?\?\" is not one of" },
    { "no user", .cn = "front-proxy-client", .headers = { { "X-Remote-Group", "system:masters" } },
      .fault = "no user header" },
    { "an empty user", .cn = "front-proxy-client", .headers = { { "X-Remote-User", "" } },
      .fault = "no user header" },
    { "a user that is not UTF-8", .cn = "front-proxy-client",
      .headers = { { "X-Remote-User", "\xc3" } }, .fault = "not UTF-8" },
    { "a group that is not UTF-8", .cn = "front-proxy-client",
      .headers = { { "X-Remote-User", "ann" }, { "X-Remote-Group", "a\xff" } },
      .fault = "not UTF-8" },
    { "a UID that is not UTF-8", .cn = "front-proxy-client",
      .headers = { { "X-Remote-User", "ann" }, { "X-Remote-Uid", "\xf0\x9f" } },
      .fault = "not UTF-8" },
};

static void authenticates(void **state)
{
    const struct who_row *c = *state;
    json_auto_t *configmap = must_pack("{s:o}", "data", json_q("{" CA "," NAMES "}"));
    json_auto_t *want = json_q(c->want);
    struct http_headers headers = { 0 };
    struct tls_identity peer = { .is_verified = c->cn != NULL };
    struct requestheader r;
    struct caller who = { 0 };
    struct error e = { 0 };

    assert_int_equal(requestheader_parse(configmap, &r, &e), 0);
    if (c->allowed) {
        json_decref(r.allowed_names);
        r.allowed_names = json_q(c->allowed);
    }
    (void)snprintf(peer.cn, sizeof(peer.cn), "%s", c->cn ? c->cn : "");
    for (size_t i = 0; i < HEADERS && c->headers[i][0]; i++)
        must(http_headers_add(&headers, c->headers[i][0], c->headers[i][1]));

    int n = requestheader_authenticate(&r, &peer, &headers, &who, &e);
    if (want) {
        assert_int_equal(n, 0);
        assert_json(who.info, want);
    } else {
        assert_int_equal(n, -ERR_UNAUTHORIZED);
        assert_null(who.info);
        if (!strstr(e.msg, c->fault))
            fail_msg("\"%s\" does not say \"%s\"", e.msg, c->fault);
    }
    caller_done(&who);
    http_headers_done(&headers);
    requestheader_done(&r);
}

static void groups_are_found(void **state)
{
    struct caller who = { .info = json_q("{'groups':['a','b']}") };

    assert_true(caller_in_group(&who, "b"));
    assert_false(caller_in_group(&who, "c"));
    assert_false(caller_in_group(&who, ""));
    caller_done(&who);
    assert_null(who.info);
}

int main(void)
{
    const struct CMUnitTest groups[] = { cmocka_unit_test(groups_are_found) };

    return RUN_ROWS("requestheader_parse", parse_rows, parses) +
           RUN_ROWS("requestheader_authenticate", who_rows, authenticates) +
           cmocka_run_group_tests_name("caller", groups, NULL, NULL);
}
