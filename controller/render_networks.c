/* SPDX-License-Identifier: Apache-2.0 */
/* What networks ask of the pod's annotations: Multus attachments, Istio's interfaces. */
#include <string.h>

#include "base/digest.h"
#include "base/jpath.h"
#include "base/must.h"
#include "base/scope.h"
#include "controller/render_parts.h"

/* "ns/name" or "name" in the machine's own namespace. */
static json_t *attachment(const json_t *vmi, const char *network, const char *name)
{
    char digest[SHA256_HEX_MAX];
    sha256_hex(network, strlen(network), digest);
    scoped(free) char *device = must_asprintf("pod%.11s", digest);

    const char *slash = strchr(name, '/');
    scoped(free) char *ns =
        slash ? must_strndup(name, (size_t)(slash - name)) : must_strdup(meta_namespace(vmi));
    return must_pack("{s:s, s:s, s:s}", "name", slash ? slash + 1 : name, "namespace", ns,
                     "interface", device);
}

static void add_multus(json_t *annotations, const json_t *vmi)
{
    json_auto_t *attachments = json_array();
    const json_t *nics = jpath_arr(vmi, "spec.domain.devices.interfaces");
    size_t i;
    json_t *network;

    json_array_foreach(jpath_arr(vmi, "spec.networks"), i, network) {
        const char *name = jpath_str(network, "multus.networkName", "");
        const char *id = jpath_str(network, "name", "");
        if (!name[0])
            continue;
        if (jpath_bool(network, "multus.default", false)) {
            must_set(annotations, "v1.multus-cni.io/default-network", json_string(name));
            continue;
        }
        const json_t *nic = jarr_find(nics, "name", id);
        if (strcmp(jpath_str(nic, "state", ""), "absent") != 0)
            must_append(attachments, attachment(vmi, id, name));
    }
    if (json_array_size(attachments) > 0) {
        scoped(free) char *text = must_dumps(attachments, 0);
        must_set(annotations, "k8s.v1.cni.cncf.io/networks", json_string(text));
    }
}

static void add_istio(json_t *annotations, const json_t *vmi)
{
    size_t i;
    json_t *nic;
    json_array_foreach(jpath_arr(vmi, "spec.domain.devices.interfaces"), i, nic) {
        if (!jpath_has(nic, "masquerade"))
            continue;
        must_set(annotations, "istio.io/reroute-virtual-interfaces", json_string("k6t-eth0"));
        must_set(annotations, "traffic.sidecar.istio.io/kubevirtInterfaces",
                 json_string("k6t-eth0"));
        return;
    }
}

void render_network_annotations(json_t *annotations, const json_t *vmi)
{
    add_multus(annotations, vmi);
    add_istio(annotations, vmi);
}
