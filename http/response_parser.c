/* SPDX-License-Identifier: Apache-2.0 */
/* A small state machine; see the header for what it refuses. */
#include "http/response_parser.h"

#include <limits.h>
#include <string.h>
#include <strings.h>

#include "base/must.h"
#include "base/scope.h"
#include "base/str.h"

enum {
    CHUNK_LINE_MAX = 1024,
    INTERIM_MAX = 8,
    TRAILERS_MAX = 64,
    STATUS_LINE_MIN = 12, /* "HTTP/1.1 200" */
};

void response_parser_init(struct response_parser *p, enum http_method method, size_t body_max)
{
    *p = (struct response_parser){ .method = method,
                                   .body = BUF_INIT(body_max),
                                   .line = BUF_INIT(HTTP_HEAD_BYTES_MAX) };
}

void response_parser_done(struct response_parser *p)
{
    http_headers_done(&p->headers);
    buf_done(&p->body);
    buf_done(&p->line);
}

static int bad(struct error *e, const char *what)
{
    return error_set(e, ERR_UNAVAILABLE, "malformed answer: %s", what);
}

/* ---- the head ---- */

static int parse_status_line(struct response_parser *p, const char *line, size_t len,
                             struct error *e)
{
    bool is_http = len >= STATUS_LINE_MIN &&
                   (memcmp(line, "HTTP/1.1 ", 9) == 0 || memcmp(line, "HTTP/1.0 ", 9) == 0);
    if (!is_http || (len > STATUS_LINE_MIN && line[STATUS_LINE_MIN] != ' '))
        return bad(e, "status line");
    p->status = 0;
    for (int i = 9; i < STATUS_LINE_MIN; i++) {
        if (line[i] < '0' || line[i] > '9')
            return bad(e, "status code");
        p->status = p->status * 10 + (line[i] - '0');
    }
    return p->status >= 100 ? 0 : bad(e, "status code");
}

static int parse_header(struct response_parser *p, const char *line, size_t len, struct error *e)
{
    const char *colon = memchr(line, ':', len);
    if (!colon)
        return bad(e, "header without a colon");
    const char *value = colon + 1;
    const char *end = line + len;
    while (value < end && (*value == ' ' || *value == '\t'))
        value++;
    while (end > value && (end[-1] == ' ' || end[-1] == '\t'))
        end--;
    if (memchr(line, '\0', len))
        return bad(e, "header with a NUL");
    scoped(free) char *n = must_strndup(line, (size_t)(colon - line));
    scoped(free) char *v = must_strndup(value, (size_t)(end - value));
    return http_headers_add(&p->headers, n, v) ? 0 : bad(e, "header");
}

static int parse_lines(struct response_parser *p, struct error *e)
{
    const char *at = p->line.data;
    const char *end = at + p->line.len - 2; /* the empty line */
    int r = 0;

    for (bool is_first = true; r == 0 && at < end; is_first = false) {
        const char *stop = memmem(at, (size_t)(end - at), "\r\n", 2);
        size_t len = (size_t)(stop - at);
        r = is_first ? parse_status_line(p, at, len, e) : parse_header(p, at, len, e);
        at = stop + 2;
    }
    return r;
}

/* All Content-Length headers must agree.  1: *ret is set; 0: there is none. */
static int content_length(const struct response_parser *p, size_t *ret, struct error *e)
{
    long long value = -1;
    size_t from = 0;

    for (const char *v; (v = http_headers_next(&p->headers, "Content-Length", &from));) {
        long long n;
        if (str_to_int(v, 0, LLONG_MAX, &n) < 0 || (value >= 0 && n != value))
            return bad(e, "content length");
        value = n;
    }
    *ret = value >= 0 ? (size_t)value : 0;
    return value >= 0 ? 1 : 0;
}

/* What follows the head (RFC 9112, 6.3). */
static int choose_body(struct response_parser *p, struct error *e)
{
    const char *coding = http_headers_get(&p->headers, "Transfer-Encoding");
    int has_length = content_length(p, &p->left, e);

    if (has_length < 0)
        return has_length;
    if (p->method == HTTP_HEAD || p->status < 200 || p->status == 204 || p->status == 304) {
        p->state = RESPONSE_DONE;
    } else if (coding) {
        if (has_length || strcasecmp(coding, "chunked") != 0)
            return bad(e, "transfer encoding");
        p->state = RESPONSE_CHUNK_SIZE;
    } else if (!has_length) {
        p->state = RESPONSE_BODY_TO_END;
    } else if (p->left > p->body.max) {
        return error_set(e, ERR_TOO_LARGE, "answer is larger than %zu bytes", p->body.max);
    } else {
        p->state = p->left > 0 ? RESPONSE_BODY_LENGTH : RESPONSE_DONE;
    }
    return 0;
}

/* Bytes of the head up to its empty line; only then is it looked at. */
static ssize_t feed_head(struct response_parser *p, const char *data, size_t len, struct error *e)
{
    size_t before = p->line.len;
    size_t room = p->line.max - before;
    size_t taken = len < room ? len : room;

    if (taken == 0)
        return error_set(e, ERR_TOO_LARGE, "answer's head is larger than %zu bytes", p->line.max);
    (void)buf_add(&p->line, data, taken);
    size_t from = before > 3 ? before - 3 : 0; /* the end may straddle two pieces */
    const char *end = memmem(p->line.data + from, p->line.len - from, "\r\n\r\n", 4);
    if (!end)
        return (ssize_t)taken;

    size_t head = (size_t)(end - p->line.data) + 4;
    p->line.len = head;
    int r = parse_lines(p, e);
    buf_clear(&p->line);
    if (r < 0)
        return r;
    if (p->status < 200 && p->status != 101) {
        http_headers_done(&p->headers);
        return ++p->interim > INTERIM_MAX ? bad(e, "too many interim answers")
                                          : (ssize_t)(head - before);
    }
    r = choose_body(p, e);
    return r < 0 ? r : (ssize_t)(head - before);
}

/* ---- the body ---- */

static ssize_t feed_body(struct response_parser *p, const char *data, size_t len,
                         enum response_state next, struct error *e)
{
    size_t taken = len < p->left ? len : p->left;

    if (!buf_add(&p->body, data, taken))
        return error_set(e, ERR_TOO_LARGE, "answer is larger than %zu bytes", p->body.max);
    p->left -= taken;
    if (p->left == 0)
        p->state = next;
    return (ssize_t)taken;
}

static ssize_t feed_to_end(struct response_parser *p, const char *data, size_t len, struct error *e)
{
    if (!buf_add(&p->body, data, len))
        return error_set(e, ERR_TOO_LARGE, "answer is larger than %zu bytes", p->body.max);
    return (ssize_t)len;
}

static int chunk_size(struct response_parser *p, const char *line, struct error *e)
{
    size_t n = strspn(line, "0123456789abcdefABCDEF");
    size_t size = 0;

    if (n == 0 || n > 8 || (line[n] && !strchr("; \t", line[n])))
        return bad(e, "chunk size");
    for (size_t i = 0; i < n; i++)
        size = size * 16 + (size_t)(line[i] <= '9' ? line[i] - '0' : (line[i] | 0x20) - 'a' + 10);
    if (size > p->body.max - p->body.len)
        return error_set(e, ERR_TOO_LARGE, "answer is larger than %zu bytes", p->body.max);
    p->left = size;
    p->state = size > 0 ? RESPONSE_CHUNK_DATA : RESPONSE_TRAILER;
    return 0;
}

static int framing_line(struct response_parser *p, const char *line, struct error *e)
{
    if (p->state == RESPONSE_CHUNK_SIZE)
        return chunk_size(p, line, e);
    if (p->state == RESPONSE_CHUNK_END) {
        p->state = RESPONSE_CHUNK_SIZE;
        return *line ? bad(e, "chunk end") : 0;
    }
    if (*line) /* a trailer field; none of them matters here */
        return ++p->trailers > TRAILERS_MAX ? bad(e, "too many trailers") : 0;
    p->state = RESPONSE_DONE;
    return 0;
}

/* One line of chunk framing. */
static ssize_t feed_framing(struct response_parser *p, const char *data, size_t len,
                            struct error *e)
{
    const char *end = memchr(data, '\n', len);
    size_t taken = end ? (size_t)(end - data) + 1 : len;

    if (p->line.len + taken > CHUNK_LINE_MAX)
        return bad(e, "chunk line");
    (void)buf_add(&p->line, data, taken);
    if (!end)
        return (ssize_t)taken;
    if (p->line.len < 2 || p->line.data[p->line.len - 2] != '\r')
        return bad(e, "chunk line");
    p->line.data[p->line.len - 2] = '\0';
    int r = framing_line(p, p->line.data, e);
    buf_clear(&p->line);
    return r < 0 ? r : (ssize_t)taken;
}

static ssize_t feed_once(struct response_parser *p, const char *data, size_t len, struct error *e)
{
    switch (p->state) {
    case RESPONSE_HEAD:
        return feed_head(p, data, len, e);
    case RESPONSE_BODY_LENGTH:
        return feed_body(p, data, len, RESPONSE_DONE, e);
    case RESPONSE_BODY_TO_END:
        return feed_to_end(p, data, len, e);
    case RESPONSE_CHUNK_DATA:
        return feed_body(p, data, len, RESPONSE_CHUNK_END, e);
    case RESPONSE_CHUNK_SIZE:
    case RESPONSE_CHUNK_END:
    case RESPONSE_TRAILER:
        return feed_framing(p, data, len, e);
    case RESPONSE_DONE:
        break;
    }
    return 0;
}

ssize_t response_parser_feed(struct response_parser *p, const char *data, size_t len,
                             struct error *e)
{
    size_t taken = 0;

    while (taken < len && p->state != RESPONSE_DONE) {
        ssize_t n = feed_once(p, data + taken, len - taken, e);
        if (n < 0)
            return n;
        taken += (size_t)n;
    }
    return (ssize_t)taken;
}

int response_parser_end(struct response_parser *p, struct error *e)
{
    if (p->state == RESPONSE_BODY_TO_END)
        p->state = RESPONSE_DONE;
    if (p->state == RESPONSE_DONE)
        return 0;
    return error_set(e, ERR_UNAVAILABLE,
                     p->state == RESPONSE_HEAD && p->line.len == 0
                         ? "the connection ended without an answer"
                         : "the connection ended within the answer");
}
