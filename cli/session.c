/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/session.h"

#include <stdio.h>
#include <unistd.h>

#include "base/jpath.h"
#include "base/must.h"
#include "base/scope.h"
#include "base/str.h"
#include "cli/websocket.h"

enum { ROLE_WORDS_MAX = 160 };

char *session_path(const struct cli *c, const char *name, const char *sub, const char *base_query,
                   struct error *e)
{
    const struct session_flags *f = &c->flags.session;
    const struct {
        bool is_set;
        const char *query;
    } rows[] = {
        { f->is_shared, "shared=true" },
        { f->is_observer, "observe=true" },
        { f->takes_over, "takeOver=true" },
        { c->flags.keeps_session, NULL },
    };
    const char *query = base_query;
    size_t n = 0;

    for (size_t i = 0; i < countof(rows); i++)
        if (rows[i].is_set) {
            query = rows[i].query ? rows[i].query : base_query;
            n++;
        }
    if (n > 1) {
        error_set(e, ERR_BAD_REQUEST,
                  "only one of --shared, --observe, --take-over and --preserve-session can be "
                  "asked for");
        return NULL;
    }
    scoped(free) char *whole = must_asprintf("%s%s%s", sub, *query ? "?" : "", query);
    return cli_subresource(c, "virtualmachineinstances", name, whole);
}

bool session_role_words(const char *text, char out[ROLE_WORDS_MAX])
{
    json_auto_t *message = NULL;
    struct error ignored;

    if (json_parse(&message, text, strlen(text), &ignored) < 0)
        return false;
    const char *role = jpath_str(message, "role", "");
    long long others = jpath_int(message, "sessions", 1) - 1;
    const char *words = streq(role, "writer")     ? "You can type"
                        : streq(role, "observer") ? "You are observing: what you type is not sent"
                                                  : NULL;
    if (!words)
        return false;
    if (others > 0)
        (void)snprintf(out, ROLE_WORDS_MAX, "%s (%lld other session%s)", words, others,
                       others > 1 ? "s" : "");
    else
        (void)snprintf(out, ROLE_WORDS_MAX, "%s", words);
    return true;
}

/* The terminal may be raw: then a line needs its own carriage return. */
static void tell_role(const char *text, void *arg)
{
    char words[ROLE_WORDS_MAX];

    if (session_role_words(text, words))
        (void)fprintf(stderr, isatty(STDERR_FILENO) ? "\r\n[%s]\r\n" : "%s\n", words);
}

void session_tell_roles(struct websocket *w)
{
    websocket_on_text(w, tell_role, NULL);
}

const char *session_code_words(int code)
{
    static const struct {
        int code;
        const char *words;
    } rows[] = {
        { 1001, "the server is going away" },
        { 1002, "the protocol was broken" },
        { 1006, "the connection broke without a good-bye" },
        { 1008, "the server refused what was sent" },
        { 1011, "the server has failed" },
        { 1013, "this session did not keep up with the others" },
    };

    for (size_t i = 0; i < countof(rows); i++)
        if (rows[i].code == code)
            return rows[i].words;
    return "the server closed it";
}

int session_end(const struct websocket *w, const char *what, struct error *e)
{
    char reason[WEBSOCKET_REASON_MAX];
    int code = websocket_close_code(w, reason);

    if (code == 1000 || code == 1005) {
        if (*reason)
            (void)fprintf(stderr, "%s ended: %s\n", what, reason);
        return 0;
    }
    return error_set(e, ERR_UNAVAILABLE, "%s was closed (%d): %s%s%s%s", what, code,
                     session_code_words(code), *reason ? " (" : "", reason, *reason ? ")" : "");
}
