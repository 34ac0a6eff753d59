/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Everything that is wrong with one object, gathered so that a user sees all
 * faults at once: schema validation and admission rules add to the same list.
 * Lives on the stack of the one who asked; costs nothing while it is empty.
 * One thread at a time.
 */
#ifndef OPENAPI_FINDINGS_H
#define OPENAPI_FINDINGS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

/* metav1.CauseType, as clients read it. */
#define CAUSES(X)                              \
    X(INVALID, "FieldValueInvalid")            \
    X(REQUIRED, "FieldValueRequired")          \
    X(NOT_SUPPORTED, "FieldValueNotSupported") \
    X(DUPLICATE, "FieldValueDuplicate")        \
    X(NOT_FOUND, "FieldValueNotFound")         \
    X(FORBIDDEN, "FieldValueForbidden")        \
    X(TYPE_INVALID, "FieldValueTypeInvalid")   \
    X(TOO_LONG, "FieldValueTooLong")           \
    X(TOO_MANY, "FieldValueTooMany")           \
    X(UNEXPECTED, "UnexpectedServerResponse")

enum cause {
#define X(name, text) CAUSE_##name,
    CAUSES(X)
#undef X
};

const char *cause_text(enum cause c);

enum {
    FINDINGS_MAX = 50,      /* kept; more are only counted */
    FINDINGS_SHOWN = 10,    /* in a Status's message, as upstream */
    FINDING_TEXT_MAX = 512, /* bytes of a field or a message; what users wrote is cut to it */
};

struct finding {
    enum cause cause;
    char *field; /* "spec.domain.devices.disks[0].name"; "" for the whole object */
    char *message;
};

struct findings {
    size_t len;     /* items kept */
    size_t dropped; /* found after the list was full */
    size_t mild;    /* of all: faults of a value, in an object of the right shape */
    struct finding item[FINDINGS_MAX]; /* only the first len are set */
};

void findings_init(struct findings *f);
void findings_done(struct findings *f);

/* scoped_findings f; findings_init(&f); */
#define scoped_findings __attribute__((cleanup(findings_done))) struct findings

static inline bool findings_any(const struct findings *f)
{
    return f->len > 0;
}

/* Is the object's shape wrong, so that rules cannot read it? */
static inline bool findings_misshapen(const struct findings *f)
{
    return f->len + f->dropped > f->mild;
}

static inline bool findings_full(const struct findings *f)
{
    return f->len == FINDINGS_MAX;
}

/*
 * A place in an object, as a chain on the stack of the walk: made for free,
 * turned into text only when there is something to report.
 *     const struct at spec = AT_NAME(NULL, "spec.template.spec");
 *     const struct at disk = AT_INDEX(&disks, i);
 */
struct at {
    const struct at *up; /* NULL at the top */
    const char *name; /* a member (or several joined by dots), or a map's key; NULL for an index */
    size_t index;
    bool is_key; /* written in brackets: labels[app] */
};

#define AT_NAME(parent, text) ((struct at){ .up = (parent), .name = (text) })
#define AT_INDEX(parent, i) ((struct at){ .up = (parent), .index = (i) })
#define AT_KEY(parent, text) ((struct at){ .up = (parent), .name = (text), .is_key = true })

/* "spec.volumes[2].name"; NULL is "".  New string. */
char *at_text(const struct at *at);

/* Report.  The message says what to do and does not repeat the field. */
void findings_add(struct findings *f, enum cause cause, const char *field, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
void findings_add_at(struct findings *f, enum cause cause, const struct at *at, const char *fmt,
                     ...) __attribute__((format(printf, 4, 5)));

/* For Status.details.causes: [{reason, message, field}], all that were kept.  New. */
json_t *findings_causes(const struct findings *f);

/* For Status.message: "field: message, field: message, and 3 more validation errors".  New. */
char *findings_message(const struct findings *f);

#endif
