/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Certificates made on the spot, and a blocking TLS client that sends and reads
 * raw bytes, for tests of http/.
 */
#ifndef TEST_TLS_FIXTURE_H
#define TEST_TLS_FIXTURE_H

#include <arpa/inet.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/must.h"

#define unused_ __attribute__((unused))

/* A certificate with its key; the objects are kept so that it can sign others. */
struct test_cert {
    gnutls_x509_crt_t crt;
    gnutls_x509_privkey_t key;
    char *cert_pem;
    char *key_pem;
};

enum test_purpose { FOR_SERVER = 1, FOR_CLIENT = 2 };

static inline char *test_pem(gnutls_datum_t d)
{
    char *text = must_strndup((char *)d.data, d.size);
    gnutls_free(d.data);
    return text;
}

/* valid_s < 0: expired.  issuer NULL: a CA signed by itself. */
static unused_ struct test_cert test_cert_new(const struct test_cert *issuer, const char *cn,
                                              int purpose, long valid_s)
{
    static unsigned char serial = 1;
    struct test_cert c = { 0 };
    time_t now = time(NULL);
    gnutls_datum_t d = { 0 };
    const unsigned char loopback[4] = { 127, 0, 0, 1 };

    must(gnutls_x509_privkey_init(&c.key) == 0);
    must(gnutls_x509_privkey_generate(c.key, GNUTLS_PK_ECDSA,
                                      GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0) == 0);
    must(gnutls_x509_crt_init(&c.crt) == 0);
    must(gnutls_x509_crt_set_version(c.crt, 3) == 0);
    must(gnutls_x509_crt_set_serial(c.crt, &serial, 1) == 0);
    serial++;
    must(gnutls_x509_crt_set_activation_time(c.crt, now - 7200) == 0);
    must(gnutls_x509_crt_set_expiration_time(c.crt, now + valid_s) == 0);
    must(gnutls_x509_crt_set_dn_by_oid(c.crt, GNUTLS_OID_X520_COMMON_NAME, 0, cn,
                                       (unsigned)strlen(cn)) == 0);
    must(gnutls_x509_crt_set_key(c.crt, c.key) == 0);
    must(gnutls_x509_crt_set_basic_constraints(c.crt, issuer ? 0 : 1, -1) == 0);
    if (!issuer)
        must(gnutls_x509_crt_set_key_usage(c.crt, GNUTLS_KEY_KEY_CERT_SIGN) == 0);
    if (purpose & FOR_SERVER) {
        must(gnutls_x509_crt_set_key_purpose_oid(c.crt, GNUTLS_KP_TLS_WWW_SERVER, 0) == 0);
        must(gnutls_x509_crt_set_subject_alt_name(c.crt, GNUTLS_SAN_IPADDRESS, loopback, 4,
                                                  GNUTLS_FSAN_SET) == 0);
        must(gnutls_x509_crt_set_subject_alt_name(c.crt, GNUTLS_SAN_DNSNAME, "service.test", 12,
                                                  GNUTLS_FSAN_APPEND) == 0);
    }
    if (purpose & FOR_CLIENT)
        must(gnutls_x509_crt_set_key_purpose_oid(c.crt, GNUTLS_KP_TLS_WWW_CLIENT, 0) == 0);
    must(gnutls_x509_crt_sign2(c.crt, issuer ? issuer->crt : c.crt, issuer ? issuer->key : c.key,
                               GNUTLS_DIG_SHA256, 0) == 0);
    must(gnutls_x509_crt_export2(c.crt, GNUTLS_X509_FMT_PEM, &d) == 0);
    c.cert_pem = test_pem(d);
    must(gnutls_x509_privkey_export2_pkcs8(c.key, GNUTLS_X509_FMT_PEM, NULL, GNUTLS_PKCS_PLAIN,
                                           &d) == 0);
    c.key_pem = test_pem(d);
    return c;
}

static unused_ void test_cert_done(struct test_cert *c)
{
    gnutls_x509_crt_deinit(c->crt);
    gnutls_x509_privkey_deinit(c->key);
    free(c->cert_pem);
    free(c->key_pem);
}

/* The ones that most tests need. */
struct test_pki {
    struct test_cert ca, other_ca, server, client, wrong_client, expired_client;
};

static unused_ void test_pki_init(struct test_pki *p)
{
    p->ca = test_cert_new(NULL, "test CA", 0, 86400);
    p->other_ca = test_cert_new(NULL, "another CA", 0, 86400);
    p->server = test_cert_new(&p->ca, "the-server", FOR_SERVER, 86400);
    p->client = test_cert_new(&p->ca, "the-client", FOR_CLIENT, 86400);
    p->wrong_client = test_cert_new(&p->other_ca, "the-client", FOR_CLIENT, 86400);
    p->expired_client = test_cert_new(&p->ca, "the-client", FOR_CLIENT, -3600);
}

static unused_ void test_pki_done(struct test_pki *p)
{
    test_cert_done(&p->ca);
    test_cert_done(&p->other_ca);
    test_cert_done(&p->server);
    test_cert_done(&p->client);
    test_cert_done(&p->wrong_client);
    test_cert_done(&p->expired_client);
}

/* ---- a blocking client of raw bytes; plain when `tls` is not asked for ---- */

struct raw {
    int fd;
    gnutls_session_t session;
    gnutls_certificate_credentials_t cred;
};

static unused_ int raw_connect_fd(int port)
{
    struct sockaddr_in a = { .sin_family = AF_INET,
                             .sin_port = htons((uint16_t)port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    struct timeval patience = { .tv_sec = 20 };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    must(fd >= 0);
    must(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) == 0);
    must(setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)) == 0);
    must(connect(fd, (struct sockaddr *)&a, sizeof(a)) == 0);
    return fd;
}

static unused_ struct raw raw_plain(int port)
{
    return (struct raw){ .fd = raw_connect_fd(port) };
}

/* Handshake; false when it fails.  cert may be NULL.  Nothing of the server is verified here. */
static unused_ bool raw_tls(struct raw *r, int port, const struct test_cert *cert,
                            const char *priority)
{
    *r = (struct raw){ .fd = raw_connect_fd(port) };
    must(gnutls_certificate_allocate_credentials(&r->cred) == 0);
    if (cert)
        must(gnutls_certificate_set_x509_key(r->cred, (gnutls_x509_crt_t[]){ cert->crt }, 1,
                                             cert->key) == 0);
    must(gnutls_init(&r->session, GNUTLS_CLIENT | GNUTLS_NO_SIGNAL | GNUTLS_FORCE_CLIENT_CERT) ==
         0);
    must(gnutls_priority_set_direct(r->session, priority ? priority : "NORMAL", NULL) == 0);
    must(gnutls_credentials_set(r->session, GNUTLS_CRD_CERTIFICATE, r->cred) == 0);
    gnutls_transport_set_int(r->session, r->fd);
    int n;
    do
        n = gnutls_handshake(r->session);
    while (n < 0 && !gnutls_error_is_fatal(n));
    return n == 0;
}

/* The other side: shake hands on fd (taken) as `cert`'s owner.  With `ca` the client must show one
 * of its; the CN of that one is then in cn. */
static unused_ bool raw_tls_accept(struct raw *r, int fd, const struct test_cert *cert,
                                   const struct test_cert *ca, char cn[64])
{
    const gnutls_datum_t *chain;
    gnutls_x509_crt_t crt;
    unsigned len = 0, status = 0;
    size_t size = 64;
    int n;

    *r = (struct raw){ .fd = fd };
    must(gnutls_certificate_allocate_credentials(&r->cred) == 0);
    must(gnutls_certificate_set_x509_key(r->cred, (gnutls_x509_crt_t[]){ cert->crt }, 1,
                                         cert->key) == 0);
    if (ca)
        must(gnutls_certificate_set_x509_trust(r->cred, (gnutls_x509_crt_t[]){ ca->crt }, 1) == 1);
    must(gnutls_init(&r->session, GNUTLS_SERVER | GNUTLS_NO_SIGNAL) == 0);
    must(gnutls_priority_set_direct(r->session, "NORMAL", NULL) == 0);
    must(gnutls_credentials_set(r->session, GNUTLS_CRD_CERTIFICATE, r->cred) == 0);
    gnutls_certificate_server_set_request(r->session,
                                          ca ? GNUTLS_CERT_REQUIRE : GNUTLS_CERT_IGNORE);
    gnutls_transport_set_int(r->session, fd);
    do
        n = gnutls_handshake(r->session);
    while (n < 0 && !gnutls_error_is_fatal(n));
    if (n < 0 || !ca)
        return n == 0;
    chain = gnutls_certificate_get_peers(r->session, &len);
    if (gnutls_certificate_verify_peers3(r->session, NULL, &status) < 0 || status || !chain)
        return false;
    must(gnutls_x509_crt_init(&crt) == 0);
    must(gnutls_x509_crt_import(crt, chain, GNUTLS_X509_FMT_DER) == 0);
    must(gnutls_x509_crt_get_dn_by_oid(crt, GNUTLS_OID_X520_COMMON_NAME, 0, 0, cn, &size) == 0);
    gnutls_x509_crt_deinit(crt);
    return true;
}

static unused_ bool raw_send(struct raw *r, const void *data, size_t len)
{
    const char *p = data;

    while (len > 0) {
        ssize_t n =
            r->session ? gnutls_record_send(r->session, p, len) : send(r->fd, p, len, MSG_NOSIGNAL);
        if (r->session && (n == GNUTLS_E_AGAIN || n == GNUTLS_E_INTERRUPTED))
            continue;
        if (n <= 0)
            return false;
        p += n;
        len -= (size_t)n;
    }
    return true;
}

static unused_ bool raw_say(struct raw *r, const char *text)
{
    return raw_send(r, text, strlen(text));
}

/* As read(2): 0 at the end, < 0 when broken or after 20 s. */
static unused_ ssize_t raw_recv(struct raw *r, void *data, size_t len)
{
    if (!r->session)
        return recv(r->fd, data, len, 0);
    ssize_t n;
    do
        n = gnutls_record_recv(r->session, data, len);
    while (n == GNUTLS_E_INTERRUPTED);
    return n;
}

/* Until `len` bytes, or the end. */
static unused_ size_t raw_recv_all(struct raw *r, void *data, size_t len)
{
    size_t have = 0;

    while (have < len) {
        ssize_t n = raw_recv(r, (char *)data + have, len - have);
        if (n <= 0)
            break;
        have += (size_t)n;
    }
    return have;
}

/* Read one byte at a time until `end` has been seen: nothing beyond is taken.  NUL-terminated. */
static unused_ bool raw_until(struct raw *r, const char *end, char *out, size_t size)
{
    size_t have = 0;

    out[0] = '\0';
    while (have + 1 < size) {
        if (raw_recv(r, out + have, 1) != 1)
            return false;
        out[++have] = '\0';
        if (strstr(out, end))
            return true;
    }
    return false;
}

static unused_ void raw_close(struct raw *r)
{
    if (r->session) {
        (void)gnutls_bye(r->session, GNUTLS_SHUT_WR);
        gnutls_deinit(r->session);
        gnutls_certificate_free_credentials(r->cred);
    }
    (void)close(r->fd);
}

#endif
