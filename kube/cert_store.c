/* SPDX-License-Identifier: Apache-2.0 */
/* Four kinds, three calls. */
#include "kube/cert_store.h"

#include "base/scope.h"

static const struct kube_kind *const kinds[] = {
    [CERT_SECRET] = &KIND_SECRET,
    [CERT_CONFIGMAP] = &KIND_CONFIGMAP,
    [CERT_APISERVICE] = &KIND_APISERVICE,
    [CERT_MUTATING] = &KIND_MUTATING_WEBHOOKS,
    [CERT_VALIDATING] = &KIND_VALIDATING_WEBHOOKS,
};

static int store_get(void *ctx, enum cert_object kind, const char *name, json_t **ret,
                     struct error *e)
{
    const struct kube_cert_store *s = ctx;

    int r = kube_get(s->kube, kinds[kind], s->namespace, name, ret, e);
    if (r == -ERR_NOT_FOUND)
        return 0;
    return r < 0 ? r : 1;
}

static int store_create(void *ctx, enum cert_object kind, const json_t *obj, struct error *e)
{
    const struct kube_cert_store *s = ctx;

    return kube_create(s->kube, kinds[kind], obj, NULL, e);
}

static int store_update(void *ctx, enum cert_object kind, const json_t *obj, struct error *e)
{
    const struct kube_cert_store *s = ctx;

    return kube_update(s->kube, kinds[kind], NULL, obj, NULL, e);
}

void kube_cert_store_init(struct kube_cert_store *s, struct kube *k, const char *namespace)
{
    *s = (struct kube_cert_store){
        .store = { .get = store_get, .create = store_create, .update = store_update, .ctx = s },
        .kube = k,
        .namespace = namespace,
    };
}
