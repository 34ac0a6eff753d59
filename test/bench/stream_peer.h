/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the programs of the streams part share: a TLS connection that blocks, a
 * websocket's handshake and frames as far as a bench needs them, time.  Each is
 * a program of one file; whatever goes wrong ends it.
 */
#ifndef BENCH_STREAM_PEER_H
#define BENCH_STREAM_PEER_H

#include <arpa/inet.h>
#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/must.h"

#define unused_ __attribute__((unused))

enum { HEAD_MAX = 8192, RECORD_BYTES = 16 * 1024 };

/* What a console prints that is compared byte by byte: lines of numbers, 100 MB. */
enum { COUNT_FIRST = 10000001, COUNT_LINE_BYTES = 10, COUNT_LINES = 10 * 1000 * 1000 };

/* As Go's client, which kube-apiserver is: AES-128 first. */
#define AS_GO "NORMAL:-CIPHER-ALL:+AES-128-GCM:+AES-256-GCM:+CHACHA20-POLY1305"

typedef gnutls_certificate_credentials_t credentials;

struct peer {
    int fd;
    gnutls_session_t tls;
};

static unused_ double now_s(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static unused_ void count_line(char ret[32], size_t number)
{
    (void)snprintf(ret, 32, "%zu\r\n", COUNT_FIRST + number);
}

static unused_ int to_int(const char *text)
{
    return (int)strtol(text, NULL, 10);
}

static unused_ void open_many_files(void)
{
    struct rlimit r;

    must(getrlimit(RLIMIT_NOFILE, &r) == 0);
    r.rlim_cur = r.rlim_max;
    must(setrlimit(RLIMIT_NOFILE, &r) == 0);
}

/* The pair NAME.crt and NAME.key of the folder. */
static unused_ credentials credentials_of(const char *folder, const char *name)
{
    scoped(free) char *crt = must_asprintf("%s/%s.crt", folder, name);
    scoped(free) char *key = must_asprintf("%s/%s.key", folder, name);
    credentials c;

    must(gnutls_certificate_allocate_credentials(&c) == 0);
    must(gnutls_certificate_set_x509_key_file(c, crt, key, GNUTLS_X509_FMT_PEM) >= 0);
    return c;
}

static unused_ int listen_on(int port, int *ret_port)
{
    struct sockaddr_in a = { .sin_family = AF_INET,
                             .sin_port = htons((uint16_t)port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t len = sizeof(a);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    must(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){ 1 }, sizeof(int)) == 0);
    must(bind(fd, (struct sockaddr *)&a, len) == 0 && listen(fd, 1024) == 0);
    must(getsockname(fd, (struct sockaddr *)&a, &len) == 0);
    if (ret_port)
        *ret_port = ntohs(a.sin_port);
    return fd;
}

static unused_ int connect_to(int port)
{
    struct sockaddr_in a = { .sin_family = AF_INET,
                             .sin_port = htons((uint16_t)port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    must(fd >= 0 && connect(fd, (struct sockaddr *)&a, sizeof(a)) == 0);
    return fd;
}

/* flags: GNUTLS_SERVER or GNUTLS_CLIENT.  False when the other side does not want to. */
static unused_ bool peer_start(struct peer *p, int fd, unsigned flags, credentials c,
                               const char *priority)
{
    int n;

    *p = (struct peer){ .fd = fd };
    must(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){ 1 }, sizeof(int)) == 0);
    must(gnutls_init(&p->tls, flags | GNUTLS_NO_SIGNAL | GNUTLS_FORCE_CLIENT_CERT) == 0);
    must(gnutls_priority_set_direct(p->tls, priority, NULL) == 0);
    must(gnutls_credentials_set(p->tls, GNUTLS_CRD_CERTIFICATE, c) == 0);
    if (flags & GNUTLS_SERVER)
        gnutls_certificate_server_set_request(p->tls, GNUTLS_CERT_REQUEST);
    gnutls_transport_set_int(p->tls, fd);
    do
        n = gnutls_handshake(p->tls);
    while (n < 0 && !gnutls_error_is_fatal(n));
    return n == 0;
}

static unused_ void peer_done(struct peer *p)
{
    gnutls_deinit(p->tls);
    (void)close(p->fd);
}

/* <= 0: the end. */
static unused_ ssize_t peer_read(struct peer *p, void *data, size_t len)
{
    ssize_t n;

    do
        n = gnutls_record_recv(p->tls, data, len);
    while (n == GNUTLS_E_AGAIN || n == GNUTLS_E_INTERRUPTED);
    return n;
}

static unused_ bool peer_read_all(struct peer *p, void *data, size_t len)
{
    for (size_t have = 0; have < len;) {
        ssize_t n = peer_read(p, (char *)data + have, len - have);

        if (n <= 0)
            return false;
        have += (size_t)n;
    }
    return true;
}

static unused_ bool peer_write(struct peer *p, const void *data, size_t len)
{
    while (len > 0) {
        ssize_t n = gnutls_record_send(p->tls, data, len);

        if (n == GNUTLS_E_AGAIN || n == GNUTLS_E_INTERRUPTED)
            continue;
        if (n <= 0)
            return false;
        data = (const char *)data + n;
        len -= (size_t)n;
    }
    return true;
}

/* Up to the empty line and no byte further. */
static unused_ bool peer_read_head(struct peer *p, char head[HEAD_MAX])
{
    size_t len = 0;

    while (len + 1 < HEAD_MAX && peer_read(p, head + len, 1) == 1) {
        head[++len] = '\0';
        if (len >= 4 && memcmp(head + len - 4, "\r\n\r\n", 4) == 0)
            return true;
    }
    return false;
}

/* What answers a Sec-WebSocket-Key (RFC 6455, 4.2.2); of a whole head. */
static unused_ void websocket_accept(const char *head, char ret[64])
{
    static const char name[] = "Sec-WebSocket-Key: ", id[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    const char *at = strcasestr(head, name);
    unsigned char digest[20];
    gnutls_datum_t out;

    must(at != NULL);
    at += strlen(name);
    scoped(free) char *both = must_asprintf("%.*s%s", (int)strcspn(at, "\r\n "), at, id);
    must(gnutls_hash_fast(GNUTLS_DIG_SHA1, both, strlen(both), digest) == 0);
    must(gnutls_base64_encode2(&(gnutls_datum_t){ digest, sizeof(digest) }, &out) == 0);
    (void)snprintf(ret, 64, "%.*s", (int)out.size, out.data);
    gnutls_free(out.data);
}

/* "more" is further header lines.  False unless it was upgraded; then `head` has the answer. */
static unused_ bool websocket_ask(struct peer *p, const char *path, const char *more,
                                  char head[HEAD_MAX])
{
    int n =
        snprintf(head, HEAD_MAX,
                 "GET %s HTTP/1.1\r\nHost: bench\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                 "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n"
                 "Sec-WebSocket-Protocol: plain.kubevirt.io\r\n%s\r\n",
                 path, more);

    return peer_write(p, head, (size_t)n) && peer_read_head(p, head) &&
           strncmp(head, "HTTP/1.1 101", 12) == 0;
}

#endif
