/* SPDX-License-Identifier: Apache-2.0 */
/* What the event on a new instance says of the presets that it was made with. */
#include "controller/preset_event.h"

#include <stdio.h>

#include "base/buf.h"
#include "base/jpath.h"
#include "base/str.h"
#include "openapi/presets_merge.h"
#include "rows.h"

#define PRESET(domain) \
    "{'metadata':{'name':'p'},'spec':{'selector':{'matchLabels':{'a':'b'}},'domain':{" domain "}}}"
#define VMI(domain) "{'metadata':{'labels':{'a':'b'}},'spec':{'domain':{" domain "}}}"
#define REQUESTS(memory) "'resources':{'requests':{'memory':'" memory "'}}"

// clang-format off
static const struct text_case {
    const char *name, *preset, *vmi;
    const char *want; /* NULL: no event */
} texts[] = {
    { "one field", PRESET("'cpu':{'cores':2}"), VMI("'cpu':{'cores':2}"), "preset \"p\" gave domain.cpu" },
    { "two fields", PRESET("'cpu':{'cores':2}," REQUESTS("1Gi")), VMI("'cpu':{'cores':2}," REQUESTS("1Gi")),
      "preset \"p\" gave domain.resources.requests, domain.cpu" },
    { "one that the instance has of its own", PRESET("'cpu':{'cores':2},'features':{'smm':{'enabled':true}}"),
      VMI("'cpu':{'cores':2},'features':{'smm':{'enabled':false}}"),
      "preset \"p\" gave domain.cpu; the instance's own domain.features stayed" },
    { "defaults that were added to it", PRESET("'cpu':{'cores':2}"), VMI("'cpu':{'cores':2,'sockets':1,'model':'host-model'}"),
      "preset \"p\" gave domain.cpu" },
    { "the same amount, written in another way", PRESET(REQUESTS("1024Mi")), VMI("'resources':{'requests':{'memory':'1Gi','cpu':'100m'}}"),
      "preset \"p\" gave domain.resources.requests" },
    { "lists are compared item by item", PRESET("'cpu':{'features':[{'name':'x'}]}"),
      VMI("'cpu':{'features':[{'name':'x','policy':'require'}]}"), "preset \"p\" gave domain.cpu" },
    { "a list of another length is the instance's own", PRESET("'cpu':{'features':[{'name':'x'}]}"),
      VMI("'cpu':{'features':[]}"), NULL },
    { "a part of the clock", PRESET("'clock':{'timezone':'Europe/Berlin','timer':{}}"), VMI("'clock':{'utc':{},'timer':{'hpet':{'present':false}}}"),
      "preset \"p\" gave domain.clock.timer; the instance's own domain.clock stayed" },
    { "nothing was given", PRESET("'cpu':{'cores':2}"), VMI("'cpu':{'cores':4}"), NULL },
    { "it selects the instance no more", "{'metadata':{'name':'p'},'spec':{'selector':{'matchLabels':{'a':'c'}},'domain':{'cpu':{'cores':2}}}}",
      VMI("'cpu':{'cores':2}"), NULL },
    { "it gives nothing", PRESET("'devices':{}"), VMI("'devices':{}"), NULL },
};
// clang-format on

static void says(void **state)
{
    const struct text_case *c = *state;
    json_auto_t *preset = json_q(c->preset);
    json_auto_t *vmi = json_q(c->vmi);
    scoped(free) char *got = preset_event_text(preset, vmi);

    assert_string_equal(got ? got : "nothing", c->want ? c->want : "nothing");
}

/* ---- the API server and the recorder, as far as they are asked ---- */

static const char *stored;      /* the one preset that is there, or NULL */
static struct buf heard;        /* "type reason message" of each event */
static struct buf asked;        /* names that were asked for */
static enum error_code trouble; /* what the API server answers instead */

int kube_get(struct kube *k, const struct kube_kind *kind, const char *ns, const char *name,
             json_t **ret, struct error *e)
{
    assert_ptr_equal(kind, &KIND_PRESET);
    assert_string_equal(ns, "ns");
    (void)buf_addf(&asked, "%s%s", asked.len ? " " : "", name);
    if (trouble)
        return error_set(e, trouble, "no answer");
    json_t *preset = stored ? json_q(stored) : NULL;
    if (preset && streq(meta_name(preset), name)) {
        *ret = preset;
        return 0;
    }
    json_decref(preset);
    return error_set(e, ERR_NOT_FOUND, "preset not found");
}

void event_record(struct event_recorder *r, const struct kube_kind *kind, const json_t *obj,
                  enum event_type type, const char *reason, const char *fmt, ...)
{
    va_list ap;
    char text[EVENT_MESSAGE_MAX];

    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    (void)buf_addf(&heard, "%s %s %s", type == EVENT_NORMAL ? "Normal" : "Warning", reason, text);
}

#define MARKED(names)                                                                     \
    "{'metadata':{'namespace':'ns','labels':{'a':'b'},'annotations':{" names "}},'spec':" \
    "{'domain':{'cpu':{'cores':2}}}}"
#define MARK(name) "'virtualmachinepreset.kubevirt.io/" name "':'kubevirt.io/v1'"

// clang-format off
static const struct record_case {
    const char *name, *vmi, *stored;
    enum error_code trouble;
    const char *asked, *heard;
} records[] = {
    { "none", MARKED("'other':'x'"), NULL, 0, "", "" },
    { "no annotations", "{'metadata':{'namespace':'ns'}}", NULL, 0, "", "" },
    { "one", MARKED(MARK("p")), PRESET("'cpu':{'cores':2}"), 0, "p", "Normal PresetApplied preset \"p\" gave domain.cpu" },
    { "one of several is gone", MARKED(MARK("z") "," MARK("p")), PRESET("'cpu':{'cores':2}"), 0, "p z",
      "Normal PresetApplied preset \"p\" gave domain.cpu" },
    { "no answer, no event", MARKED(MARK("p")), NULL, ERR_UNAVAILABLE, "p", "" },
    { "what is no name is not asked for", MARKED(MARK("../x") "," MARK("")), NULL, 0, "", "" },
    { "a bounded number", MARKED(MARK("a") "," MARK("b") "," MARK("c") "," MARK("d") "," MARK("e") "," MARK("f") "," MARK("g") "," MARK("h") "," MARK("i")),
      NULL, 0, "a b c d e f g h", "" },
};
// clang-format on

static void records_them(void **state)
{
    const struct record_case *c = *state;
    json_auto_t *vmi = json_q(c->vmi);

    stored = c->stored;
    trouble = c->trouble;
    heard = BUF_INIT(0);
    asked = BUF_INIT(0);
    preset_events_record(NULL, NULL, vmi);
    assert_string_equal(asked.data ? asked.data : "", c->asked);
    assert_string_equal(heard.data ? heard.data : "", c->heard);
    buf_done(&heard);
    buf_done(&asked);
}

int main(void)
{
    return RUN_ROWS("texts", texts, says) + RUN_ROWS("records", records, records_them);
}
