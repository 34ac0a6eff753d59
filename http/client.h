/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HTTP client on libcurl.  http_client_do blocks and may be called from any
 * thread (connections are pooled); http_watch streams many responses on one
 * thread over one curl multi (HTTP/2 where the server speaks it).
 */
#ifndef HTTP_CLIENT_H
#define HTTP_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"
#include "http/message.h"

struct http_client;

/* All strings are copied.  PEM material may be given as files (re-read for new connections) or as
 * text. */
struct http_client_options {
    const char *base_url;  /* "https://10.96.0.1:443", "http://localhost" with unix_path */
    const char *unix_path; /* speak over this unix socket */
    const char *ca_file, *ca_pem;
    const char *cert_file, *cert_pem;
    const char *key_file, *key_pem;
    const char *tls_server_name; /* verified instead of the URL's host */
    const char *proxy_url;
    const char *user_agent;
    const char *username, *password; /* basic authentication */
    const struct http_headers
        *headers;     /* sent with every request besides its own (impersonation); copied */
    bool is_insecure; /* no verification (kubeconfig's insecure-skip-tls-verify) */
    /* Called before each request; returns a new "Bearer ..." value or NULL.  Any thread. */
    char *(*authorization)(void *ctx);
    void *authorization_ctx;
    int64_t connect_timeout_ms; /* 0 is 10 s */
};

struct http_client *http_client_new(const struct http_client_options *o);
void http_client_free(struct http_client *c);
/* Replace the client certificate (exec plugins); PEM text. */
void http_client_set_pair(struct http_client *c, const char *cert_pem, const char *key_pem);

struct http_request {
    enum http_method method;
    const char *path;                   /* with query, starts with / */
    const struct http_headers *headers; /* may be NULL */
    const void *body;
    size_t body_len;
    const char *content_type;  /* of the body */
    const char *accept;        /* NULL: application/json */
    int64_t timeout_ms;        /* whole call; 0 is 30 s */
    size_t response_max_bytes; /* 0 is 64 MiB */
};

struct http_response {
    int status;
    struct http_headers headers;
    struct buf body;
};
void http_response_done(struct http_response *r);

/*
 * 0 when a response came, whatever its status.  -ERR_UNAVAILABLE: not connected
 * or broken before any answer; -ERR_TIMEOUT; -ERR_TOO_LARGE; -ERR_INTERNAL for TLS
 * refusals.  *ret is zero-initialised by the callee and must be released.
 */
int http_client_do(struct http_client *c, const struct http_request *q, struct http_response *ret,
                   struct error *e);

/* ---- streaming ---- */

struct http_watcher; /* one thread, one curl multi, any number of streams of any clients */
struct http_watch;

struct http_watcher *http_watcher_new(const char *name);
void http_watcher_free(struct http_watcher *w); /* stops the thread; every on_end has been called */

/* All on the watcher's thread; must not block long. */
struct http_watch_events {
    void (*on_status)(int status, void *ctx); /* once, may be NULL */
    void (*on_line)(const char *line, size_t len,
                    void *ctx); /* whole lines, without \n; at most 16 MiB */
    void (*on_end)(int status, const struct error *why,
                   void *ctx); /* once; why->code ERR_NONE when it ended cleanly; for a non-2xx
                                  status, msg is the body's start */
};

/* Any thread.  Idle for longer than idle_timeout_ms (0: never) counts as broken. */
struct http_watch *http_watch_start(struct http_watcher *w, struct http_client *c,
                                    const struct http_request *q, int64_t idle_timeout_ms,
                                    const struct http_watch_events *events, void *ctx);
/* Ask it to end; on_end is still called, later, on the watcher's thread; the handle is invalid
 * after that. */
void http_watch_stop(struct http_watch *h);

/* Run fn on the watcher's thread after ms (>= 0).  Any thread. */
void http_watcher_after(struct http_watcher *w, int64_t ms, void (*fn)(void *), void *ctx);
/* Forget what waits with this ctx (its owner goes away); a call that has begun is not waited for.
 * Any thread. */
void http_watcher_cancel(struct http_watcher *w, const void *ctx);

#endif
