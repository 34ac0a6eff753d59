/* SPDX-License-Identifier: Apache-2.0 */
/* vnc: one local TCP connection carried to the machine's screen (spec 06, section 3.1). */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "base/jpath.h"
#include "base/must.h"
#include "base/scope.h"
#include "base/str.h"
#include "cli/commands.h"
#include "cli/websocket.h"
#include "kube/client.h"

extern char **environ;

enum { ACCEPT_MS = 60 * 1000, CHUNK = 64 * 1024 };

const struct option vnc_flags[] = {
    { "address", 0, OPTION_STRING, FLAG(address), .dflt = "127.0.0.1", .arg = "IP",
      .help = "Address to listen on, with --proxy-only." },
    { "port", 0, OPTION_INT, FLAG(port), .dflt = "0", .max = 65535, .arg = "N",
      .help = "Port to listen on; 0 picks a free one." },
    { "proxy-only", 0, OPTION_BOOL, FLAG(is_proxy_only), .dflt = "false",
      .help = "Print the port as JSON and start no viewer." },
    { "preserve-session", 0, OPTION_BOOL, FLAG(keeps_session), .dflt = "false",
      .help = "Do not take the screen over from somebody who has it." },
    { "vnc-type", 0, OPTION_STRING, FLAG(vnc_type), .dflt = "", .arg = "TYPE",
      .help = "Viewer: tiger or remote-viewer; found by itself when not given." },
    { "vnc-path", 0, OPTION_STRING, FLAG(vnc_path), .dflt = "", .arg = "FILE",
      .help = "The viewer's program." },
    { "file", 'f', OPTION_STRING, FLAG(file), .dflt = "", .arg = "FILE",
      .help = "vnc screenshot: where the PNG goes; - is stdout." },
    { "move-cursor", 'm', OPTION_BOOL, FLAG(moves_cursor), .dflt = "false",
      .help = "vnc screenshot: wake the screen by moving the cursor." },
    { 0 },
};

static int listen_on(const char *address, int port, int *ret_port, struct error *e)
{
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
    socklen_t len = sizeof(at);
    scoped_fd int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int on = 1;

    must(fd >= 0);
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (inet_pton(AF_INET, address, &at.sin_addr) != 1)
        return error_set(e, ERR_BAD_REQUEST, "--address: \"%s\" is not an IPv4 address", address);
    if (bind(fd, (struct sockaddr *)&at, len) < 0 || listen(fd, 1) < 0)
        return error_set(e, ERR_UNAVAILABLE, "listen on %s:%d: %s", address, port, strerror(errno));
    if (getsockname(fd, (struct sockaddr *)&at, &len) < 0)
        return error_set(e, ERR_INTERNAL, "own address: %s", strerror(errno));
    *ret_port = ntohs(at.sin_port);
    return TAKE_FD(fd);
}

/* remote-viewer first, then TigerVNC, as upstream looks for them. */
static const struct {
    const char *type, *program, *scheme;
} viewers[] = {
    { "remote-viewer", "remote-viewer", "vnc://" },
    { "tiger", "vncviewer", "" },
};

static int start_viewer(const struct flags *f, int port, pid_t *ret, struct error *e)
{
    for (size_t i = 0; i < countof(viewers); i++) {
        const char *program = *f->vnc_path ? f->vnc_path : viewers[i].program;
        char target[64];
        char *argv[] = { (char *)program, target, NULL };

        if (*f->vnc_type && !streq(f->vnc_type, viewers[i].type))
            continue;
        (void)snprintf(target, sizeof(target), "%s127.0.0.1:%d", viewers[i].scheme, port);
        if (posix_spawnp(ret, program, NULL, NULL, argv, environ) == 0)
            return 0;
    }
    return error_set(e, ERR_NOT_FOUND,
                     "no VNC viewer was found: install virt-viewer or tigervnc-viewer, or use "
                     "--proxy-only");
}

static bool move(int from, int to)
{
    char data[CHUNK];
    ssize_t n = read(from, data, sizeof(data));

    for (ssize_t done = 0; done < n;) {
        ssize_t w = send(to, data + done, (size_t)(n - done), MSG_NOSIGNAL);

        if (w <= 0)
            return false;
        done += w;
    }
    return n > 0;
}

static void carry(int viewer, int remote)
{
    struct pollfd p[2] = { { .fd = viewer, .events = POLLIN }, { .fd = remote, .events = POLLIN } };

    for (;;) {
        if (poll(p, 2, -1) < 0 && errno != EINTR)
            return;
        if (p[0].revents && !move(viewer, remote))
            return;
        if (p[1].revents && !move(remote, viewer))
            return;
    }
}

/* A paused machine shows a still picture: say so, since it looks like a fault. */
static void warn_if_paused(struct cli *c, const char *name)
{
    json_auto_t *vmi = NULL;
    struct error e;

    if (kube_get(c->kube, &KIND_VMI, c->namespace, name, &vmi, &e) == 0 &&
        condition_is_true(vmi, "Paused"))
        (void)fprintf(stderr, "%s is paused: its screen stands still until it is unpaused\n", name);
}

static int serve_one(struct cli *c, const char *name, int listener, int remote, struct error *e)
{
    struct pollfd p = { .fd = listener, .events = POLLIN };
    int wait_ms = c->flags.is_proxy_only ? -1 : ACCEPT_MS;

    if (poll(&p, 1, wait_ms) <= 0)
        return error_set(e, ERR_TIMEOUT, "no viewer connected within a minute");
    scoped_fd int viewer = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    if (viewer < 0)
        return error_set(e, ERR_UNAVAILABLE, "accept: %s", strerror(errno));
    warn_if_paused(c, name);
    carry(viewer, remote);
    return 0;
}

static int show(struct cli *c, const char *name, struct websocket *w, struct error *e)
{
    const struct flags *f = &c->flags;
    pid_t viewer = 0;
    int port = 0;
    scoped_fd int listener =
        listen_on(f->is_proxy_only ? f->address : "127.0.0.1", (int)f->port, &port, e);

    if (listener < 0)
        return -(int)e->code;
    if (f->is_proxy_only) {
        (void)printf("{\"port\":%d}\n", port);
        (void)fflush(stdout);
    } else if (start_viewer(f, port, &viewer, e) < 0) {
        return -(int)e->code;
    }

    int r = serve_one(c, name, listener, websocket_fd(w), e);
    if (viewer > 0)
        (void)waitpid(viewer, NULL, 0);
    return r;
}

static int screenshot(struct cli *c, const char *name, struct error *e)
{
    const char *file = c->flags.file;

    if (!*file)
        return error_set(e, ERR_BAD_REQUEST, "--file is required: where the picture goes");

    scoped(free) char *sub =
        must_asprintf("vnc/screenshot?moveCursor=%s", c->flags.moves_cursor ? "true" : "false");
    scoped(free) char *path = cli_subresource(c, "virtualmachineinstances", name, sub);
    struct http_request q = { .method = HTTP_GET, .path = path, .accept = "*/*" };
    struct http_response answer;
    int r = http_client_do(kube_peek_http(c->kube), &q, &answer, e);

    if (r == 0 && answer.status != 200)
        r = cli_get(c, path, NULL, e);
    else if (r == 0) {
        FILE *out = streq(file, "-") ? stdout : fopen(file, "we");

        if (!out || fwrite(answer.body.data, 1, answer.body.len, out) != answer.body.len)
            r = error_set(e, ERR_INTERNAL, "write %s: %s", file, strerror(errno));
        if (out && out != stdout)
            (void)fclose(out);
    }
    http_response_done(&answer);
    return r < 0 ? error_wrap(e, "Can't access VMI %s", name) : 0;
}

int run_vnc(struct cli *c, const struct option_list *args, struct error *e)
{
    struct websocket *w = NULL;

    if (streq(args->item[0], "screenshot") && args->len == 2)
        return screenshot(c, args->item[1], e);
    if (args->len != 1)
        return error_set(e, ERR_BAD_REQUEST, "one machine is expected");

    const char *name = args->item[0];
    scoped(free) char *path = cli_subresource(c, "virtualmachineinstances", name,
                                              c->flags.keeps_session ? "vnc?preserveSession=true"
                                                                     : "vnc?preserveSession=false");
    if (websocket_open(&w, c, path, e) < 0)
        return error_wrap(e, "can't access VMI %s", name);

    int r = show(c, name, w, e);
    websocket_free(w);
    return r;
}
