/* SPDX-License-Identifier: Apache-2.0 */
/* Table of a KubeVirt object: the installation itself. */
#include "openapi/types.h"

#include "openapi/rows.h"

// clang-format off
TYPE(cert_config_type, "CertConfig", "How long a certificate lives.",
    STRING("duration", "How long, such as 24h."),
    STRING("renewBefore", "How long before its end it is renewed."));

TYPE(self_signed_type, "KubeVirtSelfSignConfiguration", "Certificates that the installation makes for itself.",
    OBJECT("ca", cert_config_type, "The certificate authority."),
    STRING("caOverlapInterval", "Deprecated: ca.renewBefore."),
    STRING("caRotateInterval", "Deprecated: ca.duration."),
    STRING("certRotateInterval", "Deprecated: server.duration."),
    OBJECT("server", cert_config_type, "The programs' certificates."));

TYPE(cert_strategy_type, "KubeVirtCertificateRotateStrategy", "How certificates are renewed.",
    OBJECT("selfSigned", self_signed_type, "Certificates that the installation makes for itself."));

TYPE(component_flags_type, "Flags", "Further flags of programs.",
    STRING_MAP("api", "Flags of virt-api."),
    STRING_MAP("controller", "Flags of virt-controller."),
    STRING_MAP("handler", "Flags of virt-handler."));

TYPE(component_patch_type, "CustomizeComponentsPatch", "A change of one object of the installation.",
    STRING("patch", "The patch, as JSON or YAML.", REQUIRED),
    STRING("resourceName", "Name of the object.", REQUIRED, .min_length = 1),
    STRING("resourceType", "Kind of the object.", REQUIRED, .min_length = 1),
    STRING("type", "Kind of the patch: json, merge or strategic.", REQUIRED));

TYPE(customize_type, "CustomizeComponents", "Changes of the installation's objects.",
    OBJECT("flags", component_flags_type, "Further flags of programs."),
    LIST("patches", component_patch_type, "Patches of objects."));

TYPE(node_placement_type, "NodePlacement", "Which nodes may run it.",
    OBJECT("affinity", affinity_type, "Where pods may run.", .open = true),
    STRING_MAP("nodeSelector", "Labels that the node must have."),
    LIST("tolerations", toleration_type, "Taints of nodes that do not keep pods away.", .open = true));

TYPE(placed_components_type, "ComponentConfig", "Where programs run, and how many.",
    OBJECT("nodePlacement", node_placement_type, "Which nodes may run them."),
    INT("replicas", "How many of each."));

TYPE(update_strategy_type, "KubeVirtWorkloadUpdateStrategy", "How running machines get a new launcher.",
    STRING("batchEvictionInterval", "Time between batches, such as 1m."),
    INT("batchEvictionSize", "Machines of one batch."),
    STRINGS("workloadUpdateMethods", "LiveMigrate, Evict."));

TYPE(kubevirt_spec_type, "KubeVirtSpec", "How cvirt is installed and set up.",
    OBJECT("certificateRotateStrategy", cert_strategy_type, "How certificates are renewed.", INERT),
    OBJECT("configuration", kubevirt_config_type, "How machines of this cluster are made and run."),
    OBJECT("customizeComponents", customize_type, "Changes of the installation's objects.", INERT),
    STRING("imagePullPolicy", "When nodes pull the programs' images: Always, Never or IfNotPresent."),
    LIST("imagePullSecrets", local_ref_type, "Secrets with the registry's credentials."),
    STRING("imageRegistry", "Where the programs' images come from.", INERT),
    STRING("imageTag", "Tag of the programs' images.", INERT),
    OBJECT("infra", placed_components_type, "Where virt-api and virt-controller run.", INERT),
    STRING("monitorAccount", "Service account of Prometheus.", INERT),
    STRING("monitorNamespace", "Namespace of Prometheus.", INERT),
    STRING("productComponent", "Label app.kubernetes.io/component.", INERT),
    STRING("productName", "Label app.kubernetes.io/part-of.", INERT),
    STRING("productVersion", "Label app.kubernetes.io/version.", INERT),
    STRING("serviceMonitorNamespace", "Namespace of the ServiceMonitor.", INERT),
    STRING("synchronizationPort", "Port of the synchronization controller.", INERT),
    STRING("uninstallStrategy", "RemoveWorkloads or BlockUninstallIfWorkloadsExist."),
    OBJECT("workloadUpdateStrategy", update_strategy_type, "How running machines get a new launcher.", INERT),
    OBJECT("workloads", placed_components_type, "Where virt-handler and machines run.", INERT));

TYPE(generation_status_type, "GenerationStatus", "An object of the installation and how it was left.",
    STRING("group", "API group.", REQUIRED),
    STRING("hash", "Hash of what was written."),
    INT64("lastGeneration", "Generation that was written.", REQUIRED),
    STRING("name", "Name of the object.", REQUIRED),
    STRING("namespace", "Namespace of the object."),
    STRING("resource", "Resource of the object.", REQUIRED));

TYPE(kubevirt_status_type, "KubeVirtStatus", "How the installation is.",
    LIST("conditions", condition_type, "What is known about the installation."),
    STRING("defaultArchitecture", "Architecture when a user asks for none."),
    LIST("generations", generation_status_type, "Objects of the installation and how they were left."),
    STRING("observedDeploymentConfig", "Settings that are in effect."),
    STRING("observedDeploymentID", "Hash of these settings."),
    INT64("observedGeneration", "Generation of the spec that is in effect."),
    STRING("observedKubeVirtRegistry", "Where the images came from."),
    STRING("observedKubeVirtVersion", "Version that runs."),
    STRING("operatorVersion", "Version of the operator."),
    INT("outdatedVirtualMachineInstanceWorkloads", "Machines with an old launcher."),
    STRING("phase", "Deploying, Deployed, Deleting or Deleted."),
    STRINGS("synchronizationAddresses", "Where another cluster reaches this one."),
    STRING("targetDeploymentConfig", "Settings that are wanted."),
    STRING("targetDeploymentID", "Hash of these settings."),
    STRING("targetKubeVirtRegistry", "Where the images are to come from."),
    STRING("targetKubeVirtVersion", "Version that is wanted."));

TYPE(kubevirt_type, "KubeVirt", "The installation: how it is set up and how it is.",
    KIND_META,
    OBJECT("spec", kubevirt_spec_type, "How cvirt is installed and set up.", REQUIRED),
    OBJECT("status", kubevirt_status_type, "How the installation is.", .lenient = true));
// clang-format on
