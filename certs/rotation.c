/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One pass over CA, bundle, leaves and the places that carry the bundle.  Nothing
 * is remembered between passes: when something is due can be read off the
 * certificates themselves.
 */
#include "certs/rotation.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/jpath.h"
#include "base/log.h"
#include "base/must.h"
#include "base/scope.h"
#include "base/str.h"
#include "certs/pki.h"

enum { DAY_MS = 24 * 60 * 60 * 1000 };

static const char ca_name[] = "kubevirt-ca"; /* Secret and ConfigMap */
static const char ca_cn[] = "kubevirt.io";
static const char bundle_key[] = "ca-bundle";
static const char us[] = "cvirt";
static const char managed_by[] = "app.kubernetes.io/managed-by";

enum { SERVER = 1, CLIENT = 2, NAMES_MAX = 6 };

/* Spec 08.  NS stands for the installation's namespace. */
static const struct leaf_row {
    const char *secret;
    const char *cn;
    unsigned purposes;
    const char *dns[NAMES_MAX];
} leaves[] = {
    { "kubevirt-virt-api-certs",
      "virt-api.NS.pod.cluster.local",
      SERVER,
      { "virt-api", "virt-api.NS", "virt-api.NS.svc", "virt-api.NS.svc.cluster.local",
        "virt-api.NS.pod.cluster.local" } },
    { "kubevirt-controller-certs",
      "virt-controller.NS.pod.cluster.local",
      SERVER,
      { "virt-controller", "virt-controller.NS", "virt-controller.NS.svc",
        "virt-controller.NS.svc.cluster.local", "virt-controller.NS.pod.cluster.local" } },
    { "kubevirt-virt-handler-server-certs",
      "kubevirt.io:system:node:virt-handler",
      SERVER,
      { "virt-handler" } },
    { "kubevirt-virt-handler-certs", "kubevirt.io:system:client:virt-handler", CLIENT, { NULL } },
    { "kubevirt-virt-handler-migration-client-certs",
      "kubevirt.io:system:client:migration",
      CLIENT,
      { NULL } },
    { "kubevirt-virt-handler-vsock-client-certs",
      "kubevirt.io:system:client:vsock",
      CLIENT,
      { NULL } },
    { "kubevirt-virt-handler-monitoring-client-certs",
      "kubevirt.io:system:client:monitoring",
      CLIENT,
      { NULL } },
};

/* Where kube-apiserver reads the bundle with which it checks virt-api. */
static const struct {
    enum cert_object kind;
    const char *name;
} trusting[] = {
    { CERT_APISERVICE, "v1.subresources.kubevirt.io" },
    { CERT_APISERVICE, "v1alpha3.subresources.kubevirt.io" },
    { CERT_MUTATING, "virt-api-mutator" },
    { CERT_VALIDATING, "virt-api-validator" },
};

struct pass {
    const struct rotation_settings *s;
    const struct cert_store *store;
    int64_t now_ms;
    int64_t next_ms; /* when the next thing is due */
    struct pki_pair ca;
    struct pki_info ca_info;
    char *old_ca_pem; /* of the CA that was replaced in this pass, or NULL */
    bool ca_is_foreign;
    char *bundle;
};

static void due_at(struct pass *p, int64_t ms)
{
    if (ms < p->next_ms)
        p->next_ms = ms;
}

/* When 80 % of a certificate's life are over. */
static int64_t renewal_ms(const struct pki_info *info)
{
    return info->not_before_ms + (info->not_after_ms - info->not_before_ms) / 10 * 8;
}

/* ---- Secrets ---- */

/* The decoded member of data, or NULL (new). */
static char *secret_text(const json_t *secret, const char *key)
{
    const char *text = json_string_value(json_object_get(jpath_obj(secret, "data"), key));
    size_t len = 0;

    return text ? str_unbase64(text, &len) : NULL;
}

static void secret_pair(const json_t *secret, struct pki_pair *ret)
{
    *ret = (struct pki_pair){ .cert_pem = secret_text(secret, "tls.crt"),
                              .key_pem = secret_text(secret, "tls.key") };
}

static void set_text(json_t *secret, const char *key, const char *text)
{
    scoped(free) char *encoded = str_base64(text, strlen(text));

    must_set(jpath_make_obj(secret, "data"), key, json_string(encoded));
}

static json_t *new_object(const struct pass *p, const char *kind, const char *name)
{
    return must_pack("{s:s, s:s, s:{s:s, s:s, s:{s:s, s:s}}}", "apiVersion", "v1", "kind", kind,
                     "metadata", "name", name, "namespace", p->s->namespace, "labels",
                     "kubevirt.io", "", managed_by, us);
}

/* Write the pair into the Secret; `had` is what is there, NULL when nothing is. */
static int write_pair(struct pass *p, const json_t *had, const char *name,
                      const struct pki_pair *pair, struct error *e)
{
    json_auto_t *secret = had ? must_copy(had) : new_object(p, "Secret", name);

    if (!had)
        must_set(secret, "type", json_string("kubernetes.io/tls"));
    set_text(secret, "tls.crt", pair->cert_pem);
    set_text(secret, "tls.key", pair->key_pem);
    int r = had ? p->store->update(p->store->ctx, CERT_SECRET, secret, e)
                : p->store->create(p->store->ctx, CERT_SECRET, secret, e);
    return r < 0 ? error_wrap(e, "secret %s", name) : 0;
}

/* ---- the CA ---- */

static bool ca_is_usable(const struct pass *p, const struct pki_pair *pair, struct pki_info *ret)
{
    struct error ignored;

    return pair->cert_pem && pki_inspect(pair->cert_pem, ret, &ignored) >= 0 && ret->is_ca &&
           p->now_ms < ret->not_after_ms && pki_pair_fits(pair->cert_pem, pair->key_pem);
}

static int make_ca(struct pass *p, const json_t *had, struct error *e)
{
    int64_t valid_ms = p->s->ca_valid_ms ? p->s->ca_valid_ms : 7LL * DAY_MS;
    struct pki_pair fresh;

    int r = pki_make_ca_at(&fresh, ca_cn, p->now_ms, valid_ms, e);
    if (r >= 0)
        r = write_pair(p, had, ca_name, &fresh, e);
    if (r < 0) {
        pki_pair_done(&fresh);
        return r;
    }
    log_info("new CA", "secret", ca_name);
    p->old_ca_pem = TAKE(p->ca.cert_pem);
    pki_pair_done(&p->ca);
    p->ca = fresh;
    return pki_inspect(p->ca.cert_pem, &p->ca_info, e);
}

static int ensure_ca(struct pass *p, struct error *e)
{
    json_auto_t *secret = NULL;

    int found = p->store->get(p->store->ctx, CERT_SECRET, ca_name, &secret, e);
    if (found < 0)
        return error_wrap(e, "secret %s", ca_name);
    if (found == 0)
        return make_ca(p, NULL, e);

    secret_pair(secret, &p->ca);
    bool usable = ca_is_usable(p, &p->ca, &p->ca_info);
    const char *manager = meta_label(secret, managed_by);
    p->ca_is_foreign = !streq(manager, us);
    if (p->ca_is_foreign && !usable)
        return error_set(e, ERR_INVALID,
                         "secret %s is managed by '%s' and holds no current CA with its key; its "
                         "manager must renew it",
                         ca_name, manager ? manager : "");
    if (!p->ca_is_foreign && (!usable || p->now_ms >= renewal_ms(&p->ca_info)))
        return make_ca(p, secret, e);
    return 0;
}

/* ---- the bundle ---- */

static int write_bundle(struct pass *p, const json_t *had, struct error *e)
{
    json_auto_t *map = had ? must_copy(had) : new_object(p, "ConfigMap", ca_name);

    must_set(jpath_make_obj(map, "data"), bundle_key, json_string(p->bundle));
    int r = had ? p->store->update(p->store->ctx, CERT_CONFIGMAP, map, e)
                : p->store->create(p->store->ctx, CERT_CONFIGMAP, map, e);
    return r < 0 ? error_wrap(e, "configmap %s", ca_name) : 0;
}

static int ensure_bundle(struct pass *p, struct error *e)
{
    json_auto_t *map = NULL;

    int found = p->store->get(p->store->ctx, CERT_CONFIGMAP, ca_name, &map, e);
    if (found < 0)
        return error_wrap(e, "configmap %s", ca_name);
    const char *there = json_string_value(json_object_get(jpath_obj(map, "data"), bundle_key));
    const char *manager = meta_label(map, managed_by);

    /* Somebody else's bundle is taken word for word, so that two installers do not write in turns.
     */
    if (found && manager && !streq(manager, us) && there &&
        pki_verifies_at(p->ca.cert_pem, there, p->now_ms)) {
        p->bundle = must_strdup(there);
        return 0;
    }
    scoped(free) char *both = pki_bundle(p->ca.cert_pem, p->old_ca_pem, p->now_ms);
    p->bundle = pki_bundle(both, there, p->now_ms);
    return streq(p->bundle, there) ? 0 : write_bundle(p, found ? map : NULL, e);
}

/* ---- leaves ---- */

/* "virt-api.NS.svc" with the namespace in its place. */
static char *with_namespace(const char *template, const char *ns)
{
    const char *at = strstr(template, "NS");

    return at ? must_asprintf("%.*s%s%s", (int)(at - template), template, ns, at + 2)
              : must_strdup(template);
}

struct leaf_names {
    char *cn;
    char *dns[NAMES_MAX];
    struct pki_leaf leaf; /* points to the above */
};

static void names_init(struct leaf_names *n, const struct leaf_row *row, const struct pass *p)
{
    *n = (struct leaf_names){ .cn = with_namespace(row->cn, p->s->namespace) };
    n->leaf = (struct pki_leaf){
        .cn = n->cn,
        .is_server = row->purposes & SERVER,
        .is_client = row->purposes & CLIENT,
        .valid_ms = p->s->leaf_valid_ms ? p->s->leaf_valid_ms : DAY_MS,
        .now_ms = p->now_ms,
    };
    for (size_t i = 0; i < NAMES_MAX && row->dns[i]; i++) {
        n->dns[i] = with_namespace(row->dns[i], p->s->namespace);
        n->leaf.dns[i] = n->dns[i];
    }
    /* A leaf that outlives its CA is worth nothing. */
    if (n->leaf.valid_ms > p->ca_info.not_after_ms - p->now_ms)
        n->leaf.valid_ms = p->ca_info.not_after_ms - p->now_ms;
}

static void names_done(struct leaf_names *n)
{
    free(n->cn);
    for (size_t i = 0; i < NAMES_MAX; i++)
        free(n->dns[i]);
}

/* When this pair must be replaced; now_ms when at once. */
static int64_t leaf_due_ms(const struct pass *p, const struct pki_pair *pair,
                           const struct pki_leaf *want)
{
    struct pki_info info;
    struct error ignored;

    if (!pair->cert_pem || pki_inspect(pair->cert_pem, &info, &ignored) < 0 ||
        !pki_pair_fits(pair->cert_pem, pair->key_pem) || !pki_names_fit(pair->cert_pem, want) ||
        !pki_verifies_at(pair->cert_pem, p->bundle, p->now_ms))
        return p->now_ms;

    int64_t due = renewal_ms(&info);
    int64_t spread = p->ca_info.not_before_ms + PKI_BACKDATE_MS + ROTATION_SPREAD_MS;
    if (!pki_verifies_at(pair->cert_pem, p->ca.cert_pem, p->now_ms))
        return spread; /* the CA changed: as soon as everybody knows the new one */
    if (due < spread && spread < info.not_after_ms)
        return spread;
    return due;
}

static int ensure_leaf(struct pass *p, const struct leaf_row *row, const struct pki_leaf *want,
                       struct error *e)
{
    json_auto_t *secret = NULL;
    struct pki_pair pair = { 0 };
    struct pki_pair fresh = { 0 };
    struct pki_info info;

    int found = p->store->get(p->store->ctx, CERT_SECRET, row->secret, &secret, e);
    if (found < 0)
        return error_wrap(e, "secret %s", row->secret);
    const char *manager = meta_label(secret, managed_by);
    if (found && manager && !streq(manager, us))
        return 0;

    secret_pair(secret, &pair);
    int64_t due = leaf_due_ms(p, &pair, want);
    pki_pair_done(&pair);
    if (due > p->now_ms) {
        due_at(p, due);
        return 0;
    }
    int r = pki_make_leaf(&fresh, &p->ca, want, e);
    if (r >= 0)
        r = write_pair(p, found ? secret : NULL, row->secret, &fresh, e);
    if (r >= 0)
        r = pki_inspect(fresh.cert_pem, &info, e);
    pki_pair_done(&fresh);
    if (r < 0)
        return r;
    log_info("new certificate", "secret", row->secret);
    due_at(p, renewal_ms(&info));
    return 0;
}

/* ---- where the bundle is trusted ---- */

/* True when it was something else. */
static bool set_bundle(json_t *config, const char *encoded)
{
    if (!config || streq(jpath_str(config, "caBundle", NULL), encoded))
        return false;
    must_set(config, "caBundle", json_string(encoded));
    return true;
}

static int ensure_trust(struct pass *p, enum cert_object kind, const char *name, struct error *e)
{
    scoped(free) char *encoded = str_base64(p->bundle, strlen(p->bundle));
    json_auto_t *theirs = NULL;
    json_t *webhook;
    size_t i;

    int found = p->store->get(p->store->ctx, kind, name, &theirs, e);
    if (found <= 0)
        return found < 0 ? error_wrap(e, "%s", name) : 0;

    json_auto_t *mine = must_copy(theirs);
    bool changed = kind == CERT_APISERVICE && set_bundle(jpath_obj(mine, "spec"), encoded);
    json_array_foreach(jpath_arr(mine, "webhooks"), i, webhook)
        changed |= set_bundle(jpath_obj(webhook, "clientConfig"), encoded);
    if (!changed)
        return 0;
    int r = p->store->update(p->store->ctx, kind, mine, e);
    return r < 0 ? error_wrap(e, "%s", name) : 0;
}

/* ---- the pass ---- */

/* Keep the first of several errors. */
static void keep_first(int r, const struct error *now, int *first_r, struct error *first)
{
    if (r >= 0 || *first_r < 0)
        return;
    *first_r = r;
    *first = *now;
}

static int ensure_all(struct pass *p, struct error *e)
{
    struct error now = { 0 };
    int first = 0;

    int r = ensure_ca(p, e);
    if (r >= 0)
        r = ensure_bundle(p, e);
    if (r < 0)
        return r;
    /* Trust first: then what comes next is believed as soon as it is served. */
    for (size_t i = 0; i < countof(trusting); i++)
        keep_first(ensure_trust(p, trusting[i].kind, trusting[i].name, &now), &now, &first, e);
    for (size_t i = 0; i < countof(leaves); i++) {
        struct leaf_names names;
        names_init(&names, &leaves[i], p);
        keep_first(ensure_leaf(p, &leaves[i], &names.leaf, &now), &now, &first, e);
        names_done(&names);
    }
    due_at(p, p->ca_is_foreign ? p->ca_info.not_after_ms : renewal_ms(&p->ca_info));
    return first;
}

int rotation_reconcile(const struct rotation_settings *s, const struct cert_store *store,
                       int64_t *ret_again_ms, struct error *e)
{
    struct pass p = { .s = s, .store = store, .now_ms = clock_wall_ms(s->clock) };

    p.next_ms = p.now_ms + ROTATION_AGAIN_MAX_MS;
    int r = ensure_all(&p, e);
    *ret_again_ms = p.next_ms - p.now_ms > 1000 ? p.next_ms - p.now_ms : 1000;
    pki_pair_done(&p.ca);
    free(p.old_ca_pem);
    free(p.bundle);
    return r < 0 ? error_wrap(e, "certificates") : 0;
}
