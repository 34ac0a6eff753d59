/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The sessions of one stream of one machine (its hub): how many there may be,
 * which of them writes, and the one connection to the guest that those of a console share.
 * Found by name in constant time.
 *
 * A session joins on any thread, before its client is answered; from hub_enter on it belongs to the
 * websocket thread, as all the rest does.
 */
#ifndef HANDLER_HUB_H
#define HANDLER_HUB_H

#include <stdbool.h>
#include <stddef.h>

#include "handler/roles.h"

struct guest;
struct hub;
struct hubs;

enum { HUB_NAME_MAX = 120, HUB_FREE_MAX = 256 };

enum hub_kind {
    HUB_CONSOLE, /* one connection to the guest for all, one writes */
    HUB_SCREEN,  /* a connection each, several may type: RFB */
    HUB_SINGLE,  /* one session at a time, a second one is refused */
    HUB_FREE,    /* a connection each, which know nothing of each other; HUB_FREE_MAX */
};

enum hub_answer {
    HUB_JOINED,
    HUB_IS_USED, /* HUB_SINGLE, or ASK_PRESERVE while somebody types */
    HUB_IS_FULL, /* viewers_max, HUB_FREE_MAX */
    HUB_NO_MORE, /* sessions_max of this process, or it stops */
};

struct member;
struct member_events {
    void (*is_replaced)(struct member *m); /* another one took over: hub_leave it in here */
    void (*is_changed)(struct member *m);  /* its part or the number of members may have changed */
};

/* Embedded in its session. */
struct member {
    const struct member_events *on;
    struct hub *hub; /* NULL: not in one (any more) */
    struct role role;
    bool is_entered;
    bool counts_as_typing; /* guarded by the hubs' lock */
};

struct hubs *hubs_new(size_t sessions_max, size_t viewers_max);
void hubs_free(struct hubs *all); /* none is left */
/* From now on nobody joins. */
void hubs_stop(struct hubs *all);
/* How many sessions there are, also those that only joined.  Any thread. */
size_t hubs_count(struct hubs *all);

/* m->role.ask is set.  Joined: until hub_leave.  Any thread. */
enum hub_answer hub_join(struct hubs *all, const char *name, enum hub_kind kind, struct member *m);
/* Must a connection to the guest be brought along?  It may be too many by then.  Any thread. */
bool hub_wants_guest(const struct member *m);

/* ---- the websocket thread ---- */

void hub_enter(struct member *m);
void hub_leave(struct member *m); /* nothing, when it is in none */
enum hub_kind hub_kind(const struct hub *h);
size_t hub_size(const struct hub *h); /* who entered */
/* What HUB_CONSOLE's members share; NULL when there is none (any more). */
struct guest *hub_guest(const struct hub *h);
/* Takes g; NULL: the present one has ended. */
void hub_set_guest(struct hub *h, struct guest *g);
/* Close them all, of hubs whose sessions are only joined. */
void hubs_close_guests(struct hubs *all);

#endif
