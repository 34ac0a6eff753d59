/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One TLS connection over a non-blocking socket, either side.  Inside http/
 * only; the loop's thread only.
 */
#ifndef HTTP_TLS_CONN_H
#define HTTP_TLS_CONN_H

#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "http/tls.h"

/* What a handshake takes from struct tls_keys: immutable once made. */
struct tls_creds {
    atomic_int refs;
    gnutls_certificate_credentials_t gnutls;
    bool has_pair;
    int64_t expiry_ms;
};
struct tls_creds *tls_keys_creds(struct tls_keys *k); /* a new reference */
void tls_creds_unref(struct tls_creds *c);

struct tls_conn;

enum tls_side { TLS_SERVER, TLS_CLIENT };

/* Takes fd (non-blocking, connected).  policy's strings must outlive the handshake. */
struct tls_conn *tls_conn_new(int fd, enum tls_side side, struct tls_keys *keys,
                              const struct tls_policy *policy);
void tls_conn_free(struct tls_conn *t); /* closes fd; no close_notify */

/* 1: done; 0: wait for tls_conn_wants(); -ERR_FORBIDDEN: this peer is refused; -ERR_UNAVAILABLE:
 * broken. */
int tls_conn_handshake(struct tls_conn *t, struct error *e);
int tls_conn_wants(const struct tls_conn *t); /* LOOP_READ or LOOP_WRITE */
const struct tls_identity *tls_conn_peer(const struct tls_conn *t);

/* As stream_read. */
ssize_t tls_conn_read(struct tls_conn *t, void *data, size_t len);
/* Bytes are already here that the socket will not announce. */
bool tls_conn_has_read_ahead(const struct tls_conn *t);
/*
 * As stream_write.  What was accepted may still be inside the session: then
 * tls_conn_has_unsent() and tls_conn_flush() must be called when writable.
 */
ssize_t tls_conn_write(struct tls_conn *t, const void *data, size_t len);
/* As stream_expect_more. */
void tls_conn_expect_more(struct tls_conn *t, bool is_more_coming);
bool tls_conn_has_unsent(const struct tls_conn *t);
int tls_conn_flush(struct tls_conn *t); /* 1 sent, STREAM_AGAIN or STREAM_FAILED */

/* close_notify and FIN, best effort. */
void tls_conn_shutdown(struct tls_conn *t);
int tls_conn_fd(const struct tls_conn *t);
/* Before the connection is used by another thread. */
void tls_conn_detach_thread(struct tls_conn *t);

#endif
