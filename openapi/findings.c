/* SPDX-License-Identifier: Apache-2.0 */
#include "openapi/findings.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/must.h"

static const char *const cause_texts[] = {
#define X(name, text) [CAUSE_##name] = text,
    CAUSES(X)
#undef X
};

const char *cause_text(enum cause c)
{
    return cause_texts[c];
}

void findings_init(struct findings *f)
{
    f->len = 0;
    f->dropped = f->mild = 0;
}

void findings_done(struct findings *f)
{
    for (size_t i = 0; i < f->len; i++) {
        free(f->item[i].field);
        free(f->item[i].message);
    }
    findings_init(f);
}

/* Cut what vsnprintf had no room for, between two characters: JSON takes whole ones only. */
static void mark_cut(char text[FINDING_TEXT_MAX])
{
    size_t end = FINDING_TEXT_MAX - sizeof("...");

    while (end && ((unsigned char)text[end] & 0xc0) == 0x80)
        end--;
    memcpy(text + end, "...", sizeof("..."));
}

/* takes `field` */
static void add(struct findings *f, enum cause cause, char *field, const char *fmt, va_list ap)
{
    struct finding *item = &f->item[f->len++];
    char text[FINDING_TEXT_MAX];

    if (vsnprintf(text, sizeof(text), fmt, ap) >= (int)sizeof(text))
        mark_cut(text);
    item->cause = cause;
    item->field = field;
    item->message = must_strdup(text);
}

/* Write at `text + len`; the length that all of it would have. */
static size_t at_write(const struct at *at, char text[FINDING_TEXT_MAX])
{
    if (!at)
        return 0;

    const size_t len = at_write(at->up, text);
    if (len >= FINDING_TEXT_MAX)
        return len;

    char *end = text + len;
    const size_t room = FINDING_TEXT_MAX - len;
    int added;
    if (!at->name)
        added = snprintf(end, room, "[%zu]", at->index);
    else if (at->is_key)
        added = snprintf(end, room, "[%s]", at->name);
    else
        added = snprintf(end, room, "%s%s", len ? "." : "", at->name);
    return len + (size_t)added;
}

char *at_text(const struct at *at)
{
    char text[FINDING_TEXT_MAX] = "";

    if (at_write(at, text) >= sizeof(text))
        mark_cut(text);
    return must_strdup(text);
}

void findings_add(struct findings *f, enum cause cause, const char *field, const char *fmt, ...)
{
    if (findings_full(f)) {
        f->dropped++;
        return;
    }
    va_list ap;
    va_start(ap, fmt);
    add(f, cause, at_text(&AT_NAME(NULL, field ? field : "")), fmt, ap);
    va_end(ap);
}

void findings_add_at(struct findings *f, enum cause cause, const struct at *at, const char *fmt,
                     ...)
{
    if (findings_full(f)) {
        f->dropped++;
        return;
    }
    va_list ap;
    va_start(ap, fmt);
    add(f, cause, at_text(at), fmt, ap);
    va_end(ap);
}

json_t *findings_causes(const struct findings *f)
{
    json_t *causes = json_array();

    for (size_t i = 0; i < f->len; i++) {
        const struct finding *item = &f->item[i];
        must_append(causes, must_pack("{s:s, s:s, s:s}", "reason", cause_text(item->cause),
                                      "message", item->message, "field", item->field));
    }
    return causes;
}

char *findings_message(const struct findings *f)
{
    struct buf out = BUF_INIT(0);

    for (size_t i = 0; i < f->len && i < FINDINGS_SHOWN; i++) {
        const struct finding *item = &f->item[i];
        buf_addf(&out, "%s%s%s%s", i ? ", " : "", item->field, *item->field ? ": " : "",
                 item->message);
    }
    if (f->len + f->dropped > FINDINGS_SHOWN)
        buf_addf(&out, ", and %zu more validation errors", f->len + f->dropped - FINDINGS_SHOWN);
    return buf_take(&out);
}
