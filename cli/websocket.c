/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two wsis on one service thread: the websocket to the server, and our end of a
 * socket pair adopted as a raw descriptor.  Each side is read only when the other has
 * room, so a slow terminal holds the guest back instead of growing memory.
 */
#include "cli/websocket.h"

#include <errno.h>
#include <fcntl.h>
#include <libwebsockets.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include "base/jpath.h"
#include "base/must.h"
#include "base/scope.h"
#include "base/str.h"
#include "base/thread.h"
#include "kube/client.h"
#include "kube/config.h"

enum {
    CHUNK = 16 * 1024,        /* one message at most, either way */
    PENDING_MAX = 256 * 1024, /* received but not yet taken by the local side */
    HANDSHAKE_S = 30,
    PING_S = 15,
    PONG_S = 30,
};

struct websocket {
    struct lws_context *context;
    struct lws *remote; /* NULL once closed */
    struct lws *local;  /* NULL once closed */
    struct kube_credentials credentials;
    int user_fd; /* the caller's end */
    pthread_t thread;
    atomic_bool is_stopping;

    unsigned char out[LWS_PRE + CHUNK]; /* local to remote, one message in flight */
    size_t out_len;
    struct buf in; /* remote to local */
    bool is_in_paused;
    bool is_local_done; /* the caller wrote end of file */

    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool is_settled; /* guarded by lock, as is all below: handshake finished either way */
    bool is_open;
    bool is_closed;
    int http_status;
    char failure[200];
    int close_code;
    char close_reason[WEBSOCKET_REASON_MAX];
};

static void settle(struct websocket *w, bool is_open, int status, const char *failure)
{
    pthread_mutex_lock(&w->lock);
    w->is_settled = true;
    w->is_open = is_open;
    w->http_status = status;
    (void)snprintf(w->failure, sizeof(w->failure), "%s", failure ? failure : "");
    pthread_cond_broadcast(&w->changed);
    pthread_mutex_unlock(&w->lock);
}

static void set_closed(struct websocket *w)
{
    pthread_mutex_lock(&w->lock);
    w->is_closed = true;
    pthread_cond_broadcast(&w->changed);
    pthread_mutex_unlock(&w->lock);
}

static void note_close_frame(struct websocket *w, const unsigned char *data, size_t len)
{
    pthread_mutex_lock(&w->lock);
    if (len >= 2) {
        size_t n = len - 2 < WEBSOCKET_REASON_MAX - 1 ? len - 2 : WEBSOCKET_REASON_MAX - 1;

        w->close_code = data[0] << 8 | data[1];
        memcpy(w->close_reason, data + 2, n);
        w->close_reason[n] = '\0';
    } else {
        w->close_code = 1005;
    }
    pthread_mutex_unlock(&w->lock);
}

static int append_header(struct lws *wsi, const char *name, const char *value, unsigned char **p,
                         unsigned char *end)
{
    scoped(free) char *key = must_asprintf("%s:", name);

    for (char *k = key; *k; k++)
        *k = (char)(*k >= 'A' && *k <= 'Z' ? *k - 'A' + 'a' : *k);
    return lws_add_http_header_by_name(wsi, (unsigned char *)key, (const unsigned char *)value,
                                       (int)strlen(value), p, end);
}

static int append_headers(struct websocket *w, struct lws *wsi, unsigned char **p, size_t len)
{
    unsigned char *end = *p + len;

    if (w->credentials.authorization &&
        append_header(wsi, "Authorization", w->credentials.authorization, p, end))
        return -1;
    for (size_t i = 0; i < w->credentials.headers.len; i++)
        if (append_header(wsi, w->credentials.headers.item[i].name,
                          w->credentials.headers.item[i].value, p, end))
            return -1;
    return 0;
}

/* Bytes from the server: kept until the local side takes them. */
static void receive(struct websocket *w, struct lws *wsi, const void *data, size_t len)
{
    if (!lws_frame_is_binary(wsi))
        return; /* only binary messages carry the stream */
    (void)buf_add(&w->in, data, len);
    if (w->in.len > PENDING_MAX / 2 && !w->is_in_paused) {
        w->is_in_paused = true;
        lws_rx_flow_control(wsi, 0);
    }
    if (w->local)
        lws_callback_on_writable(w->local);
}

static int send_pending(struct websocket *w, struct lws *wsi)
{
    if (w->out_len > 0) {
        int n = lws_write(wsi, w->out + LWS_PRE, w->out_len, LWS_WRITE_BINARY);

        if (n < (int)w->out_len)
            return -1;
        w->out_len = 0;
        if (w->local)
            lws_rx_flow_control(w->local, 1);
    } else if (w->is_local_done) {
        lws_close_reason(wsi, LWS_CLOSE_STATUS_NORMAL, NULL, 0);
        return -1;
    }
    return 0;
}

static int on_remote(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
                     size_t len)
{
    struct websocket *w = lws_context_user(lws_get_context(wsi));

    // NOLINTNEXTLINE: libwebsockets has some hundred reasons, of which these concern us
    switch ((int)reason) {
    case LWS_CALLBACK_CLIENT_APPEND_HANDSHAKE_HEADER:
        return append_headers(w, wsi, (unsigned char **)in, len);
    case LWS_CALLBACK_CLIENT_ESTABLISHED:
        settle(w, true, 101, NULL);
        break;
    case LWS_CALLBACK_CLIENT_CONNECTION_ERROR:
        w->remote = NULL;
        settle(w, false, (int)lws_http_client_http_response(wsi), in);
        break;
    case LWS_CALLBACK_CLIENT_RECEIVE:
        receive(w, wsi, in, len);
        break;
    case LWS_CALLBACK_CLIENT_WRITEABLE:
        return send_pending(w, wsi);
    case LWS_CALLBACK_WS_PEER_INITIATED_CLOSE:
        note_close_frame(w, in, len);
        break;
    case LWS_CALLBACK_CLIENT_CLOSED:
        w->remote = NULL;
        if (w->local)
            lws_callback_on_writable(w->local);
        break;
    }
    return 0;
}

/* Hand received bytes to the caller; end of file once the server has closed and all is out. */
static int deliver(struct websocket *w, struct lws *wsi)
{
    int fd = (int)lws_get_socket_fd(wsi);

    while (w->in.len > 0) {
        ssize_t n = send(fd, w->in.data, w->in.len, MSG_NOSIGNAL | MSG_DONTWAIT);

        if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
            lws_callback_on_writable(wsi);
            return 0;
        }
        if (n <= 0)
            return -1;
        buf_consume(&w->in, (size_t)n);
    }
    if (w->is_in_paused && w->remote) {
        w->is_in_paused = false;
        lws_rx_flow_control(w->remote, 1);
    }
    return w->remote ? 0 : -1;
}

/* Bytes from the caller: one chunk at a time, read no further until it has left. */
static int take(struct websocket *w, struct lws *wsi)
{
    ssize_t n = recv((int)lws_get_socket_fd(wsi), w->out + LWS_PRE, CHUNK, MSG_DONTWAIT);

    if (n < 0)
        return errno == EAGAIN || errno == EINTR ? 0 : -1;
    if (n == 0) {
        w->is_local_done = true;
        lws_rx_flow_control(wsi, 0);
    } else {
        w->out_len = (size_t)n;
        lws_rx_flow_control(wsi, 0);
    }
    if (!w->remote)
        return -1;
    lws_callback_on_writable(w->remote);
    return 0;
}

static int on_local(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
                    size_t len)
{
    struct websocket *w = lws_context_user(lws_get_context(wsi));

    // NOLINTNEXTLINE: see on_remote
    switch ((int)reason) {
    case LWS_CALLBACK_RAW_RX_FILE:
        return w->out_len > 0 || w->is_local_done ? 0 : take(w, wsi);
    case LWS_CALLBACK_RAW_WRITEABLE_FILE:
        return deliver(w, wsi);
    case LWS_CALLBACK_RAW_CLOSE_FILE:
        w->local = NULL;
        w->is_local_done = true;
        if (w->remote)
            lws_callback_on_writable(w->remote);
        break;
    }
    return 0;
}

static const struct lws_protocols protocols[] = {
    { .name = "plain.kubevirt.io", .callback = on_remote, .rx_buffer_size = CHUNK },
    { .name = "local", .callback = on_local, .rx_buffer_size = CHUNK },
    { 0 },
};

static const lws_retry_bo_t keepalive = {
    .secs_since_valid_ping = PING_S,
    .secs_since_valid_hangup = PING_S + PONG_S,
};

static void *service(void *arg)
{
    struct websocket *w = arg;

    while (!w->is_stopping && lws_service(w->context, 0) >= 0)
        if (!w->remote && !w->local)
            break;
    /* The context holds our end of the pair; without it the caller reads end of file. */
    lws_context_destroy(w->context);
    set_closed(w);
    return NULL;
}

/* PEM text as a file that libwebsockets can open; *fd keeps it alive. */
static const char *as_file(const char *pem, int *fd, char path[32])
{
    if (!pem)
        return NULL;
    *fd = memfd_create("pem", MFD_CLOEXEC);
    must(*fd >= 0);
    must(write(*fd, pem, strlen(pem)) == (ssize_t)strlen(pem));
    (void)snprintf(path, 32, "/proc/self/fd/%d", *fd);
    return path;
}

struct endpoint {
    char host[256];
    int port;
    bool is_tls;
    char prefix[256]; /* path of the server URL */
};

static int parse_server(const char *url, struct endpoint *ret, struct error *e)
{
    const char *protocol, *host, *path;
    scoped(free) char *copy = must_strdup(url);

    *ret = (struct endpoint){ 0 };
    if (lws_parse_uri(copy, &protocol, &host, &ret->port, &path))
        return error_set(e, ERR_BAD_REQUEST, "the server's address \"%s\" is not a URL", url);
    ret->is_tls = streq(protocol, "https");
    if (!ret->is_tls && !streq(protocol, "http"))
        return error_set(e, ERR_BAD_REQUEST,
                         "the server's address \"%s\" is neither https nor http", url);
    (void)snprintf(ret->host, sizeof(ret->host), "%s", host);
    if (*path && !streq(path, "/"))
        (void)snprintf(ret->prefix, sizeof(ret->prefix), "/%s", *path == '/' ? path + 1 : path);
    return 0;
}

static struct lws_context *make_context(struct websocket *w)
{
    struct kube_credentials *k = &w->credentials;
    scoped_fd int ca_fd = -1;
    scoped_fd int cert_fd = -1;
    scoped_fd int key_fd = -1;
    char ca[32], cert[32], key[32];
    struct lws_context_creation_info info = {
        .port = CONTEXT_PORT_NO_LISTEN,
        .protocols = protocols,
        .user = w,
        .gid = -1,
        .uid = -1,
        .options = LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT,
        .fd_limit_per_thread = 8,
        .retry_and_idle_policy = &keepalive,
        .timeout_secs = HANDSHAKE_S,
        .client_ssl_ca_filepath = as_file(k->ca_pem, &ca_fd, ca),
        .client_ssl_cert_filepath = as_file(k->cert_pem, &cert_fd, cert),
        .client_ssl_private_key_filepath = as_file(k->key_pem, &key_fd, key),
    };
    const char *proxy = k->proxy_url ? strstr(k->proxy_url, "://") : NULL;

    if (proxy)
        info.http_proxy_address = proxy + 3;
    lws_set_log_level(0, NULL);
    return lws_create_context(&info);
}

static int start(struct websocket *w, const char *path, int local_fd, struct error *e)
{
    struct endpoint at;
    int r = parse_server(w->credentials.server, &at, e);
    if (r < 0)
        return r;

    scoped(free) char *full = must_asprintf("%s%s", at.prefix, path);
    const char *name = w->credentials.tls_server_name ? w->credentials.tls_server_name : at.host;
    unsigned int tls = at.is_tls ? LCCSCF_USE_SSL : 0;

    if (at.is_tls && w->credentials.is_insecure)
        tls |= LCCSCF_ALLOW_SELFSIGNED | LCCSCF_SKIP_SERVER_CERT_HOSTNAME_CHECK |
               LCCSCF_ALLOW_EXPIRED | LCCSCF_ALLOW_INSECURE;

    w->context = make_context(w);
    if (!w->context)
        return error_set(e, ERR_INTERNAL, "the TLS settings of the kubeconfig cannot be used");

    lws_sock_file_fd_type local = { .filefd = local_fd };
    w->local = lws_adopt_descriptor_vhost(lws_get_vhost_by_name(w->context, "default"),
                                          LWS_ADOPT_RAW_FILE_DESC, local, "local", NULL);
    must(w->local);

    struct lws_client_connect_info i = {
        .context = w->context,
        .address = at.host,
        .port = at.port,
        .path = full,
        .host = name,
        .origin = NULL,
        .protocol = protocols[0].name,
        .local_protocol_name = protocols[0].name,
        .ssl_connection = (int)tls,
        .pwsi = &w->remote,
    };
    (void)lws_client_connect_via_info(&i); /* a failure is told by CONNECTION_ERROR */
    thread_start(&w->thread, "websocket", service, w);
    return 0;
}

static int wait_for_handshake(struct websocket *w)
{
    pthread_mutex_lock(&w->lock);
    while (!w->is_settled && !w->is_closed)
        pthread_cond_wait(&w->changed, &w->lock);
    bool is_open = w->is_open;
    pthread_mutex_unlock(&w->lock);
    return is_open;
}

/* The refusal in the server's own words. */
static int explain(struct websocket *w, struct cli *c, const char *path, struct error *e)
{
    json_auto_t *ignored = NULL;
    int status = w->http_status;

    if (status >= 300 && cli_get(c, path, &ignored, e) < 0)
        return -(int)e->code;
    if (status >= 300)
        return error_set(e, error_from_http(status, NULL), "Can't connect to websocket (%d)",
                         status);
    return error_set(e, ERR_UNAVAILABLE, "Can't connect to websocket: %s",
                     *w->failure ? w->failure : "no answer");
}

int websocket_open(struct websocket **ret, struct cli *c, const char *path, struct error *e)
{
    struct websocket *w = must_calloc(1, sizeof(*w));
    int pair[2];

    must(pthread_mutex_init(&w->lock, NULL) == 0);
    must(pthread_cond_init(&w->changed, NULL) == 0);
    w->in = BUF_INIT(PENDING_MAX);
    w->close_code = 1006;
    must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0);
    w->user_fd = pair[0];
    (void)fcntl(pair[1], F_SETFL, O_NONBLOCK);

    int r = kube_config_credentials(c->config, &w->credentials, e);
    if (r == 0)
        r = start(w, path, pair[1], e);
    else
        (void)close(pair[1]);
    if (r == 0 && !wait_for_handshake(w))
        r = explain(w, c, path, e);
    if (r < 0) {
        websocket_free(w);
        return r;
    }
    *ret = w;
    return 0;
}

int websocket_fd(const struct websocket *w)
{
    return w->user_fd;
}

int websocket_close_code(struct websocket *w, char reason[WEBSOCKET_REASON_MAX])
{
    pthread_mutex_lock(&w->lock);
    int code = w->close_code;
    memcpy(reason, w->close_reason, WEBSOCKET_REASON_MAX);
    pthread_mutex_unlock(&w->lock);
    return code;
}

void websocket_free(struct websocket *w)
{
    if (!w)
        return;
    (void)close(w->user_fd);
    if (w->thread) {
        w->is_stopping = true;
        pthread_mutex_lock(&w->lock);
        bool is_closed = w->is_closed;
        pthread_mutex_unlock(&w->lock);
        if (!is_closed)
            lws_cancel_service(w->context);
        (void)pthread_join(w->thread, NULL);
    }
    kube_credentials_done(&w->credentials);
    buf_done(&w->in);
    pthread_cond_destroy(&w->changed);
    pthread_mutex_destroy(&w->lock);
    free(w);
}
