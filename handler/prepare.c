/* SPDX-License-Identifier: Apache-2.0 */
/* Making a launcher's pod ready for its machine, from outside. */
#include "handler/prepare.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/must.h"
#include "base/scope.h"
#include "handler/launcher.h"
#include "handler/net.h"
#include "handler/podfs.h"
#include "openapi/machine.h"

enum { RESOLV_CONF_MAX = 64 * 1024 };

/* Made usable for the launcher's uid where the pod has them; the node's own file tells which device
 * is meant. */
static const char *const devices[] = { "dev/kvm", "dev/net/tun", "dev/vhost-net",
                                       "dev/vhost-vsock" };

static int own_device(int root_fd, const char *path, struct error *e)
{
    struct stat of_node, of_pod;
    scoped(free) char *host_path = must_asprintf("/%s", path);
    scoped_fd int fd = podfs_open(root_fd, path, O_PATH, e);

    if (fd < 0)
        return e->code == ERR_NOT_FOUND ? 0 : fd;
    if (stat(host_path, &of_node) < 0 || fstat(fd, &of_pod) < 0)
        return 0;
    /* The pod's file system is the pod's: only that very device is given away, and nothing else by
     * its name. */
    if (!S_ISCHR(of_pod.st_mode) || of_pod.st_rdev != of_node.st_rdev ||
        (of_pod.st_dev == of_node.st_dev && of_pod.st_ino == of_node.st_ino))
        return 0;
    if (fchownat(fd, "", LAUNCHER_UID, LAUNCHER_UID, AT_EMPTY_PATH) < 0)
        return error_set(e, ERR_INTERNAL, "give '%s' to the launcher: %s", path, strerror(errno));
    return 0;
}

static int own_devices(int proc_fd, struct error *e)
{
    scoped_fd int root = openat(proc_fd, "root", O_PATH | O_DIRECTORY | O_CLOEXEC);

    if (root < 0)
        return error_set(e, ERR_UNAVAILABLE, "launcher's root: %s", strerror(errno));
    for (size_t i = 0; i < countof(devices); i++) {
        if (own_device(root, devices[i], e) < 0)
            return -(int)e->code;
    }
    return 0;
}

static json_t *ips_of(const struct pod_link *link)
{
    json_t *ips = json_array();

    if (*link->ipv4)
        must_append(ips, json_string(link->ipv4));
    if (*link->ipv6)
        must_append(ips, json_string(link->ipv6));
    return ips;
}

static int open_netns(int proc_fd, struct error *e)
{
    int fd = openat(proc_fd, "ns/net", O_RDONLY | O_CLOEXEC);

    return fd < 0
               ? error_set(e, ERR_UNAVAILABLE, "launcher's network namespace: %s", strerror(errno))
               : fd;
}

/* A pod that shares the node's (or this process's) network would have that rewired. */
static int refuse_own_netns(int netns_fd, struct error *e)
{
    static const char *const kept[] = { "/proc/1/ns/net", "/proc/self/ns/net" };
    struct stat theirs, ours;

    if (fstat(netns_fd, &theirs) < 0)
        return error_set(e, ERR_INTERNAL, "look at a network namespace: %s", strerror(errno));
    for (size_t i = 0; i < countof(kept); i++) {
        if (stat(kept[i], &ours) == 0 && theirs.st_ino == ours.st_ino &&
            theirs.st_dev == ours.st_dev)
            return error_set(e, ERR_INVALID, "the launcher's pod uses the node's own network");
    }
    return 0;
}

static int write_network_json(const char *pods_dir, struct launcher *l, const json_t *network,
                              struct error *e)
{
    scoped_fd int dir = podfs_open_volume(pods_dir, launcher_pod_uid(l), "private", e);
    if (dir < 0)
        return dir;
    scoped(free) char *text = must_dumps(network, JSON_INDENT(1));
    return podfs_write_file(dir, "network.json", text, strlen(text), LAUNCHER_UID, e);
}

static int set_up_network(int proc_fd, const struct net_plan *plan, struct pod_link *ret_link,
                          struct error *e)
{
    scoped_fd int netns = open_netns(proc_fd, e);

    if (netns < 0)
        return netns;
    int r = refuse_own_netns(netns, e);
    return r < 0 ? r : net_setup(netns, plan, ret_link, e);
}

/* The pod's resolv.conf; "" when it has none or hides it. */
static char *read_resolv_conf(int proc_fd)
{
    char *text = NULL;
    struct error ignored;
    scoped_fd int root = openat(proc_fd, "root", O_PATH | O_DIRECTORY | O_CLOEXEC);

    if (root < 0 ||
        podfs_read_in_root(root, "etc/resolv.conf", RESOLV_CONF_MAX, &text, &ignored) < 0)
        return must_strdup("");
    return text;
}

static int prepare_network(const char *pods_dir, struct launcher *l, int proc_fd, const json_t *vmi,
                           json_t **ret_pod_ips, struct error *e)
{
    struct net_plan plan;
    struct pod_link link = { 0 };
    int r = net_plan_make(&plan, vmi, e);

    if (r == 0 && plan.is_needed)
        r = set_up_network(proc_fd, &plan, &link, e);
    if (r < 0)
        return r;
    scoped(free) char *resolv_conf = read_resolv_conf(proc_fd);
    json_auto_t *network = net_json(&plan, &link, vmi, resolv_conf);
    r = write_network_json(pods_dir, l, network, e);
    if (r == 0)
        *ret_pod_ips = ips_of(&link);
    return r;
}

int prepare_pod(const char *pods_dir, struct launcher *l, const json_t *vmi, json_t **ret_pod_ips,
                struct error *e)
{
    scoped_fd int proc = launcher_open_proc(l, e);

    if (proc < 0)
        return proc;
    int r = prepare_network(pods_dir, l, proc, vmi, ret_pod_ips, e);
    if (r < 0)
        return error_wrap(e, "set up the pod's network");
    return own_devices(proc, e);
}

int prepare_read_ips(struct launcher *l, json_t **ret_pod_ips, struct error *e)
{
    struct pod_link link;
    scoped_fd int proc = launcher_open_proc(l, e);

    if (proc < 0)
        return proc;
    scoped_fd int netns = open_netns(proc, e);
    if (netns < 0)
        return netns;
    int r = net_look(netns, "eth0", &link, e);
    if (r == 0)
        *ret_pod_ips = ips_of(&link);
    return r;
}
