/* SPDX-License-Identifier: Apache-2.0 */
/* Features that are no more, asked for by their gate and used (spec 02, section 4). */
#include "base/jpath.h"
#include "base/str.h"
#include "webhooks/rules_vmi.h"

/* .values has the binding.  Such a gate is never on, so the list itself is looked at. */
static void binding_gate(const struct rule *r, const struct subject *s, const json_t *v,
                         struct findings *out)
{
    size_t i;
    json_t *interface;

    if (!cluster_config_lists(s->config, r->gate))
        return;
    json_array_foreach(v, i, interface)
        if (jpath_has(interface, r->values[0]))
            rule_report_at(r, s, out, "%s[%zu].%s", r->path, i, r->values[0]);
}

// clang-format off
const struct rule discontinued_gate_rules[] = {
    RULE("domain.devices.interfaces", binding_gate, NOT_SUPPORTED, "the feature gate Passt is discontinued: use passtBinding",
         VALUES("passt"), .gate = "Passt"),
    RULE("domain.devices.interfaces", binding_gate, NOT_SUPPORTED, "the feature gate Macvtap is discontinued: use a network binding plugin",
         VALUES("macvtap"), .gate = "Macvtap"),
    RULES_END,
};
// clang-format on
