/* SPDX-License-Identifier: Apache-2.0 */
#include "apiserver/web.h"

#include <ctype.h>
#include <string.h>

#include "base/must.h"
#include "base/scope.h"
#include "base/str.h"
#include "subresources/routes.h"

/* Nothing inline, nothing from elsewhere, and in nobody's frame. */
static const struct {
    const char *name, *value;
} headers[] = {
    { "Content-Security-Policy",
      "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; "
      "connect-src 'self'; font-src 'self'; base-uri 'none'; form-action 'none'; "
      "frame-ancestors 'none'" },
    { "X-Frame-Options", "DENY" },
    { "Referrer-Policy", "no-referrer" },
    { "Cross-Origin-Opener-Policy", "same-origin" },
};

/* By the end of the name; the first is for anything else. */
static const struct {
    const char *suffix, *type;
} types[] = {
    { "", "application/octet-stream" },
    { ".html", "text/html; charset=utf-8" },
    { ".js", "text/javascript; charset=utf-8" },
    { ".css", "text/css; charset=utf-8" },
    { ".json", "application/json" },
    { ".webmanifest", "application/manifest+json" },
    { ".svg", "image/svg+xml" },
    { ".png", "image/png" },
    { ".ico", "image/x-icon" },
    { ".woff2", "font/woff2" },
    { ".txt", "text/plain; charset=utf-8" },
};

static const char *type_of(const char *name)
{
    for (size_t i = countof(types) - 1; i > 0; i--)
        if (str_has_suffix(name, types[i].suffix))
            return types[i].type;
    return types[0].type;
}

/* "app-1a2b3c4d.js": the name changes with the content. */
static bool is_hashed(const char *name)
{
    enum { HASH_MIN = 8 };
    const char *dash = strrchr(name, '-');
    size_t len = 0;

    while (dash && isalnum((unsigned char)dash[1 + len]))
        len++;
    return len >= HASH_MIN && dash[1 + len] == '.';
}

static void set_headers(struct http_call *c, const char *cache)
{
    for (size_t i = 0; i < countof(headers); i++)
        http_call_set_header(c, headers[i].name, headers[i].value);
    http_call_set_header(c, "Cache-Control", cache);
}

/* Two forms are two things to a cache: the compressed one's tag says so. */
static void serve_file(const struct web_file *f, struct http_call *c)
{
    const bool is_gzip =
        f->gzip && http_headers_has_token(http_call_headers(c), "Accept-Encoding", "gzip");
    const char *known = http_call_header(c, "If-None-Match");
    scoped(free) char *etag =
        must_asprintf("%.*s%s\"", (int)strlen(f->etag) - 1, f->etag, is_gzip ? "-gzip" : "");

    set_headers(c, is_hashed(f->name) ? "public, max-age=31536000, immutable" : "no-cache");
    http_call_set_header(c, "ETag", etag);
    http_call_set_header(c, "Vary", "Accept-Encoding");
    if (known && strstr(known, etag)) {
        http_reply(c, 304, NULL, NULL, 0);
        return;
    }
    if (is_gzip)
        http_call_set_header(c, "Content-Encoding", "gzip");
    http_reply_static(c, 200, type_of(f->name), is_gzip ? f->gzip : f->data,
                      (size_t)(is_gzip ? f->gzip_end - f->gzip : f->data_end - f->data));
}

/* Through kube-apiserver the reader is known already: the page need not ask who it is. */
static void serve_config(struct http_call *c)
{
    json_auto_t *config =
        must_pack("{s:s}", "auth", http_call_peer(c)->is_verified ? "none" : "bearer");

    set_headers(c, "no-store");
    http_reply_json(c, 200, config);
}

/* The page's names are relative to a folder.  kube-apiserver passes on no redirects: a page then.
 */
static void serve_way_in(struct http_call *c)
{
    static const char page[] = "<!doctype html><meta http-equiv=\"refresh\" content=\"0; url=ui/\">"
                               "<a href=\"ui/\">ui/</a>\n";

    set_headers(c, "no-cache");
    if (http_call_peer(c)->is_verified) {
        http_reply_static(c, 200, type_of(".html"), page, sizeof(page) - 1);
        return;
    }
    http_call_set_header(c, "Location", "ui/");
    http_reply(c, 302, NULL, NULL, 0);
}

static void serve_name(const struct web_file *files, const char *name, struct http_call *c)
{
    struct error e;

    if (streq(name, "config.json")) {
        serve_config(c);
        return;
    }
    if (!*name)
        name = "index.html";
    for (const struct web_file *f = files; f && f->name; f++) {
        if (streq(f->name, name)) {
            serve_file(f, c);
            return;
        }
    }
    error_set(&e, ERR_NOT_FOUND, "%s",
              files && files->name ? "the page has no such file"
                                   : "this virt-api was built without the page");
    http_reply_error(c, &e, NULL);
}

/* What follows "/ui" of the page's places, or NULL. */
static const char *below_ui(const char *path)
{
    static const char group[] = "/apis/" SUBRESOURCE_GROUP "/";

    if (str_has_prefix(path, group)) {
        const char *version = path + sizeof(group) - 1;

        path = NULL;
        for (size_t i = 0; i < SUBRESOURCE_VERSION_COUNT; i++) {
            const size_t len = strlen(subresource_versions[i]);

            if (strncmp(version, subresource_versions[i], len) == 0 && version[len] == '/')
                path = version + len;
        }
    }
    if (!path || !str_has_prefix(path, "/ui"))
        return NULL;
    path += sizeof("/ui") - 1;
    return *path == '\0' || *path == '/' ? path : NULL;
}

static bool is_browser_at_root(const struct http_call *c)
{
    const char *accept = http_call_header(c, "Accept");

    return streq(http_call_path(c), "/") && !http_call_peer(c)->is_verified && accept &&
           strstr(accept, "text/html");
}

bool web_serve(const struct web_file *files, struct http_call *c)
{
    const enum http_method method = http_call_method(c);
    const char *rest = below_ui(http_call_path(c));
    struct error e;

    if (!rest) {
        if (!is_browser_at_root(c) || method != HTTP_GET)
            return false;
        serve_way_in(c);
    } else if (method != HTTP_GET && method != HTTP_HEAD) {
        error_set(&e, ERR_METHOD_NOT_ALLOWED, "the page is read with GET");
        http_call_set_header(c, "Allow", "GET, HEAD");
        http_reply_error(c, &e, NULL);
    } else if (*rest == '\0') {
        serve_way_in(c);
    } else {
        serve_name(files, rest + 1, c);
    }
    return true;
}
