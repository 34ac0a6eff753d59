/* SPDX-License-Identifier: Apache-2.0 */
/* Certificates of an installation over time, against a store in memory and a clock that is moved by
 * hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/jpath.h"
#include "base/log.h"
#include "base/must.h"
#include "base/scope.h"
#include "base/str.h"
#include "certs/pki.h"
#include "certs/rotation.h"

static const int64_t start_ms = 1800000000000;
enum { HOUR = 3600 * 1000, DAY = 24 * HOUR };

static const char api_secret[] = "kubevirt-virt-api-certs";

struct bench {
    struct clock_fake clock;
    struct rotation_settings settings;
    struct cert_store store;
    json_t *objects; /* "kind/name": object */
    int writes;
    int version;
    int64_t again_ms;
    const char *fail_on; /* a name whose writes fail */
};

static const char *const kind_names[] = { "secret", "configmap", "apiservice", "mutating",
                                          "validating" };

static char *place(enum cert_object kind, const char *name)
{
    return must_asprintf("%s/%s", kind_names[kind], name);
}

static int fake_get(void *ctx, enum cert_object kind, const char *name, json_t **ret,
                    struct error *e)
{
    struct bench *b = ctx;
    scoped(free) char *key = place(kind, name);
    const json_t *found = json_object_get(b->objects, key);

    *ret = found ? must_copy(found) : NULL;
    return found ? 1 : 0;
}

static void keep(struct bench *b, enum cert_object kind, json_t *obj)
{
    scoped(free) char *key = place(kind, meta_name(obj));
    char version[16];

    (void)snprintf(version, sizeof(version), "%d", ++b->version);
    jpath_set_str(obj, "metadata.resourceVersion", version);
    must_set(b->objects, key, obj);
}

static int fake_create(void *ctx, enum cert_object kind, const json_t *obj, struct error *e)
{
    struct bench *b = ctx;
    scoped(free) char *key = place(kind, meta_name(obj));

    if (streq(b->fail_on, meta_name(obj)))
        return error_set(e, ERR_UNAVAILABLE, "on purpose");
    if (json_object_get(b->objects, key))
        return error_set(e, ERR_EXISTS, "exists");
    b->writes++;
    keep(b, kind, must_copy(obj));
    return 0;
}

static int fake_update(void *ctx, enum cert_object kind, const json_t *obj, struct error *e)
{
    struct bench *b = ctx;
    scoped(free) char *key = place(kind, meta_name(obj));
    const json_t *there = json_object_get(b->objects, key);

    if (streq(b->fail_on, meta_name(obj)))
        return error_set(e, ERR_UNAVAILABLE, "on purpose");
    if (!streq(jpath_str(there, "metadata.resourceVersion", ""),
               jpath_str(obj, "metadata.resourceVersion", "x")))
        return error_set(e, ERR_CONFLICT, "conflict");
    b->writes++;
    keep(b, kind, must_copy(obj));
    return 0;
}

static int setup(void **state)
{
    struct bench *b = must_calloc(1, sizeof(*b));

    clock_fake_init(&b->clock, start_ms);
    b->settings = (struct rotation_settings){ .namespace = "kubevirt", .clock = &b->clock.clock };
    b->store = (struct cert_store){ fake_get, fake_create, fake_update, b };
    b->objects = json_object();
    keep(b, CERT_APISERVICE,
         must_pack("{s:{s:s}, s:{s:{s:s}}}", "metadata", "name", "v1.subresources.kubevirt.io",
                   "spec", "service", "name", "virt-api"));
    keep(b, CERT_MUTATING,
         must_pack("{s:{s:s}, s:[{s:{}}, {s:{s:s}}]}", "metadata", "name", "virt-api-mutator",
                   "webhooks", "clientConfig", "clientConfig", "caBundle", "b2xk"));
    *state = b;
    return 0;
}

static int teardown(void **state)
{
    struct bench *b = *state;

    json_decref(b->objects);
    free(b);
    return 0;
}

static int reconcile(struct bench *b, struct error *e)
{
    b->writes = 0;
    return rotation_reconcile(&b->settings, &b->store, &b->again_ms, e);
}

static void pass(struct bench *b)
{
    struct error e = { 0 };

    if (reconcile(b, &e) < 0)
        fail_msg("%s", e.msg);
}

static char *secret_text(struct bench *b, const char *name, const char *key)
{
    scoped(free) char *at = place(CERT_SECRET, name);
    const char *text =
        json_string_value(json_object_get(jpath_obj(json_object_get(b->objects, at), "data"), key));
    size_t len;

    return text ? str_unbase64(text, &len) : NULL;
}

static char *bundle(struct bench *b)
{
    const json_t *map = json_object_get(b->objects, "configmap/kubevirt-ca");

    return must_strdup(json_string_value(json_object_get(jpath_obj(map, "data"), "ca-bundle")));
}

static size_t certificates(const char *pem)
{
    size_t n = 0;

    for (const char *at = strstr(pem, "BEGIN CERT"); at; at = strstr(at + 1, "BEGIN CERT"))
        n++;
    return n;
}

static const struct name_case {
    const char *secret, *cn;
} names[] = {
    { "kubevirt-virt-api-certs", "virt-api.kubevirt.pod.cluster.local" },
    { "kubevirt-controller-certs", "virt-controller.kubevirt.pod.cluster.local" },
    { "kubevirt-virt-handler-server-certs", "kubevirt.io:system:node:virt-handler" },
    { "kubevirt-virt-handler-certs", "kubevirt.io:system:client:virt-handler" },
    { "kubevirt-virt-handler-migration-client-certs", "kubevirt.io:system:client:migration" },
    { "kubevirt-virt-handler-vsock-client-certs", "kubevirt.io:system:client:vsock" },
    { "kubevirt-virt-handler-monitoring-client-certs", "kubevirt.io:system:client:monitoring" },
};

static void what_is_absent_is_made(void **state)
{
    struct bench *b = *state;
    struct pki_info info;
    struct error e;

    pass(b);
    scoped(free) char *ca = secret_text(b, "kubevirt-ca", "tls.crt");
    scoped(free) char *all = bundle(b);
    assert_string_equal(all, ca);
    for (size_t i = 0; i < countof(names); i++) {
        scoped(free) char *cert = secret_text(b, names[i].secret, "tls.crt");
        scoped(free) char *key = secret_text(b, names[i].secret, "tls.key");
        assert_int_equal(pki_inspect(cert, &info, &e), 0);
        assert_string_equal(info.cn, names[i].cn);
        assert_true(pki_verifies_at(cert, ca, start_ms));
        assert_true(pki_pair_fits(cert, key));
    }
    const json_t *secret = json_object_get(b->objects, "secret/kubevirt-ca");
    assert_string_equal(jpath_str(secret, "type", ""), "kubernetes.io/tls");
    assert_string_equal(meta_label(secret, "app.kubernetes.io/managed-by"), "cvirt");
    assert_non_null(meta_label(secret, "kubevirt.io"));
    assert_true(b->again_ms > 0 && b->again_ms <= ROTATION_AGAIN_MAX_MS);
}

static void a_second_pass_changes_nothing(void **state)
{
    struct bench *b = *state;

    pass(b);
    assert_true(b->writes > 0);
    pass(b);
    assert_int_equal(b->writes, 0);
    b->clock.now_ms += 12 * HOUR;
    pass(b);
    assert_int_equal(b->writes, 0);
}

static void the_bundle_is_put_where_the_api_server_looks(void **state)
{
    struct bench *b = *state;

    pass(b);
    scoped(free) char *all = bundle(b);
    scoped(free) char *want = str_base64(all, strlen(all));
    const json_t *service = json_object_get(b->objects, "apiservice/v1.subresources.kubevirt.io");
    assert_string_equal(jpath_str(service, "spec.caBundle", ""), want);
    assert_string_equal(jpath_str(service, "spec.service.name", ""), "virt-api");
    const json_t *hooks = json_object_get(b->objects, "mutating/virt-api-mutator");
    assert_string_equal(jpath_str(hooks, "webhooks[0].clientConfig.caBundle", ""), want);
    assert_string_equal(jpath_str(hooks, "webhooks[1].clientConfig.caBundle", ""), want);

    /* somebody applies the manifests again */
    json_t *reset = must_copy(service);
    jpath_del(reset, "spec.caBundle");
    keep(b, CERT_APISERVICE, reset);
    pass(b);
    assert_int_equal(b->writes, 1);
}

static void leaves_are_renewed_at_four_fifths_of_their_life(void **state)
{
    struct bench *b = *state;

    pass(b);
    scoped(free) char *before = secret_text(b, api_secret, "tls.crt");
    scoped(free) char *ca = secret_text(b, "kubevirt-ca", "tls.crt");
    b->clock.now_ms = start_ms + 19 * HOUR;
    pass(b);
    assert_int_equal(b->writes, 0);
    b->clock.now_ms = start_ms + DAY / 5 * 4 + 60 * 1000;
    pass(b);
    assert_int_equal(b->writes, countof(names));
    scoped(free) char *after = secret_text(b, api_secret, "tls.crt");
    assert_string_not_equal(after, before);
    assert_true(pki_verifies_at(after, ca, b->clock.now_ms));
}

static void the_next_look_is_when_something_is_due(void **state)
{
    struct bench *b = *state;

    pass(b);
    b->clock.now_ms = start_ms + DAY / 5 * 4 - 2 * 60 * 1000;
    pass(b);
    assert_int_equal(b->writes, 0);
    assert_true(b->again_ms <= 2 * 60 * 1000);
    b->clock.now_ms += b->again_ms;
    pass(b);
    assert_int_equal(b->writes, countof(names));
}

static void a_damaged_or_foreign_named_leaf_is_replaced_at_once(void **state)
{
    struct bench *b = *state;

    pass(b);
    json_t *damaged = must_copy(json_object_get(b->objects, "secret/kubevirt-virt-api-certs"));
    jpath_set_str(damaged, "data['tls.key']", "bm9uc2Vuc2U=");
    jpath_set_str(damaged, "metadata.annotations.mine", "kept");
    keep(b, CERT_SECRET, damaged);
    pass(b);
    assert_int_equal(b->writes, 1);
    scoped(free) char *cert = secret_text(b, api_secret, "tls.crt");
    scoped(free) char *key = secret_text(b, api_secret, "tls.key");
    assert_true(pki_pair_fits(cert, key));
    assert_string_equal(jpath_str(json_object_get(b->objects, "secret/kubevirt-virt-api-certs"),
                                  "metadata.annotations.mine", ""),
                        "kept");
    b->settings.namespace = "moved"; /* as if restored into another namespace */
    pass(b);
    assert_int_equal(b->writes, 2); /* those whose names hold the namespace */
}

static void a_new_ca_overlaps_and_its_leaves_wait_until_it_is_known(void **state)
{
    struct bench *b = *state;

    pass(b);
    scoped(free) char *old_ca = secret_text(b, "kubevirt-ca", "tls.crt");
    /* just renewed leaves, then the CA's turn */
    b->clock.now_ms = start_ms + 7LL * DAY / 5 * 4 - HOUR;
    pass(b);
    scoped(free) char *old_leaf = secret_text(b, api_secret, "tls.crt");
    b->clock.now_ms += 2 * HOUR;
    pass(b);

    scoped(free) char *new_ca = secret_text(b, "kubevirt-ca", "tls.crt");
    scoped(free) char *all = bundle(b);
    assert_string_not_equal(new_ca, old_ca);
    assert_int_equal(certificates(all), 2);
    assert_non_null(strstr(all, old_ca));
    assert_true(str_has_prefix(all, new_ca));
    scoped(free) char *same_leaf = secret_text(b, api_secret, "tls.crt");
    assert_string_equal(same_leaf, old_leaf);
    assert_true(pki_verifies_at(same_leaf, all, b->clock.now_ms));
    scoped(free) char *encoded = str_base64(all, strlen(all));
    assert_string_equal(
        jpath_str(json_object_get(b->objects, "apiservice/v1.subresources.kubevirt.io"),
                  "spec.caBundle", ""),
        encoded);

    assert_true(b->again_ms <= ROTATION_SPREAD_MS);
    b->clock.now_ms += ROTATION_SPREAD_MS + 1000;
    pass(b);
    scoped(free) char *new_leaf = secret_text(b, api_secret, "tls.crt");
    assert_true(pki_verifies_at(new_leaf, new_ca, b->clock.now_ms));

    /* once the old one is over, it leaves the bundle */
    b->clock.now_ms = start_ms + 7LL * DAY + HOUR;
    pass(b);
    scoped(free) char *later = bundle(b);
    assert_string_equal(later, new_ca);
}

static void a_lost_bundle_does_not_lose_the_old_ca_at_its_renewal(void **state)
{
    struct bench *b = *state;

    pass(b);
    scoped(free) char *old_ca = secret_text(b, "kubevirt-ca", "tls.crt");
    (void)json_object_del(b->objects, "configmap/kubevirt-ca");
    b->clock.now_ms = start_ms + 7LL * DAY / 5 * 4 + HOUR;
    pass(b);
    scoped(free) char *all = bundle(b);
    assert_non_null(strstr(all, old_ca));
    assert_int_equal(certificates(all), 2);
}

static void put_foreign_ca(struct bench *b, bool with_key, int64_t valid_ms, struct pki_pair *ret)
{
    struct error e;

    assert_int_equal(pki_make_ca_at(ret, "kubevirt.io", start_ms, valid_ms, &e), 0);
    scoped(free) char *cert = str_base64(ret->cert_pem, strlen(ret->cert_pem));
    scoped(free) char *key = str_base64(ret->key_pem, strlen(ret->key_pem));
    json_t *secret =
        must_pack("{s:{s:s, s:{s:s}}, s:{s:s}}", "metadata", "name", "kubevirt-ca", "labels",
                  "app.kubernetes.io/managed-by", "virt-operator", "data", "tls.crt", cert);
    if (with_key)
        jpath_set_str(secret, "data['tls.key']", key);
    keep(b, CERT_SECRET, secret);
}

static void a_foreign_ca_is_used_and_never_replaced(void **state)
{
    struct bench *b = *state;
    struct pki_pair ca;

    put_foreign_ca(b, true, 7LL * DAY, &ca);
    pass(b);
    scoped(free) char *leaf = secret_text(b, api_secret, "tls.crt");
    assert_true(pki_verifies_at(leaf, ca.cert_pem, start_ms));
    b->clock.now_ms = start_ms + 7LL * DAY - HOUR; /* its manager is late; it is still good */
    pass(b);
    scoped(free) char *same = secret_text(b, "kubevirt-ca", "tls.crt");
    assert_string_equal(same, ca.cert_pem);
    scoped(free) char *short_leaf = secret_text(b, api_secret, "tls.crt");
    struct pki_info info;
    struct error e;
    assert_int_equal(pki_inspect(short_leaf, &info, &e), 0);
    assert_int_equal(info.not_after_ms, start_ms + 7LL * DAY); /* no leaf outlives its CA */
    pki_pair_done(&ca);
}

static void a_foreign_ca_without_a_key_is_an_error_that_says_so(void **state)
{
    struct bench *b = *state;
    struct pki_pair ca;
    struct error e = { 0 };

    put_foreign_ca(b, false, 7LL * DAY, &ca);
    assert_true(reconcile(b, &e) < 0);
    assert_non_null(strstr(e.msg, "virt-operator"));
    assert_int_equal(b->writes, 0);
    pki_pair_done(&ca);
}

static void a_foreign_bundle_and_leaf_are_left_as_they_are(void **state)
{
    struct bench *b = *state;
    struct pki_pair ca;

    put_foreign_ca(b, true, 7LL * DAY, &ca);
    scoped(free) char *theirs = must_asprintf("# made by others\n%s", ca.cert_pem);
    keep(b, CERT_CONFIGMAP,
         must_pack("{s:{s:s, s:{s:s}}, s:{s:s}}", "metadata", "name", "kubevirt-ca", "labels",
                   "app.kubernetes.io/managed-by", "virt-operator", "data", "ca-bundle", theirs));
    keep(b, CERT_SECRET,
         must_pack("{s:{s:s, s:{s:s}}}", "metadata", "name", api_secret, "labels",
                   "app.kubernetes.io/managed-by", "virt-operator"));
    pass(b);
    scoped(free) char *all = bundle(b);
    assert_string_equal(all, theirs);
    scoped(free) char *leaf = secret_text(b, api_secret, "tls.crt");
    assert_null(leaf);
    scoped(free) char *want = str_base64(theirs, strlen(theirs));
    assert_string_equal(
        jpath_str(json_object_get(b->objects, "apiservice/v1.subresources.kubevirt.io"),
                  "spec.caBundle", ""),
        want);
    pki_pair_done(&ca);
}

static void one_that_fails_does_not_stop_the_others(void **state)
{
    struct bench *b = *state;
    struct error e = { 0 };

    b->fail_on = "kubevirt-controller-certs";
    assert_int_equal(reconcile(b, &e), -ERR_UNAVAILABLE);
    assert_non_null(strstr(e.msg, "kubevirt-controller-certs"));
    assert_non_null(json_object_get(b->objects, "secret/kubevirt-virt-handler-vsock-client-certs"));
    b->fail_on = NULL;
    pass(b);
    assert_int_equal(b->writes, 1);
}

#define CASE(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(what_is_absent_is_made),
        CASE(a_second_pass_changes_nothing),
        CASE(the_bundle_is_put_where_the_api_server_looks),
        CASE(leaves_are_renewed_at_four_fifths_of_their_life),
        CASE(the_next_look_is_when_something_is_due),
        CASE(a_damaged_or_foreign_named_leaf_is_replaced_at_once),
        CASE(a_new_ca_overlaps_and_its_leaves_wait_until_it_is_known),
        CASE(a_lost_bundle_does_not_lose_the_old_ca_at_its_renewal),
        CASE(a_foreign_ca_is_used_and_never_replaced),
        CASE(a_foreign_ca_without_a_key_is_an_error_that_says_so),
        CASE(a_foreign_bundle_and_leaf_are_left_as_they_are),
        CASE(one_that_fails_does_not_stop_the_others),
    };

    log_init("test", 0);
    return cmocka_run_group_tests_name("rotation", tests, NULL, NULL);
}
