/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The quick reader of JSON text, which json_parse (base/jpath.h) tries first: a third of the
 * instructions of jansson's own.  It takes what Kubernetes writes, and leaves the rest (fractions,
 * surrogates, every kind of fault) to jansson, which also words the faults.  What it does take, it
 * takes exactly as jansson would.  Any thread.
 */
#ifndef BASE_JREAD_H
#define BASE_JREAD_H

#include <jansson.h>
#include <stddef.h>

/*
 * The value of a text with at most `depth_max` levels and `containers_max` objects and arrays, as
 * a new reference; NULL when the text is not taken.
 */
json_t *jread(const char *text, size_t len, int depth_max, size_t containers_max);
/*
 * ... of which members that nobody reads may be left out: in objects that are members of the
 * outermost one, those of the names `unread` (at most 16, NULL-terminated) whose value is an
 * object of a few plain texts.  They are checked like all others.
 */
json_t *jread_but(const char *text, size_t len, int depth_max, size_t containers_max,
                  const char *const *unread);

#endif
