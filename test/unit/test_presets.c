/* SPDX-License-Identifier: Apache-2.0 */
/* What admission says of the presets that it merges. */
#include "base/jpath.h"
#include "base/str.h"
#include "rows.h"
#include "webhooks/mutators.h"

#define DEPRECATED                                                             \
    "VirtualMachineInstancePresets are deprecated and will be removed in v2: " \
    "use an instance type and a preference"
#define PRESET(name, domain) \
    "{'metadata':{'name':'" name "'},'spec':{'selector':{},'domain':{" domain "}}}"
#define VMI(domain)                                                                                  \
    "{'apiVersion':'kubevirt.io/v1','kind':'VirtualMachineInstance','metadata':{'name':'m'},'spec':" \
    "{'domain':{'devices':{},'memory':{'guest':'64Mi'}" domain "}}}"

static const struct warning_case {
    const char *name, *presets, *vmi;
    const char *warnings[4];
} cases[] = {
    { "no preset, no warning", "[]", VMI(""), { NULL } },
    { "what a preset gives is told",
      "[" PRESET("a", "'cpu':{'cores':2},'ioThreadsPolicy':'auto'") "]",
      VMI(""),
      { "spec.domain.cpu, spec.domain.ioThreadsPolicy given by the preset \"a\"", DEPRECATED } },
    { "so is what the instance overrides, though nothing was applied",
      "[" PRESET("a", "'cpu':{'cores':2}") "]",
      VMI(",'cpu':{'cores':4}"),
      { "spec.domain.cpu kept, not as in the preset \"a\"" } },
    { "each preset has its own",
      "[" PRESET("a", "'cpu':{'cores':2},'ioThreadsPolicy':'auto'") "," PRESET(
          "b", "'firmware':{'serial':'s'}") "]",
      VMI(",'cpu':{'cores':4}"),
      { "spec.domain.ioThreadsPolicy given by the preset \"a\"",
        "spec.domain.cpu kept, not as in the preset \"a\"",
        "spec.domain.firmware given by the preset \"b\"", DEPRECATED } },
    { "what was the same already is not told",
      "[" PRESET("a", "'cpu':{'cores':2}") "]",
      VMI(",'cpu':{'cores':2}"),
      { DEPRECATED } },
};

static void warns(void **state)
{
    const struct warning_case *c = *state;
    json_auto_t *presets = json_q(c->presets);
    json_auto_t *vmi = json_q(c->vmi);
    json_auto_t *want = json_array();
    struct cluster_config *config;
    struct error e;

    for (size_t i = 0; i < countof(c->warnings) && c->warnings[i]; i++)
        must_append(want, json_string(c->warnings[i]));
    assert_int_equal(cluster_config_new(&config, NULL, &e), 0);
    struct review rv = { .is_create = true, .object = vmi, .kind = &kind_vmi, .config = config };
    findings_init(&rv.findings);

    mutate_vmi_with(&rv, presets);
    assert_false(review_is_refused(&rv));
    if (json_array_size(want) > 0)
        assert_json(rv.warnings, want);
    else
        assert_int_equal(json_array_size(rv.warnings), 0);
    review_done(&rv);
    cluster_config_unref(config);
}

int main(void)
{
    return RUN_ROWS("presets", cases, warns);
}
