/* SPDX-License-Identifier: Apache-2.0 */
/* vnc: one local TCP connection carried to the machine's screen (spec 06, section 3.1). */
#include <stdio.h>
#include <unistd.h>

#include "base/jpath.h"
#include "base/must.h"
#include "base/scope.h"
#include "base/str.h"
#include "cli/child.h"
#include "cli/commands.h"
#include "cli/listen.h"
#include "cli/local.h"
#include "cli/page.h"
#include "cli/session.h"
#include "cli/viewer.h"
#include "cli/websocket.h"
#include "kube/client.h"

enum { ACCEPT_MS = 60 * 1000 };

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
    SESSION_FLAGS,
    PAGE_FLAGS,
    { 0 },
};

/* A paused machine shows a still picture: say so, since it looks like a fault. */
static void warn_if_paused(struct cli *c, const char *name)
{
    json_auto_t *vmi = NULL;
    struct error e;

    if (kube_get(c->kube, &KIND_VMI, c->namespace, name, &vmi, &e) == 0 &&
        condition_is_true(vmi, "Paused"))
        (void)fprintf(stderr, "%s is paused: its screen stands still until it is unpaused\n", name);
}

static int start_viewer(const struct flags *f, int port, pid_t *ret, struct error *e)
{
    struct viewer_words words;

    for (size_t i = 0; viewer_words(&words, i, f->vnc_type, f->vnc_path, port,
                                    f->verbosity >= VIEWER_DEBUG_VERBOSITY);
         i++) {
        int r = child_start(ret, words.argv, e);
        if (r != -ERR_NOT_FOUND)
            return r;
    }
    if (*f->vnc_path)
        return -(int)e->code;
    return error_set(e, ERR_NOT_FOUND,
                     "no VNC viewer was found: install virt-viewer or tigervnc-viewer, or use "
                     "--browser or --proxy-only");
}

/* A viewer's failure is told and not ours. */
static void end_viewer(pid_t viewer)
{
    struct error e;

    if (viewer > 0 && child_wait(viewer, &e) < 0)
        (void)fprintf(stderr, "the viewer ended: %s\n", e.msg);
}

static int show(struct cli *c, const char *name, struct websocket *w, struct error *e)
{
    const struct flags *f = &c->flags;
    scoped(free) char *what = must_asprintf("the screen of %s", name);
    pid_t viewer = 0;
    int port = 0;
    scoped_fd int listener =
        listen_on(f->is_proxy_only ? f->address : "127.0.0.1", (int)f->port, false, &port, e);

    if (listener < 0)
        return -(int)e->code;
    if (f->is_proxy_only) {
        (void)printf("{\"port\":%d}\n", port);
        (void)fflush(stdout);
    } else if (start_viewer(f, port, &viewer, e) < 0) {
        return -(int)e->code;
    }

    scoped_fd int fd =
        local_accept(w, listener, viewer, f->is_proxy_only ? -1 : ACCEPT_MS, what, e);
    (void)close(TAKE_FD(listener)); /* exactly one is served; a second one should notice */
    int r = fd < 0 ? fd : 0;
    if (fd >= 0) {
        warn_if_paused(c, name);
        r = local_copy(w, fd, what, e);
        (void)close(TAKE_FD(fd)); /* so that the viewer ends */
    }
    if (fd != -ERR_TIMEOUT)
        end_viewer(viewer);
    return r == -ERR_NOT_FOUND && viewer > 0 ? 0 : r;
}

int run_vnc(struct cli *c, const struct option_list *args, struct error *e)
{
    const char *name = args->item[0];
    scoped(websocket_free) struct websocket *w = NULL;

    if (viewer_check(c->flags.vnc_type, e) < 0)
        return -(int)e->code;
    if (page_is_wanted(c))
        return page_run(c, name, "screen", e);
    scoped(free) char *path =
        session_path(c, name, "vnc",
                     c->flags.keeps_session ? "preserveSession=true" : "preserveSession=false", e);
    if (!path)
        return -(int)e->code;
    if (websocket_open(&w, c, NULL, path, e) < 0)
        return error_wrap(e, "Can't access VMI %s", name);
    session_tell_roles(w);
    return show(c, name, w, e);
}
