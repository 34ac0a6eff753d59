/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What virt-api needs around it to carry streams, without a cluster: an API
 * server (test/fake), and the end of streams that virt-handler is otherwise.
 *     stream-world FOLDER
 * FOLDER has ca.crt and node.crt, node.key; kubeconfig and node-port are written into it.
 * What the end does follows from the machine's name:
 *     push-N  sends frames as fast as they are taken
 *     echo-N  sends back each frame's bytes
 *     idle-N  says nothing, but pings every 15 s
 *     count-N is virt-handler's own websocket thread (handler/ws), and a serial port that prints
 *             COUNT_BYTES of numbered lines without a pause, and ends
 */
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>

#include "base/scope.h"
#include "handler/ws.h"
#include "kube/kind.h"
#include "test/bench/stream_peer.h"
#include "test/fake/kube.h"

enum {
    FRAME_BYTES = 32 * 1024, /* what virt-handler reads from QEMU at a time */
    FRAME_HEAD = 4,
    FRAMES = 16,
    PING_MS = 15 * 1000,
    STACK_BYTES = 256 * 1024,
    MACHINES = 16, /* of each kind, so that no limit on streams of one is met */
    PEM_MAX = 65536,
};

static credentials node;
static unsigned char frames[FRAMES * (FRAME_HEAD + FRAME_BYTES)];

static void make_frames(void)
{
    static const unsigned char head[FRAME_HEAD] = { 0x82, 126, FRAME_BYTES >> 8,
                                                    FRAME_BYTES & 0xff };

    for (size_t i = 0; i < sizeof(frames); i++)
        frames[i] = (unsigned char)(i * 31);
    for (size_t i = 0; i < FRAMES; i++)
        memcpy(frames + i * (FRAME_HEAD + FRAME_BYTES), head, FRAME_HEAD);
}

static void push(struct peer *p)
{
    while (peer_write(p, frames, sizeof(frames))) {
    }
}

/* Short frames only: keystrokes. */
static void echo(struct peer *p)
{
    unsigned char head[2], mask[4], answer[2 + 125];

    while (peer_read_all(p, head, sizeof(head))) {
        size_t len = head[1] & 0x7f;

        if (len > 125 || !peer_read_all(p, mask, sizeof(mask)) ||
            !peer_read_all(p, answer + 2, len))
            return;
        if ((head[0] & 0x0f) == 8)
            return;
        for (size_t i = 0; i < len; i++)
            answer[2 + i] ^= mask[i % 4];
        answer[0] = 0x82;
        answer[1] = (unsigned char)len;
        if (!peer_write(p, answer, 2 + len))
            return;
    }
}

static void idle(struct peer *p)
{
    char ignored[256];

    for (;;) {
        struct pollfd ready = { .fd = p->fd, .events = POLLIN };

        if (poll(&ready, 1, PING_MS) == 0) {
            if (!peer_write(p, "\x89", 2))
                return;
        } else if (gnutls_record_recv(p->tls, ignored, sizeof(ignored)) == 0) {
            return;
        }
    }
}

/* ---- a console that prints without a pause ---- */

static struct ws *ws;

static bool write_all(int fd, const char *data, size_t len)
{
    while (len > 0) {
        ssize_t n = write(fd, data, len);

        if (n <= 0)
            return false;
        data += n;
        len -= (size_t)n;
    }
    return true;
}

static void *be_serial_port(void *arg)
{
    static const size_t lines_at_once = 4096;
    scoped(free) char *text = must_malloc(lines_at_once * COUNT_LINE_BYTES);
    int fd = (int)(intptr_t)arg;
    bool is_taken = true;

    for (size_t i = 0; is_taken && i < COUNT_LINES;) {
        size_t len = 0;

        for (size_t n = 0; n < lines_at_once && i < COUNT_LINES; n++, i++) {
            char line[32];

            count_line(line, i);
            memcpy(text + len, line, COUNT_LINE_BYTES);
            len += COUNT_LINE_BYTES;
        }
        is_taken = write_all(fd, text, len);
    }
    (void)close(fd);
    return NULL;
}

/* A pair of sockets; the first does not block. */
static void make_pair(int fd[2])
{
    must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd) == 0);
    must(fcntl(fd[0], F_SETFL, O_NONBLOCK) == 0);
}

static void copy_both_ways(struct peer *p, int fd)
{
    char data[RECORD_BYTES];
    struct pollfd ready[] = { { .fd = p->fd, .events = POLLIN }, { .fd = fd, .events = POLLIN } };

    while (poll(ready, 2, -1) > 0) {
        ssize_t n = 1;

        if (ready[1].revents)
            n = read(fd, data, sizeof(data));
        if (n <= 0 || (ready[1].revents && !peer_write(p, data, (size_t)n)))
            return;
        if (ready[0].revents) {
            n = gnutls_record_recv(p->tls, data, sizeof(data));
            if (n == 0 || (n > 0 && !write_all(fd, data, (size_t)n)))
                return;
        }
    }
}

/* The head is the handshake that virt-handler's thread answers itself. */
static void count(struct peer *p, const char *head)
{
    struct ws_session *s = NULL;
    pthread_t thread;
    int client[2], guest[2];

    must(ws_join(ws, "bench/console", HUB_CONSOLE, ASK_NOTHING, &s) == HUB_JOINED);
    make_pair(client);
    make_pair(guest);
    ws_session_begin(s, client[0], guest[0]);
    must(pthread_create(&thread, NULL, be_serial_port, (void *)(intptr_t)guest[1]) == 0);
    if (write_all(client[1], head, strlen(head)))
        copy_both_ways(p, client[1]);
    (void)close(client[1]);
    must(pthread_join(thread, NULL) == 0);
}

/* Everything but "count": the handshake is answered here. */
static void answer(struct peer *p, const char *head)
{
    char accept[64];

    websocket_accept(head, accept);
    scoped(free) char *text =
        must_asprintf("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: "
                      "Upgrade\r\nSec-WebSocket-Accept: %s\r\nSec-WebSocket-Protocol: "
                      "plain.kubevirt.io\r\n\r\n",
                      accept);
    if (!peer_write(p, text, strlen(text)))
        return;
    if (strstr(head, "/push-"))
        push(p);
    else if (strstr(head, "/echo-"))
        echo(p);
    else
        idle(p);
}

static void *serve(void *arg)
{
    struct peer p;
    char head[HEAD_MAX];

    if (peer_start(&p, (int)(intptr_t)arg, GNUTLS_SERVER, node, "NORMAL") &&
        peer_read_head(&p, head)) {
        if (strstr(head, "/count-"))
            count(&p, head);
        else
            answer(&p, head);
    }
    peer_done(&p);
    return NULL;
}

/* ---- the cluster ---- */

static char *read_pem(const char *folder, const char *name)
{
    scoped(free) char *path = must_asprintf("%s/%s", folder, name);
    char *text = must_calloc(1, PEM_MAX);
    FILE *f = fopen(path, "re");

    must(f && fread(text, 1, PEM_MAX - 1, f) > 0);
    (void)fclose(f);
    return text;
}

static void write_file(const char *folder, const char *name, const char *text)
{
    scoped(free) char *path = must_asprintf("%s/%s", folder, name);
    scoped(free) char *unfinished = must_asprintf("%s.new", path);
    FILE *f = fopen(unfinished, "we");

    must(f && fputs(text, f) >= 0 && fclose(f) == 0 && rename(unfinished, path) == 0);
}

static void put_machines(struct fake_kube *f, const char *kind)
{
    for (int i = 0; i < MACHINES; i++) {
        scoped(free) char *name = must_asprintf("%s-%d", kind, i);

        (void)fake_kube_put(f, &KIND_VMI,
                            must_pack("{s:{s:s, s:s, s:s}, s:{}, s:{s:s, s:s}}", "metadata", "name",
                                      name, "namespace", "bench", "uid", name, "spec", "status",
                                      "phase", "Running", "nodeName", "here"));
    }
}

static void fill(struct fake_kube *f, const char *ca)
{
    (void)fake_kube_put(f, &KIND_CONFIGMAP,
                        must_pack("{s:{s:s, s:s}, s:{s:s, s:s}}", "metadata", "name",
                                  "extension-apiserver-authentication", "namespace", "kube-system",
                                  "data", "requestheader-client-ca-file", ca,
                                  "requestheader-allowed-names", "[\"front-proxy-client\"]"));
    (void)fake_kube_put(f, &KIND_CONFIGMAP,
                        must_pack("{s:{s:s, s:s}, s:{s:s}}", "metadata", "name", "kubevirt-ca",
                                  "namespace", "kubevirt", "data", "ca-bundle", ca));
    (void)fake_kube_put(f, &KIND_POD,
                        must_pack("{s:{s:s, s:s, s:{s:s}}, s:{s:s}, s:{s:s, s:s}}", "metadata",
                                  "name", "virt-handler", "namespace", "kubevirt", "labels",
                                  "kubevirt.io", "virt-handler", "spec", "nodeName", "here",
                                  "status", "podIP", "127.0.0.1", "phase", "Running"));
    put_machines(f, "push");
    put_machines(f, "echo");
    put_machines(f, "idle");
    put_machines(f, "count");
}

static void write_kubeconfig(const char *folder, const char *url)
{
    scoped(free) char *text =
        must_asprintf("apiVersion: v1\nkind: Config\ncurrent-context: bench\n"
                      "clusters: [{name: bench, cluster: {server: '%s'}}]\n"
                      "users: [{name: bench, user: {}}]\n"
                      "contexts: [{name: bench, context: {cluster: bench, user: bench, namespace: "
                      "kubevirt}}]\n",
                      url);

    write_file(folder, "kubeconfig", text);
}

int main(int argc, char **argv)
{
    int port;
    pthread_attr_t small;

    if (argc != 2)
        return 2;
    (void)signal(SIGPIPE, SIG_IGN);
    open_many_files();
    make_frames();
    ws = ws_start(&(struct ws_options){ .viewers_max = 1 });
    node = credentials_of(argv[1], "node");
    struct fake_kube *f = fake_kube_start();
    scoped(free) char *ca = read_pem(argv[1], "ca.crt");
    fill(f, ca);
    write_kubeconfig(argv[1], fake_kube_url(f));

    int fd = listen_on(0, &port);
    scoped(free) char *text = must_asprintf("%d\n", port);
    write_file(argv[1], "node-port", text);
    must(pthread_attr_init(&small) == 0);
    must(pthread_attr_setstacksize(&small, STACK_BYTES) == 0);
    must(pthread_attr_setdetachstate(&small, PTHREAD_CREATE_DETACHED) == 0);
    for (;;) {
        pthread_t thread;
        int client = accept4(fd, NULL, NULL, SOCK_CLOEXEC);

        must(client >= 0);
        must(pthread_create(&thread, &small, serve, (void *)(intptr_t)client) == 0);
    }
}
