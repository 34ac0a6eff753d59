/* SPDX-License-Identifier: Apache-2.0 */
#include "openapi/topology_apply.h"

#include "base/jpath.h"
#include "base/must.h"
#include "base/scope.h"
#include "base/str.h"

enum { RATIO_DEFAULT = 2, THREADS_A_CORE = 2 };

const struct topology_name topology_names[TOPOLOGIES] = {
    [TOPOLOGY_SOCKETS] = { "sockets", "preferSockets" },
    [TOPOLOGY_CORES] = { "cores", "preferCores" },
    [TOPOLOGY_THREADS] = { "threads", "preferThreads" },
    [TOPOLOGY_SPREAD] = { "spread", "preferSpread" },
    [TOPOLOGY_ANY] = { "any", "preferAny" },
};

static const char *const spreads[] = {
    [SPREAD_SOCKETS_CORES] = "SocketsCores",
    [SPREAD_SOCKETS_CORES_THREADS] = "SocketsCoresThreads",
    [SPREAD_CORES_THREADS] = "CoresThreads",
};

struct topology_preference topology_of(const json_t *preference)
{
    const char *topology = jpath_str(preference, "cpu.preferredCPUTopology", "");
    const char *across = jpath_str(preference, "cpu.spreadOptions.across", "");
    json_int_t ratio = jpath_int(preference, "preferSpreadSocketToCoreRatio", 0);
    struct topology_preference t = { .topology = TOPOLOGY_SOCKETS };

    for (size_t i = 0; i < TOPOLOGIES; i++)
        if (streq(topology, topology_names[i].name) ||
            streq(topology, topology_names[i].deprecated))
            t.topology = (enum topology)i;
    for (size_t i = 0; i < countof(spreads); i++)
        if (streq(across, spreads[i]))
            t.across = (enum spread)i;
    ratio = jpath_int(preference, "cpu.spreadOptions.ratio", ratio);
    t.ratio = ratio > 0 ? ratio : RATIO_DEFAULT;
    return t;
}

/* Threads come off first where they are among the levels; what is left must divide by the ratio. */
bool topology_divides(const struct topology_preference *t, json_int_t processors)
{
    if (t->topology != TOPOLOGY_SPREAD)
        return true;
    if (t->across == SPREAD_SOCKETS_CORES_THREADS) {
        if (processors % THREADS_A_CORE)
            return false;
        processors /= THREADS_A_CORE;
    }
    return processors >= t->ratio && processors % t->ratio == 0;
}

static void set_levels(json_t *cpu, json_int_t sockets, json_int_t cores, json_int_t threads)
{
    must_set(cpu, "sockets", json_integer(sockets));
    must_set(cpu, "cores", json_integer(cores));
    must_set(cpu, "threads", json_integer(threads));
}

static void set_spread(const struct topology_preference *t, json_int_t n, json_t *cpu)
{
    switch (t->across) {
    case SPREAD_SOCKETS_CORES:
        set_levels(cpu, n / t->ratio, t->ratio, 1);
        break;
    case SPREAD_SOCKETS_CORES_THREADS:
        set_levels(cpu, n / THREADS_A_CORE / t->ratio, t->ratio, THREADS_A_CORE);
        break;
    case SPREAD_CORES_THREADS:
        set_levels(cpu, 1, n / t->ratio, t->ratio);
        break;
    }
}

void topology_apply(const struct topology_preference *t, json_int_t processors, json_t *cpu)
{
    switch (t->topology) {
    case TOPOLOGY_SOCKETS:
    case TOPOLOGY_ANY:
    case TOPOLOGIES:
        set_levels(cpu, processors, 1, 1);
        break;
    case TOPOLOGY_CORES:
        set_levels(cpu, 1, processors, 1);
        break;
    case TOPOLOGY_THREADS:
        set_levels(cpu, 1, 1, processors);
        break;
    case TOPOLOGY_SPREAD:
        set_spread(t, processors, cpu);
        break;
    }
}
