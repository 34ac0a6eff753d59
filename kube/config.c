/* SPDX-License-Identifier: Apache-2.0 */
/* From files, flags or the pod's service account to a client whose credentials stay fresh. */
#include "kube/config.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/jpath.h"
#include "base/must.h"
#include "base/options.h"
#include "base/scope.h"
#include "base/str.h"
#include "kube/exec_plugin.h"
#include "kube/kubeconfig.h"

enum {
    TOKEN_REREAD_MS = 60 * 1000,
    EXPIRY_MARGIN_MS = 10 * 1000, /* a token that ends on the way to the server is of no use */
    PEM_FILE_MAX = 1024 * 1024,
};

static const char *const pod_service_account_dir = "/var/run/secrets/kubernetes.io/serviceaccount";

struct kube_config {
    /* immutable once loaded */
    char *server;
    char *namespace; /* NULL: nobody named one */
    char *user_agent;
    char *ca_file, *ca_pem;
    char *cert_file, *cert_pem;
    char *key_file, *key_pem;
    char *tls_server_name, *proxy_url;
    char *username, *password;
    char *token_file;
    json_t *exec; /* NULL without a plugin */
    json_t *exec_cluster;
    struct http_headers impersonate;
    bool is_insecure, is_in_cluster;

    pthread_mutex_t lock;
    /* guarded by lock */
    struct http_client *client;
    char *token;
    struct stat token_seen;
    int64_t token_read_ms; /* 0: never */
    char *exec_cert_pem, *exec_key_pem;
    bool has_exec_answer;
    int64_t exec_expiry_ms; /* 0: never */
};

static bool is_set(const char *s)
{
    return s && *s;
}

static void put(char **place, const char *s)
{
    free(*place);
    *place = is_set(s) ? must_strdup(s) : NULL;
}

static void put_if_set(char **place, const char *s)
{
    if (is_set(s))
        put(place, s);
}

/* ---- reading what was found ---- */

/* base64 in JSON to text. */
static int put_data(char **place, const json_t *from, const char *key, struct error *e)
{
    const char *text = jpath_str(from, key, "");
    size_t len = 0;

    if (!text[0])
        return 0;
    scoped(free) char *data = str_unbase64(text, &len);
    if (!data)
        return error_set(e, ERR_BAD_REQUEST, "kubeconfig: '%s' is not base64", key);
    free(*place);
    *place = must_strndup(data, len);
    return 0;
}

static int read_cluster(struct kube_config *c, const json_t *cluster, struct error *e)
{
    put(&c->server, jpath_str(cluster, "server", ""));
    put(&c->ca_file, jpath_str(cluster, "certificate-authority", ""));
    put(&c->tls_server_name, jpath_str(cluster, "tls-server-name", ""));
    put(&c->proxy_url, jpath_str(cluster, "proxy-url", ""));
    c->is_insecure = jpath_bool(cluster, "insecure-skip-tls-verify", false);
    return put_data(&c->ca_pem, cluster, "certificate-authority-data", e);
}

static int read_impersonation(struct kube_config *c, const json_t *user)
{
    static const struct {
        const char *key, *header;
    } rows[] = {
        { "as", "Impersonate-User" },
        { "as-uid", "Impersonate-Uid" },
    };
    const char *name;
    json_t *value;
    size_t i;

    for (size_t row = 0; row < countof(rows); row++)
        if (jpath_str(user, rows[row].key, "")[0])
            (void)http_headers_add(&c->impersonate, rows[row].header,
                                   jpath_str(user, rows[row].key, ""));
    json_array_foreach(jpath_arr(user, "as-groups"), i, value)
        if (json_is_string(value))
            (void)http_headers_add(&c->impersonate, "Impersonate-Group", json_string_value(value));
    json_object_foreach(jpath_obj(user, "as-user-extra"), name, value) {
        scoped(free) char *escaped = http_escape(name);
        scoped(free) char *header = must_asprintf("Impersonate-Extra-%s", escaped);
        json_t *one;
        json_array_foreach(value, i, one)
            if (json_is_string(one))
                (void)http_headers_add(&c->impersonate, header, json_string_value(one));
    }
    return 0;
}

static int read_user(struct kube_config *c, const json_t *user, const json_t *cluster,
                     struct error *e)
{
    if (jpath_has(user, "auth-provider"))
        return error_set(e, ERR_BAD_REQUEST,
                         "kubeconfig: auth-provider '%s' is not supported, use an exec plugin",
                         jpath_str(user, "auth-provider.name", ""));
    put(&c->cert_file, jpath_str(user, "client-certificate", ""));
    put(&c->key_file, jpath_str(user, "client-key", ""));
    put(&c->token, jpath_str(user, "token", ""));
    put(&c->token_file, jpath_str(user, "tokenFile", ""));
    put(&c->username, jpath_str(user, "username", ""));
    put(&c->password, jpath_str(user, "password", ""));
    if (jpath_obj(user, "exec")) {
        c->exec = must_copy(jpath_obj(user, "exec"));
        c->exec_cluster = must_copy(cluster);
    }
    (void)read_impersonation(c, user);
    int r = put_data(&c->cert_pem, user, "client-certificate-data", e);
    return r < 0 ? r : put_data(&c->key_pem, user, "client-key-data", e);
}

static void override_user(struct kube_config *c, const struct kube_config_request *q)
{
    if (is_set(q->client_certificate)) {
        put(&c->cert_file, q->client_certificate);
        put(&c->cert_pem, NULL);
    }
    if (is_set(q->client_key)) {
        put(&c->key_file, q->client_key);
        put(&c->key_pem, NULL);
    }
    if (is_set(q->token)) {
        put(&c->token, q->token);
        put(&c->token_file, NULL);
    }
    put_if_set(&c->username, q->username);
    put_if_set(&c->password, q->password);
    /* An explicit credential stands instead of the plugin's. */
    if (is_set(q->token) || is_set(q->username) || is_set(q->client_certificate)) {
        json_decref(c->exec);
        c->exec = NULL;
    }
}

static void override_impersonation(struct kube_config *c, const struct kube_config_request *q)
{
    if (!is_set(q->as) && !is_set(q->as_uid) && !q->as_groups)
        return;
    http_headers_done(&c->impersonate);
    if (is_set(q->as))
        (void)http_headers_add(&c->impersonate, "Impersonate-User", q->as);
    if (is_set(q->as_uid))
        (void)http_headers_add(&c->impersonate, "Impersonate-Uid", q->as_uid);
    for (size_t i = 0; q->as_groups && q->as_groups[i]; i++)
        (void)http_headers_add(&c->impersonate, "Impersonate-Group", q->as_groups[i]);
}

static void apply_overrides(struct kube_config *c, const struct kube_config_request *q)
{
    put_if_set(&c->server, q->master);
    put_if_set(&c->namespace, q->namespace);
    put_if_set(&c->tls_server_name, q->tls_server_name);
    put_if_set(&c->proxy_url, q->proxy_url);
    if (is_set(q->certificate_authority)) {
        put(&c->ca_file, q->certificate_authority);
        put(&c->ca_pem, NULL);
    }
    if (q->is_insecure) {
        c->is_insecure = true;
        put(&c->ca_file, NULL);
        put(&c->ca_pem, NULL);
    }
    override_user(c, q);
    override_impersonation(c, q);
}

/* Data counts over files, as in client-go. */
static void drop_shadowed_files(struct kube_config *c)
{
    if (c->ca_pem)
        put(&c->ca_file, NULL);
    if (c->cert_pem)
        put(&c->cert_file, NULL);
    if (c->key_pem)
        put(&c->key_file, NULL);
}

/* ---- the two sources ---- */

/* 1 when the files say where the server is (or the flag does), 0 when not. */
static int load_files(struct kube_config *c, const struct kube_config_request *q, struct error *e)
{
    json_auto_t *config = NULL;
    json_auto_t *cluster = NULL;
    json_auto_t *user = NULL;
    json_auto_t *context = NULL;

    int r = 0;
    if (q->must_be_explicit && !is_set(q->kubeconfig))
        config = json_object();
    else
        r = kubeconfig_load(&config, q->kubeconfig, e);
    if (r >= 0)
        r = kubeconfig_pick(config, q, &cluster, &user, &context, e);
    if (r < 0)
        return r;
    int found = r;
    r = read_cluster(c, cluster, e);
    if (r >= 0)
        r = read_user(c, user, cluster, e);
    if (r < 0)
        return r;
    put(&c->namespace, jpath_str(context, "namespace", ""));
    return found || is_set(q->master) ? 1 : 0;
}

/* 1 when we run in a pod, 0 when not. */
static int load_pod(struct kube_config *c, const struct kube_config_request *q, struct error *e)
{
    const char *dir =
        is_set(q->service_account_dir) ? q->service_account_dir : pod_service_account_dir;
    const char *host = getenv("KUBERNETES_SERVICE_HOST");
    const char *port = getenv("KUBERNETES_SERVICE_PORT");
    long long port_number = 0;

    if (!is_set(host) || !is_set(port))
        return 0;
    if (str_to_int(port, 1, 65535, &port_number) < 0)
        return error_set(e, ERR_BAD_REQUEST, "KUBERNETES_SERVICE_PORT '%s' is not a port", port);

    char authority[HTTP_AUTHORITY_MAX];
    free(c->server);
    c->server = must_asprintf("https://%s", http_authority(authority, host, (int)port_number));
    c->is_in_cluster = true;
    free(c->token_file);
    c->token_file = must_asprintf("%s/token", dir);
    free(c->ca_file);
    c->ca_file = must_asprintf("%s/ca.crt", dir);

    scoped(free) char *path = must_asprintf("%s/namespace", dir);
    scoped(free) char *text = NULL;
    struct error ignored;
    if (!c->namespace && kube_read_file(path, 4096, &text, NULL, &ignored) >= 0) {
        text[strcspn(text, "\r\n ")] = '\0';
        put(&c->namespace, text);
    }
    return 1;
}

static char *default_user_agent(void)
{
    return must_asprintf("%s/%s (linux/amd64) kubernetes/%s", program_invocation_short_name,
                         version_string, version_git_commit);
}

int kube_config_load(struct kube_config **ret, const struct kube_config_request *q, struct error *e)
{
    struct kube_config *c = must_calloc(1, sizeof(*c));

    *ret = NULL;
    must(pthread_mutex_init(&c->lock, NULL) == 0);
    int r = load_files(c, q, e);
    if (r == 0)
        r = load_pod(c, q, e);
    if (r == 0)
        r = error_set(e, ERR_BAD_REQUEST,
                      "no API server is configured: give --kubeconfig or --master, set KUBECONFIG, "
                      "or run in a pod with a service account");
    if (r < 0) {
        kube_config_free(c);
        return r;
    }
    apply_overrides(c, q);
    drop_shadowed_files(c);
    /* kubectl takes host:port too */
    if (!strstr(c->server, "://")) {
        char *whole = must_asprintf("https://%s", c->server);
        free(c->server);
        c->server = whole;
    }
    c->user_agent = is_set(q->user_agent) ? must_strdup(q->user_agent) : default_user_agent();
    *ret = c;
    return 0;
}

void kube_config_free(struct kube_config *c)
{
    if (!c)
        return;
    http_client_free(c->client);
    char *strings[] = { c->server,      c->namespace,       c->user_agent, c->ca_file,
                        c->ca_pem,      c->cert_file,       c->cert_pem,   c->key_file,
                        c->key_pem,     c->tls_server_name, c->proxy_url,  c->username,
                        c->password,    c->token_file,      c->token,      c->exec_cert_pem,
                        c->exec_key_pem };
    for (size_t i = 0; i < countof(strings); i++)
        free(strings[i]);
    json_decref(c->exec);
    json_decref(c->exec_cluster);
    http_headers_done(&c->impersonate);
    (void)pthread_mutex_destroy(&c->lock);
    free(c);
}

const char *kube_config_server(const struct kube_config *c)
{
    return c->server;
}

const char *kube_config_namespace(const struct kube_config *c)
{
    return c->namespace ? c->namespace : "default";
}

const char *kube_config_namespace_set(const struct kube_config *c)
{
    return c->namespace;
}

bool kube_config_is_in_cluster(const struct kube_config *c)
{
    return c->is_in_cluster;
}

/* ---- credentials that change; with the lock held ---- */

static bool is_same_file(const struct stat *a, const struct stat *b)
{
    return a->st_ino == b->st_ino && a->st_dev == b->st_dev && a->st_size == b->st_size &&
           a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

static int refresh_token_file(struct kube_config *c, struct error *e)
{
    int64_t now = clock_mono_ms(&clock_real);
    struct stat seen = { 0 };
    scoped(free) char *text = NULL;

    bool is_there = stat(c->token_file, &seen) == 0;
    if (is_there && c->token_read_ms && now - c->token_read_ms < TOKEN_REREAD_MS &&
        is_same_file(&seen, &c->token_seen))
        return 0;
    int r = kube_read_file(c->token_file, KUBE_TOKEN_MAX, &text, NULL, e);
    if (r < 0)
        return c->token ? 0 : error_wrap(e, "token"); /* the last good one may still do */
    text[strcspn(text, "\r\n ")] = '\0';
    if (!text[0])
        return c->token ? 0
                        : error_set(e, ERR_UNAUTHORIZED, "token file '%s' is empty", c->token_file);
    put(&c->token, text);
    c->token_seen = seen;
    c->token_read_ms = now;
    return 0;
}

static int refresh_exec(struct kube_config *c, struct error *e)
{
    int64_t now = clock_wall_ms(&clock_real);
    json_auto_t *status = NULL;

    if (c->has_exec_answer &&
        (c->exec_expiry_ms == 0 || now + EXPIRY_MARGIN_MS < c->exec_expiry_ms))
        return 0;
    int r = exec_plugin_run(&status, c->exec, c->exec_cluster, e);
    if (r < 0)
        return r;
    put(&c->token, jpath_str(status, "token", ""));
    put(&c->exec_cert_pem, jpath_str(status, "clientCertificateData", ""));
    put(&c->exec_key_pem, jpath_str(status, "clientKeyData", ""));
    c->exec_expiry_ms = 0;
    (void)rfc3339_parse(jpath_str(status, "expirationTimestamp", ""), &c->exec_expiry_ms);
    c->has_exec_answer = true;
    if (c->client && c->exec_cert_pem)
        http_client_set_pair(c->client, c->exec_cert_pem, c->exec_key_pem);
    return 0;
}

static int refresh(struct kube_config *c, struct error *e)
{
    if (c->exec)
        return refresh_exec(c, e);
    return c->token_file ? refresh_token_file(c, e) : 0;
}

/* For http/client.h: what is known now; a refresh that went wrong shows as a 401 or in
 * kube_config_refresh. */
static char *authorization(void *ctx)
{
    struct kube_config *c = ctx;
    struct error ignored;

    pthread_mutex_lock(&c->lock);
    (void)refresh(c, &ignored);
    char *value = c->token ? must_asprintf("Bearer %s", c->token) : NULL;
    pthread_mutex_unlock(&c->lock);
    return value;
}

static struct http_client *make_client(struct kube_config *c)
{
    const struct http_client_options o = {
        .base_url = c->server,
        .ca_file = c->ca_file,
        .ca_pem = c->ca_pem,
        .cert_file = c->cert_file,
        .cert_pem = c->exec_cert_pem ? c->exec_cert_pem : c->cert_pem,
        .key_file = c->key_file,
        .key_pem = c->exec_key_pem ? c->exec_key_pem : c->key_pem,
        .tls_server_name = c->tls_server_name,
        .proxy_url = c->proxy_url,
        .user_agent = c->user_agent,
        .username = c->username,
        .password = c->password,
        .is_insecure = c->is_insecure,
        .headers = &c->impersonate,
        .authorization = authorization,
        .authorization_ctx = c,
    };
    return http_client_new(&o);
}

struct http_client *kube_config_client(struct kube_config *c)
{
    struct error ignored;

    pthread_mutex_lock(&c->lock);
    if (!c->client) {
        (void)refresh(c, &ignored); /* a plugin's certificate belongs to the first connection */
        c->client = make_client(c);
    }
    struct http_client *client = c->client;
    pthread_mutex_unlock(&c->lock);
    return client;
}

int kube_config_refresh(struct kube_config *c, struct error *e)
{
    pthread_mutex_lock(&c->lock);
    int r = refresh(c, e);
    pthread_mutex_unlock(&c->lock);
    return r;
}

bool kube_config_distrust(struct kube_config *c)
{
    pthread_mutex_lock(&c->lock);
    c->token_read_ms = 0;
    c->has_exec_answer = false;
    pthread_mutex_unlock(&c->lock);
    return c->exec || c->token_file;
}

/* ---- for speakers of their own protocol ---- */

static int pem_of(char **ret, const char *pem, const char *file, struct error *e)
{
    if (pem) {
        *ret = must_strdup(pem);
        return 0;
    }
    return file ? kube_read_file(file, PEM_FILE_MAX, ret, NULL, e) : 0;
}

static char *basic_authorization(const struct kube_config *c)
{
    scoped(free) char *pair = must_asprintf("%s:%s", c->username, c->password ? c->password : "");
    scoped(free) char *encoded = str_base64(pair, strlen(pair));
    return must_asprintf("Basic %s", encoded);
}

static char *dup_or_null(const char *s)
{
    return s ? must_strdup(s) : NULL;
}

int kube_config_credentials(struct kube_config *c, struct kube_credentials *ret, struct error *e)
{
    struct kube_credentials k = {
        .server = must_strdup(c->server),
        .tls_server_name = dup_or_null(c->tls_server_name),
        .proxy_url = dup_or_null(c->proxy_url),
        .is_insecure = c->is_insecure,
    };

    pthread_mutex_lock(&c->lock);
    int r = refresh(c, e);
    if (r >= 0)
        r = pem_of(&k.ca_pem, c->ca_pem, c->ca_file, e);
    if (r >= 0)
        r = pem_of(&k.cert_pem, c->exec_cert_pem ? c->exec_cert_pem : c->cert_pem, c->cert_file, e);
    if (r >= 0)
        r = pem_of(&k.key_pem, c->exec_key_pem ? c->exec_key_pem : c->key_pem, c->key_file, e);
    if (c->token)
        k.authorization = must_asprintf("Bearer %s", c->token);
    else if (c->username)
        k.authorization = basic_authorization(c);
    pthread_mutex_unlock(&c->lock);

    if (r < 0) {
        kube_credentials_done(&k);
        return r;
    }
    for (size_t i = 0; i < c->impersonate.len; i++)
        (void)http_headers_add(&k.headers, c->impersonate.item[i].name,
                               c->impersonate.item[i].value);
    *ret = k;
    return 0;
}

void kube_credentials_done(struct kube_credentials *k)
{
    char *strings[] = { k->server,        k->ca_pem,          k->cert_pem, k->key_pem,
                        k->authorization, k->tls_server_name, k->proxy_url };

    for (size_t i = 0; i < countof(strings); i++)
        free(strings[i]);
    http_headers_done(&k->headers);
    *k = (struct kube_credentials){ 0 };
}
