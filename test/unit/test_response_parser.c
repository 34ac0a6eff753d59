/* SPDX-License-Identifier: Apache-2.0 */
/* Every answer is fed whole and byte by byte: the result must be the same. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/must.h"
#include "base/scope.h"
#include "base/str.h"
#include "http/response_parser.h"

enum { BODY_MAX = 100 };

static const struct row {
    const char *name;
    const char *text;
    int status;       /* 0: refused */
    const char *body; /* of an accepted one */
    const char *rest; /* not taken */
    enum http_method method;
    enum error_code code;
} rows[] = {
    { "a length", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhelloX", .status = 200,
      .body = "hello", .rest = "X" },
    { "length zero", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\nX", .status = 200, .body = "",
      .rest = "X" },
    { "same length twice", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\na",
      .status = 200, .body = "a", .rest = "" },
    { "no reason phrase", "HTTP/1.1 404\r\nContent-Length: 0\r\n\r\n", .status = 404, .body = "",
      .rest = "" },
    { "until the end", "HTTP/1.0 200 OK\r\n\r\nall of it", .status = 200, .body = "all of it",
      .rest = "" },
    { "chunks",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nA;x=y\r\n0123456789\r\n0\r\n\r\nX",
      .status = 200, .body = "abc0123456789", .rest = "X" },
    { "chunks with trailers",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n1\r\na\r\n0\r\nA: b\r\n\r\n",
      .status = 200, .body = "a", .rest = "" },
    { "an upgrade keeps what follows",
      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n\x81\x01x", .status = 101,
      .body = "", .rest = "\x81\x01x" },
    { "interim answers are passed over",
      "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Hints\r\nA: b\r\n\r\n"
      "HTTP/1.1 204 No Content\r\n\r\nX",
      .status = 204, .body = "", .rest = "X" },
    { "HEAD has no body", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nX", .status = 200,
      .body = "", .rest = "X", .method = HTTP_HEAD },
    { "304 has no body", "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\nX", .status = 304,
      .body = "", .rest = "X" },
    { "other protocol", "SSH-2.0-OpenSSH_9.2\r\n\r\n", .code = ERR_UNAVAILABLE },
    { "HTTP/2", "HTTP/2.0 200 OK\r\n\r\n", .code = ERR_UNAVAILABLE },
    { "status of letters", "HTTP/1.1 2x0 OK\r\n\r\n", .code = ERR_UNAVAILABLE },
    { "status of four digits", "HTTP/1.1 2000 OK\r\n\r\n", .code = ERR_UNAVAILABLE },
    { "status below 100", "HTTP/1.1 099 OK\r\n\r\n", .code = ERR_UNAVAILABLE },
    { "nothing but an empty line", "\r\n\r\n", .code = ERR_UNAVAILABLE },
    { "header without colon", "HTTP/1.1 200 OK\r\nbad\r\n\r\n", .code = ERR_UNAVAILABLE },
    { "header with space in its name", "HTTP/1.1 200 OK\r\nA b: c\r\n\r\n",
      .code = ERR_UNAVAILABLE },
    { "folded header", "HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n", .code = ERR_UNAVAILABLE },
    { "bare line feed inside a value", "HTTP/1.1 200 OK\r\nA: b\nC: d\r\n\r\n",
      .code = ERR_UNAVAILABLE },
    { "lengths that differ", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
      .code = ERR_UNAVAILABLE },
    { "negative length", "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", .code = ERR_UNAVAILABLE },
    { "length in hex", "HTTP/1.1 200 OK\r\nContent-Length: 0x1\r\n\r\n", .code = ERR_UNAVAILABLE },
    { "length beyond any number", "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n",
      .code = ERR_UNAVAILABLE },
    { "length beside chunks",
      "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
      .code = ERR_UNAVAILABLE },
    { "other coding", "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
      .code = ERR_UNAVAILABLE },
    { "chunk size missing", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\r\n",
      .code = ERR_UNAVAILABLE },
    { "chunk size beyond any number",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffffffff\r\n",
      .code = ERR_UNAVAILABLE },
    { "chunk longer than it says",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n", .code = ERR_UNAVAILABLE },
    { "chunk line ended by a line feed",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\na\r\n", .code = ERR_UNAVAILABLE },
    { "length over the limit", "HTTP/1.1 200 OK\r\nContent-Length: 101\r\n\r\n",
      .code = ERR_TOO_LARGE },
    { "chunk over the limit", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n65\r\n",
      .code = ERR_TOO_LARGE },
    { "cut off in the head", "HTTP/1.1 200 OK\r\nA: b\r\n", .code = ERR_UNAVAILABLE },
    { "cut off in the body", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel",
      .code = ERR_UNAVAILABLE },
    { "cut off between chunks", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n",
      .code = ERR_UNAVAILABLE },
    { "nothing at all", "", .code = ERR_UNAVAILABLE },
};

static void check(const struct row *row, size_t step)
{
    struct response_parser p;
    struct error e = { 0 };
    size_t len = strlen(row->text);
    size_t at = 0;
    int r = 0;

    response_parser_init(&p, row->method, BODY_MAX);
    while (at < len && r >= 0 && p.state != RESPONSE_DONE) {
        size_t piece = len - at < step ? len - at : step;
        /* A copy of its own length lets a sanitizer see a read beyond. */
        scoped(free) char *copy = must_malloc(piece);
        memcpy(copy, row->text + at, piece);
        r = (int)response_parser_feed(&p, copy, piece, &e);
        at += r > 0 ? (size_t)r : 0;
    }
    if (r >= 0)
        r = response_parser_end(&p, &e);
    if (row->status == 0) {
        if (r != -(int)row->code)
            fail_msg("in pieces of %zu: %d %s", step, r, e.msg);
    } else {
        if (r < 0)
            fail_msg("in pieces of %zu: %s", step, e.msg);
        assert_int_equal(p.status, row->status);
        assert_string_equal(p.body.data ? p.body.data : "", row->body);
        assert_string_equal(row->text + at, row->rest);
    }
    response_parser_done(&p);
}

static void parses(void **state)
{
    const struct row *row = *state;

    for (size_t step = 1; step <= strlen(row->text) + 1; step++)
        check(row, step);
}

static void head_is_bounded(void **state)
{
    struct response_parser p;
    struct error e;
    ssize_t r = 0;

    response_parser_init(&p, HTTP_GET, BODY_MAX);
    assert_int_equal(response_parser_feed(&p, "HTTP/1.1 200 OK\r\nA: ", 20, &e), 20);
    for (int i = 0; i < 100 * 1024 && r >= 0; i++)
        r = response_parser_feed(&p, "x", 1, &e);
    assert_int_equal(r, -ERR_TOO_LARGE);
    response_parser_done(&p);
}

static void headers_can_be_read(void **state)
{
    static const char text[] =
        "HTTP/1.1 200 OK\r\nA:  one \r\nB:\r\na: two\r\nContent-Length: 0\r\n\r\n";
    struct response_parser p;
    struct error e;
    size_t from = 0;

    response_parser_init(&p, HTTP_GET, BODY_MAX);
    assert_int_equal(response_parser_feed(&p, text, sizeof(text) - 1, &e), sizeof(text) - 1);
    assert_string_equal(http_headers_next(&p.headers, "a", &from), "one");
    assert_string_equal(http_headers_next(&p.headers, "A", &from), "two");
    assert_null(http_headers_next(&p.headers, "A", &from));
    assert_string_equal(http_headers_get(&p.headers, "b"), "");
    response_parser_done(&p);
}

int main(void)
{
    struct CMUnitTest tests[countof(rows) + 2];

    for (size_t i = 0; i < countof(rows); i++)
        tests[i] = (struct CMUnitTest){ .name = rows[i].name,
                                        .test_func = parses,
                                        .initial_state = (void *)&rows[i] };
    tests[countof(rows)] = (struct CMUnitTest)cmocka_unit_test(head_is_bounded);
    tests[countof(rows) + 1] = (struct CMUnitTest)cmocka_unit_test(headers_can_be_read);
    return cmocka_run_group_tests_name("response_parser", tests, NULL, NULL);
}
