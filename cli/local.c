/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/local.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/socket.h>

#include "base/scope.h"
#include "cli/session.h"
#include "cli/websocket.h"

int local_accept(struct websocket *w, int listener, pid_t program, int64_t timeout_ms,
                 const char *what, struct error *e)
{
    scoped_fd int ended = program > 0 ? pidfd_open(program, 0) : -1;
    const int fds[] = { listener, ended };
    int on = 1;

    switch (websocket_wait(w, fds, countof(fds), timeout_ms)) {
    case 0:
        return error_set(e, ERR_TIMEOUT, "nothing connected within %lld s",
                         (long long)timeout_ms / 1000);
    case 1:
        break;
    case 2:
        return error_set(e, ERR_NOT_FOUND, "the program ended before it connected");
    default:
        if (session_end(w, what, e) == 0)
            error_set(e, ERR_UNAVAILABLE, "%s ended before anything connected", what);
        return -(int)e->code;
    }
    int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    if (fd < 0)
        return error_set(e, ERR_UNAVAILABLE, "accept: %s", strerror(errno));
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    return fd;
}

int local_copy(struct websocket *w, int fd, const char *what, struct error *e)
{
    const struct websocket_local local = { .in = fd, .out = fd };

    return websocket_copy(w, &local) == WEBSOCKET_LOCAL_END ? 0 : session_end(w, what, e);
}
