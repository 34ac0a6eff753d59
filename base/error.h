/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What went wrong, for the one who decides what it means (an HTTP edge, a
 * reconcile loop).  Functions return 0 or more on success and -code on failure
 * with *e filled.  Any thread; a struct error belongs to one thread.
 */
#ifndef BASE_ERROR_H
#define BASE_ERROR_H

#include <jansson.h>
#include <stdbool.h>

/*
 * One row per way a request can fail, in the words a Kubernetes client reads:
 * C name, HTTP status, metav1.Status reason.  The enum, the Status writer and
 * the client's decoder are all made from this list.
 */
#define ERROR_CODES(X)                                \
    X(INTERNAL, 500, "InternalError")                 \
    X(BAD_REQUEST, 400, "BadRequest")                 \
    X(UNAUTHORIZED, 401, "Unauthorized")              \
    X(FORBIDDEN, 403, "Forbidden")                    \
    X(NOT_FOUND, 404, "NotFound")                     \
    X(METHOD_NOT_ALLOWED, 405, "MethodNotAllowed")    \
    X(NOT_ACCEPTABLE, 406, "NotAcceptable")           \
    X(EXISTS, 409, "AlreadyExists")                   \
    X(CONFLICT, 409, "Conflict")                      \
    X(EXPIRED, 410, "Expired")                        \
    X(TOO_LARGE, 413, "RequestEntityTooLarge")        \
    X(UNSUPPORTED_MEDIA, 415, "UnsupportedMediaType") \
    X(INVALID, 422, "Invalid")                        \
    X(TOO_MANY, 429, "TooManyRequests")               \
    X(UNAVAILABLE, 503, "ServiceUnavailable")         \
    X(TIMEOUT, 504, "Timeout")

enum error_code {
    ERR_NONE,
#define X(name, http, reason) ERR_##name,
    ERROR_CODES(X)
#undef X
};

enum { ERROR_MSG_MAX = 500 };

/* Lives on the stack of whoever decides what a failure means.  Never freed. */
struct error {
    enum error_code code;
    char msg[ERROR_MSG_MAX];
};

/* Fill *e and return -code, so that a failing function is one statement. */
int error_set(struct error *e, enum error_code code, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* Put "context: " before the message; return -e->code unchanged. */
int error_wrap(struct error *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/*
 * Does this -code of a call say nothing about the object that was asked for (the other side is
 * away, slow or too busy)?  Such a failure is worth another try, and is no proof of anything.
 */
bool error_is_unanswered(int result);

/* HTTP status and metav1 reason of a code; 500 and "InternalError" for ERR_NONE. */
int error_http(enum error_code code);
const char *error_reason(enum error_code code);

/* The code for an HTTP status and reason that a server sent (either may decide; reason wins). */
enum error_code error_from_http(int status, const char *reason);

/*
 * A new metav1.Status (kind Status, apiVersion v1, status Failure).  `details`
 * {name, group, kind, causes, retryAfterSeconds} is borrowed and may be NULL.
 */
json_t *error_status(const struct error *e, const json_t *details);

#endif
