// SPDX-License-Identifier: Apache-2.0
/*
 * Network interfaces of a domain (spec 05, section 3.5).  The tap device is
 * virt-handler's work; the guest's end of it is described here.
 */
#include "launcher/domain_parts.h"

#include <stdlib.h>

#include "base/jpath.h"
#include "base/must.h"
#include "base/scope.h"
#include "base/str.h"

enum { NIC_QUEUES_MAX = 256 };

static const struct domain_nic *find_nic(const struct domain_plan *p, const char *name)
{
    for (size_t i = 0; i < p->facts->nics_len; i++)
        if (streq(p->facts->nics[i].name, name))
            return &p->facts->nics[i];
    return NULL;
}

static const char *nic_model(const struct domain_plan *p, const json_t *interface)
{
    const char *model = jpath_str(interface, "model", "virtio");
    return streq(model, "virtio") ? domain_virtio_model(p) : model;
}

static void write_queues(struct xml *x, const struct domain_plan *p, const json_t *interface)
{
    int queues = domain_vcpus(p) < NIC_QUEUES_MAX ? domain_vcpus(p) : NIC_QUEUES_MAX;

    if (!jpath_bool(p->devices, "networkInterfaceMultiqueue", false) ||
        !streq(jpath_str(interface, "model", "virtio"), "virtio"))
        return;
    xml_open(x, "driver");
    xml_attr(x, "name", "vhost");
    xml_attrf(x, "queues", "%d", queues);
    xml_close(x);
}

static void write_nic(struct xml *x, const struct domain_plan *p, const json_t *interface)
{
    const char *name = jpath_str(interface, "name", "");
    const struct domain_nic *nic = find_nic(p, name);
    const char *mac = jpath_str(interface, "macAddress", nic ? nic->mac : NULL);
    const char *state = jpath_str(interface, "state", "");
    json_int_t order = jpath_int(interface, "bootOrder", 0);

    xml_open(x, "interface");
    xml_attr(x, "type", "ethernet");
    if (nic) {
        xml_open(x, "target");
        xml_attr(x, "dev", nic->tap);
        xml_attr(x, "managed", "no");
        xml_close(x);
    }
    xml_with(x, "model", "type", nic_model(p, interface));
    if (mac)
        xml_with(x, "mac", "address", mac);
    if (nic && nic->mtu > 0) {
        xml_open(x, "mtu");
        xml_attrf(x, "size", "%d", nic->mtu);
        xml_close(x);
    }
    write_queues(x, p, interface);
    if (streq(state, "down") || streq(state, "up"))
        xml_with(x, "link", "state", state);
    scoped(free) char *alias = must_asprintf("ua-%s", name);
    xml_with(x, "alias", "name", alias);
    if (order > 0) {
        xml_open(x, "boot");
        xml_attrf(x, "order", "%lld", (long long)order);
        xml_close(x);
    } else if (p->arch->has_rom) {
        xml_with(x, "rom", "enabled", "no");
    }
    if (jpath_int(interface, "acpiIndex", 0) > 0) {
        xml_open(x, "acpi");
        xml_attrf(x, "index", "%lld", (long long)jpath_int(interface, "acpiIndex", 0));
        xml_close(x);
    }
    xml_close(x);
}

int domain_interfaces(struct xml *x, const struct domain_plan *p, struct error *e)
{
    size_t i;
    json_t *interface;

    json_array_foreach(jpath_arr(p->devices, "interfaces"), i, interface) {
        if (streq(jpath_str(interface, "state", ""), "absent"))
            continue;
        if (jpath_has(interface, "sriov"))
            return error_set(e, ERR_INVALID, "interface \"%s\": sriov is not supported",
                             jpath_str(interface, "name", ""));
        write_nic(x, p, interface);
    }
    return 0;
}
