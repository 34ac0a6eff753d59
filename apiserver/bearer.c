/* SPDX-License-Identifier: Apache-2.0 */
#include "apiserver/bearer.h"

#include <string.h>
#include <strings.h>

#include "base/must.h"
#include "base/scope.h"
#include "base/str.h"
#include "http/token.h"

static const char scheme[] = "Bearer ";
static const char protocol_prefix[] = "base64url.bearer.authorization.k8s.io.";

/* Visible ASCII only: tokens of every kind are, and nothing else fits into a header again. */
static int take(const char *token, size_t len, char **ret, struct error *e)
{
    for (size_t i = 0; i < len; i++)
        if (token[i] <= ' ' || token[i] > '~')
            return error_set(e, ERR_UNAUTHORIZED,
                             "the bearer token holds a character that is none "
                             "of a token's");
    if (len == 0 || len > BEARER_MAX)
        return error_set(e, ERR_UNAUTHORIZED, "the bearer token is %s",
                         len == 0 ? "empty" : "too long");
    *ret = must_strndup(token, len);
    return 1;
}

static int read_authorization(const struct http_headers *headers, char **ret, struct error *e)
{
    size_t from = 0;
    const char *value = http_headers_next(headers, "Authorization", &from);

    if (!value)
        return 0;
    if (http_headers_next(headers, "Authorization", &from))
        return error_set(e, ERR_UNAUTHORIZED, "there is more than one Authorization header");
    if (strncasecmp(value, scheme, sizeof(scheme) - 1) != 0)
        return error_set(e, ERR_UNAUTHORIZED, "Authorization must be Bearer, with a token");
    value += strspn(value + sizeof(scheme) - 1, " ") + sizeof(scheme) - 1;
    return take(value, strlen(value), ret, e);
}

struct protocols {
    const char *encoded; /* NULL: none seen */
    size_t encoded_len;
    size_t tokens, others;
};

static void look_at_protocols(const char *list, struct protocols *p)
{
    while (*list) {
        const char *item = list + strspn(list, " \t,");
        size_t len = strcspn(item, ",");

        list = item + len;
        while (len > 0 && (item[len - 1] == ' ' || item[len - 1] == '\t'))
            len--;
        if (len == 0)
            continue;
        if (!str_has_prefix(item, protocol_prefix)) {
            p->others++;
            continue;
        }
        p->tokens++;
        p->encoded = item + sizeof(protocol_prefix) - 1;
        p->encoded_len = len - (sizeof(protocol_prefix) - 1);
    }
}

static int read_protocol(const struct http_headers *headers, char **ret, struct error *e)
{
    struct protocols p = { 0 };
    size_t from = 0;
    size_t len = 0;
    const char *list;

    if (!http_headers_has_token(headers, "Upgrade", "websocket"))
        return 0;
    while ((list = http_headers_next(headers, "Sec-WebSocket-Protocol", &from)))
        look_at_protocols(list, &p);
    if (p.tokens == 0)
        return 0;
    if (p.tokens > 1)
        return error_set(e, ERR_UNAUTHORIZED,
                         "there is more than one bearer token among the "
                         "websocket's protocols");
    if (p.others == 0)
        return error_set(e, ERR_UNAUTHORIZED,
                         "a bearer token among the websocket's protocols needs another protocol "
                         "beside it, such as plain.kubevirt.io");

    scoped(token_wipe) char *token = token_decode(p.encoded, p.encoded_len, &len);
    if (!token)
        return error_set(e, ERR_UNAUTHORIZED,
                         "the bearer token among the websocket's protocols is not base64url");
    return take(token, len, ret, e);
}

int bearer_read(const struct http_headers *headers, char **ret, struct error *e)
{
    int r = read_authorization(headers, ret, e);

    return r == 0 ? read_protocol(headers, ret, e) : r;
}

int bearer_refuse_impersonation(const struct http_headers *headers, struct error *e)
{
    static const char prefix[] = "Impersonate-";

    for (size_t i = 0; i < headers->len; i++)
        if (strncasecmp(headers->item[i].name, prefix, sizeof(prefix) - 1) == 0)
            return error_set(e, ERR_BAD_REQUEST,
                             "%s: acting as somebody else goes through kube-apiserver only",
                             headers->item[i].name);
    return 0;
}

/* ---- origin ---- */

static const char https[] = "https://";

/* host[:port] of the standard port without it; lengths only, nothing is copied. */
static size_t authority_len(const char *authority)
{
    size_t len = strlen(authority);

    if (str_has_suffix(authority, ":443"))
        len -= 4;
    return len;
}

static bool same_authority(const char *a, const char *b)
{
    const size_t len = authority_len(a);

    return len > 0 && len == authority_len(b) && strncasecmp(a, b, len) == 0;
}

const char *origin_of_friend(const struct http_headers *headers, const struct option_list *allowed)
{
    const char *origin = http_headers_get(headers, "Origin");

    for (size_t i = 0; origin && i < allowed->len; i++)
        if (strcasecmp(origin, allowed->item[i]) == 0)
            return origin;
    return NULL;
}

int origin_check(const struct http_headers *headers, const struct option_list *allowed,
                 struct error *e)
{
    const char *origin = http_headers_get(headers, "Origin");
    /* X-Forwarded-Host is anybody's word, and proxies that change Host are rare: not looked at. */
    const char *host = http_headers_get(headers, "Host");

    if (!origin)
        return 0;
    if (host && str_has_prefix(origin, https) && same_authority(origin + sizeof(https) - 1, host))
        return 0;
    if (origin_of_friend(headers, allowed))
        return 0;

    scoped(free) char *shown = must_strndup(origin, 200);
    str_make_utf8(shown);
    return error_set(
        e, ERR_FORBIDDEN,
        "pages of %s may not use this server: start virt-api with --allowed-origins=%s "
        "if they should",
        shown, shown);
}
