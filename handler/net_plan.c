/* SPDX-License-Identifier: Apache-2.0 */
/* The plan of a machine's pod network.  Pure. */
#include "handler/net_plan.h"

#include <ctype.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/jpath.h"
#include "base/quantity.h"
#include "base/must.h"
#include "base/scope.h"
#include "base/str.h"

enum {
    DNS_MAX = 8,
    SEARCH_MAX = 32,
    SEARCH_NAME_MAX = 253,
    HOSTNAME_MAX = 63,
    IPV4_PREFIX_MAX = 30,
    IPV6_PREFIX_MAX = 126,
};

static uint64_t fnv1a(uint64_t h, const char *s)
{
    for (; *s; s++)
        h = (h ^ (unsigned char)*s) * 0x100000001b3u;
    return h;
}

void net_stable_mac(const char *vmi_uid, const char *interface, char out[NET_MAC_MAX])
{
    uint64_t h = fnv1a(fnv1a(fnv1a(0xcbf29ce484222325u, vmi_uid), "/"), interface);

    (void)snprintf(out, NET_MAC_MAX, "02:%02x:%02x:%02x:%02x:%02x", (unsigned)(h >> 56) & 0xff,
                   (unsigned)(h >> 48) & 0xff, (unsigned)(h >> 40) & 0xff,
                   (unsigned)(h >> 32) & 0xff, (unsigned)(h >> 24) & 0xff);
}

/* "aa:bb:..." or "AA-BB-..." to the lower-case form with colons. */
static int read_mac(const char *text, char out[NET_MAC_MAX])
{
    if (strlen(text) != NET_MAC_MAX - 1)
        return -1;
    for (size_t i = 0; i < NET_MAC_MAX - 1; i++) {
        bool is_separator = i % 3 == 2;

        if (is_separator ? text[i] != ':' && text[i] != '-' : !isxdigit((unsigned char)text[i]))
            return -1;
        out[i] = is_separator ? ':' : (char)tolower((unsigned char)text[i]);
    }
    out[NET_MAC_MAX - 1] = '\0';
    return 0;
}

/* "10.0.2.0/24": the first host is the gateway, the second the guest. */
static int read_cidr(struct net_family *ret, int family, const char *cidr, int prefix_max,
                     struct error *e)
{
    unsigned char address[16] = { 0 };
    size_t len = family == AF_INET ? 4 : 16;
    char text[NET_ADDRESS_MAX];
    const char *slash = strchr(cidr, '/');
    long long prefix = 0;

    if (!slash || (size_t)(slash - cidr) >= sizeof(text) ||
        str_to_int(slash + 1, 1, prefix_max, &prefix) < 0)
        return error_set(e, ERR_INVALID, "'%.64s' is not a network with room for two", cidr);
    (void)snprintf(text, sizeof(text), "%.*s", (int)(slash - cidr), cidr);
    if (inet_pton(family, text, address) != 1)
        return error_set(e, ERR_INVALID, "'%.64s' is not a network", cidr);

    for (size_t bit = (size_t)prefix; bit < len * 8; bit++)
        address[bit / 8] &= (unsigned char)~(0x80u >> (bit % 8));
    ret->prefix = (int)prefix;
    address[len - 1] |= 1;
    (void)inet_ntop(family, address, ret->gateway, sizeof(ret->gateway));
    address[len - 1] ^= 3;
    (void)inet_ntop(family, address, ret->guest, sizeof(ret->guest));
    return 0;
}

static int add_port(struct net_plan *p, json_int_t first, json_int_t last, const char *protocol,
                    struct error *e)
{
    if (first < 1 || last < first || last > 65535)
        return error_set(e, ERR_INVALID, "interface '%s': ports %lld to %lld", p->name,
                         (long long)first, (long long)last);
    if (p->ports == NET_PORTS_MAX)
        return error_set(e, ERR_INVALID, "interface '%s': more than %d ports", p->name,
                         NET_PORTS_MAX);
    p->port[p->ports++] = (struct net_port){
        .is_udp = strcasecmp(protocol, "UDP") == 0,
        .first = (int)first,
        .last = (int)last,
    };
    return 0;
}

static int read_ports(struct net_plan *p, const json_t *interface, struct error *e)
{
    size_t i;
    json_t *row;

    json_array_foreach(jpath_arr(interface, "ports"), i, row) {
        json_int_t port = jpath_int(row, "port", 0);

        if (add_port(p, port, port, jpath_str(row, "protocol", "TCP"), e) < 0)
            return -(int)e->code;
    }
    json_array_foreach(jpath_arr(interface, "portRanges"), i, row) {
        if (add_port(p, jpath_int(row, "start", 0), jpath_int(row, "end", 0),
                     jpath_str(row, "protocol", "TCP"), e) < 0)
            return -(int)e->code;
    }
    return 0;
}

/* A tap has several queues only where the guest has several CPUs to serve them. */
static bool wants_queues(const json_t *vmi)
{
    struct quantity cpus;
    json_int_t n = jpath_int(vmi, "spec.domain.cpu.sockets", 1) *
                   jpath_int(vmi, "spec.domain.cpu.cores", 1) *
                   jpath_int(vmi, "spec.domain.cpu.threads", 1);

    if (!jpath_bool(vmi, "spec.domain.devices.networkInterfaceMultiqueue", false))
        return false;
    if (!jpath_has(vmi, "spec.domain.cpu.cores") &&
        quantity_from_json(jpath(vmi, "spec.domain.resources.requests.cpu"), &cpus) == 0)
        n = quantity_value(cpus);
    return n > 1;
}

static const json_t *pod_network(const json_t *vmi)
{
    size_t i;
    json_t *row;

    json_array_foreach(jpath_arr(vmi, "spec.networks"), i, row) {
        if (jpath_has(row, "pod"))
            return row;
    }
    return NULL;
}

int net_plan_make(struct net_plan *ret, const json_t *vmi, struct error *e)
{
    const json_t *interfaces = jpath_arr(vmi, "spec.domain.devices.interfaces");
    const json_t *network = pod_network(vmi);
    struct net_plan *p = ret;

    *p = (struct net_plan){ .link = "eth0", .bridge = "k6t-eth0", .tap = "tap0" };
    if (json_array_size(interfaces) == 0)
        return 0;
    if (json_array_size(interfaces) > 1 || !network)
        return error_set(e, ERR_INVALID, "only one interface, on the pod network, is supported");

    const json_t *interface = jarr_find(interfaces, "name", jpath_str(network, "name", ""));
    if (!interface)
        return error_set(e, ERR_INVALID, "no interface for the pod network");
    (void)snprintf(p->name, sizeof(p->name), "%s", jpath_str(interface, "name", ""));
    if (!jpath_has(interface, "masquerade"))
        return error_set(e, ERR_INVALID, "interface '%s': only the masquerade binding is supported",
                         p->name);

    int r = read_cidr(&p->ipv4, AF_INET, jpath_str(network, "pod.vmNetworkCIDR", "10.0.2.0/24"),
                      IPV4_PREFIX_MAX, e);
    if (r == 0)
        r = read_cidr(&p->ipv6, AF_INET6,
                      jpath_str(network, "pod.vmIPv6NetworkCIDR", "fd10:0:2::/120"),
                      IPV6_PREFIX_MAX, e);
    if (r == 0)
        r = read_ports(p, interface, e);
    if (r < 0)
        return r;

    net_stable_mac(meta_uid(vmi), p->name, p->mac);
    const char *mac = jpath_str(interface, "macAddress", NULL);
    if (mac && read_mac(mac, p->mac) < 0)
        return error_set(e, ERR_INVALID, "interface '%s': '%.32s' is not a MAC address", p->name,
                         mac);
    p->is_multiqueue = wants_queues(vmi);
    p->is_needed = true;
    return 0;
}

/* ---- nftables ---- */

struct nft_words {
    const char *family, *daddr, *loopback;
};

static const struct nft_words nft_ipv4 = { "ip", "ip", "127.0.0.1" };
static const struct nft_words nft_ipv6 = { "ip6", "ip6", "::1" };

/* What comes in for the pod goes to the guest: all of it, or the ports that the user named. */
static void add_dnat(struct buf *out, const struct net_plan *p, const char *before, const char *to)
{
    if (p->ports == 0)
        buf_addf(out, "    %scounter dnat to %s\n", before, to);
    for (size_t i = 0; i < p->ports; i++) {
        const struct net_port *port = &p->port[i];

        buf_addf(out, "    %s%s dport %d", before, port->is_udp ? "udp" : "tcp", port->first);
        if (port->last > port->first)
            buf_addf(out, "-%d", port->last);
        buf_addf(out, " counter dnat to %s\n", to);
    }
}

static void add_table(struct buf *out, const struct net_plan *p, const struct net_family *f,
                      const struct nft_words *w)
{
    char to_loopback[80];

    (void)snprintf(to_loopback, sizeof(to_loopback), "%s daddr %s ", w->daddr, w->loopback);
    /* Declared, deleted and made anew in one transaction: whatever was there, this is what stays.
     */
    buf_addf(out, "table %s nat\ndelete table %s nat\ntable %s nat {\n", w->family, w->family,
             w->family);
    buf_addf(out,
             "  chain prerouting {\n    type nat hook prerouting priority -100;\n"
             "    iifname \"%s\" counter jump KUBEVIRT_PREINBOUND\n  }\n",
             p->link);
    buf_adds(out, "  chain input {\n    type nat hook input priority 100;\n  }\n");
    buf_adds(out, "  chain output {\n    type nat hook output priority -100;\n");
    add_dnat(out, p, to_loopback, f->guest);
    buf_adds(out, "  }\n");
    buf_addf(out,
             "  chain postrouting {\n    type nat hook postrouting priority 100;\n"
             "    %s saddr %s counter masquerade\n"
             "    oifname \"%s\" counter jump KUBEVIRT_POSTINBOUND\n  }\n",
             w->daddr, f->guest, p->bridge);
    buf_adds(out, "  chain KUBEVIRT_PREINBOUND {\n");
    add_dnat(out, p, "", f->guest);
    buf_addf(out,
             "  }\n  chain KUBEVIRT_POSTINBOUND {\n    %s saddr %s counter snat to %s\n  }\n}\n",
             w->daddr, w->loopback, f->gateway);
}

char *nft_ruleset(const struct net_plan *p, const struct pod_link *link)
{
    scoped_buf out = BUF_INIT(0);

    if (*link->ipv4)
        add_table(&out, p, &p->ipv4, &nft_ipv4);
    if (*link->ipv6)
        add_table(&out, p, &p->ipv6, &nft_ipv6);
    return buf_take(&out);
}

/* ---- network.json ---- */

/* Words after `key` on lines of resolv.conf; a later search line replaces an earlier one. */
static json_t *resolv_words(const char *text, const char *key, size_t max)
{
    json_t *found = json_array();
    scoped(free) char *copy = must_strdup(text);
    char *line_state = NULL;

    for (char *line = strtok_r(copy, "\n", &line_state); line;
         line = strtok_r(NULL, "\n", &line_state)) {
        char *word_state = NULL;
        char *word = strtok_r(line, " \t\r", &word_state);

        if (!streq(word, key))
            continue;
        if (streq(key, "search"))
            json_array_clear(found);
        for (word = strtok_r(NULL, " \t\r", &word_state); word && json_array_size(found) < max;
             word = strtok_r(NULL, " \t\r", &word_state)) {
            json_t *v = strlen(word) <= SEARCH_NAME_MAX ? json_string(word) : NULL;

            if (v)
                must_append(found, v);
        }
    }
    return found;
}

static json_t *search_domains(const json_t *vmi, const char *resolv_conf)
{
    json_t *found = resolv_words(resolv_conf, "search", SEARCH_MAX);
    const char *subdomain = jpath_str(vmi, "spec.subdomain", NULL);
    const char *first = json_string_value(json_array_get(found, 0));

    /* The pod's first domain is ns.svc.CLUSTER: names of the subdomain's Service lie below it. */
    if (subdomain && first) {
        scoped(free) char *own = must_asprintf("%s.%s", subdomain, first);

        must(json_array_insert_new(found, 0, json_string(own)) == 0);
    }
    return found;
}

static json_t *hostname_of(const json_t *vmi)
{
    const char *name = jpath_str(vmi, "spec.hostname", NULL);
    size_t len = name ? strlen(name) : strcspn(meta_name(vmi), ".");

    if (!name)
        name = meta_name(vmi);
    return json_stringn(name, len > HOSTNAME_MAX ? HOSTNAME_MAX : len);
}

static void set_family(json_t *interface, const char *guest_key, const char *gateway_key,
                       const struct net_family *f)
{
    scoped(free) char *guest = must_asprintf("%s/%d", f->guest, f->prefix);

    must_set(interface, guest_key, json_string(guest));
    must_set(interface, gateway_key, json_string(f->gateway));
}

json_t *net_json(const struct net_plan *p, const struct pod_link *link, const json_t *vmi,
                 const char *resolv_conf)
{
    if (!p->is_needed)
        return must_pack("{s:[]}", "interfaces");

    json_t *interface = must_pack("{s:s, s:s, s:s, s:i, s:s}", "name", p->name, "tap", p->tap,
                                  "mac", p->mac, "mtu", link->mtu, "bridge", p->bridge);
    if (*link->ipv4)
        set_family(interface, "guestIPv4", "gatewayIPv4", &p->ipv4);
    if (*link->ipv6)
        set_family(interface, "guestIPv6", "gatewayIPv6", &p->ipv6);
    must_set(interface, "dns", resolv_words(resolv_conf, "nameserver", DNS_MAX));
    must_set(interface, "search", search_domains(vmi, resolv_conf));
    must_set(interface, "hostname", hostname_of(vmi));
    return must_pack("{s:[o]}", "interfaces", interface);
}
