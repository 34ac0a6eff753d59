/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One launcher as this node sees it: its socket below the pod's directory, its
 * process, what it last said of its domain (docs/LAUNCHER-API.md).  Its calls
 * block and belong to the worker that holds the machine's key; the domain's state
 * comes in on the watcher's thread.
 */
#ifndef HANDLER_LAUNCHER_H
#define HANDLER_LAUNCHER_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/scope.h"
#include "handler/decide.h"
#include "http/client.h"

struct arrivals;
struct launcher; /* counted */

/* The domain changed or the launcher fell silent: look at the machine again.  Watcher's thread. */
typedef void launcher_changed_fn(const char *key, void *ctx);

struct launcher_options {
    const char *key; /* "ns/name" of the machine */
    const char *vmi_uid;
    const char *pod_uid;
    const char *pods_dir; /* outlives it */
    int64_t watchdog_ms;  /* nobody listens for longer: unresponsive */
    bool was_ready;       /* known from before this process (ghost record) */
    const struct clock *clock;
    struct http_watcher *watcher;
    launcher_changed_fn *changed;
    void *ctx;
};

/* Copies all strings but pods_dir. */
struct launcher *launcher_new(const struct launcher_options *o);
/* No more watching (its end may still be running down), then unref. */
void launcher_stop(struct launcher *l);

struct launcher *launcher_ref(struct launcher *l);
void launcher_unref(struct launcher *l);
DEFINE_SCOPE(struct launcher, launcher_unref)

const char *launcher_key(const struct launcher *l);
const char *launcher_vmi_uid(const struct launcher *l);
const char *launcher_pod_uid(const struct launcher *l);

/* Find out how it is now; connects and begins to watch where that is due.  *e says why it is not
 * ready. */
enum launcher_state launcher_look(struct launcher *l, struct error *e);
/* It is LAUNCHER_ABSENT: have its key told when its socket arrives, then look again. */
void launcher_await(struct launcher *l, struct arrivals *a);
/* Is its event stream up?  When not, look again soon. */
bool launcher_is_watched(struct launcher *l);

/* What is known of the domain; with DOMAIN_KNOWN a new reference in *ret.  Asks the launcher when
 * nothing is known. */
enum domain_knowledge launcher_domain(struct launcher *l, json_t **ret);
/* The last word only; never asks.  New reference or NULL.  Any thread. */
json_t *launcher_last_domain(struct launcher *l);

/*
 * One call; body and ret may be NULL.  A Status answer becomes *e with its code.  Any thread.
 * A Domain in the answer of /v1/sync is remembered.
 */
int launcher_call(struct launcher *l, enum http_method method, const char *path, const json_t *body,
                  json_t **ret, struct error *e);
/* The same for any content: *ret must be released. */
int launcher_fetch(struct launcher *l, const char *path, struct http_response *ret,
                   struct error *e);

/*
 * A descriptor of /proc/PID of its process (O_PATH directory), pinned to that process: what is
 * below it fails to open once the process is gone.  -ERR_UNAVAILABLE when it does not listen.
 */
int launcher_open_proc(struct launcher *l, struct error *e);

#endif
