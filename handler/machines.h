/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The machines of this node that have, or had, a launcher, and their records on
 * disk ("ghost records", spec 05, 1.6), so that a restarted virt-handler still
 * knows whom to wind up when the object is gone.  The list may be asked by any
 * thread; a machine's own fields belong to the worker that holds its key.
 */
#ifndef HANDLER_MACHINES_H
#define HANDLER_MACHINES_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

struct launcher;
struct machine;
struct machines;

struct machine {
    char *key, *uid, *pod_uid;
    struct launcher *launcher;
    json_t *pod_ips;      /* array; NULL while not known */
    uint64_t synced_spec; /* hash of the spec that the launcher took; 0: none */
    bool is_recorded;     /* its ghost record is written */
    bool is_network_ready;
    bool is_created_told; /* events are told once */
    bool is_shutdown_told;
    bool is_deletion_told;
    char *sync_message;   /* why the last sync failed; NULL: it did not */
    char *written_from;   /* the resourceVersion that our last status patch was made to */
    struct machine *next; /* private */
};

/* Records live in `dir` (made when absent; NULL: none are kept). */
struct machines *machines_new(const char *dir);
/* Launchers are stopped. */
void machines_free(struct machines *ms);

/* Read the records; `seen` is called for each one: key, machine's UID, pod's UID, addresses (NULL:
 * not known). */
typedef void machines_record_fn(const char *key, const char *uid, const char *pod_uid,
                                const json_t *pod_ips, void *ctx);
void machines_read_records(struct machines *ms, machines_record_fn *seen, void *ctx);

/* Takes the launcher.  Borrowed: lives until machines_remove. */
struct machine *machines_add(struct machines *ms, const char *key, const char *uid,
                             const char *pod_uid, struct launcher *launcher);
struct machine *machines_find(struct machines *ms, const char *uid);
/* Any machine of the key whose UID is not `uid` (NULL: any UID); NULL when there is none. */
struct machine *machines_find_other(struct machines *ms, const char *key, const char *uid);
/* The launcher of a machine: a new reference or NULL. */
struct launcher *machines_launcher(struct machines *ms, const char *uid);
size_t machines_count(struct machines *ms);

/* Write the record (again, when the addresses became known). */
int machines_record(struct machines *ms, struct machine *m, struct error *e);
/* Forget it, on disk as well; stops its launcher. */
void machines_remove(struct machines *ms, struct machine *m);

#endif
