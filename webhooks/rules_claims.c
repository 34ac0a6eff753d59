/* SPDX-License-Identifier: Apache-2.0 */
/* Resource claims, and the GPUs, host devices and networks that use them (spec 02, 4.4). */
#include "base/jpath.h"
#include "base/str.h"
#include "webhooks/rules.h"

/* ---- spec.resourceClaims: `here` is one ---- */

static void claim_name(const struct rule *r, const struct subject *s, const json_t *v,
                       struct findings *out)
{
    const char *name = v ? json_string_value(v) : "";
    const json_t *claims = jpath_arr(s->spec, "resourceClaims");

    if (!*name)
        rule_say(s, out, CAUSE_REQUIRED, r->path, "must be set");
    else if (!is_dns_label(name))
        rule_report(r, s, out);
    if (*name && jarr_find(claims, "name", name) != s->here)
        rule_say(s, out, CAUSE_DUPLICATE, r->path,
                 "is the name of an earlier claim: give each its own");
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

static bool is_claimed(const json_t *device)
{
    return jpath_has(device, "claimName") || jpath_has(device, "requestName");
}

/* A list of devices of one kind. */
struct device_list {
    const char *path; /* below the spec */
    const char *gate; /* of devices by claim */
    bool is_pure;     /* all by claim, or none */
};

static const struct device_list device_lists[] = {
    { "domain.devices.gpus", "GPUsWithDRA", true },
    { "domain.devices.hostDevices", "HostDevicesWithDRA", false },
};

static const struct device_list *list_of(const struct rule *r)
{
    return &device_lists[streq(r->path, device_lists[0].path) ? 0 : 1];
}

/* Is the pair of names used before list[i], there or in an earlier list? */
static bool is_pair_used(const struct subject *s, const struct device_list *list, size_t i,
                         const json_t *device)
{
    for (const struct device_list *l = device_lists; l <= list; l++) {
        const json_t *devices = jpath_arr(s->spec, l->path);
        size_t n = l == list ? i : json_array_size(devices);

        for (size_t j = 0; j < n; j++) {
            const json_t *other = json_array_get(devices, j);

            if (is_claimed(other) &&
                streq(jpath_str(other, "claimName", ""), jpath_str(device, "claimName", "")) &&
                streq(jpath_str(other, "requestName", ""), jpath_str(device, "requestName", "")))
                return true;
        }
    }
    return false;
}

static void check_claimed(const struct rule *r, const struct subject *s, size_t i,
                          const json_t *device, struct findings *out)
{
    bool has_claim = *jpath_str(device, "claimName", "");
    bool has_request = *jpath_str(device, "requestName", "");
    struct rule required = *r;

    required.cause = CAUSE_REQUIRED;
    required.message = "must be set for a device that comes by a claim";
    if (!has_claim)
        rule_report_at(&required, s, out, "%s[%zu].claimName", r->path, i);
    if (!has_request)
        rule_report_at(&required, s, out, "%s[%zu].requestName", r->path, i);
    if (has_claim && has_request && is_pair_used(s, list_of(r), i, device))
        rule_say(s, out, CAUSE_DUPLICATE, r->path, "two devices have one claim and request");
    if (has_claim && has_request &&
        !jarr_find(jpath_arr(s->spec, "resourceClaims"), "name",
                   jpath_str(device, "claimName", "")))
        rule_say(s, out, CAUSE_INVALID, "resourceClaims", "there is no claim \"%s\": add it",
                 jpath_str(device, "claimName", ""));
}

static void devices(const struct rule *r, const struct subject *s, const json_t *v,
                    struct findings *out)
{
    const struct device_list *list = list_of(r);
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
    if (!cluster_config_gate(s->config, "NetworkDevicesWithDRA")) {
        rule_report(r, s, out);
        return;
    }
    if (has_multus)
        rule_say(s, out, CAUSE_INVALID, r->path, "resourceClaim and multus do not go together");
    json_array_foreach(v, i, network) {
        const json_t *claim = jpath_obj(network, "resourceClaim");
        const char *name = jpath_str(claim, "claimName", "");

        if (!claim)
            continue;
        struct rule required = *r;
        required.cause = CAUSE_REQUIRED;
        required.message = "must be set";
        if (!*name)
            rule_report_at(&required, s, out, "%s[%zu].resourceClaim.claimName", r->path, i);
        else if (!jarr_find(jpath_arr(s->spec, "resourceClaims"), "name", name))
            rule_say(s, out, CAUSE_NOT_FOUND, "resourceClaims", "there is no claim \"%s\": add it",
                     name);
        if (!*jpath_str(claim, "requestName", ""))
            rule_report_at(&required, s, out, "%s[%zu].resourceClaim.requestName", r->path, i);
    }
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
