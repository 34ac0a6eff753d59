/* SPDX-License-Identifier: Apache-2.0 */
/* expose: a Service that leads to a machine (spec 06, section 3.4). */
#include "cli/expose.h"

#include <stdio.h>
#include <string.h>

#include "base/digest.h"
#include "base/jpath.h"
#include "base/must.h"
#include "base/scope.h"
#include "base/str.h"
#include "cli/commands.h"
#include "cli/machine_kind.h"
#include "kube/client.h"

enum {
    LABEL_MAX = 63, /* of a label's value */
    LABEL_HEAD = 54,
    LABEL_HASH = 8,
};

const struct option expose_flags[] = {
    { "name", 0, OPTION_STRING, FLAG(expose.name), .dflt = "", .arg = "NAME",
      .help = "Name of the service." },
    { "port", 0, OPTION_INT, FLAG(expose.port), .dflt = "0", .max = 65535, .arg = "N",
      .help = "Port of the service; the ports of the machine's own interface when not given." },
    { "target-port", 0, OPTION_STRING, FLAG(expose.target_port), .dflt = "", .arg = "N|NAME",
      .help = "Port of the machine; the same as --port when not given." },
    { "protocol", 0, OPTION_WORD, FLAG(expose.protocol), .dflt = "TCP", .arg = "TCP|UDP",
      .help = "Protocol of --port." },
    { "type", 0, OPTION_WORD, FLAG(expose.type), .dflt = "ClusterIP",
      .arg = "ClusterIP|NodePort|LoadBalancer", .help = "Type of the service." },
    { "port-name", 0, OPTION_STRING, FLAG(expose.port_name), .dflt = "", .arg = "NAME",
      .help = "Name of the port." },
    { "cluster-ip", 0, OPTION_STRING, FLAG(expose.cluster_ip), .dflt = "", .arg = "IP",
      .help = "Address of the service; None makes it headless." },
    { "external-ip", 0, OPTION_STRING, FLAG(expose.external_ip), .dflt = "", .arg = "IP",
      .help = "A further address that leads to the service." },
    { "load-balancer-ip", 0, OPTION_STRING, FLAG(expose.load_balancer_ip), .dflt = "", .arg = "IP",
      .help = "Address that the load balancer is to have." },
    { "ip-family", 0, OPTION_STRING, FLAG(expose.ip_family), .dflt = "", .arg = "FAMILY",
      .help = "IPv4, IPv6, or both in the order of preference: IPv4,IPv6." },
    { "ip-family-policy", 0, OPTION_WORD, FLAG(expose.ip_family_policy), .dflt = "",
      .arg = "SingleStack|PreferDualStack|RequireDualStack",
      .help = "Whether the service has both families." },
    { 0 },
};

/* A name as a label's value: a longer one is cut and made different again by its digest. */
static json_t *label_of(const char *name)
{
    char hash[SHA1_HEX_MAX];

    if (strlen(name) <= LABEL_MAX)
        return must_pack("s", name);
    sha1_hex(name, strlen(name), hash);
    scoped(free) char *text = must_asprintf("%.*s-%.*s", LABEL_HEAD, name, LABEL_HASH, hash);
    return must_pack("s", text);
}

static int make_selector(const struct kube_kind *kind, const json_t *obj, json_t **ret,
                         struct error *e)
{
    if (kind != &KIND_VMIRS) {
        *ret = json_object();
        must_set(*ret, "vmi.kubevirt.io/id", label_of(meta_name(obj)));
        return 0;
    }
    if (json_array_size(jpath_arr(obj, "spec.selector.matchExpressions")) > 0)
        return error_set(e, ERR_INVALID,
                         "cannot expose VirtualMachineInstanceReplicaSet with match expressions");

    const json_t *labels = jpath_obj(obj, "spec.selector.matchLabels");
    if (json_object_size(labels) == 0)
        return error_set(e, ERR_INVALID,
                         "cannot expose VirtualMachineInstanceReplicaSet without any selector "
                         "labels");
    *ret = must_copy(labels);
    return 0;
}

/* Ports of the interface that is on the pod's network. */
static json_t *interface_ports(const json_t *spec)
{
    json_t *ports = json_array();
    const char *network = NULL;
    size_t i;
    json_t *item;

    json_array_foreach(jpath_arr(spec, "networks"), i, item)
        if (!network && jpath_obj(item, "pod"))
            network = jpath_str(item, "name", "");

    const json_t *interface =
        network ? jarr_find(jpath_arr(spec, "domain.devices.interfaces"), "name", network) : NULL;
    json_array_foreach(jpath_arr(interface, "ports"), i, item) {
        scoped(free) char *name = must_asprintf("port-%zu", i + 1);
        json_t *port = must_pack("{s:s, s:I}", "name", name, "port", jpath_int(item, "port", 0));

        if (jpath_has(item, "protocol"))
            must_set(port, "protocol", must_pack("s", jpath_str(item, "protocol", "TCP")));
        must_append(ports, port);
    }
    return ports;
}

static json_t *make_ports(const struct expose_flags *f, const json_t *spec)
{
    long long number;

    if (f->port == 0)
        return interface_ports(spec);

    json_t *port = must_pack("{s:I, s:s}", "port", (json_int_t)f->port, "protocol", f->protocol);
    if (*f->port_name)
        must_set(port, "name", must_pack("s", f->port_name));
    if (str_to_int(f->target_port, 0, 65535, &number) == 0)
        must_set(port, "targetPort", json_integer(number));
    else if (*f->target_port)
        must_set(port, "targetPort", must_pack("s", f->target_port));
    return must_pack("[o]", port);
}

static int add_families(const struct expose_flags *f, json_t *spec, struct error *e)
{
    static const struct {
        const char *text, *first, *second;
    } rows[] = {
        { "IPv4", "IPv4", NULL },
        { "IPv6", "IPv6", NULL },
        { "IPv4,IPv6", "IPv4", "IPv6" },
        { "IPv6,IPv4", "IPv6", "IPv4" },
    };
    const char *policy = f->ip_family_policy;

    for (size_t i = 0; i < countof(rows) && *f->ip_family; i++) {
        if (!streq(rows[i].text, f->ip_family))
            continue;
        must_set(spec, "ipFamilies",
                 rows[i].second ? must_pack("[s, s]", rows[i].first, rows[i].second)
                                : must_pack("[s]", rows[i].first));
        if (rows[i].second && !*policy)
            policy = "PreferDualStack";
    }
    if (*f->ip_family && !jpath_has(spec, "ipFamilies"))
        return error_set(e, ERR_BAD_REQUEST,
                         "unknown IPFamily/s: %s; use IPv4, IPv6, IPv4,IPv6 or IPv6,IPv4",
                         f->ip_family);
    if (*policy)
        must_set(spec, "ipFamilyPolicy", must_pack("s", policy));
    return 0;
}

int expose_service(const struct expose_flags *f, const struct kube_kind *kind, const json_t *obj,
                   json_t **ret, struct error *e)
{
    const char *pod_spec = kind == &KIND_VMI ? "spec" : "spec.template.spec";
    json_auto_t *selector = NULL;
    json_auto_t *ports = make_ports(f, jpath_obj(obj, pod_spec));
    json_auto_t *spec = json_object();
    char version[KUBE_API_VERSION_MAX];

    if (make_selector(kind, obj, &selector, e) < 0)
        return -(int)e->code;
    if (json_array_size(ports) == 0)
        return error_set(e, ERR_BAD_REQUEST, "couldn't find port via --port flag or introspection");

    must_set(spec, "ports", json_incref(ports));
    must_set(spec, "selector", json_incref(selector));
    must_set(spec, "type", must_pack("s", f->type));
    if (*f->cluster_ip)
        must_set(spec, "clusterIP", must_pack("s", f->cluster_ip));
    if (*f->external_ip)
        must_set(spec, "externalIPs", must_pack("[s]", f->external_ip));
    if (*f->load_balancer_ip)
        must_set(spec, "loadBalancerIP", must_pack("s", f->load_balancer_ip));
    if (add_families(f, spec, e) < 0)
        return -(int)e->code;

    *ret = must_pack("{s:s, s:s, s:{s:s, s:s, s:[{s:s, s:s, s:s, s:s, s:b, s:b}]}, s:O}",
                     "apiVersion", "v1", "kind", "Service", "metadata", "name", f->name,
                     "namespace", meta_namespace(obj), "ownerReferences", "apiVersion",
                     kube_api_version(kind, version), "kind", kind->kind, "name", meta_name(obj),
                     "uid", meta_uid(obj), "controller", 1, "blockOwnerDeletion", 0, "spec", spec);
    return 0;
}

int run_expose(struct cli *c, const struct option_list *args, struct error *e)
{
    const struct expose_flags *f = &c->flags.expose;
    const struct machine_kind *target = machine_kind(args->item[0]);
    const char *name = args->item[1];
    json_auto_t *obj = NULL;
    json_auto_t *service = NULL;

    if (!*f->name)
        return error_set(e, ERR_BAD_REQUEST, "required flag(s) \"name\" not set");
    if (!target)
        return error_set(e, ERR_BAD_REQUEST, "unsupported resource type: %s", args->item[0]);
    if (kube_get(c->kube, target->kind, c->namespace, name, &obj, e) < 0)
        return error_wrap(e, "error fetching %s", target->kind->kind);
    if (expose_service(f, target->kind, obj, &service, e) < 0)
        return -(int)e->code;
    if (kube_create(c->kube, &KIND_SERVICE, service, NULL, e) < 0)
        return error_wrap(e, "service creation failed");
    (void)printf("Service %s successfully created for %s %s\n", f->name, args->item[0], name);
    return 0;
}
