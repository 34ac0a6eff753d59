/* SPDX-License-Identifier: Apache-2.0 */
/* Header lists and the parts of HTTP that server, client and dialler share. */
#ifndef HTTP_MESSAGE_H
#define HTTP_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>

enum http_method {
    HTTP_GET,
    HTTP_HEAD,
    HTTP_POST,
    HTTP_PUT,
    HTTP_PATCH,
    HTTP_DELETE,
    HTTP_OPTIONS,
    HTTP_METHOD_COUNT,
};

const char *http_method_name(enum http_method m);
int http_method_parse(const char *name); /* -1 when unknown */

enum { HTTP_HEADERS_MAX = 256, HTTP_HEAD_BYTES_MAX = 64 * 1024 };

struct http_header {
    char *name;
    char *value;
};

/* Owned, in order of arrival, repeats kept.  Zero-initialise. */
struct http_headers {
    struct http_header *item;
    size_t len;
    size_t cap;
};

void http_headers_done(struct http_headers *h);
bool http_headers_add(struct http_headers *h, const char *name,
                      const char *value); /* false past the limit */
/* Case-insensitive; first match at or after *from (NULL: from the start), which is moved past it.
 */
const char *http_headers_get(const struct http_headers *h, const char *name);
const char *http_headers_next(const struct http_headers *h, const char *name, size_t *from);
/* Does a comma-separated header list hold this token (case-insensitive)?  e.g. Connection: upgrade
 */
bool http_headers_has_token(const struct http_headers *h, const char *name, const char *token);

const char *http_status_text(int status);

/* host:port with [v6]; caller's buffer. */
enum { HTTP_AUTHORITY_MAX = 300 };
const char *http_authority(char out[HTTP_AUTHORITY_MAX], const char *host, int port);

/* Percent-encode a path segment or query value.  New string. */
char *http_escape(const char *s);

#endif
