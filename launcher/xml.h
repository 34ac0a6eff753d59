/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writes XML: elements nest, attributes and text are escaped, and an element
 * without content is closed at once.  Only for our own documents (libvirt
 * domains); nothing here reads XML.  One owner.
 */
#ifndef LAUNCHER_XML_H
#define LAUNCHER_XML_H

#include <stdbool.h>

#include "base/buf.h"

enum { XML_DEPTH_MAX = 16 };

struct xml {
    struct buf out;
    const char *open[XML_DEPTH_MAX]; /* static strings */
    bool has_text[XML_DEPTH_MAX];
    int depth;
    bool in_tag; /* "<name ..." is not yet ended */
};

void xml_init(struct xml *x);
void xml_done(struct xml *x);

/* `name` is a static string.  Attributes follow their xml_open. */
void xml_open(struct xml *x, const char *name);
void xml_attr(struct xml *x, const char *name, const char *value); /* NULL value: left out */
void xml_attrf(struct xml *x, const char *name, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
void xml_text(struct xml *x, const char *text);
void xml_close(struct xml *x);

/* <name/>, <name attr='value'/>, <name>text</name> in one call. */
void xml_empty(struct xml *x, const char *name);
void xml_with(struct xml *x, const char *name, const char *attr, const char *value);
void xml_leaf(struct xml *x, const char *name, const char *text);

/* The document; every element must be closed.  New string. */
char *xml_take(struct xml *x);

#endif
