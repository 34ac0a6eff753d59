/* SPDX-License-Identifier: Apache-2.0 */
/* Who a request of the front proxy speaks for (spec 01, section 4; spec 10, E4). */
#include "apiserver/frontproxy.h"

#include "apiserver/authz.h"
#include "base/jpath.h"
#include "base/str.h"
#include "test/unit/rows.h"

#define CONFIGMAP(names) \
    "{'data':{'requestheader-client-ca-file':'PEM','requestheader-allowed-names':'" names "'}}"

enum { HEADERS_MAX = 6 };

static const struct row {
    const char *name;
    const char *allowed; /* value of requestheader-allowed-names */
    bool is_verified;
    const char *cn;
    struct {
        const char *name, *value;
    } headers[HEADERS_MAX];
    enum error_code code;
    const char *info;
} rows[] = {
    { .name = "a user and two groups",
      .allowed = "[]",
      .is_verified = true,
      .cn = "anyone",
      .headers = { { "x-remote-user", "ann" },
                   { "X-Remote-Group", "a" },
                   { "X-Remote-Group", "b" } },
      .info = "{'username':'ann','groups':['a','b'],'extra':{}}" },
    { .name = "extras are lower-cased and percent-decoded",
      .allowed = "[]",
      .is_verified = true,
      .cn = "c",
      .headers = { { "X-Remote-User", "ann" },
                   { "X-Remote-Extra-Acme.com%2Fproject", "one" },
                   { "x-remote-extra-acme.com%2fproject", "two" },
                   { "X-Remote-Uid", "7" } },
      .info =
          "{'username':'ann','groups':[],'extra':{'acme.com/project':['one','two']},'uid':'7'}" },
    { .name = "a name on the list",
      .allowed = "[\"front\"]",
      .is_verified = true,
      .cn = "front",
      .headers = { { "X-Remote-User", "ann" } },
      .info = "{'username':'ann','groups':[],'extra':{}}" },
    { .name = "a name that is not on the list",
      .allowed = "[\"front\"]",
      .is_verified = true,
      .cn = "other",
      .headers = { { "X-Remote-User", "ann" } },
      .code = ERR_UNAUTHORIZED },
    { .name = "no certificate",
      .allowed = "[]",
      .cn = "",
      .headers = { { "X-Remote-User", "admin" }, { "X-Remote-Group", "system:masters" } },
      .code = ERR_UNAUTHORIZED },
    { .name = "no user",
      .allowed = "[]",
      .is_verified = true,
      .cn = "c",
      .headers = { { "X-Remote-Group", "a" } },
      .code = ERR_UNAUTHORIZED },
    { .name = "a user that is no text",
      .allowed = "[]",
      .is_verified = true,
      .cn = "c",
      .headers = { { "X-Remote-User", "\xff\xfe" } },
      .code = ERR_UNAUTHORIZED },
    { .name = "a group that is no text",
      .allowed = "[]",
      .is_verified = true,
      .cn = "c",
      .headers = { { "X-Remote-User", "ann" }, { "X-Remote-Group", "\xff" } },
      .code = ERR_UNAUTHORIZED },
    { .name = "extras that are no text are left out",
      .allowed = "[]",
      .is_verified = true,
      .cn = "c",
      .headers = { { "X-Remote-User", "ann" },
                   { "X-Remote-Extra-%ff", "x" },
                   { "X-Remote-Extra-k", "\xff" } },
      .info = "{'username':'ann','groups':[],'extra':{}}" },
    { .name = "a certificate name that is no text",
      .allowed = "[\"front\"]",
      .is_verified = true,
      .cn = "\xff",
      .headers = { { "X-Remote-User", "ann" } },
      .code = ERR_UNAUTHORIZED },
};

static void authenticates(void **state)
{
    const struct row *c = *state;
    json_auto_t *configmap = json_object();
    json_auto_t *want = json_q(c->info);
    struct tls_identity peer = { .is_verified = c->is_verified };
    struct http_headers headers = { 0 };
    struct requestheader settings;
    struct caller who = { 0 };
    struct error e = { 0 };

    jpath_set_str(configmap, "data['requestheader-client-ca-file']", "PEM");
    jpath_set_str(configmap, "data['requestheader-allowed-names']", c->allowed);
    memcpy(peer.cn, c->cn, strlen(c->cn) + 1);
    for (size_t i = 0; i < HEADERS_MAX && c->headers[i].name; i++)
        assert_true(http_headers_add(&headers, c->headers[i].name, c->headers[i].value));
    assert_int_equal(requestheader_parse(configmap, &settings, &e), 0);

    assert_int_equal(requestheader_authenticate(&settings, &peer, &headers, &who, &e),
                     -(int)c->code);
    assert_json(who.info, want);
    caller_done(&who);
    requestheader_done(&settings);
    http_headers_done(&headers);
}

static const struct settings_row {
    const char *name, *configmap;
    int result;
} settings_rows[] = {
    { "whole", CONFIGMAP("[]"), 0 },
    { "no CA", "{'data':{'requestheader-allowed-names':'[]'}}", -ERR_INVALID },
    { "no allowed names: nobody", "{'data':{'requestheader-client-ca-file':'PEM'}}", -ERR_INVALID },
    { "names that are no list", CONFIGMAP("{}"), -ERR_INVALID },
    { "names that are no strings", CONFIGMAP("[1]"), -ERR_INVALID },
    { "names that are no JSON", CONFIGMAP("["), -ERR_BAD_REQUEST },
    { "no data", "{}", -ERR_INVALID },
};

static void reads_settings(void **state)
{
    const struct settings_row *c = *state;
    json_auto_t *configmap = json_q(c->configmap);
    struct requestheader settings;
    struct error e = { 0 };

    assert_int_equal(requestheader_parse(configmap, &settings, &e), c->result);
    requestheader_done(&settings);
}

static void makes_a_review(void **state)
{
    struct caller who = { .info = json_q(
                              "{'username':'ann','groups':['a'],'extra':{'k':['v']},'uid':'7'}") };
    struct route_match what;

    assert_int_equal(route_match(HTTP_GET,
                                 "/apis/subresources.kubevirt.io/v1/namespaces/ns/"
                                 "virtualmachineinstances/vm/vnc/screenshot",
                                 &what),
                     1);
    json_auto_t *spec = authz_spec(&who, &what);
    json_auto_t *want = json_q(
        "{'user':'ann','uid':'7','groups':['a'],'extra':{'k':['v']},'resourceAttributes':{"
        "'group':'subresources.kubevirt.io','version':'v1','namespace':'ns','resource':"
        "'virtualmachineinstances','name':'vm','subresource':'vnc/screenshot','verb':'get'}}");

    assert_json(spec, want);
    caller_done(&who);
}

int main(void)
{
    const struct CMUnitTest review[] = { cmocka_unit_test(makes_a_review) };

    return RUN_ROWS("frontproxy", rows, authenticates) +
           RUN_ROWS("settings", settings_rows, reads_settings) +
           cmocka_run_group_tests_name("review", review, NULL, NULL);
}
