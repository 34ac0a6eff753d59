/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A kept copy of a kind: list, then watch, for ever (bookmarks, 410 -> relist,
 * back-off with jitter; the store is never emptied because a watch broke).
 * All informers of a watcher share its thread.  The store keeps compact text and
 * parses what is asked for (some of it stays parsed): look up by key or index,
 * do not list.  Objects handed out are shared and READ-ONLY: must_copy() before
 * changing.  apiVersion and kind are always set, managedFields never.
 */
#ifndef KUBE_INFORMER_H
#define KUBE_INFORMER_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "kube/client.h"

struct informer;
struct http_watcher;

/* On the watcher's thread, only to enqueue keys.  `old` NULL: added; `obj` NULL: deleted. */
typedef void informer_event_fn(const json_t *old, const json_t *obj, void *ctx);

/* An index: the value of an object under it (new string), or NULL for none. */
typedef char *informer_index_fn(const json_t *obj);

/* Shrink an object before it is stored (managedFields are already gone).  `obj` is owned by the
 * store. */
typedef void informer_trim_fn(json_t *obj);

enum { INFORMER_INDEXES_MAX = 4 };

struct informer_options {
    const struct kube_kind *kind;
    const char *namespace;      /* NULL: all */
    const char *label_selector; /* query form, NULL: all */
    const char *field_selector;
    informer_trim_fn *trim;
    informer_event_fn *on_event;
    void *ctx;
    struct {
        const char *name;
        informer_index_fn *fn;
    } index[INFORMER_INDEXES_MAX];
    int64_t resync_ms;  /* call on_event(obj, obj) for every object this often; 0: never */
    bool may_be_absent; /* the kind's CRD may not exist yet: 404 is retried quietly and counts as
                           synced empty */
};

enum { INFORMER_BACKOFF_FIRST_MS = 800, INFORMER_BACKOFF_MAX_MS = 30 * 1000 };

/*
 * Everything in *o is copied.  Lists at once; a list of several pages is told of as it comes,
 * deletions when it is complete.  An object that was deleted and made again unseen is told of as
 * deleted, then added.
 */
struct informer *informer_start(struct kube *k, struct http_watcher *w,
                                const struct informer_options *o);
/* And free; before http_watcher_free.  No on_event afterwards.  Not from the watcher's thread. */
void informer_stop(struct informer *i);

bool informer_is_synced(const struct informer *i);
/* Wait until all are synced; false after timeout_ms. */
bool informers_wait(struct informer *const *list, size_t n, int64_t timeout_ms);
/* ms since the watch last heard from the server (event, bookmark, open); for /healthz. */
int64_t informer_quiet_ms(const struct informer *i);

/* key is "ns/name" or "name".  New reference or NULL. */
json_t *informer_get(struct informer *i, const char *key);
/* All objects / those whose index value equals `value`: a new array of shared objects. */
json_t *informer_list(struct informer *i);
json_t *informer_by_index(struct informer *i, const char *index, const char *value);
size_t informer_count(struct informer *i);

/* Ready-made index functions. */
char *index_by_controller_uid(const json_t *obj); /* metadata.ownerReferences[controller].uid */
char *index_by_namespace(const json_t *obj);
char *index_by_node(const json_t *obj); /* spec.nodeName */

#endif
