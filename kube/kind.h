/* SPDX-License-Identifier: Apache-2.0 */
/* The kinds cvirt reads and writes, as rows: where each lives in the API. */
#ifndef KUBE_KIND_H
#define KUBE_KIND_H

#include <stdbool.h>

struct kube_kind {
    const char *group; /* "" is core */
    const char *version;
    const char *plural;
    const char *kind;
    bool is_cluster_scoped;
};

extern const struct kube_kind KIND_VM, KIND_VMI, KIND_VMIRS, KIND_PRESET, KIND_MIGRATION,
    KIND_KUBEVIRT;
extern const struct kube_kind KIND_INSTANCETYPE, KIND_CLUSTER_INSTANCETYPE, KIND_PREFERENCE,
    KIND_CLUSTER_PREFERENCE;
/* Not every cluster has these: CDI's, and those of volume snapshots. */
extern const struct kube_kind KIND_DATA_VOLUME, KIND_DATA_SOURCE, KIND_VOLUME_SNAPSHOT;
extern const struct kube_kind KIND_POD, KIND_NODE, KIND_SECRET, KIND_CONFIGMAP, KIND_EVENT,
    KIND_NAMESPACE, KIND_PVC, KIND_SERVICE, KIND_LEASE, KIND_CONTROLLER_REVISION, KIND_CRD,
    KIND_APISERVICE, KIND_MUTATING_WEBHOOKS, KIND_VALIDATING_WEBHOOKS, KIND_SAR, KIND_TOKEN_REVIEW,
    KIND_RESOURCE_QUOTA, KIND_DAEMONSET, KIND_DEPLOYMENT, KIND_PRIORITY_CLASS;

/* "v1" or "kubevirt.io/v1", in the caller's buffer. */
enum { KUBE_API_VERSION_MAX = 128 };
const char *kube_api_version(const struct kube_kind *kind, char out[KUBE_API_VERSION_MAX]);

#endif
