/* SPDX-License-Identifier: Apache-2.0 */
/* Defaults of CPU, memory and resources. */
#include <stdlib.h>

#include "base/jpath.h"
#include "base/must.h"
#include "base/quantity.h"
#include "base/str.h"
#include "webhooks/defaults.h"

enum { VCPUS_MAX = 512 };
static const int64_t GI = 1024LL * 1024 * 1024;
static const int64_t MI = 1024LL * 1024;

void default_resources(json_t *spec, const struct cluster_config *config)
{
    const json_t *limit = jpath(spec, "domain.resources.limits.cpu");
    const json_t *request = jpath(spec, "domain.resources.requests.cpu");
    struct quantity asked = { 0 };
    bool has_request = quantity_from_json(request, &asked) == 0 && asked.nano != 0;

    if (limit && !has_request) {
        jpath_set(spec, "domain.resources.requests.cpu", must_copy(limit));
        return;
    }
    if (!request && config->has_cpu_request &&
        !jpath_bool(spec, "domain.cpu.dedicatedCpuPlacement", false)) {
        char text[QUANTITY_TEXT_MAX];

        jpath_set_str(spec, "domain.resources.requests.cpu",
                      quantity_format(config->cpu_request, text));
    }
}

void default_memory(json_t *spec)
{
    static const char *const sources[] = {
        "domain.resources.requests.memory",
        "domain.resources.limits.memory",
        "domain.memory.hugepages.pageSize",
    };
    json_t *memory = jpath_make_obj(spec, "domain.memory");

    if (jpath_has(memory, "guest"))
        return;
    for (size_t i = 0; i < 3; i++) {
        struct quantity q;
        char text[QUANTITY_TEXT_MAX];

        if (quantity_from_json(jpath(spec, sources[i]), &q) == 0 && q.nano != 0) {
            must_set(memory, "guest", json_string(quantity_format(q, text)));
            return;
        }
    }
}

/* An amount of 0 is taken at its word: validation refuses the machine.  Never more than a count of
 * sockets holds. */
static int64_t whole_cpus(const json_t *spec)
{
    static const char *const sources[] = { "domain.resources.limits.cpu",
                                           "domain.resources.requests.cpu" };

    for (size_t i = 0; i < 2; i++) {
        struct quantity q;

        if (quantity_from_json(jpath(spec, sources[i]), &q) == 0) {
            int64_t n = quantity_value(q);

            return n < 0 ? 0 : n > INT32_MAX ? INT32_MAX : n;
        }
    }
    return 1;
}

void default_cpu_topology(json_t *spec)
{
    json_t *cpu = jpath_make_obj(spec, "domain.cpu");

    if (jpath_int(cpu, "sockets", 0) || jpath_int(cpu, "cores", 0) || jpath_int(cpu, "threads", 0))
        return;

    const int64_t sockets = whole_cpus(spec);
    if (sockets > 0)
        must_set(cpu, "sockets", json_integer(sockets));
    must_set(cpu, "cores", json_integer(1));
    must_set(cpu, "threads", json_integer(1));
}

void default_cpu_model(json_t *spec, const struct cluster_config *config)
{
    json_t *cpu = jpath_make_obj(spec, "domain.cpu");

    if (!*jpath_str(cpu, "model", ""))
        must_set(cpu, "model", json_string(config->cpu_model ? config->cpu_model : "host-model"));
}

static void default_max_sockets(json_t *cpu, const struct cluster_config *config)
{
    json_int_t sockets = jpath_int(cpu, "sockets", 0);
    json_int_t per_socket = jpath_int(cpu, "cores", 1) * jpath_int(cpu, "threads", 1);
    json_int_t max = config->max_cpu_sockets;

    if (jpath_int(cpu, "maxSockets", 0))
        return;
    if (!max) {
        max = sockets * config->max_hotplug_ratio;
        if (per_socket > 0 && max > VCPUS_MAX / per_socket)
            max = VCPUS_MAX / per_socket;
    }
    if (max < sockets)
        max = sockets;
    if (max > 0) /* a machine that names cores only has no sockets to add */
        must_set(cpu, "maxSockets", json_integer(max));
}

bool memory_can_grow(const json_t *spec, struct quantity max_guest)
{
    bool is_1g = streq(jpath_str(spec, "domain.memory.hugepages.pageSize", ""), "1Gi");
    int64_t step = is_1g ? GI : 2 * MI;
    struct quantity guest;

    if (quantity_from_json(jpath(spec, "domain.memory.guest"), &guest) < 0 ||
        !streq(jpath_str(spec, "architecture", ""), "amd64"))
        return false;
    if (jpath_has(spec, "domain.cpu.realtime") || jpath_has(spec, "domain.launchSecurity") ||
        jpath_has(spec, "domain.cpu.numa.guestMappingPassthrough"))
        return false;
    return quantity_cmp(guest, max_guest) <= 0 && quantity_value(guest) >= GI &&
           quantity_value(guest) % step == 0 && quantity_value(max_guest) % step == 0;
}

static void default_max_guest(json_t *spec, const struct cluster_config *config)
{
    struct quantity guest, max;
    char text[QUANTITY_TEXT_MAX];

    if (jpath_has(spec, "domain.memory.maxGuest") ||
        quantity_from_json(jpath(spec, "domain.memory.guest"), &guest) < 0)
        return;
    max = guest;
    if (config->has_max_guest)
        max = config->max_guest;
    else if (__builtin_mul_overflow(guest.nano, (__int128)config->max_hotplug_ratio, &max.nano))
        return;
    if (memory_can_grow(spec, max))
        jpath_set_str(spec, "domain.memory.maxGuest", quantity_format(max, text));
}

void default_hotplug_limits(json_t *spec, const struct cluster_config *config)
{
    if (!config->is_rollout_live || streq(jpath_str(spec, "architecture", ""), "arm64"))
        return;
    default_max_sockets(jpath_make_obj(spec, "domain.cpu"), config);
    default_max_guest(spec, config);
}
