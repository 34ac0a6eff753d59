/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a controller has done that its informers have not shown yet.  A key
 * whose own deeds are still outstanding is left alone until the events arrive,
 * so that nothing is created, deleted or written twice from an old copy.
 * Any thread.
 *
 * Two kinds: tokens (an object that will appear or go, named before the call is
 * made) and the resourceVersion of the last write to the key's own object.
 * Both are given up after a minute: an event may have been folded into a relist.
 */
#ifndef CONTROLLER_EXPECTATIONS_H
#define CONTROLLER_EXPECTATIONS_H

#include <jansson.h>
#include <stdbool.h>

#include "base/clock.h"
#include "kube/informer.h"

struct expectations;

enum { EXPECTATION_MAX_MS = 60000 };

struct expectations *expectations_new(const struct clock *clock);
void expectations_free(struct expectations *x);

/* Before the call: an object called `name` will appear; the one with `uid` will be marked or go. */
void expect_birth(struct expectations *x, const char *key, const char *name);
void expect_death(struct expectations *x, const char *key, const char *uid);
/* From an event, or because the call failed. */
void saw_birth(struct expectations *x, const char *key, const char *name);
void saw_death(struct expectations *x, const char *key, const char *uid);
/*
 * After a deletion that went well: the event may have come before it was
 * expected (somebody else deleted too), so look at what `children` has.
 */
void check_death(struct expectations *x, const char *key, struct informer *children,
                 const json_t *child);
/* Both at once, for an informer's event about a child of `key`. */
void saw_child(struct expectations *x, const char *key, const json_t *old, const json_t *obj);

/* The API server's answer to a write of the key's own object (NULL is ignored). */
void expect_version(struct expectations *x, const char *key, const json_t *answer);

/* Is `own` (the informer's copy) as new as the last write, and nothing else outstanding? */
bool expectations_are_met(struct expectations *x, const char *key, const json_t *own);

void expectations_forget(struct expectations *x, const char *key);

#endif
