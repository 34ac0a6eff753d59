/* SPDX-License-Identifier: Apache-2.0 */
/* Certificates by gnutls: one builder for CA and leaves, and what can be read back off them. */
#include "certs/pki.h"

#include <arpa/inet.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/must.h"
#include "base/scope.h"
#include "base/str.h"

enum { SERIAL_BYTES = 16 };
static const char organization[] = "kubevirt.io";

static void crt_free(struct gnutls_x509_crt_int *c)
{
    gnutls_x509_crt_deinit(c);
}
DEFINE_SCOPE(struct gnutls_x509_crt_int, crt_free)

static void key_free(struct gnutls_x509_privkey_int *k)
{
    gnutls_x509_privkey_deinit(k);
}
DEFINE_SCOPE(struct gnutls_x509_privkey_int, key_free)

/* Certificates of a PEM text. */
struct chain {
    gnutls_x509_crt_t *item;
    unsigned len;
};

static void chain_done(struct chain *c)
{
    for (unsigned i = 0; i < c->len; i++)
        gnutls_x509_crt_deinit(c->item[i]);
    gnutls_free(c->item);
    *c = (struct chain){ 0 };
}

#define scoped_chain __attribute__((cleanup(chain_done))) struct chain

static gnutls_datum_t datum(const char *text)
{
    return (gnutls_datum_t){ .data = (unsigned char *)text, .size = (unsigned)strlen(text) };
}

static bool chain_read(struct chain *ret, const char *pem)
{
    *ret = (struct chain){ 0 };
    if (!pem || !*pem)
        return false;
    const gnutls_datum_t text = datum(pem);
    if (gnutls_x509_crt_list_import2(&ret->item, &ret->len, &text, GNUTLS_X509_FMT_PEM, 0) >= 0)
        return ret->len > 0;
    *ret = (struct chain){ 0 };
    return false;
}

static gnutls_x509_privkey_t key_read(const char *pem)
{
    gnutls_x509_privkey_t key = NULL;

    if (!pem || !*pem)
        return NULL;
    const gnutls_datum_t text = datum(pem);
    must(gnutls_x509_privkey_init(&key) >= 0);
    if (gnutls_x509_privkey_import2(key, &text, GNUTLS_X509_FMT_PEM, NULL, 0) >= 0)
        return key;
    gnutls_x509_privkey_deinit(key);
    return NULL;
}

static int64_t now_or(int64_t now_ms)
{
    return now_ms ? now_ms : clock_wall_ms(&clock_real);
}

void pki_pair_done(struct pki_pair *p)
{
    free(p->cert_pem);
    free(p->key_pem);
    *p = (struct pki_pair){ 0 };
}

/* ---- making ---- */

static int refused(struct error *e, const char *what, int code)
{
    return error_set(e, ERR_INVALID, "%s: %s", what, gnutls_strerror(code));
}

/* Everything that CA and leaf have in common, up to the signature. */
static int fill(gnutls_x509_crt_t crt, gnutls_x509_privkey_t key, const char *cn, int64_t now_ms,
                int64_t valid_ms, struct error *e)
{
    unsigned char serial[SERIAL_BYTES];
    unsigned char id[64];
    size_t id_len = sizeof(id);

    if (strlen(cn) > PKI_CN_MAX)
        return error_set(e, ERR_INVALID, "common name '%s' is longer than %d characters", cn,
                         PKI_CN_MAX);
    random_bytes(serial, sizeof(serial));
    serial[0] = (serial[0] & 0x7f) | 0x40; /* positive, and always of full length */
    int r = gnutls_x509_crt_set_version(crt, 3);
    if (r >= 0)
        r = gnutls_x509_crt_set_serial(crt, serial, sizeof(serial));
    if (r >= 0)
        r = gnutls_x509_crt_set_dn_by_oid(crt, GNUTLS_OID_X520_ORGANIZATION_NAME, 0, organization,
                                          sizeof(organization) - 1);
    if (r >= 0)
        r = gnutls_x509_crt_set_dn_by_oid(crt, GNUTLS_OID_X520_COMMON_NAME, 0, cn,
                                          (unsigned)strlen(cn));
    if (r >= 0)
        r = gnutls_x509_crt_set_activation_time(crt, (time_t)((now_ms - PKI_BACKDATE_MS) / 1000));
    if (r >= 0)
        r = gnutls_x509_crt_set_expiration_time(crt, (time_t)((now_ms + valid_ms) / 1000));
    if (r >= 0)
        r = gnutls_x509_crt_set_key(crt, key);
    if (r >= 0)
        r = gnutls_x509_crt_get_key_id(crt, 0, id, &id_len);
    if (r >= 0)
        r = gnutls_x509_crt_set_subject_key_id(crt, id, id_len);
    return r < 0 ? refused(e, "certificate", r) : 0;
}

static void make_blank(gnutls_x509_crt_t *crt, gnutls_x509_privkey_t *key)
{
    must(gnutls_x509_crt_init(crt) >= 0);
    must(gnutls_x509_privkey_init(key) >= 0);
    must(gnutls_x509_privkey_generate(*key, GNUTLS_PK_ECDSA,
                                      GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0) >= 0);
}

static char *take_datum(gnutls_datum_t *d)
{
    char *text = must_strndup((const char *)d->data, d->size);

    gnutls_free(d->data);
    return text;
}

static char *crt_pem(gnutls_x509_crt_t crt)
{
    gnutls_datum_t out = { 0 };

    must(gnutls_x509_crt_export2(crt, GNUTLS_X509_FMT_PEM, &out) >= 0);
    return take_datum(&out);
}

static void export_pair(struct pki_pair *ret, gnutls_x509_crt_t crt, gnutls_x509_privkey_t key)
{
    gnutls_datum_t out = { 0 };

    must(gnutls_x509_privkey_export2(key, GNUTLS_X509_FMT_PEM, &out) >= 0);
    *ret = (struct pki_pair){ .cert_pem = crt_pem(crt), .key_pem = take_datum(&out) };
    gnutls_memset(&out, 0, sizeof(out));
}

int pki_make_ca_at(struct pki_pair *ret, const char *cn, int64_t now_ms, int64_t valid_ms,
                   struct error *e)
{
    scoped(crt_free) gnutls_x509_crt_t crt = NULL;
    scoped(key_free) gnutls_x509_privkey_t key = NULL;

    *ret = (struct pki_pair){ 0 };
    make_blank(&crt, &key);
    int r = fill(crt, key, cn, now_or(now_ms), valid_ms, e);
    if (r < 0)
        return r;
    r = gnutls_x509_crt_set_basic_constraints(crt, 1, -1);
    if (r >= 0)
        r = gnutls_x509_crt_set_key_usage(crt, GNUTLS_KEY_DIGITAL_SIGNATURE |
                                                   GNUTLS_KEY_KEY_CERT_SIGN | GNUTLS_KEY_CRL_SIGN);
    if (r >= 0)
        r = gnutls_x509_crt_sign2(crt, crt, key, GNUTLS_DIG_SHA256, 0);
    if (r < 0)
        return refused(e, "CA certificate", r);
    export_pair(ret, crt, key);
    return 0;
}

int pki_make_ca(struct pki_pair *ret, const char *cn, int64_t valid_ms, struct error *e)
{
    return pki_make_ca_at(ret, cn, 0, valid_ms, e);
}

/* 4 or 16 bytes of an address; 0 when it is none. */
static unsigned address_bytes(const char *text, unsigned char out[16])
{
    if (inet_pton(AF_INET, text, out) == 1)
        return 4;
    return inet_pton(AF_INET6, text, out) == 1 ? 16 : 0;
}

static int add_names(gnutls_x509_crt_t crt, const struct pki_leaf *leaf, struct error *e)
{
    unsigned char address[16];
    int r = 0;

    for (size_t i = 0; i < PKI_SANS_MAX && leaf->dns[i] && r >= 0; i++)
        r = gnutls_x509_crt_set_subject_alt_name(crt, GNUTLS_SAN_DNSNAME, leaf->dns[i],
                                                 (unsigned)strlen(leaf->dns[i]),
                                                 GNUTLS_FSAN_APPEND);
    for (size_t i = 0; i < PKI_SANS_MAX && leaf->ip[i] && r >= 0; i++) {
        unsigned len = address_bytes(leaf->ip[i], address);
        if (len == 0)
            return error_set(e, ERR_INVALID, "'%s' is no IP address", leaf->ip[i]);
        r = gnutls_x509_crt_set_subject_alt_name(crt, GNUTLS_SAN_IPADDRESS, address, len,
                                                 GNUTLS_FSAN_APPEND);
    }
    return r < 0 ? refused(e, "subject alternative name", r) : 0;
}

static int add_purposes(gnutls_x509_crt_t crt, const struct pki_leaf *leaf)
{
    int r = gnutls_x509_crt_set_basic_constraints(crt, 0, -1);

    if (r >= 0)
        r = gnutls_x509_crt_set_key_usage(crt, GNUTLS_KEY_DIGITAL_SIGNATURE);
    if (r >= 0 && leaf->is_server)
        r = gnutls_x509_crt_set_key_purpose_oid(crt, GNUTLS_KP_TLS_WWW_SERVER, 0);
    if (r >= 0 && leaf->is_client)
        r = gnutls_x509_crt_set_key_purpose_oid(crt, GNUTLS_KP_TLS_WWW_CLIENT, 0);
    return r;
}

static int sign(gnutls_x509_crt_t crt, gnutls_x509_crt_t ca, gnutls_x509_privkey_t ca_key)
{
    unsigned char id[64];
    size_t id_len = sizeof(id);

    if (gnutls_x509_crt_get_subject_key_id(ca, id, &id_len, NULL) >= 0) {
        int r = gnutls_x509_crt_set_authority_key_id(crt, id, id_len);
        if (r < 0)
            return r;
    }
    return gnutls_x509_crt_sign2(crt, ca, ca_key, GNUTLS_DIG_SHA256, 0);
}

int pki_make_leaf(struct pki_pair *ret, const struct pki_pair *ca, const struct pki_leaf *leaf,
                  struct error *e)
{
    scoped(crt_free) gnutls_x509_crt_t crt = NULL;
    scoped(key_free) gnutls_x509_privkey_t key = NULL;
    scoped(key_free) gnutls_x509_privkey_t ca_key = key_read(ca->key_pem);
    scoped_chain issuer = { 0 };

    *ret = (struct pki_pair){ 0 };
    if (!chain_read(&issuer, ca->cert_pem) || !ca_key)
        return error_set(e, ERR_INVALID, "CA certificate or key does not parse");
    make_blank(&crt, &key);
    int r = fill(crt, key, leaf->cn, now_or(leaf->now_ms), leaf->valid_ms, e);
    if (r >= 0)
        r = add_names(crt, leaf, e);
    if (r < 0)
        return r;
    r = add_purposes(crt, leaf);
    if (r >= 0)
        r = sign(crt, issuer.item[0], ca_key);
    if (r < 0)
        return refused(e, leaf->cn, r);
    export_pair(ret, crt, key);
    return 0;
}

/* ---- reading ---- */

int pki_inspect(const char *cert_pem, struct pki_info *ret, struct error *e)
{
    scoped_chain chain = { 0 };
    size_t len = sizeof(ret->cn);
    unsigned critical = 0;

    *ret = (struct pki_info){ 0 };
    if (!chain_read(&chain, cert_pem))
        return error_set(e, ERR_INVALID, "not a certificate");
    if (gnutls_x509_crt_get_dn_by_oid(chain.item[0], GNUTLS_OID_X520_COMMON_NAME, 0, 0, ret->cn,
                                      &len) < 0)
        ret->cn[0] = '\0';
    ret->not_before_ms = (int64_t)gnutls_x509_crt_get_activation_time(chain.item[0]) * 1000;
    ret->not_after_ms = (int64_t)gnutls_x509_crt_get_expiration_time(chain.item[0]) * 1000;
    ret->is_ca = gnutls_x509_crt_get_ca_status(chain.item[0], &critical) > 0;
    return 0;
}

static bool is_current(gnutls_x509_crt_t crt, int64_t now_ms)
{
    return now_ms >= (int64_t)gnutls_x509_crt_get_activation_time(crt) * 1000 &&
           now_ms < (int64_t)gnutls_x509_crt_get_expiration_time(crt) * 1000;
}

bool pki_verifies_at(const char *cert_pem, const char *ca_bundle_pem, int64_t now_ms)
{
    scoped_chain leaf = { 0 };
    scoped_chain bundle = { 0 };
    gnutls_x509_trust_list_t trust = NULL;
    unsigned status = GNUTLS_CERT_INVALID;

    bool is_read = chain_read(&leaf, cert_pem);
    if (!chain_read(&bundle, ca_bundle_pem) || !is_read || !is_current(leaf.item[0], now_ms))
        return false;
    must(gnutls_x509_trust_list_init(&trust, 0) >= 0);
    for (unsigned i = 0; i < bundle.len; i++)
        if (is_current(bundle.item[i], now_ms))
            must(gnutls_x509_trust_list_add_cas(trust, &bundle.item[i], 1, 0) == 1);
    /* The library would ask its own clock. */
    int r = gnutls_x509_trust_list_verify_crt(trust, leaf.item, leaf.len,
                                              GNUTLS_VERIFY_DISABLE_TIME_CHECKS |
                                                  GNUTLS_VERIFY_DISABLE_TRUSTED_TIME_CHECKS,
                                              &status, NULL);
    gnutls_x509_trust_list_deinit(trust, 0); /* the certificates are the bundle's */
    return r >= 0 && status == 0;
}

bool pki_verifies(const char *cert_pem, const char *ca_bundle_pem)
{
    return pki_verifies_at(cert_pem, ca_bundle_pem, clock_wall_ms(&clock_real));
}

bool pki_pair_fits(const char *cert_pem, const char *key_pem)
{
    scoped_chain chain = { 0 };
    scoped(key_free) gnutls_x509_privkey_t key = key_read(key_pem);
    unsigned char of_cert[64];
    unsigned char of_key[64];
    size_t cert_len = sizeof(of_cert);
    size_t key_len = sizeof(of_key);

    if (!chain_read(&chain, cert_pem) || !key)
        return false;
    if (gnutls_x509_crt_get_key_id(chain.item[0], 0, of_cert, &cert_len) < 0 ||
        gnutls_x509_privkey_get_key_id(key, 0, of_key, &key_len) < 0)
        return false;
    return cert_len == key_len && memcmp(of_cert, of_key, cert_len) == 0;
}

/* Is this name (DNS text or address bytes) among those wanted? */
static bool is_wanted(const struct pki_leaf *leaf, int type, const char *name, size_t len)
{
    unsigned char address[16];

    for (size_t i = 0; i < PKI_SANS_MAX; i++) {
        const char *dns = leaf->dns[i];
        if (type == GNUTLS_SAN_DNSNAME && dns && strlen(dns) == len && memcmp(dns, name, len) == 0)
            return true;
        unsigned n =
            type == GNUTLS_SAN_IPADDRESS && leaf->ip[i] ? address_bytes(leaf->ip[i], address) : 0;
        if (n > 0 && n == len && memcmp(address, name, len) == 0)
            return true;
        if (!dns && !leaf->ip[i])
            break;
    }
    return false;
}

bool pki_names_fit(const char *cert_pem, const struct pki_leaf *leaf)
{
    scoped_chain chain = { 0 };
    struct pki_info info;
    struct error ignored;
    char name[256];
    unsigned have = 0;
    size_t want = 0;

    if (pki_inspect(cert_pem, &info, &ignored) < 0 || !streq(info.cn, leaf->cn) ||
        !chain_read(&chain, cert_pem))
        return false;
    for (size_t i = 0; i < PKI_SANS_MAX; i++)
        want += (leaf->dns[i] != NULL) + (leaf->ip[i] != NULL);
    for (;; have++) {
        size_t len = sizeof(name);
        int type = gnutls_x509_crt_get_subject_alt_name(chain.item[0], have, name, &len, NULL);
        if (type == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE)
            break;
        if (type < 0 || !is_wanted(leaf, type, name, len))
            return false;
    }
    return have == want;
}

/* ---- bundles ---- */

static bool has_equal(gnutls_x509_crt_t *list, unsigned len, gnutls_x509_crt_t crt)
{
    for (unsigned i = 0; i < len; i++)
        if (gnutls_x509_crt_equals(list[i], crt))
            return true;
    return false;
}

char *pki_bundle(const char *pem_a, const char *pem_b, int64_t now_ms)
{
    scoped_chain a = { 0 };
    scoped_chain b = { 0 };
    scoped_buf out = BUF_INIT(0);
    gnutls_x509_crt_t kept[PKI_BUNDLE_MAX];
    unsigned len = 0;

    (void)chain_read(&a, pem_a);
    (void)chain_read(&b, pem_b);
    for (unsigned i = 0; i < a.len + b.len && len < PKI_BUNDLE_MAX; i++) {
        gnutls_x509_crt_t crt = i < a.len ? a.item[i] : b.item[i - a.len];
        if (now_ms >= (int64_t)gnutls_x509_crt_get_expiration_time(crt) * 1000 ||
            has_equal(kept, len, crt))
            continue;
        kept[len++] = crt;
        scoped(free) char *pem = crt_pem(crt);
        (void)buf_adds(&out, pem);
    }
    return buf_take(&out);
}
