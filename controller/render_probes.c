/* SPDX-License-Identifier: Apache-2.0 */
/* Probes of the guest as probes of its pod: commands go through virt-probe to the guest's agent. */
#include "base/jpath.h"
#include "base/must.h"
#include "base/scope.h"
#include "controller/render_parts.h"

enum { EXTRA_DELAY_S = 10, EXTRA_TIMEOUT_S = 1 };

static void add_arg(json_t *command, const char *arg)
{
    must_append(command, json_string(arg));
}

static json_t *virt_probe(const json_t *vmi, const json_t *probe)
{
    scoped(free) char *domain = must_asprintf("%s_%s", meta_namespace(vmi), meta_name(vmi));
    scoped(free) char *timeout =
        must_asprintf("%lld", (long long)jpath_int(probe, "timeoutSeconds", 1));
    return must_pack("[s, s, s, s, s]", "virt-probe", "--domainName", domain, "--timeoutSeconds",
                     timeout);
}

static json_t *exec_command(const json_t *vmi, const json_t *probe)
{
    json_t *command = virt_probe(vmi, probe);
    const json_t *inside = jpath_arr(probe, "exec.command");

    add_arg(command, "--command");
    add_arg(command, jpath_str(inside, "[0]", ""));
    add_arg(command, "--");
    for (size_t i = 1; i < json_array_size(inside); i++)
        json_array_append(command, json_array_get(inside, i));
    return command;
}

json_t *render_probe(const json_t *vmi, const json_t *probe)
{
    if (!json_is_object(probe))
        return NULL;

    json_t *out = must_copy(probe);
    json_t *command = NULL;
    if (jpath_has(probe, "guestAgentPing")) {
        command = virt_probe(vmi, probe);
        add_arg(command, "--guestAgentPing");
        jpath_del(out, "guestAgentPing");
    } else if (jpath_has(probe, "exec")) {
        command = exec_command(vmi, probe);
    }
    if (command) {
        jpath_set(out, "exec.command", command);
        jpath_set_int(out, "timeoutSeconds",
                      jpath_int(probe, "timeoutSeconds", 1) + EXTRA_TIMEOUT_S);
    }
    jpath_set_int(out, "initialDelaySeconds",
                  jpath_int(probe, "initialDelaySeconds", 0) + EXTRA_DELAY_S);
    return out;
}
