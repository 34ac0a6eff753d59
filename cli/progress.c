/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/progress.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/str.h"

void progress_show(struct progress *p, const char *fmt, ...)
{
    char text[PROGRESS_MAX];
    int64_t now = clock_mono_ms(&clock_real);
    va_list ap;

    if (p->since_ms == 0)
        p->since_ms = now;
    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    for (char *at = text; *at; at++)
        if (*at == '\n' || *at == '\r' || *at == '\033')
            *at = ' ';
    if (isatty(STDERR_FILENO))
        (void)fprintf(stderr, "\r\033[K%.70s (%llds)", text, (long long)(now - p->since_ms) / 1000);
    else if (!streq(text, p->shown))
        (void)fprintf(stderr, "%s\n", text);
    memcpy(p->shown, text, sizeof(text));
}

void progress_end(struct progress *p)
{
    if (p->shown[0] && isatty(STDERR_FILENO))
        (void)fputs("\r\033[K", stderr);
    *p = (struct progress){ 0 };
}
