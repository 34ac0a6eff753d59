/* SPDX-License-Identifier: Apache-2.0 */
/* Presets merged into an instance: kept, given, in conflict, excluded. */
#include "base/jpath.h"
#include "openapi/presets_merge.h"
#include "rows.h"

struct preset_case {
    const char *name;
    const char *presets; /* [{name, selector, domain}] */
    const char *vmi;
    const char *path, *want; /* a value afterwards; NULL: absent */
    const char *applied;     /* "a b": presets that are marked */
    const char *conflict;    /* field of the finding, or NULL */
};

#define ALL "'selector':{}"
#define OF(members) "{'metadata':{'labels':{'os':'w'}},'spec':{'domain':{" members "}}}"

// clang-format off
static const struct preset_case cases[] = {
    { "what is missing is given", "[{'name':'a'," ALL ",'domain':{'cpu':{'cores':4}}}]", OF(""),
      "spec.domain.cpu", "{'cores':4}", "a", NULL },
    { "what is there is kept", "[{'name':'a'," ALL ",'domain':{'cpu':{'cores':4}}}]", OF("'cpu':{'cores':2}"),
      "spec.domain.cpu", "{'cores':2}", "", NULL },
    { "fields are not merged in part", "[{'name':'a'," ALL ",'domain':{'cpu':{'cores':4,'model':'m'}}}]", OF("'cpu':{'cores':4}"),
      "spec.domain.cpu", "{'cores':4}", "", NULL },
    { "a value that is equal already counts", "[{'name':'a'," ALL ",'domain':{'cpu':{'cores':2}}}]", OF("'cpu':{'cores':2}"),
      "spec.domain.cpu", "{'cores':2}", "a", NULL },
    { "one field of several is enough", "[{'name':'a'," ALL ",'domain':{'cpu':{'cores':4},'ioThreadsPolicy':'auto'}}]", OF("'cpu':{'cores':2}"),
      "spec.domain.ioThreadsPolicy", "'auto'", "a", NULL },
    { "requests are one field", "[{'name':'a'," ALL ",'domain':{'resources':{'requests':{'memory':'1Gi','cpu':'2'}}}}]",
      OF("'resources':{'requests':{'memory':'64Mi'}}"), "spec.domain.resources.requests", "{'memory':'64Mi'}", "", NULL },
    { "the selector decides", "[{'name':'a','selector':{'matchLabels':{'os':'l'}},'domain':{'cpu':{'cores':4}}}]", OF(""),
      "spec.domain.cpu", NULL, "", NULL },
    { "expressions select too", "[{'name':'a','selector':{'matchExpressions':[{'key':'os','operator':'In','values':['w']}]},'domain':{'cpu':{'cores':4}}}]", OF(""),
      "spec.domain.cpu.cores", "4", "a", NULL },
    { "two presets, two fields", "[{'name':'a'," ALL ",'domain':{'cpu':{'cores':4}}},{'name':'b'," ALL ",'domain':{'ioThreadsPolicy':'auto'}}]", OF(""),
      "spec.domain.ioThreadsPolicy", "'auto'", "a b", NULL },
    { "two presets that differ", "[{'name':'a'," ALL ",'domain':{'cpu':{'cores':4}}},{'name':'b'," ALL ",'domain':{'cpu':{'cores':2}}}]", OF(""),
      "spec.domain.cpu", NULL, "", "spec.domain.cpu" },
    { "requests conflict by key", "[{'name':'a'," ALL ",'domain':{'resources':{'requests':{'cpu':'1'}}}},{'name':'b'," ALL ",'domain':{'resources':{'requests':{'memory':'1Gi'}}}}]", OF(""),
      "spec.domain.resources.requests", "{'cpu':'1'}", "a", NULL },
    { "equal amounts do not conflict", "[{'name':'a'," ALL ",'domain':{'resources':{'requests':{'memory':'1Gi'}}}},{'name':'b'," ALL ",'domain':{'resources':{'requests':{'memory':'1024Mi'}}}}]", OF(""),
      "spec.domain.resources.requests.memory", "'1Gi'", "a b", NULL },
    { "UTC and a time zone are one field", "[{'name':'a'," ALL ",'domain':{'clock':{'timezone':'Europe/Berlin'}}}]", OF("'clock':{'utc':{}}"),
      "spec.domain.clock", "{'utc':{}}", "", NULL },
    { "timers are another", "[{'name':'a'," ALL ",'domain':{'clock':{'utc':{},'timer':{'hpet':{'present':false}}}}}]", OF("'clock':{'timezone':'Europe/Berlin'}"),
      "spec.domain.clock", "{'timezone':'Europe/Berlin','timer':{'hpet':{'present':false}}}", "a", NULL },
    { "disks are not given", "[{'name':'a'," ALL ",'domain':{'devices':{'disks':[{'name':'d'}]}}}]", OF("'devices':{}"),
      "spec.domain.devices", "{}", "", NULL },
    { "excluded", "[{'name':'a'," ALL ",'domain':{'cpu':{'cores':4}}}]",
      "{'metadata':{'annotations':{'virtualmachineinstancepresets.admission.kubevirt.io/exclude':'true'}},'spec':{'domain':{}}}",
      "spec.domain.cpu", NULL, "", NULL },
};
// clang-format on

/* [{name, selector, domain}] as objects of the kind. */
static json_t *presets_of_rows(const char *text)
{
    json_auto_t *rows = json_q(text);
    json_t *presets = json_array();
    size_t i;
    json_t *row;

    json_array_foreach(rows, i, row)
        must_append(presets, must_pack("{s:{s:O}, s:{s:O, s:O}}", "metadata", "name",
                                       json_object_get(row, "name"), "spec", "selector",
                                       json_object_get(row, "selector"), "domain",
                                       json_object_get(row, "domain")));
    return presets;
}

static size_t marked(const json_t *vmi)
{
    const char *key;
    json_t *value;
    size_t n = 0;

    json_object_foreach(jpath_obj(vmi, "metadata.annotations"), key, value)
        n += strncmp(key, "virtualmachinepreset.kubevirt.io/", 33) == 0;
    return n;
}

static void merges(void **state)
{
    const struct preset_case *c = *state;
    json_auto_t *presets = presets_of_rows(c->presets);
    json_auto_t *vmi = json_q(c->vmi);
    json_auto_t *want = json_q(c->want);
    scoped_findings f;
    size_t n = 0;

    findings_init(&f);
    presets_merge(presets, vmi, NULL, NULL, &f);
    assert_json(jpath(vmi, c->path), want);
    for (const char *at = c->applied; *at; at += strspn(at, " "), n++) {
        scoped(free) char *name = must_strndup(at, strcspn(at, " "));
        scoped(free) char *key = must_asprintf("virtualmachinepreset.kubevirt.io/%s", name);

        assert_string_equal(meta_annotation(vmi, key), "kubevirt.io/v1");
        at += strcspn(at, " ");
    }
    assert_int_equal(marked(vmi), n);
    assert_int_equal(f.len, c->conflict ? 1 : 0);
    if (c->conflict)
        assert_string_equal(f.item[0].field, c->conflict);
}

int main(void)
{
    return RUN_ROWS("presets_merge", cases, merges);
}
