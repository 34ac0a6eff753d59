/* SPDX-License-Identifier: Apache-2.0 */
/* VirtualMachineInstance: create and update (spec 02, sections 4 and 5). */
#include "base/jpath.h"
#include "base/scope.h"
#include "base/str.h"
#include "openapi/canonical.h"
#include "openapi/types.h"
#include "webhooks/rules.h"
#include "webhooks/rules_grace.h"
#include "webhooks/rules_interfaces.h"
#include "webhooks/rules_vmi.h"
#include "webhooks/validators.h"

void validate_vmi_create(struct review *rv)
{
    const struct at at = AT_NAME(NULL, "spec");
    const struct at metadata = AT_NAME(NULL, "metadata");

    check_schema(rv);
    if (findings_misshapen(&rv->findings))
        return;

    const struct subject s = subject_of(jpath_obj(rv->object, "spec"), &at, rv->config, true);

    rules_check_spec(&s, &rv->findings);
    rules_run(discontinued_gate_rules, &s, &rv->findings);
    rules_run(discontinued_interface_rules, &s, &rv->findings);
    rules_run(vmi_create_rules, &s, &rv->findings);
    check_architecture(&s, &rv->findings);
    check_metadata(rv, &metadata, jpath_obj(rv->object, "metadata"));
    check_grace_annotations(rv, &metadata, jpath_obj(rv->object, "metadata"), s.spec);
    warn_of_scheduling(rv, &s);
}

/* A handler may only write about instances of its own node. */
static void check_node(struct review *rv)
{
    static const char key[] = "authentication.kubernetes.io/node-name";
    scoped(free) char *handler = own_account_name(rv, "kubevirt-handler");

    if (!cluster_config_gate(rv->config, "NodeRestriction") || !streq(rv->user, handler))
        return;

    const json_t *names = json_object_get(jpath_obj(rv->request, "userInfo.extra"), key);
    const char *node = json_string_value(json_array_get(names, 0));
    const char *source = jpath_str(rv->old, "status.nodeName", "");
    const char *target = jpath_str(rv->old, "status.migrationState.targetNode", "");

    if (!node)
        findings_add(&rv->findings, CAUSE_INVALID, "",
                     "the token of virt-handler names no node: it must be bound to its pod");
    else if (!streq(node, source) && !streq(node, target))
        findings_add(&rv->findings, CAUSE_INVALID, "",
                     "virt-handler of node \"%s\" may not change an instance of node \"%s\"", node,
                     source);
    if (!streq(jpath_str(rv->object, "status.migrationState.targetNode", ""), target))
        findings_add(&rv->findings, CAUSE_INVALID, "status.migrationState.targetNode",
                     "virt-handler may not choose a migration's target");
}

void validate_vmi_update(struct review *rv)
{
    check_schema(rv);
    if (findings_misshapen(&rv->findings))
        return;

    check_node(rv);
    if (!canonical_equal(&vmi_spec_type, json_object_get(rv->object, "spec"),
                         json_object_get(rv->old, "spec"))) {
        if (rv->is_own_account)
            check_own_spec_change(rv);
        else
            findings_add(&rv->findings, CAUSE_NOT_SUPPORTED, "",
                         "update of VMI object is restricted: change its VirtualMachine instead");
    }
    if (!rv->is_own_account)
        check_restricted_labels_kept(rv);
}
