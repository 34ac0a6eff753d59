/* SPDX-License-Identifier: Apache-2.0 */
/* Table of a KubeVirt object's spec.configuration. */
#include "openapi/types.h"

#include "openapi/rows.h"

// clang-format off
TYPE(token_bucket_type, "TokenBucketRateLimiter", "A rate and how much may come at once.",
    INT("burst", "Requests at once.", REQUIRED),
    NUMBER("qps", "Requests a second.", REQUIRED));

TYPE(rate_limiter_type, "RateLimiter", "How fast the API server may be asked.",
    OBJECT("tokenBucketRateLimiter", token_bucket_type, "A rate and how much may come at once."));

TYPE(rest_client_type, "RESTClientConfiguration", "How the API server is asked.",
    OBJECT("rateLimiter", rate_limiter_type, "How fast the API server may be asked."));

TYPE(component_config_type, "ReloadableComponentConfiguration", "Settings of one program that it takes over while it runs.",
    OBJECT("restClient", rest_client_type, "How the API server is asked."));

TYPE(tracking_selectors_type, "ChangedBlockTrackingSelectors", "Machines whose disks' changes are kept track of.",
    OBJECT("namespaceLabelSelector", label_selector_type, "Namespaces whose machines are meant."),
    OBJECT("virtualMachineLabelSelector", label_selector_type, "Machines that are meant."));

TYPE(tdx_attestation_type, "TDXAttestationConfiguration", "How TDX guests prove what they are.",
    BOOL("enforced", "Only guests that can prove it.", .dflt = "false"),
    STRING("qgsSocketPath", "Socket of the quote service.", .dflt = "\"/var/run/tdx-qgs/qgs.socket\""));

TYPE(tdx_config_type, "TDXConfiguration", "Settings for Intel TDX.",
    OBJECT("attestation", tdx_attestation_type, "How guests prove what they are."));

TYPE(confidential_config_type, "ConfidentialComputeConfiguration", "Settings for guests that nodes cannot look into.",
    OBJECT("tdx", tdx_config_type, "Intel TDX.", NULLABLE));

TYPE(disk_verification_type, "DiskVerification", "How container disks are looked at.",
    QUANTITY("memoryLimit", "Memory that looking may take.", REQUIRED));

TYPE(log_verbosity_type, "LogVerbosity", "How much each program logs, 0 to 9.",
    INT_MAP("nodeVerbosity", "Level of virt-handler on some nodes, by node.", INERT, UNSIGNED),
    INT("virtAPI", "Level of virt-api.", INERT, UNSIGNED),
    INT("virtController", "Level of virt-controller.", INERT, UNSIGNED),
    INT("virtHandler", "Level of virt-handler.", INERT, UNSIGNED),
    INT("virtLauncher", "Level of virt-launcher.", UNSIGNED),
    INT("virtOperator", "Level of the operator.", INERT, UNSIGNED),
    INT("virtSynchronizationController", "Level of the synchronization controller.", INERT, UNSIGNED));

TYPE(developer_config_type, "DeveloperConfiguration", "Settings for development and tests.",
    BOOL("clusterProfiler", "Let developers take profiles.", INERT),
    INT("cpuAllocationRatio", "Virtual processors for each processor that is asked of a node; 10 when absent."),
    STRINGS("disabledFeatureGates", "Features that are off although they are on by default."),
    OBJECT("diskVerification", disk_verification_type, "How container disks are looked at."),
    STRINGS("featureGates", "Features that are on although they are off by default."),
    OBJECT("logVerbosity", log_verbosity_type, "How much each program logs."),
    INT("memoryOvercommit", "Memory of guests in per cent of what is asked of the node; 100 when absent.", .min = 10),
    INT64("minimumClusterTSCFrequency", "Frequency that all nodes' time-stamp counters can have.", INERT),
    INT64("minimumReservePVCBytes", "Bytes of a claim that stay free; 131072 when absent.", INERT, UNSIGNED),
    STRING_MAP("nodeSelectors", "Labels that nodes of all machines must have."),
    INT("pvcTolerateLessSpaceUpToPercent", "How much smaller than asked for a claim may be; 10 when absent.", INERT),
    BOOL("useEmulation", "Emulate the processor where KVM is not to be had."));

TYPE(hypervisor_type, "HypervisorConfiguration", "The hypervisor of the nodes.",
    STRING("name", "Its name.", ONE_OF("kvm", "hyperv-direct")));

TYPE(instancetype_config_type, "InstancetypeConfiguration", "How instance types are used.",
    STRING("referencePolicy", "Whether machines keep the reference or take the values over.",
           ONE_OF("reference", "expand", "expandAll"), NULLABLE));

TYPE(ksm_config_type, "KSMConfiguration", "Where equal pages of memory are merged.",
    OBJECT("nodeLabelSelector", label_selector_type, "Nodes that merge."));

TYPE(live_update_config_type, "LiveUpdateConfiguration", "How far a running machine can grow.",
    INT32("maxCpuSockets", "Sockets it can reach.", UNSIGNED),
    QUANTITY("maxGuest", "Memory it can reach."),
    INT32("maxHotplugRatio", "Times what it began with; 4 when absent.", UNSIGNED));

TYPE(custom_profile_type, "CustomProfile", "A seccomp profile; one of the two.",
    STRING("localhostProfile", "File on the node."),
    BOOL("runtimeDefaultProfile", "The container runtime's own."));

TYPE(vmi_profile_type, "VirtualMachineInstanceProfile", "Seccomp profile of launchers.",
    OBJECT("customProfile", custom_profile_type, "The profile."));

TYPE(seccomp_config_type, "SeccompConfiguration", "Which system calls are allowed.",
    OBJECT("virtualMachineInstanceProfile", vmi_profile_type, "Profile of the launchers."));

TYPE(smbios_config_type, "SMBiosConfiguration", "What guests read from SMBIOS.",
    STRING("family", "Family; KubeVirt when absent."),
    STRING("manufacturer", "Manufacturer; KubeVirt when absent."),
    STRING("product", "Product; None when absent."),
    STRING("sku", "Stock-keeping number."),
    STRING("version", "Version of the system."));

TYPE(support_resources_type, "SupportContainerResources", "What a helper container takes.",
    OBJECT("resources", resource_amounts_type, "What it takes.", REQUIRED),
    STRING("type", "Which container: hotplug-disk, container-disk, virtiofs, sidecar, vmexport or guest-console-log.", REQUIRED));

TYPE(tls_config_type, "TLSConfiguration", "What servers accept of TLS.",
    STRINGS("ciphers", "Cipher suites of TLS 1.2 that are accepted.", SET),
    STRING("minTLSVersion", "Oldest version that is accepted.",
           ONE_OF("VersionTLS10", "VersionTLS11", "VersionTLS12", "VersionTLS13")));

TYPE(vm_options_type, "VirtualMachineOptions", "Settings of all machines.",
    PRESENCE("disableFreePageReporting", "Guests do not give free memory back.", INERT),
    PRESENCE("disableSerialConsoleLog", "Consoles are not logged."));

TYPE(kubevirt_config_type, "KubeVirtConfiguration", "How machines of this cluster are made and run.",
    STRING("additionalGuestMemoryOverheadRatio", "Factor on the memory that emulators are expected to need."),
    OBJECT("apiConfiguration", component_config_type, "Settings of virt-api.", INERT),
    OBJECT("architectureConfiguration", arch_config_type, "What machines of each architecture are like."),
    OBJECT("autoCPULimitNamespaceLabelSelector", label_selector_type, "Namespaces whose machines get a CPU limit.", INERT),
    OBJECT("changedBlockTrackingLabelSelectors", tracking_selectors_type, "Machines whose disks' changes are kept track of.", NULLABLE, INERT),
    OBJECT("commonInstancetypesDeployment", optional_switch_type, "Bring common instance types and preferences along.", NULLABLE, INERT),
    OBJECT("confidentialCompute", confidential_config_type, "Guests that nodes cannot look into.", NULLABLE, INERT),
    OBJECT("controllerConfiguration", component_config_type, "Settings of virt-controller.", INERT),
    STRING("cpuModel", "Processor model when a user asks for none; host-model when absent."),
    QUANTITY("cpuRequest", "CPU that is asked of a node for each machine; 100m when absent."),
    STRING("defaultRuntimeClass", "Runtime class of launchers."),
    OBJECT("developerConfiguration", developer_config_type, "Settings for development and tests."),
    STRINGS("emulatedMachines", "Deprecated: architectureConfiguration."),
    STRING("evictionStrategy", "What a node's drain does when a machine says nothing; None when absent."),
    OBJECT("handlerConfiguration", component_config_type, "Settings of virt-handler.", INERT),
    LIST("hypervisors", hypervisor_type, "Hypervisor of the nodes.", .max_items = 1, INERT),
    STRING("imagePullPolicy", "When nodes pull images: Always, Never or IfNotPresent."),
    OBJECT("instancetype", instancetype_config_type, "How instance types are used.", NULLABLE),
    OBJECT("ksmConfiguration", ksm_config_type, "Where equal pages of memory are merged.", INERT),
    OBJECT("liveUpdateConfiguration", live_update_config_type, "How far a running machine can grow."),
    STRING("machineType", "Deprecated: architectureConfiguration."),
    OBJECT("mediatedDevicesConfiguration", mediated_config_type, "Mediated devices that are made on nodes.", INERT),
    INT32("memBalloonStatsPeriod", "Seconds between statistics of the balloon; 0 is none, 10 when absent.", UNSIGNED),
    OBJECT("migrations", migration_config_type, "What governs live migrations.", INERT),
    STRING("minCPUModel", "Oldest processor model that machines are placed on.", INERT),
    OBJECT("network", network_config_type, "How guests are connected."),
    BOOL_MAP("obsoleteCPUModels", "Processor models that are no longer offered.", INERT),
    STRING("ovmfPath", "Deprecated: architectureConfiguration."),
    OBJECT("permittedHostDevices", permitted_devices_type, "Devices of nodes that guests may have.", INERT),
    OBJECT("persistentReservationConfiguration", optional_switch_type, "Whether guests may use persistent reservations.", NULLABLE),
    STRING("roleAggregationStrategy", "Whether the roles are part of view, edit and admin.",
           ONE_OF("AggregateToDefault", "Manual"), INERT),
    OBJECT("seccompConfiguration", seccomp_config_type, "Which system calls are allowed."),
    STRING("selinuxLauncherType", "SELinux type of launchers."),
    OBJECT("smbios", smbios_config_type, "What guests read from SMBIOS."),
    LIST("supportContainerResources", support_resources_type, "What helper containers take.", .list_key = "type", INERT),
    STRINGS("supportedGuestAgentVersions", "Deprecated; ignored.", INERT),
    OBJECT("tlsConfiguration", tls_config_type, "What servers accept of TLS.", INERT),
    OBJECT("virtTemplateDeployment", optional_switch_type, "Bring machine templates along.", NULLABLE, INERT),
    INT("virtualMachineInstancesPerNode", "Machines that a node can run; 1000 when absent.", INERT),
    OBJECT("virtualMachineOptions", vm_options_type, "Settings of all machines."),
    STRING("vmRolloutStrategy", "Whether changes reach running machines or wait for a restart.",
           ONE_OF("Stage", "LiveUpdate"), NULLABLE),
    STRING("vmStateStorageClass", "Storage class for the state of firmware and TPM.", INERT),
    OBJECT("webhookConfiguration", component_config_type, "Settings of the webhooks.", INERT));
// clang-format on
