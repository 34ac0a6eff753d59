/* SPDX-License-Identifier: Apache-2.0 */
/* VirtualMachine, replica set, preset, and status (spec 02, sections 6 and 7). */
#include "base/jpath.h"
#include "base/must.h"
#include "base/selector.h"
#include "base/str.h"
#include "openapi/preference_apply.h"
#include "webhooks/mutators.h"
#include "webhooks/rules.h"
#include "webhooks/rules_grace.h"
#include "webhooks/rules_interfaces.h"
#include "webhooks/rules_vm.h"
#include "webhooks/rules_vmi.h"
#include "webhooks/validators.h"
#include "webhooks/vm_types.h"

/* The template of a machine or replica set: `spec` is its spec, perhaps with defaults filled in. */
static void check_template(struct review *rv, const json_t *template, const json_t *spec)
{
    const struct at metadata = AT_NAME(NULL, "spec.template.metadata");
    const struct at at = AT_NAME(NULL, "spec.template.spec");
    const struct subject s = subject_of(spec, &at, rv->config, rv->is_create);

    check_metadata(rv, &metadata, jpath_obj(template, "metadata"));
    check_grace_annotations(rv, &metadata, jpath_obj(template, "metadata"), spec);
    warn_of_scheduling(rv, &s);
    rules_check_spec(&s, &rv->findings);
    if (rv->kind == &kind_vm)
        rules_run(vm_template_rules, &s, &rv->findings);
    if (rv->is_create)
        rules_run(discontinued_gate_rules, &s, &rv->findings);
    if (rv->is_create && rv->kind == &kind_vm)
        rules_run(discontinued_interface_rules, &s, &rv->findings);
}

/*
 * The template with what its instances get of the instance type, the preference and the defaults;
 * those of devices are the user's own until then.  When the type does not go with the template,
 * that is told, and no more of what the template would be with it.
 */
static void check_machine(struct review *rv, const json_t *given)
{
    scoped_vm_types types = vm_types_find(rv, rv->object);
    json_auto_t *template = must_branch(given);
    json_t *spec = jpath_make_obj(template, "spec");

    if (!vm_types_apply(&types, template, &rv->findings) ||
        vmi_spec_basics(spec, rv->config, &rv->denied) < 0)
        return;
    if (types.preference)
        preference_check(types.preference, types.type, spec, &rv->findings);
    check_template(rv, template, spec);
}

void validate_vm(struct review *rv)
{
    if (meta_is_deleting(rv->object))
        return;
    check_schema(rv);
    if (findings_misshapen(&rv->findings))
        return;

    const json_t *template = jpath_obj(rv->object, "spec.template");
    if (!template) {
        findings_add(&rv->findings, CAUSE_REQUIRED, "spec.template",
                     "missing: it describes the machine");
        return;
    }
    check_machine(rv, template);
    vm_rules_check(rv);
    vm_volume_requests_check(rv);
    if (jpath_has(rv->object, "spec.running"))
        review_warn(rv, "spec.running is deprecated, please use spec.runStrategy instead.");
}

void validate_vmirs(struct review *rv)
{
    const json_t *template = jpath_obj(rv->object, "spec.template");
    const json_t *selector = jpath_obj(rv->object, "spec.selector");
    struct error e;

    check_schema(rv);
    if (findings_misshapen(&rv->findings))
        return;
    if (!template) {
        findings_add(&rv->findings, CAUSE_REQUIRED, "spec.template",
                     "missing: it describes the instances");
        return;
    }
    if (jpath_obj(template, "spec"))
        check_template(rv, template, jpath_obj(template, "spec"));
    if (selector_validate(selector, &e) < 0)
        findings_add(&rv->findings, CAUSE_INVALID, "spec.selector", "%s", e.msg);
    else if (!selector_matches(selector, jpath_obj(template, "metadata.labels")))
        findings_add(&rv->findings, CAUSE_INVALID, "spec.selector",
                     "does not match the labels of spec.template.metadata.labels: add them there");
}

void validate_preset(struct review *rv)
{
    const struct at at = AT_NAME(NULL, "spec");
    const struct subject s =
        subject_of(jpath_obj(rv->object, "spec"), &at, rv->config, rv->is_create);

    check_schema(rv);
    if (findings_misshapen(&rv->findings))
        return;
    if (!jpath_obj(rv->object, "spec.domain"))
        findings_add(&rv->findings, CAUSE_REQUIRED, "spec.domain",
                     "missing: it holds what the preset gives");
    rules_run(disk_rules, &s, &rv->findings);
    rules_run(preset_rules, &s, &rv->findings);
}

/* Users with a right to status still keep to its schema, and to what a snapshot holds still. */
void validate_status(struct review *rv)
{
    check_schema(rv);
    if (rv->kind != &kind_vm || findings_misshapen(&rv->findings))
        return;
    if (rv->is_update)
        vm_check_in_progress(rv);
    vm_volume_requests_check(rv);
}
