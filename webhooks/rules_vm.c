/* SPDX-License-Identifier: Apache-2.0 */
/* VirtualMachine: run strategy, matchers, data volume templates, live-update limits (spec 02,
 * section 6). */
#include "webhooks/rules_vm.h"

#include "base/jpath.h"
#include "base/scope.h"
#include "base/str.h"
#include "webhooks/defaults.h"
#include "webhooks/rules_interfaces.h"

/* ---- run strategy ---- */

static void check_run_strategy(struct review *rv)
{
    static const char *const known[] = { "Halted", "Manual", "Always", "RerunOnFailure", "Once" };
    const char *strategy = jpath_str(rv->object, "spec.runStrategy", NULL);
    bool has_running = jpath_has(rv->object, "spec.running");
    bool is_known = streq(strategy, "WaitAsReceiver") &&
                    cluster_config_gate(rv->config, "DecentralizedLiveMigration");

    if (has_running && strategy)
        findings_add(&rv->findings, CAUSE_INVALID, "spec.running",
                     "cannot stand beside runStrategy: leave out running");
    if (!has_running && !strategy)
        findings_add(&rv->findings, CAUSE_INVALID, "spec.running",
                     "RunStrategy must be specified: set spec.runStrategy");
    if (!strategy)
        return;
    for (size_t i = 0; i < countof(known); i++)
        is_known |= streq(strategy, known[i]);
    if (!is_known)
        findings_add(&rv->findings, CAUSE_INVALID, "spec.runStrategy",
                     "use Always, Halted, Manual, RerunOnFailure or Once");
}

/* ---- instance type and preference ---- */

static void check_matcher(struct review *rv, const char *path)
{
    const json_t *matcher = jpath_obj(rv->object, path);
    const char *inferred = jpath_str(matcher, "inferFromVolume", "");
    const char *policy = jpath_str(matcher, "inferFromVolumeFailurePolicy", NULL);
    static const char *const exclusive[] = { "name", "kind" };

    if (!matcher)
        return;
    if (!*inferred && !*jpath_str(matcher, "name", ""))
        findings_add(&rv->findings, CAUSE_NOT_FOUND, path, "set name or inferFromVolume");
    for (size_t i = 0; *inferred && i < countof(exclusive); i++) {
        const struct at at = AT_NAME(NULL, path);

        if (*jpath_str(matcher, exclusive[i], ""))
            findings_add_at(&rv->findings, CAUSE_NOT_SUPPORTED, &AT_NAME(&at, exclusive[i]),
                            "is found from the volume: leave it out beside inferFromVolume");
    }
    if (policy && !streq(policy, "Reject") && !streq(policy, "Ignore")) {
        const struct at at = AT_NAME(NULL, path);

        findings_add_at(&rv->findings, CAUSE_INVALID, &AT_NAME(&at, "inferFromVolumeFailurePolicy"),
                        "use Reject or Ignore");
    }
}

/* A revision belongs to its name: another name with the old revision is a mistake. */
static void check_revision(struct review *rv, const char *path)
{
    const json_t *now = jpath_obj(rv->object, path);
    const json_t *before = jpath_obj(rv->old, path);
    const char *revision = jpath_str(now, "revisionName", "");
    const struct at at = AT_NAME(NULL, path);

    if (now && before && *revision && streq(revision, jpath_str(before, "revisionName", "")) &&
        !streq(jpath_str(now, "name", ""), jpath_str(before, "name", "")))
        findings_add_at(&rv->findings, CAUSE_INVALID, &AT_NAME(&at, "revisionName"),
                        "belongs to the name before: leave it out");
}

void vm_matchers_check(struct review *rv)
{
    static const char *const matchers[] = { "spec.instancetype", "spec.preference" };

    for (size_t i = 0; i < countof(matchers); i++) {
        check_matcher(rv, matchers[i]);
        if (rv->is_update)
            check_revision(rv, matchers[i]);
    }
}

/* ---- data volume templates ---- */

static bool is_used(const json_t *vm, const char *name)
{
    size_t i;
    json_t *volume;

    json_array_foreach(jpath_arr(vm, "spec.template.spec.volumes"), i, volume)
        if (streq(jpath_str(volume, "dataVolume.name", NULL), name) ||
            streq(jpath_str(volume, "persistentVolumeClaim.claimName", NULL), name))
            return true;
    return false;
}

static void check_source(struct review *rv, const struct at *at, const json_t *spec)
{
    const json_t *source = jpath_obj(spec, "source");
    const json_t *claim = jpath_obj(spec, jpath_has(spec, "pvc") ? "pvc" : "storage");
    bool is_filled = jpath_has(claim, "dataSource") || jpath_has(claim, "dataSourceRef");
    const struct at here = AT_NAME(at, "spec");
    size_t kinds = json_object_size(source) + jpath_has(spec, "sourceRef");

    if (jpath_has(spec, "pvc") == jpath_has(spec, "storage"))
        findings_add_at(&rv->findings, CAUSE_INVALID, &here, "set exactly one of pvc and storage");
    if (is_filled && kinds)
        findings_add_at(&rv->findings, CAUSE_INVALID, &here,
                        "a source does not go with dataSource of the claim: use one of them");
    if (!is_filled && kinds != 1)
        findings_add_at(&rv->findings, CAUSE_INVALID, &here, "set exactly one source or sourceRef");
}

static void check_data_volumes(struct review *rv)
{
    const struct at list = AT_NAME(NULL, "spec.dataVolumeTemplates");
    const char *ns = rv->namespace;
    size_t i;
    json_t *template;

    json_array_foreach(jpath_arr(rv->object, "spec.dataVolumeTemplates"), i, template) {
        const struct at at = AT_INDEX(&list, i);
        const char *name = meta_name(template);
        const char *its_ns = meta_namespace(template);

        if (!*name) {
            findings_add_at(&rv->findings, CAUSE_REQUIRED, &AT_NAME(&at, "name"),
                            "must be set in metadata.name");
            continue;
        }
        check_source(rv, &at, jpath_obj(template, "spec"));
        if (!is_used(rv->object, name))
            findings_add_at(&rv->findings, CAUSE_REQUIRED, &at,
                            "no volume of the template uses it: add one of the kind dataVolume");
        if (*its_ns && !streq(its_ns, ns))
            findings_add_at(&rv->findings, CAUSE_INVALID, &at,
                            "must be in the machine's namespace");
    }
}

/* ---- what a snapshot or a restore in progress holds still ---- */

void vm_check_in_progress(struct review *rv)
{
    if (jpath_has(rv->old, "status.snapshotInProgress") &&
        (review_is_changed(rv, "spec.template.spec.volumes") ||
         review_is_changed(rv, "spec.runStrategy") || review_is_changed(rv, "spec.running")))
        findings_add(
            &rv->findings, CAUSE_NOT_SUPPORTED, "spec",
            "volumes and run strategy cannot change while a snapshot is made: wait for it");
    if (jpath_has(rv->old, "status.restoreInProgress") &&
        (review_is_changed(rv, "spec.runStrategy") || review_is_changed(rv, "spec.running")))
        findings_add(&rv->findings, CAUSE_NOT_SUPPORTED, "spec",
                     "the run strategy cannot change while the machine is restored: wait for it");
}

void vm_rules_check(struct review *rv)
{
    check_run_strategy(rv);
    check_data_volumes(rv);
    if (rv->is_update)
        vm_check_in_progress(rv);
}

/* ---- rows ---- */

/* Memory that is to grow later must be able to. */
static void max_guest(const struct rule *r, const struct subject *s, const json_t *v,
                      struct findings *out)
{
    if (s->config->is_rollout_live && !memory_can_grow(s->spec, quantity_at(s->spec, r->path)))
        rule_say(s, out, r->cause, "domain.memory.guest", "%s", r->message);
}

// clang-format off
const struct rule vm_template_rules[] = {
    RULE("domain.memory.maxGuest", max_guest, INVALID,
         "memory.maxGuest needs amd64, at least 1Gi in whole 2Mi, maxGuest not less than guest, and no "
         "realtime, NUMA passthrough or launchSecurity"),
    RULES_END,
};

const struct rule preset_rules[] = {
    BELOW("domain", preset_firmware_rules),
    RULES_END,
};
// clang-format on
