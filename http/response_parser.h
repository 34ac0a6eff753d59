/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One HTTP/1.1 response out of bytes in any pieces.  A function of bytes: no
 * I/O, everything bounded, nothing trusted.  Line ends are CRLF; folded lines,
 * two lengths that differ, and length beside chunks are refused.  Inside http/
 * only.
 */
#ifndef HTTP_RESPONSE_PARSER_H
#define HTTP_RESPONSE_PARSER_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/error.h"
#include "http/message.h"

enum response_state {
    RESPONSE_HEAD,
    RESPONSE_BODY_LENGTH,
    RESPONSE_BODY_TO_END, /* the connection's end is the body's */
    RESPONSE_CHUNK_SIZE,
    RESPONSE_CHUNK_DATA,
    RESPONSE_CHUNK_END,
    RESPONSE_TRAILER,
    RESPONSE_DONE,
};

struct response_parser {
    enum response_state state;
    enum http_method method; /* of the request: HEAD has no body */
    int status;
    struct http_headers headers;
    struct buf body;
    struct buf line; /* head, or one line of the chunk framing */
    size_t left;     /* of the length or the chunk */
    size_t interim;  /* 1xx answers seen */
    size_t trailers;
};

void response_parser_init(struct response_parser *p, enum http_method method, size_t body_max);
void response_parser_done(struct response_parser *p);

/*
 * Bytes taken (fewer than len only when the response is complete: state is
 * RESPONSE_DONE), or -ERR_UNAVAILABLE for what is not HTTP, -ERR_TOO_LARGE.
 */
ssize_t response_parser_feed(struct response_parser *p, const char *data, size_t len,
                             struct error *e);
/* The connection ended: 0 when the response is whole. */
int response_parser_end(struct response_parser *p, struct error *e);

#endif
