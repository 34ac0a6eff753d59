/* SPDX-License-Identifier: Apache-2.0 */
/*
 * XML as a list of lines, one an element: where it stands, its attributes in
 * order of their names, its text.  Enough for comparing two libvirt domains
 * whatever the order of elements; not a general parser (no comments, CDATA or
 * entities but the five).
 */
#ifndef TEST_UNIT_XML_FLAT_H
#define TEST_UNIT_XML_FLAT_H

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/must.h"
#include "base/scope.h"

enum { FLAT_LINES_MAX = 600, FLAT_DEPTH_MAX = 16, FLAT_ATTRS_MAX = 16 };

struct flat {
    char *line[FLAT_LINES_MAX];
    size_t len;
};

static inline void flat_done(struct flat *f)
{
    for (size_t i = 0; i < f->len; i++)
        free(f->line[i]);
    f->len = 0;
}

static inline int flat_compare(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* ` name="value"` of a start tag, sorted by name, appended to `out`; the place behind them. */
static inline const char *flat_attrs(const char *at, struct buf *out)
{
    char *attr[FLAT_ATTRS_MAX];
    size_t n = 0;

    for (at += strspn(at, " \n"); *at && *at != '>' && *at != '/'; at += strspn(at, " \n")) {
        size_t name = strcspn(at, "=");
        char quote = at[name + 1];
        const char *value = at + name + 2;
        size_t len = (size_t)(strchr(value, quote) - value);
        must(n < FLAT_ATTRS_MAX);
        attr[n++] = must_asprintf(" %.*s=%.*s", (int)name, at, (int)len, value);
        at = value + len + 1;
    }
    qsort(attr, n, sizeof(attr[0]), flat_compare);
    for (size_t i = 0; i < n; i++) {
        buf_adds(out, attr[i]);
        free(attr[i]);
    }
    return at;
}

static inline void flat_text(const char *from, const char *to, struct buf *out)
{
    while (from < to && isspace((unsigned char)*from))
        from++;
    while (from < to && isspace((unsigned char)to[-1]))
        to--;
    if (from < to) {
        buf_adds(out, " : ");
        buf_add(out, from, (size_t)(to - from));
    }
}

/* Lines of a well-formed document, sorted. */
static inline void flat_read(struct flat *f, const char *xml)
{
    char path[1024] = "";

    f->len = 0;
    for (const char *at = strchr(xml, '<'); at; at = strchr(at, '<')) {
        if (at[1] == '/') {
            *strrchr(path, '/') = '\0';
            at++;
            continue;
        }
        size_t name = strcspn(at + 1, " />\n");
        size_t used = strlen(path);
        (void)snprintf(path + used, sizeof(path) - used, "/%.*s", (int)name, at + 1);
        scoped_buf line = BUF_INIT(0);
        buf_adds(&line, path);
        at = flat_attrs(at + 1 + name, &line);
        if (*at == '/')
            path[used] = '\0';
        else
            flat_text(at + 1, at + strcspn(at, "<"), &line);
        must(f->len < FLAT_LINES_MAX);
        f->line[f->len++] = buf_take(&line);
    }
    qsort(f->line, f->len, sizeof(f->line[0]), flat_compare);
}

#endif
