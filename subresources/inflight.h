/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which exchanges with virt-handler are on their way, so that the end of the
 * server can end them: a call is answered, a stream closed.  Each belongs to the
 * loop of its client's connection and is only touched there.
 */
#ifndef SUBRESOURCES_INFLIGHT_H
#define SUBRESOURCES_INFLIGHT_H

#include <stdbool.h>
#include <stdint.h>

struct inflight; /* the list */
struct loop;

/* One of them; a member of what it stands for.  Zero-initialise. */
struct inflight_item {
    struct inflight_item *prev, *next;
    struct loop *loop;
    bool is_cut; /* set once on the loop, before `cut` is called */
    /* On the loop, once: end soon.  May remove the item at once or later. */
    void (*cut)(struct inflight_item *item);
};

struct inflight *inflight_new(void);
void inflight_free(struct inflight *f); /* empty by now */

/* Any thread / on the item's loop. */
void inflight_add(struct inflight *f, struct inflight_item *item);
void inflight_remove(struct inflight *f, struct inflight_item *item);

/*
 * Cut all and wait until they are gone; false when some are left after timeout_ms.
 * Nothing may be added meanwhile.  Not on a loop.
 */
bool inflight_cut(struct inflight *f, int64_t timeout_ms);

#endif
