/* SPDX-License-Identifier: Apache-2.0 */
/* What differs between two texts, line by line, as `diff -u` writes it.  Pure. */
#ifndef CLI_DIFF_H
#define CLI_DIFF_H

struct buf;

enum {
    DIFF_CONTEXT = 3, /* equal lines around a change */
    DIFF_CELLS_MAX =
        16000000, /* lines x lines that are compared; a larger part is shown as replaced */
};

/* Append the difference; nothing when the texts are equal.  Each line ends with a newline. */
void diff_unified(const char *name_before, const char *before, const char *name_after,
                  const char *after, struct buf *out);

#endif
