/* SPDX-License-Identifier: Apache-2.0 */
/* Where the API server is and who we are: kubeconfig files, flags, the pod's service account, exec
 * plugins. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/must.h"
#include "base/scope.h"
#include "base/str.h"
#include "kube/config.h"

struct bench {
    char dir[64];
    struct kube_config *config;
};

static int setup(void **state)
{
    struct bench *b = must_calloc(1, sizeof(*b));

    (void)snprintf(b->dir, sizeof(b->dir), "/tmp/kube_config.XXXXXX");
    must(mkdtemp(b->dir));
    (void)unsetenv("KUBECONFIG");
    (void)unsetenv("KUBERNETES_SERVICE_HOST");
    (void)unsetenv("KUBERNETES_SERVICE_PORT");
    (void)setenv("HOME", b->dir, 1);
    *state = b;
    return 0;
}

static const char *const file_names[] = { "one",    "two",   "token", "ca.crt", "namespace",
                                          "plugin", "count", "cert",  "key" };

static char *in_dir(const struct bench *b, const char *name)
{
    return must_asprintf("%s/%s", b->dir, name);
}

static int teardown(void **state)
{
    struct bench *b = *state;

    kube_config_free(b->config);
    for (size_t i = 0; i < countof(file_names); i++) {
        scoped(free) char *path = in_dir(b, file_names[i]);
        (void)unlink(path);
    }
    (void)rmdir(b->dir);
    free(b);
    return 0;
}

/* Replaced as a whole, as kubelet does. */
static void put_file(const struct bench *b, const char *name, const char *text)
{
    scoped(free) char *path = in_dir(b, name);
    scoped(free) char *fresh = must_asprintf("%s.new", path);
    FILE *f = fopen(fresh, "w");

    must(f);
    must(fputs(text, f) >= 0);
    must(fclose(f) == 0);
    must(rename(fresh, path) == 0);
}

static const char first_file[] =
    "apiVersion: v1\n"
    "kind: Config\n"
    "current-context: dev\n"
    "contexts:\n"
    "- name: dev\n"
    "  context: {cluster: c1, user: u1, namespace: team}\n"
    "- name: other\n"
    "  context: {cluster: c2, user: u2}\n"
    "clusters:\n"
    "- name: c1\n"
    "  cluster: {server: 'https://one:6443', certificate-authority: ca.crt}\n"
    "users:\n"
    "- name: u1\n"
    "  user: {token: first}\n";
static const char second_file[] =
    "{\"current-context\": \"other\", \"clusters\": [{\"name\": \"c1\", \"cluster\": "
    "{\"server\": \"https://ignored\"}}, {\"name\": \"c2\", \"cluster\": {\"server\": "
    "\"https://two/\", \"insecure-skip-tls-verify\": true}}],"
    "\"users\": [{\"name\": \"u2\", \"user\": {\"username\": \"joe\", \"password\": "
    "\"p\"}}]}";

/* Loads, and returns the Authorization value (new). */
static char *load(struct bench *b, const struct kube_config_request *q,
                  struct kube_credentials *ret)
{
    struct error e = { 0 };

    if (kube_config_load(&b->config, q, &e) < 0)
        fail_msg("%s", e.msg);
    if (kube_config_credentials(b->config, ret, &e) < 0)
        fail_msg("%s", e.msg);
    return ret->authorization ? must_strdup(ret->authorization) : NULL;
}

static void the_current_context_counts_and_files_are_relative(void **state)
{
    struct bench *b = *state;
    scoped(free) char *path = in_dir(b, "one");
    struct kube_credentials k;

    put_file(b, "one", first_file);
    put_file(b, "ca.crt", "a CA");
    scoped(free) char *authorization =
        load(b, &(struct kube_config_request){ .kubeconfig = path }, &k);
    assert_string_equal(authorization, "Bearer first");
    assert_string_equal(k.server, "https://one:6443");
    assert_string_equal(k.ca_pem, "a CA");
    assert_string_equal(kube_config_namespace(b->config), "team");
    assert_false(kube_config_is_in_cluster(b->config));
    kube_credentials_done(&k);
}

static void lists_are_merged_and_the_first_wins(void **state)
{
    struct bench *b = *state;
    scoped(free) char *list = must_asprintf("%s/none:%s/one:%s/two", b->dir, b->dir, b->dir);
    struct kube_credentials k;

    put_file(b, "one", first_file);
    put_file(b, "two", second_file);
    put_file(b, "ca.crt", "a CA");
    (void)setenv("KUBECONFIG", list, 1);
    scoped(free) char *first = load(b, &(struct kube_config_request){ 0 }, &k);
    assert_string_equal(k.server, "https://one:6443");
    kube_credentials_done(&k);
    kube_config_free(b->config);

    scoped(free) char *second = load(b, &(struct kube_config_request){ .context = "other" }, &k);
    assert_string_equal(k.server, "https://two/");
    assert_true(k.is_insecure);
    assert_string_equal(second, "Basic am9lOnA=");
    assert_string_equal(kube_config_namespace(b->config), "default");
    assert_null(kube_config_namespace_set(b->config));
    kube_credentials_done(&k);
}

static void flags_override_everything(void **state)
{
    struct bench *b = *state;
    scoped(free) char *path = in_dir(b, "one");
    static const char *const groups[] = { "g1", "g2", NULL };
    const struct kube_config_request q = {
        .kubeconfig = path,
        .master = "elsewhere:1",
        .namespace = "mine",
        .token = "flag",
        .is_insecure = true,
        .tls_server_name = "name",
        .as = "joe",
        .as_uid = "7",
        .as_groups = groups,
    };
    struct kube_credentials k;

    put_file(b, "one", first_file);
    scoped(free) char *authorization = load(b, &q, &k);
    assert_string_equal(authorization, "Bearer flag");
    assert_string_equal(k.server, "https://elsewhere:1");
    assert_null(k.ca_pem);
    assert_true(k.is_insecure);
    assert_string_equal(k.tls_server_name, "name");
    assert_string_equal(kube_config_namespace(b->config), "mine");
    assert_string_equal(http_headers_get(&k.headers, "impersonate-user"), "joe");
    assert_string_equal(http_headers_get(&k.headers, "Impersonate-Uid"), "7");
    assert_int_equal(k.headers.len, 4);
    kube_credentials_done(&k);
}

static const struct refusal_case {
    const char *name, *file, *context;
    int code;
    const char *says;
} refusal_cases[] = {
    { "a context that does not exist", first_file, "nope", -ERR_BAD_REQUEST,
      "context 'nope' does not exist" },
    { "a cluster that does not exist", first_file, "other", -ERR_BAD_REQUEST,
      "cluster 'c2' does not exist" },
    { "not YAML", "a: [", NULL, -ERR_BAD_REQUEST, "yaml line" },
    { "data that is no base64",
      "current-context: x\ncontexts: [{name: x, context: {cluster: x}}]\n"
      "clusters: [{name: x, cluster: {server: s, certificate-authority-data: '***'}}]",
      NULL, -ERR_BAD_REQUEST, "not base64" },
    { "an auth provider",
      "current-context: x\ncontexts: [{name: x, context: {cluster: x, user: x}}]\n"
      "clusters: [{name: x, cluster: {server: s}}]\nusers: [{name: x, user: {auth-provider: {name: oidc}}}]",
      NULL, -ERR_BAD_REQUEST, "auth-provider 'oidc' is not supported" },
};

static void refuses(void **state)
{
    /* cmocka gives either a setup's state or the row: the row makes its own place. */
    const struct refusal_case *c = *state;
    void *own = NULL;
    (void)setup(&own);
    struct bench *b = own;
    scoped(free) char *path = in_dir(b, "one");
    struct error e = { 0 };

    put_file(b, "one", c->file);
    int r = kube_config_load(
        &b->config, &(struct kube_config_request){ .kubeconfig = path, .context = c->context }, &e);
    assert_int_equal(r, c->code);
    if (!strstr(e.msg, c->says))
        fail_msg("says: %s", e.msg);
    (void)teardown(&own);
}

static void nothing_configured_says_what_to_do(void **state)
{
    struct bench *b = *state;
    struct error e = { 0 };

    assert_true(kube_config_load(&b->config, &(struct kube_config_request){ 0 }, &e) < 0);
    assert_non_null(strstr(e.msg, "--kubeconfig"));
    scoped(free) char *absent = in_dir(b, "absent");
    assert_true(kube_config_load(&b->config, &(struct kube_config_request){ .kubeconfig = absent },
                                 &e) < 0);
    assert_non_null(strstr(e.msg, "absent"));
}

static void a_pod_uses_its_service_account(void **state)
{
    struct bench *b = *state;
    const struct kube_config_request q = { .service_account_dir = b->dir,
                                           .must_be_explicit = true };
    struct kube_credentials k;

    put_file(b, "token", "pod-token\n");
    put_file(b, "ca.crt", "pod CA");
    put_file(b, "namespace", "kubevirt");
    (void)setenv("KUBERNETES_SERVICE_HOST", "fd00::1", 1);
    (void)setenv("KUBERNETES_SERVICE_PORT", "443", 1);
    scoped(free) char *authorization = load(b, &q, &k);
    assert_string_equal(authorization, "Bearer pod-token");
    assert_string_equal(k.server, "https://[fd00::1]:443");
    assert_string_equal(k.ca_pem, "pod CA");
    assert_string_equal(kube_config_namespace(b->config), "kubevirt");
    assert_true(kube_config_is_in_cluster(b->config));
    kube_credentials_done(&k);
}

static void daemons_do_not_look_into_the_home_folder(void **state)
{
    struct bench *b = *state;
    scoped(free) char *list = in_dir(b, "one");
    struct error e = { 0 };

    put_file(b, "one", first_file);
    (void)setenv("KUBECONFIG", list, 1);
    assert_true(kube_config_load(
                    &b->config, &(struct kube_config_request){ .must_be_explicit = true }, &e) < 0);
}

static void a_token_file_is_read_again_when_it_changes(void **state)
{
    struct bench *b = *state;
    scoped(free) char *path = in_dir(b, "one");
    struct kube_credentials k;
    struct error e = { 0 };

    put_file(b, "token", "t1");
    put_file(
        b, "one",
        "current-context: x\ncontexts: [{name: x, context: {cluster: x, user: x}}]\n"
        "clusters: [{name: x, cluster: {server: 'http://s'}}]\nusers: [{name: x, user: {tokenFile: token}}]");
    scoped(free) char *first = load(b, &(struct kube_config_request){ .kubeconfig = path }, &k);
    assert_string_equal(first, "Bearer t1");
    kube_credentials_done(&k);

    put_file(b, "token", "t2");
    assert_int_equal(kube_config_credentials(b->config, &k, &e), 0);
    assert_string_equal(k.authorization, "Bearer t2");
    kube_credentials_done(&k);

    scoped(free) char *token = in_dir(b, "token");
    (void)unlink(token); /* between two versions: the last one does */
    assert_int_equal(kube_config_credentials(b->config, &k, &e), 0);
    assert_string_equal(k.authorization, "Bearer t2");
    kube_credentials_done(&k);
}

/* ---- exec plugins ---- */

static void put_plugin(const struct bench *b, const char *script)
{
    scoped(free) char *path = in_dir(b, "plugin");

    put_file(b, "plugin", script);
    must(chmod(path, 0700) == 0);
    put_file(
        b, "one",
        "current-context: x\ncontexts: [{name: x, context: {cluster: x, user: x}}]\n"
        "clusters: [{name: x, cluster: {server: 'http://s'}}]\n"
        "users:\n- name: x\n  user:\n    exec:\n"
        "      apiVersion: client.authentication.k8s.io/v1\n      command: ./plugin\n      args: [a1, a2]\n"
        "      env: [{name: FLAVOUR, value: salt}]\n      interactiveMode: Never\n      provideClusterInfo: true\n");
}

static void a_plugin_is_asked_and_its_answer_kept(void **state)
{
    struct bench *b = *state;
    scoped(free) char *path = in_dir(b, "one");
    scoped(free) char *count = in_dir(b, "count");
    scoped(free) char *script = must_asprintf(
        "#!/bin/sh\necho x >> %s\ncase \"$KUBERNETES_EXEC_INFO\" in *http://s*) c=cluster;; esac\n"
        "echo '{\"apiVersion\":\"client.authentication.k8s.io/v1\",\"kind\":\"ExecCredential\","
        "\"status\":{\"token\":\"'$1-$2-$FLAVOUR-$c'\"}}'\n",
        count);
    struct kube_credentials k;
    struct error e = { 0 };

    put_plugin(b, script);
    scoped(free) char *authorization =
        load(b, &(struct kube_config_request){ .kubeconfig = path }, &k);
    assert_string_equal(authorization, "Bearer a1-a2-salt-cluster");
    kube_credentials_done(&k);
    assert_int_equal(kube_config_refresh(b->config, &e), 0);
    struct stat st;
    assert_int_equal(stat(count, &st), 0);
    assert_int_equal(st.st_size, 2);
    assert_true(kube_config_distrust(b->config)); /* a 401 */
    assert_int_equal(kube_config_refresh(b->config, &e), 0);
    assert_int_equal(stat(count, &st), 0);
    assert_int_equal(st.st_size, 4);
}

static void an_expired_answer_is_asked_for_again(void **state)
{
    struct bench *b = *state;
    scoped(free) char *path = in_dir(b, "one");
    scoped(free) char *count = in_dir(b, "count");
    scoped(free) char *script = must_asprintf(
        "#!/bin/sh\necho x >> %s\necho '{\"apiVersion\":\"client.authentication.k8s.io/v1\",\"kind\":\"ExecCredential\","
        "\"status\":{\"token\":\"t\",\"expirationTimestamp\":\"2020-01-01T00:00:00Z\"}}'\n",
        count);
    struct kube_credentials k;
    struct error e = { 0 };
    struct stat st;

    put_plugin(b, script);
    scoped(free) char *authorization =
        load(b, &(struct kube_config_request){ .kubeconfig = path }, &k);
    assert_non_null(authorization);
    kube_credentials_done(&k);
    assert_int_equal(kube_config_refresh(b->config, &e), 0);
    assert_int_equal(stat(count, &st), 0);
    assert_int_equal(st.st_size, 4);
}

static const struct plugin_case {
    const char *name, *script, *says;
} plugin_cases[] = {
    { "a plugin that fails", "#!/bin/sh\nexit 3\n", "exit code 3" },
    { "a plugin that talks nonsense", "#!/bin/sh\necho hello\n", "json" },
    { "a plugin of another version",
      "#!/bin/sh\necho '{\"apiVersion\":\"client.authentication.k8s.io/v1beta1\",\"kind\":\"ExecCredential\","
      "\"status\":{\"token\":\"t\"}}'\n",
      "no ExecCredential" },
    { "a plugin without an answer",
      "#!/bin/sh\necho '{\"apiVersion\":\"client.authentication.k8s.io/v1\",\"kind\":\"ExecCredential\",\"status\":{}}'\n",
      "neither a token nor a certificate" },
    { "a plugin that never ends its answer", "#!/bin/sh\nhead -c 3000000 /dev/zero\n",
      "larger than" },
};

static void plugin_refused(void **state)
{
    const struct plugin_case *c = *state;
    void *own = NULL;
    (void)setup(&own);
    struct bench *b = own;
    scoped(free) char *path = in_dir(b, "one");
    struct error e = { 0 };

    put_plugin(b, c->script);
    assert_int_equal(
        kube_config_load(&b->config, &(struct kube_config_request){ .kubeconfig = path }, &e), 0);
    assert_true(kube_config_refresh(b->config, &e) < 0);
    if (!strstr(e.msg, c->says) || !strstr(e.msg, "exec plugin"))
        fail_msg("says: %s", e.msg);
    (void)teardown(&own);
}

#define CASE(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
    static const struct CMUnitTest fixed[] = {
        CASE(the_current_context_counts_and_files_are_relative),
        CASE(lists_are_merged_and_the_first_wins),
        CASE(flags_override_everything),
        CASE(nothing_configured_says_what_to_do),
        CASE(a_pod_uses_its_service_account),
        CASE(daemons_do_not_look_into_the_home_folder),
        CASE(a_token_file_is_read_again_when_it_changes),
        CASE(a_plugin_is_asked_and_its_answer_kept),
        CASE(an_expired_answer_is_asked_for_again),
    };
    struct CMUnitTest tests[countof(fixed) + countof(refusal_cases) + countof(plugin_cases)];
    size_t n = 0;

    for (; n < countof(fixed); n++)
        tests[n] = fixed[n];
    for (size_t i = 0; i < countof(refusal_cases); i++)
        tests[n++] = (struct CMUnitTest){ .name = refusal_cases[i].name,
                                          .test_func = refuses,
                                          .initial_state = (void *)&refusal_cases[i] };
    for (size_t i = 0; i < countof(plugin_cases); i++)
        tests[n++] = (struct CMUnitTest){ .name = plugin_cases[i].name,
                                          .test_func = plugin_refused,
                                          .initial_state = (void *)&plugin_cases[i] };
    return cmocka_run_group_tests_name("kube_config", tests, NULL, NULL);
}
