/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/viewer.h"

#include <stdio.h>

#include "base/scope.h"
#include "base/str.h"

/* In the order in which they are looked for. */
static const struct {
    const char *type, *program, *scheme, *debug;
} viewers[] = {
    { "remote-viewer", "remote-viewer", "vnc://", "--debug" },
    { "tiger", "vncviewer", "", "Log=*:stderr:100" },
};

int viewer_check(const char *type, struct error *e)
{
    if (!*type)
        return 0;
    for (size_t i = 0; i < countof(viewers); i++)
        if (streq(type, viewers[i].type))
            return 0;
    if (streq(type, "chicken") || streq(type, "real"))
        return error_set(e, ERR_BAD_REQUEST, "--vnc-type: %s is not supported on Linux", type);
    return error_set(e, ERR_BAD_REQUEST,
                     "--vnc-type: \"%s\" is not one of tiger, chicken, real, remote-viewer", type);
}

/* A program that was given without its type is told by its name. */
static const char *type_of(const char *path)
{
    const char *base = strrchr(path, '/');

    base = base ? base + 1 : path;
    return str_has_prefix(base, "remote-viewer") || str_has_prefix(base, "virt-viewer")
               ? "remote-viewer"
               : "tiger";
}

bool viewer_words(struct viewer_words *ret, size_t i, const char *type, const char *path, int port,
                  bool is_debug)
{
    if (*path && !*type)
        type = type_of(path);
    for (size_t row = 0; row < countof(viewers); row++) {
        if (*type && !streq(type, viewers[row].type))
            continue;
        if (i-- > 0)
            continue;
        (void)snprintf(ret->text, sizeof(ret->text), "%s127.0.0.1:%d", viewers[row].scheme, port);
        ret->argv[0] = (char *)(*path ? path : viewers[row].program);
        ret->argv[1] = ret->text;
        ret->argv[2] = is_debug ? (char *)viewers[row].debug : NULL;
        ret->argv[3] = NULL;
        return true;
    }
    return false;
}
