/* SPDX-License-Identifier: Apache-2.0 */
/* One line on stderr about a wait: it is rewritten on a terminal, else printed when it changes. */
#ifndef CLI_PROGRESS_H
#define CLI_PROGRESS_H

#include <stdint.h>

enum { PROGRESS_MAX = 300 };

/* Zero-initialise. */
struct progress {
    int64_t since_ms;
    char shown[PROGRESS_MAX];
};

/* Line breaks in it become spaces; on a terminal the seconds waited are added. */
void progress_show(struct progress *p, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* The wait is over; what was on the terminal is taken away. */
void progress_end(struct progress *p);

#endif
