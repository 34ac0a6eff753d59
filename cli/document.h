/* SPDX-License-Identifier: Apache-2.0 */
/* Objects as the user writes and reads them: YAML or JSON, in files and on stdout. */
#ifndef CLI_DOCUMENT_H
#define CLI_DOCUMENT_H

#include <jansson.h>

#include "base/error.h"
#include "base/options.h"

enum { DOCUMENT_MAX = 3 * 1024 * 1024 };

/*
 * Print as "yaml", or as "json" (also for "") with `indent` blanks a level.  -ERR_INTERNAL when
 * stdout cannot be written.
 */
int document_print(const json_t *v, const char *format, size_t indent, struct error *e);

/* The one object that a file ("-" is stdin) holds as YAML or JSON.  *ret is new. */
int document_read(const char *file, json_t **ret, struct error *e);

/*
 * "a=b,c=d", as often as the flag was given, to an object (new; NULL when the flag was not given).
 * `flag` is named in the error.
 */
int document_pairs(const struct option_list *values, const char *flag, json_t **ret,
                   struct error *e);

/* The row of a command's table for -o of what is JSON by default, and of what is YAML. */
#define OUTPUT_FLAG                                                                            \
    {                                                                                          \
        "output", 'o', OPTION_WORD, FLAG(output), .dflt = "", .arg = "json|yaml",              \
                                                  .help = "How the document is printed; JSON " \
                                                          "when not given."                    \
    }

#endif
