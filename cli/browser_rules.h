/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the loopback proxy lets a browser ask for: the page, and what the page needs of one
 * namespace (docs/STREAMS.md).  Everything else is refused, since each request is made with the
 * user's own rights.  Pure.
 */
#ifndef CLI_BROWSER_RULES_H
#define CLI_BROWSER_RULES_H

#include <stdbool.h>

#include "http/message.h"

enum browser_verdict {
    BROWSER_REFUSE,
    BROWSER_LOGIN,  /* /login: the secret becomes a cookie */
    BROWSER_CONFIG, /* /ui/config.json, answered here */
    BROWSER_FORWARD,
    BROWSER_STREAM, /* a websocket, to be forwarded */
};

/* path: without query, as sent.  *ret_path: what is asked of the API server (new), else NULL. */
enum browser_verdict browser_rule(enum http_method method, const char *path, bool is_websocket,
                                  const char *namespace, char **ret_path);

/*
 * Does this request come from a page of ours at `authority` ("127.0.0.1:40001")?  Host must be just
 * that (a foreign name that resolves to us is not), and Origin, which websockets must have and
 * navigation has not, the same.
 */
bool browser_is_ours(const struct http_headers *h, const char *authority, bool needs_origin);

/* Does the Cookie header hold name=value?  In constant time as to the value. */
bool browser_has_cookie(const struct http_headers *h, const char *name, const char *value);

/* Equal secrets, in constant time. */
bool browser_same_secret(const char *given, const char *secret);

#endif
