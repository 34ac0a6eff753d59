/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Device plugins for /dev/kvm, /dev/net/tun and others (spec 05, 1.7): a gRPC
 * server each, registered with the kubelet and again whenever the kubelet
 * restarts.  All on one thread of their own.  A device that the node lacks is
 * offered as unhealthy, so that it can be asked for and explains itself; one whose
 * feature gate is off is not offered.
 */
#ifndef HANDLER_DEVICE_PLUGIN_H
#define HANDLER_DEVICE_PLUGIN_H

#include <stdbool.h>
#include <stddef.h>

#include "handler/plugin_message.h"

struct device_plugins;

struct device_plugin_options {
    const char *plugins_dir; /* where kubelet.sock lies: <kubelet root>/device-plugins; copied */
    size_t max_devices;      /* virtual ids of each device */
    const struct plugin_device *devices; /* outlive it */
    size_t count;
    /* Is a device to be offered now?  NULL: every one.  The plugins' thread. */
    bool (*is_wanted)(const struct plugin_device *d, void *ctx);
    /* A plugin was registered or lost its registration.  The plugins' thread. */
    void (*changed)(void *ctx);
    void *ctx;
};

/* Those that a launcher may need. */
enum { PLUGIN_DEVICES = 4 };
extern const struct plugin_device plugin_devices[PLUGIN_DEVICES];

struct device_plugins *device_plugins_start(const struct device_plugin_options *o);
/* Every stream is told an empty list first. */
void device_plugins_stop(struct device_plugins *ps);

/* Ask is_wanted again, soon.  Any thread. */
void device_plugins_review(struct device_plugins *ps);

/* Is every plugin registered whose device is offered?  Any thread. */
bool device_plugins_are_registered(struct device_plugins *ps);

#endif
