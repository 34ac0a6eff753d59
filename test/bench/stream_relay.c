/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The yardstick of streams: TLS in, TLS out, one thread, epoll, records of 16 KiB.  No HTTP, no
 * frames, nobody is asked whether this may be.
 *     stream-relay PORT TO_PORT FOLDER        with FOLDER's pairs "api" and "to-node"
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/epoll.h>

#include "base/scope.h"
#include "test/bench/stream_peer.h"

enum { RECORDS_AT_ONCE = 16 };

struct pair;
struct side {
    struct pair *pair;
    struct peer peer;
    char held[RECORD_BYTES]; /* for this side, until it takes it */
    size_t held_len;
    uint32_t watched;
};
struct pair {
    struct side side[2];
};

static int epoll;

static void watch(struct side *s)
{
    struct side *other = &s->pair->side[s == s->pair->side];
    uint32_t events = (other->held_len == 0 ? EPOLLIN : 0U) | (s->held_len > 0 ? EPOLLOUT : 0U);

    if (events == s->watched)
        return;
    s->watched = events;
    must(epoll_ctl(epoll, EPOLL_CTL_MOD, s->peer.fd,
                   &(struct epoll_event){ .events = events, .data.ptr = s }) == 0);
}

/* 1: all is gone, 0: not now, -1: never. */
static int push(struct side *to)
{
    if (to->held_len == 0)
        return 1;
    /* After "again" the same bytes are asked for again, as gnutls wants it. */
    ssize_t n = gnutls_record_send(to->peer.tls, to->held, to->held_len);
    if (n == GNUTLS_E_AGAIN || n == GNUTLS_E_INTERRUPTED)
        return 0;
    if (n != (ssize_t)to->held_len)
        return -1;
    to->held_len = 0;
    return 1;
}

static int move(struct side *from, struct side *to)
{
    int r = push(to);

    for (int i = 0; r == 1 && i < RECORDS_AT_ONCE; i++) {
        ssize_t n = gnutls_record_recv(from->peer.tls, to->held, RECORD_BYTES);

        if (n == GNUTLS_E_AGAIN || n == GNUTLS_E_INTERRUPTED)
            return 1;
        if (n <= 0)
            return -1;
        to->held_len = (size_t)n;
        r = push(to);
    }
    return r;
}

static void end(struct pair *p)
{
    peer_done(&p->side[0].peer);
    peer_done(&p->side[1].peer);
    free(p);
}

static void on_event(struct side *s, uint32_t events)
{
    struct pair *p = s->pair;
    struct side *other = &p->side[s == p->side];

    if (((events & ~(uint32_t)EPOLLOUT) && move(s, other) < 0) ||
        ((events & EPOLLOUT) && move(other, s) < 0)) {
        end(p);
        return;
    }
    watch(&p->side[0]);
    watch(&p->side[1]);
}

/* Handshakes block: there is one client at a time. */
static void take(int fd, int to_port, credentials in, credentials out)
{
    struct pair *p = must_calloc(1, sizeof(*p));

    if (!peer_start(&p->side[0].peer, fd, GNUTLS_SERVER, in, "NORMAL") ||
        !peer_start(&p->side[1].peer, connect_to(to_port), GNUTLS_CLIENT, out, "NORMAL")) {
        (void)fprintf(stderr, "stream-relay: no handshake\n");
        exit(1);
    }
    for (int i = 0; i < 2; i++) {
        struct side *s = &p->side[i];
        struct epoll_event e = { .events = EPOLLIN, .data.ptr = s };

        s->pair = p;
        s->watched = EPOLLIN;
        must(fcntl(s->peer.fd, F_SETFL, O_NONBLOCK) == 0);
        must(epoll_ctl(epoll, EPOLL_CTL_ADD, s->peer.fd, &e) == 0);
    }
}

int main(int argc, char **argv)
{
    if (argc != 4)
        return 2;
    (void)signal(SIGPIPE, SIG_IGN);
    credentials in = credentials_of(argv[3], "api"), out = credentials_of(argv[3], "to-node");
    int fd = listen_on(to_int(argv[1]), NULL);
    struct epoll_event e = { .events = EPOLLIN, .data.ptr = NULL };

    epoll = epoll_create1(EPOLL_CLOEXEC);
    must(epoll >= 0 && epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &e) == 0);
    for (;;) {
        /* One at a time: an end frees both sides of a pair. */
        int n = epoll_wait(epoll, &e, 1, -1);

        must(n >= 0 || errno == EINTR);
        if (n > 0 && e.data.ptr)
            on_event(e.data.ptr, e.events);
        else if (n > 0)
            take(accept4(fd, NULL, NULL, SOCK_CLOEXEC), to_int(argv[2]), in, out);
    }
}
