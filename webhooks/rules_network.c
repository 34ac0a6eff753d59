/* SPDX-License-Identifier: Apache-2.0 */
/* Networks (spec 02, 4.2); interfaces are in rules_interfaces.c. */
#include "base/jpath.h"
#include "base/str.h"
#include "webhooks/rules.h"
#include "webhooks/rules_interfaces.h"

/* ---- all networks: `here` is the spec ---- */

static void default_networks(const struct rule *r, const struct subject *s, const json_t *v,
                             struct findings *out)
{
    int pods = 0, defaults = 0;
    size_t i;
    json_t *network;

    json_array_foreach(v, i, network) {
        pods += jpath_has(network, "pod");
        defaults += jpath_bool(network, "multus.default", false);
    }
    if (pods > 1)
        rule_say(s, out, CAUSE_DUPLICATE, "networks",
                 "only one may be the pod network: leave out the others");
    if (defaults > 1)
        rule_say(s, out, CAUSE_INVALID, "networks",
                 "only one multus network may be the default: leave out default of the others");
    if (pods && defaults)
        rule_say(
            s, out, CAUSE_INVALID, "networks",
            "a multus network that is the default takes the place of the pod network: leave out one");
}

/* ---- one network: `here` ---- */

static void one_source(const struct rule *r, const struct subject *s, const json_t *v,
                       struct findings *out)
{
    if (jpath_has(v, "pod") + jpath_has(v, "multus") + jpath_has(v, "resourceClaim") != 1)
        rule_report(r, s, out);
}

static void multus_name(const struct rule *r, const struct subject *s, const json_t *v,
                        struct findings *out)
{
    if (!*jpath_str(v, "networkName", ""))
        rule_say(s, out, r->cause, "", "%s", r->message);
}

static void unique_name(const struct rule *r, const struct subject *s, const json_t *v,
                        struct findings *out)
{
    const json_t *networks = jpath_arr(s->spec, "networks");

    for (size_t i = 0; i < s->index; i++)
        if (streq(jpath_str(json_array_get(networks, i), "name", ""), json_string_value(v)))
            rule_report(r, s, out);
}

static void has_interface(const struct rule *r, const struct subject *s, const json_t *v,
                          struct findings *out)
{
    const char *name = v ? json_string_value(v) : "";
    size_t i;
    json_t *interface;

    json_array_foreach(jpath_arr(s->spec, "domain.devices.interfaces"), i, interface)
        if (streq(jpath_str(interface, "name", ""), name))
            return;
    rule_report(r, s, out);
}

// clang-format off
static const struct rule rules_of_one[] = {
    RULE("", one_source, REQUIRED, "set exactly one of pod, multus and resourceClaim"),
    RULE("multus", multus_name, REQUIRED, "multus.networkName must name a network attachment definition"),
    RULE("name", unique_name, DUPLICATE, "is the name of an earlier network: give each its own"),
    RULE("name", has_interface, REQUIRED,
         "has no interface in spec.domain.devices.interfaces: add one of that name",
         .also_absent = true),
    RULES_END,
};

const struct rule network_rules[] = {
    RULE("networks", default_networks, INVALID, NULL),
    EACH("networks", rules_of_one),
    EACH("domain.devices.interfaces", interface_rules),
    RULES_END,
};
// clang-format on
