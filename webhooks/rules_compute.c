/* SPDX-License-Identifier: Apache-2.0 */
/* CPU, memory, resources, machine (spec 02, 4.1). */
#include <fnmatch.h>

#include "base/jpath.h"
#include "base/quantity.h"
#include "base/str.h"
#include "webhooks/rules.h"

enum { THREADS_MAX = 2 };
static const int64_t MEMORY_MIN_BYTES = 1000 * 1000;
static const int64_t CPU = 1000 * 1000 * 1000; /* one, in a quantity's nano */

static bool is_zero(struct quantity q)
{
    return q.nano == 0;
}

/* ---- resources and memory: `here` is spec.domain ---- */

static void memory_request_is_enough(const struct rule *r, const struct subject *s, const json_t *v,
                                     struct findings *out)
{
    struct quantity q;

    if (quantity_from_json(v, &q) == 0 && q.nano > 0 && quantity_value(q) < MEMORY_MIN_BYTES)
        rule_report(r, s, out);
}

static void request_within_limit(const struct rule *r, const struct subject *s, const json_t *v,
                                 struct findings *out)
{
    const char *name = strrchr(r->path, '.') + 1;
    const json_t *limits = jpath(s->here, "resources.limits");
    struct quantity request, limit;

    if (quantity_from_json(v, &request) == 0 &&
        quantity_from_json(json_object_get(limits, name), &limit) == 0 && limit.nano > 0 &&
        quantity_cmp(request, limit) > 0)
        rule_report(r, s, out);
}

/* What the guest's memory is taken from, as far as huge pages care. */
static struct quantity hugepages_memory(const json_t *domain)
{
    static const char *const sources[] = { "resources.requests.memory", "memory.guest",
                                           "resources.limits.memory" };
    struct quantity q = { .nano = 0 };

    for (size_t i = 0; i < 3 && is_zero(q); i++)
        q = quantity_at(domain, sources[i]);
    return q;
}

static void hugepages_fit(const struct rule *r, const struct subject *s, const json_t *v,
                          struct findings *out)
{
    static const char request[] = "resources.requests.memory";
    struct quantity page;

    if (quantity_parse(jpath_str(v, "pageSize", ""), &page) < 0 || quantity_value(page) <= 0) {
        rule_say(s, out, CAUSE_INVALID, "memory.hugepages.pageSize",
                 "is not a page size: use 2Mi or 1Gi");
        return;
    }

    struct quantity memory = hugepages_memory(s->here);
    if (quantity_cmp(memory, page) < 0)
        rule_say(s, out, CAUSE_INVALID, request,
                 "is less than one huge page: give more memory or use smaller pages");
    else if (quantity_value(memory) % quantity_value(page) != 0)
        rule_say(s, out, CAUSE_INVALID, request,
                 "is not a whole number of huge pages: round it to the page size");
}

/* Live update may raise the guest's memory beyond the limit it started with. */
static void guest_within_limit(const struct rule *r, const struct subject *s, const json_t *v,
                               struct findings *out)
{
    struct quantity guest, limit = quantity_at(s->here, "resources.limits.memory");

    if (!s->config->is_rollout_live && limit.nano > 0 && quantity_from_json(v, &guest) == 0 &&
        quantity_cmp(guest, limit) > 0)
        rule_report(r, s, out);
}

static void machine_is_known(const struct rule *r, const struct subject *s, const json_t *v,
                             struct findings *out)
{
    const char *type = json_string_value(v);
    json_auto_t *globs = cluster_config_machine_globs(s->config, s->arch);
    size_t i;
    json_t *glob;

    if (!type || !*type)
        return;
    json_array_foreach(globs, i, glob) {
        const char *text = json_string_value(glob);

        if (text && fnmatch(text, type, FNM_NOESCAPE) == 0)
            return;
    }
    rule_report(r, s, out);
}

/* ---- CPU ---- */

static int64_t vcpus(const json_t *cpu)
{
    static const char *const factors[] = { "sockets", "cores", "threads" };
    int64_t n = 1;

    for (size_t i = 0; i < 3; i++) {
        json_int_t factor = jpath_int(cpu, factors[i], 0);

        if (factor > 0 && __builtin_mul_overflow(n, factor, &n))
            return INT64_MAX;
    }
    return n;
}

static void sockets_within_max(const struct rule *r, const struct subject *s, const json_t *v,
                               struct findings *out)
{
    json_int_t max = jpath_int(s->here, "cpu.maxSockets", 0);

    if (max && json_integer_value(v) > max)
        rule_report(r, s, out);
}

static void pinned_cpu_amounts(const struct subject *s, struct findings *out)
{
    struct quantity request = quantity_at(s->here, "resources.requests.cpu");
    struct quantity limit = quantity_at(s->here, "resources.limits.cpu");
    int64_t n = vcpus(json_object_get(s->here, "cpu"));

    if (request.nano % CPU != 0)
        rule_say(s, out, CAUSE_INVALID, "resources.requests.cpu",
                 "pinned CPUs are whole: give a whole number");
    if (limit.nano % CPU != 0)
        rule_say(s, out, CAUSE_INVALID, "resources.limits.cpu",
                 "pinned CPUs are whole: give a whole number");
    if (!is_zero(request) && !is_zero(limit) && quantity_cmp(request, limit) != 0)
        rule_say(s, out, CAUSE_INVALID, "cpu.dedicatedCpuPlacement",
                 "needs resources.requests.cpu and resources.limits.cpu to be equal");
    if (is_zero(request) && is_zero(limit) && !jpath_int(s->here, "cpu.cores", 0) &&
        !jpath_int(s->here, "cpu.sockets", 0) && !jpath_int(s->here, "cpu.threads", 0))
        rule_say(s, out, CAUSE_INVALID, "cpu.dedicatedCpuPlacement",
                 "needs a number of CPUs: set cpu.cores or resources.requests.cpu");
    if ((!is_zero(request) && quantity_value(request) != n) ||
        (!is_zero(limit) && quantity_value(limit) != n))
        rule_say(s, out, CAUSE_INVALID, "cpu.dedicatedCpuPlacement",
                 "the CPU resources and sockets x cores x threads must be the same number");
}

static void pinned_cpus(const struct rule *r, const struct subject *s, const json_t *v,
                        struct findings *out)
{
    struct quantity request = quantity_at(s->here, "resources.requests.memory");
    struct quantity limit = quantity_at(s->here, "resources.limits.memory");
    json_int_t threads = jpath_int(s->here, "cpu.threads", 0);

    if (!json_is_true(v))
        return;
    if (!is_zero(request) && !is_zero(limit) && quantity_cmp(request, limit) != 0)
        rule_say(s, out, CAUSE_INVALID, "resources.requests.memory",
                 "must be equal to resources.limits.memory while CPUs are pinned");
    if (is_zero(hugepages_memory(s->here)) && !jpath_has(s->here, "memory.hugepages"))
        rule_say(s, out, CAUSE_INVALID, "resources.limits.memory",
                 "pinned CPUs need an amount of memory: set memory.guest or a limit");
    pinned_cpu_amounts(s, out);
    if (threads > THREADS_MAX || (threads > 1 && streq(s->arch, "arm64")))
        rule_say(s, out, CAUSE_INVALID, "cpu.dedicatedCpuPlacement",
                 "pinned CPUs have few threads a core: set cpu.threads to %d at most",
                 streq(s->arch, "arm64") ? 1 : THREADS_MAX);
}

static void isolation_needs_pinning(const struct rule *r, const struct subject *s, const json_t *v,
                                    struct findings *out)
{
    if (json_is_true(v) && !jpath_bool(s->here, "cpu.dedicatedCpuPlacement", false))
        rule_report(r, s, out);
}

static void numa_needs(const struct rule *r, const struct subject *s, const json_t *v,
                       struct findings *out)
{
    if (!jpath_bool(s->here, "cpu.dedicatedCpuPlacement", false))
        rule_report_at(r, s, out, "%s", r->path);
    if (!jpath_has(s->here, "memory.hugepages"))
        rule_say(s, out, r->cause, r->path, "needs memory.hugepages");
}

static void realtime_needs(const struct rule *r, const struct subject *s, const json_t *v,
                           struct findings *out)
{
    static const char numa[] = "cpu.numa.guestMappingPassthrough";

    if (!jpath_bool(s->here, "cpu.dedicatedCpuPlacement", false))
        rule_say(s, out, CAUSE_REQUIRED, "cpu.dedicatedCpuPlacement",
                 "must be true for a realtime machine");
    if (!jpath_has(s->here, numa))
        rule_say(s, out, CAUSE_REQUIRED, numa, "must be set for a realtime machine");
}

/* ---- I/O threads ---- */

static void io_threads(const struct rule *r, const struct subject *s, const json_t *v,
                       struct findings *out)
{
    rule_one_of(r, s, v, out);
    if (streq(json_string_value(v), "supplementalPool") &&
        jpath_int(s->here, "ioThreads.supplementalPoolThreadCount", 0) < 1)
        rule_say(s, out, CAUSE_INVALID, "ioThreads.supplementalPoolThreadCount",
                 "must be at least 1 for the policy supplementalPool");
}

// clang-format off
static const struct rule cpu_feature_rules[] = {
    RULE("policy", rule_one_of, NOT_SUPPORTED, "use force, require, optional, disable or forbid",
         VALUES("", "force", "require", "optional", "disable", "forbid")),
    RULES_END,
};

static const struct rule domain_rules[] = {
    RULE("resources.requests.memory", rule_not_negative, INVALID, "must not be negative: leave it out for the default"),
    RULE("resources.requests.memory", memory_request_is_enough, INVALID,
         "is less than 1M, too little to start a machine: ask for more"),
    RULE("resources.limits.memory", rule_not_negative, INVALID, "must not be negative: leave it out for the default"),
    RULE("resources.requests.memory", request_within_limit, INVALID,
         "exceeds resources.limits.memory: raise the limit or ask for less"),
    RULE("resources.requests.cpu", rule_not_negative, INVALID, "must not be negative: leave it out for the default"),
    RULE("resources.limits.cpu", rule_not_negative, INVALID, "must not be negative: leave it out for the default"),
    RULE("resources.requests.cpu", request_within_limit, INVALID,
         "exceeds resources.limits.cpu: raise the limit or ask for less"),
    RULE("memory.hugepages", hugepages_fit, INVALID, NULL),
    RULE("memory.guest", guest_within_limit, INVALID, "exceeds resources.limits.memory: raise the limit or give the guest less"),
    RULE("memory.reservedOverhead", rule_gate, INVALID,
         "needs the feature gate ReservedOverheadMemlock", .gate = "ReservedOverheadMemlock"),
    RULE("machine.type", machine_is_known, INVALID,
         "is not among the machine types of this cluster (emulatedMachines of the KubeVirt object)"),
    RULE("cpu.sockets", sockets_within_max, INVALID, "exceeds cpu.maxSockets: raise it or ask for fewer sockets"),
    RULE("cpu.dedicatedCpuPlacement", pinned_cpus, INVALID, NULL),
    RULE("cpu.isolateEmulatorThread", isolation_needs_pinning, INVALID,
         "needs cpu.dedicatedCpuPlacement"),
    RULE("cpu.numa.guestMappingPassthrough", numa_needs, INVALID, "needs cpu.dedicatedCpuPlacement"),
    RULE("cpu.realtime", realtime_needs, REQUIRED, NULL),
    EACH("cpu.features", cpu_feature_rules),
    RULE("ioThreadsPolicy", io_threads, INVALID, "use shared, auto or supplementalPool",
         VALUES("shared", "auto", "supplementalPool")),
    RULE("rebootPolicy", rule_gate, INVALID, "needs the feature gate RebootPolicy",
         .gate = "RebootPolicy"),
    RULES_END,
};

const struct rule compute_rules[] = {
    BELOW("domain", domain_rules),
    RULES_END,
};
// clang-format on
