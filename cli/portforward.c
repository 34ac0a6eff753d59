/* SPDX-License-Identifier: Apache-2.0 */
/*
 * port-forward: local ports, or stdin and stdout, carried to ports of the guest (spec 06, section
 * 3.1).  Each TCP connection, and each client of a UDP port, has a thread; the main thread accepts.
 * The connections to a TCP port share a websocket where the server can do that (muxed.h), else each
 * has its own.  One that cannot be opened ends alone.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include "base/must.h"
#include "base/scope.h"
#include "base/str.h"
#include "base/thread.h"
#include "cli/commands.h"
#include "cli/listen.h"
#include "cli/muxed.h"
#include "cli/session.h"
#include "cli/spare.h"
#include "cli/ssh.h"
#include "cli/target.h"
#include "cli/websocket.h"
#include "http/message.h"
#include "kube/client.h"

enum {
    PORTS_MAX = OPTION_LIST_MAX,
    CONNECTIONS_MAX = 256, /* at a time; further ones wait in the listener's backlog */
    UDP_IDLE_MS = 5 * 60 * 1000,
    DATAGRAM_MAX = 65507,
};

const struct option port_forward_flags[] = {
    { "address", 0, OPTION_STRING, FLAG(address), .dflt = "127.0.0.1", .arg = "IP",
      .help = "Address to listen on." },
    { "stdio", 0, OPTION_BOOL, FLAG(is_stdio), .dflt = "false",
      .help = "Forward stdin and stdout to one port instead of listening; messages go to stderr." },
    { 0 },
};

struct port {
    struct port_pair pair;
    int fd;
    int bound;           /* the local port there is */
    struct muxed *muxed; /* TCP */
};

struct connection {
    struct connection *next;
    struct forward *forward;
    const struct port *port;
    pthread_t thread;
    atomic_bool is_done;
    int fd;                       /* the thread's */
    int pair_fd;                  /* UDP: the main thread's end; else -1 */
    struct sockaddr_storage peer; /* UDP */
    socklen_t peer_len;
};

struct forward {
    struct cli *cli;
    struct target target;
    struct port ports[PORTS_MAX];
    size_t ports_len;
    struct connection *connections;
    size_t connections_len;
    struct spare *spare;
    int done_fd; /* eventfd: a connection's thread has ended */
};

/* ---- one connection, on its thread ---- */

static char *stream_path(const struct forward *f, const struct port_pair *p)
{
    scoped(free) char *sub =
        must_asprintf("portforward/%d/%s", p->remote, p->is_udp ? "udp" : "tcp");

    return cli_subresource(f->cli, f->target.plural, f->target.name, sub);
}

/* ready: taken, may be NULL. */
static int carry(struct forward *f, const struct port_pair *p, const struct websocket_local *local,
                 struct websocket *ready, struct error *e)
{
    scoped(free) char *path = stream_path(f, p);
    scoped(free) char *what = must_asprintf("the connection to port %d", p->remote);
    scoped(websocket_free) struct websocket *w = ready;

    if (!w && websocket_open(&w, f->cli, f->spare ? spare_take(f->spare) : NULL, path, e) < 0)
        return -(int)e->code;
    if (websocket_copy(w, local) == WEBSOCKET_LOCAL_END)
        return 0;
    return session_end(w, what, e);
}

/* Closes fd. */
static int carry_fd(struct forward *f, const struct port *port, int fd, struct error *e)
{
    const struct port_pair *p = &port->pair;
    const struct websocket_local local = { .in = fd,
                                           .out = fd,
                                           .is_datagrams = p->is_udp,
                                           .is_half_open = !p->is_udp,
                                           .idle_ms = p->is_udp ? UDP_IDLE_MS : 0 };
    struct websocket *plain = NULL;
    int r = port->muxed ? muxed_carry(port->muxed, fd, &plain, e) : 1;

    if (r == 1) {
        r = carry(f, p, &local, plain, e);
        (void)close(fd);
    }
    return r;
}

/* Which connection an error is about. */
static int name_port(const struct forward *f, const struct port_pair *p, struct error *e)
{
    return error_wrap(e, "can't access %s/%s port %d", f->target.kind, f->target.name, p->remote);
}

static void *serve(void *arg)
{
    struct connection *c = arg;
    struct error e;
    uint64_t one = 1;

    if (carry_fd(c->forward, c->port, c->fd, &e) < 0) {
        (void)name_port(c->forward, &c->port->pair, &e);
        (void)fprintf(stderr, "%s\n", e.msg);
    }
    c->is_done = true;
    (void)!write(c->forward->done_fd, &one, sizeof(one));
    return NULL;
}

static struct connection *begin(struct forward *f, const struct port *port, int fd)
{
    struct connection *c = must_calloc(1, sizeof(*c));

    c->forward = f;
    c->port = port;
    c->fd = fd;
    c->pair_fd = -1;
    c->next = f->connections;
    f->connections = c;
    f->connections_len++;
    return c;
}

static void reap(struct forward *f)
{
    struct connection **at = &f->connections;
    uint64_t count;

    (void)!read(f->done_fd, &count, sizeof(count));
    while (*at) {
        struct connection *c = *at;

        if (!c->is_done) {
            at = &c->next;
            continue;
        }
        *at = c->next;
        (void)pthread_join(c->thread, NULL);
        if (c->pair_fd >= 0)
            (void)close(c->pair_fd);
        free(c);
        f->connections_len--;
    }
}

/* ---- what the main thread does ---- */

static volatile sig_atomic_t is_interrupted;
static int interrupt_fd = -1; /* the eventfd that the main thread waits for */

static void interrupted(int signal_number)
{
    uint64_t one = 1;

    is_interrupted = 1;
    (void)!write(interrupt_fd, &one, sizeof(one));
}

static void accept_tcp(struct forward *f, const struct port *port)
{
    int fd = accept4(port->fd, NULL, NULL, SOCK_CLOEXEC);
    int on = 1;

    if (fd < 0) {
        if (errno == EMFILE || errno == ENFILE)
            (void)poll(NULL, 0, 100); /* a descriptor comes free when a connection ends */
        return;
    }
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    (void)printf("Handling connection for %d\n", port->bound);
    (void)fflush(stdout);
    struct connection *c = begin(f, port, fd);
    thread_start(&c->thread, "forward", serve, c);
}

static struct connection *find_peer(struct forward *f, const struct port *port,
                                    const struct sockaddr_storage *peer, socklen_t len)
{
    for (struct connection *c = f->connections; c; c = c->next)
        if (c->port == port && !c->is_done && c->peer_len == len &&
            memcmp(&c->peer, peer, len) == 0)
            return c;
    return NULL;
}

/* A datagram of a local client goes to its thread, which is made for the first one. */
static void take_datagram(struct forward *f, const struct port *port)
{
    static char data[DATAGRAM_MAX];
    struct sockaddr_storage peer = { 0 };
    socklen_t len = sizeof(peer);
    ssize_t n =
        recvfrom(port->fd, data, sizeof(data), MSG_DONTWAIT, (struct sockaddr *)&peer, &len);
    int pair[2];

    if (n < 0)
        return;
    struct connection *c = find_peer(f, port, &peer, len);
    if (!c && f->connections_len >= CONNECTIONS_MAX)
        return;
    if (!c) {
        if (socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, pair) < 0)
            return;
        c = begin(f, port, pair[0]);
        c->pair_fd = pair[1];
        c->peer = peer;
        c->peer_len = len;
        thread_start(&c->thread, "forward", serve, c);
    }
    (void)send(c->pair_fd, data, (size_t)n, MSG_DONTWAIT | MSG_NOSIGNAL);
}

static void answer_datagram(const struct connection *c)
{
    static char data[DATAGRAM_MAX];
    ssize_t n = recv(c->pair_fd, data, sizeof(data), MSG_DONTWAIT);

    if (n >= 0)
        (void)sendto(c->port->fd, data, (size_t)n, MSG_DONTWAIT, (const struct sockaddr *)&c->peer,
                     c->peer_len);
}

static void forward_all(struct forward *f)
{
    while (!is_interrupted) {
        struct pollfd p[1 + PORTS_MAX + CONNECTIONS_MAX] = { { .fd = f->done_fd,
                                                               .events = POLLIN } };
        struct connection *of[CONNECTIONS_MAX];
        bool is_full = f->connections_len >= CONNECTIONS_MAX;
        size_t n = 1 + f->ports_len;
        size_t udp = 0;

        for (size_t i = 0; i < f->ports_len; i++)
            p[1 + i] =
                (struct pollfd){ .fd = is_full && !f->ports[i].pair.is_udp ? -1 : f->ports[i].fd,
                                 .events = POLLIN };
        for (struct connection *c = f->connections; c; c = c->next)
            if (c->pair_fd >= 0) {
                of[udp] = c;
                p[n + udp++] = (struct pollfd){ .fd = c->pair_fd, .events = POLLIN };
            }
        if (poll(p, n + udp, -1) < 0)
            continue;
        for (size_t i = 0; i < udp; i++)
            if (p[n + i].revents & POLLIN)
                answer_datagram(of[i]);
        for (size_t i = 0; i < f->ports_len; i++)
            if (p[1 + i].revents && f->ports[i].pair.is_udp)
                take_datagram(f, &f->ports[i]);
            else if (p[1 + i].revents)
                accept_tcp(f, &f->ports[i]);
        if (p[0].revents)
            reap(f);
    }
}

static int listen_all(struct forward *f, struct error *e)
{
    for (size_t i = 0; i < f->ports_len; i++) {
        struct port *p = &f->ports[i];
        char shown[HTTP_AUTHORITY_MAX];

        p->fd = listen_on(f->cli->flags.address, p->pair.local, p->pair.is_udp, &p->bound, e);
        if (p->fd < 0)
            return -(int)e->code;
        (void)printf("Forwarding from %s -> %d%s\n",
                     http_authority(shown, f->cli->flags.address, p->bound), p->pair.remote,
                     p->pair.is_udp ? " (udp)" : "");
    }
    (void)fflush(stdout);
    return 0;
}

static void share_connections(struct forward *f)
{
    for (size_t i = 0; i < f->ports_len; i++) {
        struct port *p = &f->ports[i];
        scoped(free) char *path = stream_path(f, &p->pair);
        scoped(free) char *what = must_asprintf("the connection to port %d", p->pair.remote);

        if (!p->pair.is_udp)
            p->muxed = muxed_new(f->cli, f->spare, path, what);
    }
}

static int forward_stdio(struct forward *f, struct error *e)
{
    const struct websocket_local local = { .in = STDIN_FILENO,
                                           .out = STDOUT_FILENO,
                                           .is_datagrams = f->ports[0].pair.is_udp,
                                           .is_half_open = !f->ports[0].pair.is_udp };

    if (f->ports_len != 1)
        return error_set(e, ERR_BAD_REQUEST, "--stdio forwards exactly one port");
    return carry(f, &f->ports[0].pair, &local, NULL, e) < 0 ? name_port(f, &f->ports[0].pair, e)
                                                            : 0;
}

int run_port_forward(struct cli *c, const struct option_list *args, struct error *e)
{
    static struct forward f; /* threads use it to the end of the process */
    int r = target_parse(&f.target, args->item[0], e);

    f.cli = c;
    f.ports_len = args->len - 1;
    for (size_t i = 0; i < f.ports_len && r == 0; i++)
        r = port_pair_parse(&f.ports[i].pair, args->item[1 + i], e);
    if (r < 0)
        return r;
    ssh_take_secrets(&c->flags);
    r = cli_connect(c, e);
    if (r < 0)
        return r;
    if (f.target.namespace[0])
        c->namespace = f.target.namespace;
    if (c->flags.is_stdio)
        return forward_stdio(&f, e);

    r = listen_all(&f, e);
    if (r < 0)
        return r;
    f.done_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    must(f.done_fd >= 0);
    f.spare = spare_start(kube_peek_http(c->kube));
    share_connections(&f);
    interrupt_fd = f.done_fd;
    (void)signal(SIGINT, interrupted);
    forward_all(&f);
    /* Connections that are open end with the process. */
    reap(&f);
    (void)fflush(NULL);
    _exit(0);
}
