/* SPDX-License-Identifier: Apache-2.0 */
#include "apiserver/document.h"

#include <stdio.h>
#include <string.h>

#include "base/must.h"
#include "base/str.h"

void document_init(struct document *d, const char *content_type, json_t *v)
{
    char hash[37];

    d->content_type = content_type;
    d->body = must_dumps(v, 0);
    d->len = strlen(d->body);
    json_decref(v);

    /* A name-based UUID is a SHA-1 of the content: all that a validator asks for. */
    uuid_v5("5b1c6f0e-6f0a-4b86-9d2c-7a0a3c1e8d11", d->body, hash);
    (void)snprintf(d->etag, sizeof(d->etag), "\"%s\"", hash);
}

void document_done(struct document *d)
{
    free(d->body);
    *d = (struct document){ 0 };
}

/* RFC 9110, 13.1.2: a list of tags, weak ones compare equal here, or *. */
static bool is_known_to_client(const struct document *d, const char *if_none_match)
{
    return if_none_match && (streq(if_none_match, "*") || strstr(if_none_match, d->etag));
}

void document_serve(const struct document *d, struct http_call *c)
{
    http_call_set_header(c, "ETag", d->etag);
    http_call_set_header(c, "Vary", "Accept");
    if (is_known_to_client(d, http_call_header(c, "If-None-Match")))
        http_reply(c, 304, NULL, NULL, 0);
    else
        http_reply_static(c, 200, d->content_type, d->body, d->len);
}
