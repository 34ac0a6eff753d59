/* SPDX-License-Identifier: Apache-2.0 */
/* Bridge, tap and NAT in a pod's network namespace, through netlink and libnftables. */
#include "handler/net.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_addr.h>
#include <linux/if_tun.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <netlink/route/addr.h>
#include <netlink/route/link.h>
#include <netlink/route/link/bridge.h>
#include <nftables/libnftables.h>

#include "base/must.h"
#include "base/scope.h"
#include "base/str.h"
#include "handler/podfs.h"
#include "openapi/machine.h"

DEFINE_SCOPE(struct nl_sock, nl_socket_free)
DEFINE_SCOPE(struct nl_cache, nl_cache_free)
DEFINE_SCOPE(struct rtnl_link, rtnl_link_put)
DEFINE_SCOPE(struct rtnl_addr, rtnl_addr_put)
DEFINE_SCOPE(struct nl_addr, nl_addr_put)
DEFINE_SCOPE(struct nft_ctx, nft_ctx_free)

static const char bridge_mac[] = "02:00:00:00:00:00";

static int refuse(struct error *e, const char *what, const char *name, int nl_code)
{
    return error_set(e, ERR_INTERNAL, "%s '%s': %s", what, name, nl_geterror(nl_code));
}

static int open_netlink(struct nl_sock **ret, struct error *e)
{
    scoped(nl_socket_free) struct nl_sock *s = nl_socket_alloc();

    must(s);
    int r = nl_connect(s, NETLINK_ROUTE);
    if (r < 0)
        return refuse(e, "netlink", "route", r);
    *ret = TAKE(s);
    return 0;
}

/* ---- the pod's link ---- */

static void take_address(struct pod_link *link, struct rtnl_addr *a)
{
    const struct nl_addr *local = rtnl_addr_get_local(a);
    int family = rtnl_addr_get_family(a);
    char *out = family == AF_INET ? link->ipv4 : link->ipv6;

    if ((family != AF_INET && family != AF_INET6) || *out || !local)
        return;
    if (rtnl_addr_get_scope(a) != RT_SCOPE_UNIVERSE)
        return;
    (void)inet_ntop(family, nl_addr_get_binary_addr(local), out, NET_ADDRESS_MAX);
}

static int read_link(struct nl_sock *s, const char *name, struct pod_link *ret, struct error *e)
{
    scoped(rtnl_link_put) struct rtnl_link *found = NULL;
    scoped(nl_cache_free) struct nl_cache *addresses = NULL;

    *ret = (struct pod_link){ 0 };
    int r = rtnl_link_get_kernel(s, 0, name, &found);
    if (r == 0)
        r = rtnl_addr_alloc_cache(s, &addresses);
    if (r < 0)
        return refuse(e, "pod's link", name, r);

    ret->mtu = (int)rtnl_link_get_mtu(found);
    for (struct nl_object *o = nl_cache_get_first(addresses); o; o = nl_cache_get_next(o)) {
        if (rtnl_addr_get_ifindex((struct rtnl_addr *)o) == rtnl_link_get_ifindex(found))
            take_address(ret, (struct rtnl_addr *)o);
    }
    return 0;
}

/* ---- bridge and tap ---- */

static int index_of(struct nl_sock *s, const char *name, int *ret, struct error *e)
{
    scoped(rtnl_link_put) struct rtnl_link *found = NULL;
    int r = rtnl_link_get_kernel(s, 0, name, &found);

    if (r < 0)
        return refuse(e, "link", name, r);
    *ret = rtnl_link_get_ifindex(found);
    return 0;
}

static int add_bridge(struct nl_sock *s, const struct net_plan *p, int mtu, struct error *e)
{
    scoped(rtnl_link_put) struct rtnl_link *bridge = rtnl_link_bridge_alloc();
    scoped(nl_addr_put) struct nl_addr *mac = NULL;

    must(bridge && nl_addr_parse(bridge_mac, AF_LLC, &mac) == 0);
    rtnl_link_set_name(bridge, p->bridge);
    rtnl_link_set_addr(bridge, mac);
    rtnl_link_set_mtu(bridge, (unsigned)mtu);
    int r = rtnl_link_add(s, bridge, NLM_F_CREATE | NLM_F_EXCL);
    return r < 0 && r != -NLE_EXIST ? refuse(e, "make bridge", p->bridge, r) : 0;
}

static int add_address(struct nl_sock *s, int ifindex, int family, const struct net_family *f,
                       struct error *e)
{
    char text[NET_ADDRESS_MAX + 8];
    scoped(rtnl_addr_put) struct rtnl_addr *a = rtnl_addr_alloc();
    scoped(nl_addr_put) struct nl_addr *local = NULL;

    (void)snprintf(text, sizeof(text), "%s/%d", f->gateway, f->prefix);
    must(a && nl_addr_parse(text, family, &local) == 0);
    rtnl_addr_set_ifindex(a, ifindex);
    must(rtnl_addr_set_local(a, local) == 0);
    /* Nobody else is on this bridge: without this, the address is unusable for a second. */
    if (family == AF_INET6)
        rtnl_addr_set_flags(a, IFA_F_NODAD);
    int r = rtnl_addr_add(s, a, NLM_F_CREATE | NLM_F_EXCL);
    return r < 0 && r != -NLE_EXIST ? refuse(e, "address", text, r) : 0;
}

/* The launcher (uid 107) opens this tap later, without any privilege. */
static int add_tap(const struct net_plan *p, struct error *e)
{
    struct ifreq want = { .ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR };
    /* Opened here, on the thread that is in the pod's namespace: that is where the tap is made. */
    scoped_fd int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);

    if (fd < 0)
        return error_set(e, ERR_INTERNAL, "open '/dev/net/tun': %s", strerror(errno));
    if (p->is_multiqueue)
        want.ifr_flags |= IFF_MULTI_QUEUE;
    (void)snprintf(want.ifr_name, sizeof(want.ifr_name), "%s", p->tap);
    if (ioctl(fd, TUNSETIFF, &want) < 0) {
        /* In use means made before, by us, and opened by QEMU meanwhile. */
        return errno == EBUSY
                   ? 0
                   : error_set(e, ERR_INTERNAL, "make tap '%s': %s", p->tap, strerror(errno));
    }
    if (ioctl(fd, TUNSETOWNER, (unsigned long)LAUNCHER_UID) < 0 ||
        ioctl(fd, TUNSETGROUP, (unsigned long)LAUNCHER_UID) < 0 ||
        ioctl(fd, TUNSETPERSIST, 1UL) < 0)
        return error_set(e, ERR_INTERNAL, "keep tap '%s': %s", p->tap, strerror(errno));
    return 0;
}

/* Bring a link up, with this MTU (> 0) and master (> 0). */
static int raise_link(struct nl_sock *s, const char *name, int mtu, int master, struct error *e)
{
    scoped(rtnl_link_put) struct rtnl_link *was = NULL;
    scoped(rtnl_link_put) struct rtnl_link *change = rtnl_link_alloc();
    int r = rtnl_link_get_kernel(s, 0, name, &was);

    must(change);
    if (r < 0)
        return refuse(e, "link", name, r);
    if (mtu > 0)
        rtnl_link_set_mtu(change, (unsigned)mtu);
    if (master > 0)
        rtnl_link_set_master(change, master);
    rtnl_link_set_flags(change, IFF_UP);
    r = rtnl_link_change(s, was, change, 0);
    return r < 0 ? refuse(e, "raise link", name, r) : 0;
}

static int make_links(struct nl_sock *s, const struct net_plan *p, const struct pod_link *link,
                      struct error *e)
{
    int bridge = 0;
    int r = add_bridge(s, p, link->mtu, e);

    if (r == 0)
        r = index_of(s, p->bridge, &bridge, e);
    if (r == 0 && *link->ipv4)
        r = add_address(s, bridge, AF_INET, &p->ipv4, e);
    if (r == 0 && *link->ipv6)
        r = add_address(s, bridge, AF_INET6, &p->ipv6, e);
    if (r == 0)
        r = raise_link(s, p->bridge, 0, 0, e);
    if (r == 0)
        r = add_tap(p, e);
    if (r == 0)
        r = raise_link(s, p->tap, link->mtu, bridge, e);
    return r;
}

/* ---- sysctls and NAT ---- */

/* Of the namespace that the writing thread is in. */
static const struct sysctl {
    const char *path, *value;
    bool is_ipv6;
} sysctls[] = {
    { "/proc/sys/net/ipv4/ip_forward", "1", false },
    { "/proc/sys/net/ipv4/conf/all/route_localnet", "1", false },
    /* DHCP is served on port 67 by a process without any capability. */
    { "/proc/sys/net/ipv4/ip_unprivileged_port_start", "0", false },
    { "/proc/sys/net/ipv6/conf/all/forwarding", "1", true },
};

static int set_sysctls(const struct pod_link *link, struct error *e)
{
    for (size_t i = 0; i < countof(sysctls); i++) {
        if (sysctls[i].is_ipv6 && !*link->ipv6)
            continue;
        scoped_fd int fd = open(sysctls[i].path, O_WRONLY | O_CLOEXEC);

        if (fd < 0 || write(fd, sysctls[i].value, strlen(sysctls[i].value)) < 0)
            return error_set(e, ERR_INTERNAL, "write '%s': %s", sysctls[i].path, strerror(errno));
    }
    return 0;
}

static int set_nat(const struct net_plan *p, const struct pod_link *link, struct error *e)
{
    scoped(free) char *rules = nft_ruleset(p, link);
    scoped(nft_ctx_free) struct nft_ctx *nft = nft_ctx_new(NFT_CTX_DEFAULT);

    must(nft && nft_ctx_buffer_error(nft) == 0 && nft_ctx_buffer_output(nft) == 0);
    if (nft_run_cmd_from_buffer(nft, rules) == 0)
        return 0;
    return error_set(e, ERR_INTERNAL, "nftables: %.300s", nft_ctx_get_error_buffer(nft));
}

/* ---- in the pod's namespace ---- */

struct visit {
    int netns_fd;
    const struct net_plan *plan; /* NULL: only look */
    const char *link_name;
    struct pod_link link;
    struct error error;
};

static int set_up_here(struct visit *v)
{
    struct error *e = &v->error;
    scoped(nl_socket_free) struct nl_sock *s = NULL;

    if (setns(v->netns_fd, CLONE_NEWNET) < 0)
        return error_set(e, ERR_INTERNAL, "enter the pod's network: %s", strerror(errno));
    int r = open_netlink(&s, e);
    if (r == 0)
        r = read_link(s, v->link_name, &v->link, e);
    if (r < 0 || !v->plan || !v->plan->is_needed)
        return r;
    r = make_links(s, v->plan, &v->link, e);
    if (r == 0)
        r = set_sysctls(&v->link, e);
    if (r == 0)
        r = set_nat(v->plan, &v->link, e);
    return r;
}

static void *visitor(void *arg)
{
    (void)set_up_here(arg);
    return NULL;
}

static int visit(struct visit *v, struct pod_link *ret_link, struct error *e)
{
    pthread_t thread;

    must(pthread_create(&thread, NULL, visitor, v) == 0);
    must(pthread_join(thread, NULL) == 0);
    if (v->error.code != ERR_NONE) {
        *e = v->error;
        return -(int)e->code;
    }
    *ret_link = v->link;
    return 0;
}

int net_setup(int netns_fd, const struct net_plan *p, struct pod_link *ret_link, struct error *e)
{
    struct visit v = { .netns_fd = netns_fd, .plan = p, .link_name = p->link };

    return visit(&v, ret_link, e);
}

int net_look(int netns_fd, const char *link, struct pod_link *ret_link, struct error *e)
{
    struct visit v = { .netns_fd = netns_fd, .link_name = link };

    return visit(&v, ret_link, e);
}
