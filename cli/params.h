/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Flags with several parameters, "src:my-image,name:root,bootorder:1" (spec 06, section 3.8). Every
 * error says which flag.  Pure.
 */
#ifndef CLI_PARAMS_H
#define CLI_PARAMS_H

#include <jansson.h>

#include "base/error.h"

enum param_type {
    PARAM_TEXT,
    PARAM_LIST,     /* "a;b": array of strings */
    PARAM_NUMBER,   /* integer, 0 to UINT32_MAX */
    PARAM_QUANTITY, /* string in canonical form */
};

struct param {
    const char *key;
    enum param_type type;
};

/*
 * One value of the flag as an object of what was given (new).  -ERR_BAD_REQUEST for an unknown key
 * and for what is not of its type.  rows end with one without key; `common` is a second table or
 * NULL.
 */
int params_parse(const char *flag, const char *text, const struct param *rows,
                 const struct param *common, json_t **ret, struct error *e);

/* The value of one key, new; NULL when it is not there.  Nothing else is checked. */
char *params_peek(const char *text, const char *key);

/* `failed to parse "--flag" flag: ...`; returns -ERR_BAD_REQUEST. */
int params_error(struct error *e, const char *flag, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* "prefix/name" or "name" (*ret_prefix is "" then).  Both are new. */
int params_split_name(const char *flag, const char *text, char **ret_prefix, char **ret_name,
                      struct error *e);

#endif
