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
 */
#include <poll.h>
#include <pthread.h>
#include <signal.h>

#include "base/scope.h"
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

static void *serve(void *arg)
{
    struct peer p;
    char head[HEAD_MAX], accept[64];

    if (peer_start(&p, (int)(intptr_t)arg, GNUTLS_SERVER, node, "NORMAL") &&
        peer_read_head(&p, head)) {
        websocket_accept(head, accept);
        scoped(free) char *answer =
            must_asprintf("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: "
                          "Upgrade\r\nSec-WebSocket-Accept: %s\r\nSec-WebSocket-Protocol: "
                          "plain.kubevirt.io\r\n\r\n",
                          accept);
        if (peer_write(&p, answer, strlen(answer))) {
            if (strstr(head, "/push-"))
                push(&p);
            else if (strstr(head, "/echo-"))
                echo(&p);
            else
                idle(&p);
        }
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
