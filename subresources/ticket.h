/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tickets of links: "cvirt-ticket.PAYLOAD.MAC", both base64url.  The payload says who
 * the bearer is (the user who asked for the link), for which machine, and until when;
 * the MAC's key is derived from the serving key, so that every replica takes what
 * another gave, and nothing is stored.  Tickets of the key before the present one are
 * still good.  A ticket gives no rights: each use is authorised as its user.  Any thread.
 */
#ifndef SUBRESOURCES_TICKET_H
#define SUBRESOURCES_TICKET_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "http/tls.h"

#define TICKET_PREFIX "cvirt-ticket."

enum {
    /* A user's groups may be many; a ticket must fit a header of any proxy, encoded twice. */
    TICKET_PAYLOAD_MAX = 3 * 1024,
    TICKET_TEXT_MAX = sizeof(TICKET_PREFIX) + TICKET_PAYLOAD_MAX / 3 * 4 + 64,
};

struct ticket {
    char id[37];  /* for logs; a new one by ticket_seal */
    json_t *user; /* UserInfo; owned by the ticket once it was opened */
    char namespace[254];
    char name[254];
    char machine_uid[64]; /* machine_uid() of the instance */
    int64_t until_ms;     /* wall clock */
};

void ticket_done(struct ticket *t);

/* New text.  -ERR_TOO_LARGE for a user with too many groups; -ERR_UNAVAILABLE without a key. */
int ticket_seal(struct ticket *t, const struct tls_keys *keys, char **ret, struct error *e);

bool ticket_is_one(const char *text);
/* *ret is to be released.  -ERR_UNAUTHORIZED: altered, of a key that is gone, or expired. */
int ticket_open(const char *text, const struct tls_keys *keys, int64_t now_ms, struct ticket *ret,
                struct error *e);

/*
 * What stays the same while a machine is restarted: the uid of the VirtualMachine that controls
 * this instance, else the object's own.  Borrowed.
 */
const char *machine_uid(const json_t *obj);

#endif
