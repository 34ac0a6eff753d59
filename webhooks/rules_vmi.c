/* SPDX-License-Identifier: Apache-2.0 */
/* What holds for an instance and not yet for a template (spec 02, end of 4.1). */
#include "webhooks/rules_vmi.h"

#include "base/jpath.h"
#include "base/str.h"

/* ---- volumes: `here` is one ---- */

static bool is_shown(const json_t *spec, const char *list, const char *name)
{
    return jarr_find(jpath_arr(spec, list), "name", name) != NULL;
}

static void volume_is_shown(const struct rule *r, const struct subject *s, const json_t *v,
                            struct findings *out)
{
    const char *name = jpath_str(v, "name", "");

    if (!jpath_has(v, "memoryDump") && !is_shown(s->spec, "domain.devices.disks", name) &&
        !is_shown(s->spec, "domain.devices.filesystems", name))
        rule_report_at(r, s, out, "name");
}

static void container_path(const struct rule *r, const struct subject *s, const json_t *v,
                           struct findings *out)
{
    static const char *const ours[] = { "/var/run/kubevirt", "/var/run/libvirt" };
    const char *name = jpath_str(s->here, "name", "");
    const char *path = jpath_str(v, "path", "");

    if (is_shown(s->spec, "domain.devices.disks", name) ||
        !is_shown(s->spec, "domain.devices.filesystems", name))
        rule_say(s, out, r->cause, "", "%s", r->message);
    for (size_t i = 0; i < 2; i++) {
        size_t len = strlen(ours[i]);

        if (strncmp(path, ours[i], len) == 0 && (path[len] == '\0' || path[len] == '/'))
            rule_say(s, out, r->cause, "", "containerPath must not be below %s", ours[i]);
    }
}

/* ---- memory ---- */

static void memory_is_given(const struct rule *r, const struct subject *s, const json_t *v,
                            struct findings *out)
{
    bool has_request = quantity_at(v, "resources.requests.memory").nano != 0;

    if (!has_request && !jpath_has(v, "memory.guest") && !jpath_has(v, "memory.hugepages"))
        rule_report(r, s, out);
}

/* ---- Hyper-V: `here` is spec.domain.features ---- */

static const struct {
    const char *feature, *needs;
} hyperv_needs[] = {
    { "evmcs", "vapic" },      { "ipi", "vpindex" },   { "tlbflush", "vpindex" },
    { "synictimer", "synic" }, { "synic", "vpindex" },
};

static bool is_on(const json_t *hyperv, const char *feature)
{
    const json_t *state = json_object_get(hyperv, feature);

    return json_is_object(state) && jpath_bool(state, "enabled", true);
}

static void hyperv(const struct rule *r, const struct subject *s, const json_t *v,
                   struct findings *out)
{
    for (size_t i = 0; i < sizeof(hyperv_needs) / sizeof(hyperv_needs[0]); i++)
        if (is_on(v, hyperv_needs[i].feature) && !is_on(v, hyperv_needs[i].needs))
            rule_say(s, out, CAUSE_INVALID, "hyperv", "%s needs %s: do not switch that off",
                     hyperv_needs[i].feature, hyperv_needs[i].needs);
}

static void hyperv_passthrough(const struct rule *r, const struct subject *s, const json_t *v,
                               struct findings *out)
{
    if (jpath_bool(v, "enabled", true) && jpath_has(s->here, "hyperv"))
        rule_report(r, s, out);
}

static void evmcs(const struct rule *r, const struct subject *s, const json_t *v,
                  struct findings *out)
{
    const json_t *features = jpath_arr(s->spec, "domain.cpu.features");
    const json_t *vmx = jarr_find(features, "name", "vmx");

    if (!jpath_bool(v, "enabled", true))
        return;
    if (!features)
        rule_say(s, out, CAUSE_REQUIRED, r->path,
                 "needs the CPU feature vmx: add it to cpu.features");
    else if (!vmx || !streq(jpath_str(vmx, "policy", ""), "require"))
        rule_say(s, out, CAUSE_INVALID, r->path,
                 "needs the CPU feature vmx with the policy require");
}

// clang-format off
static const struct rule mapping_rules[] = {
    RULE("", volume_is_shown, INVALID,
         "no disk and no filesystem in spec.domain.devices has this volume's name: add one"),
    RULE("containerPath", container_path, INVALID, "containerPath goes to a filesystem, not to a disk"),
    RULES_END,
};

static const struct rule feature_rules[] = {
    RULE("hyperv", hyperv, INVALID, NULL),
    RULE("hypervPassthrough", hyperv_passthrough, INVALID, "does not go with hyperv: use one of them"),
    RULE("hyperv.evmcs", evmcs, INVALID, NULL),
    RULES_END,
};

const struct rule vmi_create_rules[] = {
    EACH("volumes", mapping_rules),
    RULE("domain", memory_is_given, REQUIRED,
         "no amount of memory: set memory.guest, memory.hugepages or resources.requests.memory"),
    BELOW("domain.features", feature_rules),
    RULES_END,
};
// clang-format on
