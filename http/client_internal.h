/* SPDX-License-Identifier: Apache-2.0 */
/* What http_client_do and http_watch share: one request laid onto a curl handle.  Inside http/
 * only. */
#ifndef HTTP_CLIENT_INTERNAL_H
#define HTTP_CLIENT_INTERNAL_H

#include <curl/curl.h>

#include "base/buf.h"
#include "http/client.h"
#include "http/pem.h"

struct http_client *http_client_ref(struct http_client *c);
void http_client_unref(struct http_client *c);

/* libcurl's option types are checked by its own macro; a refused option is our mistake. */
#define curl_must(curl, option, value) must(curl_easy_setopt(curl, option, value) == CURLE_OK)

/* What a prepared handle points into; lives as long as the transfer. */
struct client_setup {
    struct pem_set *pem;
    struct curl_slist *headers;
    struct curl_slist *connect_to;
    char *url;
    char message[CURL_ERROR_SIZE];
};
void client_setup_done(struct client_setup *s);

/*
 * Everything but timeouts and callbacks.  q->body must outlive the transfer.
 * -ERR_INTERNAL when credentials cannot be read, -ERR_BAD_REQUEST for a header that cannot be sent.
 */
int client_setup(struct client_setup *s, CURL *curl, struct http_client *c,
                 const struct http_request *q, struct pem_set *pem /* taken */, struct error *e);

/* One more header among those that client_setup made. */
void client_setup_header(struct client_setup *s, const char *name, const char *value);
/* "Basic ..." of the client's own user and password, new; NULL without them. */
char *http_client_basic(const struct http_client *c);

int http_client_pem(struct http_client *c, struct pem_set **ret, struct error *e);
/* The connections made so far are not to be trusted (one went silent). */
void http_client_distrust(struct http_client *c);

/* Fill *e from a transfer's end; 0 when it went well. */
int client_result(CURL *curl, CURLcode code, const struct client_setup *s, struct error *e);

#endif
