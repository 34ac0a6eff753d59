// SPDX-License-Identifier: Apache-2.0
/*
 * virt-launcher: PID 1 of one machine's pod.  Options, signals, reaping; the
 * rest is launcher.c.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/heap.h"
#include "base/log.h"
#include "base/must.h"
#include "base/options.h"
#include "base/scope.h"
#include "base/str.h"
#include "launcher/launcher.h"
#include "launcher/reaper.h"

struct settings {
    struct launcher_settings launcher;
    long long verbosity;
};

#define AT(member) OPTION_AT(struct settings, launcher.member)

// clang-format off
static const struct option options[] = {
    { "name", 0, OPTION_STRING, AT(name), .arg = "NAME", .help = "the VirtualMachineInstance's name" },
    { "uid", 0, OPTION_STRING, AT(uid), .arg = "UID", .help = "its UID" },
    { "namespace", 0, OPTION_STRING, AT(namespace), .arg = "NAMESPACE", .help = "its namespace" },
    { "qemu-timeout", 0, OPTION_DURATION, AT(qemu_timeout_ms), .dflt = "5m", .arg = "TIME", .help = "end with failure when no guest was started by then" },
    { "grace-period-seconds", 0, OPTION_INT, AT(grace_period_seconds), .dflt = "30", .max = 1000000000, .arg = "N", .help = "between SIGTERM and the guest's being killed" },
    { "kubevirt-share-dir", 0, OPTION_STRING, AT(layout.share_dir), .dflt = "/var/run/kubevirt", .arg = "DIR", .help = "where the API's socket goes, below sockets/" },
    { "ephemeral-disk-dir", 0, OPTION_STRING, AT(layout.ephemeral_dir), .dflt = "/var/run/kubevirt-ephemeral-disks", .arg = "DIR", .help = "overlays and cloud-init data" },
    { "container-disk-dir", 0, OPTION_STRING, AT(layout.container_disk_dir), .dflt = "/var/run/kubevirt/container-disks", .arg = "DIR", .help = "containerDisks, without image volumes" },
    { "hotplug-disk-dir", 0, OPTION_STRING, AT(layout.hotplug_dir), .dflt = "/var/run/kubevirt/hotplug-disks", .arg = "DIR", .help = "hotplugged volumes" },
    { "ovmf-path", 0, OPTION_STRING, AT(ovmf_path), .dflt = "/usr/share/OVMF", .arg = "DIR", .help = "UEFI firmware files" },
    { "disk-memory-limit", 0, OPTION_INT, AT(disk_memory_limit), .dflt = "2097152000", .arg = "BYTES", .help = "address space of qemu-img; 0 for no limit" },
    { "image-volume", 0, OPTION_BOOL, AT(has_image_volumes), .help = "containerDisks are mounted image volumes" },
    { "allow-emulation", 0, OPTION_BOOL, AT(is_emulation_allowed), .help = "run without KVM where there is none" },
    { "v", 'v', OPTION_INT, OPTION_AT(struct settings, verbosity), .dflt = "2", .max = 9, .arg = "N", .help = "verbosity" },
    { "hypervisor", 0, OPTION_IGNORED, .arg = "NAME", .help = "kvm is what there is" },
    { "hook-sidecars", 0, OPTION_IGNORED, .arg = "N", .help = "hook sidecars are not called" },
    { "run-as-nonroot", 0, OPTION_IGNORED_BOOL, .help = "always so" },
    { "upgrade-ordinal-ifaces", 0, OPTION_IGNORED_BOOL, .help = "virt-handler names the interfaces" },
    { "vgpu-dedicated-hook", 0, OPTION_IGNORED_BOOL, .help = "no vGPUs" },
    { "vm-stats-collector", 0, OPTION_IGNORED_BOOL, .help = "always answered" },
    { "firmware-auto-selection", 0, OPTION_IGNORED_BOOL, .help = "firmware is chosen by name" },
    { "allow-cross-arch-emulation", 0, OPTION_IGNORED_BOOL, .help = "not supported" },
    { "keep-after-failure", 0, OPTION_IGNORED_BOOL, .help = "not supported" },
    { "simulate-crash", 0, OPTION_IGNORED_BOOL, .help = "not supported" },
    { "libvirt-log-filters", 0, OPTION_IGNORED, .arg = "TEXT", .help = "libvirt logs errors only" },
    { "qemu-agent-sys-interval", 0, OPTION_IGNORED, .arg = "TIME", .help = "fixed" },
    { "qemu-agent-file-interval", 0, OPTION_IGNORED, .arg = "TIME", .help = "fixed" },
    { "qemu-agent-user-interval", 0, OPTION_IGNORED, .arg = "TIME", .help = "fixed" },
    { "qemu-agent-version-interval", 0, OPTION_IGNORED, .arg = "TIME", .help = "fixed" },
    { "qemu-fsfreeze-status-interval", 0, OPTION_IGNORED, .arg = "TIME", .help = "fixed" },
    { 0 },
};
// clang-format on

static const struct option_program program = {
    .name = "virt-launcher",
    .summary = "runs one virtual machine: PID 1 of its pod",
    .options = options,
};

/* What happens at the signals; everything on the main loop. */
struct signals {
    int fd;
    struct reaper *reaper;
    struct launcher *launcher;
};

static void on_signal(struct loop_io *io, int events, void *arg)
{
    struct signals *s = arg;
    struct signalfd_siginfo info;

    while (read(s->fd, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
        if (info.ssi_signo == SIGCHLD)
            reaper_collect(s->reaper);
        else if (s->launcher)
            launcher_terminate(s->launcher);
    }
}

/* Before any thread: they inherit the mask, and no child's end is missed. */
static int open_signals(void)
{
    static const int wanted[] = { SIGCHLD, SIGTERM, SIGINT, SIGQUIT };
    sigset_t set;

    (void)sigemptyset(&set);
    for (size_t i = 0; i < countof(wanted); i++)
        (void)sigaddset(&set, wanted[i]);
    must(sigprocmask(SIG_BLOCK, &set, NULL) == 0);
    (void)signal(SIGPIPE, SIG_IGN);
    int fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
    must(fd >= 0);
    return fd;
}

/* libvirt in session mode finds its places by these; the pod sets them, a shell may not. */
static void complete_environment(void)
{
    static const struct {
        const char *name, *dflt;
    } variables[] = { { "XDG_CACHE_HOME", PRIVATE_DIR },
                      { "XDG_CONFIG_HOME", PRIVATE_DIR },
                      { "XDG_RUNTIME_DIR", "/var/run" },
                      { "HOME", PRIVATE_DIR } };

    for (size_t i = 0; i < countof(variables); i++)
        must(setenv(variables[i].name, variables[i].dflt, i == countof(variables) - 1) == 0);
}

static int check_settings(const struct launcher_settings *s, struct error *e)
{
    if (!is_dns_subdomain(s->name ? s->name : "") ||
        !is_dns_label(s->namespace ? s->namespace : ""))
        return error_set(e, ERR_BAD_REQUEST, "--name and --namespace are needed");
    if (!is_dns_label(s->uid ? s->uid : ""))
        return error_set(e, ERR_BAD_REQUEST, "--uid is needed");
    if (geteuid() == 0)
        return error_set(e, ERR_FORBIDDEN,
                         "virt-launcher runs as an unprivileged user, not as root");
    return 0;
}

static int run(const struct settings *s, struct error *e)
{
    struct signals signals = { .fd = open_signals(), .reaper = reaper_new() };
    struct loop *loop = loop_new("main");

    if (getpid() != 1)
        (void)prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
    (void)umask(0007);
    complete_environment();
    struct loop_io *io = loop_io_new(loop, signals.fd, LOOP_READ, on_signal, &signals);
    int r = launcher_start(&signals.launcher, &s->launcher, loop, signals.reaper, e);
    if (r < 0)
        return r;
    loop_run(loop);
    launcher_stop(signals.launcher);
    loop_io_free(io);
    return (int)launcher_exit_code(signals.launcher);
}

int main(int argc, char **argv)
{
    struct settings s = { 0 };
    struct error e;

    heap_stay_small(2);
    int r = options_parse(&program, &s, argc, argv, NULL, &e);
    if (r == OPTIONS_DONE)
        return 0;
    if (r >= 0)
        r = check_settings(&s.launcher, &e);
    if (r < 0) {
        (void)fprintf(stderr, "virt-launcher: %s\n", e.msg);
        return 2;
    }
    log_init("virt-launcher", (int)s.verbosity);
    r = run(&s, &e);
    if (r < 0)
        log_error("virt-launcher cannot run", "error", e.msg);
    /* Threads may still wait for libvirt; with PID 1 the pod ends anyway. */
    _exit(r < 0 ? LAUNCHER_FAILED : r);
}
