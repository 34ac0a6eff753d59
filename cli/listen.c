/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/listen.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/scope.h"
#include "http/message.h"

static int own_port(int fd)
{
    struct sockaddr_storage at;
    socklen_t len = sizeof(at);

    if (getsockname(fd, (struct sockaddr *)&at, &len) < 0)
        return 0;
    return ntohs(at.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&at)->sin6_port
                                          : ((struct sockaddr_in *)&at)->sin_port);
}

static int bind_to(const struct addrinfo *at)
{
    scoped_fd int fd = socket(at->ai_family, at->ai_socktype | SOCK_CLOEXEC, 0);
    int on = 1;

    if (fd < 0)
        return -1;
    if (at->ai_socktype == SOCK_STREAM)
        (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (bind(fd, at->ai_addr, at->ai_addrlen) < 0)
        return -1;
    if (at->ai_socktype == SOCK_STREAM && listen(fd, SOMAXCONN) < 0)
        return -1;
    return TAKE_FD(fd);
}

int listen_on(const char *address, int port, bool is_udp, int *ret_port, struct error *e)
{
    const struct addrinfo hints = { .ai_family = AF_UNSPEC,
                                    .ai_socktype = is_udp ? SOCK_DGRAM : SOCK_STREAM,
                                    .ai_flags = AI_PASSIVE | AI_NUMERICSERV };
    struct addrinfo *found = NULL;
    char service[16];
    char shown[HTTP_AUTHORITY_MAX];

    (void)snprintf(service, sizeof(service), "%d", port);
    int r = getaddrinfo(address, service, &hints, &found);
    if (r != 0)
        return error_set(e, ERR_BAD_REQUEST, "--address: \"%s\" is not an address of this host: %s",
                         address, gai_strerror(r));
    int fd = bind_to(found);
    int why = errno;
    freeaddrinfo(found);
    if (fd < 0)
        return error_set(e, ERR_UNAVAILABLE, "listen on %s: %s",
                         http_authority(shown, address, port), strerror(why));
    *ret_port = own_port(fd);
    return fd;
}
