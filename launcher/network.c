// SPDX-License-Identifier: Apache-2.0
/* network.json; see network.h. */
#include "launcher/network.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/jpath.h"
#include "base/must.h"
#include "base/scope.h"
#include "base/str.h"
#include "launcher/cloudinit.h"

/* "10.0.2.2/24" */
static bool parse_prefix(const char *text, uint32_t *ret_address, uint32_t *ret_mask)
{
    char address[INET_ADDRSTRLEN];
    const char *slash = strchr(text, '/');
    long long bits;

    if (!slash || (size_t)(slash - text) >= sizeof(address) ||
        str_to_int(slash + 1, 1, 32, &bits) < 0)
        return false;
    memcpy(address, text, (size_t)(slash - text));
    address[slash - text] = '\0';
    *ret_mask = htonl(UINT32_MAX << (32 - bits));
    return inet_pton(AF_INET, address, ret_address) == 1;
}

static void read_dns(struct dhcp_lease *lease, const json_t *dns)
{
    size_t i;
    json_t *server;

    json_array_foreach(dns, i, server) {
        const char *text = json_string_value(server);
        if (text && lease->dns_len < DHCP_DNS_MAX &&
            inet_pton(AF_INET, text, &lease->dns[lease->dns_len]) == 1)
            lease->dns_len++; /* IPv6 servers are not DHCPv4's to tell */
    }
}

static void read_search(struct dhcp_lease *lease, const json_t *search)
{
    size_t i;
    json_t *domain;
    size_t len = 0;

    json_array_foreach(search, i, domain) {
        const char *text = json_string_value(domain);
        if (!text || !is_dns_subdomain(text) || len + strlen(text) + 2 > sizeof(lease->search))
            continue;
        len += (size_t)snprintf(lease->search + len, sizeof(lease->search) - len, "%s%s",
                                len ? " " : "", text);
    }
}

static int read_lease(struct network_nic *n, const json_t *row, struct error *e)
{
    struct dhcp_lease *lease = &n->lease;
    const char *address = jpath_str(row, "guestIPv4", NULL);
    const char *gateway = jpath_str(row, "gatewayIPv4", "");

    if (!address || !n->bridge)
        return 0;
    if (!mac_parse(n->nic.mac, lease->mac))
        return error_set(e, ERR_INVALID, "interface \"%s\": mac is missing or malformed",
                         n->nic.name);
    if (!parse_prefix(address, &lease->address, &lease->mask) ||
        inet_pton(AF_INET, gateway, &lease->gateway) != 1)
        return error_set(e, ERR_INVALID, "interface \"%s\": guestIPv4 or gatewayIPv4", n->nic.name);
    lease->server = lease->gateway;
    lease->mtu = (uint16_t)n->nic.mtu;
    (void)snprintf(lease->hostname, sizeof(lease->hostname), "%s", jpath_str(row, "hostname", ""));
    read_dns(lease, jpath_arr(row, "dns"));
    read_search(lease, jpath_arr(row, "search"));
    n->has_lease = true;
    return 0;
}

static int read_nic(struct network_nic *n, const json_t *row, struct error *e)
{
    json_int_t mtu = jpath_int(row, "mtu", 0);

    n->nic = (struct domain_nic){
        .name = jpath_str(row, "name", ""),
        .tap = jpath_str(row, "tap", ""),
        .mac = jpath_str(row, "mac", NULL),
        .mtu = mtu >= 68 && mtu <= UINT16_MAX ? (int)mtu : 0,
    };
    n->bridge = jpath_str(row, "bridge", NULL);
    if (!*n->nic.name || !*n->nic.tap || strlen(n->nic.tap) >= IF_NAMESIZE ||
        (n->bridge && strlen(n->bridge) >= IF_NAMESIZE))
        return error_set(e, ERR_INVALID, "interface \"%s\": name, tap or bridge", n->nic.name);
    return read_lease(n, row, e);
}

int network_parse(struct network *n, const char *text, size_t len, struct error *e)
{
    size_t i;
    json_t *row;

    *n = (struct network){ 0 };
    int r = json_parse(&n->doc, text, len, e);
    if (r < 0)
        return r;
    json_array_foreach(jpath_arr(n->doc, "interfaces"), i, row) {
        if (n->len == NETWORK_NICS_MAX)
            return error_set(e, ERR_INVALID, "more than %d interfaces", NETWORK_NICS_MAX);
        r = read_nic(&n->nics[n->len++], row, e);
        if (r < 0)
            return r;
    }
    return 0;
}

int network_read(struct network *n, struct error *e)
{
    scoped(free) char *text = NULL;

    *n = (struct network){ 0 };
    int r = read_text(&text, NETWORK_FILE, NETWORK_FILE_MAX, e);
    if (r == -ERR_NOT_FOUND)
        return 0;
    if (r >= 0)
        r = network_parse(n, text, strlen(text), e);
    return r < 0 ? error_wrap(e, "network.json") : 0;
}

void network_done(struct network *n)
{
    json_decref(n->doc);
    *n = (struct network){ 0 };
}

const struct network_nic *network_find(const struct network *n, const char *name)
{
    for (size_t i = 0; i < n->len; i++)
        if (streq(n->nics[i].nic.name, name))
            return &n->nics[i];
    return NULL;
}

/* "10.0.2.2/24" -> 10.0.2.2 */
static void add_address(json_t *addresses, const char *prefix)
{
    if (prefix)
        must_append(addresses, json_stringn(prefix, strcspn(prefix, "/")));
}

static json_t *describe(const struct network *n, const json_t *interface, int queues)
{
    const char *name = jpath_str(interface, "name", "");
    const struct network_nic *nic = network_find(n, name);
    const json_t *row = jarr_find(jpath_arr(n->doc, "interfaces"), "name", name);
    const char *mac = jpath_str(interface, "macAddress", nic ? nic->nic.mac : NULL);
    json_t *addresses = json_array();
    json_t *out =
        must_pack("{s:s,s:s,s:i,s:s}", "name", name, "infoSource", "domain", "queueCount", queues,
                  "linkState", streq(jpath_str(interface, "state", ""), "down") ? "down" : "up");

    if (mac)
        jpath_set_str(out, "mac", mac);
    add_address(addresses, jpath_str(row, "guestIPv4", NULL));
    add_address(addresses, jpath_str(row, "guestIPv6", NULL));
    if (json_array_size(addresses) > 0)
        must_set(out, "ipAddress", json_incref(json_array_get(addresses, 0)));
    must_set(out, "ipAddresses", addresses);
    return out;
}

json_t *network_describe(const struct network *n, const json_t *vmi)
{
    json_t *out = json_array();
    size_t i;
    json_t *interface;
    bool has_queues = jpath_bool(vmi, "spec.domain.devices.networkInterfaceMultiqueue", false);
    json_int_t vcpus = jpath_int(vmi, "spec.domain.cpu.sockets", 1) *
                       jpath_int(vmi, "spec.domain.cpu.cores", 1) *
                       jpath_int(vmi, "spec.domain.cpu.threads", 1);

    json_array_foreach(jpath_arr(vmi, "spec.domain.devices.interfaces"), i, interface)
        if (!streq(jpath_str(interface, "state", ""), "absent"))
            must_append(out, describe(n, interface, has_queues ? (int)vcpus : 1));
    return out;
}
