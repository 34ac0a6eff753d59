/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an informer keeps: objects by key as compact text, with indexes.  The
 * most recently used ones also stay parsed, up to STORE_HOT_BYTES of text.  Any
 * thread; used inside kube/ only.
 */
#ifndef KUBE_STORE_H
#define KUBE_STORE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "kube/informer.h"

enum { STORE_HOT_BYTES = 256 * 1024 };

struct store;

struct store_index {
    const char *name;
    informer_index_fn *fn;
};

struct store *store_new(const struct store_index *index,
                        size_t len); /* copied; names must outlive it */
void store_free(struct store *s);

/* Keep obj (shared from now on) under key; what was there before, or NULL, is returned. */
json_t *store_put(struct store *s, const char *key, json_t *obj);
json_t *store_remove(struct store *s, const char *key); /* new reference or NULL */

json_t *store_get(struct store *s, const char *key);
json_t *store_list(struct store *s);
json_t *store_by_index(struct store *s, const char *index, const char *value);
size_t store_count(struct store *s);
/* All keys, or those not seen since store_mark(): new array of strings. */
json_t *store_keys(struct store *s, bool only_unseen);

/* A full list begins: nothing has been seen yet. */
void store_mark(struct store *s);
/* Is exactly this version there?  Then it counts as seen. */
bool store_has(struct store *s, const char *key, const char *resource_version);

#endif
