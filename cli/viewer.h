/* SPDX-License-Identifier: Apache-2.0 */
/* The VNC viewers that are known, and how each is started.  Pure. */
#ifndef CLI_VIEWER_H
#define CLI_VIEWER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

enum { VIEWER_WORDS_MAX = 4, VIEWER_WORD_MAX = 64, VIEWER_DEBUG_VERBOSITY = 4 };

struct viewer_words {
    char *argv[VIEWER_WORDS_MAX]; /* NULL-terminated; into the strings given and text */
    char text[VIEWER_WORD_MAX];
};

/* Is it "" or a type that runs on this system? */
int viewer_check(const char *type, struct error *e);

/* The i-th attempt to show 127.0.0.1:port with a viewer of this type and program ("": any); false
 * when there are no more.  *ret must not move while its argv is used. */
bool viewer_words(struct viewer_words *ret, size_t i, const char *type, const char *path, int port,
                  bool is_debug);

#endif
