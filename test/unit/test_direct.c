/* SPDX-License-Identifier: Apache-2.0 */
/* Direct access from the outside: who is let in, as whom, and how far; links; the page. */
#include "virt_api_fixture.h"

#include <pthread.h>

#include "base/clock.h"
#include "http/token.h"
#include "subresources/ticket.h"

#define V1 "/apis/subresources.kubevirt.io/v1"
#define VMI V1 "/namespaces/ns/virtualmachineinstances/"
#define VM V1 "/namespaces/ns/virtualmachines/"
#define READ "/apis/kubevirt.io/v1/namespaces/ns/"
#define MAY "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
#define ANN "Authorization", "Bearer token-of-ann"
#define EVE "Authorization", "Bearer token-of-eve"
#define BAD "Authorization", "Bearer nobody-knows-this"
#define SELF(attributes) "{\"spec\":{\"resourceAttributes\":{" attributes "}}}"

static struct api_pki pki;
static struct api *api;

static int setup(void **state)
{
    api_pki_init(&pki);
    api = api_start(&pki);
    fake_kube_token(api->kube, "token-of-ann",
                    json_q("{'username':'ann','uid':'7','groups':['a','system:authenticated'],"
                           "'extra':{'k':['v']}}"));
    fake_kube_token(api->kube, "token-of-eve", json_q("{'username':'eve','groups':[]}"));
    fake_kube_token(api->kube, "token-of-none", json_q("{'groups':['a']}"));
    fake_kube_deny(api->kube, "no role");
    fake_kube_deny_user(api->kube, "eve");
    return 0;
}

static int teardown(void **state)
{
    api_free(api);
    api_pki_done(&pki);
    return 0;
}

/* ---- single requests ---- */

static const struct row {
    const char *name;
    struct ask ask;
    const char *body;
    int status;
    const char *says;
    const char *silent; /* what is not said */
} rows[] = {
    { "a token of somebody",
      { .as = AS_NOBODY, .path = VMI "vm/guestosinfo", .headers = { ANN } },
      .status = 409,
      .says = "guest agent" },
    { "a token reaches virt-handler",
      { .as = AS_NOBODY, .path = VMI "vm/vnc/screenshot", .headers = { ANN } },
      .status = 200,
      .says = "uid-of-it" },
    { "no token",
      { .as = AS_NOBODY, .path = VMI "vm/vnc/screenshot" },
      .status = 401,
      .says = "with a bearer token" },
    { "a token that nobody knows",
      { .as = AS_NOBODY, .path = VMI "vm/vnc/screenshot", .headers = { BAD } },
      .status = 401,
      .says = "does not accept",
      .silent = "nobody-knows-this" },
    { "the same, from memory",
      { .as = AS_NOBODY, .path = VMI "vm/vnc/screenshot", .headers = { BAD } },
      .status = 401,
      .says = "does not accept" },
    { "a token of a user without a name",
      { .as = AS_NOBODY,
        .path = VMI "vm/vnc/screenshot",
        .headers = { "Authorization", "Bearer token-of-none" } },
      .status = 401,
      .says = "does not accept" },
    { "a user without the right",
      { .as = AS_NOBODY, .path = VMI "vm/vnc/screenshot", .headers = { EVE } },
      .status = 403,
      .says = "User \\\"eve\\\" cannot get" },
    { "headers of the front proxy are nobody's word",
      { .as = AS_NOBODY, .user = "root", .path = VMI "vm/vnc/screenshot", .headers = { EVE } },
      .status = 403,
      .says = "User \\\"eve\\\" cannot get" },
    { "a token beside a stranger's certificate",
      { .as = AS_STRANGER, .path = VMI "vm/vnc/screenshot", .headers = { ANN } },
      .status = 401,
      .says = "somebody" },
    { "what the front proxy says goes before a token",
      { .as = AS_PROXY, .path = VMI "vm/vnc/screenshot", .headers = { BAD } },
      .status = 200,
      .says = "uid-of-it" },
    { "impersonation",
      { .as = AS_NOBODY,
        .path = VMI "vm/vnc/screenshot",
        .headers = { ANN, "Impersonate-User", "root" } },
      .status = 400,
      .says = "kube-apiserver only" },
    { "a foreign page",
      { .as = AS_NOBODY,
        .path = VMI "vm/vnc/screenshot",
        .headers = { ANN, "Origin", "https://evil.example" } },
      .status = 403,
      .says = "--allowed-origins" },
    { "a foreign page that says it was forwarded",
      { .as = AS_NOBODY,
        .path = VMI "vm/vnc/screenshot",
        .headers = { ANN, "Origin", "https://evil.example", "X-Forwarded-Host", "evil.example" } },
      .status = 403,
      .says = "--allowed-origins" },
    { "a friend's page",
      { .as = AS_NOBODY,
        .path = VMI "vm/vnc/screenshot",
        .headers = { ANN, "Origin", "https://friend.example:8443" } },
      .status = 200,
      .says = "uid-of-it" },
    { "a foreign page through the API server is its business",
      { .as = AS_PROXY,
        .path = VMI "vm/vnc/screenshot",
        .headers = { "Origin", "https://evil.example" } },
      .status = 200,
      .says = "uid-of-it" },

    { "an instance is read, without the managed fields",
      { .as = AS_NOBODY, .path = READ "virtualmachineinstances/managed", .headers = { ANN } },
      .status = 200,
      .says = "\"name\":\"managed\"",
      .silent = "managedFields" },
    { "machines are listed, without the managed fields",
      { .as = AS_NOBODY, .path = READ "virtualmachines", .headers = { ANN } },
      .status = 200,
      .says = "\"name\":\"sized\"",
      .silent = "managedFields" },
    { "a list in pages",
      { .as = AS_NOBODY, .path = READ "virtualmachines?limit=1", .headers = { ANN } },
      .status = 200,
      .says = "\"continue\":\"1\"" },
    { "the page after it",
      { .as = AS_NOBODY, .path = READ "virtualmachines?limit=1&continue=1", .headers = { ANN } },
      .status = 200,
      .says = "\"continue\":\"2\"" },
    { "a limit that is none",
      { .as = AS_NOBODY, .path = READ "virtualmachines?limit=many", .headers = { ANN } },
      .status = 400,
      .says = "limit" },
    { "a watch",
      { .as = AS_NOBODY, .path = READ "virtualmachines?watch=true", .headers = { ANN } },
      .status = 400,
      .says = "not watched" },
    { "reading without a token",
      { .as = AS_NOBODY, .path = READ "virtualmachines" },
      .status = 401,
      .says = "bearer token" },
    { "reading without the right",
      { .as = AS_NOBODY, .path = READ "virtualmachines", .headers = { EVE } },
      .status = 403,
      .says = "User \\\"eve\\\" cannot list resource \\\"virtualmachines\\\" in API group "
              "\\\"kubevirt.io\\\"" },
    { "reading one without the right",
      { .as = AS_NOBODY, .path = READ "virtualmachineinstances/vm", .headers = { EVE } },
      .status = 403,
      .says = "cannot get" },
    { "reading from a foreign page",
      { .as = AS_NOBODY,
        .path = READ "virtualmachines",
        .headers = { ANN, "Origin", "https://evil.example" } },
      .status = 403,
      .says = "--allowed-origins" },
    { "what is not there",
      { .as = AS_NOBODY, .path = READ "virtualmachines/nope", .headers = { ANN } },
      .status = 404,
      .says = "not found" },
    { "writing is for kube-apiserver",
      { .as = AS_NOBODY,
        .method = HTTP_DELETE,
        .path = READ "virtualmachines/sized",
        .headers = { ANN } },
      .status = 405,
      .says = "kube-apiserver" },
    { "other kinds",
      { .as = AS_NOBODY, .path = "/api/v1/namespaces/ns/secrets", .headers = { ANN } },
      .status = 404,
      .says = "could not find" },
    { "other kinds of ours",
      { .as = AS_NOBODY, .path = READ "virtualmachineinstancemigrations", .headers = { ANN } },
      .status = 404,
      .says = "could not find" },
    { "through the API server nothing is read here",
      { .as = AS_PROXY, .path = READ "virtualmachines" },
      .status = 404,
      .says = "could not find" },

    { "may I: yes",
      { .as = AS_NOBODY, .method = HTTP_POST, .path = MAY, .headers = { ANN } },
      .body = SELF("\"group\":\"subresources.kubevirt.io\",\"resource\":\"virtualmachines\","
                   "\"subresource\":\"start\",\"verb\":\"update\",\"namespace\":\"ns\""),
      .status = 201,
      .says = "\"status\":{\"allowed\":true}" },
    { "may I: no",
      { .as = AS_NOBODY, .method = HTTP_POST, .path = MAY, .headers = { EVE } },
      .body = SELF("\"group\":\"kubevirt.io\",\"resource\":\"virtualmachines\",\"verb\":\"list\""),
      .status = 201,
      .says = "\"allowed\":false" },
    { "may I do something else",
      { .as = AS_NOBODY, .method = HTTP_POST, .path = MAY, .headers = { ANN } },
      .body = SELF("\"group\":\"\",\"resource\":\"secrets\",\"verb\":\"get\""),
      .status = 400,
      .says = "only kubevirt.io" },
    { "may I, with what would be left out",
      { .as = AS_NOBODY, .method = HTTP_POST, .path = MAY, .headers = { ANN } },
      .body = SELF("\"group\":\"kubevirt.io\",\"fieldSelector\":{}"),
      .status = 400,
      .says = "fieldSelector" },
    { "may I, of a path",
      { .as = AS_NOBODY, .method = HTTP_POST, .path = MAY, .headers = { ANN } },
      .body = "{\"spec\":{\"nonResourceAttributes\":{\"path\":\"/\",\"verb\":\"get\"}}}",
      .status = 400,
      .says = "resourceAttributes" },
    { "may I, of nothing",
      { .as = AS_NOBODY, .method = HTTP_POST, .path = MAY, .headers = { ANN } },
      .status = 400,
      .says = "SelfSubjectAccessReview" },
    { "may I, of nobody",
      { .as = AS_NOBODY, .method = HTTP_POST, .path = MAY },
      .status = 401,
      .says = "bearer token" },

    { "a link of an unknown view",
      { .as = AS_NOBODY, .method = HTTP_PUT, .path = VMI "vm/link", .headers = { ANN } },
      .body = "{\"view\":\"tv\"}",
      .status = 400,
      .says = "neither screen nor console" },
    { "a link that would live too long",
      { .as = AS_NOBODY, .method = HTTP_PUT, .path = VMI "vm/link", .headers = { ANN } },
      .body = "{\"duration\":\"2h\"}",
      .status = 400,
      .says = "duration" },
    { "a link that would not live at all",
      { .as = AS_NOBODY, .method = HTTP_PUT, .path = VMI "vm/link", .headers = { ANN } },
      .body = "{\"duration\":\"-1s\"}",
      .status = 400,
      .says = "duration" },
    { "a link to what is not there",
      { .as = AS_NOBODY, .method = HTTP_PUT, .path = VMI "nope/link", .headers = { ANN } },
      .status = 404,
      .says = "not found" },
    { "a link without the right",
      { .as = AS_NOBODY, .method = HTTP_PUT, .path = VMI "vm/link", .headers = { EVE } },
      .status = 403,
      .says = "virtualmachineinstances/link" },
    { "a link through the API server",
      { .method = HTTP_PUT, .path = VMI "vm/link" },
      .body = "{\"view\":\"console\"}",
      .status = 200,
      .says = "\"url\":\"https://vms.example/ui/#/ns/vm/console?token=cvirt-ticket." },

    { "the page", { .as = AS_NOBODY, .path = "/ui/" }, .status = 200, .says = "<!doctype html>" },
    { "the page for who is told to come from elsewhere",
      { .as = AS_NOBODY, .path = "/ui/", .headers = { "Origin", "https://evil.example" } },
      .status = 200,
      .says = "<!doctype html>" },
    { "the page through the API server",
      { .path = V1 "/ui/index.html" },
      .status = 200,
      .says = "<!doctype html>" },
    { "the page of the older version",
      { .path = "/apis/subresources.kubevirt.io/v1alpha3/ui/" },
      .status = 200,
      .says = "<!doctype html>" },
    { "the page of no version",
      { .path = "/apis/subresources.kubevirt.io/v2/ui/" },
      .status = 404,
      .says = "could not find" },
    { "the way to the page",
      { .as = AS_NOBODY, .path = "/", .accept = "text/html,*/*" },
      .status = 302,
      .says = "" },
    { "programs find the root's paths",
      { .as = AS_NOBODY, .path = "/" },
      .status = 200,
      .says = "\"paths\"" },
    { "the way to the page through the API server",
      { .path = V1 "/ui" },
      .status = 200,
      .says = "url=ui/" },
    { "the page asks who you are",
      { .as = AS_NOBODY, .path = "/ui/config.json" },
      .status = 200,
      .says = "{\"auth\":\"bearer\"}" },
    { "unless the API server has",
      { .path = V1 "/ui/config.json" },
      .status = 200,
      .says = "{\"auth\":\"none\"}" },
    { "a file that is not there",
      { .as = AS_NOBODY, .path = "/ui/../secret" },
      .status = 404,
      .says = "no such file" },
    { "a longer name",
      { .as = AS_NOBODY, .path = "/uix" },
      .status = 404,
      .says = "could not find" },
    { "the page is not written",
      { .as = AS_NOBODY, .method = HTTP_PUT, .path = "/ui/index.html" },
      .status = 405,
      .says = "read with GET" },
};

static void is_answered(void **state)
{
    const struct row *c = *state;
    struct ask q = c->ask;
    struct http_response r;

    q.body = c->body;
    q.body_len = c->body ? strlen(c->body) : 0;
    api_ask(api, &q, &r);

    const char *body = r.body.data ? r.body.data : "";
    if (r.status != c->status || !strstr(body, c->says))
        fail_msg("%d %.400s", r.status, body);
    if (c->silent)
        assert_null(strstr(body, c->silent));
    if (r.status == 401)
        assert_string_equal(http_headers_get(&r.headers, "WWW-Authenticate"), "Bearer");
    http_response_done(&r);
}

/* ---- tickets ---- */

/* The Authorization value of a ticket; new. */
static char *ticket_for(const char *user, const char *name, const char *uid, int64_t lives_ms)
{
    json_auto_t *info = must_pack("{s:s, s:[s], s:{}}", "username", user, "groups", "g", "extra");
    struct ticket t = { .user = info, .namespace = "ns" };
    struct error e = { 0 };
    scoped(free) char *text = NULL;

    (void)snprintf(t.name, sizeof(t.name), "%s", name);
    (void)snprintf(t.machine_uid, sizeof(t.machine_uid), "%s", uid);
    t.until_ms = clock_wall_ms(&clock_real) + lives_ms;
    assert_int_equal(ticket_seal(&t, api->serving, &text, &e), 0);
    return must_asprintf("Bearer %s", text);
}

enum { MINUTE = 60 * 1000 };

static const struct use {
    const char *name;
    const char *user, *machine, *uid;
    int64_t lives_ms;
    enum http_method method;
    const char *path, *body;
    int status;
    const char *says;
} uses[] = {
    { "its machine", "ann", "vm", "uid-of-it", MINUTE, HTTP_GET, VMI "vm/vnc/screenshot", NULL, 200,
      "uid-of-it" },
    { "without the right, today", "eve", "vm", "uid-of-it", MINUTE, HTTP_GET,
      VMI "vm/vnc/screenshot", NULL, 403, "User \\\"eve\\\" cannot get" },
    { "expired", "ann", "vm", "uid-of-it", -1, HTTP_GET, VMI "vm/vnc/screenshot", NULL, 401,
      "expired" },
    { "another machine", "ann", "vm", "uid-of-it", MINUTE, HTTP_PUT, VMI "refusing/reset", NULL,
      403, "for the machine \\\"ns/vm\\\" only" },
    { "another namespace", "ann", "vm", "uid-of-it", MINUTE, HTTP_GET,
      V1 "/namespaces/other/virtualmachineinstances/vm/vnc/screenshot", NULL, 403, "only" },
    { "a namesake that came later", "ann", "vm", "uid-of-the-last", MINUTE, HTTP_PUT,
      VMI "vm/reset", NULL, 403, "earlier machine" },
    { "a machine that was restarted", "ann", "owned", "uid-of-vm", MINUTE, HTTP_GET,
      READ "virtualmachineinstances/owned", NULL, 200, "\"name\":\"owned\"" },
    { "its machine is started", "ann", "owned", "uid-of-vm", MINUTE, HTTP_PUT, VM "owned/start",
      "dryRun: [All]", 409, "already running" },
    { "the machine of an instance that has none", "ann", "halted", "uid-of-it", MINUTE, HTTP_PUT,
      VM "halted/start", NULL, 403, "earlier machine" },
    { "a machine that is sent", "ann", "vm", "uid-of-it", MINUTE, HTTP_PUT,
      V1 "/namespaces/ns/expand-vm-spec", "{}", 403, "only" },
    { "another link", "ann", "vm", "uid-of-it", MINUTE, HTTP_PUT, VMI "vm/link", NULL, 403,
      "no further links" },
    { "reading its machine", "ann", "vm", "uid-of-it", MINUTE, HTTP_GET,
      READ "virtualmachineinstances/vm", NULL, 200, "\"name\":\"vm\"" },
    { "reading a namesake", "ann", "vm", "uid-of-the-last", MINUTE, HTTP_GET,
      READ "virtualmachineinstances/vm", NULL, 403, "earlier machine" },
    { "reading another", "ann", "vm", "uid-of-it", MINUTE, HTTP_GET,
      READ "virtualmachineinstances/ended", NULL, 403, "only" },
    { "reading all", "ann", "vm", "uid-of-it", MINUTE, HTTP_GET, READ "virtualmachineinstances",
      NULL, 403, "only" },
    { "may I, of its machine", "ann", "vm", "uid-of-it", MINUTE, HTTP_POST, MAY,
      SELF("\"group\":\"subresources.kubevirt.io\",\"namespace\":\"ns\",\"verb\":\"update\","
           "\"resource\":\"virtualmachines\",\"subresource\":\"stop\""),
      201, "\"allowed\":true" },
    { "may I, of another", "ann", "vm", "uid-of-it", MINUTE, HTTP_POST, MAY,
      SELF("\"group\":\"kubevirt.io\",\"namespace\":\"ns\",\"verb\":\"get\",\"name\":\"other\""),
      201, "\"allowed\":false" },
    { "may I, of all", "ann", "vm", "uid-of-it", MINUTE, HTTP_POST, MAY,
      SELF("\"group\":\"kubevirt.io\",\"namespace\":\"ns\",\"verb\":\"list\""), 201,
      "\"allowed\":false" },
    { "may I make a link", "ann", "vm", "uid-of-it", MINUTE, HTTP_POST, MAY,
      SELF("\"group\":\"subresources.kubevirt.io\",\"namespace\":\"ns\",\"verb\":\"update\","
           "\"resource\":\"virtualmachineinstances\",\"subresource\":\"link\""),
      201, "\"allowed\":false" },
};

static void ticket_is_used(void **state)
{
    const struct use *c = *state;
    scoped(free) char *bearer = ticket_for(c->user, c->machine, c->uid, c->lives_ms);
    size_t before = fake_kube_asked(api->kube, "tokenreviews");
    struct http_response r;

    api_ask(api,
            &(struct ask){ .as = AS_NOBODY,
                           .method = c->method,
                           .path = c->path,
                           .body = c->body,
                           .body_len = c->body ? strlen(c->body) : 0,
                           .headers = { "Authorization", bearer } },
            &r);
    if (r.status != c->status || !strstr(r.body.data ? r.body.data : "", c->says))
        fail_msg("%d %.400s", r.status, r.body.data);
    assert_int_equal(fake_kube_asked(api->kube, "tokenreviews"), before);
    http_response_done(&r);
}

static int status_of(const char *bearer)
{
    struct http_response r;

    api_ask(api,
            &(struct ask){ .as = AS_NOBODY,
                           .path = VMI "vm/vnc/screenshot",
                           .headers = { "Authorization", bearer } },
            &r);
    int status = r.status;
    http_response_done(&r);
    return status;
}

static void a_link_is_given_and_used(void **state)
{
    json_auto_t *link = NULL;
    struct error e = { 0 };
    struct http_response r;
    int64_t until;

    api_ask(api,
            &(struct ask){ .as = AS_NOBODY,
                           .method = HTTP_PUT,
                           .path = VMI "vm/link",
                           .body = "{\"duration\":\"1m\"}",
                           .body_len = strlen("{\"duration\":\"1m\"}"),
                           .headers = { ANN } },
            &r);
    assert_int_equal(r.status, 200);
    assert_string_equal(http_headers_get(&r.headers, "Cache-Control"), "no-store");
    assert_int_equal(json_parse(&link, r.body.data, r.body.len, &e), 0);
    http_response_done(&r);

    const char *token = jpath_str(link, "token", "");
    scoped(free) char *path = must_asprintf("/ui/#/ns/vm/screen?token=%s", token);
    assert_string_equal(jpath_str(link, "path", ""), path);
    assert_int_equal(rfc3339_parse(jpath_str(link, "expirationTimestamp", ""), &until), 0);
    assert_in_range(until - clock_wall_ms(&clock_real), 20 * 1000, 60 * 1000);

    scoped(free) char *bearer = must_asprintf("Bearer %s", token);
    assert_int_equal(status_of(bearer), 200);
    json_auto_t *asked = NULL;
    scoped(free) char *last = fake_kube_last(api->kube, "subjectaccessreviews", &asked);
    assert_string_equal(jpath_str(asked, "spec.user", ""), "ann");
    assert_string_equal(jpath_str(asked, "spec.uid", ""), "7");
    assert_string_equal(jpath_str(asked, "spec.groups[1]", ""), "system:authenticated");
    assert_string_equal(jpath_str(asked, "spec.extra.k[0]", ""), "v");
}

static void an_altered_ticket_is_refused(void **state)
{
    scoped(free) char *bearer = ticket_for("ann", "vm", "uid-of-it", MINUTE);
    const size_t len = strlen(bearer);

    assert_int_equal(status_of(bearer), 200);
    for (size_t at = strlen("Bearer " TICKET_PREFIX); at + 1 < len; at += 7) {
        if (bearer[at] == '.')
            continue;
        const char was = bearer[at];
        bearer[at] = was == 'A' ? 'B' : 'A';
        assert_int_equal(status_of(bearer), 401);
        bearer[at] = was;
    }
    assert_int_equal(status_of(bearer), 200);
    bearer[len - 4] = '\0';
    assert_int_equal(status_of(bearer), 401);
    assert_int_equal(status_of("Bearer " TICKET_PREFIX), 401);
    assert_int_equal(status_of("Bearer " TICKET_PREFIX "."), 401);
    assert_int_equal(status_of("Bearer " TICKET_PREFIX "e30.e30"), 401);
}

/* ---- websockets ---- */

static void shake_hands(const char *protocols, char head[2048])
{
    scoped(free) char *request = must_asprintf(
        "GET " VMI "vm/vnc HTTP/1.1\r\nHost: x\r\nOrigin: https://x\r\nUpgrade: websocket\r\n"
        "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: the-key\r\n"
        "Sec-WebSocket-Protocol: %s\r\n\r\n",
        protocols);
    struct raw r;

    assert_true(raw_tls(&r, api->port, NULL, NULL));
    assert_true(raw_say(&r, request));
    assert_true(raw_until(&r, "\r\n\r\n", head, 2048));
    raw_close(&r);
}

static void a_browser_sends_its_token_as_a_protocol(void **state)
{
    static const char prefix[] = "base64url.bearer.authorization.k8s.io.";
    static const char token[] = "token-of-ann";
    scoped(free) char *encoded = token_encode(token, strlen(token));
    scoped(free) char *with = must_asprintf("%s%s, plain.kubevirt.io", prefix, encoded);
    scoped(free) char *without = must_asprintf("%s%s", prefix, encoded);
    scoped(free) char *twice =
        must_asprintf("%s%s, plain.kubevirt.io, %s%s", prefix, encoded, prefix, encoded);
    char head[2048];

    shake_hands(with, head);
    assert_true(str_has_prefix(head, "HTTP/1.1 101"));
    assert_non_null(strstr(head, "Sec-WebSocket-Protocol: plain.kubevirt.io\r\n"));
    assert_null(strstr(head, encoded));
    shake_hands(without, head);
    assert_true(str_has_prefix(head, "HTTP/1.1 401"));
    shake_hands(twice, head);
    assert_true(str_has_prefix(head, "HTTP/1.1 401"));
    shake_hands("plain.kubevirt.io", head);
    assert_true(str_has_prefix(head, "HTTP/1.1 401"));
}

/* ---- when the API server does not answer ---- */

static void unreachable_is_no_refusal(void **state)
{
    fake_kube_token(api->kube, "token-of-late",
                    json_q("{'username':'late','groups':[],'extra':{}}"));
    fake_kube_fail(api->kube, "tokenreviews", 500, -1, -1);
    assert_int_equal(status_of("Bearer token-of-late"), 503);
    fake_kube_heal(api->kube);
    fake_kube_fail(api->kube, "tokenreviews", 403, -1, -1);
    assert_int_equal(status_of("Bearer token-of-late"), 503);
    fake_kube_heal(api->kube);
    assert_int_equal(status_of("Bearer token-of-late"), 200);
}

enum { FLOOD = 100, TAKEN = 8 + 64 };

struct flood {
    pthread_t thread;
    int number, status;
};

static atomic_int flood_refused;

static void *send_one(void *arg)
{
    struct flood *f = arg;
    scoped(free) char *bearer = must_asprintf("Bearer junk-%d", f->number);

    f->status = status_of(bearer);
    if (f->status == 429)
        flood_refused++;
    return NULL;
}

static bool are_refused(void *ctx)
{
    return flood_refused == FLOOD - TAKEN;
}

/* Unknown tokens wait for a few threads of their own; who is known goes on meanwhile. */
static void a_flood_of_tokens_holds_up_nobody(void **state)
{
    static struct flood flood[FLOOD];
    size_t before = fake_kube_asked(api->kube, "tokenreviews");
    size_t unauthorized = 0;

    assert_int_equal(status_of("Bearer token-of-ann"), 200);
    fake_kube_fail(api->kube, "tokenreviews", FAKE_KUBE_HANG, 8, -1);
    for (int i = 0; i < FLOOD; i++) {
        flood[i] = (struct flood){ .number = i };
        must(pthread_create(&flood[i].thread, NULL, send_one, &flood[i]) == 0);
    }
    assert_true(fake_wait(are_refused, NULL, FAKE_PATIENCE_MS));
    assert_true(fake_kube_asked(api->kube, "tokenreviews") - before <= 8);
    assert_int_equal(status_of("Bearer token-of-ann"), 200);
    fake_kube_release(api->kube);
    for (size_t i = 0; i < FLOOD; i++) {
        must(pthread_join(flood[i].thread, NULL) == 0);
        unauthorized += flood[i].status == 401;
    }
    assert_int_equal(unauthorized, TAKEN);
}

/* ---- pages of other sites ---- */

static void a_friends_page_may_ask_and_read(void **state)
{
    struct ask q = { .as = AS_NOBODY,
                     .method = HTTP_OPTIONS,
                     .path = READ "virtualmachines",
                     .headers = { "Origin", "https://friend.example:8443",
                                  "Access-Control-Request-Method", "GET" } };
    struct http_response r;

    api_ask(api, &q, &r);
    assert_int_equal(r.status, 204);
    assert_string_equal(http_headers_get(&r.headers, "Access-Control-Allow-Origin"),
                        "https://friend.example:8443");
    assert_non_null(
        strstr(http_headers_get(&r.headers, "Access-Control-Allow-Headers"), "Authorization"));
    assert_null(http_headers_get(&r.headers, "Access-Control-Allow-Credentials"));
    http_response_done(&r);

    q.headers[1] = "https://evil.example";
    api_ask(api, &q, &r);
    assert_int_equal(r.status, 405);
    assert_null(http_headers_get(&r.headers, "Access-Control-Allow-Origin"));
    http_response_done(&r);

    q = (struct ask){ .as = AS_NOBODY,
                      .path = READ "virtualmachines",
                      .headers = { ANN, "Origin", "https://friend.example:8443" } };
    api_ask(api, &q, &r);
    assert_int_equal(r.status, 200);
    assert_string_equal(http_headers_get(&r.headers, "Access-Control-Allow-Origin"),
                        "https://friend.example:8443");
    http_response_done(&r);
}

/* ---- the page's headers ---- */

static void the_page_is_guarded_and_kept(void **state)
{
    struct ask q = { .as = AS_NOBODY, .path = "/ui/app-1a2b3c4d.js" };
    struct http_response r;

    api_ask(api, &q, &r);
    assert_int_equal(r.status, 200);
    assert_string_equal(r.body.data, "let a = 1");
    assert_string_equal(http_headers_get(&r.headers, "Content-Type"),
                        "text/javascript; charset=utf-8");
    assert_string_equal(http_headers_get(&r.headers, "Cache-Control"),
                        "public, max-age=31536000, immutable");
    assert_string_equal(http_headers_get(&r.headers, "ETag"), "\"a\"");
    assert_string_equal(http_headers_get(&r.headers, "X-Frame-Options"), "DENY");
    assert_string_equal(http_headers_get(&r.headers, "Referrer-Policy"), "no-referrer");
    assert_string_equal(http_headers_get(&r.headers, "X-Content-Type-Options"), "nosniff");
    assert_non_null(strstr(http_headers_get(&r.headers, "Content-Security-Policy"),
                           "default-src 'none'; script-src 'self';"));
    http_response_done(&r);

    q.headers[0] = "Accept-Encoding";
    q.headers[1] = "br, gzip";
    q.headers[2] = "If-None-Match";
    q.headers[3] = "\"a\""; /* of the other form */
    api_ask(api, &q, &r);
    assert_int_equal(r.status, 200);
    assert_string_equal(http_headers_get(&r.headers, "Content-Encoding"), "gzip");
    assert_string_equal(http_headers_get(&r.headers, "ETag"), "\"a-gzip\"");
    http_response_done(&r);

    q.headers[3] = "\"a-gzip\"";
    api_ask(api, &q, &r);
    assert_int_equal(r.status, 304);
    http_response_done(&r);

    api_ask(api, &(struct ask){ .as = AS_NOBODY, .path = "/ui/" }, &r);
    assert_string_equal(http_headers_get(&r.headers, "Cache-Control"), "no-cache");
    http_response_done(&r);
}

static int fill(void **state)
{
    int r = setup(state);

    (void)fake_kube_put(api->kube, &KIND_VMI,
                        json_q("{'metadata':{'name':'managed','namespace':'ns','managedFields':"
                               "[{'manager':'x'}]},'spec':{}}"));
    (void)fake_kube_put(api->kube, &KIND_VM,
                        json_q("{'metadata':{'name':'managed','namespace':'ns','managedFields':"
                               "[{'manager':'x'}]},'spec':{}}"));
    (void)fake_kube_put(api->kube, &KIND_VM,
                        json_q("{'metadata':{'name':'owned','namespace':'ns','uid':'uid-of-vm'},"
                               "'spec':{'runStrategy':'Always'},'status':{'ready':true}}"));
    (void)fake_kube_put(api->kube, &KIND_VMI,
                        json_q("{'metadata':{'name':'owned','namespace':'ns','uid':'second',"
                               "'ownerReferences':[{'kind':'VirtualMachine','controller':true,"
                               "'name':'owned','uid':'uid-of-vm'}]},'spec':{},'status':{'phase':"
                               "'Running','nodeName':'good'}}"));
    return r;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_link_is_given_and_used),
        cmocka_unit_test(an_altered_ticket_is_refused),
        cmocka_unit_test(a_browser_sends_its_token_as_a_protocol),
        cmocka_unit_test(unreachable_is_no_refusal),
        cmocka_unit_test(a_flood_of_tokens_holds_up_nobody),
        cmocka_unit_test(a_friends_page_may_ask_and_read),
        cmocka_unit_test(the_page_is_guarded_and_kept),
    };
    ROW_TESTS(row_tests, rows, is_answered);
    ROW_TESTS(use_tests, uses, ticket_is_used);

    return cmocka_run_group_tests_name("direct requests", row_tests, fill, teardown) +
           cmocka_run_group_tests_name("tickets", use_tests, fill, teardown) +
           cmocka_run_group_tests_name("direct", tests, fill, teardown);
}
