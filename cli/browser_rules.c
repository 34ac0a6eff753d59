/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/browser_rules.h"

#include <stdio.h>
#include <string.h>

#include "base/must.h"
#include "base/scope.h"
#include "base/str.h"

static const char ui_root[] = "/apis/subresources.kubevirt.io/v1/ui/";

static const char reviews[] = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";

/* Segments of plain characters: nothing that could be read in another way further on. */
static bool is_plain(const char *path)
{
    static const char allowed[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~/";

    return path[0] == '/' && path[strspn(path, allowed)] == '\0' && !strstr(path, "//") &&
           !strstr(path, "/./") && !strstr(path, "/..") && !str_has_suffix(path, "/.");
}

static bool is_segments(const char *path, size_t min, size_t max)
{
    size_t n = *path ? 1 : 0;

    for (const char *at = path; *at; at++)
        n += *at == '/';
    return n >= min && n <= max && !str_has_suffix(path, "/");
}

// clang-format off
static const struct {
    const char *root; /* %s: the namespace; then one of the machines' kinds */
    size_t min, max;  /* segments after the kind */
    bool may_change;  /* PUT, and websockets */
} machine_paths[] = {
    { "/apis/kubevirt.io/v1/namespaces/%s/",              0, 1, false },
    { "/apis/subresources.kubevirt.io/v1/namespaces/%s/", 2, 4, true },
};
// clang-format on

static bool is_machine_path(const char *path, const char *namespace, bool changes)
{
    static const char *const kinds[] = { "virtualmachines", "virtualmachineinstances" };

    for (size_t i = 0; i < countof(machine_paths); i++) {
        char root[400];

        (void)snprintf(root, sizeof(root), "%.*s%s/", (int)strcspn(machine_paths[i].root, "%"),
                       machine_paths[i].root, namespace);
        if (!str_has_prefix(path, root) || (changes && !machine_paths[i].may_change))
            continue;
        for (size_t k = 0; k < countof(kinds); k++) {
            const char *rest = path + strlen(root);
            size_t len = strlen(kinds[k]);

            if (strncmp(rest, kinds[k], len) != 0 || (rest[len] && rest[len] != '/'))
                continue;
            rest += len + (rest[len] == '/');
            if (is_segments(rest, machine_paths[i].min, machine_paths[i].max))
                return true;
        }
    }
    return false;
}

/* What is asked of the API server for a request that is no websocket, or NULL. */
static char *forwarded_path(enum http_method method, const char *path, const char *namespace)
{
    bool is_get = method == HTTP_GET;

    if (is_get && str_has_prefix(path, "/ui/"))
        return must_asprintf("%s%s", ui_root, path + strlen("/ui/"));
    if ((is_get || method == HTTP_PUT) && is_machine_path(path, namespace, !is_get))
        return must_strdup(path);
    if (method == HTTP_POST && streq(path, reviews))
        return must_strdup(path);
    return NULL;
}

enum browser_verdict browser_rule(enum http_method method, const char *path, bool is_websocket,
                                  const char *namespace, char **ret_path)
{
    bool is_get = method == HTTP_GET;

    *ret_path = NULL;
    if (!is_plain(path))
        return BROWSER_REFUSE;
    if (is_websocket) {
        if (!is_get || !is_machine_path(path, namespace, true))
            return BROWSER_REFUSE;
        *ret_path = must_strdup(path);
        return BROWSER_STREAM;
    }
    if (is_get && streq(path, "/login"))
        return BROWSER_LOGIN;
    if (is_get && streq(path, "/ui/config.json"))
        return BROWSER_CONFIG;
    *ret_path = forwarded_path(method, path, namespace);
    return *ret_path ? BROWSER_FORWARD : BROWSER_REFUSE;
}

bool browser_is_ours(const struct http_headers *h, const char *authority, bool needs_origin)
{
    const char *origin = http_headers_get(h, "Origin");
    scoped(free) char *own = must_asprintf("http://%s", authority);

    if (!streq(http_headers_get(h, "Host"), authority))
        return false;
    return origin ? streq(origin, own) : !needs_origin;
}

bool browser_same_secret(const char *given, const char *secret)
{
    size_t len = strlen(secret);
    unsigned differs = strlen(given) != len;

    for (size_t i = 0; i < len && given[i]; i++)
        differs |= (unsigned)(given[i] ^ secret[i]);
    return !differs;
}

bool browser_has_cookie(const struct http_headers *h, const char *name, const char *value)
{
    const char *header;
    size_t from = 0;
    size_t name_len = strlen(name);

    while ((header = http_headers_next(h, "Cookie", &from)) != NULL)
        for (const char *at = header; *at;) {
            at += strspn(at, "; ");
            size_t len = strcspn(at, ";");

            if (len > name_len && strncmp(at, name, name_len) == 0 && at[name_len] == '=') {
                scoped(free) char *given = must_strndup(at + name_len + 1, len - name_len - 1);
                if (browser_same_secret(given, value))
                    return true;
            }
            at += len;
        }
    return false;
}
