/* SPDX-License-Identifier: Apache-2.0 */
/*
 * core/v1 Events, as client-go's recorder makes them: written by a thread of
 * its own from a bounded queue (the oldest is dropped), repeats aggregated by
 * count, a token bucket for each object.  Never blocks.
 */
#ifndef KUBE_EVENT_H
#define KUBE_EVENT_H

#include "kube/client.h"

struct event_recorder;

/* client-go's figures. */
enum {
    EVENT_QUEUE_MAX = 1000,
    EVENT_MESSAGE_MAX = 1024,
    EVENT_SIMILAR_MAX = 10,        /* messages of one reason about one object, within ... */
    EVENT_SIMILAR_MS = 600 * 1000, /* ... this, before they are combined into one event */
    EVENT_BURST = 25,              /* about one object; then one in 300 s */
    EVENT_TRIES = 12,              /* while the server cannot be reached */
    EVENT_REMEMBERED =
        4096, /* objects, reasons and messages that are known; least recently used go */
};

struct event_recorder *event_recorder_start(struct kube *k, const char *component,
                                            const char *host /* or NULL */);
void event_recorder_stop(struct event_recorder *r); /* what is queued gets 2 s to leave */

enum event_type { EVENT_NORMAL, EVENT_WARNING };

/* About `obj` (apiVersion and kind from `kind`).  Any thread. */
void event_record(struct event_recorder *r, const struct kube_kind *kind, const json_t *obj,
                  enum event_type type, const char *reason, const char *fmt, ...)
    __attribute__((format(printf, 6, 7)));

#endif
