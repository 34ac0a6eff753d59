/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keeps this node's machines as their VMIs say: an informer of the VMIs that carry
 * this node's name, a work queue, workers that reconcile one key at a time
 * (handler_decide), and the report back into status.
 */
#ifndef HANDLER_VMI_H
#define HANDLER_VMI_H

#include <jansson.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/error.h"

struct cluster_config_store;
struct event_recorder;
struct http_watcher;
struct informer;
struct kube;
struct launcher;
struct vmi_controller;

struct vmi_options {
    const char *node;
    const char *pods_dir;
    const char *records_dir; /* ghost records; NULL: none */
    int64_t watchdog_ms;
    int64_t resync_ms;
    size_t workers;
    const struct clock *clock;
    struct kube *kube;
    struct http_watcher *watcher;
    struct event_recorder *events;
    struct cluster_config_store *config;
};

/* Reads the records and starts the informer.  Strings and pointers outlive it. */
struct vmi_controller *vmi_controller_new(const struct vmi_options *o);
/* The workers; once the informer is synced: before, a record without its VMI would look like a
 * deleted machine. */
void vmi_controller_start(struct vmi_controller *c);
/* Ends workers, informer and launchers' watches; then http_watcher_free(), then free. */
void vmi_controller_stop(struct vmi_controller *c);
void vmi_controller_free(struct vmi_controller *c);

struct informer *vmi_controller_informer(struct vmi_controller *c); /* borrowed */

/* The VMI, shared and read-only, or NULL.  Any thread. */
json_t *vmi_controller_get(struct vmi_controller *c, const char *key);
/* The launcher of a machine: new reference or NULL.  Any thread. */
struct launcher *vmi_controller_launcher(struct vmi_controller *c, const char *uid);

#endif
