/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one domain of this pod, as libvirt sees it.  Hides libvirt: connection,
 * event thread, words for states, errors.
 *
 * All calls but _new and _free block on libvirt and may be made from any
 * thread but the event thread.  Without a connection they answer -ERR_UNAVAILABLE: that
 * says nothing about the machine.
 */
#ifndef LAUNCHER_HYPERVISOR_H
#define LAUNCHER_HYPERVISOR_H

#include <jansson.h>
#include <stdbool.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/error.h"

struct hypervisor;

/* On libvirt's event thread; must not block. */
struct hypervisor_events {
    void (*on_change)(void *arg); /* the state may be another: read it again */
    void (*on_agent)(bool connected, void *arg);
    void (*on_lost)(void *arg); /* the connection is gone; open again */
};

/* `name` of the domain; strings are copied.  Starts the event thread. */
struct hypervisor *hypervisor_new(const char *name, const struct hypervisor_events *events,
                                  void *arg);
void hypervisor_free(struct hypervisor *h);

/* Connect, or connect again. */
int hypervisor_open(struct hypervisor *h, const char *uri, struct error *e);

/* Words of spec 05, section 2.3 (static). */
struct hypervisor_state {
    const char *state, *reason;
    bool is_active; /* QEMU runs */
    bool is_agent_connected;
    pid_t pid; /* of QEMU; 0 when not known */
};

/* -ERR_NOT_FOUND only when libvirt says that there is no such domain. */
int hypervisor_state(struct hypervisor *h, struct hypervisor_state *ret, struct error *e);

/* Define (or define anew) and start; a domain that does not start is undefined again. */
int hypervisor_start(struct hypervisor *h, const char *xml, bool paused, struct error *e);

int hypervisor_pause(struct hypervisor *h, struct error *e);
int hypervisor_resume(struct hypervisor *h, struct error *e);
int hypervisor_reset(struct hypervisor *h, struct error *e);
int hypervisor_reboot(struct hypervisor *h, bool by_agent, struct error *e);
int hypervisor_shutdown(struct hypervisor *h, struct error *e);
int hypervisor_kill(struct hypervisor *h, struct error *e);      /* dead already is fine */
int hypervisor_undefine(struct hypervisor *h, struct error *e);  /* absent is fine */
int hypervisor_sync_time(struct hypervisor *h, struct error *e); /* by the guest agent */

/* The full machine type that libvirt made of the asked one ("pc-q35-7.2").  New, NULL when not
 * known. */
char *hypervisor_machine(struct hypervisor *h);

/* The screen; *ret_mime is "image/png" or what libvirt gave instead.  New string. */
int hypervisor_screenshot(struct hypervisor *h, struct buf *out, char **ret_mime, struct error *e);

/* Ask the guest agent; `return` of its answer, new.  The answer comes from inside the guest:
 * hostile. */
int hypervisor_agent(struct hypervisor *h, const char *command, json_t **ret, struct error *e);
/* The same for a whole request, {"execute","arguments"}, and a time of one's own.  An answer of
 * more than 4 MiB is refused. */
int hypervisor_agent_ask(struct hypervisor *h, const json_t *request, int timeout_seconds,
                         json_t **ret, struct error *e);

#endif
