/* SPDX-License-Identifier: Apache-2.0 */
/* Log lines: built in memory, sent with one write. */
#include "base/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/scope.h"
#include "base/str.h"

enum {
    LOG_VALUE_MAX = 4 * 1024, /* bytes of one value that are shown */
    NUMBER_SLOTS = 8,
    NUMBER_MAX = 24,
};

static const struct {
    const char *name;  /* in JSON */
    const char *label; /* on a terminal */
} levels[] = {
    [LOG_DEBUG] = { "debug", "DEBUG" },
    [LOG_INFO] = { "info", "INFO " },
    [LOG_WARN] = { "warn", "WARN " },
    [LOG_ERROR] = { "error", "ERROR" },
};

static const char *component = "";
static bool is_terminal;
static atomic_int lowest = LOG_INFO;

void log_init(const char *name, int verbosity)
{
    component = name;
    is_terminal = isatty(STDERR_FILENO);
    log_set_verbosity(verbosity);
}

void log_set_verbosity(int verbosity)
{
    atomic_store_explicit(&lowest,
                          verbosity >= 4   ? LOG_DEBUG
                          : verbosity >= 2 ? LOG_INFO
                                           : LOG_WARN,
                          memory_order_relaxed);
}

bool log_wanted(enum log_level level)
{
    return (int)level >= atomic_load_explicit(&lowest, memory_order_relaxed);
}

const char *log_i(long long n)
{
    static _Thread_local char slots[NUMBER_SLOTS][NUMBER_MAX];
    static _Thread_local unsigned next;
    char *slot = slots[next++ % NUMBER_SLOTS];

    (void)snprintf(slot, NUMBER_MAX, "%lld", n);
    return slot;
}

/* One character as JSON; returns the bytes of `s` that it took. */
static size_t add_escaped(struct buf *line, const char *s)
{
    static const char plain[] = "\"\\\n\r\t\b\f";
    static const char *const named[] = { "\\\"", "\\\\", "\\n", "\\r", "\\t", "\\b", "\\f" };
    const char *at = strchr(plain, *s);
    const size_t n = str_utf8_len(s);

    if (at)
        (void)buf_adds(line, named[at - plain]);
    else if (n == 0)
        (void)buf_adds(line, "\\ufffd");
    else if ((unsigned char)*s < 0x20 || *s == 0x7f)
        (void)buf_addf(line, "\\u%04x", (unsigned char)*s);
    else
        (void)buf_add(line, s, n);
    return n ? n : 1;
}

static void add_quoted(struct buf *line, const char *s)
{
    const char *end = s + strnlen(s, LOG_VALUE_MAX);
    const bool is_cut = *end != '\0';

    (void)buf_adds(line, "\"");
    while (s < end)
        s += add_escaped(line, s);
    (void)buf_adds(line, is_cut ? "...\"" : "\"");
}

static bool is_bare_word(const char *s)
{
    static const char other[] = "-_./:@%+,";

    if (!*s)
        return false;
    for (; *s; s++) {
        const char c = *s;
        const bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        if (!is_letter && !(c >= '0' && c <= '9') && !strchr(other, c))
            return false;
    }
    return true;
}

static void add_json(struct buf *line, enum log_level level, const char *msg, va_list ap)
{
    char ts[RFC3339_MAX];

    (void)buf_addf(line, "{\"ts\":\"%s\",\"level\":\"%s\",\"component\":",
                   rfc3339_milli(clock_wall_ms(&clock_real), ts), levels[level].name);
    add_quoted(line, component);
    (void)buf_adds(line, ",\"msg\":");
    add_quoted(line, msg);
    for (const char *key = va_arg(ap, const char *); key; key = va_arg(ap, const char *)) {
        const char *value = va_arg(ap, const char *);
        (void)buf_adds(line, ",");
        add_quoted(line, key);
        (void)buf_adds(line, ":");
        add_quoted(line, value ? value : "");
    }
    (void)buf_adds(line, "}\n");
}

static void add_readable(struct buf *line, enum log_level level, const char *msg, va_list ap)
{
    char ts[RFC3339_MAX];

    (void)rfc3339_milli(clock_wall_ms(&clock_real), ts);
    /* The date is known to whoever sits there. */
    (void)buf_addf(line, "%.12s %s %s", strchr(ts, 'T') + 1, levels[level].label, msg);
    for (const char *key = va_arg(ap, const char *); key; key = va_arg(ap, const char *)) {
        const char *value = va_arg(ap, const char *);
        (void)buf_addf(line, "  %s=", key);
        if (value && is_bare_word(value) && strlen(value) <= LOG_VALUE_MAX)
            (void)buf_adds(line, value);
        else
            add_quoted(line, value ? value : "");
    }
    (void)buf_adds(line, "\n");
}

void log_event(enum log_level level, const char *msg, ...)
{
    if (!log_wanted(level))
        return;

    scoped_buf line = BUF_INIT(0); /* values are bounded, and their number is in the code */
    va_list ap;
    va_start(ap, msg);
    if (is_terminal)
        add_readable(&line, level, msg, ap);
    else
        add_json(&line, level, msg, ap);
    va_end(ap);

    ssize_t n;
    do
        n = write(STDERR_FILENO, line.data, line.len);
    while (n < 0 && errno == EINTR);
}
