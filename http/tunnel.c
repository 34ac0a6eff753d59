/* SPDX-License-Identifier: Apache-2.0 */
#include "http/tunnel.h"

#include <poll.h>
#include <pthread.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/must.h"
#include "http/client_internal.h"
#include "http/response_parser.h"

struct http_tunnel {
    CURL *curl;
    struct client_setup setup;
    curl_socket_t fd;
    struct buf early; /* came with the head of a 101 */
};

/* Names that were looked up and TLS sessions are shared by all tunnels of the process. */
static CURLSH *share;
static pthread_mutex_t share_locks[CURL_LOCK_DATA_LAST];

static void lock_share(CURL *curl, curl_lock_data what, curl_lock_access access, void *ctx)
{
    (void)pthread_mutex_lock(&share_locks[what]);
}

static void unlock_share(CURL *curl, curl_lock_data what, void *ctx)
{
    (void)pthread_mutex_unlock(&share_locks[what]);
}

static void make_share(void)
{
    for (size_t i = 0; i < countof(share_locks); i++)
        must(pthread_mutex_init(&share_locks[i], NULL) == 0);
    share = curl_share_init();
    must(share);
    must(curl_share_setopt(share, CURLSHOPT_LOCKFUNC, lock_share) == CURLSHE_OK);
    must(curl_share_setopt(share, CURLSHOPT_UNLOCKFUNC, unlock_share) == CURLSHE_OK);
    must(curl_share_setopt(share, CURLSHOPT_SHARE, CURL_LOCK_DATA_DNS) == CURLSHE_OK);
    must(curl_share_setopt(share, CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION) == CURLSHE_OK);
}

static bool has_line(const struct curl_slist *list, const char *name)
{
    for (; list; list = list->next)
        if (strncasecmp(list->data, name, strlen(name)) == 0)
            return true;
    return false;
}

int http_tunnel_open(struct http_tunnel **ret, struct http_client *c, struct error *e)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    const struct http_request q = { .method = HTTP_GET, .path = "" };
    struct pem_set *pem = NULL;

    must(pthread_once(&once, make_share) == 0);
    int r = http_client_pem(c, &pem, e);
    if (r < 0)
        return r;

    scoped(http_tunnel_close) struct http_tunnel *t = must_calloc(1, sizeof(*t));
    t->curl = curl_easy_init();
    must(t->curl);
    r = client_setup(&t->setup, t->curl, c, &q, pem, e);
    if (r < 0)
        return r;
    curl_must(t->curl, CURLOPT_SHARE, share);
    curl_must(t->curl, CURLOPT_CONNECT_ONLY, 1L);
    curl_must(t->curl, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_must(t->curl, CURLOPT_HTTPPROXYTUNNEL, 1L);
    curl_must(t->curl, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    r = client_result(t->curl, curl_easy_perform(t->curl), &t->setup, e);
    if (r < 0)
        return r;
    if (curl_easy_getinfo(t->curl, CURLINFO_ACTIVESOCKET, &t->fd) != CURLE_OK)
        return error_set(e, ERR_UNAVAILABLE, "the connection was closed at once");
    scoped(free) char *basic = http_client_basic(c);
    if (basic && !has_line(t->setup.headers, "Authorization:"))
        client_setup_header(&t->setup, "Authorization", basic);
    *ret = TAKE(t);
    return 0;
}

void http_tunnel_close(struct http_tunnel *t)
{
    if (!t)
        return;
    curl_easy_cleanup(t->curl);
    client_setup_done(&t->setup);
    buf_done(&t->early);
    free(t);
}

/* ---- the request ---- */

/* Headers as libcurl would send them: "Name:" takes one of its own out, "Name;" is one without a
 * value. */
static void add_lines(struct buf *out, const struct curl_slist *list)
{
    for (; list; list = list->next) {
        const char *at = strpbrk(list->data, ":;");

        if (!at || (*at == ':' && at[1] == '\0'))
            continue;
        (void)buf_addf(out, "%.*s:%s\r\n", (int)(at - list->data), list->data, at + 1);
    }
}

static int write_request(struct http_tunnel *t, const char *path,
                         const struct http_headers *headers, struct buf *out, struct error *e)
{
    const char *url = strstr(t->setup.url, "://");

    must(url);
    url += 3;
    size_t host_len = strcspn(url, "/?#");
    const char *user = memchr(url, '@', host_len);
    const char *host = user ? user + 1 : url;
    int len = (int)(url + host_len - host);

    (void)buf_addf(out, "GET %s%s HTTP/1.1\r\n", url + host_len, path);
    add_lines(out, t->setup.headers);
    if (!has_line(t->setup.headers, "Host:"))
        (void)buf_addf(out, "Host: %.*s\r\n", len, host);
    for (size_t i = 0; i < headers->len; i++) {
        if (strpbrk(headers->item[i].value, "\r\n"))
            return error_set(e, ERR_BAD_REQUEST, "header %s has a line break in its value",
                             headers->item[i].name);
        (void)buf_addf(out, "%s: %s\r\n", headers->item[i].name, headers->item[i].value);
    }
    (void)buf_adds(out, "\r\n");
    return 0;
}

static int wait_for(struct http_tunnel *t, short events, int64_t until_ms, struct error *e)
{
    struct pollfd p = { .fd = t->fd, .events = events };
    int64_t left = until_ms - clock_mono_ms(&clock_real);

    if (left <= 0 || poll(&p, 1, (int)left) == 0)
        return error_set(e, ERR_TIMEOUT, "no answer within %d s", TUNNEL_ANSWER_MS / 1000);
    return 0;
}

static int send_request(struct http_tunnel *t, struct buf *request, int64_t until_ms,
                        struct error *e)
{
    while (request->len > 0) {
        ssize_t n = http_tunnel_write(t, request->data, request->len);

        if (n == TUNNEL_FAILED)
            return error_set(e, ERR_UNAVAILABLE, "the connection broke before the answer");
        if (n > 0)
            buf_consume(request, (size_t)n);
        else if (wait_for(t, POLLOUT, until_ms, e) < 0)
            return -(int)e->code;
    }
    return 0;
}

static int read_answer(struct http_tunnel *t, struct response_parser *p, int64_t until_ms,
                       struct error *e)
{
    char data[16 * 1024];

    while (p->state != RESPONSE_DONE) {
        ssize_t n = http_tunnel_read(t, data, sizeof(data));

        if (n == TUNNEL_AGAIN) {
            if (wait_for(t, POLLIN, until_ms, e) < 0)
                return -(int)e->code;
            continue;
        }
        if (n <= 0)
            return response_parser_end(p, e);
        ssize_t taken = response_parser_feed(p, data, (size_t)n, e);
        if (taken < 0)
            return (int)taken;
        if (taken < n)
            (void)buf_add(&t->early, data + taken, (size_t)(n - taken));
    }
    return 0;
}

int http_tunnel_ask(struct http_tunnel *t, const char *path, const struct http_headers *headers,
                    struct http_response *ret, struct error *e)
{
    int64_t until_ms = clock_mono_ms(&clock_real) + TUNNEL_ANSWER_MS;
    scoped_buf request = BUF_INIT(0);
    struct response_parser p;

    *ret = (struct http_response){ 0 };
    int r = write_request(t, path, headers, &request, e);
    if (r < 0)
        return r;
    response_parser_init(&p, HTTP_GET, TUNNEL_REFUSAL_MAX);
    r = send_request(t, &request, until_ms, e);
    if (r == 0)
        r = read_answer(t, &p, until_ms, e);
    if (r == 0) {
        *ret = (struct http_response){ p.status, p.headers, p.body };
        p.headers = (struct http_headers){ 0 };
        p.body = BUF_INIT(0);
    }
    response_parser_done(&p);
    return r < 0 ? error_wrap(e, "GET %s", path) : 0;
}

/* ---- bytes ---- */

int http_tunnel_fd(const struct http_tunnel *t)
{
    return t->fd;
}

ssize_t http_tunnel_read(struct http_tunnel *t, void *data, size_t len)
{
    size_t n = t->early.len < len ? t->early.len : len;

    if (n > 0) {
        memcpy(data, t->early.data, n);
        buf_consume(&t->early, n);
        return (ssize_t)n;
    }
    CURLcode code = curl_easy_recv(t->curl, data, len, &n);
    if (code == CURLE_AGAIN)
        return TUNNEL_AGAIN;
    return code == CURLE_OK ? (ssize_t)n : TUNNEL_FAILED;
}

ssize_t http_tunnel_write(struct http_tunnel *t, const void *data, size_t len)
{
    size_t n = 0;
    CURLcode code = curl_easy_send(t->curl, data, len, &n);

    if (code == CURLE_AGAIN)
        return TUNNEL_AGAIN;
    return code == CURLE_OK ? (ssize_t)n : TUNNEL_FAILED;
}
