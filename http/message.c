/* SPDX-License-Identifier: Apache-2.0 */
/* Header lists, method and status names, authorities and escaping. */
#include "http/message.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/must.h"
#include "base/scope.h"
#include "base/str.h"

static const char *const method_names[] = {
    [HTTP_GET] = "GET",         [HTTP_HEAD] = "HEAD",   [HTTP_POST] = "POST",
    [HTTP_PUT] = "PUT",         [HTTP_PATCH] = "PATCH", [HTTP_DELETE] = "DELETE",
    [HTTP_OPTIONS] = "OPTIONS",
};
_Static_assert(countof(method_names) == HTTP_METHOD_COUNT, "a name for every method");

static const struct status_text {
    int status;
    const char *text;
} status_texts[] = {
    { 100, "Continue" },
    { 101, "Switching Protocols" },
    { 200, "OK" },
    { 201, "Created" },
    { 202, "Accepted" },
    { 204, "No Content" },
    { 206, "Partial Content" },
    { 301, "Moved Permanently" },
    { 302, "Found" },
    { 304, "Not Modified" },
    { 307, "Temporary Redirect" },
    { 400, "Bad Request" },
    { 401, "Unauthorized" },
    { 403, "Forbidden" },
    { 404, "Not Found" },
    { 405, "Method Not Allowed" },
    { 406, "Not Acceptable" },
    { 408, "Request Timeout" },
    { 409, "Conflict" },
    { 410, "Gone" },
    { 411, "Length Required" },
    { 412, "Precondition Failed" },
    { 413, "Request Entity Too Large" },
    { 414, "Request URI Too Long" },
    { 415, "Unsupported Media Type" },
    { 417, "Expectation Failed" },
    { 422, "Unprocessable Entity" },
    { 426, "Upgrade Required" },
    { 429, "Too Many Requests" },
    { 431, "Request Header Fields Too Large" },
    { 500, "Internal Server Error" },
    { 501, "Not Implemented" },
    { 502, "Bad Gateway" },
    { 503, "Service Unavailable" },
    { 504, "Gateway Timeout" },
    { 505, "HTTP Version Not Supported" },
};

const char *http_method_name(enum http_method m)
{
    return method_names[m];
}

int http_method_parse(const char *name)
{
    for (size_t i = 0; i < countof(method_names); i++)
        if (strcmp(name, method_names[i]) == 0)
            return (int)i;
    return -1;
}

void http_headers_done(struct http_headers *h)
{
    for (size_t i = 0; i < h->len; i++) {
        free(h->item[i].name);
        free(h->item[i].value);
    }
    free(h->item);
    *h = (struct http_headers){ 0 };
}

/* RFC 9110 token: what a header name may be made of. */
static bool is_token(const char *s)
{
    if (!*s)
        return false;
    for (; *s; s++) {
        bool is_alnum =
            (*s >= '0' && *s <= '9') || (*s >= 'a' && *s <= 'z') || (*s >= 'A' && *s <= 'Z');
        if (!is_alnum && !strchr("!#$%&'*+-.^_`|~", *s))
            return false;
    }
    return true;
}

/* A value with a line break would start a header of its own. */
static bool is_field_value(const char *s)
{
    for (; *s; s++)
        if (((unsigned char)*s < 0x20 && *s != '\t') || *s == 0x7f)
            return false;
    return true;
}

bool http_headers_add(struct http_headers *h, const char *name, const char *value)
{
    if (h->len >= HTTP_HEADERS_MAX || !is_token(name) || !is_field_value(value))
        return false;
    if (h->len == h->cap) {
        h->cap = h->cap ? h->cap * 2 : 8;
        h->item = must_realloc(h->item, h->cap * sizeof(*h->item));
    }
    h->item[h->len++] = (struct http_header){ must_strdup(name), must_strdup(value) };
    return true;
}

const char *http_headers_next(const struct http_headers *h, const char *name, size_t *from)
{
    for (size_t i = *from; i < h->len; i++) {
        if (strcasecmp(h->item[i].name, name) == 0) {
            *from = i + 1;
            return h->item[i].value;
        }
    }
    *from = h->len;
    return NULL;
}

const char *http_headers_get(const struct http_headers *h, const char *name)
{
    size_t from = 0;
    return http_headers_next(h, name, &from);
}

static bool list_has_token(const char *list, const char *token)
{
    size_t want = strlen(token);

    while (*list) {
        list += strspn(list, " \t,");
        size_t len = strcspn(list, ",");
        size_t trimmed = len;
        while (trimmed > 0 && (list[trimmed - 1] == ' ' || list[trimmed - 1] == '\t'))
            trimmed--;
        if (trimmed == want && strncasecmp(list, token, want) == 0)
            return true;
        list += len;
    }
    return false;
}

bool http_headers_has_token(const struct http_headers *h, const char *name, const char *token)
{
    size_t from = 0;

    for (const char *v = http_headers_next(h, name, &from); v;
         v = http_headers_next(h, name, &from))
        if (list_has_token(v, token))
            return true;
    return false;
}

const char *http_status_text(int status)
{
    for (size_t i = 0; i < countof(status_texts); i++)
        if (status_texts[i].status == status)
            return status_texts[i].text;
    return "Unknown";
}

const char *http_authority(char out[HTTP_AUTHORITY_MAX], const char *host, int port)
{
    bool is_v6 = strchr(host, ':') != NULL;

    (void)snprintf(out, HTTP_AUTHORITY_MAX, is_v6 ? "[%s]:%d" : "%s:%d", host, port);
    return out;
}

char *http_escape(const char *s)
{
    static const char hex[] = "0123456789ABCDEF";
    char *out = must_malloc(strlen(s) * 3 + 1);
    char *p = out;

    for (; *s; s++) {
        unsigned char c = (unsigned char)*s;
        bool is_plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
                        (c >= 'A' && c <= 'Z') || strchr("-._~", c);
        if (is_plain) {
            *p++ = (char)c;
            continue;
        }
        *p++ = '%';
        *p++ = hex[c >> 4];
        *p++ = hex[c & 15];
    }
    *p = '\0';
    return out;
}
