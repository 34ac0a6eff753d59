/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How the processors of an instance type become sockets, cores and threads: as the preference
 * says (spec 02, section 8).  Pure; any thread.
 */
#ifndef OPENAPI_TOPOLOGY_APPLY_H
#define OPENAPI_TOPOLOGY_APPLY_H

#include <jansson.h>
#include <stdbool.h>

enum topology {
    TOPOLOGY_SOCKETS, /* also when nothing is preferred */
    TOPOLOGY_CORES,
    TOPOLOGY_THREADS,
    TOPOLOGY_SPREAD,
    TOPOLOGY_ANY,
    TOPOLOGIES,
};

/* As a preference spells it: now, and in the deprecated way. */
struct topology_name {
    const char *name, *deprecated;
};
extern const struct topology_name topology_names[TOPOLOGIES];

/* Levels that processors are spread over. */
enum spread { SPREAD_SOCKETS_CORES, SPREAD_SOCKETS_CORES_THREADS, SPREAD_CORES_THREADS };

/* What a preference's spec (NULL: none) says of processors. */
struct topology_preference {
    enum topology topology;
    enum spread across;
    json_int_t ratio; /* of one level to the next; 1 or more */
};

struct topology_preference topology_of(const json_t *preference);

/* Can `processors` be spread so?  Always true of the other topologies. */
bool topology_divides(const struct topology_preference *t, json_int_t processors);

/* Set sockets, cores and threads of `cpu` (spec.domain.cpu). */
void topology_apply(const struct topology_preference *t, json_int_t processors, json_t *cpu);

#endif
