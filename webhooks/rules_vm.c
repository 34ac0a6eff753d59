/* SPDX-License-Identifier: Apache-2.0 */
/* VirtualMachine: run strategy, data volume templates, live-update limits (spec 02, section 6). */
#include "webhooks/rules_vm.h"

#include "base/jpath.h"
#include "base/str.h"

void vm_rules_check(struct review *rv)
{
    bool has_running = jpath_has(rv->object, "spec.running");
    bool has_strategy = *jpath_str(rv->object, "spec.runStrategy", "");

    if (has_running && has_strategy)
        findings_add(&rv->findings, CAUSE_INVALID, "spec.running",
                     "cannot stand beside runStrategy: leave out running");
    if (!has_running && !has_strategy)
        findings_add(&rv->findings, CAUSE_INVALID, "spec.running",
                     "RunStrategy must be specified: set spec.runStrategy");
}

const struct rule preset_rules[] = {
    { .check = NULL },
};
