/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What becomes of an event: a new one, one more of a known one, or nothing.
 * client-go's rules without its threads and clocks; one thread.
 */
#ifndef KUBE_CORRELATOR_H
#define KUBE_CORRELATOR_H

#include <jansson.h>
#include <stdint.h>

struct correlator;

/* Everything that makes two events the same, `message` apart. */
struct event_facts {
    const char *component, *host; /* host "" when none */
    const json_t *involved;       /* ObjectReference */
    const char *type, *reason, *message;
};

enum event_fate {
    EVENT_NEW,    /* POST event */
    EVENT_REPEAT, /* PATCH {count, lastTimestamp, message} to the event of that name */
    EVENT_DROP,   /* too many about this object */
};

struct event_verdict {
    enum event_fate fate;
    json_t *event; /* the whole object or the patch; new, NULL with EVENT_DROP */
    char *namespace, *name;
    char *memory; /* the key under which it is remembered: for correlator_forget */
};
void event_verdict_done(struct event_verdict *v);

struct correlator *correlator_new(void);
void correlator_free(struct correlator *c);
struct event_verdict correlator_judge(struct correlator *c, const struct event_facts *f,
                                      int64_t wall_ms);
/* The server does not have the event (any more): the next of its kind is new. */
void correlator_forget(struct correlator *c, const char *memory);

#endif
