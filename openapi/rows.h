/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The words that tables are written in; only files that hold tables include it.
 *
 *     TYPE(cpu_feature_type, "CPUFeature", "One feature of the processor model.",
 *          STRING("name", "Name of the feature.", REQUIRED),
 *          STRING("policy", "force, require, optional, disable or forbid."));
 *
 *     TYPE(cpu_type, "CPU", "The processors that the guest sees.",
 *          INT32("cores", "Cores in each socket."),
 *          LIST("features", cpu_feature_type, "Features added to or taken from the model."));
 *
 * A row is name, one line for the user, then whatever else of struct field matters.
 */
#ifndef OPENAPI_ROWS_H
#define OPENAPI_ROWS_H

#include "openapi/field.h"

// clang-format off
#define ROW_(n, d, t, s, ...) \
    { .name = n, .name_len = sizeof(n) - 1, .doc = d, .type = t, .shape = s, ##__VA_ARGS__ }

#define STRING(n, d, ...)        ROW_(n, d, FIELD_STRING, FIELD_ONE, ##__VA_ARGS__)
#define BOOL(n, d, ...)          ROW_(n, d, FIELD_BOOL, FIELD_ONE, ##__VA_ARGS__)
#define INT32(n, d, ...)         ROW_(n, d, FIELD_INT32, FIELD_ONE, ##__VA_ARGS__)
#define INT64(n, d, ...)         ROW_(n, d, FIELD_INT64, FIELD_ONE, ##__VA_ARGS__)
#define INT(n, d, ...)           ROW_(n, d, FIELD_INT, FIELD_ONE, ##__VA_ARGS__)
#define NUMBER(n, d, ...)        ROW_(n, d, FIELD_NUMBER, FIELD_ONE, ##__VA_ARGS__)
#define QUANTITY(n, d, ...)      ROW_(n, d, FIELD_QUANTITY, FIELD_ONE, ##__VA_ARGS__)
#define INT_OR_STRING(n, d, ...) ROW_(n, d, FIELD_INT_OR_STRING, FIELD_ONE, ##__VA_ARGS__)
#define TIME(n, d, ...)          ROW_(n, d, FIELD_TIME, FIELD_ONE, ##__VA_ARGS__)
#define OPAQUE(n, d, ...)        ROW_(n, d, FIELD_OPAQUE, FIELD_ONE, ##__VA_ARGS__)
#define OBJECT(n, id, d, ...)    ROW_(n, d, FIELD_OBJECT, FIELD_ONE, .schema = &id, ##__VA_ARGS__)

#define LIST(n, id, d, ...)      ROW_(n, d, FIELD_OBJECT, FIELD_LIST, .schema = &id, ##__VA_ARGS__)
#define STRINGS(n, d, ...)       ROW_(n, d, FIELD_STRING, FIELD_LIST, ##__VA_ARGS__)
#define INTS(n, d, ...)          ROW_(n, d, FIELD_INT, FIELD_LIST, ##__VA_ARGS__)
#define OPAQUES(n, d, ...)       ROW_(n, d, FIELD_OPAQUE, FIELD_LIST, ##__VA_ARGS__)

#define MAP(n, id, d, ...)       ROW_(n, d, FIELD_OBJECT, FIELD_MAP, .schema = &id, ##__VA_ARGS__)
#define STRING_MAP(n, d, ...)    ROW_(n, d, FIELD_STRING, FIELD_MAP, ##__VA_ARGS__)
#define QUANTITY_MAP(n, d, ...)  ROW_(n, d, FIELD_QUANTITY, FIELD_MAP, ##__VA_ARGS__)
#define INT_MAP(n, d, ...)       ROW_(n, d, FIELD_INT, FIELD_MAP, ##__VA_ARGS__)
#define BOOL_MAP(n, d, ...)      ROW_(n, d, FIELD_BOOL, FIELD_MAP, ##__VA_ARGS__)

/* An object without members: its presence says it all. */
#define PRESENCE(n, d, ...)      OBJECT(n, presence_type, d, ##__VA_ARGS__)

#define REQUIRED .required = true
#define NULLABLE .nullable = true
#define SET      .is_set = true
#define INERT    .inert = true
#define UNSIGNED .is_unsigned = true
#define ONE_OF(...) .values = (const char *const[]){ __VA_ARGS__, NULL }
#define RULES(...)  .rules = (const struct field_rule[]){ __VA_ARGS__, { .cel = NULL } }

/* The first rows of every kind. */
#define KIND_META                                                                \
    STRING("apiVersion", "Group and version of the schema of this object."),    \
    STRING("kind", "Which kind of object this is."),                             \
    OPAQUE("metadata", "Standard object metadata.")

#define TYPE(id, title, summary, ...)                                            \
    const struct schema id = {                                                   \
        .name = title,                                                           \
        .doc = summary,                                                          \
        .fields = (const struct field[]){ __VA_OPT__(__VA_ARGS__,) { .name = NULL } }, \
        .index = (_Atomic(struct schema_index *)[1]){ NULL },                       \
    }
// clang-format on

/* Shared by many tables. */
extern const struct schema presence_type;

#endif
