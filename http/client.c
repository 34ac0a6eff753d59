/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Blocking calls.  Each runs on an easy handle of the client's pool; a handle
 * keeps its connection, so a thread that calls often finds one open.
 */
#include "http/client.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/must.h"
#include "base/scope.h"
#include "base/str.h"
#include "http/client_internal.h"

enum {
    CONNECT_TIMEOUT_MS = 10 * 1000,
    CALL_TIMEOUT_MS = 30 * 1000,
    IDLE_HANDLES_MAX = 32,
    KEEPALIVE_S = 15,
    UNACKNOWLEDGED_MS = 45 * 1000, /* a peer that vanished without a FIN */
};
static const size_t response_max_default = 64UL * 1024 * 1024;

struct idle_handle {
    CURL *curl;
    unsigned generation;
};

struct http_client {
    atomic_int refs;
    /* immutable */
    char *base_url;
    char *unix_path;
    char *proxy_url;
    char *user_agent;
    char *username;
    char *password;
    struct http_headers headers; /* of every request */
    char *host_header;           /* with tls_server_name: what the URL's host was */
    char *connect_to;
    bool is_insecure;
    char *(*authorization)(void *ctx);
    void *authorization_ctx;
    long connect_timeout_ms;

    struct pem_store *pem;

    pthread_mutex_t lock;
    /* guarded by lock */
    struct idle_handle idle[IDLE_HANDLES_MAX];
    size_t idle_len;
};

static void init_curl(void)
{
    must(curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK);
}

static char *dup_or_null(const char *s)
{
    return s && *s ? must_strdup(s) : NULL;
}

/*
 * libcurl verifies the name in the URL.  To verify another one, the URL names
 * that, the connection goes where the URL pointed before, and Host says so.
 */
static void use_server_name(struct http_client *c, const char *base_url, const char *name)
{
    CURLU *u = curl_url();
    char *scheme = NULL;
    char *host = NULL;
    char *port = NULL;
    char *path = NULL;

    must(u);
    if (curl_url_set(u, CURLUPART_URL, base_url, 0) == CURLUE_OK &&
        curl_url_get(u, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK &&
        curl_url_get(u, CURLUPART_HOST, &host, 0) == CURLUE_OK &&
        curl_url_get(u, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT) == CURLUE_OK &&
        curl_url_get(u, CURLUPART_PATH, &path, 0) == CURLUE_OK) {
        size_t path_len = strlen(path);
        if (path_len > 0 && path[path_len - 1] == '/')
            path_len--;
        free(c->base_url);
        c->base_url = must_asprintf("%s://%s:%s%.*s", scheme, name, port, (int)path_len, path);
        c->connect_to = must_asprintf("::%s:%s", host, port);
        c->host_header = must_asprintf("Host: %s:%s", host, port);
    }
    curl_free(scheme);
    curl_free(host);
    curl_free(port);
    curl_free(path);
    curl_url_cleanup(u);
}

struct http_client *http_client_new(const struct http_client_options *o)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    must(pthread_once(&once, init_curl) == 0);

    struct http_client *c = must_calloc(1, sizeof(*c));
    c->refs = 1;
    c->base_url = must_strdup(o->base_url);
    for (size_t n = strlen(c->base_url); n > 0 && c->base_url[n - 1] == '/'; n--)
        c->base_url[n - 1] = '\0';
    c->unix_path = dup_or_null(o->unix_path);
    c->proxy_url = dup_or_null(o->proxy_url);
    c->user_agent = dup_or_null(o->user_agent);
    c->username = dup_or_null(o->username);
    c->password = dup_or_null(o->password);
    for (size_t i = 0; o->headers && i < o->headers->len; i++)
        (void)http_headers_add(&c->headers, o->headers->item[i].name, o->headers->item[i].value);
    c->is_insecure = o->is_insecure;
    c->authorization = o->authorization;
    c->authorization_ctx = o->authorization_ctx;
    c->connect_timeout_ms =
        o->connect_timeout_ms > 0 ? (long)o->connect_timeout_ms : CONNECT_TIMEOUT_MS;
    if (o->tls_server_name && *o->tls_server_name)
        use_server_name(c, o->base_url, o->tls_server_name);
    c->pem = pem_store_new((const char *[]){ o->ca_file, o->cert_file, o->key_file },
                           (const char *[]){ o->ca_pem, o->cert_pem, o->key_pem });
    must(pthread_mutex_init(&c->lock, NULL) == 0);
    return c;
}

struct http_client *http_client_ref(struct http_client *c)
{
    atomic_fetch_add(&c->refs, 1);
    return c;
}

void http_client_unref(struct http_client *c)
{
    if (!c || atomic_fetch_sub(&c->refs, 1) > 1)
        return;
    for (size_t i = 0; i < c->idle_len; i++)
        curl_easy_cleanup(c->idle[i].curl);
    pem_store_free(c->pem);
    (void)pthread_mutex_destroy(&c->lock);
    free(c->base_url);
    free(c->unix_path);
    free(c->proxy_url);
    free(c->user_agent);
    free(c->username);
    free(c->password);
    http_headers_done(&c->headers);
    free(c->host_header);
    free(c->connect_to);
    free(c);
}

void http_client_free(struct http_client *c)
{
    http_client_unref(c);
}

void http_client_set_pair(struct http_client *c, const char *cert_pem, const char *key_pem)
{
    pem_store_set_pair(c->pem, cert_pem, key_pem);
}

int http_client_pem(struct http_client *c, struct pem_set **ret, struct error *e)
{
    return pem_store_get(c->pem, ret, e);
}

void http_client_distrust(struct http_client *c)
{
    pem_store_renew(c->pem);
}

/* ---- one request on one handle ---- */

void client_setup_done(struct client_setup *s)
{
    pem_set_unref(s->pem);
    curl_slist_free_all(s->headers);
    curl_slist_free_all(s->connect_to);
    free(s->url);
    *s = (struct client_setup){ 0 };
}

static void add_line(struct curl_slist **list, const char *line)
{
    struct curl_slist *grown = curl_slist_append(*list, line);

    must(grown);
    *list = grown;
}

static int add_header(struct curl_slist **list, const char *name, const char *value,
                      struct error *e)
{
    if (strpbrk(value, "\r\n"))
        return error_set(e, ERR_BAD_REQUEST, "header %s has a line break in its value", name);
    /* libcurl wants ';' for a header without a value. */
    scoped(free) char *line = must_asprintf(*value ? "%s: %s" : "%s;", name, value);
    add_line(list, line);
    return 0;
}

static int add_headers(struct curl_slist **list, const struct http_headers *h, struct error *e)
{
    int r = 0;

    for (size_t i = 0; i < h->len && r == 0; i++)
        r = add_header(list, h->item[i].name, h->item[i].value, e);
    return r;
}

static int setup_headers(struct client_setup *s, struct http_client *c,
                         const struct http_request *q, struct error *e)
{
    const struct http_headers none = { 0 };
    const struct http_headers *h = q->headers ? q->headers : &none;
    int r = add_headers(&s->headers, &c->headers, e);

    if (r == 0)
        r = add_headers(&s->headers, h, e);
    if (r == 0 && !http_headers_get(h, "Accept"))
        r = add_header(&s->headers, "Accept", q->accept ? q->accept : "application/json", e);
    if (r == 0 && q->content_type)
        r = add_header(&s->headers, "Content-Type", q->content_type, e);
    else if (r == 0 && !http_headers_get(h, "Content-Type"))
        add_line(&s->headers, "Content-Type:"); /* not libcurl's form default */
    if (r < 0)
        return r;

    add_line(&s->headers, "Expect:"); /* no round trip before a large body */
    if (c->host_header)
        add_line(&s->headers, c->host_header);
    scoped(free) char *authorization =
        c->authorization ? c->authorization(c->authorization_ctx) : NULL;
    return authorization ? add_header(&s->headers, "Authorization", authorization, e) : 0;
}

static void setup_method(CURL *curl, const struct http_request *q)
{
    bool has_body = q->body_len > 0 || q->method == HTTP_POST || q->method == HTTP_PUT ||
                    q->method == HTTP_PATCH;

    if (q->method == HTTP_HEAD) {
        curl_must(curl, CURLOPT_NOBODY, 1L);
        return;
    }
    if (has_body) {
        curl_must(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)q->body_len);
        curl_must(curl, CURLOPT_POSTFIELDS, q->body_len > 0 ? q->body : "");
    }
    if (has_body || q->method != HTTP_GET)
        curl_must(curl, CURLOPT_CUSTOMREQUEST, http_method_name(q->method));
}

static void setup_tls(CURL *curl, const struct http_client *c, const struct pem_set *pem)
{
    const char *ca = pem_set_path(pem, PEM_CA);

    curl_must(curl, CURLOPT_SSL_VERIFYPEER, c->is_insecure ? 0L : 1L);
    curl_must(curl, CURLOPT_SSL_VERIFYHOST, c->is_insecure ? 0L : 2L);
    curl_must(curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    if (ca || c->is_insecure) {
        curl_must(curl, CURLOPT_CAINFO, ca);
        curl_must(curl, CURLOPT_CAPATH, NULL); /* else the system's CAs are loaded besides: 13 MB */
    }
    if (pem_set_path(pem, PEM_CERT)) {
        curl_must(curl, CURLOPT_SSLCERT, pem_set_path(pem, PEM_CERT));
        curl_must(curl, CURLOPT_SSLKEY, pem_set_path(pem, PEM_KEY));
    }
}

/* Without this, a connection whose peer vanished is only noticed after a quarter of an hour. */
static int tune_socket(void *ctx, curl_socket_t fd, curlsocktype purpose)
{
    unsigned ms = UNACKNOWLEDGED_MS;

    (void)setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &ms, sizeof(ms));
    return CURL_SOCKOPT_OK;
}

static void setup_connection(CURL *curl, const struct http_client *c, struct client_setup *s)
{
    curl_must(curl, CURLOPT_NOSIGNAL, 1L);
    curl_must(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_must(curl, CURLOPT_FOLLOWLOCATION, 0L);
    curl_must(curl, CURLOPT_PATH_AS_IS, 1L);
    curl_must(curl, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
    curl_must(curl, CURLOPT_PIPEWAIT, 1L);
    curl_must(curl, CURLOPT_CONNECTTIMEOUT_MS, c->connect_timeout_ms);
    curl_must(curl, CURLOPT_TCP_KEEPALIVE, 1L);
    curl_must(curl, CURLOPT_TCP_KEEPIDLE, (long)KEEPALIVE_S);
    curl_must(curl, CURLOPT_TCP_KEEPINTVL, (long)KEEPALIVE_S);
    if (c->unix_path) {
        curl_must(curl, CURLOPT_UNIX_SOCKET_PATH, c->unix_path);
        curl_must(curl, CURLOPT_PROXY, ""); /* nor one from the environment */
    } else {
        curl_must(curl, CURLOPT_SOCKOPTFUNCTION, tune_socket);
    }
    if (c->proxy_url)
        curl_must(curl, CURLOPT_PROXY, c->proxy_url);
    if (c->connect_to) {
        add_line(&s->connect_to, c->connect_to);
        curl_must(curl, CURLOPT_CONNECT_TO, s->connect_to);
    }
    if (c->user_agent)
        curl_must(curl, CURLOPT_USERAGENT, c->user_agent);
    if (c->username) {
        curl_must(curl, CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC);
        curl_must(curl, CURLOPT_USERNAME, c->username);
        curl_must(curl, CURLOPT_PASSWORD, c->password ? c->password : "");
    }
}

int client_setup(struct client_setup *s, CURL *curl, struct http_client *c,
                 const struct http_request *q, struct pem_set *pem, struct error *e)
{
    *s = (struct client_setup){ .pem = pem };
    int r = setup_headers(s, c, q, e);
    if (r < 0)
        return r;

    s->url = must_asprintf("%s%s", c->base_url, q->path);
    if (curl_easy_setopt(curl, CURLOPT_URL, s->url) != CURLE_OK)
        return error_set(e, ERR_BAD_REQUEST, "URL too long");
    curl_must(curl, CURLOPT_ERRORBUFFER, s->message);
    curl_must(curl, CURLOPT_HTTPHEADER, s->headers);
    setup_connection(curl, c, s);
    setup_tls(curl, c, pem);
    setup_method(curl, q);
    return 0;
}

void client_setup_header(struct client_setup *s, const char *name, const char *value)
{
    scoped(free) char *line = must_asprintf("%s: %s", name, value);

    add_line(&s->headers, line);
}

char *http_client_basic(const struct http_client *c)
{
    if (!c->username)
        return NULL;
    scoped(free) char *pair = must_asprintf("%s:%s", c->username, c->password ? c->password : "");
    scoped(free) char *encoded = str_base64(pair, strlen(pair));
    return must_asprintf("Basic %s", encoded);
}

/* A handshake that the network broke is told from one that a side refused by GnuTLS' words only. */
static bool is_broken_handshake(const char *message)
{
    return strstr(message, "non-properly terminated") || strstr(message, "pull function") ||
           strstr(message, "push function");
}

static enum error_code code_of(CURL *curl, CURLcode code, const char *message)
{
    curl_off_t sent_us = 0;

    switch ((int)code) {
    case CURLE_OPERATION_TIMEDOUT:
        (void)curl_easy_getinfo(curl, CURLINFO_PRETRANSFER_TIME_T, &sent_us);
        return sent_us > 0 ? ERR_TIMEOUT : ERR_UNAVAILABLE;
    case CURLE_SSL_CONNECT_ERROR:
        return is_broken_handshake(message) ? ERR_UNAVAILABLE : ERR_INTERNAL;
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_CIPHER:
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:
        return ERR_INTERNAL;
    default:
        return ERR_UNAVAILABLE;
    }
}

int client_result(CURL *curl, CURLcode code, const struct client_setup *s, struct error *e)
{
    if (code == CURLE_OK)
        return 0;
    const char *text = s->message[0] ? s->message : curl_easy_strerror(code);
    return error_set(e, code_of(curl, code, text), "%s", text);
}

/* ---- the pool of handles ---- */

static CURL *take_handle(struct http_client *c, unsigned generation)
{
    CURL *curl = NULL;

    while (!curl) {
        struct idle_handle h = { 0 };
        (void)pthread_mutex_lock(&c->lock);
        if (c->idle_len > 0)
            h = c->idle[--c->idle_len];
        (void)pthread_mutex_unlock(&c->lock);
        if (h.curl && h.generation != generation) {
            curl_easy_cleanup(h.curl);
            continue;
        }
        curl = h.curl ? h.curl : curl_easy_init();
        must(curl);
    }
    return curl;
}

static void give_handle_back(struct http_client *c, CURL *curl, unsigned generation)
{
    curl_easy_reset(curl); /* keeps the connection; drops pointers to this call's memory */
    (void)pthread_mutex_lock(&c->lock);
    if (c->idle_len < IDLE_HANDLES_MAX) {
        c->idle[c->idle_len++] = (struct idle_handle){ curl, generation };
        curl = NULL;
    }
    (void)pthread_mutex_unlock(&c->lock);
    if (curl)
        curl_easy_cleanup(curl);
}

/* ---- calls ---- */

static size_t on_body(char *data, size_t one, size_t len, void *ctx)
{
    struct http_response *r = ctx;
    return buf_add(&r->body, data, len) ? len : 0;
}

static size_t on_header(char *data, size_t one, size_t len, void *ctx)
{
    struct http_response *r = ctx;
    size_t end = len;

    if (len >= 5 && strncasecmp(data, "HTTP/", 5) == 0) { /* of a 100, or of a proxy: start again */
        http_headers_done(&r->headers);
        return len;
    }
    while (end > 0 && strchr("\r\n \t", data[end - 1]))
        end--;
    const char *colon = memchr(data, ':', end);
    if (!colon)
        return len;

    scoped(free) char *name = must_strndup(data, (size_t)(colon - data));
    const char *v = colon + 1;
    while (v < data + end && (*v == ' ' || *v == '\t'))
        v++;
    scoped(free) char *value = must_strndup(v, (size_t)(data + end - v));
    (void)http_headers_add(&r->headers, name, value); /* what is past the limit is not needed */
    return len;
}

void http_response_done(struct http_response *r)
{
    http_headers_done(&r->headers);
    buf_done(&r->body);
    r->status = 0;
}

int http_client_do(struct http_client *c, const struct http_request *q, struct http_response *ret,
                   struct error *e)
{
    *ret = (struct http_response){ .body = BUF_INIT(q->response_max_bytes ? q->response_max_bytes
                                                                          : response_max_default) };
    struct pem_set *pem = NULL;
    int r = http_client_pem(c, &pem, e);
    if (r < 0)
        return r;

    unsigned generation = pem_set_generation(pem);
    CURL *curl = take_handle(c, generation);
    struct client_setup setup;
    r = client_setup(&setup, curl, c, q, pem, e);
    if (r == 0) {
        curl_must(curl, CURLOPT_TIMEOUT_MS,
                  (long)(q->timeout_ms > 0 ? q->timeout_ms : CALL_TIMEOUT_MS));
        curl_must(curl, CURLOPT_WRITEFUNCTION, on_body);
        curl_must(curl, CURLOPT_WRITEDATA, ret);
        curl_must(curl, CURLOPT_HEADERFUNCTION, on_header);
        curl_must(curl, CURLOPT_HEADERDATA, ret);
        CURLcode code = curl_easy_perform(curl);
        long status = 0;
        (void)curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
        ret->status = (int)status;
        r = ret->body.truncated
                ? error_set(e, ERR_TOO_LARGE, "answer is larger than %zu bytes", ret->body.max)
                : client_result(curl, code, &setup, e);
    }
    if (r < 0)
        http_response_done(ret);
    give_handle_back(c, curl, generation);
    client_setup_done(&setup);
    return r < 0 ? error_wrap(e, "%s %s", http_method_name(q->method), q->path) : 0;
}
