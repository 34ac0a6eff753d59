/* SPDX-License-Identifier: Apache-2.0 */
/* The error value, and its two translations: to HTTP and metav1.Status, and back. */
#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/must.h"
#include "base/scope.h"
#include "base/str.h"

static const struct code_row {
    int http;
    const char *reason;
    // clang-format off
} rows[] = {
    [ERR_NONE] = { 500, "InternalError" },
#define X(name, http, reason) [ERR_##name] = { http, reason },
    ERROR_CODES(X)
#undef X
};
// clang-format on

/* What other servers say that has no row of its own. */
static const struct {
    const char *reason;
    enum error_code code;
} other_reasons[] = {
    { "Gone", ERR_EXPIRED },
    { "ServerTimeout", ERR_TIMEOUT },
    { "StoreReadError", ERR_INTERNAL },
};

static const struct {
    int http;
    enum error_code code;
} other_statuses[] = {
    { 409, ERR_CONFLICT }, /* AlreadyExists always comes with its reason */
    { 408, ERR_TIMEOUT },
    { 502, ERR_UNAVAILABLE },
};

static const struct code_row *row_of(enum error_code code)
{
    return (size_t)code < countof(rows) ? &rows[code] : &rows[ERR_NONE];
}

int error_set(struct error *e, enum error_code code, const char *fmt, ...)
{
    char msg[ERROR_MSG_MAX]; /* the arguments may point into e->msg */
    va_list ap;

    va_start(ap, fmt);
    (void)vsnprintf(msg, sizeof(msg), fmt, ap);
    va_end(ap);

    e->code = code;
    memcpy(e->msg, msg, sizeof(msg));
    str_make_utf8(e->msg);
    return -(int)code;
}

bool error_is_unanswered(int result)
{
    return result == -ERR_UNAVAILABLE || result == -ERR_TIMEOUT || result == -ERR_TOO_MANY;
}

int error_wrap(struct error *e, const char *fmt, ...)
{
    char context[ERROR_MSG_MAX];
    char inner[ERROR_MSG_MAX];
    va_list ap;

    va_start(ap, fmt);
    (void)vsnprintf(context, sizeof(context), fmt, ap);
    va_end(ap);

    memcpy(inner, e->msg, sizeof(inner));
    inner[sizeof(inner) - 1] = '\0';
    /* What does not fit is cut from the end. */
    const int context_len = (int)strnlen(context, sizeof(context) - 1);
    int n = snprintf(e->msg, sizeof(e->msg), "%.*s: ", context_len, context);
    if (n > 0 && (size_t)n < sizeof(e->msg))
        (void)snprintf(e->msg + n, sizeof(e->msg) - (size_t)n, "%.*s",
                       (int)(sizeof(e->msg) - (size_t)n - 1), inner);
    str_make_utf8(e->msg);
    return -(int)e->code;
}

int error_http(enum error_code code)
{
    return row_of(code)->http;
}

const char *error_reason(enum error_code code)
{
    return row_of(code)->reason;
}

static enum error_code code_of_reason(const char *reason)
{
    for (size_t i = ERR_NONE + 1; i < countof(rows); i++)
        if (streq(rows[i].reason, reason))
            return (enum error_code)i;
    for (size_t i = 0; i < countof(other_reasons); i++)
        if (streq(other_reasons[i].reason, reason))
            return other_reasons[i].code;
    return ERR_NONE;
}

enum error_code error_from_http(int status, const char *reason)
{
    const enum error_code by_reason = reason ? code_of_reason(reason) : ERR_NONE;
    if (by_reason != ERR_NONE)
        return by_reason;

    for (size_t i = 0; i < countof(other_statuses); i++)
        if (other_statuses[i].http == status)
            return other_statuses[i].code;
    for (size_t i = ERR_NONE + 1; i < countof(rows); i++)
        if (rows[i].http == status)
            return (enum error_code)i;
    return status >= 400 && status < 500 ? ERR_BAD_REQUEST : ERR_INTERNAL;
}

json_t *error_status(const struct error *e, const json_t *details)
{
    json_t *status = must_pack("{s:s, s:s, s:{}, s:s, s:s, s:s}", "kind", "Status", "apiVersion",
                               "v1", "metadata", "status", "Failure", "message", e->msg, "reason",
                               error_reason(e->code));

    if (details)
        must_set(status, "details", must_copy(details));
    must_set(status, "code", json_integer(error_http(e->code)));
    return status;
}
