/* SPDX-License-Identifier: Apache-2.0 */
/* Make CAs and leaf certificates with gnutls (ECDSA P-256).  Pure but for randomness and the clock;
 * any thread. */
#ifndef CERTS_PKI_H
#define CERTS_PKI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct pki_pair {
    char *cert_pem;
    char *key_pem;
};
void pki_pair_done(struct pki_pair *p);

enum {
    PKI_SANS_MAX = 16,
    PKI_CN_MAX = 64,                 /* X.520; a longer one is refused */
    PKI_BUNDLE_MAX = 50,             /* certificates in a bundle */
    PKI_BACKDATE_MS = 5 * 60 * 1000, /* notBefore lies this long ago: clocks of nodes differ */
};

struct pki_leaf {
    const char *cn;
    const char *dns[PKI_SANS_MAX]; /* NULL-terminated when fewer */
    const char *ip[PKI_SANS_MAX];
    bool is_server, is_client; /* extended key usage */
    int64_t valid_ms;          /* from now_ms */
    int64_t now_ms;            /* 0: the real clock */
};

/* -ERR_INVALID for a common name or SAN that does not fit, or a CA pair that is none. */
int pki_make_ca(struct pki_pair *ret, const char *cn, int64_t valid_ms, struct error *e);
int pki_make_ca_at(struct pki_pair *ret, const char *cn, int64_t now_ms, int64_t valid_ms,
                   struct error *e);
int pki_make_leaf(struct pki_pair *ret, const struct pki_pair *ca, const struct pki_leaf *leaf,
                  struct error *e);

struct pki_info {
    char cn[128];
    int64_t not_before_ms, not_after_ms;
    bool is_ca;
};
int pki_inspect(const char *cert_pem, struct pki_info *ret, struct error *e);
/* Does the leaf verify against the CA bundle (time included)? */
bool pki_verifies(const char *cert_pem, const char *ca_bundle_pem);
bool pki_verifies_at(const char *cert_pem, const char *ca_bundle_pem, int64_t now_ms);
/* Does the key belong to the (first) certificate?  False also when either does not parse. */
bool pki_pair_fits(const char *cert_pem, const char *key_pem);
/* Does the certificate carry this common name and exactly these DNS names and addresses? */
bool pki_names_fit(const char *cert_pem, const struct pki_leaf *leaf);
/* Certificates of both, without repeats, without expired ones.  New. */
char *pki_bundle(const char *pem_a, const char *pem_b, int64_t now_ms);

#endif
