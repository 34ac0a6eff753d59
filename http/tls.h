/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Key pairs and trusted CAs that may change while they are used.  A handshake
 * takes a reference to what is current; a reload swaps it (architecture,
 * decision 12).  Any thread.
 */
#ifndef HTTP_TLS_H
#define HTTP_TLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct tls_keys; /* one side's key pair + trusted CAs, reloadable */

struct tls_keys *tls_keys_new(void);
struct tls_keys *tls_keys_ref(struct tls_keys *k);
void tls_keys_unref(struct tls_keys *k);

/* PEM in memory.  The last good value stays when the new one does not parse or does not match. */
int tls_keys_set_pair(struct tls_keys *k, const char *cert_pem, const char *key_pem,
                      struct error *e);
/* One or more CA certificates; the peers' chains are checked against them. */
int tls_keys_set_ca(struct tls_keys *k, const char *ca_pem, struct error *e);

/*
 * Follow files: loaded now if they exist (1 when loaded, 0 when not there yet), and
 * again whenever their content changes, at tls_keys_poll().  Paths are copied.
 */
int tls_keys_watch_files(struct tls_keys *k, const char *cert_path, const char *key_path,
                         struct error *e);
/* Look at the watched files (call every few seconds from any one thread); true when something was
 * reloaded. */
bool tls_keys_poll(struct tls_keys *k);

bool tls_keys_has_pair(const struct tls_keys *k);
/* notAfter of the served leaf in ms since the epoch, 0 without one. */
int64_t tls_keys_expiry_ms(const struct tls_keys *k);

/*
 * A secret that everyone with the same private key derives, for one purpose (HKDF with SHA-256;
 * `label` names the purpose).  age 0 is the present key's, 1 that of the key before it, which is
 * kept until the next change of key.  0, or -ERR_UNAVAILABLE when there is no such key.
 */
enum { TLS_SECRET_BYTES = 32 };
int tls_keys_derive(const struct tls_keys *k, unsigned age, const char *label,
                    unsigned char ret[TLS_SECRET_BYTES], struct error *e);

/* What is asked of the other side. */
enum tls_peer {
    TLS_PEER_ANY,      /* server: no client certificate is asked for; client: nothing is verified */
    TLS_PEER_OPTIONAL, /* server: asked for, may be absent; an unverifiable one fails the handshake
                        */
    TLS_PEER_REQUIRED, /* must be present and verify */
};

enum { TLS_CN_MAX = 128, TLS_CN_LIST_MAX = 16 };

/* The verified identity of a TLS peer. */
struct tls_identity {
    bool is_verified; /* a certificate was presented and verifies against the CAs for its purpose */
    char cn[TLS_CN_MAX];
};

struct tls_policy {
    enum tls_peer peer;
    bool is_tls13_only;
    bool has_no_alpn; /* what is carried is not HTTP: no protocol is offered */
    /* The peer's Subject CN must be one of these, when len > 0 (client side: instead of the host
     * name). */
    const char *cn[TLS_CN_LIST_MAX];
    size_t cn_len;
};

#endif
