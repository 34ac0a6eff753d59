// SPDX-License-Identifier: Apache-2.0
/* XML writer; see xml.h. */
#include "launcher/xml.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/must.h"
#include "base/scope.h"

void xml_init(struct xml *x)
{
    *x = (struct xml){ .out = BUF_INIT(0) };
}

void xml_done(struct xml *x)
{
    buf_done(&x->out);
}

static void indent(struct xml *x)
{
    if (x->out.len > 0)
        buf_adds(&x->out, "\n");
    for (int i = 0; i < x->depth; i++)
        buf_adds(&x->out, "  ");
}

static void end_tag(struct xml *x)
{
    if (x->in_tag)
        buf_adds(&x->out, ">");
    x->in_tag = false;
}

void xml_open(struct xml *x, const char *name)
{
    must(x->depth < XML_DEPTH_MAX);
    end_tag(x);
    indent(x);
    buf_addf(&x->out, "<%s", name);
    x->open[x->depth] = name;
    x->has_text[x->depth] = false;
    x->depth++;
    x->in_tag = true;
}

void xml_attr(struct xml *x, const char *name, const char *value)
{
    must(x->in_tag);
    if (!value)
        return;
    buf_addf(&x->out, " %s=\"", name);
    buf_add_xml(&x->out, value);
    buf_adds(&x->out, "\"");
}

void xml_attrf(struct xml *x, const char *name, const char *fmt, ...)
{
    va_list ap;
    char *value = NULL;

    va_start(ap, fmt);
    must(vasprintf(&value, fmt, ap) >= 0);
    va_end(ap);
    xml_attr(x, name, value);
    free(value);
}

void xml_text(struct xml *x, const char *text)
{
    must(x->depth > 0);
    end_tag(x);
    x->has_text[x->depth - 1] = true;
    buf_add_xml(&x->out, text);
}

void xml_close(struct xml *x)
{
    must(x->depth > 0);
    x->depth--;
    if (x->in_tag) {
        buf_adds(&x->out, "/>");
        x->in_tag = false;
        return;
    }
    if (!x->has_text[x->depth])
        indent(x);
    buf_addf(&x->out, "</%s>", x->open[x->depth]);
}

void xml_empty(struct xml *x, const char *name)
{
    xml_open(x, name);
    xml_close(x);
}

void xml_with(struct xml *x, const char *name, const char *attr, const char *value)
{
    xml_open(x, name);
    xml_attr(x, attr, value);
    xml_close(x);
}

void xml_leaf(struct xml *x, const char *name, const char *text)
{
    xml_open(x, name);
    xml_text(x, text);
    xml_close(x);
}

char *xml_take(struct xml *x)
{
    must(x->depth == 0);
    buf_adds(&x->out, "\n");
    return buf_take(&x->out);
}
