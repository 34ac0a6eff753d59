/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a type looks like, said once: a schema is a named table of field rows.
 * CRD manifests, OpenAPI documents, validation, defaults, pruning and the
 * reference page are all read off these rows.  Tables are constant; any thread.
 * Tables are written with the macros of openapi/rows.h.
 *
 * A table that is used in several places is the same C object in all of them.
 */
#ifndef OPENAPI_FIELD_H
#define OPENAPI_FIELD_H

#include <jansson.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum field_type {
    FIELD_STRING,
    FIELD_BOOL,
    FIELD_INT32,
    FIELD_INT64,
    FIELD_INT,    /* whole number without a format */
    FIELD_NUMBER, /* may have a fraction */
    FIELD_QUANTITY,
    FIELD_INT_OR_STRING,
    FIELD_TIME,   /* RFC 3339 text */
    FIELD_OBJECT, /* described by .schema */
    FIELD_OPAQUE, /* an object that is kept as it is; another program knows what is inside */
};

enum field_shape {
    FIELD_ONE,
    FIELD_LIST, /* array of .type */
    FIELD_MAP,  /* object whose members are all of .type */
};

/* One rule that JSON Schema cannot say: CEL for the API server, the same in C for us. */
struct field_rule {
    const char *cel;     /* NULL ends the list */
    const char *message; /* what to do, without the field's name */
    bool (*holds)(const json_t *value);
};

struct schema;

struct field {
    const char *name; /* NULL ends a table */
    const char *doc;  /* one line, ends with a full stop */
    uint8_t name_len;
    uint8_t type;      /* enum field_type */
    uint8_t shape;     /* enum field_shape */
    bool required : 1; /* but see openapi/defaults.h on texts, numbers and booleans */
    bool nullable : 1;
    bool is_set : 1;      /* list: no item twice */
    bool open : 1;        /* object: unknown members are kept */
    bool lenient : 1;     /* unknown members below are not reported (status) */
    bool inert : 1;       /* accepted and kept, nothing acts on it yet */
    bool has_min : 1;     /* .min counts although it is 0 */
    bool is_unsigned : 1; /* number: below 0 is a fault, though CRDs do not say so */
    uint16_t max_items;   /* list, map; 0 is no bound */
    uint16_t min_items;
    uint32_t min_length;            /* string, in characters */
    uint32_t max_length;            /* 0 is no bound */
    int64_t min, max;               /* numbers; 0 is no bound, but see has_min */
    const struct schema *schema;    /* FIELD_OBJECT */
    const char *list_key;           /* list of objects: the member that tells items apart */
    const char *const *values;      /* string: the only ones allowed, NULL-terminated */
    const char *pattern;            /* string: checked by the API server only */
    const char *dflt;               /* JSON text */
    const struct field_rule *rules; /* ends with a row without .cel */
};

/* The most rows of a table (a bit each while one object is walked). */
enum { FIELDS_MAX = 64 };

struct schema_index;

struct schema {
    const char *name; /* "CPU": unique, the OpenAPI component is "v1.CPU" */
    const char *doc;
    const struct field *fields;
    _Atomic(struct schema_index *) *index; /* made at first use, see openapi/index.h */
};

/* The row of that name in a table, or NULL.  Constant time. */
const struct field *schema_field(const struct schema *s, const char *name, size_t len);

/* The type of a field at a path of names ("spec.domain.cpu"), or NULL.  For explain and tests. */
const struct field *schema_find(const struct schema *s, const char *path);

#endif
