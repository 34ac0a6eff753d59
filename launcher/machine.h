/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is known of the machine, as the Domain of docs/LAUNCHER-API.md.  A value
 * that is replaced whole: readers get a reference on an immutable object.
 * Any thread.
 */
#ifndef LAUNCHER_MACHINE_H
#define LAUNCHER_MACHINE_H

#include <jansson.h>
#include <stdbool.h>

struct machine;

/* Called after each change, without a lock held, on the thread that made it. */
typedef void machine_change_fn(void *arg);

struct machine *machine_new(const char *name, const char *uid, machine_change_fn *fn, void *arg);
void machine_free(struct machine *m);

/*
 * Set members of the Domain; takes `members`.  A member that is null is removed.  When
 * nothing differs, nothing happens; else the revision grows and the change is told.
 * Until machine_show nothing is told and machine_get gives NULL.
 */
void machine_update(struct machine *m, json_t *members);
/* The domain exists from now on. */
void machine_show(struct machine *m);
bool machine_is_shown(struct machine *m);

/* New reference on the present value, or NULL before machine_show. */
json_t *machine_get(struct machine *m);

#endif
