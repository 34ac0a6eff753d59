/* SPDX-License-Identifier: Apache-2.0 */
/* The Service that expose makes of flags and a machine. */
#include "base/jpath.h"
#include "cli/commands.h"
#include "cli/expose.h"
#include "kube/kind.h"
#include "test/unit/rows.h"

#define LONG_NAME "a123456789b123456789c123456789d123456789e123456789f123456789g123"
#define POD_NET "'networks':[{'name':'n','multus':{}},{'name':'p','pod':{}}],"

enum { ARGS = 5 };

static const struct row {
    const char *name;
    const struct kube_kind *kind;
    const char *obj;
    const char *args[ARGS];
    const char *path, *want; /* what stands there; or the refusal, when path is NULL */
} rows[] = {
    { "the label of an instance",
      &KIND_VMI,
      "{'metadata':{'name':'a'}}",
      { "--port=22" },
      "spec.selector",
      "{'vmi.kubevirt.io/id':'a'}" },
    { "a long name is cut",
      &KIND_VM,
      "{'metadata':{'name':'" LONG_NAME "'}}",
      { "--port=22" },
      "spec.selector",
      "{'vmi.kubevirt.io/id':'a123456789b123456789c123456789d123456789e123456789f123-7059edb6'}" },
    { "labels of a set",
      &KIND_VMIRS,
      "{'metadata':{'name':'a'},'spec':{'selector':{'matchLabels':{'x':'y'}}}}",
      { "--port=22" },
      "spec.selector",
      "{'x':'y'}" },
    { "a set that selects by expressions",
      &KIND_VMIRS,
      "{'metadata':{'name':'a'},'spec':{'selector':{'matchExpressions':[{}]}}}",
      { "--port=22" },
      NULL,
      "with match expressions" },
    { "a port by flags",
      &KIND_VMI,
      "{'metadata':{'name':'a'}}",
      { "--port=80", "--target-port=8080", "--protocol=UDP", "--port-name=w" },
      "spec.ports",
      "[{'port':80,'protocol':'UDP','name':'w','targetPort':8080}]" },
    { "a target by name",
      &KIND_VMI,
      "{'metadata':{'name':'a'}}",
      { "--port=80", "--target-port=web" },
      "spec.ports",
      "[{'port':80,'protocol':'TCP','targetPort':'web'}]" },
    { "ports of the interface on the pod's network",
      &KIND_VM,
      "{'metadata':{'name':'a'},'spec':{'template':{'spec':{" POD_NET
      "'domain':{'devices':{'interfaces':[{'name':'n','ports':[{'port':1}]},"
      "{'name':'p','ports':[{'port':22,'protocol':'TCP'},{'port':53}]}]}}}}}}",
      { NULL },
      "spec.ports",
      "[{'name':'port-1','port':22,'protocol':'TCP'},{'name':'port-2','port':53}]" },
    { "no port", &KIND_VMI, "{'metadata':{'name':'a'}}", { NULL }, NULL, "couldn't find port" },
    { "both families",
      &KIND_VMI,
      "{'metadata':{'name':'a'}}",
      { "--port=1", "--ip-family=IPv6,IPv4" },
      "spec.ipFamilies",
      "['IPv6','IPv4']" },
    { "an unknown family",
      &KIND_VMI,
      "{'metadata':{'name':'a'}}",
      { "--port=1", "--ip-family=x" },
      NULL,
      "unknown IPFamily" },
    { "the owner",
      &KIND_VMI,
      "{'metadata':{'name':'a','uid':'u'}}",
      { "--port=1" },
      "metadata.ownerReferences",
      "[{'apiVersion':'kubevirt.io/v1','kind':'VirtualMachineInstance','name':'a','uid':'u',"
      "'controller':true,'blockOwnerDeletion':false}]" },
};

static void exposes(void **state)
{
    const struct row *c = *state;
    static struct flags flags;
    const struct option_program p = { .name = "x", .summary = "", .options = expose_flags };
    char *argv[ARGS + 2] = { (char *)"expose" };
    json_auto_t *obj = json_q(c->obj);
    json_auto_t *service = NULL;
    struct option_list args;
    struct error e = { 0 };
    int argc = 1;

    for (size_t i = 0; i < ARGS && c->args[i]; i++)
        argv[argc++] = (char *)c->args[i];
    assert_int_equal(options_parse(&p, &flags, argc, argv, &args, &e), OPTIONS_OK);
    int r = expose_service(&flags.expose, c->kind, obj, &service, &e);
    if (!c->path) {
        assert_true(r < 0);
        assert_non_null(strstr(e.msg, c->want));
        return;
    }
    assert_int_equal(r, 0);
    json_auto_t *want = json_q(c->want);
    assert_json(jpath(service, c->path), want);
}

int main(void)
{
    return RUN_ROWS("expose", rows, exposes);
}
