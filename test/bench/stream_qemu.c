/* SPDX-License-Identifier: Apache-2.0 */
/*
 * virt-handler's end of a stream, from a unix socket as QEMU has one to a websocket, beside
 * libwebsockets by itself with frames of 64 KiB, turn by turn.
 *     stream-qemu FOLDER TURNS SECONDS
 * A line a turn, MiB/s.  Plain: ours, libwebsockets' out of memory, libwebsockets' out of such a
 * socket; then the three over TLS.  FOLDER has the pair "node".
 */
#include <fcntl.h>
#include <libwebsockets.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>

#include "base/scope.h"
#include "handler/handshake.h"
#include "handler/ws.h"
#include "http/server.h"
#include "test/bench/stream_peer.h"

enum { BIG_BYTES = 64 * 1024, PEM_MAX = 65536, END_MS = 5000, END_OF_ONE_MS = 300 };

static const char *folder;
static double seconds;

static double mib_per_s(double bytes, double began)
{
    return bytes / (now_s() - began) / (1 << 20);
}

/* ---- what reads: plain over a descriptor, or TLS to a port ---- */

static double read_plain(int fd)
{
    static char data[BIG_BYTES], head[HEAD_MAX];
    static const char ask[] =
        "GET / HTTP/1.1\r\nHost: bench\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: "
        "MDEyMzQ1Njc4OWFiY2RlZg==\r\nSec-WebSocket-Protocol: plain.kubevirt.io\r\n\r\n";
    double began, bytes = 0;

    must(write(fd, ask, sizeof(ask) - 1) == (ssize_t)sizeof(ask) - 1);
    must(read(fd, head, sizeof(head)) > 0 && strncmp(head, "HTTP/1.1 101", 12) == 0);
    began = now_s();
    while (now_s() < began + seconds) {
        ssize_t n = read(fd, data, sizeof(data));

        must(n > 0);
        bytes += (double)n;
    }
    return mib_per_s(bytes, began);
}

static double read_tls(int port, credentials mine)
{
    static char record[RECORD_BYTES], head[HEAD_MAX];
    struct peer p;
    double began, bytes = 0;

    must(peer_start(&p, connect_to(port), GNUTLS_CLIENT, mine, AS_GO));
    must(websocket_ask(&p, "/", "", head));
    began = now_s();
    while (now_s() < began + seconds) {
        ssize_t n = peer_read(&p, record, sizeof(record));

        must(n > 0);
        bytes += (double)n;
    }
    double rate = mib_per_s(bytes, began);
    peer_done(&p);
    return rate;
}

/* ---- QEMU: writes whatever is taken, until its other end is closed ---- */

static void *be_qemu(void *arg)
{
    static char data[BIG_BYTES];
    int fd = (int)(intptr_t)arg;

    while (write(fd, data, sizeof(data)) > 0) {
    }
    (void)close(fd);
    return NULL;
}

static int start_qemu(pthread_t *ret_thread)
{
    int fd[2];

    must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd) == 0);
    must(fcntl(fd[0], F_SETFL, O_NONBLOCK) == 0);
    must(pthread_create(ret_thread, NULL, be_qemu, (void *)(intptr_t)fd[1]) == 0);
    return fd[0];
}

static struct ws *start_ws(void)
{
    return ws_start(&(struct ws_options){ .viewers_max = 1 });
}

static struct ws_session *join(struct ws *w)
{
    struct ws_session *s = NULL;

    must(ws_join(w, "bench/console", HUB_CONSOLE, ASK_NOTHING, &s) == HUB_JOINED);
    must(ws_session_wants_guest(s));
    return s;
}

static double ours_plain(credentials mine)
{
    struct ws *w = start_ws();
    pthread_t qemu;
    int fd[2];

    must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd) == 0);
    must(fcntl(fd[0], F_SETFL, O_NONBLOCK) == 0);
    ws_session_begin(join(w), fd[0], start_qemu(&qemu));
    double rate = read_plain(fd[1]);
    (void)close(fd[1]);
    (void)poll(NULL, 0, END_OF_ONE_MS);
    ws_stop(w);
    ws_free(w);
    must(pthread_join(qemu, NULL) == 0);
    return rate;
}

/* ---- the same behind virt-handler's TLS server ---- */

struct end {
    struct ws *ws;
    struct handshakes *handshakes;
    pthread_t qemu;
};

static void on_call(struct http_call *c, void *ctx)
{
    struct end *end = ctx;

    http_keep(c);
    handshake_start(end->handshakes, c, join(end->ws), start_qemu(&end->qemu));
}

static char *read_pem(const char *name)
{
    scoped(free) char *path = must_asprintf("%s/%s", folder, name);
    char *text = must_calloc(1, PEM_MAX);
    FILE *f = fopen(path, "re");

    must(f && fread(text, 1, PEM_MAX - 1, f) > 0);
    (void)fclose(f);
    return text;
}

static double ours_tls(credentials mine)
{
    struct end end = { .ws = start_ws(), .handshakes = handshakes_new() };
    struct tls_keys *keys = tls_keys_new();
    scoped(free) char *crt = read_pem("node.crt");
    scoped(free) char *key = read_pem("node.key");
    struct http_server *server = NULL;
    struct error e;
    struct http_server_options o = {
        .name = "bench", .address = "127.0.0.1", .keys = keys, .handler = on_call, .ctx = &end
    };

    must(tls_keys_set_pair(keys, crt, key, &e) == 0);
    must(http_server_start(&server, &o, &e) == 0);
    double rate = read_tls(http_server_port(server), mine);
    (void)poll(NULL, 0, END_OF_ONE_MS);
    http_server_drain(server, END_MS);
    ws_stop(end.ws);
    handshakes_wait(end.handshakes, END_MS);
    ws_free(end.ws);
    http_server_free(server);
    handshakes_free(end.handshakes);
    tls_keys_unref(keys);
    must(pthread_join(end.qemu, NULL) == 0);
    return rate;
}

/* ---- libwebsockets by itself ---- */

/* Where the next frame's bytes come from; -1: they are always there. */
static int own_source = -1;

/* Blocks while QEMU has nothing, which it never has. */
static int next_frame(unsigned char *frame)
{
    return own_source < 0 ? BIG_BYTES : (int)read(own_source, frame, BIG_BYTES);
}

static int on_frame(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *data,
                    size_t len)
{
    static unsigned char frame[LWS_PRE + BIG_BYTES];

    if (reason == LWS_CALLBACK_HTTP)
        return -1;
    if (reason == LWS_CALLBACK_SERVER_WRITEABLE) {
        int n = next_frame(frame + LWS_PRE);

        if (n > 0 && lws_write(wsi, frame + LWS_PRE, (size_t)n, LWS_WRITE_BINARY) < 0)
            return -1;
    }
    if (reason == LWS_CALLBACK_ESTABLISHED || reason == LWS_CALLBACK_SERVER_WRITEABLE)
        lws_callback_on_writable(wsi);
    return 0;
}

static const struct lws_protocols protocols[] = {
    { .name = "plain.kubevirt.io", .callback = on_frame, .rx_buffer_size = BIG_BYTES },
    { 0 },
};

struct own {
    struct lws_context *context;
    pthread_t thread;
    atomic_bool is_over;
};

static void *serve(void *arg)
{
    struct own *o = arg;

    while (!o->is_over && lws_service(o->context, 0) >= 0) {
    }
    return NULL;
}

static struct lws_vhost *own_start(struct own *o, bool is_tls)
{
    scoped(free) char *crt = must_asprintf("%s/node.crt", folder);
    scoped(free) char *key = must_asprintf("%s/node.key", folder);
    struct lws_context_creation_info info = {
        .port = is_tls ? 0 : CONTEXT_PORT_NO_LISTEN,
        .iface = is_tls ? "127.0.0.1" : NULL,
        .protocols = protocols,
        .options =
            LWS_SERVER_OPTION_EXPLICIT_VHOSTS | (is_tls ? LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT : 0),
        .ssl_cert_filepath = is_tls ? crt : NULL,
        .ssl_private_key_filepath = is_tls ? key : NULL,
        .pt_serv_buf_size = BIG_BYTES,
        .gid = (gid_t)-1,
        .uid = (uid_t)-1,
    };

    lws_set_log_level(LLL_ERR, NULL);
    o->context = lws_create_context(&info);
    must(o->context);
    struct lws_vhost *vhost = lws_create_vhost(o->context, &info);
    must(vhost);
    return vhost;
}

static void own_stop(struct own *o)
{
    o->is_over = true;
    lws_cancel_service(o->context);
    must(pthread_join(o->thread, NULL) == 0);
    lws_context_destroy(o->context);
}

static double own_plain(credentials mine)
{
    struct own o = { 0 };
    struct lws_vhost *vhost = own_start(&o, false);
    int fd[2];

    must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd) == 0);
    must(fcntl(fd[0], F_SETFL, O_NONBLOCK) == 0);
    lws_adopt_desc_t how = { .vh = vhost,
                             .type = LWS_ADOPT_SOCKET | LWS_ADOPT_HTTP,
                             .fd.sockfd = fd[0] };
    must(lws_adopt_descriptor_vhost_via_info(&how));
    must(pthread_create(&o.thread, NULL, serve, &o) == 0);
    double rate = read_plain(fd[1]);
    (void)close(fd[1]);
    own_stop(&o);
    return rate;
}

static double own_tls(credentials mine)
{
    struct own o = { 0 };
    struct lws_vhost *vhost = own_start(&o, true);
    int port = lws_get_vhost_listen_port(vhost);

    must(pthread_create(&o.thread, NULL, serve, &o) == 0);
    double rate = read_tls(port, mine);
    own_stop(&o);
    return rate;
}

/* ---- turns ---- */

typedef double rate_fn(credentials mine);

static double with_source(rate_fn *rate, credentials mine)
{
    pthread_t qemu;

    own_source = start_qemu(&qemu);
    must(fcntl(own_source, F_SETFL, 0) == 0);
    double result = rate(mine);
    (void)close(own_source);
    own_source = -1;
    must(pthread_join(qemu, NULL) == 0);
    return result;
}

int main(int argc, char **argv)
{
    if (argc != 4)
        return 2;
    (void)signal(SIGPIPE, SIG_IGN);
    folder = argv[1];
    seconds = strtod(argv[3], NULL);
    credentials mine = credentials_of(folder, "to-node");
    for (int i = 0; i < to_int(argv[2]); i++) {
        (void)printf("%.0f ", ours_plain(mine));
        (void)printf("%.0f ", own_plain(mine));
        (void)printf("%.0f ", with_source(own_plain, mine));
        (void)printf("%.0f ", ours_tls(mine));
        (void)printf("%.0f ", own_tls(mine));
        (void)printf("%.0f\n", with_source(own_tls, mine));
        (void)fflush(stdout);
    }
    return 0;
}
