/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Out of memory and broken invariants end the process here, so that no other
 * code has a branch for them.  Any thread.
 */
#ifndef BASE_MUST_H
#define BASE_MUST_H

#include <jansson.h>
#include <stddef.h>

/* Abort with the place and the text of the condition.  Never for outside input. */
#define must(cond) ((cond) ? (void)0 : must_fail(#cond, __FILE__, __LINE__))
_Noreturn void must_fail(const char *what, const char *file, int line);

void *must_malloc(size_t size);
void *must_calloc(size_t n, size_t size);
void *must_realloc(void *p, size_t size);
char *must_strdup(const char *s);
char *must_strndup(const char *s, size_t n);
char *must_asprintf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/*
 * json_pack; aborts on a bad format, no memory, and on text that is not UTF-8: check or clean
 * what comes from outside first (base/str.h).  New reference.
 */
json_t *must_pack(const char *fmt, ...);

/*
 * Deep copy, dump (compact unless JSON_INDENT is among the flags; caller frees) and object/array
 * setters that steal `v` and never fail.
 */
json_t *must_copy(const json_t *v);
/*
 * A copy with objects and arrays of its own that shares the texts and numbers, which nobody changes
 * in place.  A quarter of must_copy's cost, and jpatch_make sees at a glance what stayed.
 */
json_t *must_branch(const json_t *v);
char *must_dumps(const json_t *v, size_t flags);
void must_set(json_t *object, const char *key, json_t *v);
void must_append(json_t *array, json_t *v);

#endif
