/* SPDX-License-Identifier: Apache-2.0 */
/* What to do about a failure, in words beside the server's own.  Pure. */
#ifndef CLI_EXPLAIN_H
#define CLI_EXPLAIN_H

#include "base/error.h"

struct buf;

/*
 * Append advice, a line or more that end with newlines; nothing where there is none to give.
 * `namespace` is where was looked.
 */
void explain_failure(const struct error *e, const char *program, const char *namespace,
                     struct buf *out);

#endif
