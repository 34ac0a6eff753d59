/* SPDX-License-Identifier: Apache-2.0 */
/* The loopback proxy: who may ask, for what, and that bytes pass. */
#include "cli/browser.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include "cli/browser_rules.h"
#include "kube/client.h"
#include "kube/config.h"
#include "test/unit/rows.h"
#include "test/unit/stream_api.h"

#define SUB "/apis/subresources.kubevirt.io/v1/namespaces/"
#define CORE "/apis/kubevirt.io/v1/namespaces/"

static const struct rule_case {
    const char *name, *path;
    enum http_method method;
    bool is_websocket;
    enum browser_verdict want;
    const char *asked;
} rules[] = {
    { "the page", "/ui/", HTTP_GET, false, BROWSER_FORWARD,
      "/apis/subresources.kubevirt.io/v1/ui/" },
    { "a file of it", "/ui/main-1a.js", HTTP_GET, false, BROWSER_FORWARD,
      "/apis/subresources.kubevirt.io/v1/ui/main-1a.js" },
    { "how to sign in", "/ui/config.json", HTTP_GET, false, BROWSER_CONFIG, NULL },
    { "the machines", CORE "ns/virtualmachines", HTTP_GET, false, BROWSER_FORWARD,
      CORE "ns/virtualmachines" },
    { "an instance", CORE "ns/virtualmachineinstances/a", HTTP_GET, false, BROWSER_FORWARD,
      CORE "ns/virtualmachineinstances/a" },
    { "a start", SUB "ns/virtualmachines/a/start", HTTP_PUT, false, BROWSER_FORWARD,
      SUB "ns/virtualmachines/a/start" },
    { "a picture", SUB "ns/virtualmachineinstances/a/vnc/screenshot", HTTP_GET, false,
      BROWSER_FORWARD, SUB "ns/virtualmachineinstances/a/vnc/screenshot" },
    { "what one may do", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", HTTP_POST, false,
      BROWSER_FORWARD, "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews" },
    { "a screen", SUB "ns/virtualmachineinstances/a/vnc", HTTP_GET, true, BROWSER_STREAM,
      SUB "ns/virtualmachineinstances/a/vnc" },
    { "a machine is not changed", CORE "ns/virtualmachines/a", HTTP_PUT, false, BROWSER_REFUSE,
      NULL },
    { "nor deleted", CORE "ns/virtualmachines/a", HTTP_DELETE, false, BROWSER_REFUSE, NULL },
    { "secrets", "/api/v1/namespaces/ns/secrets/a", HTTP_GET, false, BROWSER_REFUSE, NULL },
    { "another namespace", CORE "kube-system/virtualmachines", HTTP_GET, false, BROWSER_REFUSE,
      NULL },
    { "a namespace that begins alike", CORE "ns2/virtualmachines", HTTP_GET, false, BROWSER_REFUSE,
      NULL },
    { "another kind", CORE "ns/virtualmachinesx", HTTP_GET, false, BROWSER_REFUSE, NULL },
    { "presets", CORE "ns/virtualmachineinstancepresets", HTTP_GET, false, BROWSER_REFUSE, NULL },
    { "up and away", SUB "ns/virtualmachines/a/../../x", HTTP_GET, false, BROWSER_REFUSE, NULL },
    { "up, in disguise", SUB "ns/virtualmachines/%2e%2e/x", HTTP_GET, false, BROWSER_REFUSE, NULL },
    { "a file outside the page", "/ui/../../apis/x", HTTP_GET, false, BROWSER_REFUSE, NULL },
    { "an empty segment", SUB "ns/virtualmachines//start", HTTP_PUT, false, BROWSER_REFUSE, NULL },
    { "other reviews", "/apis/authorization.k8s.io/v1/subjectaccessreviews", HTTP_POST, false,
      BROWSER_REFUSE, NULL },
    { "a watch of machines by websocket", CORE "ns/virtualmachines", HTTP_GET, true, BROWSER_REFUSE,
      NULL },
    { "the root", "/", HTTP_GET, false, BROWSER_REFUSE, NULL },
    { "logging in by POST", "/login", HTTP_POST, false, BROWSER_REFUSE, NULL },
};

static void rules_hold(void **state)
{
    const struct rule_case *c = *state;
    char *asked = NULL;

    assert_int_equal(browser_rule(c->method, c->path, c->is_websocket, "ns", &asked), c->want);
    if (c->asked)
        assert_string_equal(asked, c->asked);
    else
        assert_null(asked);
    free(asked);
}

/* ---- the proxy itself ---- */

static struct stream_api api;
static struct cli cli;
static struct browser *browser;
static int port;
static char cookie[200]; /* "name=value" */

enum { ANSWER_MAX = 8192 };

static int connect_to_proxy(void)
{
    struct sockaddr_in at = { .sin_family = AF_INET,
                              .sin_port = htons((uint16_t)port),
                              .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    struct timeval patience = { .tv_sec = 60 };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    must(fd >= 0 && connect(fd, (struct sockaddr *)&at, sizeof(at)) == 0);
    must(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) == 0);
    return fd;
}

/* Send a request, whose Host is ours unless given ("$" in lines is our authority); the status. */
static int ask(const char *line, const char *lines, char answer[ANSWER_MAX])
{
    scoped_fd int fd = connect_to_proxy();
    size_t n = 0;
    ssize_t r;

    must(dprintf(fd, "%s HTTP/1.1\r\nConnection: close\r\n", line) > 0);
    for (; *lines; lines++)
        must(*lines == '$' ? dprintf(fd, "127.0.0.1:%d", port) > 0 : write(fd, lines, 1) == 1);
    must(write(fd, "\r\n", 2) == 2);
    while (n < ANSWER_MAX - 1 && (r = read(fd, answer + n, ANSWER_MAX - 1 - n)) > 0)
        n += (size_t)r;
    answer[n] = '\0';
    return str_has_prefix(answer, "HTTP/1.1 ") ? (int)strtol(answer + 9, NULL, 10) : 0;
}

static int setup(void **state)
{
    const struct kube_config_request q = { .master = api.url, .token = "mine", .namespace = "ns" };
    struct error e = { 0 };

    stream_api_start(&api);
    must(kube_config_load(&cli.config, &q, &e) == 0);
    cli.kube = kube_new(cli.config);
    cli.namespace = "ns";
    must(browser_start(&browser, &cli, 0, &e) == 0);
    scoped(free) char *url = browser_url(browser, "a", "screen");
    must(sscanf(url, "http://127.0.0.1:%d/login?secret=", &port) == 1);
    return 0;
}

static int teardown(void **state)
{
    browser_stop(browser);
    stream_api_stop(&api);
    kube_free(cli.kube);
    kube_config_free(cli.config);
    return 0;
}

/* Before all others: it leaves the cookie to them. */
static void the_secret_buys_one_cookie(void **state)
{
    static char answer[ANSWER_MAX];
    scoped(free) char *url = browser_url(browser, "a", "screen");
    const char *path = strchr(url + strlen("http://"), '/');
    scoped(free) char *line = must_asprintf("GET %.*s", (int)strcspn(path, "#"), path);

    assert_string_equal(strchr(url, '#'), "#/ns/a/screen");
    assert_int_equal(ask("GET /login?secret=wrong", "Host: $\r\n", answer), 403);
    assert_int_equal(ask("GET /login", "Host: $\r\n", answer), 403);
    assert_int_equal(ask(line, "Host: evil.example\r\n", answer), 403);
    assert_int_equal(ask(line, "Host: $\r\nOrigin: http://evil.example\r\n", answer), 403);
    assert_int_equal(ask(line, "Host: $\r\n", answer), 303);
    assert_non_null(strcasestr(answer, "Location: /ui/\r\n"));
    const char *set = strcasestr(answer, "Set-Cookie: ");
    assert_non_null(set);
    set += strlen("Set-Cookie: ");
    (void)snprintf(cookie, sizeof(cookie), "%.*s", (int)strcspn(set, ";"), set);
    assert_true(str_has_prefix(set + strlen(cookie), "; Path=/; HttpOnly; SameSite=Strict\r\n"));
    assert_int_equal(ask(line, "Host: $\r\n", answer), 403);
}

static const struct ask_case {
    const char *name, *line, *lines; /* @ is the cookie */
    int want;
    const char *answer; /* part of it */
} asks[] = {
    { "with the cookie", "GET " CORE "ns/virtualmachines", "Host: $\r\nCookie: x=1; @\r\n", 200,
      "\"authorization\":\"Bearer mine\"" },
    { "without a cookie", "GET " CORE "ns/virtualmachines", "Host: $\r\n", 403, "sign in" },
    { "with another cookie", "GET " CORE "ns/virtualmachines",
      "Host: $\r\nCookie: kubectl_virt=1\r\n", 403, "sign in" },
    { "the cookie with more behind it", "GET " CORE "ns/virtualmachines",
      "Host: $\r\nCookie: @0\r\n", 403, "sign in" },
    { "a name that resolves to us", "GET /ui/", "Host: evil.example\r\nCookie: @\r\n", 403,
      "its own page only" },
    { "the right port of another name", "GET /ui/", "Host: localhost\r\nCookie: @\r\n", 403,
      "its own page only" },
    { "a foreign page", "GET /ui/", "Host: $\r\nOrigin: http://evil.example\r\nCookie: @\r\n", 403,
      "its own page only" },
    { "our own page", "GET /ui/", "Host: $\r\nOrigin: http://$\r\nCookie: @\r\n", 200,
      "/apis/subresources.kubevirt.io/v1/ui/" },
    { "a change from nowhere", "PUT " SUB "ns/virtualmachines/a/start", "Host: $\r\nCookie: @\r\n",
      403, "its own page only" },
    { "a change from our page", "PUT " SUB "ns/virtualmachines/a/start",
      "Host: $\r\nOrigin: http://$\r\nCookie: @\r\nContent-Length: 2\r\n\r\n{}", 200,
      "/virtualmachines/a/start" },
    { "what is not on the list", "GET /api/v1/namespaces/ns/secrets", "Host: $\r\nCookie: @\r\n",
      403, "its machines only" },
    { "how to sign in", "GET /ui/config.json", "Host: $\r\nCookie: @\r\n", 200,
      "{\"auth\":\"none\"}" },
};

static void asks_are_checked(void **state)
{
    const struct ask_case *c = *state;
    static char answer[ANSWER_MAX];
    const char *at = strchr(c->lines, '@');
    scoped(free) char *lines =
        at ? must_asprintf("%.*s%s%s", (int)(at - c->lines), c->lines, cookie, at + 1)
           : must_strdup(c->lines);

    assert_int_equal(ask(c->line, lines, answer), c->want);
    if (!strstr(answer, c->answer))
        fail_msg("%s", answer);
    if (c->want == 403)
        assert_null(strstr(answer, "Bearer mine"));
}

static int upgrade(int fd, const char *path, const char *origin)
{
    char head[1024];
    size_t n = 0;

    must(dprintf(fd,
                 "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nOrigin: %s\r\nCookie: %s\r\n"
                 "Connection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n"
                 "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                 "Sec-WebSocket-Protocol: plain.kubevirt.io\r\n\r\n",
                 path, port, origin, cookie) > 0);
    while (n < sizeof(head) - 1 && read(fd, head + n, 1) == 1) {
        head[++n] = '\0';
        if (str_has_suffix(head, "\r\n\r\n"))
            break;
    }
    bool is_ours = strcasestr(head, "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n") &&
                   strcasestr(head, "Sec-WebSocket-Protocol: plain.kubevirt.io\r\n");
    return is_ours ? 101 : (int)strtol(head + 9, NULL, 10);
}

static void a_stream_passes(void **state)
{
    static const unsigned char hello[] = { 0x82, 0x85, 0, 0, 0, 0, 'h', 'e', 'l', 'l', 'o' };
    scoped(free) char *origin = must_asprintf("http://127.0.0.1:%d", port);
    unsigned char got[7];
    char last[1024];

    for (int i = 0; i < 3; i++) {
        scoped_fd int fd = connect_to_proxy();
        assert_int_equal(
            upgrade(fd, SUB "ns/virtualmachineinstances/echo/vnc?observe=true", origin), 101);
        must(write(fd, hello, sizeof(hello)) == sizeof(hello));
        must(recv(fd, got, sizeof(got), MSG_WAITALL) == sizeof(got));
        assert_memory_equal(got, "\x82\x05hello", sizeof(got));
    }
    stream_api_last(&api, last);
    assert_non_null(strstr(last, "/echo/vnc?observe=true authorization=Bearer mine"));
}

static void a_stream_for_a_foreign_page_does_not(void **state)
{
    scoped_fd int fd = connect_to_proxy();

    assert_int_equal(upgrade(fd, SUB "ns/virtualmachineinstances/echo/vnc", "http://evil.example"),
                     403);
}

static void a_refused_stream_is_told(void **state)
{
    scoped(free) char *origin = must_asprintf("http://127.0.0.1:%d", port);
    scoped_fd int fd = connect_to_proxy();

    assert_int_equal(upgrade(fd, SUB "ns/virtualmachineinstances/a/vnc", origin), 404);
}

int main(void)
{
    struct CMUnitTest tests[countof(asks) + 4] = {
        cmocka_unit_test(the_secret_buys_one_cookie),
        cmocka_unit_test(a_stream_passes),
        cmocka_unit_test(a_stream_for_a_foreign_page_does_not),
        cmocka_unit_test(a_refused_stream_is_told),
    };

    for (size_t i = 0; i < countof(asks); i++)
        tests[4 + i] = (struct CMUnitTest){ .name = asks[i].name,
                                            .test_func = asks_are_checked,
                                            .initial_state = (void *)&asks[i] };
    return RUN_ROWS("what may be asked", rules, rules_hold) +
           cmocka_run_group_tests_name("the loopback proxy", tests, setup, teardown);
}
