// SPDX-License-Identifier: Apache-2.0
/* libvirt's daemon; see libvirtd.h. */
#include "launcher/libvirtd.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "base/log.h"
#include "base/must.h"
#include "base/str.h"
#include "launcher/beneath.h"
#include "launcher/layout.h"

enum { RESTART_MS = 1000 };

/*
 * Puts into libvirt's cache what QEMU said of itself when the image was built,
 * so that it is not asked at each start; not every image has it.
 */
static const char primer[] = "/usr/lib/cvirt/prime-libvirt";

/* The one for QEMU alone is preferred where a distribution has it. */
static const struct daemon_kind {
    const char *path, *config, *socket;
} kinds[] = {
    { "/usr/sbin/virtqemud", "virtqemud.conf", "virtqemud-sock" },
    { "/usr/sbin/libvirtd", "libvirtd.conf", "libvirt-sock" },
};

/*
 * Without capabilities there are no owners to remember and no namespaces to
 * make; the pod has its own cgroup; without virtlogd QEMU writes its log itself.
 */
static const char qemu_conf[] = "stdio_handler = \"file\"\n"
                                "security_driver = \"none\"\n"
                                "dynamic_ownership = 0\n"
                                "remember_owner = 0\n"
                                "namespaces = []\n"
                                "cgroup_controllers = []\n"
                                "vnc_tls = 0\n"
                                "vnc_sasl = 0\n";

static const char daemon_conf[] = "log_outputs = \"4:stderr\"\n"
                                  "max_clients = 8\n"
                                  "max_anonymous_clients = 8\n"
                                  "admin_max_clients = 1\n"
                                  "keepalive_interval = 5\n"
                                  "keepalive_count = 5\n";

struct libvirtd {
    struct loop *loop;
    struct reaper *reaper;
    loop_fn *on_socket;
    void *arg;
    const struct daemon_kind *kind;
    char *config; /* path of its configuration */
    char *uri;
    pid_t pid; /* 0: not running */
    int inotify_fd;
    struct loop_io *inotify;
    struct loop_timer *restart;
};

static int write_file(const char *path, const char *text, struct error *e)
{
    scoped_fd int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
    size_t len = strlen(text);

    if (fd < 0 || write(fd, text, len) != (ssize_t)len)
        return error_set(e, ERR_INTERNAL, "write \"%s\": %s", path, strerror(errno));
    return 0;
}

/* Huge pages are used through a directory that the pod may have got. */
static int write_qemu_conf(const char *dir, struct error *e)
{
    scoped(free) char *path = must_asprintf("%s/qemu.conf", dir);
    const char *huge = access("/dev/hugepages", W_OK) == 0
                           ? "hugetlbfs_mount = \"/dev/hugepages\"\n"
                           : "hugetlbfs_mount = []\n";
    scoped(free) char *text = must_asprintf("%s%s", qemu_conf, huge);

    return write_file(path, text, e);
}

static int configure(struct libvirtd *d, struct error *e)
{
    const char *base = getenv("XDG_CONFIG_HOME");
    scoped(free) char *dir = must_asprintf("%s/libvirt", base ? base : PRIVATE_DIR);

    d->config = must_asprintf("%s/%s", dir, d->kind->config);
    int r = make_dirs(dir, e);
    if (r >= 0)
        r = make_dirs(LIBVIRT_RUN_DIR, e);
    if (r >= 0)
        r = write_qemu_conf(dir, e);
    return r < 0 ? r : write_file(d->config, daemon_conf, e);
}

static void on_daemon_end(pid_t pid, int status, void *arg)
{
    struct libvirtd *d = arg;

    d->pid = 0;
    log_warn("libvirt's daemon ended, starting it again in 1 s", "status", log_i(status));
    loop_timer_set(d->restart, RESTART_MS);
}

static int spawn(struct libvirtd *d, struct error *e)
{
    const char *const argv[] = { d->kind->path, "-f", d->config, NULL };
    return reaper_spawn(d->reaper, argv, NULL, on_daemon_end, d, &d->pid, e);
}

static void on_restart(void *arg)
{
    struct libvirtd *d = arg;
    struct error e;

    if (spawn(d, &e) >= 0)
        return;
    log_error("libvirt's daemon does not start, trying again in 1 s", "error", e.msg);
    loop_timer_set(d->restart, RESTART_MS);
}

static void on_primed(pid_t pid, int status, void *arg)
{
    if (status != 0)
        log_warn("libvirt's cache was not primed, it asks QEMU itself", "status", log_i(status));
    on_restart(arg);
}

/* The first start: the cache before the daemon that reads it. */
static int prime_and_spawn(struct libvirtd *d, struct error *e)
{
    const char *const argv[] = { primer, NULL };
    pid_t pid;

    if (access(primer, X_OK) < 0)
        return spawn(d, e);
    return reaper_spawn(d->reaper, argv, NULL, on_primed, d, &pid, e);
}

static void on_directory(struct loop_io *io, int events, void *arg)
{
    struct libvirtd *d = arg;
    char buffer[4096] __attribute__((aligned(__alignof__(struct inotify_event))));
    bool has_appeared = false;

    for (;;) {
        ssize_t n = read(d->inotify_fd, buffer, sizeof(buffer));
        if (n <= 0)
            break;
        for (char *at = buffer; at < buffer + n;) {
            const struct inotify_event *event = (const void *)at;
            has_appeared = has_appeared || (event->len && streq(event->name, d->kind->socket));
            at += sizeof(*event) + event->len;
        }
    }
    if (has_appeared)
        d->on_socket(d->arg);
}

static int watch_directory(struct libvirtd *d, struct error *e)
{
    d->inotify_fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (d->inotify_fd < 0 ||
        inotify_add_watch(d->inotify_fd, LIBVIRT_RUN_DIR, IN_CREATE | IN_MOVED_TO) < 0)
        return error_set(e, ERR_INTERNAL, "watch \"%s\": %s", LIBVIRT_RUN_DIR, strerror(errno));
    d->inotify = loop_io_new(d->loop, d->inotify_fd, LOOP_READ, on_directory, d);
    return 0;
}

int libvirtd_start(struct libvirtd **ret, struct loop *l, struct reaper *r, loop_fn *on_socket,
                   void *arg, struct error *e)
{
    struct libvirtd *d = must_calloc(1, sizeof(*d));

    *d = (struct libvirtd){
        .loop = l, .reaper = r, .on_socket = on_socket, .arg = arg, .inotify_fd = -1
    };
    *ret = d;
    for (size_t i = 0; i < countof(kinds) && !d->kind; i++)
        if (access(kinds[i].path, X_OK) == 0)
            d->kind = &kinds[i];
    if (!d->kind)
        return error_set(e, ERR_INTERNAL, "neither virtqemud nor libvirtd is installed");
    d->uri = must_asprintf("qemu+unix:///session?socket=" LIBVIRT_RUN_DIR "/%s", d->kind->socket);
    d->restart = loop_timer_new(l, -1, on_restart, d);

    int result = configure(d, e);
    if (result >= 0)
        result = watch_directory(d, e);
    return result < 0 ? result : prime_and_spawn(d, e);
}

const char *libvirtd_uri(const struct libvirtd *d)
{
    return d->uri;
}

void libvirtd_free(struct libvirtd *d)
{
    if (!d)
        return;
    if (d->pid > 0)
        (void)kill(d->pid, SIGTERM);
    if (d->inotify)
        loop_io_free(d->inotify);
    if (d->inotify_fd >= 0)
        (void)close(d->inotify_fd);
    if (d->restart)
        loop_timer_free(d->restart);
    free(d->config);
    free(d->uri);
    free(d);
}
