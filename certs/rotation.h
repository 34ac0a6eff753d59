/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The installation's certificates, kept in Secrets by the elected
 * virt-controller (spec 08): CA and leaves made when absent, leaves renewed at
 * 80 % of their life or when the CA changed, CA renewed with overlap (the bundle in
 * ConfigMap kubevirt-ca holds old and new until the old expires), caBundle put
 * into APIServices and webhook configurations labelled/annotated for it.  A CA that another
 * installer manages (Secret with app.kubernetes.io/managed-by other than cvirt) is used, never
 * replaced.
 */
#ifndef CERTS_ROTATION_H
#define CERTS_ROTATION_H

#include "base/clock.h"
#include "base/error.h"

/*
 * certs/ is below kube/, so the API server is reached through these calls
 * (kind is one of the names below).  get: 1 found, 0 absent, -code.
 */
enum cert_object { CERT_SECRET, CERT_CONFIGMAP, CERT_APISERVICE, CERT_MUTATING, CERT_VALIDATING };
struct cert_store {
    int (*get)(void *ctx, enum cert_object kind, const char *name, json_t **ret, struct error *e);
    int (*create)(void *ctx, enum cert_object kind, const json_t *obj, struct error *e);
    int (*update)(void *ctx, enum cert_object kind, const json_t *obj,
                  struct error *e); /* optimistic lock by resourceVersion */
    void *ctx;
};

enum {
    /*
     * Leaves of a new CA are made only this long after it, unless there is no usable one: by then
     * its certificate has reached every trust bundle (ConfigMap volumes are synchronised within two
     * minutes).
     */
    ROTATION_SPREAD_MS = 10 * 60 * 1000,
    ROTATION_AGAIN_MAX_MS = 5 * 60 * 1000, /* somebody may have undone what was done */
};

struct rotation_settings {
    const char *namespace;
    const struct clock *clock;
    int64_t ca_valid_ms, leaf_valid_ms; /* 0: 7 days, 24 h (upstream's defaults) */
};

/*
 * Look at everything once and mend what is due; ret_again_ms says when to look again.  Idempotent.
 * One leaf or bundle that cannot be mended does not stop the others; the first error is returned.
 * A Secret whose label app.kubernetes.io/managed-by names somebody else is never written.
 */
int rotation_reconcile(const struct rotation_settings *s, const struct cert_store *store,
                       int64_t *ret_again_ms, struct error *e);

#endif
