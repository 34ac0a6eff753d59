/* SPDX-License-Identifier: Apache-2.0 */
/* What the launcher's pod takes from the instance: host name, DNS, probes (spec 02, 4.1). */
#include <arpa/inet.h>

#include "base/jpath.h"
#include "base/str.h"
#include "webhooks/rules.h"

enum { NAMESERVERS_MAX = 3, SEARCHES_MAX = 6, SEARCHES_TEXT_MAX = 256 };

/* ---- probes ---- */

static bool has_pod_network(const json_t *spec)
{
    size_t i;
    json_t *network;

    json_array_foreach(jpath_arr(spec, "networks"), i, network)
        if (jpath_has(network, "pod"))
            return true;
    return false;
}

static void probe(const struct rule *r, const struct subject *s, const json_t *v,
                  struct findings *out)
{
    static const char *const handlers[] = { "httpGet", "tcpSocket", "exec", "guestAgentPing" };
    int n = 0;

    for (size_t i = 0; i < 4; i++)
        n += jpath_has(v, handlers[i]);
    if (n > 1)
        rule_say(s, out, CAUSE_INVALID, r->path,
                 "use only one of httpGet, tcpSocket, exec and guestAgentPing");
    if (n == 0)
        rule_say(s, out, CAUSE_REQUIRED, r->path,
                 "set one of httpGet, tcpSocket, exec and guestAgentPing");
    if (has_pod_network(s->spec))
        return;
    for (size_t i = 0; i < 2; i++)
        if (jpath_has(v, handlers[i]))
            rule_report_at(r, s, out, "%s.%s", r->path, handlers[i]);
}

/* ---- DNS ---- */

static void dns_policy(const struct rule *r, const struct subject *s, const json_t *v,
                       struct findings *out)
{
    const json_t *config = jpath_obj(s->spec, "dnsConfig");
    const char *policy = json_string_value(v);

    if (policy && *policy)
        rule_one_of(r, s, v, out);
    if (!streq(policy, "None"))
        return;
    if (!config)
        rule_say(s, out, CAUSE_REQUIRED, "dnsConfig", "must be set when dnsPolicy is None");
    else if (json_array_size(jpath_arr(config, "nameservers")) == 0)
        rule_say(s, out, CAUSE_REQUIRED, "dnsConfig.nameservers",
                 "give at least one when dnsPolicy is None");
}

static bool is_ip(const char *s)
{
    unsigned char address[16];

    return s && (inet_pton(AF_INET, s, address) == 1 || inet_pton(AF_INET6, s, address) == 1);
}

static void dns_servers(const struct rule *r, const struct subject *s, const json_t *v,
                        struct findings *out)
{
    size_t i;
    json_t *item;

    if (json_array_size(v) > NAMESERVERS_MAX)
        rule_say(s, out, CAUSE_INVALID, r->path, "must not hold more than %d", NAMESERVERS_MAX);
    json_array_foreach(v, i, item)
        if (!is_ip(json_string_value(item)))
            rule_report_at(r, s, out, "%s[%zu]", r->path, i);
}

static bool is_search_domain(const char *name)
{
    char text[256];
    size_t len = name ? strlen(name) : 0;

    if (len == 0 || len >= sizeof(text))
        return false;
    if (streq(name, "."))
        return true;
    memcpy(text, name, len + 1);
    if (text[len - 1] == '.')
        text[len - 1] = '\0';
    return is_dns_subdomain(text);
}

static void dns_searches(const struct rule *r, const struct subject *s, const json_t *v,
                         struct findings *out)
{
    size_t i, total = 0;
    json_t *item;

    json_array_foreach(v, i, item) {
        total += json_string_length(item) + 1;
        if (!is_search_domain(json_string_value(item)))
            rule_report_at(r, s, out, "%s[%zu]", r->path, i);
    }
    if (json_array_size(v) > SEARCHES_MAX)
        rule_say(s, out, CAUSE_INVALID, r->path, "must not hold more than %d", SEARCHES_MAX);
    if (total > SEARCHES_TEXT_MAX + 1)
        rule_say(s, out, CAUSE_INVALID, r->path, "must not be longer than %d characters together",
                 SEARCHES_TEXT_MAX);
}

/* ---- start, account ---- */

static void start_strategy(const struct rule *r, const struct subject *s, const json_t *v,
                           struct findings *out)
{
    rule_one_of(r, s, v, out);
    if (streq(json_string_value(v), "Paused") && jpath_has(s->spec, "livenessProbe"))
        rule_say(s, out, CAUSE_INVALID, r->path,
                 "Paused does not go with a livenessProbe: leave that out");
}

static void none(const struct rule *r, const struct subject *s, const json_t *v,
                 struct findings *out)
{
    if (json_array_size(v) > 0)
        rule_report(r, s, out);
}

static void same_account(const struct rule *r, const struct subject *s, const json_t *v,
                         struct findings *out)
{
    size_t i;
    json_t *volume;

    rule_dns_subdomain(r, s, v, out);
    json_array_foreach(jpath_arr(s->spec, "volumes"), i, volume) {
        const char *name = jpath_str(volume, "serviceAccount.serviceAccountName", NULL);

        if (name && *json_string_value(v) && !streq(name, json_string_value(v)))
            rule_say(s, out, CAUSE_INVALID, r->path,
                     "must be the account of the serviceAccount volume: name the same in both");
    }
}

// clang-format off
static const struct rule dns_option_rules[] = {
    RULE("name", rule_not_empty, INVALID, "must be set", .also_absent = true),
    RULES_END,
};

const struct rule pod_rules[] = {
    RULE("hostname", rule_dns_label, INVALID,
         "is not a DNS label: use at most 63 of a-z, 0-9 and '-', with a letter or digit at both ends"),
    RULE("subdomain", rule_dns_subdomain, INVALID,
         "is not a DNS name: use labels of a-z, 0-9 and '-' joined by dots"),
    RULE("startStrategy", start_strategy, INVALID, "use Paused, or leave it out", VALUES("Paused")),
    RULE("evictionStrategy", rule_one_of, INVALID, "use LiveMigrate, LiveMigrateIfPossible, None or External",
         VALUES("LiveMigrate", "LiveMigrateIfPossible", "None", "External")),
    RULE("readinessProbe", probe, INVALID, "needs an interface on the pod network"),
    RULE("livenessProbe", probe, INVALID, "needs an interface on the pod network"),
    RULE("dnsPolicy", dns_policy, NOT_SUPPORTED, "use ClusterFirst, ClusterFirstWithHostNet, Default or None",
         VALUES("ClusterFirst", "ClusterFirstWithHostNet", "Default", "None")),
    RULE("dnsConfig.nameservers", dns_servers, INVALID, "is not an IP address"),
    RULE("dnsConfig.searches", dns_searches, INVALID, "is not a DNS name"),
    EACH("dnsConfig.options", dns_option_rules),
    RULE("serviceAccountName", same_account, INVALID, "is not the name of a service account"),
    RULE("utilityVolumes", none, INVALID,
         "are added to a running instance only: leave them out"),
    RULES_END,
};
// clang-format on
