/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The launcher's API on its unix socket (docs/LAUNCHER-API.md): routes, who may
 * call, deadlines, the event stream.
 */
#ifndef LAUNCHER_API_H
#define LAUNCHER_API_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/error.h"

struct api;
struct launcher;

enum api_caller {
    CALLER_NODE,  /* virt-handler, as root, or the launcher's own user */
    CALLER_PROBE, /* virt-probe: the launcher's own user, inside its container */
};

/* May a peer with these credentials make the calls that are meant for `caller`? */
bool api_may_call(enum api_caller caller, uid_t uid, pid_t pid);

/* Listen on launcher-init-sock in `dir`.  On the loop's thread. */
int api_start(struct api **ret, struct launcher *l, const char *dir, struct error *e);
/* Ready: launcher-sock from now on.  Again is fine. */
int api_announce(struct api *a, struct error *e);
/* The machine's value is another: tell the event streams.  On the loop's thread. */
void api_publish(struct api *a);
/* End the streams, answer what is in hand, close. */
void api_free(struct api *a);

#endif
