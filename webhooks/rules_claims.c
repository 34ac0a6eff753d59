/* SPDX-License-Identifier: Apache-2.0 */
/* Resource claims, and the GPUs, host devices and networks that use them (spec 02, 4.4). */
#include "base/jpath.h"
#include "base/str.h"
#include "webhooks/rules.h"

/* ---- spec.resourceClaims: `here` is one ---- */

/* Two of one name are the schema's to find. */
static void claim_name(const struct rule *r, const struct subject *s, const json_t *v,
                       struct findings *out)
{
    const char *name = v ? json_string_value(v) : "";

    if (!*name)
        rule_say(s, out, CAUSE_REQUIRED, r->path, "must be set");
    else if (!is_dns_label(name))
        rule_report(r, s, out);
}

static void claim_source(const struct rule *r, const struct subject *s, const json_t *v,
                         struct findings *out)
{
    if (jpath_has(v, "resourceClaimName") + jpath_has(v, "resourceClaimTemplateName") != 1)
        rule_report(r, s, out);
}

static void object_name(const struct rule *r, const struct subject *s, const json_t *v,
                        struct findings *out)
{
    if (!is_dns_subdomain(json_string_value(v)))
        rule_report(r, s, out);
}

/* ---- devices that come by a claim ---- */

/* A list of which some may come by a claim. */
struct claimant {
    const char *path;  /* below the spec */
    const char *claim; /* member that names claim and request; NULL: the item does itself */
    const char *gate;  /* of those by claim */
    bool is_pure;      /* all by claim, or none */
};

static const struct claimant claimants[] = {
    { "domain.devices.gpus", NULL, "GPUsWithDRA", true },
    { "domain.devices.hostDevices", NULL, "HostDevicesWithDRA", false },
    { "networks", "resourceClaim", "NetworkDevicesWithDRA", false },
};

static const struct claimant *claimant_of(const struct rule *r)
{
    size_t i = 0;

    while (!streq(r->path, claimants[i].path))
        i++;
    return &claimants[i];
}

/* Claim and request of one item, "" where they are not given. */
struct pair {
    const char *claim, *request;
};

static struct pair pair_of(const struct claimant *c, const json_t *item)
{
    const json_t *at = c->claim ? jpath_obj(item, c->claim) : item;

    return (struct pair){ jpath_str(at, "claimName", ""), jpath_str(at, "requestName", "") };
}

/* Is the pair used before item i, in that list or in an earlier one? */
static bool is_pair_used(const struct subject *s, const struct claimant *c, size_t i,
                         struct pair pair)
{
    for (const struct claimant *list = claimants; list <= c; list++) {
        const json_t *items = jpath_arr(s->spec, list->path);
        const size_t n = list == c ? i : json_array_size(items);

        for (size_t j = 0; j < n; j++) {
            const struct pair other = pair_of(list, json_array_get(items, j));

            if (streq(other.claim, pair.claim) && streq(other.request, pair.request))
                return true;
        }
    }
    return false;
}

static bool has_claim(const struct subject *s, const char *name)
{
    return jarr_find(jpath_arr(s->spec, "resourceClaims"), "name", name) != NULL;
}

static bool is_claimed(const json_t *device)
{
    return jpath_has(device, "claimName") || jpath_has(device, "requestName");
}

static void require(const struct rule *r, const struct subject *s, size_t i, const char *member,
                    struct findings *out)
{
    struct rule required = *r;

    required.cause = CAUSE_REQUIRED;
    required.message = "must be set for what comes by a claim";
    rule_report_at(&required, s, out, "%s[%zu].%s", r->path, i, member);
}

static void check_claimed(const struct rule *r, const struct subject *s, size_t i,
                          const json_t *device, struct findings *out)
{
    const struct claimant *c = claimant_of(r);
    const struct pair pair = pair_of(c, device);

    if (!*pair.claim)
        require(r, s, i, "claimName", out);
    if (!*pair.request)
        require(r, s, i, "requestName", out);
    if (!*pair.claim || !*pair.request)
        return;
    if (is_pair_used(s, c, i, pair))
        rule_say(s, out, CAUSE_DUPLICATE, r->path,
                 "claim and request \"%s\" \"%s\" are used already: ask for another request",
                 pair.claim, pair.request);
    if (!has_claim(s, pair.claim))
        rule_say(s, out, CAUSE_INVALID, "resourceClaims", "there is no claim \"%s\": add it",
                 pair.claim);
}

static void devices(const struct rule *r, const struct subject *s, const json_t *v,
                    struct findings *out)
{
    const struct claimant *list = claimant_of(r);
    size_t claimed = 0, n = json_array_size(v);
    size_t i;
    json_t *device;

    json_array_foreach(v, i, device) {
        bool is_named = *jpath_str(device, "deviceName", "");

        if (is_named && is_claimed(device))
            rule_say(s, out, CAUSE_INVALID, r->path, "set deviceName or a claim, not both");
        else if (is_claimed(device))
            check_claimed(r, s, i, device, out);
        else if (!is_named)
            rule_say(s, out, CAUSE_REQUIRED, r->path, "each needs a deviceName or a claim");
        claimed += is_claimed(device) && !is_named;
    }
    if (claimed && !cluster_config_gate(s->config, list->gate))
        rule_say(s, out, CAUSE_INVALID, r->path, "devices by claim need the feature gate %s",
                 list->gate);
    if (list->is_pure && claimed && claimed != n)
        rule_say(s, out, CAUSE_INVALID, r->path, "either all come by a claim or none");
}

/* ---- networks by claim ---- */

static void check_claimed_network(const struct rule *r, const struct subject *s, size_t i,
                                  const json_t *network, struct findings *out)
{
    const struct claimant *c = claimant_of(r);
    const struct pair pair = pair_of(c, network);
    const json_t *interface = jarr_find(jpath_arr(s->spec, "domain.devices.interfaces"), "name",
                                        jpath_str(network, "name", ""));
    struct rule found = *r;

    if (interface && !jpath_has(interface, "sriov") && !jpath_has(interface, "binding"))
        rule_say(s, out, CAUSE_INVALID, "domain.devices.interfaces",
                 "\"%s\" is on a network by claim: connect it by sriov or by a binding plugin",
                 jpath_str(network, "name", ""));
    if (!*pair.claim)
        require(r, s, i, "resourceClaim.claimName", out);
    if (!*pair.request)
        require(r, s, i, "resourceClaim.requestName", out);
    if (!*pair.claim || !*pair.request)
        return;
    found.cause = CAUSE_NOT_FOUND;
    found.message = "is the name of no claim in spec.resourceClaims: add one of that name";
    if (!has_claim(s, pair.claim))
        rule_report_at(&found, s, out, "%s[%zu].resourceClaim.claimName", r->path, i);
    found.cause = CAUSE_DUPLICATE;
    found.message = "claim and request are used already: ask for another request";
    if (is_pair_used(s, c, i, pair))
        rule_report_at(&found, s, out, "%s[%zu]", r->path, i);
}

static void claimed_networks(const struct rule *r, const struct subject *s, const json_t *v,
                             struct findings *out)
{
    bool has_claimed = false, has_multus = false;
    size_t i;
    json_t *network;

    json_array_foreach(v, i, network) {
        has_claimed |= jpath_has(network, "resourceClaim");
        has_multus |= jpath_has(network, "multus");
    }
    if (!has_claimed)
        return;
    if (!cluster_config_gate(s->config, claimant_of(r)->gate)) {
        rule_report(r, s, out);
        return;
    }
    if (has_multus)
        rule_say(s, out, CAUSE_INVALID, r->path,
                 "resourceClaim and multus do not go together: use one of them");
    json_array_foreach(v, i, network)
        if (jpath_has(network, "resourceClaim"))
            check_claimed_network(r, s, i, network, out);
}

// clang-format off
static const struct rule resource_claim_rules[] = {
    RULE("name", claim_name, INVALID, "is not a DNS label: use at most 63 of a-z, 0-9 and '-'",
         .also_absent = true),
    RULE("", claim_source, INVALID, "set exactly one of resourceClaimName and resourceClaimTemplateName"),
    RULE("resourceClaimName", object_name, INVALID, "is not the name of an object"),
    RULE("resourceClaimTemplateName", object_name, INVALID, "is not the name of an object"),
    RULES_END,
};

const struct rule claim_rules[] = {
    EACH("resourceClaims", resource_claim_rules),
    RULE("domain.devices.gpus", devices, INVALID, NULL),
    RULE("domain.devices.hostDevices", devices, INVALID, NULL),
    RULE("networks", claimed_networks, INVALID, "resourceClaim needs the feature gate NetworkDevicesWithDRA"),
    RULES_END,
};
// clang-format on
