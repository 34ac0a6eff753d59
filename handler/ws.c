/* SPDX-License-Identifier: Apache-2.0 */
/* Websocket sessions on libwebsockets' thread. */
#include "handler/ws.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <libwebsockets.h>

#include "base/log.h"
#include "base/must.h"
#include "base/scope.h"
#include "base/str.h"
#include "base/thread.h"
#include "handler/guest.h"
#include "handler/rfb.h"

enum {
    READ_BYTES = GUEST_CHUNK_BYTES, /* of one socket at a time; the buffer is the thread's */
    RECEIVE_BYTES = 4096,           /* each session has a buffer of this size */
    HANDSHAKE_S = 10,
    SESSION_FDS = 4, /* the client's TCP connection, two pairs' ends, QEMU's */
    OTHER_FDS = 512,
    NOTICE_MAX = 64,
    FRAMES_AT_ONCE = 8, /* then others have their turn */
    CLIENT_BUFFER_BYTES = 256 * 1024,
    TRY_AGAIN_LATER = 1013, /* IANA's registry; not in libwebsockets 4.1 */
};

_Static_assert((int)GUEST_HEADROOM >= (int)LWS_PRE, "frames' heads are made before the pieces");

/* Where a session is in its life; only forward. */
enum stage {
    STAGE_JOINED, /* its client is not upgraded yet */
    STAGE_OPEN,
    STAGE_ENDING,  /* the guest's side ended: pass on what is left */
    STAGE_CLOSING, /* say goodbye */
};

struct ws_session {
    struct reader reader;
    struct member member;
    struct ws *ws;
    struct lws *client;
    int client_fd, guest_fd; /* until they are taken; -1 afterwards */
    enum stage stage;
    bool wants_ping, wants_notice;
    bool was_told_writes;
    size_t was_told_count;
    int code;
    const char *reason;
    struct rfb rfb;
    unsigned since; /* the tick of the last thing sent; from STAGE_ENDING on: of that */
    TAILQ_ENTRY(ws_session) in_list;
    STAILQ_ENTRY(ws_session) in_inbox;
};

TAILQ_HEAD(session_list, ws_session);

struct ws {
    pthread_t thread;
    struct ws_options o;
    struct lws_context *context;
    struct lws_vhost *vhost;
    struct hubs *hubs;

    /* the thread's */
    struct guests *guests;
    struct session_list open;    /* STAGE_JOINED and STAGE_OPEN; since ascends */
    struct session_list closing; /* the rest; since ascends */
    lws_sorted_usec_list_t timer;
    bool is_ticking, was_stopped;
    unsigned now; /* ticks */

    pthread_mutex_t lock;
    /* guarded by lock */
    STAILQ_HEAD(inbox, ws_session) inbox;
    bool is_stopping, is_over;
};

/* ---- a session's end ---- */

static struct ws_session *session_of_reader(struct reader *r)
{
    return (struct ws_session *)((char *)r - offsetof(struct ws_session, reader));
}

static struct ws_session *session_of_member(struct member *m)
{
    return (struct ws_session *)((char *)m - offsetof(struct ws_session, member));
}

static void want_to_write(struct ws_session *s)
{
    if (s->client && s->stage != STAGE_JOINED)
        lws_callback_on_writable(s->client);
}

/* From now on it is only waited for, for a while. */
static void move_to_closing(struct ws_session *s)
{
    struct ws *w = s->ws;

    TAILQ_REMOVE(&w->open, s, in_list);
    TAILQ_INSERT_TAIL(&w->closing, s, in_list);
    s->since = w->now;
    /* What it still sends is dropped; its own goodbye must be read. */
    if (s->client && s->stage == STAGE_OPEN)
        lws_rx_flow_control(s->client, 1);
}

static void close_session(struct ws_session *s, int code, const char *reason)
{
    bool was_upgraded = s->stage != STAGE_JOINED;

    if (s->stage == STAGE_CLOSING)
        return;
    if (s->stage != STAGE_ENDING)
        move_to_closing(s);
    s->stage = STAGE_CLOSING;
    s->code = code;
    s->reason = reason;
    reader_leave(&s->reader);
    hub_leave(&s->member);
    if (was_upgraded)
        want_to_write(s);
    else if (s->client)
        lws_set_timeout(s->client, PENDING_TIMEOUT_USER_OK, LWS_TO_KILL_ASYNC);
}

/* The guest's side has ended: a new session need not wait for this one to read the rest. */
static void end_session(struct ws_session *s)
{
    if (s->stage != STAGE_OPEN)
        return;
    s->stage = STAGE_ENDING;
    move_to_closing(s);
    hub_leave(&s->member);
    want_to_write(s);
}

static void session_free(struct ws_session *s)
{
    hub_leave(&s->member);
    if (s->client_fd >= 0)
        (void)close(s->client_fd);
    if (s->guest_fd >= 0)
        (void)close(s->guest_fd);
    free(s);
}

/* Its client's connection is gone. */
static void lost(struct ws_session *s)
{
    struct ws *w = s->ws;

    s->client = NULL;
    reader_leave(&s->reader);
    TAILQ_REMOVE(s->stage < STAGE_ENDING ? &w->open : &w->closing, s, in_list);
    session_free(s);
}

/* ---- what guest and hub tell ---- */

static void on_data(struct reader *r)
{
    want_to_write(session_of_reader(r));
}

static void on_ended(struct reader *r)
{
    struct ws_session *s = session_of_reader(r);

    if (s->member.hub && hub_guest(s->member.hub) == r->guest)
        hub_set_guest(s->member.hub, NULL);
    end_session(s);
}

static void on_stalled(struct reader *r)
{
    close_session(session_of_reader(r), (enum lws_close_status)TRY_AGAIN_LATER,
                  "this viewer does not keep up with the others");
}

static void on_writable_guest(struct reader *r)
{
    struct ws_session *s = session_of_reader(r);

    if (s->client)
        lws_rx_flow_control(s->client, 1);
}

static const struct reader_events reader_events = {
    .has_data = on_data,
    .has_ended = on_ended,
    .is_stalled = on_stalled,
    .may_write = on_writable_guest,
};

static void on_replaced(struct member *m)
{
    close_session(session_of_member(m), LWS_CLOSE_STATUS_NORMAL, "taken over by a new session");
}

static void on_changed(struct member *m)
{
    struct ws_session *s = session_of_member(m);

    if (!role_is_told(m->role.ask))
        return;
    if (s->was_told_writes == m->role.writes && s->was_told_count == hub_size(m->hub))
        return;
    s->wants_notice = true;
    want_to_write(s);
}

static const struct member_events member_events = {
    .is_replaced = on_replaced,
    .is_changed = on_changed,
};

/* ---- a session's begin ---- */

/* Its client is being upgraded: it gets its part, and what comes from now on. */
static void open_session(struct ws_session *s)
{
    struct hub *h = s->member.hub;
    bool is_joint = hub_kind(h) == HUB_CONSOLE;
    struct guest *g = is_joint ? hub_guest(h) : NULL;

    s->stage = STAGE_OPEN;
    if (!g && s->guest_fd >= 0) {
        g = guest_open(s->ws->guests, TAKE_FD(s->guest_fd));
        if (is_joint)
            hub_set_guest(h, g);
    } else if (s->guest_fd >= 0) {
        (void)close(TAKE_FD(s->guest_fd)); /* two came first at once */
    }
    hub_enter(&s->member);
    if (!g) {
        close_session(s, LWS_CLOSE_STATUS_NORMAL, "");
        return;
    }
    reader_join(&s->reader, g);
    if (!is_joint)
        guest_close(g); /* it ends with its only reader */
}

static void begin(struct ws_session *s)
{
    struct ws *w = s->ws;
    lws_adopt_desc_t how = {
        .vh = w->vhost,
        .type = LWS_ADOPT_SOCKET | LWS_ADOPT_HTTP,
        .opaque = s,
    };
    const int room = CLIENT_BUFFER_BYTES;

    /* A unix socket is writable while a quarter of it is used: leave room for a frame in that. */
    (void)setsockopt(s->client_fd, SOL_SOCKET, SO_SNDBUF, &room, sizeof(room));
    how.fd.sockfd = TAKE_FD(s->client_fd);
    s->since = w->now;
    TAILQ_INSERT_TAIL(&w->open, s, in_list);
    s->client = lws_adopt_descriptor_vhost_via_info(&how);
    if (s->client)
        return;
    log_warn("a stream could not be taken over");
    lost(s);
}

/* ---- the clock ---- */

static void kill_late(struct ws *w)
{
    unsigned limit = w->was_stopped ? WS_STOP_TICKS : WS_LINGER_TICKS;
    struct ws_session *s, *next;

    for (s = TAILQ_FIRST(&w->closing); s && w->now - s->since >= limit; s = next) {
        next = TAILQ_NEXT(s, in_list);
        if (s->client)
            lws_set_timeout(s->client, PENDING_TIMEOUT_USER_OK, LWS_TO_KILL_ASYNC);
    }
}

static void touch(struct ws_session *s)
{
    struct ws *w = s->ws;

    if (s->stage >= STAGE_ENDING || s->since == w->now)
        return;
    s->since = w->now;
    TAILQ_REMOVE(&w->open, s, in_list);
    TAILQ_INSERT_TAIL(&w->open, s, in_list);
}

static void ping_idle(struct ws *w)
{
    struct ws_session *s;

    while ((s = TAILQ_FIRST(&w->open)) != NULL && w->now - s->since >= WS_PING_TICKS) {
        touch(s);
        s->wants_ping = s->stage == STAGE_OPEN;
        want_to_write(s);
    }
}

static void schedule(struct ws *w);

static void on_tick(lws_sorted_usec_list_t *timer)
{
    struct ws *w = (struct ws *)((char *)timer - offsetof(struct ws, timer));

    w->is_ticking = false;
    w->now++;
    ping_idle(w);
    guests_tick(w->guests);
    kill_late(w);
    schedule(w);
}

/* Tick while there is somebody. */
static void schedule(struct ws *w)
{
    if (w->is_ticking || (TAILQ_EMPTY(&w->open) && TAILQ_EMPTY(&w->closing)))
        return;
    w->is_ticking = true;
    lws_sul_schedule(w->context, 0, &w->timer, on_tick, (lws_usec_t)w->o.tick_ms * 1000);
}

/* ---- the inbox ---- */

static void close_all(struct ws *w)
{
    struct ws_session *s;

    while ((s = TAILQ_FIRST(&w->open)) != NULL)
        close_session(s, LWS_CLOSE_STATUS_GOINGAWAY, "virt-handler is shutting down");
    if (w->was_stopped)
        return;
    w->was_stopped = true;
    for (s = TAILQ_FIRST(&w->closing); s; s = TAILQ_NEXT(s, in_list))
        s->since = w->now;
}

/* On the thread, when it was woken: new sessions, dropped ones, or the end. */
static void read_inbox(struct ws *w)
{
    for (;;) {
        pthread_mutex_lock(&w->lock);
        struct ws_session *s = STAILQ_FIRST(&w->inbox);
        if (s)
            STAILQ_REMOVE_HEAD(&w->inbox, in_inbox);
        bool is_stopping = w->is_stopping;
        pthread_mutex_unlock(&w->lock);
        if (!s) {
            if (is_stopping)
                close_all(w);
            break;
        }
        if (s->client_fd >= 0)
            begin(s);
        else
            session_free(s);
    }
    schedule(w);
}

/* ---- the client's side ---- */

static int say_goodbye(struct ws_session *s)
{
    unsigned char text[LWS_PRE + 125];
    int n = snprintf((char *)text + LWS_PRE, sizeof(text) - LWS_PRE, "%s", s->reason);

    lws_close_reason(s->client, (enum lws_close_status)s->code, text + LWS_PRE, (size_t)n);
    return -1;
}

static int send_ping(struct ws_session *s)
{
    unsigned char ping[LWS_PRE + 1];

    s->wants_ping = false;
    return lws_write(s->client, ping + LWS_PRE, 0, LWS_WRITE_PING);
}

static int send_notice(struct ws_session *s)
{
    unsigned char text[LWS_PRE + NOTICE_MAX];

    s->wants_notice = false;
    s->was_told_writes = s->member.role.writes;
    s->was_told_count = hub_size(s->member.hub);
    int n = snprintf((char *)text + LWS_PRE, NOTICE_MAX, "{\"role\":\"%s\",\"sessions\":%zu}",
                     s->was_told_writes ? "writer" : "observer", s->was_told_count);
    return lws_write(s->client, text + LWS_PRE, (size_t)n, LWS_WRITE_TEXT);
}

static int send_piece(struct ws_session *s)
{
    size_t len = 0;
    unsigned char *data = reader_peek(&s->reader, &len);
    int n = lws_write(s->client, data, len, LWS_WRITE_BINARY);

    /* Passed on as far as this goes: what the socket did not take libwebsockets keeps, and asks for
     * no more until it is gone. */
    if (n >= 0)
        reader_passed(&s->reader);
    return n;
}

static bool has_to_write(const struct ws_session *s)
{
    return s->wants_ping || s->wants_notice || s->reader.next || s->stage >= STAGE_ENDING;
}

/* One frame; pings first.  1: all is passed on. */
static int write_frame(struct ws_session *s)
{
    int n = 0;

    if (s->wants_ping)
        n = send_ping(s);
    else if (s->wants_notice && s->member.hub)
        n = send_notice(s);
    else if (s->reader.next)
        n = send_piece(s);
    else if (s->stage >= STAGE_ENDING)
        return s->stage == STAGE_CLOSING ? say_goodbye(s) : 1;
    else
        return 0;
    if (n < 0)
        return -1;
    touch(s);
    return 0;
}

/* What libwebsockets had to keep of a frame goes first. */
static int on_writable(struct ws_session *s)
{
    int r = 0;

    for (int i = 0; i < FRAMES_AT_ONCE && r == 0 && has_to_write(s); i++) {
        if (i > 0 && lws_partial_buffered(s->client))
            break;
        r = write_frame(s);
    }
    if (r == 0 && has_to_write(s))
        want_to_write(s);
    if (r <= 0)
        return r;
    close_session(s, LWS_CLOSE_STATUS_NORMAL, "");
    return say_goodbye(s);
}

static void receive_from_client(struct ws_session *s, unsigned char *data, size_t len)
{
    struct guest *g = s->reader.guest;
    bool writes = s->member.role.writes;

    /* Text is not part of the protocols and skipped, as upstream does. */
    if (s->stage != STAGE_OPEN || !lws_frame_is_binary(s->client) || len == 0)
        return;
    if (hub_kind(s->member.hub) == HUB_SCREEN) {
        const char *why = "";
        ssize_t kept = rfb_filter(&s->rfb, writes, data, len, &why);

        if (kept < 0) {
            close_session(s, LWS_CLOSE_STATUS_POLICY_VIOLATION, why);
            return;
        }
        len = (size_t)kept;
    } else if (!writes) {
        return;
    }
    if (!guest_write(g, data, len))
        lws_rx_flow_control(s->client, 0);
}

static int on_client(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *data,
                     size_t len)
{
    struct ws_session *s = lws_get_opaque_user_data(wsi);

    switch ((int)reason) {
    case LWS_CALLBACK_EVENT_WAIT_CANCELLED:
        read_inbox(lws_context_user(lws_get_context(wsi)));
        return 0;
    case LWS_CALLBACK_HTTP: /* not an upgrade request: nothing else is served here */
        return -1;
    case LWS_CALLBACK_FILTER_PROTOCOL_CONNECTION: /* the answer is not sent yet */
        if (s && s->stage == STAGE_JOINED)
            open_session(s);
        return 0;
    case LWS_CALLBACK_RECEIVE:
        receive_from_client(s, data, len);
        return 0;
    case LWS_CALLBACK_SERVER_WRITEABLE:
        return on_writable(s);
    case LWS_CALLBACK_WSI_DESTROY: /* of every connection, told to the first protocol */
        if (s && s->client == wsi)
            lost(s);
        return 0;
    default:
        return 0;
    }
}

static int on_guests(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *data,
                     size_t len)
{
    if (reason == LWS_CALLBACK_RAW_RX_FILE) {
        struct ws *w = lws_context_user(lws_get_context(wsi));

        guests_serve(w->guests);
    }
    return 0;
}

/* The first is what a client gets that asks for no sub-protocol. */
static const struct lws_protocols protocols[] = {
    { .name = "plain.kubevirt.io",
      .callback = on_client,
      .rx_buffer_size = RECEIVE_BYTES,
      .tx_packet_size = GUEST_CHUNK_BYTES + LWS_PRE },
    { .name = "guests", .callback = on_guests },
    { 0 },
};

/* ---- life ---- */

static void on_log(int level, const char *line)
{
    log_debug("libwebsockets", "line", line);
}

/* Stopped, and nobody is left: then nobody else touches guests any more. */
static bool is_over(struct ws *w)
{
    if (!w->was_stopped || !TAILQ_EMPTY(&w->open) || !TAILQ_EMPTY(&w->closing))
        return false;
    hubs_close_guests(w->hubs);
    pthread_mutex_lock(&w->lock);
    w->is_over = STAILQ_EMPTY(&w->inbox);
    pthread_mutex_unlock(&w->lock);
    return w->is_over;
}

static void *serve(void *arg)
{
    struct ws *w = arg;

    while (!is_over(w) && lws_service(w->context, 0) >= 0) {
    }
    return NULL;
}

static size_t sessions_by_descriptors(void)
{
    struct rlimit limit = { 0 };

    must(getrlimit(RLIMIT_NOFILE, &limit) == 0);
    if (limit.rlim_cur >= (rlim_t)SESSION_FDS * WS_SESSIONS_MAX + OTHER_FDS)
        return WS_SESSIONS_MAX;
    return limit.rlim_cur > 2 * OTHER_FDS ? (size_t)(limit.rlim_cur - OTHER_FDS) / SESSION_FDS
                                          : OTHER_FDS / SESSION_FDS;
}

/* The guests' epoll set is one descriptor of libwebsockets', which closes it. */
static void watch_guests(struct ws *w)
{
    lws_adopt_desc_t how = {
        .vh = w->vhost,
        .type = LWS_ADOPT_RAW_FILE_DESC,
        .vh_prot_name = "guests",
    };

    how.fd.filefd = dup(guests_fd(w->guests));
    must(how.fd.filefd >= 0);
    must(lws_adopt_descriptor_vhost_via_info(&how));
}

static void make_context(struct ws *w)
{
    /* libwebsockets' own pings would hang up on a viewer that pauses for five minutes. */
    static const lws_retry_bo_t no_pings = { 0 };
    const struct lws_context_creation_info info = {
        .port = CONTEXT_PORT_NO_LISTEN,
        .protocols = protocols,
        .options = LWS_SERVER_OPTION_EXPLICIT_VHOSTS,
        .pt_serv_buf_size = READ_BYTES,
        .timeout_secs = HANDSHAKE_S,
        .retry_and_idle_policy = &no_pings,
        .gid = (gid_t)-1,
        .uid = (uid_t)-1,
        .user = w,
    };

    lws_set_log_level(LLL_ERR | LLL_WARN, on_log);
    w->context = lws_create_context(&info);
    must(w->context);
    w->vhost = lws_create_vhost(w->context, &info);
    must(w->vhost);
    watch_guests(w);
}

struct ws *ws_start(const struct ws_options *o)
{
    struct ws *w = must_calloc(1, sizeof(*w));

    w->o = *o;
    if (w->o.tick_ms == 0)
        w->o.tick_ms = WS_TICK_MS;
    if (w->o.sessions_max == 0)
        w->o.sessions_max = sessions_by_descriptors();
    w->hubs = hubs_new(w->o.sessions_max, w->o.viewers_max);
    w->guests = guests_new();
    TAILQ_INIT(&w->open);
    TAILQ_INIT(&w->closing);
    STAILQ_INIT(&w->inbox);
    must(pthread_mutex_init(&w->lock, NULL) == 0);
    make_context(w);
    thread_start(&w->thread, "websockets", serve, w);
    return w;
}

void ws_stop(struct ws *w)
{
    if (!w)
        return;
    hubs_stop(w->hubs);
    pthread_mutex_lock(&w->lock);
    w->is_stopping = true;
    pthread_mutex_unlock(&w->lock);
    lws_cancel_service(w->context);
    must(pthread_join(w->thread, NULL) == 0);
    lws_context_destroy(w->context);
}

void ws_free(struct ws *w)
{
    if (!w)
        return;
    guests_free(w->guests);
    hubs_free(w->hubs);
    pthread_mutex_destroy(&w->lock);
    free(w);
}

/* ---- any thread ---- */

enum hub_answer ws_join(struct ws *w, const char *name, enum hub_kind kind, enum role_ask ask,
                        struct ws_session **ret)
{
    struct ws_session *s = must_calloc(1, sizeof(*s));

    s->ws = w;
    s->client_fd = s->guest_fd = -1;
    s->reader.on = &reader_events;
    s->member.on = &member_events;
    s->member.role.ask = ask;
    enum hub_answer answer = hub_join(w->hubs, name, kind, &s->member);
    if (answer == HUB_JOINED)
        *ret = s;
    else
        free(s);
    return answer;
}

bool ws_session_wants_guest(const struct ws_session *s)
{
    return hub_wants_guest(&s->member);
}

/* The thread's from now on, while there is one. */
static void hand_over(struct ws_session *s)
{
    struct ws *w = s->ws;

    pthread_mutex_lock(&w->lock);
    bool is_over = w->is_over;
    if (!is_over)
        STAILQ_INSERT_TAIL(&w->inbox, s, in_inbox);
    /* Under the lock: the context is there as long as it is not over. */
    if (!is_over)
        lws_cancel_service(w->context);
    pthread_mutex_unlock(&w->lock);
    if (is_over)
        session_free(s);
}

void ws_session_begin(struct ws_session *s, int client_fd, int guest_fd)
{
    s->client_fd = client_fd;
    s->guest_fd = guest_fd;
    hand_over(s);
}

void ws_session_drop(struct ws_session *s)
{
    hand_over(s);
}
