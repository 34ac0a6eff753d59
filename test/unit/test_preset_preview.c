/* SPDX-License-Identifier: Apache-2.0 */
/* What preset preview says, and that admission does the same. */
#include "base/buf.h"
#include "base/jpath.h"
#include "base/str.h"
#include "cli/preset_preview.h"
#include "rows.h"
#include "webhooks/mutators.h"

#define PRESET(name, domain) \
    "{'metadata':{'name':'" name "'},'spec':{'selector':{},'domain':{" domain "}}}"
#define VMI(metadata, domain)                                                                \
    "{'apiVersion':'kubevirt.io/v1','kind':'VirtualMachineInstance','metadata':{'name':'m'," \
    "'namespace':'default'" metadata                                                         \
    "},'spec':{'domain':{'devices':{},'memory':{'guest':'64Mi'}" domain "}}}"
#define EXCLUDED \
    ",'annotations':{'virtualmachineinstancepresets.admission.kubevirt.io/exclude':'true'}"
#define CPU4 "'cpu':{'cores':4}"

static const struct preview_case {
    const char *name;
    const char *presets; /* in the order of a list */
    const char *vmi;
    const char *says;      /* all of it; or, when it begins with "...", how it ends */
    const char *says_also; /* a part of it */
    const char *refused;   /* a part of the error, or NULL */
} cases[] = {
    { "no presets", "[]", VMI("", ""), .says = "# no preset selects it\n" },
    { "one that does not select it",
      "[{'metadata':{'name':'a'},'spec':{'selector':{'matchLabels':{'os':'w'}},'domain':{" CPU4
      "}}}]",
      VMI("", ""), .says = "# no preset selects it\n" },
    { "what is given is a difference", "[" PRESET("a", CPU4) "]", VMI("", ""),
      .says = "# preset \"a\": applied\n"
              "#   spec.domain.cpu: given\n"
              "--- m\n"
              "+++ m + a\n"
              "@@ -1,10 +1,14 @@\n"
              " apiVersion: kubevirt.io/v1\n"
              " kind: VirtualMachineInstance\n"
              " metadata:\n"
              "+  annotations:\n"
              "+    virtualmachinepreset.kubevirt.io/a: kubevirt.io/v1\n"
              "   name: m\n"
              "   namespace: default\n"
              " spec:\n"
              "   domain:\n"
              "+    cpu:\n"
              "+      cores: 4\n"
              "     devices: {}\n"
              "     memory:\n"
              "       guest: 64Mi\n" },
    { "the instance overrides a preset", "[" PRESET("a", CPU4) "]", VMI("", ",'cpu':{'cores':2}"),
      .says =
          "# preset \"a\": not applied, nothing is as it says\n"
          "#   spec.domain.cpu: overridden by the instance: {\"cores\":2} stays, not {\"cores\":4}\n" },
    { "the instance says the same", "[" PRESET("a", CPU4) "]", VMI("", "," CPU4),
      .says_also = "# preset \"a\": applied\n#   spec.domain.cpu: already so\n--- m\n" },
    { "presets come by name, each with its own difference",
      "[" PRESET("b", "'ioThreadsPolicy':'auto'") "," PRESET("a", CPU4) "]", VMI("", ""),
      .says_also = "\n# preset \"b\": applied\n#   spec.domain.ioThreadsPolicy: given\n"
                   "--- m + a\n+++ m + a + b\n" },
    { "an earlier preset overrides a later one",
      "[" PRESET("a", "'resources':{'requests':{'cpu':'1'}}") "," PRESET(
          "b", "'resources':{'requests':{'memory':'1Gi'}}") "]",
      VMI("", ""),
      .says = "...# preset \"b\": not applied, nothing is as it says\n"
              "#   spec.domain.resources.requests: overridden by preset \"a\": "
              "{\"cpu\":\"1\"} stays, not {\"memory\":\"1Gi\"}\n" },
    { "an amount in another unit is the same amount",
      "[" PRESET("a", "'resources':{'requests':{'memory':'1024Mi'}}") "]",
      VMI("", ",'resources':{'requests':{'memory':'1Gi'}}"),
      .says_also = "spec.domain.resources.requests: already so\n" },
    { "an empty map is none, as in admission",
      "[" PRESET("a", "'resources':{'requests':{'cpu':'1'}}") "]",
      VMI("", ",'resources':{'requests':{}}"),
      .says_also = "spec.domain.resources.requests: given\n" },
    { "firmware keeps the UUID that a preset gives",
      "[" PRESET("a", "'firmware':{'uuid':'5d307ca9-b3ef-428c-8861-06e72d69f223'}") "]",
      VMI("", ""), .says_also = "+      uuid: 5d307ca9-b3ef-428c-8861-06e72d69f223\n" },
    { "each conflict is told, nothing is merged",
      "[" PRESET("a", CPU4 ",'ioThreadsPolicy':'auto'") "," PRESET(
          "b", "'cpu':{'cores':2},'ioThreadsPolicy':'shared'") "]",
      VMI("", ""),
      .says =
          "# conflict in spec.domain.cpu: presets \"a\" and \"b\" both select this instance and differ "
          "here: change one of them or the instance's labels\n"
          "# conflict in spec.domain.ioThreadsPolicy: presets \"a\" and \"b\" both select this instance "
          "and differ here: change one of them or the instance's labels\n",
      .refused = "its creation would be refused: spec.domain.cpu: presets \"a\" and \"b\"" },
    { "excluded", "[" PRESET("a", CPU4) "]", VMI(EXCLUDED, ""),
      .says =
          "# excluded by its annotation "
          "virtualmachineinstancepresets.admission.kubevirt.io/exclude: no preset is merged\n" },
    { "a shape that admission refuses", "[]", VMI("", ",'cpu':{'kores':4}"), .says = "",
      .refused = "spec.domain.cpu.kores" },
};

static void says(void **state)
{
    const struct preview_case *c = *state;
    json_auto_t *presets = json_q(c->presets);
    json_auto_t *vmi = json_q(c->vmi);
    json_auto_t *before = must_copy(vmi);
    json_auto_t *merged = NULL;
    scoped_buf text = BUF_INIT(0);
    struct error e = { 0 };
    int r = preset_preview(vmi, presets, &merged, &text, &e);

    assert_int_equal(r, c->refused ? -ERR_INVALID : 0);
    if (c->refused && !strstr(e.msg, c->refused))
        fail_msg("\"%s\" without \"%s\"", e.msg, c->refused);
    const char *said = text.len ? text.data : "";
    if (c->says && str_has_prefix(c->says, "..."))
        assert_true(str_has_suffix(said, c->says + 3));
    else if (c->says)
        assert_string_equal(said, c->says);
    if (c->says_also && !strstr(said, c->says_also))
        fail_msg("\"%s\" without \"%s\"", said, c->says_also);
    assert_true(!c->refused == (merged != NULL));
    assert_json(vmi, before);
}

/* What admission stores, but for what the time gives; NULL when it refuses. */
static json_t *admitted(const json_t *vmi, const json_t *presets)
{
    struct cluster_config *config;
    struct error e;
    json_t *stored = NULL;

    assert_int_equal(cluster_config_new(&config, NULL, &e), 0);
    struct review rv = { .operation = "CREATE",
                         .namespace = "default",
                         .user = "someone",
                         .is_create = true,
                         .object = vmi,
                         .kind = &kind_vmi,
                         .config = config,
                         .installation = "kubevirt" };
    findings_init(&rv.findings);
    mutate_vmi_with(&rv, presets);
    if (!review_is_refused(&rv))
        stored = must_copy(rv.changed);
    if (stored)
        jpath_del(stored, "status.phaseTransitionTimestamps");
    review_done(&rv);
    cluster_config_unref(config);
    return stored;
}

/* Created without presets, what the preview shows becomes what the instance becomes with them. */
static void agrees(void **state)
{
    const struct preview_case *c = *state;
    json_auto_t *presets = json_q(c->presets);
    json_auto_t *vmi = json_q(c->vmi);
    json_auto_t *none = json_array();
    json_auto_t *merged = NULL;
    scoped_buf text = BUF_INIT(0);
    struct error e = { 0 };
    int r = preset_preview(vmi, presets, &merged, &text, &e);
    json_auto_t *created = admitted(vmi, presets);
    json_auto_t *previewed = r < 0 ? NULL : admitted(merged, none);

    assert_true((r < 0) == (created == NULL));
    if (r == 0 && !jpath_has(merged, "spec.domain.firmware.uuid")) {
        /* given at random to an instance that has none */
        jpath_del(created, "spec.domain.firmware.uuid");
        jpath_del(previewed, "spec.domain.firmware.uuid");
    }
    assert_json(previewed, created);
}

int main(void)
{
    return RUN_ROWS("preset_preview", cases, says) +
           RUN_ROWS("preset_preview agrees", cases, agrees);
}
