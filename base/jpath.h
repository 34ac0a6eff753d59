/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON by path, written as the user writes it: "spec.domain.cpu.cores",
 * "spec.volumes[0].name".  A key that holds a dot or a bracket is quoted:
 * metadata.labels['kubevirt.io/nodeName'] (either quote).  Reading never
 * changes the value and treats a wrong type as absent, and a malformed path (jpathf with a name
 * from outside) too; in writing a malformed path aborts.  Results are borrowed.
 */
#ifndef BASE_JPATH_H
#define BASE_JPATH_H

#include <jansson.h>
#include <stdbool.h>

#include "base/error.h"

/* The value at path, or NULL. `path` "" is the value itself. */
json_t *jpath(const json_t *v, const char *path);
json_t *jpathf(const json_t *v, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

bool jpath_has(const json_t *v, const char *path); /* present and not null */
const char *jpath_str(const json_t *v, const char *path, const char *dflt);
json_int_t jpath_int(const json_t *v, const char *path, json_int_t dflt);
bool jpath_bool(const json_t *v, const char *path, bool dflt);
json_t *jpath_obj(const json_t *v, const char *path); /* NULL unless an object */
json_t *jpath_arr(const json_t *v, const char *path); /* NULL unless an array */

/*
 * Set, making objects on the way (null counts as absent); steals `value`.  Aborts if a step is not
 * an object; array indexes must exist.  jpath_set_str replaces bytes that are not UTF-8 with '?'.
 */
void jpath_set(json_t *v, const char *path, json_t *value);
void jpath_set_str(json_t *v, const char *path, const char *s);
void jpath_set_int(json_t *v, const char *path, json_int_t i);
void jpath_set_bool(json_t *v, const char *path, bool b);
void jpath_del(json_t *v, const char *path); /* absent is fine */

/* The object at path, made (with its parents) when absent.  Borrowed. */
json_t *jpath_make_obj(json_t *v, const char *path);
json_t *jpath_make_arr(json_t *v, const char *path);

/* The first object of an array whose string member `key` equals `value`; borrowed, or NULL. */
json_t *jarr_find(const json_t *array, const char *key, const char *value);

/* metadata shorthands, borrowed: label/annotation value or NULL; name, namespace, uid or "". */
const char *meta_label(const json_t *obj, const char *key);
const char *meta_annotation(const json_t *obj, const char *key);
const char *meta_name(const json_t *obj);
const char *meta_namespace(const json_t *obj);
const char *meta_uid(const json_t *obj);
bool meta_is_deleting(const json_t *obj);
bool meta_has_finalizer(const json_t *obj, const char *finalizer);
/* The ownerReference with controller=true, borrowed, or NULL. */
const json_t *meta_controller(const json_t *obj);
/* "ns/name", or "name" when not namespaced.  New. */
char *meta_key(const json_t *obj);
/* Split "ns/name" into the caller's buffers; ns is "" when not namespaced.  0 or -1. */
int key_split(const char *key, char ns[254], char name[254]);

/* status.conditions: find by type (borrowed), is its status "True"? */
json_t *condition_find(const json_t *obj, const char *type);
bool condition_is_true(const json_t *obj, const char *type);
/*
 * Set type/status/reason/message in obj.status.conditions (made when absent);
 * lastTransitionTime becomes `now` only when the status changes; reason and message are left out
 * when NULL or "".  True when anything changed.
 */
bool condition_set(json_t *obj, const char *type, const char *status, const char *reason,
                   const char *message, const char *now);
bool condition_remove(json_t *obj, const char *type);

/* Limits for json from outside; JSON_BODY_MAX is for whoever reads it off the network. */
enum { JSON_DEPTH_MAX = 100, JSON_BODY_MAX = 3 * 1024 * 1024 };
/* Objects and arrays in a text: at most JSON_CONTAINERS_FREE + len / JSON_CONTAINER_BYTES. */
enum { JSON_CONTAINERS_FREE = 1000, JSON_CONTAINER_BYTES = 8 };

/*
 * Parse one JSON text (any value) from outside: depth and number of containers bounded; duplicate
 * keys, trailing garbage, NUL characters, numbers that do not fit and invalid UTF-8 refused.  The
 * caller has bounded len.  New reference in *ret; -ERR_BAD_REQUEST with the position in the
 * message otherwise.
 */
int json_parse(json_t **ret, const void *data, size_t len, struct error *e);
/* The same, with leave to leave out what nobody reads: `unread` as for jread_but (base/jread.h). */
int json_parse_but(json_t **ret, const void *data, size_t len, const char *const *unread,
                   struct error *e);

#endif
