/* SPDX-License-Identifier: Apache-2.0 */
/* One row for each kind: group, version, plural, kind.  Data only. */
#include "kube/kind.h"

#include <stdio.h>

#define NAMESPACED(symbol, g, v, p, k) \
    const struct kube_kind symbol = { .group = (g), .version = (v), .plural = (p), .kind = (k) };
#define CLUSTER(symbol, g, v, p, k)                                                         \
    const struct kube_kind symbol = {                                                       \
        .group = (g), .version = (v), .plural = (p), .kind = (k), .is_cluster_scoped = true \
    };

// clang-format off
NAMESPACED(KIND_VM,                 "kubevirt.io", "v1", "virtualmachines",                    "VirtualMachine")
NAMESPACED(KIND_VMI,                "kubevirt.io", "v1", "virtualmachineinstances",            "VirtualMachineInstance")
NAMESPACED(KIND_VMIRS,              "kubevirt.io", "v1", "virtualmachineinstancereplicasets",  "VirtualMachineInstanceReplicaSet")
NAMESPACED(KIND_PRESET,             "kubevirt.io", "v1", "virtualmachineinstancepresets",      "VirtualMachineInstancePreset")
NAMESPACED(KIND_MIGRATION,          "kubevirt.io", "v1", "virtualmachineinstancemigrations",   "VirtualMachineInstanceMigration")
NAMESPACED(KIND_KUBEVIRT,           "kubevirt.io", "v1", "kubevirts",                          "KubeVirt")

NAMESPACED(KIND_INSTANCETYPE,       "instancetype.kubevirt.io", "v1beta1", "virtualmachineinstancetypes", "VirtualMachineInstancetype")
CLUSTER   (KIND_CLUSTER_INSTANCETYPE, "instancetype.kubevirt.io", "v1beta1", "virtualmachineclusterinstancetypes", "VirtualMachineClusterInstancetype")
NAMESPACED(KIND_PREFERENCE,         "instancetype.kubevirt.io", "v1beta1", "virtualmachinepreferences",   "VirtualMachinePreference")
CLUSTER   (KIND_CLUSTER_PREFERENCE, "instancetype.kubevirt.io", "v1beta1", "virtualmachineclusterpreferences", "VirtualMachineClusterPreference")

NAMESPACED(KIND_DATA_VOLUME,        "cdi.kubevirt.io", "v1beta1", "datavolumes", "DataVolume")
NAMESPACED(KIND_DATA_SOURCE,        "cdi.kubevirt.io", "v1beta1", "datasources", "DataSource")
NAMESPACED(KIND_VOLUME_SNAPSHOT,    "snapshot.storage.k8s.io", "v1", "volumesnapshots", "VolumeSnapshot")

NAMESPACED(KIND_POD,                "", "v1", "pods",                   "Pod")
CLUSTER   (KIND_NODE,               "", "v1", "nodes",                  "Node")
NAMESPACED(KIND_SECRET,             "", "v1", "secrets",                "Secret")
NAMESPACED(KIND_CONFIGMAP,          "", "v1", "configmaps",             "ConfigMap")
NAMESPACED(KIND_EVENT,              "", "v1", "events",                 "Event")
CLUSTER   (KIND_NAMESPACE,          "", "v1", "namespaces",             "Namespace")
NAMESPACED(KIND_PVC,                "", "v1", "persistentvolumeclaims", "PersistentVolumeClaim")
NAMESPACED(KIND_SERVICE,            "", "v1", "services",               "Service")
NAMESPACED(KIND_RESOURCE_QUOTA,     "", "v1", "resourcequotas",         "ResourceQuota")

NAMESPACED(KIND_DAEMONSET,          "apps", "v1", "daemonsets",          "DaemonSet")
NAMESPACED(KIND_DEPLOYMENT,         "apps", "v1", "deployments",         "Deployment")
NAMESPACED(KIND_CONTROLLER_REVISION,"apps", "v1", "controllerrevisions", "ControllerRevision")

NAMESPACED(KIND_LEASE,              "coordination.k8s.io", "v1", "leases", "Lease")
CLUSTER   (KIND_PRIORITY_CLASS,     "scheduling.k8s.io", "v1", "priorityclasses", "PriorityClass")
CLUSTER   (KIND_SAR,                "authorization.k8s.io", "v1", "subjectaccessreviews", "SubjectAccessReview")
CLUSTER   (KIND_TOKEN_REVIEW,       "authentication.k8s.io", "v1", "tokenreviews", "TokenReview")

CLUSTER   (KIND_CRD,                "apiextensions.k8s.io", "v1", "customresourcedefinitions", "CustomResourceDefinition")
CLUSTER   (KIND_APISERVICE,         "apiregistration.k8s.io", "v1", "apiservices", "APIService")
CLUSTER   (KIND_MUTATING_WEBHOOKS,  "admissionregistration.k8s.io", "v1", "mutatingwebhookconfigurations",   "MutatingWebhookConfiguration")
CLUSTER   (KIND_VALIDATING_WEBHOOKS,"admissionregistration.k8s.io", "v1", "validatingwebhookconfigurations", "ValidatingWebhookConfiguration")
// clang-format on

const char *kube_api_version(const struct kube_kind *kind, char out[KUBE_API_VERSION_MAX])
{
    (void)snprintf(out, KUBE_API_VERSION_MAX, "%s%s%s", kind->group, kind->group[0] ? "/" : "",
                   kind->version);
    return out;
}
