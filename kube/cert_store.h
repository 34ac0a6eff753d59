/* SPDX-License-Identifier: Apache-2.0 */
/* The certificates' keeper (certs/rotation.h) at the API server: Secrets and ConfigMap in the
 * installation's namespace, the others cluster-wide. */
#ifndef KUBE_CERT_STORE_H
#define KUBE_CERT_STORE_H

#include "certs/rotation.h"
#include "kube/client.h"

struct kube_cert_store {
    struct cert_store store; /* hand this to rotation_reconcile */
    struct kube *kube;
    const char *namespace;
};

/* Both are borrowed and must outlive s, which must not move. */
void kube_cert_store_init(struct kube_cert_store *s, struct kube *k, const char *namespace);

#endif
