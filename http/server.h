/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HTTP/1.1 server: TLS by our own gnutls loop, HTTP by libmicrohttpd behind a
 * socketpair on the same thread (plain listeners and unix sockets hand their
 * descriptor to libmicrohttpd directly).  `threads` loops, each with its own
 * connections; the first one accepts and gives each connection to the thread
 * that has the fewest.
 *
 * A request's whole body is read (bounded) before the handler is called, on the
 * loop's thread, so the handler must not block: it replies at once, or keeps
 * the call (http_keep) and replies later from any thread, or upgrades.
 */
#ifndef HTTP_SERVER_H
#define HTTP_SERVER_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "http/message.h"
#include "http/stream.h"
#include "http/tls.h"

struct http_server;
struct http_call; /* one request being answered */

/* Exactly one of http_reply*, http_keep, http_upgrade, http_stream_begin must happen. */
typedef void http_handler_fn(struct http_call *c, void *ctx);

struct http_server_options {
    const char *name;      /* thread names and logs */
    const char *address;   /* "0.0.0.0", "::"; NULL with unix_path */
    int port;              /* 0 picks one: http_server_port() */
    const char *unix_path; /* a unix socket instead (an old one is replaced); mode 0660 */
    int listen_fd;         /* when > 0: take this bound, listening socket instead of making one */
    struct tls_keys *keys; /* NULL: plain.  Referenced */
    struct tls_policy policy; /* copied */
    size_t threads;           /* 0 is 1 */
    size_t body_max_bytes;    /* 0 is 3 MiB; over it: 413 as a Status */
    size_t connections_max;   /* 0 is 4096; over it: closed at accept */
    int64_t idle_timeout_ms;  /* 0 is 120 s: keep-alive connections */
    int64_t head_timeout_ms;  /* 0 is 20 s: from the first byte to a whole request (slow clients),
                                 and for handshakes */
    http_handler_fn *handler;
    void *ctx;
};

/* Listening when it returns. */
int http_server_start(struct http_server **ret, const struct http_server_options *o,
                      struct error *e);
int http_server_port(const struct http_server *s);
/*
 * From now on every answer says Connection: close, so that clients leave one by one and none loses
 * a request to a connection that closes under it.  New ones are still accepted.
 */
void http_server_retire(struct http_server *s);
/* Stop accepting, answer what is in hand with Connection: close, wait up to grace_ms for calls. */
void http_server_drain(struct http_server *s, int64_t grace_ms);
/* Cuts what is left.  Kept calls that are answered later are dropped safely; streams must have been
 * closed or moved. */
void http_server_free(struct http_server *s);

/* ---- what the handler sees; valid until the reply, on any thread ---- */

enum http_method http_call_method(const struct http_call *c);
const char *http_call_path(const struct http_call *c); /* without query, NOT percent-decoded */
const char *http_call_query(const struct http_call *c,
                            const char *key); /* decoded value, NULL when absent, "" without '=' */
const char *http_call_query_string(const struct http_call *c); /* raw, "" when none */
const struct http_headers *http_call_headers(const struct http_call *c);
const char *http_call_header(const struct http_call *c, const char *name);
const void *http_call_body(const struct http_call *c,
                           size_t *ret_len); /* NUL-terminated past len */
const struct tls_identity *http_call_peer(const struct http_call *c);
/* Of a unix socket's peer; -1 elsewhere. */
pid_t http_call_peer_pid(const struct http_call *c);
uid_t http_call_peer_uid(const struct http_call *c);
struct loop *http_call_loop(const struct http_call *c); /* the loop of its connection */
/* The caller went away while the call was kept: nobody reads the reply (still reply). */
bool http_call_is_gone(const struct http_call *c);

/* Extra response header, before the reply. */
void http_call_set_header(struct http_call *c, const char *name, const char *value);

/* ---- answering ---- */

/* data is copied.  content_type may be NULL with len 0. Every response carries
 * X-Content-Type-Options: nosniff. */
void http_reply(struct http_call *c, int status, const char *content_type, const void *data,
                size_t len);
/* data is from malloc, and taken. */
void http_reply_taken(struct http_call *c, int status, const char *content_type, char *data,
                      size_t len);
/* data is static or outlives the server (precomputed documents): not copied. */
void http_reply_static(struct http_call *c, int status, const char *content_type, const void *data,
                       size_t len);
void http_reply_json(struct http_call *c, int status, const json_t *v); /* borrowed */
/* A metav1.Status for *err; details as error_status(). */
void http_reply_error(struct http_call *c, const struct error *err, const json_t *details);

/*
 * Inside the handler, for a call that is not kept: what its client need not wait for.  fn(arg) runs
 * on the loop when the answer is on its way, at the latest some seconds later.
 */
void http_after_reply(struct http_call *c, void (*fn)(void *arg), void *arg);

/* Answer later, from any thread.  The call stays valid until its reply. */
void http_keep(struct http_call *c);

/*
 * 101 with these headers (Upgrade and Connection are added), then the
 * connection belongs to `taken` as a stream (on the connection's loop), bytes
 * that came early included.  Also allowed after http_keep.  `taken` is called
 * exactly once; with NULL when the client left before it could be handed over.
 */
typedef void http_taken_fn(struct stream *s, void *arg);
void http_upgrade(struct http_call *c, const struct http_headers *headers, http_taken_fn *taken,
                  void *arg);

/* A response whose body comes in pieces (chunked), e.g. a watch.  Write and end from any thread. */
void http_stream_begin(struct http_call *c, int status, const char *content_type);
bool http_stream_write(struct http_call *c, const void *data,
                       size_t len); /* false: the reader is gone or too slow (1 MiB held); end it */
void http_stream_end(struct http_call *c);

#endif
