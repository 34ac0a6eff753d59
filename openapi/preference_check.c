/* SPDX-License-Identifier: Apache-2.0 */
/* A preference's requirements (spec 02, 6.4): of the instance type where there is one, else of the
 * machine. */
#include "base/buf.h"
#include "base/jpath.h"
#include "base/quantity.h"
#include "base/scope.h"
#include "base/str.h"
#include "openapi/preference_apply.h"
#include "openapi/topology_apply.h"

#define FAILURE "failure checking preference requirements: "
#define TEMPLATE "spec.template.spec."
#define CPU TEMPLATE "domain.cpu"
#define MEMORY TEMPLATE "domain.memory"

/* Levels whose product must suffice, as a set of bits. */
enum { SOCKETS = 1, CORES = 2, THREADS = 4 };

static const char *const level_names[] = { "sockets", "cores", "threads" };

static unsigned levels_of(const struct topology_preference *t)
{
    static const unsigned spread[] = {
        [SPREAD_SOCKETS_CORES] = SOCKETS | CORES,
        [SPREAD_SOCKETS_CORES_THREADS] = SOCKETS | CORES | THREADS,
        [SPREAD_CORES_THREADS] = CORES | THREADS,
    };

    switch (t->topology) {
    case TOPOLOGY_SOCKETS:
        return SOCKETS;
    case TOPOLOGY_CORES:
        return CORES;
    case TOPOLOGY_THREADS:
        return THREADS;
    case TOPOLOGY_SPREAD:
        return spread[t->across];
    case TOPOLOGY_ANY:
    case TOPOLOGIES:
        break;
    }
    return SOCKETS | CORES | THREADS;
}

/* A level that is not named is one. */
static void check_levels(const struct topology_preference *t, json_int_t needed, const json_t *cpu,
                         struct findings *out)
{
    const unsigned levels = levels_of(t);
    scoped_buf fields = BUF_INIT(0);
    json_int_t processors = 1;

    for (size_t i = 0; i < countof(level_names); i++) {
        json_int_t n = jpath_int(cpu, level_names[i], 0);

        if (!(levels & 1U << i))
            continue;
        (void)buf_addf(&fields, "%s" CPU ".%s", fields.len ? ", " : "", level_names[i]);
        if (n > 1 && __builtin_mul_overflow(processors, n, &processors))
            return; /* more than anything can require */
    }
    if (processors < needed)
        findings_add(out, CAUSE_NOT_FOUND, fields.data,
                     FAILURE "%lld processors are needed here, there are %lld", (long long)needed,
                     (long long)processors);
}

static void check_cpu(const json_t *preference, const json_t *type, const json_t *spec,
                      struct findings *out)
{
    const struct topology_preference t = topology_of(preference);
    json_int_t needed = jpath_int(preference, "requirements.cpu.guest", 0);
    const json_t *cpu = jpath_obj(spec, "domain.cpu");

    if (!jpath_has(preference, "requirements.cpu"))
        return;
    if (type && jpath_int(type, "cpu.guest", 0) < needed)
        findings_add(out, CAUSE_NOT_FOUND, "spec.instancetype",
                     FAILURE "%lld processors are needed, the instance type gives %lld",
                     (long long)needed, (long long)jpath_int(type, "cpu.guest", 0));
    else if (!type && !cpu)
        findings_add(out, CAUSE_NOT_FOUND, CPU,
                     FAILURE "%lld processors are needed, none are named", (long long)needed);
    else if (!type)
        check_levels(&t, needed, cpu, out);
}

static void check_memory(const json_t *preference, const json_t *type, const json_t *spec,
                         struct findings *out)
{
    const json_t *guest = jpath(spec, "domain.memory.guest");
    struct quantity needed, has = { 0 };
    char text[QUANTITY_TEXT_MAX];

    if (quantity_from_json(jpath(preference, "requirements.memory.guest"), &needed) < 0)
        return;
    (void)quantity_from_json(type ? jpath(type, "memory.guest") : guest, &has);
    if (quantity_cmp(has, needed) < 0)
        findings_add(out, CAUSE_NOT_FOUND,
                     type    ? "spec.instancetype"
                     : guest ? MEMORY ".guest"
                             : MEMORY,
                     FAILURE "%s of memory are needed", quantity_format(needed, text));
}

static void check_architecture(const json_t *preference, const json_t *spec, struct findings *out)
{
    const char *needed = jpath_str(preference, "requirements.architecture", "");

    if (*needed && !streq(needed, jpath_str(spec, "architecture", "")))
        findings_add(out, CAUSE_NOT_FOUND, TEMPLATE "architecture",
                     FAILURE "the architecture must be %s", needed);
}

void preference_check(const json_t *preference, const json_t *type, const json_t *spec,
                      struct findings *out)
{
    check_cpu(preference, type, spec, out);
    check_memory(preference, type, spec, out);
    check_architecture(preference, spec, out);
}
