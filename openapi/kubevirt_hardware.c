/* SPDX-License-Identifier: Apache-2.0 */
/* Tables of the parts of the cluster's configuration that are about hardware and networks. */
#include "openapi/types.h"

#include "openapi/rows.h"

// clang-format off
TYPE(arch_specific_type, "ArchSpecificConfiguration", "What machines of one architecture are like.",
    STRINGS("emulatedMachines", "Machine types that users may ask for, with * and ?."),
    STRING("machineType", "Machine type when a user asks for none."),
    STRING("ovmfPath", "Folder of the UEFI firmware."));

TYPE(arch_config_type, "ArchConfiguration", "What machines of each architecture are like.",
    OBJECT("amd64", arch_specific_type, "Defaults of amd64."),
    OBJECT("arm64", arch_specific_type, "Defaults of arm64."),
    STRING("defaultArchitecture", "Architecture when a user asks for none."),
    OBJECT("ppc64le", arch_specific_type, "No longer supported; ignored.", INERT),
    OBJECT("s390x", arch_specific_type, "Defaults of s390x."));

TYPE(node_mediated_type, "NodeMediatedDeviceTypesConfig", "Mediated devices of some nodes.",
    STRINGS("mediatedDeviceTypes", "Types to make."),
    STRINGS("mediatedDevicesTypes", "Deprecated: mediatedDeviceTypes."),
    STRING_MAP("nodeSelector", "Labels of the nodes.", REQUIRED));

TYPE(mediated_config_type, "MediatedDevicesConfiguration", "Mediated devices that are made on nodes.",
    BOOL("enabled", "Make and remove them; yes when absent."),
    STRINGS("mediatedDeviceTypes", "Types to make."),
    STRINGS("mediatedDevicesTypes", "Deprecated: mediatedDeviceTypes."),
    LIST("nodeMediatedDeviceTypes", node_mediated_type, "Types for some nodes only."));

TYPE(permitted_mediated_type, "MediatedHostDevice", "A kind of mediated device that guests may have.",
    BOOL("externalResourceProvider", "Another program offers it to kubelet."),
    STRING("mdevNameSelector", "Name of the type.", REQUIRED),
    STRING("resourceName", "Resource name that users ask for.", REQUIRED));

TYPE(permitted_pci_type, "PciHostDevice", "A kind of PCI device that guests may have.",
    BOOL("externalResourceProvider", "Another program offers it to kubelet."),
    STRING("pciVendorSelector", "Which device, as vendor:device in hexadecimal.", REQUIRED),
    STRING("resourceName", "Resource name that users ask for.", REQUIRED));

TYPE(usb_selector_type, "USBSelector", "One USB device.",
    STRING("product", "Product number in hexadecimal.", REQUIRED),
    STRING("vendor", "Vendor number in hexadecimal.", REQUIRED));

TYPE(permitted_usb_type, "USBHostDevice", "A group of USB devices that guests may have.",
    BOOL("externalResourceProvider", "Another program offers it to kubelet."),
    STRING("resourceName", "Resource name that users ask for.", REQUIRED),
    LIST("selectors", usb_selector_type, "Devices of the group."));

TYPE(permitted_devices_type, "PermittedHostDevices", "Devices of nodes that guests may have.",
    LIST("mediatedDevices", permitted_mediated_type, "Mediated devices."),
    LIST("pciHostDevices", permitted_pci_type, "PCI devices."),
    LIST("usb", permitted_usb_type, "USB devices."));

TYPE(binding_migration_type, "InterfaceBindingMigration", "What a migration does to such interfaces.",
    STRING("method", "What is done after a migration: link-refresh, or nothing."));

TYPE(interface_binding_type, "InterfaceBindingPlugin", "A way to connect interfaces.",
    OBJECT("computeResourceOverhead", resource_amounts_type, "What it adds to the launcher's container."),
    STRING("domainAttachmentType", "How the guest is attached: tap or managedTap."),
    STRING("downwardAPI", "What the sidecar is told: device-info, or nothing."),
    OBJECT("migration", binding_migration_type, "What a migration does to such interfaces."),
    STRING("networkAttachmentDefinition", "NetworkAttachmentDefinition that sets the pod up."),
    STRING("sidecarImage", "Image that runs beside the launcher."));

TYPE(network_config_type, "NetworkConfiguration", "How guests are connected.",
    MAP("binding", interface_binding_type, "Further ways to connect, by name.", INERT),
    STRING("defaultNetworkInterface", "Binding of machines that ask for no network: bridge or masquerade; bridge when absent."),
    BOOL("permitBridgeInterfaceOnPodNetwork", "Guests may bridge to the pod's network; yes when absent."),
    BOOL("permitSlirpInterface", "Removed; ignored.", INERT));
// clang-format on
