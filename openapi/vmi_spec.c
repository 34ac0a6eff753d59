/* SPDX-License-Identifier: Apache-2.0 */
/* Tables of a VirtualMachineInstance and of the template that other kinds make instances from. */
#include "openapi/types.h"

#include "openapi/rows.h"

// clang-format off
TYPE(resource_claim_type, "PodResourceClaim", "A resource claim of the pod; one of the two sources.",
    STRING("name", "Name in this machine.", REQUIRED),
    STRING("resourceClaimName", "A ResourceClaim of the same namespace."),
    STRING("resourceClaimTemplateName", "A ResourceClaimTemplate of the same namespace."));

TYPE(utility_volume_type, "UtilityVolume", "A claim mounted beside the machine, not shown to the guest.",
    STRING("claimName", "Name of the claim.", REQUIRED),
    STRING("name", "Name of the volume.", REQUIRED),
    BOOL("readOnly", "Mount it read-only."),
    STRING("type", "What it is for."));

TYPE(vmi_spec_type, "VirtualMachineInstanceSpec", "What a machine is made of and where it may run.",
    LIST("accessCredentials", access_credential_type, "Let users into the guest.", .max_items = 256),
    OBJECT("affinity", affinity_type, "Where the pod may run.", .open = true),
    STRING("architecture", "Architecture of the guest: amd64, arm64 or s390x; the cluster's own when absent."),
    OBJECT("dnsConfig", dns_config_type, "Name servers and search domains.", .open = true),
    STRING("dnsPolicy", "How the guest resolves names; ClusterFirst when absent.",
           ONE_OF("ClusterFirst", "ClusterFirstWithHostNet", "Default", "None")),
    OBJECT("domain", domain_type, "The machine that the guest runs on.", REQUIRED),
    STRING("evictionStrategy", "What a node's drain does: None, LiveMigrate, LiveMigrateIfPossible or External."),
    STRING("hostname", "Host name of the guest; the instance's name when absent."),
    OBJECT("livenessProbe", probe_type, "When it fails, the instance ends."),
    LIST("networks", network_type, "Networks that interfaces connect to.", .max_items = 256),
    STRING_MAP("nodeSelector", "Labels that the node must have."),
    STRING("priorityClassName", "Priority class of the pod."),
    OBJECT("readinessProbe", probe_type, "While it fails, Services leave the guest out."),
    LIST("resourceClaims", resource_claim_type, "Resource claims of the pod.", .list_key = "name", INERT),
    STRING("schedulerName", "Scheduler that places the pod."),
    STRING("serviceAccountName", "Service account of the pod."),
    STRING("startStrategy", "Paused: start with stopped processors."),
    STRING("subdomain", "Subdomain of the guest's full name."),
    INT64("terminationGracePeriodSeconds", "Seconds the guest has to shut down; 30 when absent."),
    LIST("tolerations", toleration_type, "Taints of nodes that do not keep the pod away.", .open = true),
    LIST("topologySpreadConstraints", spread_constraint_type, "How pods spread over the cluster.", .open = true),
    LIST("utilityVolumes", utility_volume_type, "Claims mounted beside the machine.", .max_items = 256, .list_key = "name", INERT),
    LIST("volumes", volume_type, "Volumes that disks and filesystems show.", .max_items = 256));

TYPE(vmi_template_type, "VirtualMachineInstanceTemplateSpec", "What the instances that are made look like.",
    OPAQUE("metadata", "Labels and annotations of the instance.", NULLABLE),
    OBJECT("spec", vmi_spec_type, "What the machine is made of."));

TYPE(vmi_type, "VirtualMachineInstance", "A machine that runs, or is about to.",
    KIND_META,
    OBJECT("spec", vmi_spec_type, "What the machine is made of and where it may run.", REQUIRED),
    OBJECT("status", vmi_status_type, "How the machine is.", .lenient = true));
// clang-format on
