/* SPDX-License-Identifier: Apache-2.0 */
/* JSON Patch (RFC 6902) and JSON Merge Patch (RFC 7386) on json_t.  Pure; any thread. */
#ifndef BASE_JPATCH_H
#define BASE_JPATCH_H

#include <jansson.h>
#include <stdbool.h>

#include "base/error.h"

struct buf;

/* Operations of a patch; values (scalars included) that all of them together add, copy and move. */
enum { JPATCH_OPS_MAX = 10000, JPATCH_NODES_MAX = 500000 };

/*
 * Apply `patch` to *doc, which is replaced only on success (the old value is
 * released).  -ERR_BAD_REQUEST for a malformed patch, -ERR_INVALID when a path
 * does not exist (or the result would nest deeper than JSON_DEPTH_MAX), -ERR_CONFLICT when a
 * test operation fails.
 */
int jpatch_apply(json_t **doc, const json_t *patch, struct error *e);

/*
 * The patch that makes `after` of `before`: add, remove and replace only, down to the members and
 * elements that differ.  New array, [] when equal.
 */
json_t *jpatch_make(const json_t *before, const json_t *after);
/* The same patch appended as text, without a value made of it.  False when it is []. */
bool jpatch_write(struct buf *out, const json_t *before, const json_t *after);

/* Build a patch by hand.  `value` is stolen.  `path` is a JSON pointer. */
void jpatch_add(json_t *patch, const char *path, json_t *value);
void jpatch_replace(json_t *patch, const char *path, json_t *value);
void jpatch_test(json_t *patch, const char *path, json_t *value); /* value NULL tests for null */
void jpatch_remove(json_t *patch, const char *path);

/* Merge patch: returns the new value (target borrowed; NULL is nothing). */
json_t *jmerge_apply(const json_t *target, const json_t *patch);
/*
 * The merge patch that makes `after` of `before`; new, {} when equal.  Arrays are replaced whole; a
 * null in `after` cannot be said.
 */
json_t *jmerge_make(const json_t *before, const json_t *after);

#endif
