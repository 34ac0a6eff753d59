/* SPDX-License-Identifier: Apache-2.0 */
/* virt-api from the outside: who may do what, what is refused and how, and the way to virt-handler.
 */
#include "virt_api_fixture.h"

#include <pthread.h>

#include "base/clock.h"
#include "base/jpath.h"

#define V1 "/apis/subresources.kubevirt.io/v1"
#define VMI V1 "/namespaces/ns/virtualmachineinstances/"
#define VM V1 "/namespaces/ns/virtualmachines/"

#define EXPAND V1 "/namespaces/ns/expand-vm-spec"
/* A machine, with these members. */
#define SENT(metadata, spec, domain)                                                             \
    "{\"apiVersion\":\"kubevirt.io/v1\",\"kind\":\"VirtualMachine\",\"metadata\":{" metadata     \
    "},\"spec\":{\"runStrategy\":\"Halted\"," spec "\"template\":{\"spec\":{\"domain\":{" domain \
    "\"devices\":{}}}}}}"

static struct api_pki pki;
static struct api *api;

static int setup(void **state)
{
    api_pki_init(&pki);
    api = api_start(&pki);
    return 0;
}

static int teardown(void **state)
{
    api_free(api);
    api_pki_done(&pki);
    return 0;
}

/* ---- single requests ---- */

enum { BIG = 70 * 1024, HUGE_ONE = 4 * 1024 * 1024 };

static const struct row {
    const char *name;
    struct ask ask;
    const char *body; /* of the request */
    size_t spaces;    /* a body of that many */
    const char *denial;
    int status;
    const char *says;      /* a part of the body */
    const char *header[2]; /* and a header */
} rows[] = {
    { "discovery is for everybody",
      { .as = AS_NOBODY, .path = "/apis" },
      .status = 200,
      .says = "APIGroupList" },
    { "aggregated discovery for who asks for it",
      { .as = AS_NOBODY,
        .path = "/apis",
        .accept = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,"
                  "application/json" },
      .status = 200,
      .says = "apidiscovery.k8s.io/v2\"" },
    { "resources, with a trailing slash",
      { .as = AS_NOBODY, .path = V1 "/" },
      .status = 200,
      .says = "virtualmachines/start" },
    { "live", { .as = AS_NOBODY, .path = "/livez" }, .status = 200, .says = "ok" },
    { "ready", { .as = AS_NOBODY, .path = "/readyz" }, .status = 200, .says = "ok" },
    { "healthy", { .as = AS_NOBODY, .path = "/healthz" }, .status = 200, .says = "connectivity" },
    { "metrics", { .as = AS_NOBODY, .path = "/metrics" }, .status = 200, .says = "# HELP" },
    { "a document has a tag",
      { .as = AS_NOBODY, .path = "/openapi/v2" },
      .status = 200,
      .says = "swagger",
      .header = { "Vary", "Accept" } },

    { "401 without a certificate",
      { .as = AS_NOBODY, .method = HTTP_PUT, .path = VM "halted/start" },
      .status = 401,
      .says = "bearer token",
      .header = { "WWW-Authenticate", "Bearer" } },
    { "401 with a certificate of another",
      { .as = AS_STRANGER, .method = HTTP_PUT, .path = VM "halted/start" },
      .status = 401,
      .says = "somebody" },
    { "401 without a user",
      { .user = "", .method = HTTP_PUT, .path = VM "halted/start" },
      .status = 401,
      .says = "no user header" },
    { "401 for a user that is not UTF-8",
      { .user = "\xff", .method = HTTP_PUT, .path = VM "halted/start" },
      .status = 401,
      .says = "UTF-8" },
    { "401 for a group that is not UTF-8",
      { .group = "\xff", .method = HTTP_PUT, .path = VM "halted/start" },
      .status = 401,
      .says = "UTF-8" },
    { "403 with the reason",
      { .user = "eve", .method = HTTP_PUT, .path = VM "halted/start" },
      .denial = "no role",
      .status = 403,
      .says = "User \\\"eve\\\" cannot update resource \\\"virtualmachines/start\\\"" },
    { "404 for a path nobody knows",
      { .path = V1 "/namespaces/ns/pods/x/start" },
      .status = 404,
      .says = "could not find" },
    { "404 for bytes that are not text",
      { .path = "/apis/%ff%fe" },
      .status = 404,
      .says = "could not find" },
    { "404 for a machine that is not there",
      { .method = HTTP_PUT, .path = VM "nope/start" },
      .status = 404,
      .says = "virtualmachine.kubevirt.io \\\"nope\\\" not found" },
    { "404 for an instance that is not there",
      { .path = VMI "nope/guestosinfo" },
      .status = 404,
      .says = "virtualmachineinstance.kubevirt.io \\\"nope\\\" not found" },
    { "a machine without a type is expanded to itself",
      { .path = VM "halted/expand-spec" },
      .status = 200,
      .says = "\"spec\":{\"runStrategy\":\"Halted\"}" },
    { "a machine is expanded with its type",
      { .path = VM "sized/expand-spec" },
      .status = 200,
      .says = "\"memory\":{\"guest\":\"192Mi\"" },
    { "and with the defaults",
      { .path = VM "sized/expand-spec" },
      .status = 200,
      .says = "\"disks\":[{\"name\":\"root\",\"disk\":{\"bus\":\"sata\"" },
    { "500 for a machine whose type is not there",
      { .path = VM "unsized/expand-spec" },
      .status = 500,
      .says = "instance type \\\"none\\\"" },
    { "500 for a machine that does not go with its type",
      { .path = VM "oversized/expand-spec" },
      .status = 500,
      .says = "spec.template.spec.domain.cpu.cores" },
    { "404 for a machine that is not there, to be expanded",
      { .path = VM "nope/expand-spec" },
      .status = 404,
      .says = "not found" },
    { "a machine that is sent is expanded with its type",
      { .method = HTTP_PUT, .path = EXPAND },
      .body = SENT("\"name\":\"m\"", "\"instancetype\":{\"name\":\"two\"},", ""),
      .status = 200,
      .says = "\"memory\":{\"guest\":\"192Mi\"" },
    { "400 for one that is none",
      { .method = HTTP_PUT, .path = EXPAND },
      .body = "{}",
      .status = 400,
      .says = "Object is not a valid VirtualMachine" },
    { "400 for one with a field that is unknown, by its path",
      { .method = HTTP_PUT, .path = EXPAND },
      .body = SENT("\"name\":\"m\"", "\"color\":\"red\",", ""),
      .status = 400,
      .says = "\"field\":\"spec.color\"" },
    { "400 for no JSON",
      { .method = HTTP_PUT, .path = EXPAND },
      .body = "x",
      .status = 400,
      .says = "not a VirtualMachine" },
    { "400 for nothing",
      { .method = HTTP_PUT, .path = EXPAND },
      .status = 400,
      .says = "is empty" },
    { "400 for another namespace",
      { .method = HTTP_PUT, .path = EXPAND },
      .body = SENT("\"name\":\"m\",\"namespace\":\"other\"", "", ""),
      .status = 400,
      .says = "other" },
    { "400 for a type that is not there",
      { .method = HTTP_PUT, .path = EXPAND },
      .body = SENT("\"name\":\"m\"", "\"instancetype\":{\"name\":\"none\"},", ""),
      .status = 400,
      .says = "instance type \\\"none\\\"" },
    { "400 for a machine that does not go with its type",
      { .method = HTTP_PUT, .path = EXPAND },
      .body =
          SENT("\"name\":\"m\"", "\"instancetype\":{\"name\":\"two\"},", "\"cpu\":{\"cores\":4},"),
      .status = 400,
      .says = "spec.template.spec.domain.cpu.cores" },
    { "403 for who may not expand",
      { .user = "eve", .method = HTTP_PUT, .path = EXPAND },
      .body = SENT("\"name\":\"m\"", "", ""),
      .denial = "no role",
      .status = 403,
      .says = "cannot update resource \\\"expand-vm-spec\\\"" },
    { "405 for the wrong method",
      { .path = VM "halted/start" },
      .status = 405,
      .says = "MethodNotAllowed",
      .header = { "Allow", "PUT" } },
    { "405 for writing what is only read",
      { .as = AS_NOBODY, .method = HTTP_POST, .path = "/apis" },
      .status = 405,
      .says = "MethodNotAllowed",
      .header = { "Allow", "GET, HEAD" } },
    { "413 for options that are too long",
      { .method = HTTP_PUT, .path = VM "halted/start" },
      .spaces = BIG,
      .status = 413,
      .says = "RequestEntityTooLarge" },
    { "413 for a body that is too long for anything",
      { .method = HTTP_PUT, .path = VM "halted/start" },
      .spaces = HUGE_ONE,
      .status = 413,
      .says = "RequestEntityTooLarge" },
    { "415 for a review that is not JSON",
      { .as = AS_NOBODY,
        .method = HTTP_POST,
        .path = "/virtualmachines-validate",
        .content_type = "text/plain" },
      .body = "hello",
      .status = 415,
      .says = "UnsupportedMediaType" },
    { "a review that asks the API server",
      { .as = AS_NOBODY,
        .method = HTTP_POST,
        .path = "/migration-validate-create",
        .content_type = "application/json" },
      .body = "{\"kind\":\"AdmissionReview\",\"request\":{\"uid\":\"u\",\"operation\":\"CREATE\","
              "\"namespace\":\"ns\",\"resource\":{\"group\":\"kubevirt.io\",\"resource\":"
              "\"virtualmachineinstancemigrations\"},\"object\":{\"metadata\":{\"name\":\"g\"},"
              "\"spec\":{\"vmiName\":\"ended\"}}}}",
      .status = 200,
      .says = "finalized state" },
    { "400 for a review of another kind, from there as well",
      { .as = AS_NOBODY,
        .method = HTTP_POST,
        .path = "/pod-eviction-validate",
        .content_type = "application/json" },
      .body = "{\"kind\":\"AdmissionReview\",\"request\":{\"uid\":\"u\",\"operation\":\"CREATE\","
              "\"object\":{},\"resource\":{\"group\":\"\",\"resource\":\"nodes\"}}}",
      .status = 400,
      .says = "expected pods" },
    { "400 for options that are none",
      { .method = HTTP_PUT, .path = VM "halted/start" },
      .body = "{\"paused\": 7}",
      .status = 400,
      .says = "Can not unmarshal Request body" },
    { "400 for bytes that are no options",
      { .method = HTTP_PUT, .path = VM "halted/start" },
      .body = "\xff\xfe{",
      .status = 400,
      .says = "Can not unmarshal Request body" },
    { "400 for a dry run of something else",
      { .method = HTTP_PUT, .path = VM "halted/start" },
      .body = "{\"dryRun\": [\"Some\"]}",
      .status = 400,
      .says = "dryRun" },
    { "400 for a stream that is asked for as a page",
      { .path = VMI "vm/console" },
      .status = 400,
      .says = "websocket" },
    { "409 in the state it is in",
      { .path = VMI "ended/console" },
      .status = 409,
      .says = "VMI is in failed status" },

    { "a machine is started by a dry run",
      { .method = HTTP_PUT, .path = VM "halted/start" },
      .body = "dryRun: [All]",
      .status = 202 },
    { "virt-handler is asked by uid",
      { .path = VMI "vm/vnc/screenshot" },
      .status = 200,
      .says = "{\"path\":\"/v1/namespaces/ns/virtualmachineinstances/vm/vnc/screenshot\",\"uid\":"
              "\"uid-of-it\",\"method\":\"GET\"}" },
    { "a command that virt-handler has taken",
      { .method = HTTP_PUT, .path = VMI "vm/pause" },
      .status = 200 },
    { "options reach virt-handler as JSON",
      { .method = HTTP_PUT, .path = VMI "vm/pause" },
      .body = "kind: PauseOptions",
      .status = 200,
      .says = "{\"kind\":\"PauseOptions\"}" },
    { "a body where none is read does not reach virt-handler",
      { .method = HTTP_PUT, .path = VMI "vm/softreboot" },
      .body = "\xff whatever",
      .status = 200,
      .says = "" },
    { "a dry run does not reach virt-handler",
      { .method = HTTP_PUT, .path = VMI "refusing/pause" },
      .body = "{\"dryRun\":[\"All\"]}",
      .status = 200 },
    { "a refusal of virt-handler is passed on",
      { .method = HTTP_PUT, .path = VMI "refusing/reset" },
      .status = 409,
      .says = "the guest does not want to" },
    { "words of virt-handler that are not UTF-8 are cleaned",
      { .method = HTTP_PUT, .path = VMI "rambling/reset" },
      .status = 500,
      .says = "virt-handler answered 500: half a character: ?" },
    { "503 for a virt-handler with another's certificate",
      { .method = HTTP_PUT, .path = VMI "on-wrong/reset" },
      .status = 503,
      .says = "common name" },
    { "503 for a virt-handler that is not there",
      { .method = HTTP_PUT, .path = VMI "on-dead/reset" },
      .status = 503,
      .says = "127.0.0.4" },
    { "503 for a node without virt-handler",
      { .method = HTTP_PUT, .path = VMI "on-lost/reset" },
      .status = 503,
      .says = "no virt-handler on node" },
};

static void assert_status_object(const struct http_response *r)
{
    json_auto_t *status = NULL;
    struct error e = { 0 };

    assert_int_equal(json_parse(&status, r->body.data, r->body.len, &e), 0);
    assert_string_equal(jpath_str(status, "kind", ""), "Status");
    assert_int_equal(json_integer_value(json_object_get(status, "code")), r->status);
    assert_true(*jpath_str(status, "reason", "") != '\0');
}

static void is_answered(void **state)
{
    const struct row *c = *state;
    scoped(free) char *spaces = must_malloc(c->spaces + 1);
    struct ask q = c->ask;
    struct http_response r;

    memset(spaces, ' ', c->spaces);
    q.body = c->body ? c->body : c->spaces ? spaces : NULL;
    q.body_len = c->body ? strlen(c->body) : c->spaces;
    fake_kube_deny(api->kube, c->denial);
    api_ask(api, &q, &r);
    fake_kube_deny(api->kube, NULL);

    const char *body = r.body.data ? r.body.data : "";
    if (r.status != c->status || (c->says && !strstr(body, c->says)))
        fail_msg("%d %.300s", r.status, body);
    if (streq(c->says, ""))
        assert_int_equal(r.body.len, 0);
    if (c->header[0])
        assert_string_equal(http_headers_get(&r.headers, c->header[0]), c->header[1]);
    assert_string_equal(http_headers_get(&r.headers, "X-Content-Type-Options"), "nosniff");
    if (r.status >= 400)
        assert_status_object(&r);
    http_response_done(&r);
}

/* ---- while something is slow ---- */

struct asker {
    pthread_t thread;
    struct ask ask;
    struct http_response response;
    int64_t took_ms;
    atomic_bool is_done;
};

static void *run_asker(void *arg)
{
    struct asker *a = arg;
    int64_t since = clock_mono_ms(&clock_real);

    api_ask(api, &a->ask, &a->response);
    a->took_ms = clock_mono_ms(&clock_real) - since;
    a->is_done = true;
    return NULL;
}

static void asker_start(struct asker *a, struct ask ask)
{
    *a = (struct asker){ .ask = ask };
    must(pthread_create(&a->thread, NULL, run_asker, a) == 0);
}

static void asker_join(struct asker *a)
{
    must(pthread_join(a->thread, NULL) == 0);
}

static void assert_discovery_answers(void)
{
    struct http_response r;

    api_ask(api, &(struct ask){ .as = AS_NOBODY, .path = V1 }, &r);
    assert_int_equal(r.status, 200);
    http_response_done(&r);
}

enum { ASKERS = 5 };

static bool is_review_asked(void *ctx)
{
    return fake_kube_asked(api->kube, "subjectaccessreviews") > *(size_t *)ctx;
}

static bool are_refused(void *ctx)
{
    struct asker *askers = ctx;
    size_t n = 0;

    for (size_t i = 1; i < ASKERS; i++)
        n += askers[i].is_done;
    return n == ASKERS - 2;
}

/* The API server does not answer: one call waits for it, one for the worker, the others are told.
 */
static void a_full_pool_says_429(void **state)
{
    struct asker asker[ASKERS];
    size_t before = fake_kube_asked(api->kube, "subjectaccessreviews");
    struct ask ask = { .user = "slow", .method = HTTP_PUT, .path = VMI "vm/softreboot" };

    fake_kube_fail(api->kube, "subjectaccessreviews", FAKE_KUBE_HANG, 1, -1);
    asker_start(&asker[0], ask);
    assert_true(fake_wait(is_review_asked, &before, FAKE_PATIENCE_MS));
    for (size_t i = 1; i < ASKERS; i++)
        asker_start(&asker[i], ask);
    assert_true(fake_wait(are_refused, asker, FAKE_PATIENCE_MS));
    assert_discovery_answers();
    fake_kube_release(api->kube);

    size_t refused = 0;
    for (size_t i = 0; i < ASKERS; i++) {
        asker_join(&asker[i]);
        if (asker[i].response.status == 429) {
            assert_status_object(&asker[i].response);
            assert_string_equal(http_headers_get(&asker[i].response.headers, "Retry-After"), "1");
            refused++;
        } else {
            assert_int_equal(asker[i].response.status, 200);
        }
        http_response_done(&asker[i].response);
    }
    assert_int_equal(refused, ASKERS - 2);
}

/* A node that takes connections and says nothing: nobody else waits, and its caller is told. */
static void a_mute_node_holds_up_nobody(void **state)
{
    struct asker asker;
    struct http_response r;

    asker_start(&asker, (struct ask){ .method = HTTP_PUT, .path = VMI "on-mute/reset" });
    assert_discovery_answers();
    api_ask(api, &(struct ask){ .method = HTTP_PUT, .path = VMI "vm/reset" }, &r);
    assert_int_equal(r.status, 200);
    http_response_done(&r);
    assert_false(asker.is_done);

    asker_join(&asker);
    assert_int_equal(asker.response.status, 504);
    assert_status_object(&asker.response);
    assert_non_null(strstr(asker.response.body.data, "127.0.0.2"));
    assert_in_range(asker.took_ms, 9000, 15000);
    http_response_done(&asker.response);
}

/* ---- streams ---- */

static void open_stream(const struct api *a, struct raw *r, const char *path, const char *protocols,
                        char head[2048])
{
    scoped(free) char *request = must_asprintf(
        "GET %s HTTP/1.1\r\nHost: x\r\nX-Remote-User: ann\r\nUpgrade: websocket\r\n"
        "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: the-key\r\n%s\r\n",
        path, protocols);

    assert_true(raw_tls(r, a->port, &pki.proxy, NULL));
    assert_true(raw_say(r, request));
    if (head)
        assert_true(raw_until(r, "\r\n\r\n", head, 2048));
}

static bool is_gauge(const char *line)
{
    struct http_response r;

    api_ask(api, &(struct ask){ .as = AS_NOBODY, .path = "/metrics" }, &r);
    bool is_there = strstr(r.body.data, line) != NULL;
    http_response_done(&r);
    return is_there;
}

static bool is_vnc_closed(void *ctx)
{
    return is_gauge("kubevirt_vnc_active_connections{namespace=\"ns\",vmi=\"vm\"} 0");
}

static void a_stream_is_relayed_both_ways(void **state)
{
    struct raw r;
    char head[2048];
    enum { ROUNDS = 50, CHUNK = 4000 };
    static char sent[CHUNK], got[CHUNK];

    open_stream(api, &r, VMI "vm/vnc",
                "Sec-WebSocket-Protocol: base64url.bearer.authorization.k8s.io.c2VjcmV0, "
                "plain.kubevirt.io\r\n",
                head);
    assert_true(str_has_prefix(head, "HTTP/1.1 101"));
    assert_non_null(strstr(head, "Sec-WebSocket-Accept: the-key\r\n"));
    assert_non_null(strstr(head, "Sec-WebSocket-Protocol: plain.kubevirt.io\r\n"));
    assert_null(strstr(head, "X-Secret"));
    assert_true(is_gauge("kubevirt_vnc_active_connections{namespace=\"ns\",vmi=\"vm\"} 1"));

    for (int i = 0; i < ROUNDS; i++) {
        memset(sent, 'a' + i % 26, sizeof(sent));
        assert_true(raw_send(&r, sent, sizeof(sent)));
        assert_int_equal(raw_recv_all(&r, got, sizeof(got)), sizeof(got));
        assert_memory_equal(sent, got, sizeof(sent));
    }
    raw_close(&r);
    assert_true(fake_wait(is_vnc_closed, NULL, FAKE_PATIENCE_MS));
}

static void a_stream_that_cannot_be_opened_is_a_page(void **state)
{
    struct raw r;
    char head[2048];

    open_stream(api, &r, VMI "refusing/console", "", head);
    assert_true(str_has_prefix(head, "HTTP/1.1 409"));
    raw_close(&r);
    open_stream(api, &r, VMI "on-dead/console", "", head);
    assert_true(str_has_prefix(head, "HTTP/1.1 503"));
    raw_close(&r);
}

/* Open when there is room again: those before may still be closing. */
static bool open_in_time(struct raw *r, char head[2048])
{
    for (int tries = 0; tries < 200; tries++) {
        open_stream(api, r, VMI "vm/console", "", head);
        if (str_has_prefix(head, "HTTP/1.1 101"))
            return true;
        raw_close(r);
        usleep(50 * 1000);
    }
    return false;
}

/* The fixture allows three of a machine. */
static void one_stream_too_many_is_told(void **state)
{
    struct raw r[3], extra;
    char head[2048];

    for (size_t i = 0; i < countof(r); i++)
        assert_true(open_in_time(&r[i], head));
    open_stream(api, &extra, VMI "vm/vnc", "", head);
    assert_true(str_has_prefix(head, "HTTP/1.1 429"));
    assert_non_null(strstr(head, "Retry-After: 5\r\n"));
    raw_close(&extra);
    raw_close(&r[0]);
    assert_true(open_in_time(&r[0], head));
    for (size_t i = 0; i < countof(r); i++)
        raw_close(&r[i]);
}

/* ---- the end: a virt-api of its own ---- */

static bool is_dialled(void *ctx)
{
    struct api *a = ctx;

    return fake_kube_asked(a->kube, "virtualmachineinstances/on-mute") >= 2;
}

static void the_end_closes_streams_and_answers_calls(void **state)
{
    struct api *own = api_start(&pki);
    struct raw open, leaver, waiting;
    char head[2048], tail[128] = "";

    open_stream(own, &open, VMI "vm/console", "", head);
    assert_true(str_has_prefix(head, "HTTP/1.1 101"));
    open_stream(own, &leaver, VMI "on-mute/console", "", NULL);
    raw_close(&leaver);
    open_stream(own, &waiting, VMI "on-mute/vnc", "", NULL);
    assert_true(fake_wait(is_dialled, own, FAKE_PATIENCE_MS));

    api_end_calls(own);
    size_t len = raw_recv_all(&open, tail, sizeof(tail) - 1);
    assert_int_equal(len, 2 + tail[1]);
    assert_memory_equal(tail, "\x88", 1);
    assert_memory_equal(tail + 2, "\x03\xe9", 2);
    assert_string_equal(tail + 4, "virt-api is shutting down: try again");
    assert_true(raw_until(&waiting, "\r\n\r\n", head, sizeof(head)));
    assert_true(str_has_prefix(head, "HTTP/1.1 503"));
    raw_close(&open);
    raw_close(&waiting);
    api_free(own);
}

int main(void)
{
    ROW_TESTS(requests, rows, is_answered);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_full_pool_says_429),
        cmocka_unit_test(a_stream_is_relayed_both_ways),
        cmocka_unit_test(a_stream_that_cannot_be_opened_is_a_page),
        cmocka_unit_test(one_stream_too_many_is_told),
        cmocka_unit_test(the_end_closes_streams_and_answers_calls),
        cmocka_unit_test(a_mute_node_holds_up_nobody),
    };

    return cmocka_run_group_tests_name("requests", requests, setup, teardown) +
           cmocka_run_group_tests_name("virt_api", tests, setup, teardown);
}
