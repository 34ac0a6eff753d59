/* SPDX-License-Identifier: Apache-2.0 */
/* Tables of spec.domain.devices.interfaces and spec.networks. */
#include "openapi/types.h"

#include "openapi/rows.h"

// clang-format off
TYPE(binding_plugin_type, "PluginBinding", "A way to connect that the cluster's configuration describes.",
    STRING("name", "Name in configuration.network.binding.", REQUIRED));

TYPE(dhcp_private_option_type, "DHCPPrivateOptions", "One DHCP option of a site's own.",
    INT("option", "Number, 224 to 254.", REQUIRED),
    STRING("value", "Its value.", REQUIRED));

TYPE(dhcp_options_type, "DHCPOptions", "More of what the guest is told by DHCP.",
    STRING("bootFileName", "Boot file name (option 67)."),
    STRINGS("ntpServers", "IPv4 addresses of time servers (option 42)."),
    LIST("privateOptions", dhcp_private_option_type, "Options of the site's own."),
    STRING("tftpServerName", "TFTP server's name (option 66)."));

TYPE(port_range_type, "PortRange", "Ports of the pod that reach the guest.",
    INT32("end", "Last port.", REQUIRED),
    STRING("protocol", "TCP or UDP.", REQUIRED),
    INT32("start", "First port.", REQUIRED));

TYPE(port_type, "Port", "One port of the pod that reaches the guest.",
    STRING("name", "Name, for Services."),
    INT32("port", "Number, 1 to 65535.", REQUIRED),
    STRING("protocol", "TCP or UDP; TCP when absent."));

TYPE(interface_type, "Interface", "One network interface of the guest; exactly one way to connect it.",
    INT("acpiIndex", "Number that Linux names the interface by (eno1)."),
    OBJECT("binding", binding_plugin_type, "Connect as the cluster's configuration describes.", INERT),
    INT("bootOrder", "Place in the boot order, from 1.", UNSIGNED),
    PRESENCE("bridge", "Connect by a bridge; the guest takes the pod's address.", INERT),
    OBJECT("dhcpOptions", dhcp_options_type, "More of what the guest is told by DHCP.", INERT),
    STRING("macAddress", "Hardware address; made at random when absent."),
    PRESENCE("macvtap", "Removed; use a network binding plugin.", INERT),
    PRESENCE("masquerade", "Connect by NAT behind the pod's address."),
    STRING("model", "Model of the card: virtio, e1000, e1000e, igb, ne2k_pci, pcnet or rtl8139; virtio when absent."),
    STRING("name", "Name of the network.", REQUIRED),
    PRESENCE("passt", "Removed; use passtBinding.", INERT),
    PRESENCE("passtBinding", "Connect through passt, in user space.", INERT),
    STRING("pciAddress", "PCI address in the guest, such as 0000:81:01.10.", INERT),
    LIST("portRanges", port_range_type, "Port ranges that reach the guest; all ports when absent."),
    LIST("ports", port_type, "Ports that reach the guest; all when absent."),
    PRESENCE("slirp", "Removed; use masquerade.", INERT),
    PRESENCE("sriov", "Give the guest a virtual function of a network card.", INERT),
    STRING("state", "State of the link (up or down), or absent to take the interface out."),
    STRING("tag", "Told to the guest with the device's address, by cloud-init.", INERT));

TYPE(multus_network_type, "MultusNetwork", "A further network of the pod.",
    BOOL("default", "It is the pod's default network."),
    STRING("networkName", "NetworkAttachmentDefinition: name, or namespace/name.", REQUIRED));

TYPE(pod_network_type, "PodNetwork", "The pod's own network.",
    STRING("vmIPv6NetworkCIDR", "IPv6 network behind masquerade; fd10:0:2::/120 when absent."),
    STRING("vmNetworkCIDR", "IPv4 network behind masquerade; 10.0.2.0/24 when absent."));

TYPE(claim_network_type, "ClaimNetwork", "A network device of a resource claim.",
    STRING("claimName", "Entry of spec.resourceClaims."),
    STRING("requestName", "Request in that claim."));

TYPE(network_type, "Network", "A network that an interface connects to; exactly one source.",
    OBJECT("multus", multus_network_type, "A further network of the pod.", INERT),
    STRING("name", "Name that the interface has too.", REQUIRED),
    OBJECT("pod", pod_network_type, "The pod's own network."),
    OBJECT("resourceClaim", claim_network_type, "A network device of a resource claim.", INERT));
// clang-format on
