/* SPDX-License-Identifier: Apache-2.0 */
/* The fake API server's memory: objects and their history.  No locks: kube.c holds one. */
#ifndef TEST_FAKE_KUBE_STORE_H
#define TEST_FAKE_KUBE_STORE_H

#include <jansson.h>
#include <stdbool.h>

#include "base/error.h"

/* A request's path, taken apart.  Empty strings where a part is missing. */
struct fake_path {
    char group[128], version[64], ns[254], plural[128], name[254], sub[64];
    bool is_known;
};
struct fake_path fake_path_parse(const char *path);

struct fake_change {
    long long version;
    const char *type; /* ADDED, MODIFIED, DELETED */
    char collection[256];
    json_t *obj, *old; /* old: NULL when ADDED */
};

struct fake_store {
    json_t *collections; /* "group/plural": {"ns/name": object} */
    struct fake_change *changes;
    size_t changes_len, changes_cap;
    long long version;
    long long compacted; /* changes up to here are forgotten */
};

void fake_store_init(struct fake_store *s);
void fake_store_done(struct fake_store *s);
void fake_store_compact(struct fake_store *s);

const char *fake_collection(const struct fake_path *p, char out[256]);
json_t *fake_store_peek(struct fake_store *s, const struct fake_path *p);
/* Write obj (stolen), or remove it when NULL; recorded as a change.  The object as kept, borrowed.
 */
json_t *fake_store_write(struct fake_store *s, const struct fake_path *p, json_t *obj);

/* The verbs as a client sees them: *ret is new. */
int fake_store_create(struct fake_store *s, const struct fake_path *p, const json_t *body,
                      json_t **ret, struct error *e);
int fake_store_update(struct fake_store *s, const struct fake_path *p, const json_t *body,
                      json_t **ret, struct error *e);
int fake_store_patch(struct fake_store *s, const struct fake_path *p, const char *content_type,
                     const json_t *patch, json_t **ret, struct error *e);
int fake_store_delete(struct fake_store *s, const struct fake_path *p, const json_t *options,
                      json_t **ret, struct error *e);

/* Do selectors of a query (NULL: all) and the namespace let the object through? */
struct fake_filter {
    char ns[254];
    char labels[512];
    char fields[512];
};
bool fake_filter_passes(const struct fake_filter *f, const json_t *obj);

#endif
