/* SPDX-License-Identifier: Apache-2.0 */
/*
 * expand: a virtual machine with its instance type and preference written out; objectgraph: what a
 * machine depends on; permitted-devices: what the cluster lends (spec 06, section 3.2).
 */
#include <stdio.h>

#include "base/jpath.h"
#include "base/must.h"
#include "base/scope.h"
#include "base/str.h"
#include "cli/commands.h"
#include "cli/document.h"
#include "kube/client.h"

const struct option expand_flags[] = {
    { "vm", 0, OPTION_STRING, FLAG(vm), .dflt = "", .arg = "VM", .help = "A stored machine." },
    { "file", 'f', OPTION_STRING, FLAG(file), .dflt = "", .arg = "FILE",
      .help = "A VirtualMachine as YAML or JSON; - is stdin." },
    { "output", 'o', OPTION_WORD, FLAG(output), .dflt = "yaml", .arg = "yaml|json",
      .help = "How the machine is printed." },
    { 0 },
};

const struct option objectgraph_flags[] = {
    { "vmi", 0, OPTION_BOOL, FLAG(graph.is_vmi), .dflt = "false",
      .help = "The name is that of an instance." },
    { "exclude-optional", 0, OPTION_BOOL, FLAG(graph.excludes_optional), .dflt = "false",
      .help = "Leave out what the machine can do without." },
    { "selector", 'l', OPTION_STRINGS, FLAG(graph.selectors), .arg = "KEY=VALUE,...",
      .help = "Only nodes with these labels." },
    OUTPUT_FLAG,
    { 0 },
};

static int expand_file(struct cli *c, json_t **ret, struct error *e)
{
    json_auto_t *vm = NULL;
    scoped(free) char *ns = http_escape(c->namespace);
    scoped(free) char *path =
        must_asprintf("/apis/subresources.kubevirt.io/v1/namespaces/%s/expand-vm-spec", ns);

    if (document_read(c->flags.file, &vm, e) < 0)
        return -(int)e->code;
    return cli_raw(c, HTTP_PUT, path, vm, ret, e);
}

int run_expand(struct cli *c, const struct option_list *args, struct error *e)
{
    const char *name = c->flags.vm;
    json_auto_t *vm = NULL;
    int r;

    if (!*name == !*c->flags.file)
        return error_set(e, ERR_BAD_REQUEST, "exactly one of --vm and --file is expected");
    if (*name) {
        scoped(free) char *path = cli_subresource(c, "virtualmachines", name, "expand-spec");
        r = cli_get(c, path, &vm, e);
    } else {
        r = expand_file(c, &vm, e);
    }
    if (r < 0)
        return error_wrap(e, "error expanding VirtualMachine %s", *name ? name : c->flags.file);
    return document_print(vm, c->flags.output, 1, e);
}

int run_objectgraph(struct cli *c, const struct option_list *args, struct error *e)
{
    const struct graph_flags *f = &c->flags.graph;
    const char *kind = f->is_vmi ? "virtualmachineinstances" : "virtualmachines";
    scoped(free) char *path = cli_subresource(c, kind, args->item[0], "objectgraph");
    json_auto_t *labels = NULL;
    json_auto_t *graph = NULL;
    json_auto_t *body = must_pack("{s:b}", "includeOptionalNodes", !f->excludes_optional);

    if (document_pairs(&f->selectors, "selector", &labels, e) < 0)
        return -(int)e->code;
    if (labels)
        jpath_set(body, "labelSelector.matchLabels", json_incref(labels));
    /* A body with GET is what the server reads the options from. */
    if (cli_raw(c, HTTP_GET, path, body, &graph, e) < 0)
        return error_wrap(e, "error getting the object graph of %s", args->item[0]);
    return document_print(graph, c->flags.output, 2, e);
}

static void print_devices(const char *title, const json_t *devices)
{
    size_t i;
    json_t *device;

    (void)printf("%s\n", title);
    json_array_foreach(devices, i, device)
        (void)printf(" - %s\n", jpath_str(device, "resourceName", ""));
}

int run_permitted_devices(struct cli *c, const struct option_list *args, struct error *e)
{
    json_auto_t *list = NULL;

    if (kube_list(c->kube, &KIND_KUBEVIRT, c->namespace, NULL, &list, e) < 0)
        return error_wrap(e, "error listing KubeVirts");
    if (json_array_size(list) == 0)
        return error_set(e, ERR_NOT_FOUND,
                         "no KubeVirt object in namespace %s: give the namespace of the "
                         "installation with -n",
                         c->namespace);

    const json_t *permitted =
        jpath(json_array_get(list, 0), "spec.configuration.permittedHostDevices");
    print_devices("Permitted Devices:\nHost Devices:", jpath_arr(permitted, "pciHostDevices"));
    print_devices("GPU Devices:", jpath_arr(permitted, "mediatedDevices"));
    return 0;
}
