/* SPDX-License-Identifier: Apache-2.0 */
/* Interfaces (spec 02, 4.2); `here` is one of them. */
#include "webhooks/rules_interfaces.h"

#include <arpa/inet.h>
#include <ctype.h>

#include "base/jpath.h"
#include "base/str.h"

enum { PORT_MAX = 65535, PORT_RANGES_MAX = 10, OPTION_MIN = 224, OPTION_MAX = 254, MAC_BYTES = 6 };

static const json_t *network_of(const struct subject *s)
{
    return network_named(s->spec, jpath_str(s->here, "name", ""));
}

static bool is_on_pod_network(const struct subject *s)
{
    return jpath_has(network_of(s), "pod");
}

/* ---- name and binding ---- */

static void unique_name(const struct rule *r, const struct subject *s, const json_t *v,
                        struct findings *out)
{
    const json_t *all = jpath_arr(s->spec, "domain.devices.interfaces");

    for (size_t i = 0; i < s->index; i++)
        if (streq(jpath_str(json_array_get(all, i), "name", ""), json_string_value(v)))
            rule_report(r, s, out);
}

static void has_network(const struct rule *r, const struct subject *s, const json_t *v,
                        struct findings *out)
{
    if (!network_of(s))
        rule_report(r, s, out);
}

static void name_characters(const struct rule *r, const struct subject *s, const json_t *v,
                            struct findings *out)
{
    const char *name = json_string_value(v);
    bool is_good = name && *name;

    for (; is_good && *name; name++)
        is_good = isalnum((unsigned char)*name) || *name == '-' || *name == '_';
    if (!is_good)
        rule_report(r, s, out);
}

static void one_binding(const struct rule *r, const struct subject *s, const json_t *v,
                        struct findings *out)
{
    static const char *const bindings[] = { "bridge", "masquerade", "sriov", "passtBinding",
                                            "binding" };
    int n = 0;

    for (size_t i = 0; i < sizeof(bindings) / sizeof(bindings[0]); i++)
        n += jpath_has(v, bindings[i]);
    if (n != 1)
        rule_report(r, s, out);
}

static void masquerade(const struct rule *r, const struct subject *s, const json_t *v,
                       struct findings *out)
{
    if (!is_on_pod_network(s))
        rule_report_at(r, s, out, "name");
    if (streq(jpath_str(s->here, "macAddress", ""), "02:00:00:00:00:00"))
        rule_say(s, out, CAUSE_INVALID, "macAddress",
                 "is the address of the gateway of masquerade interfaces: use another");
}

static void bridge(const struct rule *r, const struct subject *s, const json_t *v,
                   struct findings *out)
{
    if (is_on_pod_network(s) && !s->config->permits_bridge_on_pod_network)
        rule_report_at(r, s, out, "name");
}

static void passt(const struct rule *r, const struct subject *s, const json_t *v,
                  struct findings *out)
{
    if (!cluster_config_gate(s->config, "PasstBinding"))
        rule_say(s, out, r->cause, "name", "passtBinding needs the feature gate PasstBinding");
    if (!is_on_pod_network(s))
        rule_report_at(r, s, out, "name");
}

static void state(const struct rule *r, const struct subject *s, const json_t *v,
                  struct findings *out)
{
    const char *value = json_string_value(v);
    const json_t *network = network_of(s);
    bool is_default = jpath_has(network, "pod") || jpath_bool(network, "multus.default", false);

    rule_one_of(r, s, v, out);
    if ((streq(value, "up") || streq(value, "down")) && jpath_has(s->here, "sriov"))
        rule_say(s, out, r->cause, r->path,
                 "an SR-IOV interface has no link to set %s: leave it out", value);
    if (streq(value, "absent") && !jpath_has(s->here, "bridge"))
        rule_say(s, out, r->cause, r->path,
                 "only bridge interfaces can be taken out: use up or down");
    if (streq(value, "absent") && is_default)
        rule_say(s, out, r->cause, r->path,
                 "the interface of the default network cannot be taken out: use down");
}

/* ---- addresses ---- */

/* Hexadecimal pairs with ':' or '-' between, or fours with '.'; the number of bytes, -1 for none of
 * these. */
static int mac_bytes(const char *s)
{
    size_t group = strcspn(s, ":-.");
    char separator = s[group];
    int bytes = 0;

    if (!separator || group != (separator == '.' ? 4 : 2))
        return -1;
    for (size_t i = 0;; i++) {
        if (i == group) {
            bytes += (int)group / 2;
            if (!s[i])
                return bytes == 6 || bytes == 8 || bytes == 20 ? bytes : -1;
            if (s[i] != separator)
                return -1;
            s += group + 1;
            i = 0;
        }
        if (!isxdigit((unsigned char)s[i]))
            return -1;
    }
}

static void mac_address(const struct rule *r, const struct subject *s, const json_t *v,
                        struct findings *out)
{
    const char *mac = json_string_value(v);

    if (mac && *mac && mac_bytes(mac) != MAC_BYTES)
        rule_report(r, s, out);
}

static void pci_address(const struct rule *r, const struct subject *s, const json_t *v,
                        struct findings *out)
{
    const char *address = json_string_value(v);

    if (address && *address && !is_pci_address(address))
        rule_report(r, s, out);
}

/* ---- ports: `here` is one ---- */

/* IANA's form of a service name: 1 to 15 of a-z, 0-9 and single '-', not at the ends, one letter at
 * least. */
static bool is_service_name(const char *s)
{
    bool has_letter = false;
    size_t len = strlen(s);

    if (len < 1 || len > 15 || s[0] == '-' || s[len - 1] == '-')
        return false;
    for (size_t i = 0; i < len; i++) {
        if (!islower((unsigned char)s[i]) && !isdigit((unsigned char)s[i]) && s[i] != '-')
            return false;
        if (s[i] == '-' && s[i + 1] == '-')
            return false;
        has_letter |= islower((unsigned char)s[i]) != 0;
    }
    return has_letter;
}

static void port_name(const struct rule *r, const struct subject *s, const json_t *v,
                      struct findings *out)
{
    const char *name = json_string_value(v);

    if (name && *name && !is_service_name(name))
        rule_report(r, s, out);
}

static void port_number(const struct rule *r, const struct subject *s, const json_t *v,
                        struct findings *out)
{
    json_int_t port = json_integer_value(v);

    if (!v || port == 0)
        rule_say(s, out, CAUSE_REQUIRED, r->path, "must be set");
    else if (port < 0 || port > PORT_MAX)
        rule_report(r, s, out);
}

// clang-format off
static const struct rule port_rules[] = {
    RULE("name", port_name, INVALID, "is not a service name: use at most 15 of a-z, 0-9 and '-'"),
    RULE("port", port_number, INVALID, "must be from 1 to 65535", .also_absent = true),
    RULE("protocol", rule_one_of, INVALID, "use TCP or UDP", VALUES("", "TCP", "UDP")),
    RULES_END,
};
// clang-format on

static void ports(const struct rule *r, const struct subject *s, const json_t *v,
                  struct findings *out)
{
    static const struct rule each = EACH("ports", port_rules);
    size_t i;
    json_t *port;

    if (!is_on_pod_network(s))
        return; /* elsewhere they mean nothing */
    rule_each(&each, s, v, out);
    json_array_foreach(v, i, port) {
        const char *name = jpath_str(port, "name", "");

        if (*name && jarr_find(v, "name", name) != port)
            rule_say(s, out, CAUSE_DUPLICATE, "ports",
                     "two ports have the name \"%s\": give each its own", name);
    }
}

/* ---- port ranges ---- */

static void check_range(const struct rule *r, const struct subject *s, const json_t *list, size_t i,
                        struct findings *out)
{
    const json_t *range = json_array_get(list, i);
    json_int_t start = jpath_int(range, "start", 0);
    json_int_t end = jpath_int(range, "end", 0);
    const char *protocol = jpath_str(range, "protocol", "");

    if (!streq(protocol, "TCP") && !streq(protocol, "UDP"))
        rule_say(s, out, r->cause, r->path, "use the protocol TCP or UDP");
    if (start < 1 || end > PORT_MAX || start > end)
        rule_say(s, out, r->cause, r->path, "a range goes from 1 to 65535, start first");
    for (size_t j = 0; j < i; j++) {
        const json_t *other = json_array_get(list, j);

        if (streq(protocol, jpath_str(other, "protocol", "")) &&
            start <= jpath_int(other, "end", 0) && jpath_int(other, "start", 0) <= end)
            rule_say(s, out, r->cause, r->path, "two ranges of one protocol overlap: join them");
    }
}

static void port_ranges(const struct rule *r, const struct subject *s, const json_t *v,
                        struct findings *out)
{
    size_t n = json_array_size(v);

    if (n == 0)
        return;
    if (!cluster_config_gate(s->config, "PortRangesSpec")) {
        rule_say(s, out, r->cause, r->path, "needs the feature gate PortRangesSpec");
        return; /* whether ranges are good does not matter where none may be */
    }
    if (json_array_size(jpath_arr(s->here, "ports")) > 0)
        rule_say(s, out, r->cause, r->path, "does not go with ports: use one of them");
    if (!jpath_has(s->here, "masquerade"))
        rule_say(s, out, r->cause, r->path, "goes only with masquerade");
    if (n > PORT_RANGES_MAX)
        rule_say(s, out, r->cause, r->path, "must not hold more than %d", PORT_RANGES_MAX);
    for (size_t i = 0; i < n; i++)
        check_range(r, s, v, i, out);
}

/* ---- DHCP ---- */

static void private_options(const struct rule *r, const struct subject *s, const json_t *v,
                            struct findings *out)
{
    size_t i;
    json_t *item;

    json_array_foreach(v, i, item) {
        json_int_t option = jpath_int(item, "option", 0);

        if (option < OPTION_MIN || option > OPTION_MAX)
            rule_report_at(r, s, out, "%s[%zu].option", r->path, i);
        for (size_t j = 0; j < i; j++)
            if (jpath_int(json_array_get(v, j), "option", 0) == option)
                rule_say(s, out, r->cause, r->path,
                         "two options have the number %lld: leave one out", (long long)option);
    }
}

static void ntp_servers(const struct rule *r, const struct subject *s, const json_t *v,
                        struct findings *out)
{
    struct in_addr address;
    size_t i;
    json_t *item;

    json_array_foreach(v, i, item)
        if (inet_pton(AF_INET, json_string_value(item) ? json_string_value(item) : "", &address) !=
            1)
            rule_report_at(r, s, out, "%s[%zu]", r->path, i);
}

// clang-format off
const struct rule interface_rules[] = {
    RULE("state", state, INVALID, "use up, down or absent", VALUES("", "up", "down", "absent")),
    RULE("", one_binding, INVALID, "set exactly one of bridge, masquerade, sriov, passtBinding and binding"),
    RULE("masquerade", masquerade, INVALID, "masquerade is for the pod network only: use bridge or a plugin on others"),
    RULE("bridge", bridge, INVALID, "this cluster does not permit bridge on the pod network: use masquerade"),
    RULE("passtBinding", passt, INVALID, "passtBinding is for the pod network only: use bridge or a plugin on others"),
    RULE("name", unique_name, DUPLICATE, "is the name of an earlier interface: give each its own"),
    RULE("name", has_network, INVALID, "is the name of no network in spec.networks: add one of that name"),
    RULE("name", name_characters, INVALID, "may hold letters, digits, '-' and '_' only"),
    RULE("model", rule_one_of, NOT_SUPPORTED, "use virtio, e1000, e1000e, igb, ne2k_pci, pcnet or rtl8139",
         VALUES("", "virtio", "e1000", "e1000e", "igb", "ne2k_pci", "pcnet", "rtl8139")),
    RULE("macAddress", mac_address, INVALID, "is not a MAC address such as 02:00:00:12:34:56"),
    RULE("pciAddress", pci_address, INVALID, "is not a PCI address such as 0000:81:01.0"),
    RULE("ports", ports, INVALID, NULL),
    RULE("portRanges", port_ranges, INVALID, NULL),
    RULE("dhcpOptions.privateOptions", private_options, INVALID, "private options are from 224 to 254"),
    RULE("dhcpOptions.ntpServers", ntp_servers, INVALID, "is not an IPv4 address"),
    RULES_END,
};

static const struct rule discontinued_rules[] = {
    RULE("slirp", rule_refuse, INVALID, "is no more: use masquerade"),
    RULE("passt", rule_refuse, INVALID, "is no more: use passtBinding"),
    RULE("macvtap", rule_refuse, INVALID, "is no more: use a binding plugin"),
    RULES_END,
};

const struct rule discontinued_interface_rules[] = {
    EACH("domain.devices.interfaces", discontinued_rules),
    RULES_END,
};
// clang-format on
