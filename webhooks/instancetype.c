/* SPDX-License-Identifier: Apache-2.0 */
/* Instance types and preferences, of a namespace or of the cluster (spec 02, section 7). */
#include "base/jpath.h"
#include "base/scope.h"
#include "base/str.h"
#include "openapi/topology_apply.h"
#include "webhooks/rules.h"
#include "webhooks/rules_vmi.h"
#include "webhooks/validators.h"

/* ---- instance types ---- */

static void overcommit(const struct rule *r, const struct subject *s, const json_t *v,
                       struct findings *out)
{
    if (json_integer_value(v) > 0 && jpath_has(s->spec, "memory.hugepages"))
        rule_report(r, s, out);
}

// clang-format off
static const struct rule instancetype_rules[] = {
    RULE("memory.overcommitPercent", overcommit, INVALID,
         "cannot stand beside memory.hugepages, which are never shared: leave one of them out"),
    RULES_END,
};
// clang-format on

/* ---- preferences ---- */

static void topology(const struct rule *r, const struct subject *s, const json_t *v,
                     struct findings *out)
{
    const char *given = json_string_value(v);

    for (size_t i = 0; i < TOPOLOGIES; i++)
        if (streq(given, topology_names[i].name) || streq(given, topology_names[i].deprecated))
            return;
    rule_report(r, s, out);
}

enum { RATIO_DEFAULT = 2 };

/* A core has two threads at most. */
static void ratio(const struct rule *r, const struct subject *s, const json_t *v,
                  struct findings *out)
{
    json_int_t given = jpath_int(s->spec, "preferSpreadSocketToCoreRatio", 0);

    given = jpath_int(s->spec, "cpu.spreadOptions.ratio", given ? given : RATIO_DEFAULT);
    if (streq(json_string_value(v), "CoresThreads") && given != RATIO_DEFAULT)
        rule_say(s, out, r->cause, "cpu.spreadOptions.ratio", "%s", r->message);
}

// clang-format off
static const struct rule preference_rules[] = {
    RULE("cpu.preferredCPUTopology", topology, INVALID, "use sockets, cores, threads, spread or any"),
    RULE("cpu.spreadOptions.across", rule_one_of, INVALID, "use SocketsCoresThreads, SocketsCores or CoresThreads",
         VALUES("SocketsCoresThreads", "SocketsCores", "CoresThreads")),
    RULE("cpu.spreadOptions.across", ratio, INVALID, "across cores and threads only a ratio of 2 is possible"),
    RULES_END,
};
// clang-format on

static void check(struct review *rv, const struct rule *rules)
{
    const struct at at = AT_NAME(NULL, "spec");
    const struct subject s =
        subject_of(jpath_obj(rv->object, "spec"), &at, rv->config, rv->is_create);

    check_schema(rv);
    if (!findings_misshapen(&rv->findings))
        rules_run(rules, &s, &rv->findings);
}

void validate_instancetype(struct review *rv)
{
    check(rv, instancetype_rules);
    if (jpath_has(rv->object, "spec.launchSecurity"))
        review_warn(rv, "spec.launchSecurity of instance types is deprecated: use "
                        "spec.preferredLaunchSecurity of a preference instead");
}

void validate_preference(struct review *rv)
{
    const char *given = jpath_str(rv->object, "spec.cpu.preferredCPUTopology", "");

    check(rv, preference_rules);
    for (size_t i = 0; i < TOPOLOGIES; i++)
        if (streq(topology_names[i].deprecated, given))
            review_warn(rv, "spec.cpu.preferredCPUTopology: %s is deprecated: use %s instead",
                        given, topology_names[i].name);
}
