/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reloadable keys.  What a handshake needs is one immutable, reference-counted
 * gnutls credentials object; every change makes a new one and swaps the pointer.
 */
#include "http/tls.h"

#include <errno.h>
#include <fcntl.h>
#include <gnutls/crypto.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/must.h"
#include "base/scope.h"
#include "base/str.h"
#include "http/tls_conn.h"

enum {
    PEM_FILE_BYTES_MAX = 1024 * 1024,
    ROOTS = 2, /* of the present key, and of the one before it */
};

/* What secrets are derived from: HKDF's extract of a private key. */
struct root {
    bool is_set;
    unsigned char secret[TLS_SECRET_BYTES];
};

struct tls_keys {
    atomic_int refs;
    pthread_mutex_t lock;
    /* guarded by lock */
    char *cert;
    char *key;
    char *ca;
    char *cert_path;
    char *key_path;
    struct tls_creds *current; /* never NULL */
    struct root root[ROOTS];
};

/* ---- one immutable set of credentials ---- */

static gnutls_datum_t datum(const char *text)
{
    return (gnutls_datum_t){ .data = (unsigned char *)text, .size = (unsigned)strlen(text) };
}

static int64_t leaf_expiry_ms(const char *cert_pem)
{
    gnutls_x509_crt_t *chain = NULL;
    unsigned len = 0;
    gnutls_datum_t pem = datum(cert_pem);

    if (gnutls_x509_crt_list_import2(&chain, &len, &pem, GNUTLS_X509_FMT_PEM, 0) < 0)
        return 0;
    int64_t ms = len > 0 ? (int64_t)gnutls_x509_crt_get_expiration_time(chain[0]) * 1000 : 0;
    for (unsigned i = 0; i < len; i++)
        gnutls_x509_crt_deinit(chain[i]);
    gnutls_free(chain);
    return ms;
}

void tls_creds_unref(struct tls_creds *c)
{
    if (!c || atomic_fetch_sub(&c->refs, 1) > 1)
        return;
    gnutls_certificate_free_credentials(c->gnutls);
    free(c);
}
DEFINE_SCOPE(struct tls_creds, tls_creds_unref)

static int creds_make(struct tls_creds **ret, const char *cert, const char *key, const char *ca,
                      struct error *e)
{
    scoped(tls_creds_unref) struct tls_creds *c = must_calloc(1, sizeof(*c));
    c->refs = 1;
    must(gnutls_certificate_allocate_credentials(&c->gnutls) == 0);
    if (cert) {
        gnutls_datum_t cert_pem = datum(cert);
        gnutls_datum_t key_pem = datum(key);
        int r = gnutls_certificate_set_x509_key_mem2(c->gnutls, &cert_pem, &key_pem,
                                                     GNUTLS_X509_FMT_PEM, NULL, 0);
        if (r < 0)
            return error_set(e, ERR_INVALID, "key pair: %s", gnutls_strerror(r));
        c->has_pair = true;
        c->expiry_ms = leaf_expiry_ms(cert);
    }
    if (ca) {
        gnutls_datum_t ca_pem = datum(ca);
        int r = gnutls_certificate_set_x509_trust_mem(c->gnutls, &ca_pem, GNUTLS_X509_FMT_PEM);
        if (r <= 0)
            return error_set(e, ERR_INVALID, "CA: %s",
                             r < 0 ? gnutls_strerror(r) : "no certificate in it");
    }
    *ret = TAKE(c);
    return 0;
}

struct tls_creds *tls_keys_creds(struct tls_keys *k)
{
    (void)pthread_mutex_lock(&k->lock);
    struct tls_creds *c = k->current;
    atomic_fetch_add(&c->refs, 1);
    (void)pthread_mutex_unlock(&k->lock);
    return c;
}

/* ---- the keys ---- */

struct tls_keys *tls_keys_new(void)
{
    struct tls_keys *k = must_calloc(1, sizeof(*k));
    struct error e;

    k->refs = 1;
    must(pthread_mutex_init(&k->lock, NULL) == 0);
    must(creds_make(&k->current, NULL, NULL, NULL, &e) == 0);
    return k;
}

struct tls_keys *tls_keys_ref(struct tls_keys *k)
{
    atomic_fetch_add(&k->refs, 1);
    return k;
}

static void wipe(char *secret)
{
    if (secret)
        explicit_bzero(secret, strlen(secret));
    free(secret);
}

void tls_keys_unref(struct tls_keys *k)
{
    if (!k || atomic_fetch_sub(&k->refs, 1) > 1)
        return;
    tls_creds_unref(k->current);
    free(k->cert);
    wipe(k->key);
    free(k->ca);
    free(k->cert_path);
    free(k->key_path);
    explicit_bzero(k->root, sizeof(k->root));
    (void)pthread_mutex_destroy(&k->lock);
    free(k);
}

/* Of the key itself, so that another spelling of its PEM makes no difference. */
static struct root root_of(const char *key_pem)
{
    static unsigned char salt_text[] = "cvirt serving key";
    const gnutls_datum_t salt = { salt_text, sizeof(salt_text) - 1 };
    const gnutls_datum_t pem = datum(key_pem);
    gnutls_datum_t der = { 0 };
    gnutls_x509_privkey_t key;
    struct root root = { 0 };

    must(gnutls_x509_privkey_init(&key) == 0);
    if (gnutls_x509_privkey_import2(key, &pem, GNUTLS_X509_FMT_PEM, NULL, 0) == 0 &&
        gnutls_x509_privkey_export2(key, GNUTLS_X509_FMT_DER, &der) == 0) {
        root.is_set = gnutls_hkdf_extract(GNUTLS_MAC_SHA256, &der, &salt, root.secret) == 0;
        explicit_bzero(der.data, der.size);
        gnutls_free(der.data);
    }
    gnutls_x509_privkey_deinit(key);
    return root;
}

/* With the lock held.  A new certificate for the same key changes nothing. */
static void roots_shift(struct tls_keys *k, const char *key_pem)
{
    struct root fresh = root_of(key_pem);

    if (!k->root[0].is_set ||
        gnutls_memcmp(fresh.secret, k->root[0].secret, TLS_SECRET_BYTES) != 0) {
        k->root[1] = k->root[0];
        k->root[0] = fresh;
    }
    explicit_bzero(&fresh, sizeof(fresh));
}

int tls_keys_set_pair(struct tls_keys *k, const char *cert_pem, const char *key_pem,
                      struct error *e)
{
    struct tls_creds *made = NULL;

    (void)pthread_mutex_lock(&k->lock);
    int r = creds_make(&made, cert_pem, key_pem, k->ca, e);
    if (r == 0) {
        tls_creds_unref(k->current);
        k->current = made;
        free(k->cert);
        wipe(k->key);
        k->cert = must_strdup(cert_pem);
        k->key = must_strdup(key_pem);
        roots_shift(k, key_pem);
    }
    (void)pthread_mutex_unlock(&k->lock);
    return r;
}

int tls_keys_set_ca(struct tls_keys *k, const char *ca_pem, struct error *e)
{
    struct tls_creds *made = NULL;

    (void)pthread_mutex_lock(&k->lock);
    int r = creds_make(&made, k->cert, k->key, ca_pem, e);
    if (r == 0) {
        tls_creds_unref(k->current);
        k->current = made;
        free(k->ca);
        k->ca = must_strdup(ca_pem);
    }
    (void)pthread_mutex_unlock(&k->lock);
    return r;
}

static bool read_whole(struct buf *out, const char *path)
{
    char chunk[4096];
    scoped_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    for (;;) {
        ssize_t n = read(fd, chunk, sizeof(chunk));
        if (n == 0)
            return out->len > 0;
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 || !buf_add(out, chunk, (size_t)n))
            return false;
    }
}

/* 1: something new was taken over; 0: absent or unchanged; -code: it does not parse or match. */
static int reload(struct tls_keys *k, const char *cert_path, const char *key_path, struct error *e)
{
    scoped_buf cert = BUF_INIT(PEM_FILE_BYTES_MAX);
    scoped_buf key = BUF_INIT(PEM_FILE_BYTES_MAX);
    if (!read_whole(&cert, cert_path) || !read_whole(&key, key_path))
        return 0;

    (void)pthread_mutex_lock(&k->lock);
    bool is_same = streq(k->cert, cert.data) && streq(k->key, key.data);
    (void)pthread_mutex_unlock(&k->lock);
    if (is_same)
        return 0;
    int r = tls_keys_set_pair(k, cert.data, key.data, e);
    explicit_bzero(key.data, key.len);
    return r < 0 ? error_wrap(e, "\"%s\"", cert_path) : 1;
}

int tls_keys_watch_files(struct tls_keys *k, const char *cert_path, const char *key_path,
                         struct error *e)
{
    (void)pthread_mutex_lock(&k->lock);
    free(k->cert_path);
    free(k->key_path);
    k->cert_path = must_strdup(cert_path);
    k->key_path = must_strdup(key_path);
    (void)pthread_mutex_unlock(&k->lock);
    return reload(k, cert_path, key_path, e);
}

bool tls_keys_poll(struct tls_keys *k)
{
    struct error e;

    (void)pthread_mutex_lock(&k->lock);
    scoped(free) char *cert_path = k->cert_path ? must_strdup(k->cert_path) : NULL;
    scoped(free) char *key_path = k->key_path ? must_strdup(k->key_path) : NULL;
    (void)pthread_mutex_unlock(&k->lock);
    /* A pair that is half written does not match; the next poll looks again. */
    return cert_path && reload(k, cert_path, key_path, &e) == 1;
}

bool tls_keys_has_pair(const struct tls_keys *k)
{
    struct tls_creds *c = tls_keys_creds((struct tls_keys *)k);
    bool has = c->has_pair;

    tls_creds_unref(c);
    return has;
}

int64_t tls_keys_expiry_ms(const struct tls_keys *k)
{
    struct tls_creds *c = tls_keys_creds((struct tls_keys *)k);
    int64_t ms = c->expiry_ms;

    tls_creds_unref(c);
    return ms;
}

int tls_keys_derive(const struct tls_keys *k, unsigned age, const char *label,
                    unsigned char ret[TLS_SECRET_BYTES], struct error *e)
{
    struct tls_keys *mine = (struct tls_keys *)k;
    const gnutls_datum_t info = datum(label);
    struct root root = { 0 };
    int r = -1;

    (void)pthread_mutex_lock(&mine->lock);
    if (age < ROOTS)
        root = mine->root[age];
    (void)pthread_mutex_unlock(&mine->lock);
    if (root.is_set) {
        const gnutls_datum_t secret = { root.secret, sizeof(root.secret) };

        r = gnutls_hkdf_expand(GNUTLS_MAC_SHA256, &secret, &info, ret, TLS_SECRET_BYTES);
    }
    explicit_bzero(&root, sizeof(root));
    return r == 0 ? 0 : error_set(e, ERR_UNAVAILABLE, "there is no serving key yet");
}
