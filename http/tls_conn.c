/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gnutls sessions on non-blocking sockets.  Ciphertext is received into one
 * buffer of the thread, many records at a time (gnutls itself would ask the
 * kernel twice for each record), so that an idle connection owns no buffer.
 */
#include "http/tls_conn.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/loop.h"
#include "base/must.h"
#include "base/scope.h"
#include "base/str.h"
#include "http/stream.h"

enum { RAW_BYTES = 64 * 1024, WARNINGS_MAX = 8 };

/* AES-128-GCM before AES-256-GCM, as Go has it: long streams cost less. */
#define CIPHERS "-CIPHER-ALL:+AES-128-GCM:+AES-256-GCM:+CHACHA20-POLY1305:+AES-128-CBC:+AES-256-CBC"

static const char priorities[] =
    "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:-RSA:" CIPHERS ":%SERVER_PRECEDENCE";
static const char priorities_13[] = "NORMAL:-VERS-ALL:+VERS-TLS1.3:" CIPHERS;

struct tls_conn {
    int fd;
    enum tls_side side;
    gnutls_session_t session;
    struct tls_creds *creds;
    struct tls_policy policy; /* for the handshake */
    struct tls_identity peer;
    char *refusal; /* why the peer's certificate was refused */

    /* Ciphertext received and not yet asked for by gnutls: in the thread's buffer, or `spilled`. */
    const char *raw;
    size_t raw_len;
    char *spilled;
    bool is_starved; /* the last read wanted more than has arrived */
    bool is_eof;
    bool has_unsent;
    bool is_more_coming; /* right behind what is written now */
};

/* ---- the thread's receive buffer ---- */

struct raw_buffer {
    struct tls_conn *owner; /* whose bytes are left in it */
    char data[RAW_BYTES];
};

static pthread_key_t raw_key;
static gnutls_priority_t priority_any, priority_13;

static void make_globals(void)
{
    must(pthread_key_create(&raw_key, free) == 0);
    must(gnutls_priority_init(&priority_any, priorities, NULL) == 0);
    must(gnutls_priority_init(&priority_13, priorities_13, NULL) == 0);
}

static void init_once(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    must(pthread_once(&once, make_globals) == 0);
}

static struct raw_buffer *raw_buffer(void)
{
    struct raw_buffer *b = pthread_getspecific(raw_key);

    if (!b) {
        b = must_malloc(sizeof(*b));
        b->owner = NULL;
        must(pthread_setspecific(raw_key, b) == 0);
    }
    return b;
}

/* Another connection needs the buffer: the rest moves to memory of its own. */
static void spill(struct tls_conn *t)
{
    if (!t || t->spilled || t->raw_len == 0)
        return;
    t->spilled = must_malloc(t->raw_len);
    memcpy(t->spilled, t->raw, t->raw_len);
    t->raw = t->spilled;
}

void tls_conn_detach_thread(struct tls_conn *t)
{
    struct raw_buffer *b = raw_buffer();

    if (b->owner != t)
        return;
    spill(t);
    b->owner = NULL;
}

static ssize_t serve(struct tls_conn *t, void *data, size_t len)
{
    size_t n = len < t->raw_len ? len : t->raw_len;

    memcpy(data, t->raw, n);
    t->raw += n;
    t->raw_len -= n;
    if (t->raw_len == 0) {
        free(t->spilled);
        t->spilled = NULL;
    }
    return (ssize_t)n;
}

/* gnutls' way to ciphertext. */
static ssize_t pull(gnutls_transport_ptr_t ptr, void *data, size_t len)
{
    struct tls_conn *t = ptr;

    if (t->raw_len > 0)
        return serve(t, data, len);
    if (t->is_eof)
        return 0;

    struct raw_buffer *b = raw_buffer();
    if (b->owner != t)
        spill(b->owner);
    b->owner = t;
    ssize_t n = recv(t->fd, b->data, sizeof(b->data), 0);
    if (n < 0) {
        t->is_starved = errno == EAGAIN || errno == EWOULDBLOCK;
        gnutls_transport_set_errno(t->session, errno);
        return -1;
    }
    if (n == 0)
        t->is_eof = true;
    t->raw = b->data;
    t->raw_len = (size_t)n;
    return serve(t, data, len);
}

/* Its way out. */
static ssize_t push(gnutls_transport_ptr_t ptr, const giovec_t *iov, int len)
{
    struct tls_conn *t = ptr;
    const struct msghdr m = { .msg_iov = (struct iovec *)iov, .msg_iovlen = (size_t)len };
    ssize_t n = sendmsg(t->fd, &m, MSG_NOSIGNAL | (t->is_more_coming ? MSG_MORE : 0));

    if (n < 0)
        gnutls_transport_set_errno(t->session, errno);
    return n;
}

/* ---- verification ---- */

static int refuse(struct tls_conn *t, const char *why)
{
    free(t->refusal);
    t->refusal = must_strdup(why);
    return GNUTLS_E_CERTIFICATE_ERROR;
}

static bool read_cn(gnutls_session_t session, char out[TLS_CN_MAX])
{
    unsigned len = 0;
    size_t size = TLS_CN_MAX;
    gnutls_x509_crt_t crt = NULL;
    const gnutls_datum_t *chain = gnutls_certificate_get_peers(session, &len);

    out[0] = '\0';
    if (!chain || len == 0 || gnutls_x509_crt_init(&crt) < 0)
        return false;
    int r = gnutls_x509_crt_import(crt, &chain[0], GNUTLS_X509_FMT_DER);
    if (r == 0)
        r = gnutls_x509_crt_get_dn_by_oid(crt, GNUTLS_OID_X520_COMMON_NAME, 0, 0, out, &size);
    gnutls_x509_crt_deinit(crt);
    if (r == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE)
        return true;                    /* without a CN: nobody in particular */
    if (r < 0 || strlen(out) != size) { /* too long, or with a NUL inside */
        out[0] = '\0';
        return false;
    }
    return true;
}

static bool is_listed(const struct tls_policy *p, const char *cn)
{
    for (size_t i = 0; i < p->cn_len; i++)
        if (streq(p->cn[i], cn))
            return true;
    return p->cn_len == 0;
}

static int verify(gnutls_session_t session)
{
    struct tls_conn *t = gnutls_session_get_ptr(session);
    const char *purpose =
        t->side == TLS_SERVER ? GNUTLS_KP_TLS_WWW_CLIENT : GNUTLS_KP_TLS_WWW_SERVER;
    gnutls_typed_vdata_st data = { .type = GNUTLS_DT_KEY_PURPOSE_OID,
                                   .data = (unsigned char *)purpose };
    unsigned status = 0;

    int r = gnutls_certificate_verify_peers(session, &data, 1, &status);
    if (r == GNUTLS_E_NO_CERTIFICATE_FOUND && t->policy.peer == TLS_PEER_OPTIONAL)
        return 0;
    if (r < 0)
        return refuse(t, gnutls_strerror(r));
    if (status) {
        gnutls_datum_t text = { 0 };
        (void)gnutls_certificate_verification_status_print(status, GNUTLS_CRT_X509, &text, 0);
        r = refuse(t, text.data ? (const char *)text.data : "the certificate does not verify");
        gnutls_free(text.data);
        return r;
    }
    if (!read_cn(session, t->peer.cn))
        return refuse(t, "the certificate's common name cannot be read");
    if (!is_listed(&t->policy, t->peer.cn))
        return refuse(t, "the certificate's common name is not one that is allowed");
    t->peer.is_verified = true;
    return 0;
}

/* ---- life ---- */

struct tls_conn *tls_conn_new(int fd, enum tls_side side, struct tls_keys *keys,
                              const struct tls_policy *policy)
{
    static const gnutls_datum_t alpn = { .data = (unsigned char *)"http/1.1", .size = 8 };
    static const gnutls_certificate_request_t asked[] = {
        [TLS_PEER_ANY] = GNUTLS_CERT_IGNORE,
        [TLS_PEER_OPTIONAL] = GNUTLS_CERT_REQUEST,
        [TLS_PEER_REQUIRED] = GNUTLS_CERT_REQUIRE,
    };
    unsigned flags = GNUTLS_NONBLOCK | GNUTLS_NO_SIGNAL | GNUTLS_NO_TICKETS |
                     (side == TLS_SERVER ? GNUTLS_SERVER : GNUTLS_CLIENT);
    struct tls_conn *t = must_calloc(1, sizeof(*t));

    init_once();
    *t = (struct tls_conn){ .fd = fd, .side = side, .policy = *policy };
    t->creds = tls_keys_creds(keys);
    must(gnutls_init(&t->session, flags) == 0);
    must(gnutls_priority_set(t->session, policy->is_tls13_only ? priority_13 : priority_any) == 0);
    must(gnutls_credentials_set(t->session, GNUTLS_CRD_CERTIFICATE, t->creds->gnutls) == 0);
    if (!policy->has_no_alpn)
        must(gnutls_alpn_set_protocols(t->session, &alpn, 1, 0) == 0);
    gnutls_session_set_ptr(t->session, t);
    gnutls_transport_set_ptr(t->session, t);
    gnutls_transport_set_pull_function(t->session, pull);
    gnutls_transport_set_vec_push_function(t->session, push);
    gnutls_handshake_set_timeout(t->session, 0); /* the owner's timer decides */
    if (side == TLS_SERVER)
        gnutls_certificate_server_set_request(t->session, asked[policy->peer]);
    if (policy->peer != TLS_PEER_ANY)
        gnutls_session_set_verify_function(t->session, verify);
    return t;
}

void tls_conn_free(struct tls_conn *t)
{
    if (!t)
        return;
    struct raw_buffer *b = raw_buffer();
    if (b->owner == t)
        b->owner = NULL;
    gnutls_deinit(t->session);
    tls_creds_unref(t->creds);
    (void)close(t->fd);
    free(t->spilled);
    free(t->refusal);
    free(t);
}

int tls_conn_handshake(struct tls_conn *t, struct error *e)
{
    for (int warnings = 0; warnings < WARNINGS_MAX;) {
        int r = gnutls_handshake(t->session);
        if (r == 0)
            return 1;
        if (r == GNUTLS_E_AGAIN)
            return 0;
        if (r == GNUTLS_E_INTERRUPTED)
            continue;
        if (!gnutls_error_is_fatal(r)) {
            warnings++;
            continue;
        }
        (void)gnutls_alert_send_appropriate(t->session, r);
        if (t->refusal)
            return error_set(e, ERR_FORBIDDEN, "TLS: %s", t->refusal);
        if (r == GNUTLS_E_FATAL_ALERT_RECEIVED)
            return error_set(e, ERR_FORBIDDEN, "TLS: refused by the peer: %s",
                             gnutls_alert_get_name(gnutls_alert_get(t->session)));
        return error_set(e, ERR_UNAVAILABLE, "TLS: %s", gnutls_strerror(r));
    }
    return error_set(e, ERR_UNAVAILABLE, "TLS: too many warnings");
}

int tls_conn_wants(const struct tls_conn *t)
{
    return gnutls_record_get_direction(t->session) == 1 ? LOOP_WRITE : LOOP_READ;
}

const struct tls_identity *tls_conn_peer(const struct tls_conn *t)
{
    return &t->peer;
}

int tls_conn_fd(const struct tls_conn *t)
{
    return t->fd;
}

/* ---- bytes ---- */

ssize_t tls_conn_read(struct tls_conn *t, void *data, size_t len)
{
    t->is_starved = false;
    for (int warnings = 0; warnings < WARNINGS_MAX;) {
        ssize_t n = gnutls_record_recv(t->session, data, len);
        if (n >= 0)
            return n;
        if (n == GNUTLS_E_AGAIN && t->is_starved)
            return STREAM_AGAIN;
        if (n == GNUTLS_E_PREMATURE_TERMINATION)
            return STREAM_EOF;
        /* Also GNUTLS_E_AGAIN for a session ticket or key update: more may be here. */
        if (n == GNUTLS_E_AGAIN || n == GNUTLS_E_INTERRUPTED ||
            n == GNUTLS_E_WARNING_ALERT_RECEIVED) {
            warnings++;
            continue;
        }
        return STREAM_FAILED; /* a renegotiation too */
    }
    return STREAM_FAILED;
}

bool tls_conn_has_read_ahead(const struct tls_conn *t)
{
    return gnutls_record_check_pending(t->session) > 0 || t->raw_len > 0;
}

ssize_t tls_conn_write(struct tls_conn *t, const void *data, size_t len)
{
    if (len == 0)
        return 0;
    if (t->has_unsent) {
        int r = tls_conn_flush(t);
        if (r != 1)
            return r;
    }
    ssize_t n = gnutls_record_send(t->session, data, len);
    if (n >= 0)
        return n;
    if (n == GNUTLS_E_AGAIN || n == GNUTLS_E_INTERRUPTED) {
        /* gnutls keeps the record that it made: those bytes are accepted. */
        size_t record = gnutls_record_get_max_size(t->session);
        t->has_unsent = true;
        return (ssize_t)(len < record ? len : record);
    }
    return STREAM_FAILED;
}

void tls_conn_expect_more(struct tls_conn *t, bool is_more_coming)
{
    t->is_more_coming = is_more_coming;
}

bool tls_conn_has_unsent(const struct tls_conn *t)
{
    return t->has_unsent;
}

int tls_conn_flush(struct tls_conn *t)
{
    if (t->has_unsent)
        t->is_more_coming = false;
    while (t->has_unsent) {
        ssize_t n = gnutls_record_send(t->session, NULL, 0);
        if (n == GNUTLS_E_INTERRUPTED)
            continue;
        if (n == GNUTLS_E_AGAIN)
            return STREAM_AGAIN;
        if (n < 0)
            return STREAM_FAILED;
        t->has_unsent = false;
    }
    return 1;
}

void tls_conn_shutdown(struct tls_conn *t)
{
    if (!t->has_unsent)
        (void)gnutls_bye(t->session, GNUTLS_SHUT_WR);
    (void)shutdown(t->fd, SHUT_WR);
}
