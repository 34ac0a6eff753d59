/* SPDX-License-Identifier: Apache-2.0 */
/* Console and VNC sessions on libwebsockets' thread. */
#include "handler/ws.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <libwebsockets.h>

#include "base/log.h"
#include "base/must.h"
#include "base/scope.h"
#include "base/str.h"
#include "base/thread.h"

enum {
    PING_US = 15 * 1000 * 1000,
    HANDSHAKE_S = 10,
    FDS_MAX = 2 * WS_SESSIONS_MAX + 16,
    LINGER_US = 2 * 1000 * 1000, /* a client that does not answer a close */
};

/* Bytes on their way in one direction; memory is held only while there are some. */
struct chunk {
    unsigned char *data; /* LWS_PRE bytes of room come first */
    size_t len;
};

struct session {
    struct ws *ws;
    char name[WS_NAME_MAX];
    int client_fd, qemu_fd; /* until they are adopted; -1 afterwards */
    struct lws *client, *qemu;
    struct chunk to_client, to_qemu;
    bool is_closing; /* say goodbye as soon as to_client is empty; written under ws->lock */
    enum lws_close_status code;
    const char *reason;
    bool was_busy; /* bytes moved since the last tick */
    bool wants_ping;
    struct session *next;
};

struct ws {
    pthread_t thread;
    struct lws_context *context;
    struct lws_vhost *vhost;

    pthread_mutex_t lock;
    /* guarded by lock */
    struct session *sessions; /* all of them, also those in the inbox */
    struct session *inbox;    /* linked through next until the thread takes them over */
    size_t count;
    bool is_stopping;
};

/* ---- sessions ---- */

static void chunk_done(struct chunk *c)
{
    free(c->data);
    *c = (struct chunk){ 0 };
}

static void chunk_set(struct chunk *c, const void *data, size_t len)
{
    unsigned char *more = must_realloc(c->data, LWS_PRE + c->len + len);

    memcpy(more + LWS_PRE + c->len, data, len);
    c->data = more;
    c->len += len;
}

/* Gone on both sides: leave the list. */
static void free_if_over(struct session *s)
{
    struct ws *w = s->ws;

    if (s->client || s->qemu)
        return;
    pthread_mutex_lock(&w->lock);
    for (struct session **p = &w->sessions; *p; p = &(*p)->next) {
        if (*p == s) {
            *p = s->next;
            w->count--;
            break;
        }
    }
    pthread_mutex_unlock(&w->lock);
    chunk_done(&s->to_client);
    chunk_done(&s->to_qemu);
    free(s);
}

static void close_session(struct session *s, enum lws_close_status code, const char *reason)
{
    if (s->is_closing)
        return;
    pthread_mutex_lock(&s->ws->lock);
    s->is_closing = true;
    pthread_mutex_unlock(&s->ws->lock);
    s->code = code;
    s->reason = reason;
    if (s->client) {
        lws_callback_on_writable(s->client);
        lws_set_timer_usecs(s->client, LINGER_US);
    }
    /* QEMU's side goes at once, so that the next session gets it. */
    if (s->qemu)
        lws_set_timeout(s->qemu, PENDING_TIMEOUT_USER_OK, LWS_TO_KILL_ASYNC);
}

static struct lws *adopt(struct session *s, int fd, lws_adoption_type type, const char *protocol)
{
    const lws_adopt_desc_t how = {
        .vh = s->ws->vhost,
        .type = type,
        .fd.sockfd = fd,
        .vh_prot_name = protocol,
        .opaque = s,
    };

    return lws_adopt_descriptor_vhost_via_info(&how);
}

static void begin(struct session *s)
{
    s->qemu = adopt(s, TAKE_FD(s->qemu_fd), LWS_ADOPT_SOCKET, "qemu");
    s->client = adopt(s, TAKE_FD(s->client_fd), LWS_ADOPT_SOCKET | LWS_ADOPT_HTTP, NULL);
    if (!s->client || !s->qemu) {
        log_warn("stream could not be taken over", "name", s->name);
        close_session(s, LWS_CLOSE_STATUS_UNEXPECTED_CONDITION, "internal");
        free_if_over(s);
    }
}

static void take_over(struct ws *w, const struct session *newer)
{
    for (struct session *s = w->sessions, *next; s; s = next) {
        next = s->next;
        if (streq(s->name, newer->name))
            close_session(s, LWS_CLOSE_STATUS_NORMAL, "taken over by a new session");
    }
}

/* On the thread, when it was woken: new sessions, or the end. */
static void read_inbox(struct ws *w)
{
    for (;;) {
        pthread_mutex_lock(&w->lock);
        struct session *s = w->inbox;
        if (s)
            w->inbox = s->next;
        bool is_stopping = w->is_stopping;
        pthread_mutex_unlock(&w->lock);
        if (!s) {
            for (s = is_stopping ? w->sessions : NULL; s; s = s->next)
                close_session(s, LWS_CLOSE_STATUS_GOINGAWAY, "virt-handler is shutting down");
            return;
        }

        take_over(w, s);
        pthread_mutex_lock(&w->lock);
        s->next = w->sessions;
        w->sessions = s;
        pthread_mutex_unlock(&w->lock);
        begin(s);
    }
}

/* ---- the client's side ---- */

static int say_goodbye(struct session *s)
{
    unsigned char text[LWS_PRE + 64];
    int n = snprintf((char *)text + LWS_PRE, sizeof(text) - LWS_PRE, "%s", s->reason);

    lws_close_reason(s->client, s->code, text + LWS_PRE, (size_t)n);
    return -1;
}

static int write_to_client(struct session *s)
{
    if (s->to_client.len > 0) {
        size_t len = s->to_client.len;
        int n = lws_write(s->client, s->to_client.data + LWS_PRE, len, LWS_WRITE_BINARY);

        chunk_done(&s->to_client);
        if (n < 0)
            return -1;
        s->was_busy = true;
        if (s->qemu)
            lws_rx_flow_control(s->qemu, 1);
        if (s->is_closing || s->wants_ping)
            lws_callback_on_writable(s->client);
        return 0;
    }
    if (s->is_closing)
        return say_goodbye(s);
    if (s->wants_ping) {
        unsigned char ping[LWS_PRE + 1];

        s->wants_ping = false;
        return lws_write(s->client, ping + LWS_PRE, 0, LWS_WRITE_PING) < 0 ? -1 : 0;
    }
    return 0;
}

static void on_tick(struct session *s)
{
    s->wants_ping = !s->was_busy;
    s->was_busy = false;
    if (s->wants_ping)
        lws_callback_on_writable(s->client);
    lws_set_timer_usecs(s->client, PING_US);
}

static void receive_from_client(struct session *s, const void *data, size_t len)
{
    /* Text is not part of the protocol and skipped, as upstream does. */
    if (!lws_frame_is_binary(s->client) || len == 0 || !s->qemu)
        return;
    chunk_set(&s->to_qemu, data, len);
    s->was_busy = true;
    lws_rx_flow_control(s->client, 0);
    lws_callback_on_writable(s->qemu);
}

static void lost_client(struct session *s)
{
    s->client = NULL;
    if (s->qemu)
        lws_set_timeout(s->qemu, PENDING_TIMEOUT_USER_OK, LWS_TO_KILL_ASYNC);
    free_if_over(s);
}

/* ---- QEMU's side ---- */

static int write_to_qemu(struct session *s)
{
    if (s->to_qemu.len == 0)
        return 0;
    int n = lws_write(s->qemu, s->to_qemu.data + LWS_PRE, s->to_qemu.len, LWS_WRITE_RAW);

    chunk_done(&s->to_qemu);
    if (n < 0)
        return -1;
    if (s->client)
        lws_rx_flow_control(s->client, 1);
    return 0;
}

static void receive_from_qemu(struct session *s, const void *data, size_t len)
{
    if (!s->client || len == 0)
        return;
    chunk_set(&s->to_client, data, len);
    lws_rx_flow_control(s->qemu, 0);
    lws_callback_on_writable(s->client);
}

static void lost_qemu(struct session *s)
{
    s->qemu = NULL;
    close_session(s, LWS_CLOSE_STATUS_NORMAL, "");
    free_if_over(s);
}

/* Of either side: libwebsockets tells the end of every connection to the first protocol. */
static void lost(struct session *s, const struct lws *wsi)
{
    if (s && s->client == wsi)
        lost_client(s);
    else if (s && s->qemu == wsi)
        lost_qemu(s);
}

static int on_client(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *data,
                     size_t len)
{
    struct session *s = lws_get_opaque_user_data(wsi);

    switch ((int)reason) {
    case LWS_CALLBACK_EVENT_WAIT_CANCELLED:
        read_inbox(lws_context_user(lws_get_context(wsi)));
        return 0;
    case LWS_CALLBACK_HTTP: /* not an upgrade request: nothing else is served here */
        return -1;
    case LWS_CALLBACK_ESTABLISHED:
        lws_set_timer_usecs(wsi, PING_US);
        return 0;
    case LWS_CALLBACK_RECEIVE:
        receive_from_client(s, data, len);
        return 0;
    case LWS_CALLBACK_SERVER_WRITEABLE:
        return write_to_client(s);
    case LWS_CALLBACK_TIMER:
        if (s->is_closing)
            return -1;
        on_tick(s);
        return 0;
    case LWS_CALLBACK_WSI_DESTROY:
        lost(s, wsi);
        return 0;
    default:
        return 0;
    }
}

static int on_qemu(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *data,
                   size_t len)
{
    struct session *s = lws_get_opaque_user_data(wsi);

    switch ((int)reason) {
    case LWS_CALLBACK_RAW_RX:
        receive_from_qemu(s, data, len);
        return 0;
    case LWS_CALLBACK_RAW_WRITEABLE:
        return write_to_qemu(s);
    default:
        return 0;
    }
}

/* The first is what a client gets that asks for no sub-protocol. */
static const struct lws_protocols protocols[] = {
    { .name = "plain.kubevirt.io", .callback = on_client, .rx_buffer_size = WS_CHUNK_BYTES },
    { .name = "qemu", .callback = on_qemu, .rx_buffer_size = WS_CHUNK_BYTES },
    { 0 },
};

/* ---- life ---- */

static void on_log(int level, const char *line)
{
    log_debug("libwebsockets", "line", line);
}

static bool is_over(struct ws *w)
{
    pthread_mutex_lock(&w->lock);
    bool is_idle = w->is_stopping && !w->sessions && !w->inbox;
    pthread_mutex_unlock(&w->lock);
    return is_idle;
}

static void *serve(void *arg)
{
    struct ws *w = arg;

    while (!is_over(w) && lws_service(w->context, 0) >= 0) {
    }
    return NULL;
}

struct ws *ws_start(void)
{
    struct ws *w = must_calloc(1, sizeof(*w));
    const struct lws_context_creation_info info = {
        .port = CONTEXT_PORT_NO_LISTEN,
        .protocols = protocols,
        .options = LWS_SERVER_OPTION_EXPLICIT_VHOSTS,
        .pt_serv_buf_size = WS_CHUNK_BYTES,
        .fd_limit_per_thread = FDS_MAX,
        .timeout_secs = HANDSHAKE_S,
        .gid = (gid_t)-1,
        .uid = (uid_t)-1,
        .user = w,
    };

    lws_set_log_level(LLL_ERR | LLL_WARN, on_log);
    must(pthread_mutex_init(&w->lock, NULL) == 0);
    w->context = lws_create_context(&info);
    must(w->context);
    w->vhost = lws_create_vhost(w->context, &info);
    must(w->vhost);
    thread_start(&w->thread, "websockets", serve, w);
    return w;
}

void ws_stop(struct ws *w)
{
    if (!w)
        return;
    pthread_mutex_lock(&w->lock);
    w->is_stopping = true;
    pthread_mutex_unlock(&w->lock);
    lws_cancel_service(w->context);
    must(pthread_join(w->thread, NULL) == 0);
    lws_context_destroy(w->context);
    pthread_mutex_destroy(&w->lock);
    free(w);
}

static bool has_name(const struct session *s, const char *name)
{
    for (; s; s = s->next) {
        if (streq(s->name, name) && !s->is_closing)
            return true;
    }
    return false;
}

bool ws_is_used(struct ws *w, const char *name)
{
    pthread_mutex_lock(&w->lock);
    bool is_used = has_name(w->sessions, name) || has_name(w->inbox, name);
    pthread_mutex_unlock(&w->lock);
    return is_used;
}

bool ws_open(struct ws *w, const char *name, int client_fd, int qemu_fd)
{
    struct session *s = must_calloc(1, sizeof(*s));

    s->ws = w;
    (void)snprintf(s->name, sizeof(s->name), "%s", name);
    s->client_fd = client_fd;
    s->qemu_fd = qemu_fd;

    pthread_mutex_lock(&w->lock);
    bool is_taken = !w->is_stopping && w->count < WS_SESSIONS_MAX;
    if (is_taken) {
        struct session **end = &w->inbox;

        while (*end)
            end = &(*end)->next;
        *end = s;
        w->count++;
    }
    pthread_mutex_unlock(&w->lock);
    if (is_taken) {
        lws_cancel_service(w->context);
        return true;
    }
    (void)close(client_fd);
    (void)close(qemu_fd);
    free(s);
    return false;
}
