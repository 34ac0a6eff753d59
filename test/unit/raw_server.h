/* SPDX-License-Identifier: Apache-2.0 */
/* A plain peer that says exactly what a test wants, whatever it is asked. */
#ifndef TEST_RAW_SERVER_H
#define TEST_RAW_SERVER_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/must.h"

enum { RAW_PIECES_MAX = 8 };

struct raw_server {
    int fd;
    int port;
    pthread_t thread;
    atomic_int served;
    const char *piece[RAW_PIECES_MAX + 1]; /* said one after another, 20 ms apart */
    size_t piece_len[RAW_PIECES_MAX];      /* 0: strlen */
    bool holds;                            /* then say nothing more, without closing */
};

static inline void raw_server_say(struct raw_server *s, int fd)
{
    char byte[4096];
    char tail[5] = { 0 };

    while (strcmp(tail, "\r\n\r\n") != 0 && read(fd, byte, 1) == 1) {
        memmove(tail, tail + 1, 3);
        tail[3] = byte[0];
    }
    for (int i = 0; s->piece[i]; i++) {
        size_t len = s->piece_len[i] ? s->piece_len[i] : strlen(s->piece[i]);
        if (i > 0)
            usleep(20 * 1000);
        if (send(fd, s->piece[i], len, MSG_NOSIGNAL) < 0)
            break;
    }
    atomic_fetch_add(&s->served, 1);
    while (s->holds && read(fd, byte, sizeof(byte)) > 0)
        ;
    (void)close(fd);
}

static inline void *raw_server_run(void *arg)
{
    struct raw_server *s = arg;

    for (;;) {
        int fd = accept(s->fd, NULL, NULL);
        if (fd < 0)
            return NULL;
        raw_server_say(s, fd);
    }
}

static inline void raw_server_start(struct raw_server *s)
{
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t len = sizeof(a);

    s->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    must(s->fd >= 0 && bind(s->fd, (struct sockaddr *)&a, sizeof(a)) == 0 && listen(s->fd, 8) == 0);
    must(getsockname(s->fd, (struct sockaddr *)&a, &len) == 0);
    s->port = ntohs(a.sin_port);
    must(pthread_create(&s->thread, NULL, raw_server_run, s) == 0);
}

/* Every client must have closed by now. */
static inline void raw_server_stop(struct raw_server *s)
{
    (void)shutdown(s->fd, SHUT_RDWR);
    must(pthread_join(s->thread, NULL) == 0);
    (void)close(s->fd);
}

#endif
