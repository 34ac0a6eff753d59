/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One machine's launcher: puts libvirt, the machine's value, storage, DHCP and
 * the API together and decides when the process ends.
 *
 * Threads: the main loop (signals, libvirtd's life, timers, DHCP, event
 * streams), libvirt's event thread, the API's thread, and pools for what
 * blocks: one normal job at a time, quick calls (state, kill, screenshot), the guest agent,
 * probes of the guest.
 */
#ifndef LAUNCHER_LAUNCHER_H
#define LAUNCHER_LAUNCHER_H

#include <jansson.h>
#include <stdbool.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/loop.h"
#include "launcher/layout.h"
#include "launcher/reaper.h"

struct launcher;
struct hypervisor;
struct machine;
struct pool;

struct launcher_settings {
    const char *name, *uid, *namespace;
    struct layout layout;
    const char *ovmf_path;
    long long qemu_timeout_ms;
    long long grace_period_seconds;
    long long disk_memory_limit;
    bool has_image_volumes;
    bool is_emulation_allowed;
};

/* Exit codes of the process. */
enum launcher_exit {
    LAUNCHER_ENDED = 0,  /* the guest is gone, or none was wanted any more */
    LAUNCHER_FAILED = 1, /* nothing was started in time, or libvirt cannot be run */
};

/* Everything runs when it returns.  Call on the loop's thread, then loop_run. */
int launcher_start(struct launcher **ret, const struct launcher_settings *s, struct loop *l,
                   struct reaper *r, struct error *e);
/*
 * Close the API after answering what is in hand, ask libvirt's daemon to end.  What still
 * blocks in a pool is not waited for: the process ends after this.
 */
void launcher_stop(struct launcher *l);
/* SIGTERM: the pod is to go; the guest is asked to shut down and gets its grace period. */
void launcher_terminate(struct launcher *l);
enum launcher_exit launcher_exit_code(const struct launcher *l);

/* ---- for the files of this folder ---- */

enum launcher_lane {
    LANE_NOW,   /* answered from memory, at once */
    LANE_JOB,   /* changes the machine: one at a time */
    LANE_QUICK, /* may not wait behind a job */
    LANE_PROBE, /* waits for what the guest does; nothing else waits behind it */
    LANE_COUNT,
};

struct pool *launcher_pool(struct launcher *l, enum launcher_lane lane);
struct machine *launcher_machine(struct launcher *l);
struct hypervisor *launcher_hypervisor(struct launcher *l);
const struct launcher_settings *launcher_settings(const struct launcher *l);
struct loop *launcher_loop(struct launcher *l);

struct agent *launcher_agent(struct launcher *l);
struct storage;
struct network;
/* How storage is prepared here. */
const struct storage *launcher_storage(const struct launcher *l);
/* Answer the guests' DHCP from now on.  Blocks; not on the loop's thread. */
int launcher_serve_dhcp(struct launcher *l, const struct network *n, struct error *e);
/* The guest was asked to shut down: remembered once, shown in the Domain. */
void launcher_note_shutdown(struct launcher *l);
void launcher_set_grace(struct launcher *l, long long seconds);
/* Set by pause, kept until unpause: sync does not undo what the user wanted. */
void launcher_set_user_paused(struct launcher *l, bool is_paused);
bool launcher_is_user_paused(const struct launcher *l);
/* End the process soon, on its own terms. */
void launcher_end(struct launcher *l, enum launcher_exit code);

/* Read the state from libvirt and put it into the machine's value.  Blocks. */
int launcher_refresh(struct launcher *l, struct error *e);

/* What is answered to a call. */
struct answer {
    json_t *json; /* owned; NULL with bytes */
    struct buf bytes;
    const char *content_type; /* of bytes */
};

/* One operation of the API; `body` is NULL where the call has none.  On a thread of its lane. */
typedef int operation_fn(struct launcher *l, const json_t *body, struct answer *a, struct error *e);

operation_fn operation_ping, operation_domain, operation_sync, operation_pause, operation_unpause,
    operation_reset, operation_softreboot, operation_shutdown, operation_kill, operation_delete,
    operation_guest_info, operation_users, operation_filesystems, operation_screenshot,
    operation_guest_ping, operation_guest_exec;

#endif
