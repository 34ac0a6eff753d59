/* SPDX-License-Identifier: Apache-2.0 */
/* usbredir: a USB device of this host in the guest (spec 06, section 3.1), by usbredirect. */
#include <stdio.h>

#include "base/must.h"
#include "base/scope.h"
#include "base/str.h"
#include "cli/child.h"
#include "cli/commands.h"
#include "cli/listen.h"
#include "cli/local.h"
#include "cli/websocket.h"

const struct option usbredir_flags[] = {
    { "no-launch", 0, OPTION_BOOL, FLAG(launches_nothing), .dflt = "false",
      .help = "Print where a usbredir client can connect instead of running usbredirect." },
    { 0 },
};

static const char program[] = "usbredirect";

static bool is_in_path(const char *name)
{
    const char *path = getenv("PATH");

    for (path = path ? path : ""; *path;) {
        size_t len = strcspn(path, ":");
        scoped(free) char *file = must_asprintf("%.*s/%s", (int)len, path, name);

        if (access(file, X_OK) == 0)
            return true;
        path += len + (path[len] == ':');
    }
    return false;
}

static int redirect(struct websocket *w, const char *device, const char *name, struct error *e)
{
    scoped(free) char *what = must_asprintf("the USB redirection to %s", name);
    struct error failed;
    pid_t child = 0;
    int port = 0;
    scoped_fd int listener = listen_on("127.0.0.1", 0, false, &port, e);

    if (listener < 0)
        return -(int)e->code;
    scoped(free) char *address = must_asprintf("127.0.0.1:%d", port);
    char *argv[] = { (char *)program, (char *)"--device",
                     (char *)device,  (char *)"--to",
                     address,         NULL };
    if (!device) {
        (void)printf("User can connect usbredir client at: %s\n", address);
        (void)fflush(stdout);
    } else if (child_start(&child, argv, e) < 0) {
        return -(int)e->code;
    }
    scoped_fd int fd = local_accept(w, listener, child, -1, what, e);
    int r = fd < 0 ? fd : local_copy(w, fd, what, e);
    if (fd >= 0)
        (void)close(TAKE_FD(fd)); /* so that usbredirect ends */
    if (child > 0 && child_wait(child, &failed) < 0 && (r == 0 || r == -ERR_NOT_FOUND))
        r = error_set(e, ERR_INTERNAL, "%s: %s", program, failed.msg);
    return r;
}

int run_usbredir(struct cli *c, const struct option_list *args, struct error *e)
{
    bool launches = !c->flags.launches_nothing;
    const char *name = args->item[args->len - 1];
    const char *device = launches ? args->item[0] : NULL;
    scoped(websocket_free) struct websocket *w = NULL;

    if (launches && args->len != 2)
        return error_set(e, ERR_BAD_REQUEST,
                         "a device (vendor:product or bus-device) and a machine are expected");
    if (device && device[0] == '-')
        return error_set(e, ERR_BAD_REQUEST, "\"%s\" is not vendor:product or bus-device", device);
    if (launches && !is_in_path(program))
        return error_set(e, ERR_NOT_FOUND,
                         "%s was not found in $PATH: install usbredir's tools, or use --no-launch",
                         program);
    scoped(free) char *path = cli_subresource(c, "virtualmachineinstances", name, "usbredir");
    if (websocket_open(&w, c, NULL, path, e) < 0)
        return error_wrap(e, "Can't access VMI %s", name);
    return redirect(w, device, name, e);
}
