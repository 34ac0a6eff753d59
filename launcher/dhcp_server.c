// SPDX-License-Identifier: Apache-2.0
/* The socket below dhcp.h; see dhcp_server.h. */
#include "launcher/dhcp_server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "base/must.h"
#include "base/scope.h"

/* A flood from the guest gets its turn, not the whole thread. */
enum { MESSAGES_PER_WAKEUP = 16 };

struct dhcp_server {
    int fd;
    struct loop_io *io;
    struct dhcp_lease lease;
};

static void answer_one(struct dhcp_server *s, const uint8_t *in, size_t len)
{
    uint8_t out[DHCP_PACKET_MAX];
    struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(DHCP_CLIENT_PORT) };

    size_t n = dhcp_answer(&s->lease, in, len, out, &to.sin_addr.s_addr);
    if (n == 0)
        return;
    if (sendto(s->fd, out, n, MSG_DONTWAIT, (struct sockaddr *)&to, sizeof(to)) < 0)
        log_warn("DHCP answer not sent, the guest asks again", "error", strerror(errno));
}

static void on_readable(struct loop_io *io, int events, void *arg)
{
    struct dhcp_server *s = arg;
    uint8_t in[2048];

    for (int i = 0; i < MESSAGES_PER_WAKEUP; i++) {
        ssize_t n = recv(s->fd, in, sizeof(in), MSG_DONTWAIT);
        if (n < 0)
            return;
        answer_one(s, in, (size_t)n);
    }
}

static int open_socket(const char *bridge, struct error *e)
{
    const int on = 1;
    const struct sockaddr_in any = { .sin_family = AF_INET, .sin_port = htons(DHCP_SERVER_PORT) };
    scoped_fd int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, bridge, (socklen_t)strlen(bridge)) ||
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) ||
        setsockopt(fd, SOL_SOCKET, SO_BROADCAST, &on, sizeof(on)) ||
        bind(fd, (const struct sockaddr *)&any, sizeof(any)))
        return error_set(e, ERR_UNAVAILABLE, "DHCP on bridge \"%s\": %s", bridge, strerror(errno));
    return TAKE_FD(fd);
}

int dhcp_server_start(struct dhcp_server **ret, struct loop *l, const char *bridge,
                      const struct dhcp_lease *lease, struct error *e)
{
    int fd = open_socket(bridge, e);
    if (fd < 0)
        return fd;
    struct dhcp_server *s = must_calloc(1, sizeof(*s));
    s->fd = fd;
    s->lease = *lease;
    s->io = loop_io_new(l, fd, LOOP_READ, on_readable, s);
    *ret = s;
    return 0;
}

void dhcp_server_free(struct dhcp_server *s)
{
    if (!s)
        return;
    loop_io_free(s->io);
    (void)close(s->fd);
    free(s);
}
