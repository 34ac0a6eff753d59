/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What to do about one machine of this node, from what is known of it: a pure
 * function of the VMI, its domain and its launcher (spec 04, 1.4, 1.5 and 1.7).
 * "Does not answer" is a state of its own and never read as "gone".
 */
#ifndef HANDLER_DECIDE_H
#define HANDLER_DECIDE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

enum launcher_state {
    LAUNCHER_ABSENT,       /* its socket is not there (yet), the pod's directory is */
    LAUNCHER_READY,        /* takes connections */
    LAUNCHER_SILENT,       /* refuses or does not answer, for less than the watchdog's time */
    LAUNCHER_UNRESPONSIVE, /* nobody has listened for longer than that, or it never came up */
    LAUNCHER_GONE,         /* the pod's directory or the launcher's process is positively gone */
};

enum domain_knowledge {
    DOMAIN_UNKNOWN, /* the launcher was not heard yet */
    DOMAIN_NONE,    /* it said that none was ever defined */
    DOMAIN_KNOWN,
};

/* Everything borrowed. */
struct handler_view {
    const char *node;     /* this node's name */
    const json_t *vmi;    /* NULL: the object is gone */
    const json_t *domain; /* with DOMAIN_KNOWN */
    enum domain_knowledge knowledge;
    enum launcher_state launcher;
    bool spec_is_synced; /* the launcher was given this spec already */
    int64_t now_ms;      /* wall clock */
};

enum handler_action {
    HANDLER_NOTHING,
    HANDLER_WAIT,     /* look again after again_ms */
    HANDLER_SYNC,     /* prepare the pod where needed, hand the VMI to the launcher */
    HANDLER_SHUTDOWN, /* ask the guest */
    HANDLER_KILL,
    HANDLER_DELETE,  /* undefine the dead domain; the launcher ends */
    HANDLER_CLEANUP, /* nothing of it is left: forget it */
};

struct handler_decision {
    enum handler_action action;
    const char *
        phase; /* what status.phase has to be; static text or borrowed from the VMI; NULL: no VMI */
    int64_t again_ms; /* > 0: look again after this long, whatever happens */
    const char *why;  /* one constant phrase, for the log */
};

struct handler_decision handler_decide(const struct handler_view *v);

/* Is this node the one that owns the VMI? */
bool vmi_is_on_node(const json_t *vmi, const char *node);
/* Does the domain's state mean that a QEMU process exists? */
bool domain_is_alive(const json_t *domain);
/* Effective grace period in seconds: the VMI's, else the domain's, else 30. */
int64_t grace_seconds(const json_t *vmi, const json_t *domain);

extern const char *const handler_action_names[];

#endif
