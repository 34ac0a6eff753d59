/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One JSON line an event on stderr: ts, level, component, msg, then keys; a
 * readable line on a terminal.  Any thread; a line is one write.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdbool.h>

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };

/* Verbosity as upstream's -v: 0..1 warn, 2..3 info, 4 and more debug.  Call once in main. */
void log_init(const char *component, int verbosity);
void log_set_verbosity(int verbosity);
bool log_wanted(enum log_level level);

/*
 * msg is constant text; then pairs "key", "value" of strings (a NULL value is
 * written as ""), ended by the macro.  Format numbers with log_i().
 *     log_info("vmi handed over", "ns", ns, "name", name);
 */
void log_event(enum log_level level, const char *msg, ...) __attribute__((sentinel));
#define log_debug(...) \
    (log_wanted(LOG_DEBUG) ? log_event(LOG_DEBUG, __VA_ARGS__, (char *)0) : (void)0)
#define log_info(...) (log_wanted(LOG_INFO) ? log_event(LOG_INFO, __VA_ARGS__, (char *)0) : (void)0)
#define log_warn(...) log_event(LOG_WARN, __VA_ARGS__, (char *)0)
#define log_error(...) log_event(LOG_ERROR, __VA_ARGS__, (char *)0)

/* A number as text in one of a few rotating per-thread buffers: only as an argument of log_*. */
const char *log_i(long long n);

#endif
